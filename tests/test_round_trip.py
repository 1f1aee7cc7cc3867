"""What this program publishes, and then imports, it publishes again as it was."""

import json
from pathlib import Path

import pytest
from conftest import AS_OF, CATALOGUES, SHIPPED
from imports import run_import
from lxml import etree

from feeds import build_release, load_catalogue

SOURCES = [SHIPPED, *sorted(path for path in CATALOGUES.iterdir() if path.stem != "empty")]
ATOM = "{http://www.w3.org/2005/Atom}"
# Elements and members with HTML, of which what a person sees must be the same.
HTML = {
    f"{ATOM}content",
    "description",
    "{http://purl.org/rss/1.0/modules/content/}encoded",
    "content_html",
}
# These repeat other texts for browsers.
REPEATED = "{http://purl.org/dc/terms/}"


def seen(html: str) -> list[str]:
    """Return the words that HTML shows, its pictures, and where its links lead."""
    words: list[str] = []
    for tag in etree.HTML(f"<div>{html}</div>").iter("*"):
        words += [str(tag.get(name)) for name in ("href", "src", "alt") if tag.get(name)]
        words += f"{tag.text or ''} {tag.tail or ''}".split()
    return sorted(words)


def is_title(tag: etree._Element, entry: etree._Element) -> bool:
    """Check whether an element repeats the title, as Atom requires where there is no text."""
    return tag.tag == f"{ATOM}summary" and tag.text == entry.findtext(f"{ATOM}title")


def published(catalogue: Path, document: str) -> list[list[object]]:
    """Return all that the entries in a document of a catalogue say."""
    body = build_release(load_catalogue(catalogue), as_of=AS_OF, pages=False)[document].body
    if document.endswith("json"):
        return [
            [(name, seen(value) if name in HTML else value) for name, value in item.items()]
            for item in json.loads(body)["items"]
        ]
    root = etree.fromstring(body)
    return [
        [
            (tag.tag, dict(tag.attrib), seen(tag.text or "") if tag.tag in HTML else tag.text)
            for tag in entry.iter("*")
            if not str(tag.tag).startswith(REPEATED) and not is_title(tag, entry)
        ]
        for entry in [*root.iter(f"{ATOM}entry"), *root.iter("item")]
    ]


@pytest.mark.parametrize("document", ["atom.xml", "rss.xml", "feed.json"])
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_feed_is_the_same_after_an_import(source: Path, document: str, tmp_path: Path) -> None:
    """Entries of a feed that is imported are published as before; a second import changes nothing."""
    feed, catalogue = tmp_path / document, tmp_path / "imported.yaml"
    feed.write_bytes(build_release(load_catalogue(source), as_of=AS_OF, pages=False)[document].body)
    done = run_import(feed, catalogue)
    assert (done.returncode, done.stderr) == (0, "")
    assert published(catalogue, document) == published(source, document)
    imported = catalogue.read_bytes()
    done = run_import(feed, catalogue)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 entries inserted" in done.stdout
    assert catalogue.read_bytes() == imported
