"""A template, rendered once for each choice of texts that are there; the texts are then set in.

Pages of a kind differ in their texts alone, and rendering one takes ten times as
long as setting texts into it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jinja2 import Template
from markupsafe import Markup, escape

# Stands around the name of a text that is to be set in: no text has this character.
_SIGN = "\x1e"
_PLACE = re.compile(f"{_SIGN}([a-z_]+){_SIGN}")


class Form:
    """A template that prints its texts, and asks of each no more than whether it is there."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._written: dict[tuple[str, ...], str] = {}

    def filled(self, **texts: str) -> Markup:
        """Give what the template makes of texts, each of them escaped unless it is Markup."""
        there = {
            name: text if isinstance(text, Markup) else escape(text)
            for name, text in texts.items()
            if text
        }
        names = tuple(there)
        if names not in self._written:
            self._written[names] = self._write({**dict.fromkeys(texts, ""), **_places(names)})
        return Markup(self._written[names] % there)  # noqa: S704  # a template of escaped texts

    def rows(self, each: Iterable[Mapping[str, str]]) -> Markup:
        """Give what the template makes of each of some texts, one below the other."""
        return lines([self.filled(**texts) for texts in each])

    def _write(self, context: dict[str, "str | _Place"]) -> str:
        """Give the template as a format string, with a conversion for each place."""
        written = self._template.render(context).replace("%", "%%")
        return _PLACE.sub(r"%(\1)s", written)


def lines(rows: Iterable[Markup]) -> Markup:
    """Give rows one below the other."""
    return Markup("\n".join(rows))  # noqa: S704  # all of them are Markup


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a text goes: it can be printed, which escaping leaves as it is, and it is true."""

    name: str

    def __html__(self) -> str:
        return f"{_SIGN}{self.name}{_SIGN}"


def _places(names: tuple[str, ...]) -> dict[str, "str | _Place"]:
    return {name: _Place(name) for name in names}
