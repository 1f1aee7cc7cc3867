"""What this program publishes, and then imports, it publishes again as it was."""

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from bodies import bodies, near_links
from conftest import AS_OF, CATALOGUES, SHIPPED
from foreign_html import html_texts, plain_texts
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from import_cases import Imported, feeds
from lxml import etree

from feeds import Catalogue, build_release, load_catalogue
from feeds.errors import CatalogueError
from feeds.importer.html_to_markdown import to_markdown
from feeds.markdown import render_body

SOURCES = [SHIPPED, *sorted(path for path in CATALOGUES.glob("*.yaml") if path.stem != "empty")]
DOCUMENTS = ("atom.xml", "rss.xml", "feed.json")
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
# A text goes on in one line within any other element.
BLOCKS = frozenset(
    "address article aside blockquote br caption center dd details div dl dt figcaption figure"
    " footer h1 h2 h3 h4 h5 h6 header hr img li main nav ol p pre section summary table tbody td"
    " tfoot th thead tr ul".split()
)
# What `seen` returns of HTML without a text or a picture.
NOTHING: tuple[str, list[str]] = ("", [])
ENTRY, SITE = load_catalogue(SHIPPED).entries[0], load_catalogue(SHIPPED).site
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def seen(html: str) -> tuple[str, list[str]]:
    """Return the text that HTML shows, and the addresses of its pictures and links."""
    parts: list[str] = []

    def add(tag: etree._Element) -> None:
        space = " " if tag.tag in BLOCKS else ""
        parts.extend((space, str(tag.get("alt", "")), tag.text or ""))
        for child in tag.iterchildren("*"):
            add(child)
            parts.append(child.tail or "")
        parts.append(space)

    root = etree.HTML(f"<div>{html}</div>")
    add(root)
    # A link without a text or a picture cannot be seen.
    shown_tags = [
        tag
        for tag in root.iter("a", "img")
        if tag.tag == "img" or "".join(map(str, tag.itertext())).strip() or tag.findall(".//img")
    ]
    addresses = [tag.get("href") or tag.get("src") for tag in shown_tags]
    return " ".join("".join(parts).split()), sorted(map(str, addresses))


def is_title(tag: etree._Element, entry: etree._Element) -> bool:
    """Check whether an element repeats the title, as Atom requires where there is no text."""
    return tag.tag == f"{ATOM}summary" and tag.text == entry.findtext(f"{ATOM}title")


def without_page_counts(catalogue: Catalogue) -> Catalogue:
    """Return a catalogue without the pages of its documents: they are counted in files beside it."""
    entries = (
        entry._replace(documents=tuple(found._replace(pages=0) for found in entry.documents))
        for entry in catalogue.entries
    )
    return replace(catalogue, entries=tuple(entries))


def published(path: Path, document: str) -> list[list[object]]:
    """Return all that the entries in a document of a catalogue say, and show."""
    catalogue = without_page_counts(load_catalogue(path))
    body = build_release(catalogue, as_of=AS_OF, pages=False)[document].body
    if document.endswith("json"):
        said: list[list[tuple[object, ...]]] = [
            [(name, seen(value) if name in HTML else value) for name, value in item.items()]
            for item in json.loads(body)["items"]
        ]
    else:
        root = etree.fromstring(body)
        said = [
            [
                (
                    tag.tag,
                    sorted(tag.items()),
                    seen(tag.text or "") if tag.tag in HTML else tag.text,
                )
                for tag in entry.iter("*")
                if not str(tag.tag).startswith(REPEATED) and not is_title(tag, entry)
            ]
            for entry in [*root.iter(f"{ATOM}entry"), *root.iter("item")]
        ]
    return [[part for part in parts if part[-1] != NOTHING] for parts in said]


