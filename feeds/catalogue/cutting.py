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

_ENTRIES = re.compile(rb"entries:(?: +#[^\n]*| *)\r?\n(?: *(?:#[^\n]*)?\r?\n)*( *- )")
_SECTIONS = (b"\nsite:", b"\ntopics:", b"\ncountries:")

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
        return self.dash + self.items[number] + b"\n"

    def starts(self) -> list[int]:
        """Give where in the file each item begins."""
        between = len(self.dash) + 1
        return list(accumulate((len(item) + between for item in self.items), initial=self.start))


def cut(data: bytes) -> Cut | None:
    """Cut a file; None for one whose `entries:` is no list of lines that begin with `- `."""
    begin = 0 if data.startswith(b"entries:") else data.find(b"\nentries:") + 1
    first = _ENTRIES.match(data, begin)
    if not first:
        return None
    # One that stands before stands behind as a mistake alone, and then is no item.
    head = b"\n" + data[:begin]
    others = [section for section in _SECTIONS if section not in head]
    end = min((_find(data, other, first.end()) for other in others), default=len(data))
    items = _split(data, first.end(), end, b"\n" + first[1])
    return Cut(
        head=Part(0, data[:begin]),
        tail=Part(end, data[end:]),
        dash=first[1],
        start=first.start(1),
        items=tuple(items),
    )


def _find(data: bytes, section: bytes, begin: int) -> int:
    """Give where a section begins; the end where there is none.

    Other threads have their turn only between two steps, so each is short.
    """
    for at in range(begin, len(data), _STEP):
        found = data.find(section, at, at + _STEP + len(section))
        if found >= 0:
            return found
    return len(data)


def _split(data: bytes, begin: int, end: int, separator: bytes) -> Iterator[bytes]:
    """Split what lies between two places, in as short steps."""
    while (at := data.find(separator, begin, end)) >= 0:
        yield data[begin:at]
        begin = at + len(separator)
    yield data[begin:end]
