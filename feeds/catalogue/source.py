"""One file of a catalogue, as text that knows the line and column of each character."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property

from feeds.errors import Problem

_NEWLINE = re.compile(r"\r\n|\n|\r")

# What no XML 1.0 document can carry (§2.2), and the C1 controls, which every
# feed validator takes for a broken Windows-1252.
_FORBIDDEN = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff"
forbidden_character = re.compile(f"[{_FORBIDDEN}]")


class Source:
    """A file's name and text; a place in it is an index into the text."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    def problem(self, index: int, path: str, message: str, *, note: bool = False) -> Problem:
        """Give a Problem at the character with this index."""
        line = bisect_right(self._line_starts, index)
        column = index - self._line_starts[line - 1] + 1
        return Problem(
            file=self.name, line=line, column=column, path=path, message=message, note=note
        )

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _NEWLINE.finditer(self.text))]


def decode(name: str, data: bytes) -> Source | Problem:
    """Read a file's bytes as UTF-8, with or without a byte order mark."""
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = Source(name, data[: error.start].decode("utf-8"))
        return before.problem(
            len(before.text),
            "",
            f"is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start};"
            " save the file with the encoding UTF-8",
        )
    return Source(name, text)


def control_characters(source: Source) -> Iterator[Problem]:
    """Find the raw characters that no YAML and no XML document can carry."""
    for match in forbidden_character.finditer(source.text):
        yield source.problem(match.start(), "", f"{describe(match[0])} cannot be published")


def describe(character: str) -> str:
    """Name a character that cannot be shown."""
    return f"the control character U+{ord(character):04X}"
