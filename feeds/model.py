"""The nouns of a publication: frozen values, without input or output.

Of entries and their photos there may be a hundred thousand, and a tuple is made
several times as fast as any other frozen value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from feeds.errors import Problem
from feeds.urls import FEED_KINDS, FEEDS, entry_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who writes (RFC 4287 §3.2). E-mail and URI are empty where not given."""

    name: str
    email: str = ""
    uri: str = ""


class Photo(NamedTuple):
    """An entry's picture; without a `url` it is a credit alone.

    `width` and `height` are in pixels and `length` in bytes; 0 means unknown.
    """

    url: str = ""
    credit: str = ""
    alt: str = ""
    media_type: str = ""
    width: int = 0
    height: int = 0
    length: int = 0


class Picture(NamedTuple):
    """A file that photos show: its path under the site, the file itself, and what it is.

    `width` and `height` are in pixels and `length` in bytes. `stamp` tells these
    bytes from any others that the file had or will have.
    """

    path: str
    file: Path
    stamp: tuple[str, int, int, int, int]
    media_type: str
    width: int
    height: int

    @property
    def length(self) -> int:
        """The file's size."""
        return self.stamp[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A subject of the publication's own vocabulary; `scheme` is the vocabulary's URI."""

    slug: str
    name: str
    scheme: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """A country by its ISO 3166-1 alpha-2 code, under the name this publication gives it."""

    code: str
    name: str

    @property
    def slug(self) -> str:
        """The code as it stands in an address: in lower case."""
        return self.code.lower()


class Entry(NamedTuple):
    """One news item as an editor wrote it (RFC 4287 *entry*, RSS *item*).

    `published` and `updated` are aware, to the second, each with the offset it
    was written with. `body` is Markdown. `link`, `summary` and `body` are empty
    where the editor gave none. `public_from` and `updated_from` are the beginning
    of the day of a date that was written without a time, whose `published` or
    `updated` is noon; None for a date with a time.
    """

    id: str
    title: str
    published: datetime
    updated: datetime
    summary: str = ""
    body: str = ""
    link: str = ""
    topics: tuple[Topic, ...] = ()
    countries: tuple[Country, ...] = ()
    photo: Photo | None = None
    author: Person | None = None
    public_from: datetime | None = None
    updated_from: datetime | None = None

    @property
    def path(self) -> str:
        """Where the entry's own page lies under the site."""
        return entry_folder(self.id)

    @property
    def labels(self) -> tuple[Topic | Country, ...]:
        """What the entry is about: its categories on the wire."""
        return (*self.topics, *self.countries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The masthead: what a publication is called, where it lives, who speaks.

    `url` ends in `/`; `id` is a tag URI (RFC 4151) that survives a move to
    another host; `language` is a BCP 47 tag; `items` is the number of entries
    that a feed carries at most; `max_age` is for how many seconds a document may
    be kept without asking again. `formats` are the formats that each feed is
    published in, and `feeds` are the kinds of feeds beside that of everything.
    `accent` is the colour of the pages, as `#rrggbb`, and `footer` a line at their end.

    `moved` gives, for a path that was given up, the one that took its place, and
    `retired` are the paths given up for good. One that ends in `/` stands for
    all that lay below it. The new path is empty where it is the site's own.
    """

    title: str
    url: str
    id: str
    founded: datetime
    author: Person
    timezone: ZoneInfo
    language: str
    description: str = ""
    rights: str = ""
    logo: str = ""
    icon: str = ""
    hub: str = ""
    items: int = 50
    max_age: int = 900
    formats: tuple[str, ...] = tuple(FEEDS)
    feeds: tuple[str, ...] = FEED_KINDS
    moved: Mapping[str, str] = field(default_factory=dict, hash=False)
    retired: frozenset[str] = frozenset()
    accent: str = "#00558c"
    footer: str = ""

    def address(self, path: str) -> str:
        """Give the absolute address of a path of the release, as an ASCII URI."""
        return self.url + quote(path)

    def tag(self, name: str) -> str:
        """Give the permanent id of something of this site, as a tag URI (RFC 4151)."""
        return f"{self.id}:{quote(name)}"

    def link(self, entry: Entry) -> str:
        """Give the address where a reader is sent for an entry."""
        return entry.link or self.address(entry.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """A whole publication, valid and immutable: nothing checks it again.

    `entries` stand in the catalogue's own order. `topics` holds those that the
    catalogue declares, or None where its vocabulary is open. `pictures` are the
    files that the entries' photos show. `notes` are worth an editor's look.
    `beside` is the folder that may have `static/` and `templates/`. `source` is a
    digest of the files that it was read from.
    """

    site: Site
    topics: tuple[Topic, ...] | None
    entries: tuple[Entry, ...]
    pictures: tuple[Picture, ...] = ()
    beside: Path | None = None
    source: str = field(default="", compare=False)
    notes: tuple[Problem, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A format-neutral, ordered choice of entries with its own id, title and path.

    `entries` are all that belong to it, newest first; `latest` are those that
    its documents carry. `path` is empty or ends in `/`.
    """

    id: str
    path: str
    title: str
    description: str
    updated: datetime
    entries: tuple[Entry, ...]
    latest: tuple[Entry, ...]
    topic: Topic | None = None
    country: Country | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One path of a release: its bytes, their media type, and their validators.

    `etag` is without quotes (RFC 9110 §8.8.3) and depends on the bytes alone.
    `modified` is the moment, to the second, at which these bytes first appeared
    at this address (§8.8.2); None where nothing remembers it.
    """

    path: str
    body: bytes
    media_type: str
    etag: str
    modified: datetime | None = None


def etag_of(body: bytes) -> str:
    """Give the ETag of a document's bytes, without quotes."""
    return sha256(body).hexdigest()[:32]
