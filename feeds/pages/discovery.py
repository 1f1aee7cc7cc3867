"""Discovery documents: subscribe page, lists to import (OPML), robots.txt, error pages."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

from feeds.formats import MEDIA_TYPES, Format
from feeds.formats.opml import Group, Subscription, opml_list
from feeds.i18n import I18n
from feeds.model import Feed, Site, etag_of
from feeds.pages.templating import Templates, relative_address, with_absolute_links
from feeds.selection import FeedIndex, NamedFeed, collation_key
from feeds.urls import (
    ALL_OPML,
    CHOICE_STYLE,
    GONE_PAGE,
    INDEX,
    NOT_FOUND_PAGE,
    OPML,
    ROBOTS,
    SITEMAP,
    STYLE,
    SUBSCRIBE,
    feed_folder,
)

_MAX_TOPICS_ON_ERROR_PAGES = 30


class DiscoveryDocument(NamedTuple):
    """A document whose bytes depend on what it `shows` and on the site alone."""

    path: str
    media_type: str
    shows: object
    render: Callable[[], bytes]


class Discovery:
    """Renders the discovery documents of a site."""

    def __init__(
        self, templates: Templates, i18n: I18n, site: Site, formats: Sequence[Format]
    ) -> None:
        self._templates = templates
        self._i18n = i18n
        self._site = site
        self._formats = formats

    def of(self, feeds: Sequence[Feed]) -> Iterator[DiscoveryDocument]:
        """Yield each discovery document of a site's feeds."""
        index = FeedIndex(feeds)
        topics = [(name, feed.path) for name, feed in index.topics[""]]
        topics = topics[:_MAX_TOPICS_ON_ERROR_PAGES]
        for path, name in ((NOT_FOUND_PAGE, "not_found"), (GONE_PAGE, "gone")):
            yield DiscoveryDocument(
                path, MEDIA_TYPES["html"], topics, partial(self._error_page, name, topics)
            )
        robots = f"User-agent: *\nAllow: /\n\nSitemap: {self._site.address(SITEMAP)}\n"
        yield DiscoveryDocument(ROBOTS, MEDIA_TYPES["txt"], robots, robots.encode)
        if self._formats:
            yield from self._subscriptions(feeds, index)

    def _error_page(self, name: str, topics: Sequence[tuple[str, str]]) -> bytes:
        """Return a page that is shown at any path, so its addresses are absolute.

        The address of its style sheet has no host: under another name of the same
        server, the content security policy allows no other.
        """
        words = self._i18n.words
        html = self._templates.render(
            "not_found.html",
            title=getattr(words, name),
            why=getattr(words, f"{name}_why"),
            topics=topics,
            style=urlsplit(self._site.address(STYLE)).path,
        )
        return with_absolute_links(html, self._site)

    def _subscriptions(
        self, feeds: Sequence[Feed], index: FeedIndex
    ) -> Iterator[DiscoveryDocument]:
        """Yield the subscribe page, the style sheet of its choice, and the lists to import."""
        lists = []
        for path, name, groups in self._lists(feeds[0], index):
            lists.append((name, path, _size(groups)))
            title = f"{name} – {self._site.title}"
            render = partial(opml_list, self._site, title, groups, self._formats[0].filename)
            yield DiscoveryDocument(path, MEDIA_TYPES["opml"], (name, groups), render)
        choice = _choice_of(feeds)
        sheet = self._templates.render("choice.css", choice=choice) if choice else b""
        if choice:
            yield DiscoveryDocument(CHOICE_STYLE, MEDIA_TYPES["css"], sheet, partial(bytes, sheet))
        shows = {
            "everything": self._row(self._i18n.words.news, feeds[0]),
            "topics": [self._row(*named) for named in index.topics[""]],
            "countries": [self._row(*named) for named in index.countries[""]],
            "lists": lists,
            "list_media_type": MEDIA_TYPES["opml"].partition(";")[0],
            "choice": choice,
            # With the version in its address, a cached sheet is never used with another page.
            "choice_style": f"{relative_address(CHOICE_STYLE)}?{etag_of(sheet)[:8]}",
            "address": self._site.address(SUBSCRIBE),
        }
        page = partial(self._templates.page, "subscribe.html", SUBSCRIBE, **shows)
        yield DiscoveryDocument(SUBSCRIBE + INDEX, MEDIA_TYPES["html"], shows, page)

    def _row(self, name: str, feed: Feed) -> tuple[str, str, str, str]:
        """Return a feed's name, path, number of entries, and the day of the newest entry."""
        entries = self._i18n.number(len(feed.entries))
        newest = self._i18n.day(feed.entries[0].published) if feed.entries else ""
        return name, feed.path, entries, newest

    def _lists(
        self, everything: Feed, index: FeedIndex
    ) -> Iterator[tuple[str, str, Sequence[Group]]]:
        """Yield the path, name and groups of each list to import, if it has feeds."""
        words = self._i18n.words
        topics = _group(words.topics, index.topics[""])
        countries = _group(words.countries, index.countries[""])
        inner = tuple(_group(*found) for found in index.topics_with_countries())
        parts = (
            _group("", [("", everything)]),
            topics,
            countries,
            Group(words.choose, (), inner),
        )
        yield ALL_OPML, words.all, [group for group in parts if group.feeds or group.groups]
        for kind, group in (("topics", topics), ("countries", countries)):
            if group.feeds:
                yield OPML[kind], group.name, [group]


def _group(name: str, feeds: Iterable[NamedFeed]) -> Group:
    subscriptions = (Subscription(feed.title, feed.path, feed.description) for _, feed in feeds)
    return Group(name, tuple(subscriptions))


def _size(groups: Sequence[Group]) -> int:
    return sum(len(group.feeds) + _size(group.groups) for group in groups)


class _Option(NamedTuple):
    """A topic or a country, and its part of a feed's path."""

    name: str
    part: str


_ANY = _Option("", "")


class _Choice(NamedTuple):
    """The choice of a topic and a country, which shows the address of their feed.

    There is no script: the page contains every part of an address, and a style sheet
    shows the parts of the chosen options, if they have a feed.

    `feeds` gives, for the number of a topic, the numbers of the countries with which it
    has a feed. Both count from 1; 0 is any topic, or any country.
    """

    topics: list[_Option]
    countries: list[_Option]
    feeds: list[tuple[int, list[int]]]


def _choice_of(feeds: Sequence[Feed]) -> _Choice | None:
    """Return the choice between feeds; None if no feed has both a topic and a country."""
    if not any(feed.topic and feed.country for feed in feeds):
        return None
    pairs = [
        (
            _Option(feed.topic.name, feed_folder(feed.topic.slug)) if feed.topic else _ANY,
            _Option(feed.country.name, feed_folder("", feed.country.slug))
            if feed.country
            else _ANY,
        )
        for feed in feeds
    ]
    topics, countries = (_numbered(options) for options in zip(*pairs, strict=True))
    found: dict[int, list[int]] = defaultdict(list)
    for topic, country in pairs:
        found[topics[topic]].append(countries[country])
    numbers = [(topic, sorted(found[topic])) for topic in sorted(found)]
    return _Choice([*topics][1:], [*countries][1:], numbers)


def _numbered(options: Iterable[_Option]) -> dict[_Option, int]:
    """Return the number of each option, by name; `_ANY` is the first."""
    ordered = sorted({*options}, key=lambda option: (collation_key(option.name), option.part))
    return {option: number for number, option in enumerate(ordered)}
