"""Discovery documents: the subscribe page, robots.txt, and the pages for 404 and 410."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import Message
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from urllib.robotparser import RobotFileParser

import pytest
from babel import Locale
from babel.numbers import format_decimal
from conftest import AS_OF, PATIENCE, SHIPPED, running
from lxml import html
from reading import countries_of

from feeds import Catalogue, Country, Entry, Release, Topic, build_release, load_catalogue
from feeds.catalogue import read_catalogue
from feeds.headers import compress
from feeds.urls import (
    ALL_OPML,
    CHOICE_STYLE,
    FEED_STYLE,
    GONE_PAGE,
    INDEX,
    NOT_FOUND_PAGE,
    OPML,
    ROBOTS,
    SITEMAP,
    SUBSCRIBE,
)

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
READERS = (
    "",
    "*/*",
    "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.1",
    "text/plain, text/html;q=0.5",
    "text/html;q=0",
)
HEAD = """site:
  title: A & B
  url: https://news.example.org/some/prefix/
  id: tag:news.example.org,2021:t
"""


@pytest.fixture(scope="module", params=["feeds serve", "gunicorn"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Serve the shipped catalogue with a retired address."""
    folder = tmp_path_factory.mktemp("guides")
    text = SHIPPED.read_text().replace("site:\n", "site:\n  retired: [old/]\n", 1)
    (folder / "entries.yaml").write_text(text)
    with running(request.param, folder / "entries.yaml", folder) as server:
        yield server.url


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer."""

    status: int
    headers: Message
    body: bytes


def ask(url: str, **headers: str) -> Answer:
    request = Request(
        url, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    try:
        with urlopen(request, timeout=PATIENCE) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


@pytest.mark.parametrize(
    ("path", "status", "page"), [("nowhere/", 404, NOT_FOUND_PAGE), ("old/x", 410, GONE_PAGE)]
)
def test_a_person_finds_a_page_where_nothing_is(
    served: str, path: str, status: int, page: str
) -> None:
    """A browser gets the site's own error page, with the right status."""
    answer = ask(served + path, Accept=BROWSER)
    expected = ask(served + page)
    assert (answer.status, answer.body) == (status, expected.body)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    assert ("no-store" in answer.headers["Cache-Control"]) is (status == 404)
    assert "ETag" not in answer.headers
    for name in ("Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options"):
        assert answer.headers[name] == expected.headers[name] != ""


@pytest.mark.parametrize("accept", READERS)
@pytest.mark.parametrize(("path", "text"), [("nowhere", "404 Not Found"), ("old/", "410 Gone")])
def test_a_program_gets_a_line_where_nothing_is(
    served: str, path: str, text: str, accept: str
) -> None:
    """A client that does not prefer HTML gets plain text, and `Vary` keeps the two apart in caches."""
    answer = ask(served + path, Accept=accept)
    assert answer.body == f"{text}\n".encode()
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    assert "Content-Security-Policy" not in answer.headers


@pytest.mark.parametrize("name", [NOT_FOUND_PAGE, GONE_PAGE])
def test_what_is_not_there_leads_on(name: str, release: Release) -> None:
    """An error page links to the news, the subscriptions and topics, and is not indexed."""
    page = page_of(release[name].body)
    links = {link.attrib["href"] for link in page.find(".//main").iter("a")}
    topics = [feed for feed in release.feeds if feed.topic and not feed.country]
    expected = {"", SUBSCRIBE, *(feed.path for feed in topics)}
    assert links == {release.site.address(path) for path in expected}
    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert not page.xpath("//link[@rel='canonical']")
    # It is shown at any address, so none of its own is relative to that.
    addresses = page.xpath("//main//@href | //link/@href | //header//@href")
    assert all(address.startswith(("https://", "/", "#")) for address in addresses)


@pytest.mark.parametrize("path", ["", SUBSCRIBE, NOT_FOUND_PAGE, "topics/unemployment-protection/"])
def test_pages_come_with_a_policy(served: str, path: str) -> None:
    """The policy of a page allows its style, fonts and pictures, nothing else, and no framing or sniffing."""
    headers = ask(served + path).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";")
    )
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "font-src": "'self'",
        "img-src": "'self' https: http:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["atom.xml", "rss.xml", "feed.json", "style.css", ALL_OPML, SITEMAP]
)
def test_only_pages_have_a_policy(served: str, path: str) -> None:
    """Only pages have the headers of pages."""
    headers = ask(served + path).headers
    assert "Content-Security-Policy" not in headers
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_pages_hold_to_their_policy(release: Release) -> None:
    """No page has a script that runs, a style of its own, or a handler in an attribute."""
    for document in release.values():
        if not document.media_type.startswith("text/html"):
            continue
        page = page_of(document.body)
        kinds = page.xpath("//script/@type")
        assert len(kinds) == len(page.xpath("//script"))
        assert {*kinds} <= {"application/ld+json"}
        assert not page.xpath("//style | //base | //iframe | //object | //embed | //@style")
        assert not page.xpath("//@*[starts-with(name(), 'on')]")


def test_robots_may_see_everything_and_find_the_sitemap(release: Release) -> None:
    """robots.txt allows all, and names the sitemap."""
    parser = RobotFileParser()
    parser.parse(release[ROBOTS].body.decode().splitlines())
    assert release[ROBOTS].media_type == "text/plain; charset=utf-8"
    assert parser.can_fetch("Anybot", release.site.address("atom.xml"))
    assert parser.site_maps() == [release.site.address(SITEMAP)]


