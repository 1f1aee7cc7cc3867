"""An entry's element, laid out once for each shape of entry; the texts are then set in.

Entries that have the same fields differ in their texts alone, and laying out an
element takes ten times as long as setting texts into it. Where texts go is found
with two samples that have no text in common: what stands at the same places in
both is a place, and a site's own text cannot be taken for one.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta, timezone
from html import escape
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote

from feeds.formats.content import content
from feeds.formats.labels import category
from feeds.formats.plain_text import as_html, excerpt
from feeds.model import Country, Entry, Person, Photo, Topic

T = TypeVar("T")
# Without it, feedgen writes each entry and each feed, and their bytes are the same.
ENABLED = True
Label = Topic | Country
Write = Callable[[Entry, str], str]
Text = Callable[[Entry, str], str]
Escape = Callable[[str], str]

ZONE = timezone(timedelta(hours=1, minutes=23))
# A text with this is written otherwise where it is HTML.
MARKUP = " <b>"


def _sample(word: str, year: int) -> Entry:
    """Return an entry with every field; each text differs from all others of both samples."""
    return Entry(
        id=f"{word}-id",
        title=f"{word}-title",
        published=datetime(year, 2, 3, 4, 5, 6, tzinfo=ZONE),
        updated=datetime(year + 1, 3, 4, 5, 6, 7, tzinfo=ZONE),
        summary=f"{word}-summary",
        body=f"<p>{word}-body</p>",
        link=f"https://{word}-link.invalid/",
        topics=(Topic(slug=f"{word}-slug", name=f"{word}-name", scheme=f"{word}-scheme"),),
        photo=Photo(
            url=f"https://{word}-photo.invalid/",
            credit=f"{word}-credit",
            alt=f"{word}-alt",
            media_type=f"{word}/type",
            width=year * 1_0001,
            height=year * 1_0003,
            length=year * 1_0007,
        ),
        author=Person(
            name=f"{word}-author",
            email=f"{word}@author.invalid",
            uri=f"https://{word}-author.invalid/",
        ),
    )


_SAMPLES = (_sample("sample", 1801), _sample("other", 1811))


def _field(path: str) -> Text:
    """Return what gives a field of an entry, as text."""
    get = attrgetter(path)
    return lambda entry, _: str(get(entry))


# What elements have of an entry: its texts as they are, and what is made of them.
ENTRY_TEXTS: tuple[Text, ...] = (
    *map(_field, ("link", "title", "summary")),
    *(_field(f"author.{field.name}") for field in fields(Person)),
    *(_field(f"photo.{name}") for name in Photo._fields),
    content,
    lambda entry, body: excerpt(body) or entry.title,
    lambda entry, _: quote(entry.id),
    lambda entry, _: entry.published.isoformat(),
    lambda entry, _: entry.updated.isoformat(),
)
_LABEL_TEXTS: tuple[Callable[[Label, str], str], ...] = (
    lambda label, _: category(label)["term"],
    lambda label, _: category(label)["scheme"],
    lambda label, _: category(label)["label"],
)


class Places(NamedTuple, Generic[T]):
    """What was written of a sample, with a place for each text, and what gives and escapes each."""

    form: str
    texts: tuple[tuple[Callable[[T, str], str], Escape], ...]


def set_in(places: Places[T], what: T, beside: str) -> str:
    """Set the texts of something, and of what goes with it, in their places."""
    return places.form % tuple([escaped(text(what, beside)) for text, escaped in places.texts])


def places(written: str, samples: Mapping[str, Callable[[T, str], str]]) -> Places[T]:
    """Find the places of samples, by what gives each text, in what was written of them."""
    marks = {_in_element(sample): text for sample, text in samples.items() if sample}
    # One may begin with another.
    any_mark = "|".join(map(re.escape, sorted(marks, key=len, reverse=True)))
    form = ""
    texts: list[tuple[Callable[[T, str], str], Escape]] = []
    for at, part in enumerate(re.split(f"({any_mark})", written)):
        if at % 2:
            texts.append((marks[part], _in_attribute if form.endswith('="') else _in_element))
        form += "%s" if at % 2 else part.replace("%", "%%")
    return Places(form, tuple(texts))


class Layouts:
    """Writes elements as `write` does, which is asked once for each shape of entry.

    `write` takes an entry and its body's HTML, and `texts` give all the texts that
    it takes from them. Each label stands on a line of its own.
    """

    def __init__(self, write: Write, texts: Sequence[Text]) -> None:
        self._write = write
        self._texts = texts
        self._layouts: dict[object, Places[Entry] | None] = {}
        self._lines: dict[Label, str] = {}

    def elements(self, entries: Iterable[tuple[Entry, str]]) -> list[bytes]:
        """Return each entry's element; the entries come with their bodies' HTML."""
        return [self._element(entry, body).encode() for entry, body in entries]

    def _element(self, entry: Entry, body: str) -> str:
        shape = _shape(entry, body)
        if shape not in self._layouts:
            self._layouts[shape] = self._laid_out(entry, body) if ENABLED else None
        layout = self._layouts[shape]
        return set_in(layout, entry, body) if layout else self._write(entry, body)

    def _laid_out(self, entry: Entry, body: str) -> Places[Entry] | None:
        """Lay out the element of entries like this one; None where a site's text is like a sample's."""
        found, other = (self._places(entry, body, sample) for sample in _SAMPLES)
        if found != other:
            return None
        head, of_label, tail = found

        def labels(entry: Entry, _: str) -> str:
            for label in entry.labels:
                if label not in self._lines:
                    self._lines[label] = set_in(of_label, label, "")
            return "".join([self._lines[label] for label in entry.labels])

        layout = Places(f"{head.form}%s{tail.form}", (*head.texts, (labels, str), *tail.texts))
        return layout if set_in(layout, entry, body) == self._write(entry, body) else None

    def _places(
        self, entry: Entry, body: str, sample: Entry
    ) -> tuple[Places[Entry], Places[Label], Places[Entry]]:
        """Find the places before the labels' lines, in a label's line, and behind them."""
        sample = _with_markup(sample, entry)
        like, html = _like(sample, entry), sample.body if body else ""
        written = self._write(like, html)
        of_label = {text(sample.topics[0], ""): text for text in _LABEL_TEXTS}
        before, line, behind = _around_line(written, of_label)
        samples = {text(sample, sample.body): text for text in self._texts}
        # The photo within it is HTML, and escaped twice: so it is one place as a whole.
        samples[content(like, html)] = content
        return places(before, samples), places(line, of_label), places(behind, samples)


def _shape(entry: Entry, body: str) -> object:
    """Give what decides which elements and attributes an entry has."""
    photo, author = entry.photo, entry.author
    return (
        *(not entry.summary, not body, not content(entry, body), not entry.link),
        _is_html(entry),
        photo and tuple(map(bool, photo)),
        author and (not author.email, not author.uri),
    )


def _is_html(entry: Entry) -> tuple[bool, bool]:
    """Tell whether an entry's title, and its summary, are written otherwise as HTML."""
    summary = entry.summary
    return as_html(entry.title) != entry.title, escape(summary, quote=False) != summary


