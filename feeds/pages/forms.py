"""A template, rendered once for each choice of texts that are there; the texts are then set in.

Pages of a kind differ in their texts alone, and rendering one takes ten times as
long as setting texts into it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from jinja2 import Template
from markupsafe import escape

# Stands around the name of a text that is to be set in: no text has this character.
_SIGN = "\x1e"
_PLACE = re.compile(f"{_SIGN}([a-z_]+){_SIGN}")

# A text, which is escaped; or HTML, which is bytes already.
Text = str | bytes


class Form:
    """A template that prints its texts, and asks of each no more than whether it is there."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._written: dict[tuple[str, ...], _Written] = {}

    def filled(self, **texts: Text) -> bytes:
        """Give what the template makes of texts."""
        there = {
            name: text if isinstance(text, bytes) else escape(text).encode()
            for name, text in texts.items()
            if text
        }
        names = tuple(there)
        if names not in self._written:
            self._written[names] = self._write(texts)
        form, places = self._written[names]
        return form % tuple([there[name] for name in places])

    def rows(self, each: Iterable[Mapping[str, Text]]) -> bytes:
        """Give what the template makes of each of some texts, one below the other."""
        return b"\n".join([self.filled(**texts) for texts in each])

    def _write(self, texts: Mapping[str, Text]) -> "_Written":
        written = self._template.render(
            {name: _Place(name) if text else "" for name, text in texts.items()}
        )
        form = _PLACE.sub("%b", written.replace("%", "%%"))
        return _Written(form.encode(), tuple(_PLACE.findall(written)))


class _Written(NamedTuple):
    """What a template gives, as a format, and the names of the texts that go into it."""

    form: bytes
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a text goes: it can be printed, which escaping leaves as it is, and it is true."""

    name: str

    def __html__(self) -> str:
        return f"{_SIGN}{self.name}{_SIGN}"
