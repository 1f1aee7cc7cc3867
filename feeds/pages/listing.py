"""The pages that list a feed's entries: the newest, and its archive."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from feeds.model import Entry, Feed, Site
from feeds.pages.archive import NEWEST, Listing, Period, listings_of
from feeds.pages.entry import Link
from feeds.pages.i18n import Wording
from feeds.pages.neighbours import Neighbours, neighbours_of
from feeds.pages.relative import on_page, relative_address
from feeds.pages.schema_org import LinkedData
from feeds.pages.templating import Templates
from feeds.urls import INDEX, archive_folder


class _Month(NamedTuple):
    """The items of a month in a list, as HTML."""

    name: str
    items: Markup


class ListingPages:
    """The pages that list the entries of a site's feeds."""

    neighbours = staticmethod(neighbours_of)

    def __init__(self, templates: Templates, wording: Wording, site: Site) -> None:
        self._render = templates.render
        self._site = site
        self._wording = wording
        # An entry is in several lists.
        self._month_of = lru_cache(maxsize=100_000)(wording.month_of)
        self._linked_data = LinkedData(site)

    def of(self, feed: Feed) -> list[Listing]:
        """Return the pages that list a feed's entries, that of the newest first."""
        # Where there is less in a year, months would be many pages with little on each.
        everything = not (feed.topic or feed.country)
        return listings_of(feed.entries, self._month_of, months=everything)

    def path(self, feed: Feed, listing: Listing) -> str:
        """Return the path of a page that lists entries of a feed."""
        return _folder(feed, listing.period) + INDEX

    def pages(
        self, items: Mapping[str, bytes], inputs: Sequence[tuple[Feed, Listing, Neighbours]]
    ) -> list[bytes]:
        """Return the pages that list entries of feeds; `items` are the entries' items by their ids."""
        return [self._page(items, *each) for each in inputs]

    def _page(
        self, items: Mapping[str, bytes], feed: Feed, listing: Listing, near: Neighbours
    ) -> bytes:
        site = self._site
        period = listing.period
        names = [_subject(feed), self._wording.period(period) if period != NEWEST else ""]
        heading = " – ".join(filter(None, names))
        title = f"{heading} – {site.title}" if heading else site.title
        folder = _folder(feed, period)
        address = site.address(folder)
        html = self._render(
            "feed.html" if period == NEWEST else "archive.html",
            feed=feed,
            front=period == NEWEST and not heading,
            title=title,
            heading=heading,
            address=address,
            feed_address=site.address(feed.path),
            data=self._linked_data.collection(feed, title, address),
            months=self._months(listing.entries, items),
            periods=[self._link(feed, inner) for inner in listing.periods],
            wider=[self._link(feed, outer) for outer in listing.wider],
            newer=listing.newer and self._link(feed, listing.newer),
            older=listing.older and self._link(feed, listing.older),
            near=near,
        )
        return on_page(html, folder)

    def _months(self, entries: Sequence[Entry], items: Mapping[str, bytes]) -> list[_Month]:
        return [
            _Month(
                self._wording.period(month),
                # Joined before they are decoded: many lists have the same items.
                Markup(b"\n".join([items[entry.id] for entry in found]).decode()),  # noqa: S704  # of item.html
            )
            for month, found in groupby(entries, lambda entry: self._month_of(entry.published))
        ]

    def _link(self, feed: Feed, period: Period) -> Link:
        """Return the link to a period; that to the newest is named for the feed's subject."""
        name = (
            _subject(feed) or self._wording.words.news
            if period == NEWEST
            else self._wording.period(period)
        )
        return Link(relative_address(_folder(feed, period)), name)


def _folder(feed: Feed, period: Period) -> str:
    return feed.path if period == NEWEST else archive_folder(feed.path, *period)


def _subject(feed: Feed) -> str:
    return " · ".join(label.name for label in (feed.topic, feed.country) if label)
