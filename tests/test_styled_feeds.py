"""Feeds opened in real Chromium, served and exported."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Literal

import pytest
from browser import chromium, screenshot, style, visible_texts
from conftest import CATALOGUES, SHIPPED, run_feeds
from payloads import hostile_entries
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page
from test_static_server import nginx

from feeds import Catalogue, Entry, load_catalogue

NOTICE = '"This is a feed: copy its address into your reader."'
ROOTS = {"atom.xml": "feed", "rss.xml": "rss"}
NAMES = tuple(ROOTS)
PREFIX = "some/prefix/"
_DATE = re.compile(r"\d{4}-\d\d-\d\dT|\w{3}, \d\d \w{3} \d{4} ")
_LINK = re.compile(r"http://127\.0\.0\.1|https://(?:news\.)?example\.org/(?!\?q=<|#\")")
_RIGHT_EDGES = """() => {
  const boxes = [...document.querySelectorAll('title, summary, description, item > link')].map(
    found => {
      const range = document.createRange();
      range.selectNodeContents(found);
      return range.getBoundingClientRect();
    });
  return boxes.filter(box => box.width).map(box => Math.round(box.right));
}"""
HEAD = """
site: {title: 'Payloads <b>&amp;', url: "https://news.example.org/", id: "tag:news.example.org,2021:t", items: 200}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(
    scope="module", params=["served", pytest.param("exported", marks=pytest.mark.heavy)]
)
def site(
    request: pytest.FixtureRequest,
    served: Callable[[Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Path], str]]:
    """Publish a catalogue: with `feeds serve`, and as a folder behind nginx and a prefix."""
    if request.param == "served":
        yield served
        return
    folder = tmp_path_factory.mktemp("site")
    with nginx(folder) as url:

        @cache
        def exported(catalogue: Path) -> str:
            prefix = f"{catalogue.stem}/{PREFIX}"
            done = run_feeds("export", "--catalogue", catalogue, folder / "out" / prefix)
            assert done.returncode == 0, done.stderr
            return url + prefix

        yield exported


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a page; at the end no script may have run, nothing been refused, and no error logged."""
    noise: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # Which every browser asks for, and not every site has.
        if not message.location["url"].endswith("/favicon.ico"):
            noise.append(message.text)

    def dismiss(dialog: Dialog) -> None:
        noise.append(f"a dialog says {dialog.message}")
        dialog.dismiss()

    with browser.new_context(viewport={"width": 800, "height": 900}) as context:
        found = context.new_page()
        found.on("console", hear)
        found.on("dialog", dismiss)
        found.on("pageerror", lambda error: noise.append(str(error)))
        yield found
    assert noise == []


def seen(entry: Entry) -> list[str]:
    """Return the visible texts of an entry with a summary, beside its date and its URL."""
    credit = [entry.photo.credit] if entry.photo and entry.photo.credit else []
    return [entry.title, entry.summary, *credit]


def unexpected(texts: list[str], expected: list[str]) -> tuple[list[str], list[str]]:
    """Return the visible texts that were not expected, and those that are missing.

    Dates and addresses are as they are.
    """
    found = Counter(text for text in texts if not _DATE.match(text) and not _LINK.match(text))
    return sorted((found - Counter(expected)).elements()), sorted(
        (Counter(expected) - found).elements()
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_browser_shows_a_feed(site: Callable[[Path], str], page: Page, name: str) -> None:
    """A browser shows title, notice and entries of a feed as text, without XML source or tags."""
    catalogue = load_catalogue(SHIPPED)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    url = site(SHIPPED)
    page.goto(url + name)
    assert [asked for asked in requested if "favicon" not in asked] == [
        url + name,
        url + "feed.css",
    ]
    assert page.evaluate("document.documentElement.localName") == ROOTS[name]
    assert style(page, ":root", "content", "::before") == NOTICE
    assert style(page, "[rel=self]", "content", "::after").endswith(f'/{name}"')
    texts = visible_texts(page)
    assert texts[0] == catalogue.site.title
    entries = [text for entry in catalogue.entries for text in seen(entry)]
    expected = [catalogue.site.title, catalogue.site.description, *entries]
    assert unexpected(texts, expected) == ([], [])
    behind = "exported" if PREFIX in url else "served"
    screenshot(page, f"{name.removesuffix('.xml')}-{behind}")


@pytest.mark.heavy
@pytest.mark.parametrize("name", NAMES)
def test_a_feed_of_a_topic_finds_its_style(
    site: Callable[[Path], str], page: Page, name: str
) -> None:
    """The style sheet's URL is relative to the feed, however deep its folder is."""
    page.goto(f"{site(SHIPPED)}topics/unemployment-protection/countries/id/{name}")
    assert style(page, ":root", "content", "::before") == NOTICE


