"""The pages that list a feed's entries: the newest, and its archive."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from jinja2 import Environment

from feeds.model import Entry, Feed, Site
from feeds.pages.forms import Form, Text
from feeds.pages.linked_data import as_json, collection
from feeds.pages.listings import NEWEST, Listing, Period, listings_of
from feeds.pages.neighbours import Neighbour, Neighbours, neighbours_of
from feeds.pages.relative import on_page, relative_address
from feeds.pages.wording import Wording
from feeds.paths import INDEX, archive_folder

# Where the pieces of a month go: no text has this character.
_ITEMS = b"\x1d"


class ListingPages:
    """The pages that list the entries of a site's feeds."""

    neighbours = staticmethod(neighbours_of)

    def __init__(self, environment: Environment, wording: Wording, site: Site) -> None:
        self._site = site
        self._wording = wording
        self._feed, self._archive, self._month, self._turn, self._way, self._neighbour = (
            Form(environment.get_template(f"{name}.html"))
            for name in ("feed", "archive", "month", "turn", "way", "neighbour")
        )
        self._months_around: dict[Period, tuple[bytes, bytes]] = {}

    def of(self, feed: Feed) -> list[Listing]:
        """Give the pages that list a feed's entries, and first that of the newest."""
        # Where there is less in a year, months would be many pages with little on each.
        everything = not (feed.topic or feed.country)
        return listings_of(feed.entries, self._site.timezone, months=everything)

    def path(self, feed: Feed, listing: Listing) -> str:
        """Give the path of a page that lists entries of a feed."""
        return _folder(feed, listing.period) + INDEX

    def pages(
        self, items: Mapping[str, bytes], inputs: Sequence[tuple[Feed, Listing, Neighbours]]
    ) -> list[bytes]:
        """Give the pages that list entries of feeds; `items` are their pieces, by their ids."""
        return [self._page(items, *each) for each in inputs]

    def _page(
        self, items: Mapping[str, bytes], feed: Feed, listing: Listing, near: Neighbours
    ) -> bytes:
        site = self._site
        archived = listing.period != NEWEST
        subject = _subject(feed)
        heading = " – ".join(
            filter(None, (subject, self._wording.period(listing.period) if archived else ""))
        )
        title = f"{heading} – {site.title}" if heading else site.title
        folder = _folder(feed, listing.period)
        texts: dict[str, Text] = {
            "title": title,
            "heading": heading or site.title,
            "description": feed.description,
            "address": site.address(folder),
            "feed_title": feed.title,
            "feed_address": site.address(feed.path),
            "data": as_json(collection(feed, site, title, folder)),
            "months": self._months(listing.entries, items),
            "periods": self._ways_to(feed, listing.periods),
        }
        if archived:
            html = self._archive.filled(
                **texts,
                wider=self._ways_to(feed, listing.wider),
                ways=self._turns(feed, listing),
            )
            return on_page(html, folder)
        topic_address, country_address = (
            (relative_address(path) for _, path in near.wider) if near.wider else ("", "")
        )
        html = self._feed.filled(
            **texts,
            folder=relative_address(folder),
            topic=feed.topic.name if feed.topic else "",
            country=feed.country.name if feed.country else "",
            topic_address=topic_address,
            country_address=country_address,
            topics=self._ways_near(near.topics),
            countries=self._ways_near(near.countries),
            more="more" if near.more else "",
        )
        return on_page(html, folder)

    def _months(self, entries: Sequence[Entry], items: Mapping[str, bytes]) -> bytes:
        """Give the pieces of entries, month by month."""
        sections = []
        for month, found in groupby(entries, lambda entry: self._wording.month_of(entry.published)):
            before, behind = self._around(month)
            sections.append(before + b"\n".join([items[entry.id] for entry in found]) + behind)
        return b"\n".join(sections)

    def _around(self, month: Period) -> tuple[bytes, bytes]:
        """Give what stands before and behind the pieces of a month: many pages have the same."""
        if month not in self._months_around:
            name = self._wording.period(month)
            before, _, behind = self._month.filled(month=name, items=_ITEMS).partition(_ITEMS)
            self._months_around[month] = before, behind
        return self._months_around[month]

    def _ways_to(self, feed: Feed, periods: Sequence[Period]) -> bytes:
        return self._way.rows(
            {"address": self._address(feed, period), "name": self._name(feed, period)}
            for period in periods
        )

    def _ways_near(self, neighbours: Sequence[Neighbour]) -> bytes:
        return self._neighbour.rows(
            {
                "address": relative_address(near.path),
                "name": near.name,
                "entries": str(near.entries),
            }
            for near in neighbours
        )

    def _turns(self, feed: Feed, listing: Listing) -> bytes:
        """Give the ways to the periods before and after."""
        newer, older = listing.newer, listing.older
        return self._turn.filled(
            about=self._wording.words.archive,
            newer=self._name(feed, newer) if newer else "",
            newer_address=self._address(feed, newer) if newer else "",
            older=self._name(feed, older) if older else "",
            older_address=self._address(feed, older) if older else "",
        )

    def _address(self, feed: Feed, period: Period) -> str:
        return relative_address(_folder(feed, period))

    def _name(self, feed: Feed, period: Period) -> str:
        """Give the name of a period; that of the newest is what the feed is about."""
        if period == NEWEST:
            return _subject(feed) or self._wording.words.news
        return self._wording.period(period)


def _folder(feed: Feed, period: Period) -> str:
    return feed.path if period == NEWEST else archive_folder(feed.path, *period)


def _subject(feed: Feed) -> str:
    return " · ".join(label.name for label in (feed.topic, feed.country) if label)
