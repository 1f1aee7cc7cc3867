"""The values of a publication, which are immutable and do no input or output.

Named tuples are those of which there may be a hundred thousand, and those that are
hashed often: they are several times as fast as frozen dataclasses.
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
    """An author (RFC 4287 §3.2). E-mail and URI are empty if not given."""

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


class Attachment(NamedTuple):
    """A document of an entry, such as a PDF, an audio or a video file.

    `language` is a BCP 47 tag, empty if it is the entry's. `length` is in bytes; 0 means
    unknown, as for `pages`.
    """

    url: str
    title: str = ""
    language: str = ""
    media_type: str = ""
    length: int = 0
    pages: int = 0


class MediaFile(NamedTuple):
    """A file in `media/` that entries use: its path under the site, and the file itself.

    `length` is the number of bytes that are published: of a picture fewer than the file
    has, if it has metadata. `width` and `height` are in pixels; they and `pages` are 0 if
    the file has none. `stamp` differs whenever the file's bytes do. The file is public
    from the moment `public_from`, with the first entry that uses it; None if there is none.
    """

    path: str
    file: Path
    stamp: tuple[str, int, int, int, int]
    media_type: str
    length: int
    width: int = 0
    height: int = 0
    pages: int = 0
    public_from: datetime | None = None


class Topic(NamedTuple):
    """A subject of the publication's own vocabulary; `scheme` is the vocabulary's URI."""

    slug: str
    name: str
    scheme: str
    description: str = ""


class Country(NamedTuple):
    """A country: its ISO 3166-1 alpha-2 code, and its name in this publication."""

    code: str
    name: str

    @property
    def slug(self) -> str:
        """The code as it is in addresses: in lower case."""
        return self.code.lower()


class Guid(NamedTuple):
    """The ids that an entry has in feeds, kept from an earlier publisher; '' is the site's default.

    `permalink` is true if the one in RSS is the address of a page (`isPermaLink`).
    """

    atom: str = ""
    rss: str = ""
    json: str = ""
    permalink: bool = False


class Entry(NamedTuple):
    """One news item as an editor wrote it (RFC 4287 *entry*, RSS *item*).

    `published` and `updated` are aware, in whole seconds, each with the offset it was
    written with. `body` is Markdown. `link`, `summary` and `body` are empty if not
    given, and `authors`, `language` (BCP 47) and `license` (an address) where they are the
    site's. A date that was written without a time is noon in `published` or `updated`,
    and the beginning of that day in `public_from` or `updated_from`, which are None for
    a date with a time.
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
    authors: tuple[Person, ...] = ()
    public_from: datetime | None = None
    updated_from: datetime | None = None
    guid: Guid = Guid()
    documents: tuple[Attachment, ...] = ()
    language: str = ""
    license: str = ""

    @property
    def path(self) -> str:
        """The folder of the entry's own page under the site."""
        return entry_folder(self.id)

    @property
    def labels(self) -> tuple[Topic | Country, ...]:
        """What the entry is about: its categories in feeds."""
        return (*self.topics, *self.countries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The catalogue's data about the site as a whole.

    `url` ends in `/`; `id` is a tag URI (RFC 4151) that survives a move to another
    host; `language` is a BCP 47 tag; `items` is the maximum number of entries of a
    feed; `max_age` is how many seconds a document may be cached. `formats` are the
    formats of each feed, and `feeds` the kinds of feeds beside that of everything.
    `accent` is the colour of the pages, as `#rrggbb`, and `footer` a line at their end.
    `license` is the address of the licence of all entries without one of their own.

    `moved` has the new path for each old one, and `retired` has the paths that are gone.
    A path that ends in `/` includes everything below it. The new path is empty if it is
    the site's own. `feed_ids` has the Atom ids of feeds, by path, where they differ from
    the default.
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
    feed_ids: Mapping[str, str] = field(default_factory=dict, hash=False)
    accent: str = "#00558c"
    footer: str = ""
    license: str = ""
    country_names: str = "cldr"

    def address(self, path: str) -> str:
        """Return the absolute address of a path under the site, as an ASCII URI."""
        return self.url + quote(path)

    def tag(self, name: str) -> str:
        """Return a permanent id within this site, as a tag URI (RFC 4151)."""
        return f"{self.id}:{quote(name)}"

    def entry_id(self, entry: Entry, form: str) -> str:
        """Return the id of an entry in a format, `atom`, `rss` or `json`."""
        kept: str = getattr(entry.guid, form)
        return kept or self.tag(entry.id)

    def feed_id(self, path: str) -> str:
        """Return the Atom id of the feed at a path, which is empty or ends in `/`."""
        return self.feed_ids.get(path) or (self.tag(path.removesuffix("/")) if path else self.id)

    def authors(self, entry: Entry) -> tuple[Person, ...]:
        """Return the authors of an entry: its own, or the site's."""
        return entry.authors or (self.author,)

    def link(self, entry: Entry) -> str:
        """Return the address that an entry links to: its link, or its own page."""
        return entry.link or self.address(entry.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """A whole publication, valid and immutable.

    `entries` are in the order of the catalogue. `topics` are those that the catalogue
    declares; None if any topic is allowed. `media` are the files that the entries use.
    `notes` are hints for editors. `beside` is the folder that may have
    `static/` and `templates/`. `source` is a digest of the files that it was read from.
    """

    site: Site
    topics: tuple[Topic, ...] | None
    entries: tuple[Entry, ...]
    media: tuple[MediaFile, ...] = ()
    beside: Path | None = None
    source: str = field(default="", compare=False)
    notes: tuple[Problem, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A selection of entries with its own id, title and path, in no format yet.

    `entries` are all that belong to it, newest first; `latest` are those that its
    documents contain. `path` is empty or ends in `/`.
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
    """One path of a release: its bytes, their media type, and their validator.

    `etag` is without quotes (RFC 9110 §8.8.3) and depends on the bytes alone.
    """

    path: str
    body: bytes
    media_type: str
    etag: str


def etag_of(body: bytes) -> str:
    """Return the ETag of a document's bytes, without quotes."""
    return sha256(body).hexdigest()[:32]
