"""Pictures beside the catalogue: published with the same pixels, and described correctly in every format."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from conftest import AS_OF, MEDIA, PATIENCE, guarded, run_feeds, wait_until
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from PIL import Image
from stores import Published

from feeds import CatalogueError, FeedsError, Release, build_release
from feeds.catalogue import ItemMemory, load_catalogue

ATOM = "{http://www.w3.org/2005/Atom}"
TEXT = """
site: {title: T, url: "https://news.example.org/", id: "tag:news.example.org,2021:t"}
entries:
- id: later
  title: Later
  date: 2030-05-24
  summary: Under embargo.
  photo: {url: media/market.png}
- id: market
  title: The market
  date: 2022-05-24
  summary: A summary.
  photo: {url: media/market.jpg, alt: A market, credit: © A}
"""
JPEG = "media/market.jpg"
ONE = TEXT.partition("- id")[0] + (
    "- {id: a, title: A, date: 2022-05-24, summary: S, photo: {url: media/NAME}}\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a catalogue with its pictures; no entry names another file of the folder."""
    folder = tmp_path / "site"
    (folder / "media").mkdir(parents=True)
    for name in ("market.jpg", "market.png", "market.gif"):
        shutil.copy(MEDIA / name, folder / "media")
    path = folder / "entries.yaml"
    path.write_text(TEXT)
    return path


def built(file: Path, memory: ItemMemory | None = None, as_of: datetime = AS_OF) -> Release:
    return build_release(load_catalogue(file, memory=memory), as_of=as_of)


def enclosures(release: Release) -> set[tuple[str, ...]]:
    """Return address, media type and size of each enclosure in each format."""
    atom = etree.fromstring(release["atom.xml"].body)
    rss = etree.fromstring(release["rss.xml"].body)
    found = [
        (link.get("href", ""), link.get("type", ""), link.get("length", ""))
        for link in atom.findall(f"{ATOM}entry/{ATOM}link[@rel='enclosure']")
    ]
    found += [
        (one.get("url", ""), one.get("type", ""), one.get("length", ""))
        for one in rss.findall("channel/item/enclosure")
    ]
    for item in json.loads(release["feed.json"].body)["items"]:
        found += [
            (one["url"], one["mime_type"], str(one["size_in_bytes"]))
            for one in item.get("attachments", [])
        ]
    assert len(found) == 3
    return set(found)


def test_a_picture_is_a_document_and_every_format_tells_its_true_size(file: Path) -> None:
    """A picture has the file's bytes, and its type, length, width and height are read from the file."""
    release = built(file)
    body = (MEDIA / "market.jpg").read_bytes()
    assert release[JPEG].body == body
    assert release[JPEG].media_type == "image/jpeg"
    assert enclosures(release) == {
        (f"https://news.example.org/{JPEG}", "image/jpeg", str(len(body)))
    }
    for name in ("atom.xml", "rss.xml"):
        [content] = etree.fromstring(release[name].body).iter(
            "{http://search.yahoo.com/mrss/}content"
        )
        assert (content.get("width"), content.get("height")) == ("16", "12")
    page = release["entries/market/index.html"].body.decode()
    assert f'src="../../{JPEG}" alt="A market" width="16" height="12"' in page


def test_only_what_is_public_is_published(file: Path) -> None:
    """A picture appears with its entry; one that no entry names is not published at all."""
    pictures = [path for path in built(file) if path.startswith("media/")]
    assert pictures == [JPEG]
    later = built(file, as_of=datetime(2031, 1, 1, tzinfo=UTC))
    assert [path for path in later if path.startswith("media/")] == [JPEG, "media/market.png"]


def test_another_url_moves_the_pictures_too(file: Path) -> None:
    """`--url` applies to pictures as well, and does not change what was read for another URL."""
    memory = ItemMemory()
    here = built(file, memory)
    catalogue = load_catalogue(file, url="http://127.0.0.1:8000/", memory=memory)
    there = build_release(catalogue, as_of=AS_OF)
    assert {address for address, *_ in enclosures(there)} == {f"http://127.0.0.1:8000/{JPEG}"}
    assert dict(built(file, memory)) == dict(here)


