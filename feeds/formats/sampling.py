"""An accelerator: feedgen writes two samples of each shape of entry, to make a template of it.

Entries that have the same fields differ in their texts alone, and feedgen takes ten
times as long as filling a template. The two samples have no text in common, so what is
at the same places in both is a place for a text. Where the site's own texts contain a
sample's, the two differ, and feedgen writes each entry.
"""

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict, fields
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import cache, partial
from html import escape
from typing import Any
from urllib.parse import quote
from xml.sax import saxutils

from feeds.formats.content import as_html, content, excerpt
from feeds.model import Country, Entry, Person, Photo, Topic

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
# A format string, and for each place in it a function that returns its text, and an escape.
_Template = tuple[str, tuple[tuple[Write, Callable[[str], str]], ...]]


def sampled(write: Write) -> Write:
    """Return a function that writes the same, but calls `write` for samples of each shape only."""
    templates: dict[Hashable, _Template | None] = {}

    @cache
    def label_line(label: Topic | Country) -> str:
        day = datetime(2000, 1, 1, tzinfo=_ZONE)
        # A country is written as a topic is.
        entry = Entry("x", "x", day, day, topics=(label,))  # type: ignore[arg-type]
        found = _LABEL_LINE.search(write(entry, ""))
        return found[0] if found else ""

    def label_lines(entry: Entry, _: str) -> str:
        return "".join(map(label_line, entry.labels))

    def write_sampled(entry: Entry, body: str) -> str:
        shape = _shape(entry, body)
        if shape not in templates:
            templates[shape] = _template(write, label_lines, entry, body) if ENABLED else None
        template = templates[shape]
        return _fill(template, entry, body) if template else write(entry, body)

    return write_sampled


def _fill(template: _Template, entry: Entry, body: str) -> str:
    form, places = template
    return form % tuple([escaped(text(entry, body)) for text, escaped in places])


def _template(write: Write, label_lines: Write, entry: Entry, body: str) -> _Template | None:
    """Return the template for entries like this one; None if the site's text is in a sample."""
    first, second = (
        _sample_template(write, label_lines, *_like(entry, body, *sample)) for sample in _SAMPLES
    )
    same = first == second and _fill(first, entry, body) == write(entry, body)
    return first if same else None


def _sample_template(write: Write, label_lines: Write, sample: Entry, body: str) -> _Template:
    texts = {_in_element(text(sample, body)): text for text in _TEXTS}
    texts[label_lines(sample, body)] = label_lines
    texts.pop("", None)
    # One may begin with another.
    any_text = "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))
    form = ""
    places: list[tuple[Write, Callable[[str], str]]] = []
    for at, part in enumerate(re.split(f"({any_text})", write(sample, body))):
        if at % 2:
            escaped = _in_attribute if form.endswith('="') else _in_element
            places.append((texts[part], str if texts[part] is label_lines else escaped))
        form += "%s" if at % 2 else part.replace("%", "%%")
    return form, tuple(places)


def _part(of: str, name: str) -> Write:
    """Return a function that returns a field of an entry's author or photo, '' for none."""
    return lambda entry, _: str(getattr(getattr(entry, of), name, "") or "")


# In every form in which a format writes them; of equal ones the last and simplest is used.
_TEXTS: tuple[Write, ...] = (
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


def _shape(entry: Entry, body: str) -> Hashable:
    """Return what decides which elements and attributes an entry has."""
    photo, author = entry.photo, entry.author
    return (
        *(not entry.summary, not body, not content(entry, body), not entry.link),
        *(_is_markup(entry.title), _is_escaped(entry.summary)),
        photo and tuple(map(bool, photo)),
        author and (not author.email, not author.uri),
    )


def _like(entry: Entry, body: str, word: str, year: int) -> tuple[Entry, str]:
    """Return a sample of the same shape, and its body's HTML; all its texts differ."""
    photo, author = entry.photo, entry.author
    like = entry._replace(
        id=f"{word}-id",
        title=f"{word}-title" + _MARKUP * _is_markup(entry.title),
        published=datetime(year, 2, 3, 4, 5, 6, tzinfo=_ZONE),
        updated=datetime(year + 1, 3, 4, 5, 6, 7, tzinfo=_ZONE),
        summary=entry.summary and f"{word}-summary" + _MARKUP * _is_escaped(entry.summary),
        link=entry.link and f"https://{word}-link.invalid/",
        topics=(Topic(slug=f"{word}-slug", name=f"{word}-topic", scheme=f"{word}-scheme"),),
        countries=(),
        photo=photo and Photo(**_sample_fields(photo._asdict(), word, year)),
        author=author and Person(**_sample_fields(asdict(author), word, year)),
    )
    return like, body and f"<p>{word}-body</p>"


def _sample_fields(fields: Mapping[str, Any], word: str, year: int) -> dict[str, Any]:
    """Return fields with texts and numbers of a sample in place of those that are not empty."""
    return {
        name: value and (f"{word}-{name}" if isinstance(value, str) else year * 10_000 + place)
        for place, (name, value) in enumerate(fields.items())
    }


def _is_markup(text: str) -> bool:
    return as_html(text) != text


def _is_escaped(text: str) -> bool:
    return escape(text, quote=False) != text
