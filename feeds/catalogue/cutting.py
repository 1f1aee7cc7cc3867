"""Cuts a file at the items of `entries:`, so that each is read, and remembered, by itself.

A catalogue has no aliases, so an item means the same wherever it stands. Each
line that can begin an item begins a part. Whether one does is proved when the
parts are composed: a cut within quotes or brackets leaves a part that is no
YAML, and then the whole file is composed at once.
"""

import re
from itertools import accumulate
from typing import NamedTuple

_ENTRIES = re.compile(rb"entries:[ \t]*(?:#[^\n]*)?\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*( *- )")
_SECTIONS = (b"\nsite:", b"\ntopics:", b"\ncountries:", b"\nentries:")


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
    found = (data.find(section, first.end()) for section in _SECTIONS)
    end = min((at + 1 for at in found if at >= 0), default=len(data))
    items = data[first.end() : end].split(b"\n" + first[1])
    return Cut(
        head=Part(0, data[:begin]),
        tail=Part(end, data[end:]),
        dash=first[1],
        start=first.start(1),
        items=tuple(items),
    )
