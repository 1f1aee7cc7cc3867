"""Subscribing in real Chromium, without scripts, served and from a folder behind nginx."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from urllib.request import urlopen

import pytest
from browser import chromium, screenshot
from conftest import AS_OF, CATALOGUES, SHIPPED, run_feeds
from playwright.sync_api import Browser, Page, Route, expect
from test_static_server import nginx

from feeds import build_release, load_catalogue
from feeds.urls import FEEDS, SUBSCRIBE, feed_folder

PREFIX = "some/prefix/"
FILENAMES = {"Atom": FEEDS["atom"], "RSS": FEEDS["rss"], "JSON Feed": FEEDS["json"]}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a page of a browser that runs no script."""
    with browser.new_context(
        viewport={"width": 1000, "height": 900}, java_script_enabled=False
    ) as context:
        yield context.new_page()


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
            out = folder / "out" / PREFIX
            done = run_feeds("export", "--catalogue", catalogue, "--url", url + PREFIX, out)
            assert done.returncode == 0, done.stderr
            return url + PREFIX

        yield exported


def choose(page: Page, **options: str) -> str:
    """Choose a topic, a country or a format, and return the text of the page."""
    for name, label in options.items():
        box = page.get_by_role("combobox", name=name.title(), exact=True)
        box.select_option(label=label)
    return said(page)


def said(page: Page) -> str:
    """Return the address that the choice shows, once the page has its style."""
    page.wait_for_load_state("load")
    return page.locator("output").inner_text().strip()


def test_a_person_chooses_a_topic_and_a_country(site: Callable[[Path], str], page: Page) -> None:
    """A person can go from the news to the choice, which shows the address of the chosen feed."""
    url = site(SHIPPED)
    page.goto(url)
    page.get_by_role("link", name="Subscribe").first.click()
    assert page.url == url + SUBSCRIBE
    assert said(page) == f"{url}atom.xml"
    for form, filename in FILENAMES.items():
        chosen = {"topic": "Unemployment protection", "country": "Indonesia", "format": form}
        address = choose(page, **chosen)
        assert address == f"{url}topics/unemployment-protection/countries/id/{filename}"
        with urlopen(address) as answer:
            assert answer.status == 200
    for choice, words in (
        ({"topic": "Disability", "country": "Jordan"}, "There is no such feed yet."),
        ({"country": "All"}, f"{url}topics/disability/atom.xml"),
        ({"topic": "All", "country": "Jordan"}, f"{url}countries/jo/atom.xml"),
    ):
        choose(page, **choice, format="Atom")
        expect(page.locator("output")).to_have_text(words, use_inner_text=True)


@pytest.mark.heavy
def test_every_choice_is_right(served: Callable[[Path], str], page: Page) -> None:
    """Each choice shows the address of its feed, or that there is no such feed."""
    url = served(SHIPPED)
    feeds = {feed.path for feed in build_release(load_catalogue(SHIPPED), as_of=AS_OF).feeds}
    catalogue = load_catalogue(SHIPPED)
    topics = {topic.name: topic.slug for entry in catalogue.entries for topic in entry.topics}
    countries = {
        country.name: country.slug for entry in catalogue.entries for country in entry.countries
    }
    page.goto(url + SUBSCRIBE)
    seen = set()
    for topic, topic_slug in {"All": "", **topics}.items():
        choose(page, topic=topic)
        for country, country_slug in {"All": "", **countries}.items():
            path = feed_folder(topic_slug, country_slug)
            expected = f"{url}{path}atom.xml" if path in feeds else "There is no such feed yet."
            assert choose(page, country=country) == expected
            seen.add(path)
    assert feeds <= seen


@pytest.mark.heavy
def test_an_address_is_marked_at_once(served: Callable[[Path], str], browser: Browser) -> None:
    """One click selects a whole address, and nothing of hidden ones."""
    with browser.new_context() as context:
        page = context.new_page()
        url = served(SHIPPED)
        page.goto(url + SUBSCRIBE)
        choose(page, topic="Unemployment protection", country="Indonesia")
        for place in ("output code", "#countries + table tr:nth-child(4) code"):
            page.locator(place).click()
            marked = str(page.evaluate("getSelection().toString()")).strip()
            assert marked.startswith(url)
            with urlopen(marked) as answer:
                assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"


def without_style(route: Route) -> None:
    """Answer a request for a style sheet with an error."""
    route.abort()


def without_has(route: Route) -> None:
    """Answer a request for a style sheet as a browser without `:has()` would read it."""
    with urlopen(route.request.url) as answer:
        sheet = answer.read().decode()
    route.fulfill(body=sheet.replace(":has(", ":not-known("), content_type="text/css")


@pytest.mark.parametrize("style", [without_style, without_has])
def test_without_the_choice_a_person_finds_the_feed(
    site: Callable[[Path], str], page: Page, style: Callable[[Route], None]
) -> None:
    """Without CSS or without `:has()`, links lead from topics to countries and to the feeds."""
    url = site(SHIPPED)
    page.route(re.compile(r"\.css"), style)
    page.goto(url + SUBSCRIBE)
    for part in (".choice", "select", "output", "output i"):
        assert not page.locator(part).first.is_visible()
    screenshot(page, f"subscribe-{style.__name__.replace('_', '-')}")
    assert page.get_by_text("The page of each topic lists its countries").is_visible()
    page.get_by_role("link", name="Unemployment protection").click()
    page.get_by_role("navigation", name="Countries").get_by_role("link", name="Indonesia").click()
    address = f"{url}topics/unemployment-protection/countries/id/atom.xml"
    assert page.get_by_text(address, exact=True).is_visible()
    page.get_by_role("link", name="Atom", exact=True).click()
    assert page.url == address


def test_the_choice_is_shown_by_the_style_alone(site: Callable[[Path], str], page: Page) -> None:
    """With `:has()` the choice is visible, also to screen readers."""
    page.goto(site(SHIPPED) + SUBSCRIBE)
    assert page.locator("section.choice").get_attribute("hidden") == ""
    expect(page.get_by_role("combobox", name="Topic", exact=True)).to_be_visible()
    expect(page.locator("output code")).to_be_visible()


@pytest.mark.heavy
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize(
    "source", [SHIPPED, CATALOGUES / "arabic.yaml"], ids=lambda path: path.stem
)
@pytest.mark.parametrize("path", [SUBSCRIBE, "nowhere"])
def test_pages_fit(
    served: Callable[[Path], str], page: Page, path: str, source: Path, width: int
) -> None:
    """The page does not overflow at any width."""
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(served(source) + path)
    name = f"{path.strip('/')}-{source.stem}-{width}"
    screenshot(page, name)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("h1").inner_text().strip()


@pytest.mark.heavy
def test_who_looks_for_nothing_finds_the_way(served: Callable[[Path], str], page: Page) -> None:
    """From an error page, links lead to the subscriptions and to a topic."""
    url = served(SHIPPED)
    answer = page.goto(f"{url}entries/never/was/")
    assert answer is not None
    assert answer.status == 404
    page.get_by_role("main").get_by_role("link", name="Disability").click()
    assert page.url == f"{url}topics/disability/"
    page.goto(f"{url}entries/never/was/")
    page.get_by_role("main").get_by_role("link", name="Subscribe").click()
    assert page.url == url + SUBSCRIBE
