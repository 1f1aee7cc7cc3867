"""AVIF: boxes with items (HEIF, ISO/IEC 23008-12), with the tracks of an animation, or with both.

The file says in many places where something is in it. So nothing is moved: what is left
out becomes free space full of zeros, or nothing at the end of the file.
"""

from itertools import islice, takewhile

from feeds.pictures.avif_items import shown_items
from feeds.pictures.avif_tracks import copy_tracks
from feeds.pictures.boxes import Range, free_header, invalid, merged, walk

_TYPE, _ITEMS, _TRACKS, _DATA = b"ftyp", b"meta", b"moov", b"mdat"
_ALLOWED = {_TYPE, _ITEMS, _TRACKS, _DATA, b"free", b"skip"}
_BRANDS = {b"avif", b"avis"}


def is_avif(data: bytes) -> bool:
    """Return whether a file says that it is AVIF, among other names of its type."""
    if data[4:8] != _TYPE:
        return False
    for box in islice(walk(data, 0, len(data)), 1):
        # Its brands, and between the first two a version.
        content = data[box.body : box.end]
        return any(content[start : start + 4] in _BRANDS for start in range(0, len(content), 4))
    return False


def without_metadata(data: bytes) -> bytes:
    """Return an AVIF file without metadata, and without what follows its image."""
    first, *following = walk(data, 0, len(data))
    # Another file can follow, such as a video.
    boxes = [first, *takewhile(lambda box: box.kind != _TYPE, following)]
    while boxes[-1].kind not in _ALLOWED:
        boxes.pop()
    copy = bytearray(boxes[-1].end)
    kinds: set[bytes] = set()
    needed: list[Range] = []
    for box in boxes:
        copy[box.start : box.body] = data[box.start : box.body]
        if box.kind == _TYPE:
            copy[box.body : box.end] = data[box.body : box.end]
        elif box.kind == _ITEMS and _ITEMS not in kinds:
            copy[box.body : box.end], ranges = shown_items(data, box)
            needed += ranges
        elif box.kind == _TRACKS and _TRACKS not in kinds:
            needed += copy_tracks(data, box, copy)
        elif box.kind != _DATA:
            copy[box.start : box.body] = free_header(data, box)
        kinds.add(box.kind)
    if not kinds & {_ITEMS, _TRACKS}:
        raise invalid()
    for start, end in merged(needed, [box for box in boxes if box.kind == _DATA]):
        copy[start:end] = data[start:end]
    return bytes(copy)
