"""An accelerator: feedgen writes two samples of each shape of entry, to make a template of it.

Entries that have the same fields differ in their texts alone, and feedgen takes ten
times as long as filling a template. The two samples have no text in common, so what is
at the same places in both is a place for a text. If the site's own texts contain a
sample's, or a format writes a text that is not in `_texts_of`, the two differ, and feedgen
writes each entry.
"""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import cache, partial
from html import escape
from operator import attrgetter
from typing import Any
from urllib.parse import quote
from xml.sax import saxutils

from feeds.formats.content import as_html, content, excerpt
from feeds.formats.enclosures import medium_of
from feeds.model import Attachment, Country, Entry, Guid, Person, Photo, Topic

# Without it, feedgen writes each entry, and the bytes are the same.
ENABLED = True
# Takes an entry and its body's HTML.
Write = Callable[[Entry, str], str]

# A word and a year.
_SAMPLES = (("sample", 1801), ("other", 1811))
_ZONE = timezone(timedelta(hours=1, minutes=23))
# A text that contains this is written differently where it is HTML.
_MARKUP = " <b>"
_LABEL_LINE = re.compile(r"^ *<category.*?(?:/>|</category>)\n", re.MULTILINE | re.DOTALL)
# Escape as libxml2 does.
_in_element = partial(saxutils.escape, entities={"\r": "&#13;"})
_in_attribute = partial(
    saxutils.escape, entities={'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)
# A format string, and for each place in it the number of its text, and an escape.
_Template = tuple[str, Sequence[tuple[int, Callable[[str], str]]]]
_MAX_RECENT = 1000
# Each field of each document that is there or not is another shape.
_MAX_DOCUMENTS = 2
_recent: dict[str, tuple[Entry, tuple[str, str], Sequence[str]]] = {}


def sampled(write: Write, language: str) -> Write:
    """Return a function that writes the same, but calls `write` for samples of each shape only.

    `language` is the site's.
    """
    templates: dict[Hashable, _Template | None] = {}

    @cache
    def label_line(label: Topic | Country) -> str:
        day = datetime(2000, 1, 1, tzinfo=_ZONE)
        # A country is written as a topic is.
        entry = Entry("x", "x", day, day, topics=(label,))  # type: ignore[arg-type]
        found = _LABEL_LINE.search(write(entry, ""))
        return found[0] if found else ""

    def texts_of(entry: Entry, body: str) -> list[str]:
        return [*_texts(entry, body, language), "".join(map(label_line, entry.labels))]

    def template_of(sample: Entry, body: str) -> _Template:
        *texts, label_lines = texts_of(sample, body)
        numbers = {_in_element(text): number for number, text in enumerate(texts) if text}
        numbers[label_lines] = len(texts)
        # One may begin with another.
        any_text = "|".join(map(re.escape, sorted(numbers, key=len, reverse=True)))
        form = ""
        places: list[tuple[int, Callable[[str], str]]] = []
        for at, part in enumerate(re.split(f"({any_text})", write(sample, body))):
            if at % 2:
                escaped = _in_attribute if form.endswith('="') else _in_element
                places.append((numbers[part], str if part == label_lines else escaped))
            form += "%s" if at % 2 else part.replace("%", "%%")
        return form, places

    def write_sampled(entry: Entry, body: str) -> str:
        if len(entry.documents) > _MAX_DOCUMENTS:
            return write(entry, body)
        texts = texts_of(entry, body)
        shape = (*map(bool, texts[:-1]), bool(body), *_has_markup(entry), *_shape_of(entry))
        if shape not in templates:
            first, second = (template_of(*_like(entry, body, *sample)) for sample in _SAMPLES)
            same = first == second and _fill(first, texts) == write(entry, body)
            templates[shape] = first if same else None
        template = templates[shape]
        return _fill(template, texts) if template else write(entry, body)

    return write_sampled if ENABLED else write


def _fill(template: _Template, texts: Sequence[str]) -> str:
    form, places = template
    return form % tuple([escaped(texts[number]) for number, escaped in places])


def _texts(entry: Entry, body: str, language: str) -> Sequence[str]:
    """Return all texts of an entry, in every form in which a format writes them."""
    # Each format writes the same entries, some hundred at a time. Equal entries may have
    # different texts: equal moments have different offsets.
    known, known_rest, texts = _recent.get(entry.id, (None, ("", ""), ()))
    if known is entry and known_rest == (body, language):
        return texts
    if len(_recent) >= _MAX_RECENT:
        _recent.clear()
    texts = _texts_of(entry, body, language)
    _recent[entry.id] = entry, (body, language), texts
    return texts


def _texts_of(entry: Entry, body: str, language: str) -> Sequence[str]:
    return (
        "" if entry.summary else excerpt(body) or entry.title,
        as_html(entry.title),
        escape(entry.summary, quote=False),
        quote(entry.id),
        entry.published.isoformat(),
        format_datetime(entry.published),
        entry.updated.isoformat(),
        entry.link,
        entry.title,
        entry.summary,
        entry.language,
        entry.license,
        *map(as_html, _described_texts(entry)),
        *(text for person in entry.authors for text in _person_texts(person)),
        *(str(value or "") for part in _parts_of(entry) for value in part),
        content(entry, body, language),
    )


def _described_texts(entry: Entry) -> list[str]:
    """Return the texts that Media RSS has as HTML if they have markup."""
    titles = [document.title for document in entry.documents]
    return [entry.photo.alt, *titles] if entry.photo else titles


def _parts_of(entry: Entry) -> Sequence[tuple[object, ...]]:
    """Return the parts of an entry of which formats write each field."""
    return (entry.guid, *([entry.photo] if entry.photo else ()), *entry.documents)


def _like(entry: Entry, body: str, word: str, year: int) -> tuple[Entry, str]:
    """Return a sample of the same shape, and its body's HTML; all its texts differ."""
    in_title, in_summary, *in_described = _has_markup(entry)
    photo, documents = _described_like(entry, in_described, word, year)
    like = entry._replace(
        **_sample_fields({name: getattr(entry, name) for name in _OTHER_FIELDS}, word, year),
        id=f"{word}-id",
        title=f"{word}-title" + _MARKUP * in_title,
        published=datetime(year, 2, 3, 4, 5, 6, tzinfo=_ZONE),
        updated=datetime(year + 1, 3, 4, 5, 6, 7, tzinfo=_ZONE),
        summary=entry.summary and f"{word}-summary" + _MARKUP * in_summary,
        link=entry.link and f"https://{word}-link.invalid/",
        topics=(Topic(slug=f"{word}-slug", name=f"{word}-topic", scheme=f"{word}-scheme"),),
        countries=(),
        photo=photo,
        guid=Guid(**_sample_fields(entry.guid._asdict(), word, year)),
        authors=tuple(
            Person(**_sample_fields(asdict(author), f"{word}-{number}", year))
            for number, author in enumerate(entry.authors)
        ),
        documents=documents,
    )
    return like, body and f"<p>{word}-body</p>"


def _described_like(
    entry: Entry, in_described: Sequence[bool], word: str, year: int
) -> tuple[Photo | None, tuple[Attachment, ...]]:
    """Return samples of a photo and of documents; `in_described` says which of their texts have markup."""
    marks = [_MARKUP * has_markup for has_markup in in_described]
    photo = None
    if entry.photo:
        photo = Photo(**_sample_fields(entry.photo._asdict(), word, year))
        photo = photo._replace(alt=photo.alt + marks.pop(0))
    documents = []
    for number, (document, mark) in enumerate(zip(entry.documents, marks, strict=True)):
        name = f"{word}-document-{number}"
        like = Attachment(**_sample_fields(document._asdict(), name, year + number))
        # Its beginning decides what it is in Media RSS.
        kind = document.media_type and f"{document.media_type.partition('/')[0]}/{name}"
        documents.append(like._replace(title=like.title + mark, media_type=kind))
    return photo, tuple(documents)


# Fields without a rule of their own in `_like`.
_OTHER_FIELDS = tuple(
    name
    for name in Entry._fields
    if name
    not in {
        *("id", "title", "published", "updated", "summary", "link"),
        *("topics", "countries", "photo", "authors", "guid", "documents"),
    }
)


def _shape_of(entry: Entry) -> Sequence[Hashable]:
    """Return which of the other fields an entry has, and the value of one that is not sampled."""
    values = _other_values(entry)
    return [
        *(bool(value) if isinstance(value, _SAMPLED_TYPES) else value for value in values),
        len(entry.authors),
        bool(entry.photo),
        *(medium_of(document.media_type) for document in entry.documents),
    ]


# Of these types `_sample_value` makes samples; a value of any other type is part of the shape.
_SAMPLED_TYPES = (str, int, datetime, type(None))
_other_values = attrgetter(*_OTHER_FIELDS)
_person_texts = attrgetter(*(field.name for field in fields(Person)))


def _sample_fields(fields: Mapping[str, Any], word: str, year: int) -> dict[str, Any]:
    """Return fields with values of a sample in place of texts, numbers and dates that are not empty."""
    return {
        name: _sample_value(value, f"{word}-{name}", year, place)
        for place, (name, value) in enumerate(fields.items())
    }


def _sample_value(value: object, text: str, year: int, place: int) -> object:
    if not value:
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, datetime):
        return datetime(year + place, 4, 5, 6, 7, 8, tzinfo=_ZONE)
    return year * 10_000 + place if isinstance(value, int) else value


def _has_markup(entry: Entry) -> Sequence[bool]:
    """Return which texts of an entry are written differently where they are HTML.

    They are the title, the summary, and those that describe a photo and documents.
    """
    described = (as_html(text) != text for text in _described_texts(entry))
    in_summary = escape(entry.summary, quote=False) != entry.summary
    return as_html(entry.title) != entry.title, in_summary, *described