def page_of(document: bytes) -> Any:
    """Parse a page; lxml's type stubs are too narrow for its attributes."""
    return html.fromstring(document)


def test_every_site_has_guides(catalogue: Catalogue) -> None:
    """Each site has the discovery documents; `test_redirects` shows that they cannot be given up."""
    release = build_release(catalogue, as_of=AS_OF)
    assert {SUBSCRIBE + INDEX, ALL_OPML, SITEMAP, ROBOTS, NOT_FOUND_PAGE, GONE_PAGE} <= {*release}


@pytest.mark.parametrize(
    "path",
    [
        *(SUBSCRIBE, "subscribe", SUBSCRIBE + INDEX, CHOICE_STYLE, ALL_OPML, *OPML.values()),
        *(SITEMAP, ROBOTS, NOT_FOUND_PAGE, GONE_PAGE),
    ],
)
def test_a_guide_cannot_be_given_up(path: str) -> None:
    """A discovery document under `moved` or `retired` is a Problem at its line."""
    entry = "- {id: a, title: A, date: 2022-05-24, summary: S., topics: [x], countries: [Jordan]}\n"
    text = f"{HEAD}  retired: [{path}]\nentries:\n{entry}"
    with pytest.raises(Exception, match="is still published"):
        read_catalogue([("f", text.encode())])


def with_feeds(topics: int, countries: int) -> Catalogue:
    """Return a catalogue with an entry for each topic in each country."""
    moment = datetime(2022, 9, 24, tzinfo=UTC)
    labels = tuple(
        Topic(slug=f"a-topic-of-some-length-{n}", name=f"A topic of some length {n}", scheme="x")
        for n in range(topics)
    )
    entries = tuple(
        Entry(
            id=f"e{number}",
            title="T",
            published=moment,
            updated=moment,
            topics=labels,
            countries=(Country(code=code, name=name),),
        )
        for number, (code, name) in enumerate(sorted(countries_of("en").items())[:countries])
    )
    return replace(load_catalogue(SHIPPED), entries=entries, topics=None)


@pytest.mark.heavy
def test_subscriptions_to_thousands_of_feeds_are_light() -> None:
    """With 24 topics in 190 countries the subscribe page, including its choice, is below 100 kB."""
    release = build_release(with_feeds(24, 190), as_of=AS_OF)
    assert len(release.feeds) == 1 + 24 + 190 + 24 * 190
    body = release[SUBSCRIBE + INDEX].body
    assert len(body) < 100_000
    assert len(rows(page_of(body))) == 1 + 24 + 190
    assert len(page_of(body).xpath("//option")) == 1 + 24 + 1 + 190 + 3
    assert len(release[CHOICE_STYLE].body) < 150_000
    assert len(release[ALL_OPML].body) < 2_500_000
    smaller = [compress(release[path].body, "br") for path in (CHOICE_STYLE, ALL_OPML)]
    assert all(found is not None and len(found) < 100_000 for found in smaller)


def test_a_topics_page_lists_all_its_countries() -> None:
    """A topic's page links to each of its countries, however many there are."""
    release = build_release(with_feeds(1, 240), as_of=AS_OF)
    [topic] = [feed.path for feed in release.feeds if feed.topic and not feed.country]
    page = page_of(release[topic + INDEX].body)
    page.make_links_absolute(release.site.address(topic))
    both = {feed.path for feed in release.feeds if feed.topic and feed.country}
    links = {*page.xpath("//nav[@aria-labelledby='countries']//a/@href")}
    assert len(both) == 240
    assert links == {release.site.address(path) for path in both}


def rows(page: Any) -> list[list[str]]:
    return [[cell.text_content() for cell in row] for row in page.xpath("//tbody/tr")]


def test_subscriptions_show_what_is_in_each_feed(release: Release) -> None:
    """Each topic and country has its number of entries, its newest day, and the address of each format."""
    page = page_of(release[SUBSCRIBE + INDEX].body)
    page.make_links_absolute(release.site.address(SUBSCRIBE))
    feeds = [feed for feed in release.feeds if not (feed.topic and feed.country)]
    seen = rows(page)
    assert len(seen) == len(feeds)
    locale = Locale.parse(release.site.language, sep="-")
    links = {link.attrib["href"] for link in page.find(".//main").iter("a")}
    first, *others = release.formats
    for feed in feeds:
        address = release.site.address(feed.path + first.filename)
        (row,) = [row for row in seen if row[3] == address]
        assert row[1] == format_decimal(len(feed.entries), locale=locale)
        assert bool(row[2]) is bool(feed.entries)
        names = {feed.path, *(feed.path + form.filename for form in others)}
        assert {release.site.address(name) for name in names} <= links


def test_a_day_is_in_the_sites_language() -> None:
    """Dates and words are those of the language of the site."""
    entry = "- {id: a, title: A, date: 2022-05-24, summary: S., topics: [x]}\n"
    text = f"{HEAD}  language: fr\nentries:\n{entry}"
    release = build_release(read_catalogue([("f", text.encode())]), as_of=AS_OF)
    page = page_of(release[SUBSCRIBE + INDEX].body)
    assert rows(page)[0][2] == "24 mai 2022"
    assert page.findtext(".//h1") == "S’abonner"


def test_without_pages_there_are_no_guides(catalogue: Catalogue) -> None:
    """Without pages, only the feeds are published."""
    release = build_release(catalogue, as_of=AS_OF, pages=False)
    filenames = {form.filename for form in release.formats}
    files = {path for path in release if not path.startswith("media/")}
    assert {path.rpartition("/")[2] for path in files} == {*filenames, FEED_STYLE}