@pytest.mark.heavy
@pytest.mark.parametrize("name", NAMES)
def test_no_markup_is_seen(served: Callable[[Path], str], page: Page, name: str) -> None:
    """A browser shows entries with a body or with markup in a text as plain text."""
    path = CATALOGUES / "every-field.yaml"
    catalogue = load_catalogue(path)
    page.goto(served(path) + name)
    latest = catalogue.entries[: catalogue.site.items]
    entries = [text for entry in latest for text in seen(entry) if text]
    expected = [catalogue.site.title, catalogue.site.description, *entries]
    expected.append("It has a body and no summary.")
    assert unexpected(visible_texts(page), expected) == ([], [])
    screenshot(page, f"{name.removesuffix('.xml')}-every-field")


@pytest.mark.heavy
@pytest.mark.parametrize("name", NAMES)
def test_a_feed_follows_the_readers_colours(
    served: Callable[[Path], str], page: Page, name: str
) -> None:
    """A feed is light on dark if the reader prefers that, and dark on light otherwise."""
    url = served(SHIPPED)
    schemes: tuple[tuple[Literal["light", "dark"], bool], ...] = (("light", False), ("dark", True))
    for scheme, dark in schemes:
        page.emulate_media(color_scheme=scheme)
        page.goto(url + name)
        ink, ground = (
            brightness(style(page, ":root", which)) for which in ("color", "background-color")
        )
        assert (ink > ground) is dark
        assert abs(ink - ground) > 200
    screenshot(page, f"{name.removesuffix('.xml')}-dark")


def brightness(colour: str) -> float:
    red, green, blue = map(float, colour.partition("(")[2].rstrip(")").split(",")[:3])
    return (red + green + blue) / 3


@pytest.mark.heavy
@pytest.mark.parametrize("name", NAMES)
def test_a_feed_fits_a_telephone(served: Callable[[Path], str], page: Page, name: str) -> None:
    """At 320 pixels there is no horizontal scrolling."""
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(served(SHIPPED) + name)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    screenshot(page, f"{name.removesuffix('.xml')}-320")


@pytest.mark.heavy
@pytest.mark.parametrize("name", NAMES)
def test_arabic_runs_from_right_to_left(
    served: Callable[[Path], str], page: Page, name: str
) -> None:
    """The feed of an Arabic site is aligned to the right, with an Arabic notice."""
    page.goto(served(CATALOGUES / "arabic.yaml") + name)
    assert style(page, ":root", "direction") == "rtl"
    assert "هذه خلاصة" in style(page, ":root", "content", "::before")
    edges = page.evaluate(_RIGHT_EDGES)
    screenshot(page, f"{name.removesuffix('.xml')}-arabic")
    assert len(edges) >= 5
    assert {*edges} == {740}, "the middle 680 of 800 pixels"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Catalogue]:
    """Write a catalogue of payloads."""
    file = tmp_path_factory.mktemp("hostile") / "hostile.yaml"
    file.write_text(HEAD + hostile_entries(HEAD), "utf-8")
    return file, load_catalogue(file)


@pytest.mark.parametrize("name", NAMES)
def test_payloads_leave_a_feed_inert(
    served: Callable[[Path], str], page: Page, name: str, hostile: tuple[Path, Catalogue]
) -> None:
    """Payloads in any field are shown as text: nothing runs, nothing is fetched."""
    path, catalogue = hostile
    assert sum(bool(entry.body) for entry in catalogue.entries) > 60
    assert sum(bool(entry.link) for entry in catalogue.entries) >= 6
    requested: set[str] = set()
    page.on("request", lambda request: requested.add(request.url))
    page.add_init_script("window.alert = text => console.error('ran: ' + text)")
    url = served(path)
    page.goto(url + name)
    page.wait_for_timeout(300)
    assert {asked for asked in requested if "favicon" not in asked} == {
        url + name,
        url + "feed.css",
    }
    assert page.url == url + name
    elements = page.evaluate("[...document.querySelectorAll('*')].map(found => found.namespaceURI)")
    assert len(elements) > 1000
    assert not {"http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"} & {*elements}
    texts = visible_texts(page)
    assert catalogue.site.title in texts
    for entry in catalogue.entries[:-1]:
        assert texts.count(entry.title) >= 3, "title, summary and credit"
