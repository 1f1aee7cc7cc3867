"""The items of an AVIF file (HEIF, ISO/IEC 23008-12): pictures, and metadata on them."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from feeds.pictures.avif_properties import shown_properties
from feeds.pictures.boxes import (
    Box,
    Numbers,
    Range,
    children,
    filler,
    free_space,
    invalid,
    merged,
    new_box,
)

# The boxes in a `meta` box: all items, where their data are, which one is shown.
_ENTRIES, _LOCATIONS, _PRIMARY = b"iinf", b"iloc", b"pitm"
_REFERENCES, _GROUPS, _DATA = b"iref", b"grpl", b"idat"
# Items that are coded pictures, or made of others: a grid, a composition, a copy, one with
# more brightness by a gain map, one with more precision.
_PICTURES = {b"av01", b"grid", b"iovl", b"iden", b"tmap", b"sato"}
# References: what is derived from what, the transparency of what, and whether colours
# include it. Not `cdsc`, a description, and `thmb`, a thumbnail.
_DERIVED, _AUXILIARY = b"dimg", b"auxl"
_SHOWN_REFERENCES = {_DERIVED, _AUXILIARY, b"prem"}
# A group: forms of a picture of which a decoder chooses one.
_ALTERNATIVES = b"altr"
# Where the data of an item are: in the file, or in `idat`.
_IN_FILE, _IN_META = 0, 1
# The versions of `iloc` and `infe` in which the number of an item has four bytes.
_LONG_LOCATIONS, _LONG_ENTRY = 2, 3


class _Entry(NamedTuple):
    item: int
    kind: bytes
    box: Box


class _Related(NamedTuple):
    """A reference of an item to others, or a group of items, which has no `source`."""

    kind: bytes
    source: int
    items: list[int]
    box: Box


class _Location(NamedTuple):
    item: int
    method: int
    ranges: list[Range]
    entry: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class _Items:
    """What a `meta` box says of its items. The others are neither shown nor dropped: unknown."""

    entries: list[_Entry]
    locations: list[_Location]
    references: list[_Related]
    groups: list[_Related]
    shown: set[int]
    dropped: set[int]

    def ranges(self, method: int) -> list[Range]:
        """Return where the data of items that are shown are."""
        found = [one for one in self.locations if one.item in self.shown]
        if any(one.method not in {_IN_FILE, _IN_META} for one in found):
            raise invalid()
        return [span for one in found if one.method == method for span in one.ranges]


def shown_items(data: bytes, meta: Box) -> tuple[bytes, list[Range]]:
    """Return the content of a `meta` box with the items that are shown, and where their data are.

    The content has the same length: free space at its end takes the place of the others.
    """
    boxes = children(data, meta.body + 4, meta.end)
    # Of several of one type, decoders read the first, or none.
    first = {box.kind: box for box in reversed(boxes)}
    items = _items(data, first)
    content = bytearray(data[meta.body : meta.body + 4])
    for box in boxes:
        write = _WRITE.get(box.kind)
        if write and (box is first[box.kind] or write is _free):
            content += write(data, box, items)
    content += filler(meta.end - meta.body - len(content))
    return bytes(content), items.ranges(_IN_FILE)


def _items(data: bytes, first: Mapping[bytes, Box]) -> _Items:
    if not first.keys() >= {_ENTRIES, _LOCATIONS, _PRIMARY}:
        raise invalid()
    entries = _entries(data, first[_ENTRIES])
    references = _references(data, first[_REFERENCES]) if _REFERENCES in first else []
    groups = _groups(data, first[_GROUPS]) if _GROUPS in first else []
    numbers = Numbers(data, first[_PRIMARY])
    primary = numbers.read(4 if numbers.version else 2)
    kinds = {entry.item: entry.kind for entry in entries}
    shown = _shown(primary, kinds, [*references, *groups])
    if not shown:
        raise invalid()
    return _Items(
        entries=entries,
        locations=_locations(data, first[_LOCATIONS], first.get(_DATA)),
        references=references,
        groups=groups,
        shown=shown,
        dropped=kinds.keys() - shown,
    )


def _shown(primary: int, kinds: Mapping[int, bytes], related: list[_Related]) -> set[int]:
    """Return the items that are needed to show the primary one in any of its forms."""
    needed: dict[int, list[int]] = defaultdict(list)
    for one in related:
        if one.kind == _DERIVED:
            needed[one.source] += one.items
        elif one.kind == _AUXILIARY:
            for item in one.items:
                needed[item].append(one.source)
        elif one.kind == _ALTERNATIVES and primary in one.items:
            needed[primary] += one.items
    shown: set[int] = set()
    left = [primary]
    while left:
        item = left.pop()
        if item not in shown and kinds.get(item) in _PICTURES:
            shown.add(item)
            left += needed[item]
    return shown


def _entries(data: bytes, box: Box) -> list[_Entry]:
    numbers = Numbers(data, box)
    numbers.read_count(4 if numbers.version else 2)
    found = []
    for entry in children(data, numbers.position, box.end):
        fields = Numbers(data, entry)
        item = fields.read(4 if fields.version == _LONG_ENTRY else 2)
        # Protection, then the type, which the first versions do not have.
        fields.read(2)
        kind = (
            fields.read(4).to_bytes(4) if fields.version in {_LONG_ENTRY - 1, _LONG_ENTRY} else b""
        )
        found.append(_Entry(item, kind, entry))
    return found


def _references(data: bytes, box: Box) -> list[_Related]:
    numbers = Numbers(data, box)
    size = 4 if numbers.version else 2
    found = []
    for one in children(data, numbers.position, box.end):
        numbers.position = one.body
        source = numbers.read(size)
        items = [numbers.read(size) for _ in range(numbers.read_count(2))]
        found.append(_Related(one.kind, source, items, one))
    return found


def _groups(data: bytes, box: Box) -> list[_Related]:
    found = []
    for one in children(data, box.body, box.end):
        numbers = Numbers(data, one)
        numbers.read(4)
        items = [numbers.read(4) for _ in range(numbers.read_count(4))]
        found.append(_Related(one.kind, 0, items, one))
    return found


def _locations(data: bytes, box: Box, idat: Box | None) -> list[_Location]:
    numbers = Numbers(data, box)
    sizes = numbers.read(2)
    offset_size, length_size, base_size, index_size = (
        sizes >> shift & 15 for shift in (12, 8, 4, 0)
    )
    item_size = 4 if numbers.version == _LONG_LOCATIONS else 2
    found = []
    for _ in range(numbers.read_count(item_size)):
        start = numbers.position
        item = numbers.read(item_size)
        method = numbers.read(2) & 15 if numbers.version else _IN_FILE
        numbers.read(2)
        base = numbers.read(base_size)
        if method == _IN_META and idat:
            base += idat.body
        ranges = []
        for _ in range(numbers.read_count(2)):
            numbers.read(index_size if numbers.version else 0)
            offset = base + numbers.read(offset_size)
            ranges.append((offset, offset + numbers.read(length_size)))
        found.append(_Location(item, method, ranges, (start, numbers.position)))
    return found


def _same(data: bytes, box: Box, _items: _Items) -> bytes:
    return data[box.start : box.end]


def _free(data: bytes, box: Box, _items: _Items) -> bytes:
    return free_space(data, box)


def _with_entries(data: bytes, box: Box, items: _Items) -> bytes:
    shown = [data[b.start : b.end] for item, _, b in items.entries if item in items.shown]
    head = data[box.body : box.body + 4]
    size = 4 if head[0] else 2
    return new_box(box.kind, head + len(shown).to_bytes(size) + b"".join(shown))


def _with_locations(data: bytes, box: Box, items: _Items) -> bytes:
    kept = [one.entry for one in items.locations if one.item not in items.dropped]
    # Version, flags and sizes.
    head = data[box.body : box.body + 6]
    size = 4 if head[0] == _LONG_LOCATIONS else 2
    entries = b"".join(data[start:end] for start, end in kept)
    return new_box(box.kind, head + len(kept).to_bytes(size) + entries)


def _with_references(data: bytes, box: Box, items: _Items) -> bytes:
    head = data[box.body : box.body + 4]
    size = 4 if head[0] else 2
    content = bytearray(head)
    for kind, source, targets, _ in items.references:
        kept = [item for item in targets if item not in items.dropped]
        if kind in _SHOWN_REFERENCES and kept and source not in items.dropped:
            numbers = b"".join(item.to_bytes(size) for item in kept)
            content += new_box(kind, source.to_bytes(size) + len(kept).to_bytes(2) + numbers)
    return new_box(box.kind, bytes(content))


def _with_groups(data: bytes, box: Box, items: _Items) -> bytes:
    content = bytearray()
    for kind, _, members, one in items.groups:
        kept = [item for item in members if item not in items.dropped]
        if kind == _ALTERNATIVES and kept:
            # Version, flags, and the group's own number.
            head = data[one.body : one.body + 8] + len(kept).to_bytes(4)
            content += new_box(kind, head + b"".join(item.to_bytes(4) for item in kept))
    return new_box(box.kind, bytes(content))


def _with_properties(data: bytes, box: Box, items: _Items) -> bytes:
    return shown_properties(data, box, items.dropped)


def _with_data(data: bytes, box: Box, items: _Items) -> bytes:
    content = bytearray(box.end - box.body)
    for start, end in merged(items.ranges(_IN_META), [box]):
        content[start - box.body : end - box.body] = data[start:end]
    return new_box(box.kind, bytes(content))


# What a `meta` box may have, and how it is written.
_WRITE: dict[bytes, Callable[[bytes, Box, _Items], bytes]] = {
    b"hdlr": _same,
    b"dinf": _same,
    _PRIMARY: _same,
    b"free": _free,
    b"skip": _free,
    _ENTRIES: _with_entries,
    _LOCATIONS: _with_locations,
    _REFERENCES: _with_references,
    _GROUPS: _with_groups,
    b"iprp": _with_properties,
    _DATA: _with_data,
}
