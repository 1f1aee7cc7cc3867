"""The pages that list a feed's entries: the newest, and its archive."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from feeds.model import Feed, Site
from feeds.pages.archive import NEWEST, Listing, Period, paginate
from feeds.pages.i18n import I18n
from feeds.pages.schema_org import SchemaOrg
from feeds.pages.templating import Link, Templates, relative_address, with_relative_links
from feeds.selection import RelatedFeeds
from feeds.urls import INDEX, archive_folder


class _Month(NamedTuple):
    """The items of a month in a list, as HTML."""

    name: str
    items: Markup


class ListingPages:
    """Renders the pages that list the entries of a site's feeds."""

    def __init__(self, templates: Templates, i18n: I18n, site: Site) -> None:
        self._render = templates.render
        self._site = site
        self._i18n = i18n
        # An entry is in several lists.
        self._month_of = lru_cache(maxsize=100_000)(i18n.month_of)
        self._schema_org = SchemaOrg(site)

    def of(self, feed: Feed) -> list[Listing]:
        """Return the pages that list a feed's entries, that of the newest first."""
        # Other feeds have fewer entries: months would be many pages with little on each.
        everything = not (feed.topic or feed.country)
        return paginate(feed.entries, self._month_of, months=everything)

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
        html = self._render(
            "feed.html" if period == NEWEST else "archive.html",
            feed=feed,
            front=period == NEWEST and not heading,
            title=title,
            heading=heading,
            address=address,
            feed_address=site.address(feed.path),
            data=self._schema_org.collection(feed, title, address),
            months=self._months(listing, items),
            periods=[self._link(feed, inner) for inner in listing.periods],
            wider=[self._link(feed, outer) for outer in listing.wider],
            newer=listing.newer and self._link(feed, listing.newer),
            older=listing.older and self._link(feed, listing.older),
            related=related,
        )
        return with_relative_links(html, folder)

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
