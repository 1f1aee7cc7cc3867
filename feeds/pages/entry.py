"""An entry's own page, and its item in the pages that list it."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from markupsafe import Markup

from feeds.model import Country, Entry, Site, Topic
from feeds.pages.direction import direction_of
from feeds.pages.i18n import Wording
from feeds.pages.relative import SiteLinks, on_page, relative_address
from feeds.pages.schema_org import LinkedData
from feeds.pages.templating import Templates
from feeds.truncation import truncated
from feeds.urls import feed_folder

_MAX_LABELS = 8
# The direction of an entry is found from so many characters of its body.
_SAMPLE_CHARACTERS = 500
_HEADING = re.compile(r"(</?h)([1-6])(?=[ >])")

_Labels = tuple[Topic | Country, ...]


class Link(NamedTuple):
    """A link to a page of the site."""

    address: str
    name: str


class EntryPages:
    """What the pages of a site show of its entries."""

    def __init__(self, templates: Templates, wording: Wording, site: Site) -> None:
        self._render = templates.render
        self._site = site
        self._wording = wording
        self._links = SiteLinks(site)
        self._linked_data = LinkedData(site)
        # Many entries have the same labels.
        self._label_links: dict[Topic | Country, Link] = {}

    def items(self, entries: Sequence[Entry]) -> list[bytes]:
        """Return each entry's item, which is the same in every list."""
        return [self._item(entry) for entry in entries]

    def pages(self, inputs: Sequence[tuple[Entry, str, Entry | None, Entry | None]]) -> list[bytes]:
        """Return the page of each entry.

        Args:
            inputs: Each entry with the sanitised HTML of its body, and the next
                newer and the next older entry, or None.
        """
        return [self._page(*each) for each in inputs]

    def _item(self, entry: Entry) -> bytes:
        labels = self._labels(entry)
        more = len(labels) - _MAX_LABELS
        return self._render(
            "item.html",
            **self._values(entry),
            page=relative_address(entry.path),
            summary=truncated(entry.summary),
            labels=labels[:_MAX_LABELS],
            more=self._wording.more(more) if more > 0 else "",
        )

    def _page(self, entry: Entry, body: str, newer: Entry | None, older: Entry | None) -> bytes:
        values = self._values(entry)
        path = entry.path
        address = self._site.address(path)
        updated = entry.updated.isoformat()
        html = self._render(
            "entry.html",
            **values,
            address=address,
            body=Markup(self._links.relative_in(_lowered(body), path)),  # noqa: S704  # sanitised
            updated=updated,
            updated_date=self._updated_date(entry, values["published_date"]),
            labels=self._labels(entry),
            data=self._linked_data.article(entry, address, values["published"], updated),
            newer=newer and Link(relative_address(newer.path), newer.title),
            older=older and Link(relative_address(older.path), older.title),
        )
        return on_page(html, path)

    def _values(self, entry: Entry) -> dict[str, Any]:
        """Return what both templates are given."""
        around = self._wording.direction
        sample = f"{entry.title} {entry.summary} {entry.body[:_SAMPLE_CHARACTERS]}"
        direction = direction_of(sample, around)
        return {
            "entry": entry,
            "entry_direction": direction if direction != around else "",
            "host": _host(entry.link),
            "published": entry.published.isoformat(),
            "published_date": self._wording.moment(
                entry.published, timed=entry.public_from is None
            ),
        }

    def _updated_date(self, entry: Entry, published_date: str) -> str:
        """Return when an entry was updated; '' if that says no more than when it was published."""
        if entry.updated == entry.published:
            return ""
        updated = self._wording.moment(entry.updated, timed=entry.updated_from is None)
        known = {published_date, self._wording.day(entry.published)}
        return updated if updated not in known else ""

    def _labels(self, entry: Entry) -> list[Link]:
        """Return the link to the feed of each of an entry's labels."""
        feeds = self._site.feeds
        topics: _Labels = entry.topics if "topics" in feeds else ()
        countries: _Labels = entry.countries if "countries" in feeds else ()
        return [self._label_link(label) for label in (*topics, *countries)]

    def _label_link(self, label: Topic | Country) -> Link:
        found = self._label_links.get(label)
        if not found:
            found = Link(relative_address(_folder(label)), label.name)
            self._label_links[label] = found
        return found


def _folder(label: Topic | Country) -> str:
    """Return the folder of the feed that is about a label."""
    return feed_folder(label.slug) if isinstance(label, Topic) else feed_folder("", label.slug)


def _lowered(body: str) -> str:
    """Return a body's HTML with no heading as high as the entry's title."""
    return _HEADING.sub(_lower, body) if "<h1" in body else body


def _lower(heading: re.Match[str]) -> str:
    return f"{heading[1]}{min(int(heading[2]) + 1, 6)}"


def _host(url: str) -> str:
    """Return the host of a URL, as people read it."""
    return _host_of("/".join(url.split("/", 3)[:3]))


@lru_cache(maxsize=1000)
def _host_of(origin: str) -> str:
    return (urlsplit(origin).hostname or "").removeprefix("www.")
