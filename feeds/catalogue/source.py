"""The files of a catalogue: bytes, text, and the line and column of each character."""

import re
from bisect import bisect_right
from codecs import BOM_UTF8
from collections.abc import Iterator
from functools import cached_property
from unicodedata import name

from feeds.errors import Problem

_NEWLINE = re.compile(r"\r\n|\n|\r")
_NEWLINE_BYTES = re.compile(_NEWLINE.pattern.encode())

# The characters that XML 1.0 (§2.2) does not allow, and the C1 controls, which
# feed validators take for wrongly decoded Windows-1252.
_FORBIDDEN = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff"
forbidden_character = re.compile(f"[{_FORBIDDEN}]")
# Spaces other than the ordinary one, and ends of lines that no editor shows.
_SPACES = "\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# What Unicode calls default ignorable, except code points that are not assigned.
_IGNORABLE = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)
SIGNS = _SPACES + _IGNORABLE
SPACE = re.compile(f"[{_SPACES}]")
INVISIBLE = re.compile(f"[{SIGNS}]")

CONFLICT = (
    "a merge conflict is not resolved: keep one of the versions,"
    " and remove the lines that begin with <<<<<<<, |||||||, ======= or >>>>>>>"
)
_CONFLICT_LINE = re.compile("^<{7}(?![^ \r\n])", re.MULTILINE)


class Source:
    """A file's name and UTF-8 bytes.

    `data` is without a byte order mark, whose length is `mark`.
    """

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.data = data.removeprefix(BOM_UTF8)
        self.mark = len(data) - len(self.data)

    @cached_property
    def excerpt(self) -> "Excerpt":
        """The whole file; raises UnicodeDecodeError."""
        return Excerpt(self, self.data.decode())

    @property
    def may_have_conflict(self) -> bool:
        """Whether the file may have the lines with which git marks a merge conflict."""
        return self.data.startswith(b"<<<<<<<") or b"\n<<<<<<<" in self.data

    def line(self, offset: int) -> int:
        """Return the number, from 1, of the line that a byte is in."""
        return bisect_right(self._line_starts, offset)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _NEWLINE_BYTES.finditer(self.data))]


class Excerpt:
    """The text of some whole lines of a file; `start` is the offset of its first byte."""

    def __init__(self, source: Source, text: str, start: int = 0) -> None:
        self.text = text
        self._source = source
        self._start = start

    def problem(self, index: int, path: str, message: str, *, note: bool = False) -> Problem:
        """Return a Problem at the character with this index in the text."""
        line = bisect_right(self._line_starts, index)
        return Problem(
            file=self._source.name,
            line=self._source.line(self._start) + line - 1,
            column=index - self._line_starts[line - 1] + 1,
            path=path,
            message=message,
            note=note,
        )

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _NEWLINE.finditer(self.text))]


def text_problems(source: Source) -> Iterator[Problem]:
    """Yield the Problems of a file's text: its encoding, its characters, and merge conflicts.

    YAML allows the lines of a merge conflict within quotes.
    """
    try:
        excerpt = source.excerpt
    except UnicodeDecodeError as error:
        before = Source(source.name, source.data[: error.start]).excerpt
        yield before.problem(
            len(before.text),
            "",
            f"is not UTF-8: byte 0x{source.data[error.start]:02x}"
            f" at offset {error.start + source.mark}; save the file with the encoding UTF-8",
        )
        return
    for match in forbidden_character.finditer(excerpt.text):
        yield excerpt.problem(match.start(), "", f"{describe(match[0])} cannot be published")
    for match in _CONFLICT_LINE.finditer(excerpt.text) if source.may_have_conflict else ():
        yield excerpt.problem(match.start(), "", CONFLICT)


def describe(character: str) -> str:
    """Return the name of a character that cannot be shown."""
    return f"the control character U+{ord(character):04X}"


def named(character: str) -> str:
    """Return a character's code point and Unicode name, such as `U+00A0 NO-BREAK SPACE`."""
    return f"U+{ord(character):04X} {name(character, '')}".rstrip()
