"""An accelerator: feedgen writes two samples of each shape of entry or feed, to make a template.

Entries that have the same fields differ in their texts alone, and feedgen takes ten
times as long as filling a template. The two samples have no text in common, so what is
at the same places in both is a place for a text. Where the site's own texts contain a
sample's, the two differ, and feedgen writes each entry.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import cache
from html import escape
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import quote

from feeds.formats.content import as_html, content, excerpt
from feeds.formats.feedgen_ext import needed_namespaces
from feeds.model import Country, Entry, Feed, Person, Photo, Site, Topic

# Without it, feedgen writes each entry and each feed, and their bytes are the same.
ENABLED = True
T = TypeVar("T")
R = TypeVar("R")
# Of an entry and its body's HTML, or of a feed and its document's address.
Function = Callable[[T, str], R]

_ZONE = timezone(timedelta(hours=1, minutes=23))
# A text that contains this is written differently where it is HTML.
_MARKUP = " <b>"
_LABEL_LINE = re.compile(r"^ *<category.*?(?:/>|</category>)\n", re.MULTILINE | re.DOTALL)


# A word and a year.
_SAMPLES = (("sample", 1801), ("other", 1811))


class Template(NamedTuple, Generic[T]):
    """A format string, and for each place in it the function that returns its text, escaped."""

    form: str
    texts: tuple[tuple[Function[T, str], Callable[[str], str]], ...]

    def fill(self, item: T, extra: str) -> str:
        """Return what feedgen writes of an item."""
        return self.form % tuple([escaped(text(item, extra)) for text, escaped in self.texts])


@dataclass(kw_only=True, slots=True)
class _Templates(Generic[T]):
    """Writes items as `write` does, which is called for the samples of each shape only.

    `texts` return every text that `write` takes from an item, and `lines` those that are
    markup already. `shape` returns what decides the elements and attributes of an item,
    and `like` a sample of the same shape.
    """

    write: Function[T, str]
    texts: Sequence[Function[T, str]]
    lines: Sequence[Function[T, str]] = ()
    shape: Function[T, Hashable]
    like: Callable[[T, str, str, int], tuple[T, str]]
    known: dict[Hashable, Template[T] | None] = field(default_factory=dict)

    def written(self, item: T, extra: str) -> str:
        shape = self.shape(item, extra)
        if shape not in self.known:
            self.known[shape] = self._template(item, extra) if ENABLED else None
        template = self.known[shape]
        return template.fill(item, extra) if template else self.write(item, extra)

    def _template(self, item: T, extra: str) -> Template[T] | None:
        """Return the template for items like this one; None if the site's text is in a sample."""
        first, second = (self._of_sample(*self.like(item, extra, *sample)) for sample in _SAMPLES)
        same = first == second and first.fill(item, extra) == self.write(item, extra)
        return first if same else None

    def _of_sample(self, sample: T, extra: str) -> Template[T]:
        marks = {_in_element(text(sample, extra)): text for text in self.texts}
        marks |= {text(sample, extra): text for text in self.lines}
        marks.pop("", None)
        # One may begin with another.
        any_mark = "|".join(map(re.escape, sorted(marks, key=len, reverse=True)))
        form = ""
        places = []
        for at, part in enumerate(re.split(f"({any_mark})", self.write(sample, extra))):
            if at % 2:
                in_attribute = form.endswith('="')
                text = marks[part]
                escaped = _in_attribute if in_attribute else _in_element
                places.append((text, str if text in self.lines else escaped))
            form += "%s" if at % 2 else part.replace("%", "%%")
        return Template(form, tuple(places))


class SampledWriter:
    """Writes the entries and feeds of a site as feedgen does, in a format of it.

    `write_entry` takes an entry and its body's HTML, `write_feed` a feed and its
    document's address; each returns what feedgen writes. `end` is what follows the
    entries in a document.
    """

    def __init__(
        self,
        site: Site,
        write_entry: Function[Entry, str],
        write_feed: Function[Feed, str],
        end: str,
    ) -> None:
        self._end = end

        @cache
        def label_line(label: Topic | Country) -> str:
            day = datetime(2000, 1, 1, tzinfo=_ZONE)
            # A country is written as a topic is.
            entry = Entry("x", "x", day, day, topics=(label,))  # type: ignore[arg-type]
            found = _LABEL_LINE.search(write_entry(entry, ""))
            return found[0] if found else ""

        def labels(entry: Entry, _: str) -> str:
            return "".join(map(label_line, entry.labels))

        def page(feed: Feed, _: str) -> str:
            return site.address(feed.path)

        self._entries = _Templates(
            write=write_entry,
            texts=_ENTRY_TEXTS,
            lines=(labels,),
            shape=_entry_shape,
            like=_entry_like,
        )
        self._feeds = _Templates(
            write=write_feed, texts=(*_FEED_TEXTS, page), shape=_feed_shape, like=_feed_like
        )

    def entries(self, entries: Iterable[tuple[Entry, str]]) -> list[bytes]:
        """Return each entry's element; the entries come with their bodies' HTML."""
        return [self._entries.written(entry, body).encode() for entry, body in entries]

    def document(self, feed: Feed, elements: Iterable[bytes], address: str) -> bytes:
        """Return a feed's document with its entries' elements in it."""
        head = self._feeds.written(feed, address).removesuffix(self._end)
        return b"".join([head.encode(), *elements, self._end.encode()])


