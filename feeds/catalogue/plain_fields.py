"""The values of a mapping that is written in plain lines."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from feeds.catalogue.known_keys import Keys
from feeds.catalogue.plain_lines import NotPlain, Value
from feeds.catalogue.suggestions import SILENT

T = TypeVar("T")


class PlainFields:
    """The Values of a mapping in plain lines, of which nobody knows the places.

    Where there is anything to be told, NotPlain, Fault or Remark is raised: it is
    told by who knows the place.
    """

    nearest = SILENT

    def __init__(self, values: Mapping[str, Value], keys: Keys) -> None:
        if not (keys.known.issuperset(values) and all(name in values for name in keys.required)):
            raise NotPlain
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __len__(self) -> int:
        return len(self._values)

    def is_text(self, name: str) -> bool:
        """Return whether a field has a value that is a text."""
        return isinstance(self._values.get(name), str)

    def value(self, name: str, convert: Callable[[str], T], blank: T) -> T:
        """Read a field; where it is absent, give `blank`."""
        text = self._values.get(name)
        if text is None:
            return blank
        if not isinstance(text, str):
            raise NotPlain
        return convert(text)

    def list(self, name: str, convert: Callable[[str], T | None]) -> tuple[T, ...]:
        """Read a field that is a list of texts, each only once."""
        texts = self._values.get(name, ())
        if not isinstance(texts, tuple):
            raise NotPlain
        found = {item: None for text in texts if (item := convert(text)) is not None}
        if len(found) < len(texts):
            raise NotPlain
        return tuple(found)

    def inner(self, name: str, keys: Keys) -> "PlainFields":
        """Open a field that is a mapping whose keys are known."""
        values = self._values[name]
        if not isinstance(values, dict):
            raise NotPlain
        return PlainFields(values, keys)

    def problem(self, _name: str, _message: str, *, note: bool = False) -> None:
        """Leave what is to be told, though it be a note, to who knows the place."""
        raise NotPlain(note)
