"""Boxes of the ISO base media file format (ISO/IEC 14496-12), which AVIF and MP4 consist of."""

from mmap import mmap
from struct import unpack_from
from typing import NamedTuple

from feeds.pictures.damaged import DamagedPicture

_HEADER_BYTES = 8
# Far more than a picture has. It bounds time and memory for hostile files.
_MAX_NUMBER = 100_000


class Box(NamedTuple):
    """One box: its type, where it starts, where its content starts, and where it ends."""

    kind: bytes
    start: int
    body: int
    end: int


def invalid() -> DamagedPicture:
    """Return the error to raise."""
    return DamagedPicture("is not a valid AVIF file")


def boxes(data: bytes | bytearray | mmap, start: int, end: int, *, fill: bool = True) -> list[Box]:
    """Return the boxes between two positions, which must fill this space or begin it."""
    found: list[Box] = []
    while end - start >= _HEADER_BYTES:
        length, kind = unpack_from(">I4s", data, start)
        body = start + _HEADER_BYTES
        if length == 0:
            # To the end.
            length = end - start
        elif length == 1:
            (length,) = unpack_from(">Q", data, body)
            body += 8
        if not body <= start + length <= end:
            break
        found.append(Box(kind, start, body, start + length))
        start += length
        if len(found) > _MAX_NUMBER:
            raise invalid()
    if fill and start != end:
        raise invalid()
    return found


def free(copy: bytearray, box: Box) -> None:
    """Write the type of free space into a box, which decoders then ignore."""
    copy[box.start + 4 : box.start + 8] = b"free"


def clear(copy: bytearray, start: int, end: int) -> None:
    """Write zeros between two positions, if there is anything between them."""
    if start < end:
        copy[start:end] = bytes(end - start)


def erase(copy: bytearray, box: Box) -> None:
    """Make free space of a box, full of zeros."""
    free(copy, box)
    clear(copy, box.body, box.end)


class Numbers:
    """Reads the numbers of a box, one after another; by default after its version and flags."""

    def __init__(self, data: bytearray, box: Box, start: int = 4) -> None:
        self._data = data
        self._end = box.end
        self._counted = 0
        self.position = box.body + start

    def read(self, size: int) -> int:
        """Return the next number, which has `size` bytes; one of no bytes is 0."""
        start, self.position = self.position, self.position + size
        if self.position > self._end:
            raise invalid()
        return int.from_bytes(self._data[start : self.position])

    def count(self, size: int) -> range:
        """Return a range as long as the next number says, which is how many of something follow."""
        number = self.read(size)
        self._counted += number
        if self._counted > _MAX_NUMBER:
            raise invalid()
        return range(number)
