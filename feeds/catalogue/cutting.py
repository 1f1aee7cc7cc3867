"""Cuts a file at the items of `entries:`, so that each is read, and remembered, by itself.

A catalogue has no aliases, so an item means the same wherever it stands. Each
line that can begin an item begins a part. Whether one does is proved when the
parts are composed: a cut within quotes or brackets leaves a part that is no
YAML, and then the whole file is composed at once.
"""

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from feeds.catalogue.source import forbidden_character

_ENTRIES = re.compile(rb"entries:(?: +#[^\n]*| *)\r?\n(?: *(?:#[^\n]*)?\r?\n)*( *- )")
SECTIONS = ("site", "topics", "countries", "entries")
_OTHERS = tuple(f"\n{name}:".encode() for name in SECTIONS if name != "entries")

_OTHER_LINES = re.compile("[\r\x85\u2028\u2029]")
_STEP = 1 << 17


class Part(NamedTuple):
    """A part of a file: its bytes, and where in the file they begin."""

    start: int
    data: bytes


class Cut(NamedTuple):
    """What stands before and behind a file's items, and the items without what begins each."""

    head: Part
    tail: Part
    dash: bytes
    start: int
    items: tuple[bytes, ...]

    def text(self, number: int) -> bytes:
        """Give an item with its dash, as a document of its own."""
        return self.dash + self.items[number]

    def starts(self) -> list[int]:
        """Give where in the file each item begins."""
        dash = len(self.dash)
        return list(accumulate((dash + len(item) for item in self.items), initial=self.start))


def cut(data: bytes) -> Cut | None:
    """Cut a file; None for one whose `entries:` is no list of lines that begin with `- `."""
    begin = 0 if data.startswith(b"entries:") else data.find(b"\nentries:") + 1
    first = _ENTRIES.match(data, begin)
    if not first or _more_than_comments(data[begin : first.start(1)]):
        return None
    # One that stands before stands behind as a mistake alone, and then is no item.
    head = b"\n" + data[:begin]
    others = [section for section in _OTHERS if section not in head]
    end = min((_find(data, other, first.end()) for other in others), default=len(data))
    return Cut(
        head=Part(0, data[:begin]),
        tail=Part(end, data[end:]),
        dash=first[1],
        start=first.start(1),
        items=tuple(_split(data, first.end(), end, first[1])),
    )


def _more_than_comments(between: bytes) -> bool:
    """Tell whether something else may stand behind `entries:`, in a line that only YAML sees."""
    try:
        text = between.decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        return True
    return bool(_OTHER_LINES.search(text) or forbidden_character.search(text))


def _find(data: bytes, section: bytes, begin: int) -> int:
    """Give where a section begins, behind a line's end; the end of the file where there is none.

    Other threads have their turn only between two steps, so each is short.
    """
    for at in range(begin, len(data), _STEP):
        found = data.find(section, at, at + _STEP + len(section))
        if found >= 0:
            return found + 1
    return len(data)


def _split(data: bytes, begin: int, end: int, dash: bytes) -> Iterator[bytes]:
    """Split what lies between two places, in as short steps; each item keeps its line's end."""
    separator = b"\n" + dash
    while (at := data.find(separator, begin, end)) >= 0:
        yield data[begin : at + 1]
        begin = at + len(separator)
    yield data[begin:end]
