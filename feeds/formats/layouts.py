"""An entry's element, laid out once for each shape of entry; the texts are then set in.

Entries that have the same fields differ in their texts alone, and laying out an
element takes ten times as long as setting texts into it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, ParamSpec

from feeds.model import Country, Entry, Person, Photo, Topic

P = ParamSpec("P")
Label = Topic | Country
Write = Callable[[Entry, str], str]
Text = Callable[[Entry, str], str]
LabelText = Callable[[Label], str]
Escape = Callable[[str], str]

# Every text differs from all others, and is written as it stands here.
_ZONE = timezone(timedelta(hours=1, minutes=23))
_LABEL = Topic(slug="sample-slug", name="sample-name", scheme="sample-scheme")
_BODY = "sample-body"
_SAMPLE = Entry(
    id="sample-id",
    title="sample-title",
    published=datetime(1801, 2, 3, 4, 5, 6, tzinfo=_ZONE),
    updated=datetime(1802, 3, 4, 5, 6, 7, tzinfo=_ZONE),
    summary="sample-summary",
    body=_BODY,
    link="https://sample-link.invalid/",
    topics=(_LABEL,),
    photo=Photo(
        url="https://sample-photo.invalid/",
        credit="sample-credit",
        alt="sample-alt",
        media_type="sample/type",
        width=18030405,
        height=18040506,
        length=18050607,
    ),
    author=Person(name="sample-author", email="sample@author.invalid", uri="https://a.invalid/"),
)


class Layout(NamedTuple):
    """The element of every entry of one shape: its form, and what gives and escapes each text."""

    form: str
    texts: tuple[tuple[Text, Escape], ...]

    def element(self, entry: Entry, body: str) -> str:
        """Give an entry's element."""
        return self.form % tuple([escape(text(entry, body)) for text, escape in self.texts])


class Layouts:
    """Writes elements as `write` does, which is asked once for each shape of entry.

    `write` takes an entry and its body's HTML. `texts` and `label_texts` give all
    the texts that it takes from an entry and from each of its labels; those of a
    label stand on lines of their own, one for each.
    """

    def __init__(
        self, write: Write, texts: Sequence[Text], label_texts: Sequence[LabelText]
    ) -> None:
        self._write = write
        self._texts = {text(_SAMPLE, _BODY): text for text in texts}
        self._label_texts = {text(_LABEL): text for text in label_texts}
        self._layouts: dict[object, Layout | None] = {}
        self._lines: dict[int, str] = {}

    def elements(self, entries: Iterable[tuple[Entry, str]]) -> list[bytes]:
        """Give each entry's element, which comes with its body's HTML."""
        kept = list(entries)
        found = [self._element(entry, body).encode() for entry, body in kept]
        # Entries share their labels, which are alive until here.
        self._lines.clear()
        return found

    def _element(self, entry: Entry, body: str) -> str:
        shape = _shape(entry, body)
        if shape not in self._layouts:
            self._layouts[shape] = self._laid_out(entry, body)
        layout = self._layouts[shape]
        return layout.element(entry, body) if layout else self._write(entry, body)

    def _laid_out(self, entry: Entry, body: str) -> Layout | None:
        """Lay out the element of entries like this one; None where a site's text is like a sample's."""
        written = self._write(_like(entry), _BODY if body else "")
        before, line, behind = _around_line(written, self._label_texts)
        form, texts_of_label = _set_in(line, self._label_texts)

        def labels(entry: Entry, _: str) -> str:
            for label in entry.labels:
                if id(label) not in self._lines:
                    texts = [escape(text(label)) for text, escape in texts_of_label]
                    self._lines[id(label)] = form % tuple(texts)
            return "".join([self._lines[id(label)] for label in entry.labels])

        head, texts = _set_in(before, self._texts)
        tail, more = _set_in(behind, self._texts)
        layout = Layout(f"{head}%s{tail}", (*texts, (labels, str), *more))
        return layout if layout.element(entry, body) == self._write(entry, body) else None


def _shape(entry: Entry, body: str) -> object:
    """Give what decides which elements and attributes an entry has."""
    photo, author = entry.photo, entry.author
    return (
        *(not entry.summary, not body, not entry.link),
        photo and tuple(map(bool, photo)),
        author and (not author.email, not author.uri),
    )


def _like(entry: Entry) -> Entry:
    """Give the sample with the fields that an entry has."""
    kept: dict[str, Any] = _reduced(_SAMPLE._asdict(), entry)
    if entry.photo and _SAMPLE.photo:
        kept["photo"] = Photo(**_reduced(_SAMPLE.photo._asdict(), entry.photo))
    if entry.author and _SAMPLE.author:
        kept["author"] = Person(**_reduced(asdict(_SAMPLE.author), entry.author))
    return Entry(**kept | {"topics": _SAMPLE.topics, "countries": ()})


def _reduced(sample: Mapping[str, Any], like: object) -> dict[str, Any]:
    """Give the fields of a sample that another has too, and the other's where it has nothing."""
    return {
        name: value if getattr(like, name) else getattr(like, name)
        for name, value in sample.items()
    }


def _around_line(written: str, marks: Iterable[str]) -> tuple[str, str, str]:
    """Cut out the line with the label's texts."""
    found = re.search(rf"^.*(?:{'|'.join(map(re.escape, marks))}).*\n", written, re.MULTILINE)
    if not found:
        return written, "", ""
    return written[: found.start()], found[0], written[found.end() :]


def _set_in(
    written: str, texts: Mapping[str, Callable[P, str]]
) -> tuple[str, list[tuple[Callable[P, str], Escape]]]:
    """Give a form with places for texts, and what gives and escapes each."""
    any_sample = "|".join(map(re.escape, texts))
    form = ""
    found: list[tuple[Callable[P, str], Escape]] = []
    for at, part in enumerate(re.split(f"({any_sample})", written)):
        if at % 2:
            found.append((texts[part], _in_attribute if form.endswith('="') else _in_element))
        form += "%s" if at % 2 else part.replace("%", "%%")
    return form, found


def _in_element(text: str) -> str:
    """Escape as libxml2 does."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")


def _in_attribute(text: str) -> str:
    text = _in_element(text).replace('"', "&quot;")
    return text.replace("\n", "&#10;").replace("\t", "&#9;")
