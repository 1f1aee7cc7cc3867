"""Entries in other languages than the site's: how they are marked, spoken and set."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import chromium, screenshot, style
from conftest import AS_OF, CATALOGUES
from lxml import etree, html
from playwright.sync_api import Page

from feeds import Release, build_release, load_catalogue

AGENCY = CATALOGUES / "agency.yaml"
TITLES = {"report": "en", "entretien": "fr", "arabic": "ar", "plain": "en"}
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
NS = {"atom": "http://www.w3.org/2005/Atom", "dc": "http://purl.org/dc/elements/1.1/"}
# The language that applies to an element (HTML, "the lang and xml:lang attributes").
LANGUAGE = "element => element.closest('[lang]').lang"


@pytest.fixture(scope="module")
def release() -> Release:
    return build_release(load_catalogue(AGENCY), as_of=AS_OF)


def test_every_format_names_the_language_of_an_entry(release: Release) -> None:
    """Each format marks an entry with its language, and no other entry."""
    expected = [None, "fr", "ar", None]
    atom = etree.fromstring(release["atom.xml"].body).findall("atom:entry", NS)
    assert [entry.get(XML_LANG) for entry in atom] == expected
    rss = etree.fromstring(release["rss.xml"].body).findall("channel/item")
    assert [item.get(XML_LANG) for item in rss] == expected
    assert [item.findtext("dc:language", None, NS) for item in rss] == expected
    items = json.loads(release["feed.json"].body)["items"]
    assert [item.get("language") for item in items] == expected
    assert '<div lang="ar" dir="rtl">' in items[2]["content_html"]
    assert "<div lang" not in items[0]["content_html"]


@pytest.mark.parametrize("path", ["", "topics/pensions/", "countries/sn/"])
def test_every_list_marks_the_language_of_an_entry(path: str, release: Release) -> None:
    """In a list, the item of an entry has its language and direction."""
    page = html.fromstring(release[f"{path}index.html"].body.decode())
    found = {
        str(item.findtext(".//h3/a", "")).strip(): (item.get("lang"), item.get("dir"))
        for item in page.iterfind(".//article")
    }
    of_titles = {entry.title: TITLES[entry.id] for entry in release.feeds[0].entries}
    assert len(found) >= 1
    for title, marks in found.items():
        language = of_titles[title]
        direction = "rtl" if language == "ar" else "ltr"
        assert marks == ((None, None) if language == "en" else (language, direction))


def test_links_to_neighbours_are_in_their_language(release: Release) -> None:
    """The title of the older and the newer entry is marked with that entry's language."""
    page = html.fromstring(release["entries/entretien/index.html"].body.decode())
    spans = [(span.get("lang"), span.get("dir")) for span in page.iterfind(".//nav//li/a/span")]
    assert spans == [("ar", "rtl")]


def test_search_engines_are_told_the_language(release: Release) -> None:
    """The structured data of a page and the sitemap for news name the entry's language."""
    for name, language in TITLES.items():
        page = html.fromstring(release[f"entries/{name}/index.html"].body.decode())
        data = json.loads(page.findtext(".//script[@type='application/ld+json']", ""))
        assert data["inLanguage"] == language
    assert b"<news:language>en</news:language>" in release["sitemap.xml"].body


@pytest.mark.parametrize(
    ("tag", "direction"),
    [("az-Arab", "rtl"), ("ku-Arab", "rtl"), ("pa-Arab", "rtl"), ("ff-Adlm", "rtl"), ("ur", "rtl"),
     ("he", "rtl"), ("az-Latn", "ltr"), ("ar-Latn", "ltr"), ("tlh", "ltr"), ("zh-Hant", "ltr")],
)  # fmt: skip
def test_the_direction_is_that_of_the_script(tag: str, direction: str, tmp_path: Path) -> None:
    """The direction of an entry follows from its language tag, whatever its text is."""
    file = tmp_path / "entries.yaml"
    file.write_text(
        "site: {title: T, url: https://e.org/, id: 'tag:e.org,2021:t'}\nentries:\n"
        f"- {{id: a, title: A, date: 2026-01-01, summary: S, language: {tag}}}\n"
    )
    release = build_release(load_catalogue(file), as_of=AS_OF)
    page = html.fromstring(release["entries/a/index.html"].body.decode())
    article = page.find(".//article")
    assert article is not None
    assert (article.get("lang"), article.get("dir")) == (tag, direction)


@pytest.mark.heavy
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_arabic_entry_on_an_english_site(
    scheme: str, served: Callable[[Path], str], page: Page
) -> None:
    """At 320 px, an Arabic entry is set from right to left, and what is around it is English."""
    check_mixed(served(AGENCY), page, scheme, "ar", "en")


@pytest.mark.heavy
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_english_entry_on_an_arabic_site(
    scheme: str,
    served: Callable[[Path], str],
    page: Page,
    tmp_path: Path,
) -> None:
    """At 320 px, an English entry is set from left to right, and what is around it is Arabic."""
    (tmp_path / "media").symlink_to(CATALOGUES / "media")
    text = AGENCY.read_text()
    head, arabic = text.split("- id: arabic")
    swapped = arabic.replace("language: ar", "language: en")
    file = tmp_path / "entries.yaml"
    file.write_text(head.replace("language: en\n", "language: ar\n", 1) + "- id: arabic" + swapped)
    check_mixed(served(file), page, scheme, "en", "ar")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        yield browser.new_page()


def check_mixed(url: str, page: Page, scheme: str, inside: str, outside: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its two literals
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(f"{url}entries/arabic/")
    of_entry = (".entry h1", ".entry .lead", ".entry .body", ".entry .date span")
    around = (".entry time", ".documents h2", ".documents span", ".labels", ".masthead")
    for selector in of_entry:
        assert page.locator(selector).first.evaluate(LANGUAGE) == inside, selector
    for selector in around:
        assert page.locator(selector).first.evaluate(LANGUAGE) == outside, selector
    directions = {"ar": "rtl", "en": "ltr"}
    assert style(page, ".entry", "direction") == directions[inside]
    assert style(page, "html", "direction") == directions[outside]
    assert style(page, ".documents span", "direction") == directions[outside]
    # The documents begin where the title does: at the entry's side.
    side = "right" if inside == "ar" else "left"
    edges = page.evaluate(
        """side => [".entry h1", ".entry .lead", ".documents h2", ".documents li:first-child a",
            ".documents li:last-child a", ".documents span"].map(name => {
            const range = document.createRange()
            range.selectNodeContents(document.querySelector(name))
            return Math.round(Math[side === "right" ? "max" : "min"](
                ...[...range.getClientRects()].map(found => found[side])))
        })""",
        side,
    )
    assert max(edges) - min(edges) <= 2, edges
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    screenshot(page, f"entry-{inside}-on-{outside}-{scheme}")
