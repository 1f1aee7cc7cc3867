"""Wherever a picture is published, it has no position, no serial number and no thumbnail."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import AS_OF, program, run, run_feeds, tree
from photos import PICTURES, SECRET
from stores import asked

from feeds import CatalogueError, build_release, load_catalogue

HEAD = 'site: {title: T, url: "https://news.example.org/", id: "tag:news.example.org,2021:t"}\n'
SOURCES = {
    "photo": "phone.jpg",
    "document": "editor.webp",
    "body": "phone.png",
    "static": "phone.avif",
}
PUBLISHED = {name: f"media/{file}" for name, file in SOURCES.items()} | {"static": "phone.avif"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a catalogue that publishes a picture in each way."""
    folder = tmp_path / "site"
    for name in ("media", "static"):
        (folder / name).mkdir(parents=True)
    for way, name in SOURCES.items():
        (folder / ("static" if way == "static" else "media") / name).write_bytes(PICTURES[name]())
    catalogue = folder / "entries.yaml"
    length = (folder / "media" / "phone.jpg").stat().st_size
    catalogue.write_text(
        f"{HEAD}entries:\n- id: a\n  title: A\n  date: 2026-01-01\n"
        f"  photo: {{url: media/phone.jpg, length: {length}}}\n"
        "  documents: [media/editor.webp]\n  body: '![Shown](media/phone.png)'\n"
    )
    return catalogue


def test_no_published_picture_has_metadata(file: Path, tmp_path: Path) -> None:
    """A photo, a document, a picture in a body and one in static/ are exported and served without metadata."""
    exiftool = program("exiftool")
    before = {path: path.read_bytes() for path in file.parent.rglob("*.*") if path.is_file()}
    done = run_feeds("export", tmp_path / "out", "--catalogue", file, "--state", tmp_path / "s")
    assert done.returncode == 0, done.stderr
    exported = tree(tmp_path / "out")
    assert not [path for path, body in exported.items() if SECRET.encode() in body]
    for path in PUBLISHED.values():
        found = run(exiftool, "-a", "-G1", "-j", "-ee3", tmp_path / "out" / path).stdout
        [tags] = json.loads(found)
        assert not [tag for tag in tags if "GPS" in tag or "Serial" in tag or "Thumbnail" in tag]
    with asked(file, tmp_path / "state") as client:
        for path in PUBLISHED.values():
            assert client.get(f"/{path}").data == exported[path]
    # What is beside the catalogue is not touched.
    assert {path: path.read_bytes() for path in before} == before


def test_lengths_are_those_of_what_is_published(file: Path) -> None:
    """Feeds name the length of the published picture; the catalogue may state that of the file."""
    catalogue = load_catalogue(file)
    release = build_release(catalogue, as_of=AS_OF)
    [entry] = catalogue.entries
    assert entry.photo
    assert entry.photo.length == len(release["media/phone.jpg"].body)
    assert entry.photo.length < (file.parent / "media" / "phone.jpg").stat().st_size
    assert entry.documents[0].length == len(release["media/editor.webp"].body)
    feed = json.loads(release["feed.json"].body)["items"][0]
    lengths = [one["size_in_bytes"] for one in feed["attachments"]]
    assert lengths == [entry.documents[0].length, entry.photo.length]
    stated = str((file.parent / "media" / "phone.jpg").stat().st_size)
    file.write_text(file.read_text().replace(stated, str(entry.photo.length)))
    with pytest.raises(CatalogueError, match="but the file's is"):
        load_catalogue(file)


def test_a_damaged_picture_in_static_is_not_published(file: Path, tmp_path: Path) -> None:
    """A picture in static/ that cannot be read stops the export, and is named."""
    whole = file.parent / "media" / "phone.png"
    (file.parent / "static" / "cut.png").write_bytes(whole.read_bytes()[:99])
    done = run_feeds("export", tmp_path / "out", "--catalogue", file, "--state", tmp_path / "s")
    assert done.returncode == 1
    assert "static/cut.png: is not a valid PNG file" in done.stderr
    # Only what is sent as a picture is one, whatever its name says of its type.
    static = file.parent / "static"
    (static / "cut.png").rename(static / "cut.txt")
    shutil.copy(whole, static / "whole.jpg")
    done = run_feeds("export", tmp_path / "out", "--catalogue", file, "--state", tmp_path / "s")
    assert done.returncode == 0, done.stderr
    exported = tree(tmp_path / "out")
    assert exported["cut.txt"] == whole.read_bytes()[:99]
    assert SECRET.encode() not in exported["whole.jpg"]