def test_a_folder_of_files_has_its_pictures_beside_them(file: Path) -> None:
    """If the catalogue is a folder, `media` is inside it."""
    assert dict(built(file.parent)) == dict(built(file))


def test_a_picture_that_changes_alone_is_seen_by_what_was_built_before(
    file: Path, tmp_path: Path
) -> None:
    """An incremental build and a full one have the same bytes after pictures change."""
    site = Published(file, state=tmp_path / "state")
    for size, colour in (((16, 12), "teal"), ((20, 30), "red"), ((20, 30), "blue")):
        Image.new("RGB", size, colour).save(file.parent / JPEG)
        site.refresh()
        warm = site.shown()
        cold = built(file)
        assert {path: document.body for path, document in warm.items()} == {
            path: document.body for path, document in cold.items()
        }
        assert warm[JPEG].body == (file.parent / JPEG).read_bytes()


def test_an_unchanged_picture_is_left_alone(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reload neither reads nor writes an unchanged picture."""
    site = Published(file, state=tmp_path / "state")
    site.refresh()
    before = site.shown()
    [stored] = (tmp_path / "state").glob(f"site-*/objects/{before[JPEG].etag}")
    stamp = stored.stat()
    file.write_text(TEXT.replace("A summary.", "Another summary."))
    monkeypatch.setattr("feeds.plans.read_media", None)
    site.refresh()
    after = site.shown()
    assert after["atom.xml"].body != before["atom.xml"].body
    assert after[JPEG] == before[JPEG]
    assert (stored.stat().st_ino, stored.stat().st_mtime_ns) == (stamp.st_ino, stamp.st_mtime_ns)


def test_many_pictures_are_measured_as_one_is(file: Path) -> None:
    """A thousand pictures are measured as one is."""
    entries = []
    for number in range(1100):
        shutil.copy(MEDIA / "market.gif", file.parent / "media" / f"{number}.gif")
        entries.append(
            f"- {{id: n{number}, title: T, date: 2022-05-24, summary: S,"
            f" photo: {{url: media/{number}.gif}}}}\n"
        )
    file.write_text(TEXT + "".join(entries))
    pictures = load_catalogue(file).media
    sizes = {
        (picture.width, picture.height) for picture in pictures if picture.path.endswith(".gif")
    }
    assert len(pictures) == 1102
    assert len(sizes) == 1


def test_a_picture_that_is_too_large_is_refused(file: Path) -> None:
    """A picture that takes long to load is a Problem."""
    with (file.parent / JPEG).open("ab") as opened:
        opened.truncate(10_000_000)
    load_catalogue(file)
    with (file.parent / JPEG).open("ab") as opened:
        opened.truncate(10_000_001)
    with pytest.raises(CatalogueError, match="has 10,000,001 bytes; at most 10,000,000"):
        load_catalogue(file)


HEADS = {
    name: (MEDIA / name).read_bytes()
    for name in (
        "market.jpg",
        "market.png",
        "market.gif",
        "market.webp",
        "market.avif",
        "lying.jpg",
    )
}


@given(st.sampled_from([*HEADS]), st.data())
@settings(max_examples=200)
def test_any_bytes_are_a_picture_or_none(name: str, data: st.DataObject) -> None:
    """A file with any bytes is measured or refused, and its pixels are not decoded."""
    body = bytearray(HEADS[name])
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), max_size=8)):
        body[place] = data.draw(st.integers(0, 255))
    body = body[: data.draw(st.integers(0, len(body)))]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "entries.yaml"
        file.write_text(ONE.replace("NAME", name))
        (file.parent / "media").mkdir()
        (file.parent / "media" / name).write_bytes(body)
        try:
            with guarded():
                [picture] = load_catalogue(file).media
        except CatalogueError as error:
            assert [problem.path for problem in error.problems] == ["entries[0].photo.url"]
        else:
            assert 0 < picture.width * picture.height <= 50_000_000


def test_no_release_is_made_of_a_picture_that_changed_meanwhile(file: Path) -> None:
    """A picture that changes after it was measured is not published."""
    catalogue = load_catalogue(file)
    Image.new("RGB", (20, 30), "red").save(file.parent / JPEG)
    with pytest.raises(FeedsError, match="is being written"):
        build_release(catalogue, as_of=AS_OF)
    (file.parent / JPEG).unlink()
    with pytest.raises(FeedsError, match="No such file"):
        build_release(catalogue, as_of=AS_OF)


def test_check_and_export_look_at_the_pictures_again(file: Path, tmp_path: Path) -> None:
    """The result of an earlier check is not reused after a picture changed."""
    options = ("--catalogue", file, "--state", tmp_path / "state")
    assert run_feeds("check", *options).returncode == 0
    assert run_feeds("export", *options, tmp_path / "out").returncode == 0
    again = run_feeds("export", *options, tmp_path / "out")
    assert again.stdout.startswith("written 0,")
    Image.new("RGB", (20, 30), "red").save(file.parent / JPEG)
    assert run_feeds("export", *options, tmp_path / "out").stdout.startswith("written ")
    assert (tmp_path / "out" / JPEG).read_bytes() == (file.parent / JPEG).read_bytes()
    (file.parent / JPEG).unlink()
    for verb in (("check",), ("export", tmp_path / "out")):
        done = run_feeds(*verb, *options)
        assert done.returncode == 1
        assert "entries[1].photo.url (market): there is no file 'media/market.jpg'" in done.stderr


def test_a_served_picture_is_replaced(file: Path, served: Callable[[Path], str]) -> None:
    """If only a picture changes, it is published, and the feeds describe the new one."""
    url = served(file)
    old = fetch(url + JPEG)
    Image.new("RGB", (20, 30), "red").save(file.parent / JPEG)
    new = (file.parent / JPEG).read_bytes()
    wait_until(lambda: fetch(url + JPEG)[1] == new)
    assert f'length="{len(new)}"'.encode() in fetch(url + "atom.xml")[1]
    assert fetch(url + JPEG)[0]["ETag"] != old[0]["ETag"]


@pytest.mark.heavy
def test_a_picture_that_vanishes_leaves_the_last_release(
    file: Path, served: Callable[[Path], str]
) -> None:
    """While a picture is missing, the last release is served, with the picture."""
    url = served(file)
    _, before = fetch(url + JPEG)
    (file.parent / JPEG).unlink()
    wait_until(lambda: json.loads(fetch(url + "healthz")[1])["status"] == "degraded")
    assert fetch(url + JPEG)[1] == before
    (file.parent / JPEG).write_bytes(before)
    wait_until(lambda: json.loads(fetch(url + "healthz")[1])["status"] == "ok")


@pytest.mark.parametrize(
    "accepted", ["br", *(pytest.param(one, marks=pytest.mark.heavy) for one in ("gzip", "*"))]
)
def test_a_picture_is_sent_as_it_is(
    file: Path, served: Callable[[Path], str], accepted: str
) -> None:
    """A served picture has its media type and validators, and is never compressed."""
    # Of one colour: its bytes would shrink.
    Image.new("L", (1000, 1000)).save(file.parent / JPEG)
    url = served(file)
    headers, body = fetch(url + JPEG, Accept_Encoding=accepted)
    assert body == (file.parent / JPEG).read_bytes()
    assert headers["Content-Type"] == "image/jpeg"
    assert "Content-Encoding" not in headers
    assert headers["Cache-Control"].startswith("public, max-age=900")
    assert headers["Last-Modified"]
    assert not headers["ETag"].startswith("W/")
    with pytest.raises(HTTPError, match="304"):
        fetch(url + JPEG, If_None_Match=headers["ETag"])


def fetch(url: str, **headers: str) -> tuple[HTTPMessage, bytes]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urlopen(Request(url, headers=sent), timeout=PATIENCE) as answer:
            return answer.headers, answer.read()
    except HTTPError as error:
        error.close()
        raise


@pytest.mark.heavy
def test_very_many_files_are_looked_at_less_often(file: Path) -> None:
    """A few files are checked each time; thousands less often."""
    published = Published(file)
    published.refresh()
    usual, index = published.publisher.pause(), published.index()
    file.write_text(TEXT.replace("Later", "Sooner").replace("2030", "2020"))
    published.refresh()
    assert published.index() != index
    for number in range(5000):
        (file.parent / "media" / f"{number}").touch()
    published.refresh()
    assert usual < published.publisher.pause() <= usual + 1, "put off"