def _part(of: str, name: str) -> Function[Entry, str]:
    """Return a function that returns a field of an entry's author or photo, '' for none."""
    return lambda entry, _: str(getattr(getattr(entry, of), name, "") or "")


# In every form in which a format writes them; of equal ones the last and simplest is used.
_ENTRY_TEXTS: tuple[Function[Entry, str], ...] = (
    lambda entry, body: excerpt(body) or entry.title,
    lambda entry, _: as_html(entry.title),
    lambda entry, _: escape(entry.summary, quote=False),
    lambda entry, _: quote(entry.id),
    lambda entry, _: entry.published.isoformat(),
    lambda entry, _: format_datetime(entry.published),
    lambda entry, _: entry.updated.isoformat(),
    lambda entry, _: entry.link,
    lambda entry, _: entry.title,
    lambda entry, _: entry.summary,
    *(_part("author", field.name) for field in fields(Person)),
    *(_part("photo", name) for name in Photo._fields),
    content,
)
_FEED_TEXTS: tuple[Function[Feed, str], ...] = (
    lambda feed, _: as_html(feed.title),
    lambda feed, _: as_html(feed.description),
    lambda feed, _: feed.updated.isoformat(),
    lambda feed, _: format_datetime(feed.updated),
    lambda feed, _: feed.id,
    lambda feed, _: feed.title,
    lambda feed, _: feed.description,
    lambda _, address: address,
)


def _entry_shape(entry: Entry, body: str) -> Hashable:
    photo, author = entry.photo, entry.author
    return (
        *(not entry.summary, not body, not content(entry, body), not entry.link),
        *(_is_markup(entry.title), _is_escaped(entry.summary)),
        photo and tuple(map(bool, photo)),
        author and (not author.email, not author.uri),
    )


def _entry_like(entry: Entry, body: str, word: str, year: int) -> tuple[Entry, str]:
    photo, author = entry.photo, entry.author
    like = entry._replace(
        id=f"{word}-id",
        title=f"{word}-title" + _MARKUP * _is_markup(entry.title),
        published=datetime(year, 2, 3, 4, 5, 6, tzinfo=_ZONE),
        updated=datetime(year + 1, 3, 4, 5, 6, 7, tzinfo=_ZONE),
        summary=entry.summary and f"{word}-summary" + _MARKUP * _is_escaped(entry.summary),
        link=entry.link and f"https://{word}-link.invalid/",
        topics=(Topic(slug=f"{word}-slug", name=f"{word}-name", scheme=f"{word}-scheme"),),
        countries=(),
        photo=photo
        and Photo(
            url=photo.url and f"https://{word}-photo.invalid/",
            credit=photo.credit and f"{word}-credit",
            alt=photo.alt and f"{word}-alt",
            media_type=photo.media_type and f"{word}/type",
            width=photo.width and year * 1_0001,
            height=photo.height and year * 1_0003,
            length=photo.length and year * 1_0007,
        ),
        author=author
        and Person(
            name=f"{word}-author",
            email=author.email and f"{word}@author.invalid",
            uri=author.uri and f"https://{word}-author.invalid/",
        ),
    )
    return like, body and f"<p>{word}-body</p>"


def _feed_shape(feed: Feed, _: str) -> Hashable:
    return (
        *(feed.path.count("/"), not feed.description, tuple(needed_namespaces(feed))),
        *(_is_markup(feed.title), _is_markup(feed.description)),
    )


def _feed_like(feed: Feed, _: str, word: str, year: int) -> tuple[Feed, str]:
    like = Feed(
        id=f"{word}-feed-id",
        path=f"{word}-folder/" * feed.path.count("/"),
        title=f"{word}-feed-title" + _MARKUP * _is_markup(feed.title),
        description=feed.description
        and f"{word}-feed-text" + _MARKUP * _is_markup(feed.description),
        updated=datetime(year, 4, 5, 6, 7, 8, tzinfo=_ZONE),
        entries=(),
        latest=feed.latest,
    )
    return like, f"https://{word}-address.invalid/"


def _is_markup(text: str) -> bool:
    return as_html(text) != text


def _is_escaped(text: str) -> bool:
    return escape(text, quote=False) != text


def _in_element(text: str) -> str:
    """Escape as libxml2 does."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")


def _in_attribute(text: str) -> str:
    text = _in_element(text).replace('"', "&quot;")
    return text.replace("\n", "&#10;").replace("\t", "&#9;")