def imported(source: Path, document: str, folder: Path) -> Path:
    """Import a document of a catalogue twice, and return the new catalogue."""
    feed, catalogue = folder / document, folder / f"{document}.yaml"
    feed.write_bytes(build_release(load_catalogue(source), as_of=AS_OF, pages=False)[document].body)
    words = ("import", str(feed), "--catalogue", str(catalogue))
    done = feeds(folder, *words)
    count = len(load_catalogue(catalogue).entries)
    written = "1 entry written" if count == 1 else f"{count} entries written"
    assert done == Imported(f"{catalogue}: {written}\n", 0)
    first = catalogue.read_bytes()
    again = f"{catalogue}: 0 entries inserted, {count} already there\n"
    assert feeds(folder, *words) == Imported(again, 0)
    assert catalogue.read_bytes() == first
    return catalogue


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_feed_is_the_same_after_an_import(source: Path, document: str, tmp_path: Path) -> None:
    """Entries of a feed that is imported are published as before; a second import changes nothing."""
    assert published(imported(source, document, tmp_path), document) == published(source, document)


def check_catalogue(texts: list[tuple[str, str, str]], document: str) -> None:
    """Check that entries with a title, a summary and a body are the same after an import."""
    head = "site: {title: T, url: https://example.org/, id: 'tag:example.org,2021:t'}\nentries:\n"
    entries = [
        {
            "id": f"e{number}",
            "title": title,
            "date": "2022-05-24",
            "summary": summary,
            "body": body if seen(shown(body)) != NOTHING else "",
        }
        for number, (title, summary, body) in enumerate(texts)
    ]
    with TemporaryDirectory() as folder:
        source = Path(folder, "source.yaml")
        source.write_text(head + "".join(f"- {json.dumps(entry)}\n" for entry in entries), "utf-8")
        try:
            load_catalogue(source)
        except CatalogueError:
            return
        catalogue = imported(source, document, Path(folder))
        assert published(catalogue, document) == published(source, document)


def shown(body: str) -> str:
    return render_body(ENTRY._replace(body=body), SITE)


texts_of_entries = st.lists(
    st.tuples(plain_texts, plain_texts | st.just(""), bodies | st.just("")), min_size=1, max_size=3
)


@settings(max_examples=20, suppress_health_check=SLOW)
@example([("a", "a", '<a href="x">')], "atom.xml")
@example([("«\xa0Titre\u202f!\xa0»", "Un\xa0résumé\u3000", "")], "atom.xml")
@given(texts_of_entries, st.sampled_from(DOCUMENTS))
def test_any_texts_are_the_same_after_an_import(
    texts: list[tuple[str, str, str]], document: str
) -> None:
    """Titles and summaries that look like markup, and bodies of all kinds, are published as before."""
    check_catalogue(texts, document)


@pytest.mark.heavy
@settings(max_examples=400, suppress_health_check=SLOW)
@given(texts_of_entries, st.sampled_from(DOCUMENTS))
def test_more_texts_are_the_same_after_an_import(
    texts: list[tuple[str, str, str]], document: str
) -> None:
    """The same holds for many more texts."""
    check_catalogue(texts, document)


def check_html(html: str) -> None:
    """Check that HTML shows the same text and pictures once it is Markdown and HTML again."""
    markdown = to_markdown(html, SITE.url)
    assert not markdown.fault
    assert seen(shown(markdown.text))[0] == seen(html)[0]


@settings(max_examples=60, suppress_health_check=SLOW)
@given(html_texts)
def test_html_shows_the_same_as_markdown(html: str) -> None:
    """No text of HTML becomes markup, and none is lost, once it is Markdown."""
    check_html(html)


@pytest.mark.heavy
@settings(max_examples=2000, suppress_health_check=SLOW)
@given(html_texts)
def test_more_html_shows_the_same_as_markdown(html: str) -> None:
    """The same holds for much more HTML."""
    check_html(html)


@settings(max_examples=60, suppress_health_check=SLOW)
@given(bodies | near_links)
def test_published_html_shows_the_same_as_markdown(body: str) -> None:
    """The HTML that is published of any body shows the same once it is Markdown."""
    check_html(shown(body))
