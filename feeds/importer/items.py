"""What the source of an import says: items, the site they are from, and what stays undecided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

# A source with more would take too long.
MAX_ITEMS = 100_000


class Remark(NamedTuple):
    """Something in a source that is not imported as it is there, and why.

    `place` is where it is in the source, such as `news.yml:12`. `left_out` is how many items
    are not imported at all: 1 or True for the one at `place`.
    """

    place: str
    message: str
    left_out: int = 0

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class Label(NamedTuple):
    """A category or a tag: its name, and its slug and vocabulary if the source has them."""

    name: str
    slug: str = ""
    scheme: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A news item as a source has it; what the source does not say is empty.

    Each text is what the field of an entry takes: `title` and `summary` are plain text,
    `body` is Markdown, `link` an absolute address. `date` and `updated` are written as in
    the source, or in ISO 8601. Nothing is checked yet.

    `place` is where the item is in the source. `slug` is what its id is made of: a slug, a
    path or a file's name. `page` is the address of its page at the earlier publisher.
    `labels` are topics or countries; `countries` are countries, by any name or code.
    `photo`, `guid`, and each of `authors` and `documents`, have the keys that these have in
    a catalogue.
    `remarks` are on what of the item is left out.
    """

    place: str
    slug: str = ""
    title: str = ""
    date: str = ""
    updated: str = ""
    summary: str = ""
    body: str = ""
    link: str = ""
    page: str = ""
    labels: tuple[Label, ...] = ()
    countries: tuple[str, ...] = ()
    photo: Mapping[str, str] = field(default_factory=dict)
    authors: tuple[Mapping[str, str], ...] = ()
    guid: Mapping[str, str] = field(default_factory=dict)
    documents: tuple[Mapping[str, str], ...] = ()
    language: str = ""
    license: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source that was read: its items, in its own order, and what it says of the site.

    `site` has keys of the catalogue's section, as far as the source has them: `title`,
    `url`, `description`, `language`, `timezone`, `author` and so on. `feeds` has the
    format, `atom`, `rss` or `json`, of each feed that the source is or names, by its
    absolute address. `feed_id` is the Atom id of the feed of everything. `remarks` has a
    remark on each item that is left out, and on what else stays undecided. `date_remedy` is
    what can be done about dates that are not read, or ''.
    """

    name: str
    items: tuple[Item, ...]
    site: Mapping[str, object] = field(default_factory=dict)
    feeds: Mapping[str, str] = field(default_factory=dict)
    feed_id: str = ""
    remarks: tuple[Remark, ...] = ()
    date_remedy: str = ""


class Document(NamedTuple):
    """One document of a feed: what it says, and the link to the next one, or ''."""

    source: Source
    more: str = ""
