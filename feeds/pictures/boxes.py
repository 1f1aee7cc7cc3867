"""Boxes of the ISO base media file format (ISO/IEC 14496-12), which AVIF consists of."""

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from struct import unpack_from
from typing import NamedTuple

from feeds.pictures.damaged import DamagedPicture

_HEADER_BYTES = 8
# Far more than a picture has. It bounds time and memory for hostile files.
_MAX_NUMBER = 100_000

# Where something starts and ends in a file.
Range = tuple[int, int]


class Box(NamedTuple):
    """One box: its type, where it starts, where its content starts, and where it ends."""

    kind: bytes
    start: int
    body: int
    end: int


def walk(data: bytes, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two positions, as far as there are any."""
    for _ in range(_MAX_NUMBER):
        if end - start < _HEADER_BYTES:
            return
        length, kind = unpack_from(">I4s", data, start)
        body = start + _HEADER_BYTES
        if length == 0:
            # To the end.
            length = end - start
        elif length == 1:
            (length,) = unpack_from(">Q", data, body)
            body += 8
        after = start + length
        if not body <= after <= end:
            return
        yield Box(kind, start, body, after)
        start = after
    raise invalid()


def children(data: bytes, start: int, end: int) -> list[Box]:
    """Return the boxes that fill the space between two positions."""
    found = list(walk(data, start, end))
    if (found[-1].end if found else start) != end:
        raise invalid()
    return found


def new_box(kind: bytes, body: bytes) -> bytes:
    """Return a box."""
    return (len(body) + _HEADER_BYTES).to_bytes(4) + kind + body


def filler(length: int) -> bytes:
    """Return free space of a length, which is 0 or enough for a box."""
    if 0 < length < _HEADER_BYTES:
        raise invalid()
    return new_box(b"free", bytes(length - _HEADER_BYTES)) if length else b""


def free_header(data: bytes, box: Box) -> bytes:
    """Return the header of free space that is as long as a box."""
    return data[box.start : box.start + 4] + b"free" + data[box.start + 8 : box.body]


def free_space(data: bytes, box: Box) -> bytes:
    """Return free space that is as long as a box."""
    return free_header(data, box) + bytes(box.end - box.body)


def merged(ranges: Iterable[Range], places: Sequence[Box]) -> list[Range]:
    """Return ranges sorted and without overlaps. Each must be in the content of a box."""
    found: list[Range] = []
    for start, end in sorted(ranges):
        if start == end:
            continue
        if found and start <= found[-1][1]:
            start, last = found.pop()  # noqa: PLW2901  # continues it
            end = max(end, last)  # noqa: PLW2901  # continues it
        found.append((start, end))
    bodies = [box.body for box in places]
    for start, end in found:
        place = bisect(bodies, start) - 1
        if place < 0 or end > places[place].end:
            raise invalid()
    return found


def invalid() -> DamagedPicture:
    """Return the error to raise."""
    return DamagedPicture("is not a valid AVIF file")


class Numbers:
    """Reads the numbers of a box that has a version, one after another.

    Attributes:
        version: what it begins with; three bytes of flags follow.
        flags: these.
        position: that of the next number.
    """

    def __init__(self, data: bytes, box: Box) -> None:
        self._data = data
        self._end = box.end
        self._counted = 0
        self.position = box.body
        self.version = self.read(1)
        self.flags = self.read(3)

    def read(self, size: int) -> int:
        """Return the next number, which has `size` bytes; one of no bytes is 0."""
        start, self.position = self.position, self.position + size
        if self.position > self._end:
            raise invalid()
        return int.from_bytes(self._data[start : self.position])

    def read_count(self, size: int) -> int:
        """Return the next number, which says how many of something follow."""
        number = self.read(size)
        self._counted += number
        if self._counted > _MAX_NUMBER:
            raise invalid()
        return number
