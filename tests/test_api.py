"""The Python API, used as a developer of another program would use it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from conftest import AS_OF, SHIPPED, tree, wait_until

import feeds
from feeds import (
    FORMATS,
    Catalogue,
    CatalogueError,
    Country,
    Document,
    Entry,
    Feed,
    FeedsError,
    Format,
    MediaFile,
    Person,
    Photo,
    Problem,
    Release,
    Report,
    Site,
    SiteApp,
    Topic,
    build_release,
    create_app,
    export_folder,
    load_catalogue,
)

FUNCTIONS: list[Callable[..., object]] = [load_catalogue, build_release, export_folder, create_app]
VALUES: list[type] = [
    *(Catalogue, Country, Document, Entry, Feed, Format, MediaFile, Person, Photo, Site, Topic),
    *(Release, Problem),
]


def test_a_catalogue_is_loaded() -> None:
    """A loaded catalogue has its site and its entries, with their labels and photos."""
    catalogue = load_catalogue(SHIPPED)
    assert isinstance(catalogue, Catalogue)
    assert isinstance(catalogue.site, Site)
    assert isinstance(catalogue.site.author, Person)
    assert len(catalogue.entries) == 20
    entry = next(entry for entry in catalogue.entries if entry.countries and entry.photo)
    assert isinstance(entry, Entry)
    assert isinstance(entry.topics[0], Topic)
    assert isinstance(entry.countries[0], Country)
    assert isinstance(entry.photo, Photo)
    assert load_catalogue(str(SHIPPED), url="https://x.example/").site.url == "https://x.example/"


def test_every_mistake_of_a_catalogue_is_a_problem_with_its_line(tmp_path: Path) -> None:
    """CatalogueError has each Problem: its file, line, column, key path, message and entry."""
    file = tmp_path / "entries.yaml"
    text = SHIPPED.read_text().replace("[Indonesia]", "[Indonesa]", 1)
    text = text.replace("  summary:", "  sumary:", 1)
    file.write_text(text)
    lines = text.splitlines()
    with pytest.raises(CatalogueError) as raised:
        load_catalogue(file)
    problems = raised.value.problems
    assert all(isinstance(problem, Problem) for problem in problems)
    expected = [n for n, line in enumerate(lines, 1) if "Indonesa" in line or "sumary" in line]
    assert [problem.line for problem in problems] == expected
    for problem in problems:
        assert problem.file == str(file)
        assert lines[problem.line - 1][problem.column - 1 :].startswith(("Indonesa", "sumary"))
        assert str(problem) in str(raised.value)


def test_other_errors_are_feeds_errors(tmp_path: Path) -> None:
    """An error that a user can fix is a FeedsError; CatalogueError is a subclass."""
    assert issubclass(CatalogueError, FeedsError)
    with pytest.raises(FeedsError, match="No such file"):
        load_catalogue(tmp_path / "missing.yaml")
    with pytest.raises(FeedsError, match="not a web address"):
        load_catalogue(SHIPPED, url="nowhere")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(FeedsError, match="out"):
        export_folder(load_catalogue(SHIPPED), tmp_path / "out")
    export_folder(load_catalogue(SHIPPED), tmp_path / "out", force=True)
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_strict_notes_are_problems() -> None:
    """A note prevents loading a catalogue only with `strict`."""
    noted = Path(__file__).parent / "cases" / "repeated-time.yaml"
    [note] = load_catalogue(noted).notes
    assert note.note
    with pytest.raises(CatalogueError) as raised:
        load_catalogue(noted, strict=True)
    assert raised.value.problems == (note,)


def test_addresses_that_were_published_and_are_gone_are_notes() -> None:
    """Addresses in `published` that the catalogue does not have are noted."""
    address = load_catalogue(SHIPPED).site.address("topics/forgotten/")
    [note] = load_catalogue(SHIPPED, published=[address]).notes
    assert "topics/forgotten/" in note.message


def test_a_release_maps_paths_to_documents() -> None:
    """A release is a mapping; a document has bytes, a media type and an ETag."""
    catalogue = load_catalogue(SHIPPED)
    release = build_release(catalogue, as_of=AS_OF)
    assert isinstance(release, Release)
    document = release["countries/id/rss.xml"]
    assert isinstance(document, Document)
    assert document.path == "countries/id/rss.xml"
    assert document.media_type == "application/rss+xml; charset=utf-8"
    assert b"Indonesia" in document.body
    assert document.etag in {found.etag for found in release.values()}
    assert "nowhere.xml" not in release
    assert list(release) == sorted(release)
    assert len(release) == len({*release})
    assert (release.site, release.as_of, release.until) == (catalogue.site, AS_OF, None)
    assert all(isinstance(feed, Feed) for feed in release.feeds)
    assert release.feeds[0].path == ""
    assert release.formats == FORMATS
    again = build_release(catalogue, as_of=AS_OF)
    assert (again, again.id) == (release, release.id)
    assert build_release(catalogue, as_of=AS_OF, pages=False).id != release.id


def test_a_value_cannot_be_changed() -> None:
    """The catalogue, the release and what is in them are immutable."""
    catalogue = load_catalogue(SHIPPED)
    release = build_release(catalogue, as_of=AS_OF)
    for value, name in [
        (catalogue, "entries"),
        (catalogue.site, "title"),
        (catalogue.entries[0], "title"),
        (release, "until"),
        (release["atom.xml"], "body"),
        (release.feeds[0], "title"),
    ]:
        with pytest.raises(AttributeError):
            setattr(value, name, None)


def test_entries_can_be_made_in_python() -> None:
    """A catalogue need not come from a file: its types can be used to make one."""
    catalogue = load_catalogue(SHIPPED)
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    entry = Entry(id="made-here", title="Made here", published=moment, updated=moment)
    release = build_release(replace(catalogue, entries=(entry,)), as_of=AS_OF)
    assert b"Made here" in release["atom.xml"].body
    assert b"Made here" in release["entries/made-here/index.html"].body


def test_a_format_can_be_added() -> None:
    """An additional Format is published beside the built-in ones."""
    catalogue = load_catalogue(SHIPPED)
    ids = Format(
        key="ids",
        name="Ids",
        filename="ids.txt",
        media_type="text/plain; charset=utf-8",
        render_entries=lambda entries, _site: [f"{entry.id}\n".encode() for entry, _ in entries],
        join=lambda _feed, pieces, _site, _address: b"".join(pieces),
    )
    site = replace(catalogue.site, formats=("atom", "ids"))
    release = build_release(
        replace(catalogue, site=site), as_of=AS_OF, formats=(*FORMATS, ids), pages=False
    )
    assert release["ids.txt"].body.startswith(catalogue.entries[0].id.encode())
    assert "rss.xml" not in release


def test_exported_and_served_bytes_are_those_of_the_release(tmp_path: Path) -> None:
    """For every path, the file in the folder and the answer of the server are the document."""
    catalogue = load_catalogue(SHIPPED)
    release = build_release(catalogue, as_of=datetime.now(UTC))
    trial = export_folder(catalogue, tmp_path / "out", dry_run=True)
    assert not (tmp_path / "out").exists()
    report = export_folder(catalogue, tmp_path / "out")
    assert isinstance(report, Report)
    assert {*report.written} == {*trial.written} == {*release}
    assert tree(tmp_path / "out") == {path: found.body for path, found in release.items()}
    again = export_folder(catalogue, tmp_path / "out")
    assert (again.written, {*again.unchanged}) == ((), {*release})
    app = create_app(SHIPPED, state=tmp_path / "state")
    try:
        assert isinstance(app, SiteApp)
        client = app.test_client()
        wait_until(lambda: client.get("/healthz").status_code == 200)
        for path, document in release.items():
            answer = client.get(f"/{path}")
            assert (answer.status_code, answer.data) == (200, document.body), path
            assert answer.content_type == document.media_type
    finally:
        app.close()


def test_an_export_takes_the_options_of_the_command(tmp_path: Path) -> None:
    """Compressed files, feeds alone, and the configuration of a host."""
    catalogue = load_catalogue(SHIPPED, url="https://news.example.org/")
    report = export_folder(catalogue, tmp_path, compress=True, host="netlify")
    assert {"atom.xml", "atom.xml.br", "atom.xml.gz", "_headers"} <= {*report.written}
    kept = export_folder(catalogue, tmp_path, pages=False, prune=False)
    assert "atom.xml.br" in kept.removed
    assert "index.html" not in kept.removed
    assert "index.html" in export_folder(catalogue, tmp_path, pages=False).removed


def test_every_name_is_there_documented_and_listed() -> None:
    """`dir` and `from feeds import *` know each name; each function and type has a docstring."""
    assert {*feeds.__all__} <= {*dir(feeds)}
    for name in feeds.__all__:
        found = getattr(feeds, name)
        if callable(found):
            assert found.__doc__, name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = feeds.nothing


def public(hint: Any) -> bool:
    """Return whether a type, and each type it is made of, is public or from a library."""
    internal = str(getattr(hint, "__module__", "")).startswith("feeds")
    known = not internal or hint.__name__ in feeds.__all__
    return known and all(map(public, getattr(hint, "__args__", ())))


@pytest.mark.parametrize("named", [*FUNCTIONS, *VALUES], ids=lambda named: named.__name__)
def test_signatures_name_public_types_alone(named: Any) -> None:
    """Each type that the API accepts, returns or has as an attribute is public too."""
    names = {name: getattr(feeds, name) for name in feeds.__all__}
    hints = get_type_hints(named, localns=names)
    assert hints
    for name, hint in hints.items():
        assert public(hint), name


def test_a_name_is_imported_when_it_is_used() -> None:
    """Loading a catalogue needs neither a server nor a renderer."""
    code = (
        "import sys, feeds; dir(feeds); before = {*sys.modules}\n"
        f"feeds.load_catalogue({str(SHIPPED)!r})\n"
        "print(*before); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    before, after = (
        {name.partition(".")[0] for name in line.split()} for line in done.stdout.splitlines()
    )
    assert not before & {"yaml", "lxml", "flask", "dataclasses"}
    assert not after & {"lxml", "flask", "granian", "jinja2", "feedgen", "obstore", "brotli"}
