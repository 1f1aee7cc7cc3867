"""The pages that list a feed's entries: the newest, and an archive by year, month and part."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from markupsafe import Markup

from feeds.formats.json_feed import present
from feeds.i18n import I18n, Period
from feeds.model import Entry, Feed, Site
from feeds.pages.templating import SCHEMA_ORG, Link, Templates, publisher_of, relative_address
from feeds.selection import RelatedFeeds
from feeds.urls import INDEX, archive_folder

# Keeps a page well below 100 kB.
MAX_ENTRIES_PER_PAGE = 40
NEWEST = Period()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of a feed's entries, or of the narrower `periods` that have them instead.

    The page of the newest entries has both. `wider` are the enclosing periods, the
    widest first; `newer` and `older` are the adjacent pages with entries, or None.
    """

    period: Period
    entries: Sequence[Entry]
    periods: Sequence[Period] = ()
    wider: Sequence[Period] = ()
    newer: Period | None = None
    older: Period | None = None


# Entries with their months.
_Dated = Sequence[tuple[Period, Entry]]


def _pages(
    period: Period, wider: Sequence[Period], dated: _Dated, *, months: bool
) -> Iterator[Listing]:
    """Yield the page of a period, then those of the narrower periods if it is divided.

    A year with too many entries for one page is divided into `months`, or else into
    parts alone.
    """
    if len(dated) <= MAX_ENTRIES_PER_PAGE:
        yield Listing(period=period, wider=wider, entries=[entry for _, entry in dated])
        return
    inner = _divide(period, dated, months=months)
    yield Listing(period=period, wider=wider, entries=(), periods=[*inner])
    for narrower, found in inner.items():
        yield from _pages(narrower, [*wider, period], found, months=months)


def _divide(period: Period, dated: _Dated, *, months: bool) -> Mapping[Period, _Dated]:
    """Return the entries of the periods one step narrower, newest first."""
    divided: dict[Period, list[tuple[Period, Entry]]] = {}
    for number, (month, entry) in enumerate(dated):
        if period == NEWEST:
            inner = Period(month.year)
        elif months and not period.month:
            inner = month
        else:
            inner = period._replace(part=(len(dated) - 1 - number) // MAX_ENTRIES_PER_PAGE + 1)
        divided.setdefault(inner, []).append((month, entry))
    return divided


class _Month(NamedTuple):
    """The items of a month in a list, as HTML."""

    name: str
    items: Markup


class ListingPages:
    """Renders the pages that list the entries of a site's feeds."""

    def __init__(self, templates: Templates, i18n: I18n, site: Site) -> None:
        self._page = templates.page
        self._site = site
        self._i18n = i18n
        # An entry is in several lists.
        self._month_of = lru_cache(maxsize=100_000)(i18n.month_of)
        self._publisher = publisher_of(site)

    def of(self, feed: Feed) -> list[Listing]:
        """Return the pages that list a feed's entries, that of the newest first.

        If there is an archive, it has all entries, and parts are counted from the oldest
        entry: so a new entry changes no page of an older period.
        """
        if len(feed.entries) <= MAX_ENTRIES_PER_PAGE:
            return [Listing(period=NEWEST, entries=feed.entries)]
        dated = [(self._month_of(entry.published), entry) for entry in feed.entries]
        # Other feeds have fewer entries: months would be many pages with little on each.
        everything = not (feed.topic or feed.country)
        first, *archive = _pages(NEWEST, (), dated, months=everything)
        older = dict(pairwise(page.period for page in archive if page.entries))
        newer = {period: before for before, period in older.items()}
        return [
            replace(first, entries=feed.entries[:MAX_ENTRIES_PER_PAGE]),
            *(
                replace(page, newer=newer.get(page.period), older=older.get(page.period))
                for page in archive
            ),
        ]

    def path(self, feed: Feed, listing: Listing) -> str:
        """Return the path of a page that lists entries of a feed."""
        return _folder(feed, listing.period) + INDEX

    def page(
        self, feed: Feed, listing: Listing, related: RelatedFeeds, items: Sequence[bytes]
    ) -> bytes:
        """Return a page that lists entries of a feed, from the items of its entries."""
        site = self._site
        period = listing.period
        names = [_subject(feed), self._i18n.period(period) if period != NEWEST else ""]
        heading = " – ".join(filter(None, names))
        title = f"{heading} – {site.title}" if heading else site.title
        folder = _folder(feed, period)
        address = site.address(folder)
        return self._page(
            "feed.html" if period == NEWEST else "archive.html",
            folder,
            feed=feed,
            front=period == NEWEST and not heading,
            title=title,
            heading=heading,
            address=address,
            feed_address=site.address(feed.path),
            data=self._data(feed, title, address),
            months=self._months(listing, items),
            periods=[self._link(feed, inner) for inner in listing.periods],
            wider=[self._link(feed, outer) for outer in listing.wider],
            newer=listing.newer and self._link(feed, listing.newer),
            older=listing.older and self._link(feed, listing.older),
            related=related,
        )

    def _data(self, feed: Feed, title: str, address: str) -> dict[str, Any]:
        """Return a page as a CollectionPage of schema.org."""
        site = self._site
        return present(
            {
                "@context": SCHEMA_ORG,
                "@type": "CollectionPage",
                "name": title,
                "description": feed.description,
                "url": address,
                "inLanguage": site.language,
                "license": site.license,
                "isPartOf": {"@type": "WebSite", "name": site.title, "url": site.url},
                "publisher": self._publisher,
            }
        )

    def _months(self, listing: Listing, items: Sequence[bytes]) -> list[_Month]:
        months = (self._month_of(entry.published) for entry in listing.entries)
        return [
            _Month(
                self._i18n.period(month),
                # Decoding the joined items is faster than decoding each.
                Markup(b"\n".join(item for _, item in found).decode()),  # noqa: S704  # of item.html
            )
            for month, found in groupby(zip(months, items, strict=True), lambda pair: pair[0])
        ]

    def _link(self, feed: Feed, period: Period) -> Link:
        """Return the link to a period; that to the newest entries has the name of the feed."""
        name = (
            _subject(feed) or self._i18n.words.news
            if period == NEWEST
            else self._i18n.period(period)
        )
        return Link(relative_address(_folder(feed, period)), name)


def _folder(feed: Feed, period: Period) -> str:
    return feed.path if period == NEWEST else archive_folder(feed.path, *period)


def _subject(feed: Feed) -> str:
    return " · ".join(label.name for label in (feed.topic, feed.country) if label)
