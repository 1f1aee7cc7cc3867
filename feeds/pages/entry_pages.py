"""An entry's own page, and the piece of it that stands in the pages that list it."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from jinja2 import Environment

from feeds.model import Country, Entry, Photo, Site, Topic
from feeds.pages.direction import direction_of
from feeds.pages.forms import Form, Text
from feeds.pages.linked_data import article, as_json
from feeds.pages.relative import SiteLinks, on_page, relative_address
from feeds.pages.wording import Wording
from feeds.paths import feed_folder
from feeds.truncation import truncated

_MOST_LABELS = 8
# So much of a body tells in which direction the entry runs.
_SAMPLE = 500
_HEADING = re.compile(r"(</?h)([1-6])(?=[ >])")

_Labels = tuple[Topic | Country, ...]


class EntryPages:
    """What the pages of a site show of its entries."""

    def __init__(self, environment: Environment, wording: Wording, site: Site) -> None:
        self._site = site
        self._wording = wording
        self._links = SiteLinks(site)
        self._page, self._item, self._turn, self._way, self._tag = (
            Form(environment.get_template(f"{name}.html"))
            for name in ("entry", "item", "turn", "way", "tag")
        )
        # Entries share their labels.
        self._ways: dict[Topic | Country, bytes] = {}
        self._tags: dict[Topic | Country, bytes] = {}

    def items(self, entries: Sequence[Entry]) -> list[bytes]:
        """Give each entry as it stands in the pages that list it."""
        return [self._item_of(entry) for entry in entries]

    def pages(self, inputs: Sequence[tuple[Entry, str, Entry | None, Entry | None]]) -> list[bytes]:
        """Give the page of each entry, which comes with its body's HTML, safe already, and those around it.

        They are the newer one and the older one, or None.
        """
        return [self._page_of(*each) for each in inputs]

    def _item_of(self, entry: Entry) -> bytes:
        texts = self._texts(entry)
        labels = self._labels(entry)
        more = len(labels) - _MOST_LABELS
        return self._item.filled(
            **texts,
            source="" if entry.body else texts["link"],
            summary=truncated(entry.summary),
            labels=b"\n".join(labels[:_MOST_LABELS]),
            more=self._wording.more(more) if more > 0 else "",
        )

    def _page_of(self, entry: Entry, body: str, newer: Entry | None, older: Entry | None) -> bytes:
        texts = self._texts(entry)
        html = self._page.filled(
            **texts,
            address=self._site.address(entry.path),
            summary=entry.summary,
            author=entry.author.name if entry.author else "",
            updated=entry.updated.isoformat(),
            updated_date=self._updated(entry, texts["date"]),
            body=self._links.relative_in(_lowered(body), entry.path).encode(),
            photo_url=entry.photo.url if entry.photo else "",
            labels=b"\n".join(self._labels(entry)),
            tags=b"\n".join([self._tag_of(label) for label in entry.labels]),
            data=as_json(article(entry, self._site)),
            ways=self._turns(newer, older),
        )
        return on_page(html, entry.path)

    def _updated(self, entry: Entry, published: Text) -> str:
        """Return when an entry was updated; '' if that says no more than when it was published."""
        if entry.updated == entry.published:
            return ""
        updated = self._wording.moment(entry.updated, timed=entry.updated_from is None)
        known = {published, self._wording.day(entry.published)}
        return updated if updated not in known else ""

    def _turns(self, newer: Entry | None, older: Entry | None) -> bytes:
        """Give the ways to the entries around."""
        return self._turn.filled(
            about=self._wording.words.news,
            newer=newer.title if newer else "",
            newer_address=relative_address(newer.path) if newer else "",
            older=older.title if older else "",
            older_address=relative_address(older.path) if older else "",
        )

    def _texts(self, entry: Entry) -> dict[str, Text]:
        """Give the texts that are shown of an entry wherever it stands."""
        photo = entry.photo or Photo()
        around = self._wording.direction
        direction = direction_of(f"{entry.title} {entry.summary} {entry.body[:_SAMPLE]}", around)
        return {
            "title": entry.title,
            "page": relative_address(entry.path),
            "entry_direction": direction if direction != around else "",
            "link": self._links.relative(entry.link),
            "host": _host(entry.link),
            "published": entry.published.isoformat(),
            "date": self._wording.moment(entry.published, timed=entry.public_from is None),
            "photo_source": self._links.relative(photo.url),
            "photo_alt": photo.alt,
            "photo_credit": photo.credit,
            "photo_width": str(photo.width or ""),
            "photo_height": str(photo.height or ""),
        }

    def _labels(self, entry: Entry) -> list[bytes]:
        """Return the link to the feed of each of an entry's labels."""
        feeds = self._site.feeds
        topics: _Labels = entry.topics if "topics" in feeds else ()
        countries: _Labels = entry.countries if "countries" in feeds else ()
        return [self._way_to(label) for label in (*topics, *countries)]

    def _way_to(self, label: Topic | Country) -> bytes:
        if label not in self._ways:
            address = relative_address(_folder(label))
            self._ways[label] = self._way.filled(address=address, name=label.name)
        return self._ways[label]

    def _tag_of(self, label: Topic | Country) -> bytes:
        if label not in self._tags:
            self._tags[label] = self._tag.filled(name=label.name)
        return self._tags[label]


def _folder(label: Topic | Country) -> str:
    """Give the folder of the feed that is about a label."""
    return feed_folder(label.slug) if isinstance(label, Topic) else feed_folder("", label.slug)


def _lowered(body: str) -> str:
    """Give a body's HTML with no heading as high as the entry's title."""
    return _HEADING.sub(_lower, body) if "<h1" in body else body


def _lower(heading: re.Match[str]) -> str:
    return f"{heading[1]}{min(int(heading[2]) + 1, 6)}"


def _host(address: str) -> str:
    """Give the host of a web address, as people read it."""
    return (urlsplit(address).hostname or "").removeprefix("www.")
