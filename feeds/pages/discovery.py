"""What leads people and programs to the feeds: subscriptions, lists to import, what is not there."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from feeds.directory import Directory, directory_of
from feeds.formats import Format
from feeds.formats.opml import MEDIA_TYPE, Group, Subscription, opml_list
from feeds.model import Feed, Site, etag_of
from feeds.pages.choice import Choice, choice_of
from feeds.pages.i18n import Wording
from feeds.pages.relative import absolute, on_page, relative_address
from feeds.pages.sitemap import MEDIA_TYPE as SITEMAP_TYPE
from feeds.pages.sitemap import Located, entry_pages, sitemap_documents
from feeds.pages.templating import Templates
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
)

HTML = "text/html; charset=utf-8"
CSS = "text/css; charset=utf-8"
TEXT = "text/plain; charset=utf-8"

# More would make a page that says one thing long.
_TOPICS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """A document that is made of all that it `shows`, and of the site's own values."""

    path: str
    media_type: str
    shows: Any
    make: Callable[[Any], bytes]


class _Row(NamedTuple):
    """A feed in the table of subscriptions; `newest` is the day of its newest entry."""

    name: str
    path: str
    entries: str
    newest: str


class _List(NamedTuple):
    """A list to import: what it is called, where it lies, and how many feeds it has."""

    name: str
    path: str
    groups: tuple[Group, ...]
    feeds: int


class _Subscriptions(NamedTuple):
    """What the page of subscriptions shows; `version` is that of the choice's style sheet.

    With its version in its address, no cache gives the one without the other.
    """

    everything: _Row
    topics: tuple[_Row, ...]
    countries: tuple[_Row, ...]
    lists: tuple[tuple[str, str, int], ...]
    choice: Choice | None
    version: str


class Guides:
    """The guides of a site, in its language."""

    sitemap_type = SITEMAP_TYPE

    def __init__(
        self, templates: Templates, wording: Wording, site: Site, formats: Sequence[Format]
    ) -> None:
        self._site = site
        self._wording = wording
        self._words = wording.words
        self._formats = formats
        self._render = templates.render

    def of(self, feeds: Sequence[Feed]) -> Iterator[Guide]:
        """Yield each guide to a release's feeds."""
        known = directory_of(feeds)
        topics = tuple(
            (feed.topic.name, feed.path) for feed in known.topics[:_TOPICS] if feed.topic
        )
        for path, name in ((NOT_FOUND_PAGE, "lost"), (GONE_PAGE, "gone")):
            yield Guide(
                path=path, media_type=HTML, shows=topics, make=partial(self._not_found, name)
            )
        yield Guide(path=ROBOTS, media_type=TEXT, shows=None, make=self._robots)
        if self._formats:
            yield from self._subscriptions(feeds, known)

    def sitemap(self, feeds: Sequence[Feed], paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the documents of the sitemap of all pages among the paths of a release."""
        entries = list(entry_pages(feeds[0].entries, self._site))
        changed = {feed.path: feed.updated.isoformat() for feed in feeds}
        known = {page.path for page in entries}
        folders = (path.removesuffix(INDEX) for path in paths if path.endswith(INDEX))
        others = sorted(folder for folder in folders if folder not in known)
        lists = [Located(folder, changed.get(folder, "")) for folder in others]
        return sitemap_documents([*entries, *lists], self._site)

    def _subscriptions(self, feeds: Sequence[Feed], known: Directory) -> Iterator[Guide]:
        lists = tuple(self._lists(known))
        for found in lists:
            yield Guide(path=found.path, media_type=MEDIA_TYPE, shows=found, make=self._opml)
        choice = choice_of(feeds)
        sheet = b""
        if choice:
            sheet = self._render("choice.css", choice=choice)
            yield Guide(path=CHOICE_STYLE, media_type=CSS, shows=sheet, make=bytes)
        shows = _Subscriptions(
            everything=self._row(self._words.news, known.everything),
            topics=tuple(self._row(feed.topic.name, feed) for feed in known.topics if feed.topic),
            countries=tuple(
                self._row(feed.country.name, feed) for feed in known.countries if feed.country
            ),
            lists=tuple((found.name, found.path, found.feeds) for found in lists),
            choice=choice,
            version=etag_of(sheet)[:8],
        )
        path = SUBSCRIBE + INDEX
        yield Guide(path=path, media_type=HTML, shows=shows, make=self._subscribe)

    def _subscribe(self, shows: _Subscriptions) -> bytes:
        html = self._render(
            "subscribe.html",
            **shows._asdict(),
            address=self._site.address(SUBSCRIBE),
            choice_style=f"{relative_address(CHOICE_STYLE)}?{shows.version}",
            list_media_type=MEDIA_TYPE.partition(";")[0],
        )
        return on_page(html, SUBSCRIBE)

    def _row(self, name: str, feed: Feed) -> _Row:
        entries = self._wording.number(len(feed.entries))
        newest = self._wording.day(feed.entries[0].published) if feed.entries else ""
        return _Row(name, feed.path, entries, newest)

    def _not_found(self, name: str, topics: tuple[tuple[str, str], ...]) -> bytes:
        """Return a page that is shown at any path, so its addresses are absolute.

        That of its style sheet has no host: under another name of the same server,
        the policy allows nothing else.
        """
        words = self._words
        html = self._render(
            "not_found.html",
            title=getattr(words, name),
            why=getattr(words, f"{name}_why"),
            topics=topics,
            style=urlsplit(self._site.address(STYLE)).path,
        )
        return absolute(html, self._site)

    def _robots(self, _shows: None) -> bytes:
        return f"User-agent: *\nAllow: /\n\nSitemap: {self._site.address(SITEMAP)}\n".encode()

    def _lists(self, known: Directory) -> Iterator[_List]:
        """Yield the list of all feeds, and those of topics and of countries where there are any."""
        words = self._words
        topics = _group(words.topics, known.topics)
        countries = _group(words.countries, known.countries)
        inner = tuple(_group(topic.name, found) for topic, found in known.in_countries)
        both = Group(words.choose, (), inner)
        groups = (_group("", (known.everything,)), topics, countries, both)
        full = tuple(group for group in groups if group.feeds or group.groups)
        yield _List(words.all, ALL_OPML, full, _size(full))
        for kind, group in (("topics", topics), ("countries", countries)):
            if group.feeds:
                yield _List(group.name, OPML[kind], (group,), len(group.feeds))

    def _opml(self, found: _List) -> bytes:
        title = f"{found.name} – {self._site.title}"
        return opml_list(self._site, title, found.groups, self._formats[0].filename)


def _group(name: str, feeds: Sequence[Feed]) -> Group:
    return Group(
        name, tuple(Subscription(feed.title, feed.path, feed.description) for feed in feeds)
    )


def _size(groups: Sequence[Group]) -> int:
    return sum(len(group.feeds) + _size(group.groups) for group in groups)