def _with_markup(sample: Entry, entry: Entry) -> Entry:
    """Return a sample whose texts are written otherwise as HTML where an entry's are."""
    title, summary = _is_html(entry)
    return sample._replace(
        title=sample.title + MARKUP * title, summary=sample.summary + MARKUP * summary
    )


def _like(sample: Entry, entry: Entry) -> Entry:
    """Give a sample with the fields alone that an entry has."""
    kept: dict[str, Any] = _reduced(sample._asdict(), entry)
    if entry.photo and sample.photo:
        kept["photo"] = Photo(**_reduced(sample.photo._asdict(), entry.photo))
    if entry.author and sample.author:
        kept["author"] = Person(**_reduced(asdict(sample.author), entry.author))
    return Entry(**kept | {"topics": sample.topics, "countries": ()})


def _reduced(sample: Mapping[str, Any], like: object) -> dict[str, Any]:
    """Give the fields of a sample that another has too, and the other's where it has nothing."""
    return {
        name: value if getattr(like, name) else getattr(like, name)
        for name, value in sample.items()
    }


def cut(document: bytes, start: str, end: str) -> str:
    """Return an element of a document, from its start tag to its end tag.

    In texts, what begins a tag is escaped.
    """
    text = document.decode()
    return text[text.index(start) : text.index(end)] + end


def _around_line(written: str, marks: Iterable[str]) -> tuple[str, str, str]:
    """Cut out the line with the label's texts."""
    found = re.search(rf"^.*(?:{'|'.join(map(re.escape, marks))}).*\n", written, re.MULTILINE)
    if not found:
        return written, "", ""
    return written[: found.start()], found[0], written[found.end() :]


def _in_element(text: str) -> str:
    """Escape as libxml2 does."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")


def _in_attribute(text: str) -> str:
    text = _in_element(text).replace('"', "&quot;")
    return text.replace("\n", "&#10;").replace("\t", "&#9;")
