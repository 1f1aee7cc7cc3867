"""The properties of the items of an AVIF file: their size, their colours, how they are shown."""

from typing import NamedTuple

from feeds.pictures.boxes import Box, Numbers, children, free_space, invalid, new_box

_PROPERTIES, _ASSOCIATIONS = b"ipco", b"ipma"
_SHOWN = {
    # decoding, layers
    *(b"av1C", b"ispe", b"pixi", b"auxC", b"a1op", b"a1lx", b"lsel", b"rloc"),
    # colours
    *(b"colr", b"clli", b"mdcv", b"cclv", b"amve", b"ndwt"),
    # the shape of a pixel, the visible part, rotation, mirroring
    *(b"pasp", b"clap", b"irot", b"imir"),
}


class _Associations(NamedTuple):
    """Which properties each item has: pairs of an item and numbers.

    A number is an index, and its highest bit says whether the property is essential:
    whether a decoder that does not know it must not show the item.
    """

    head: bytes
    item_size: int
    size: int
    entries: list[tuple[int, list[int]]]

    @property
    def essential(self) -> int:
        return 1 << 8 * self.size - 1


def shown_properties(data: bytes, box: Box, dropped: set[int]) -> bytes:
    """Return the box of properties without those of dropped items, and without metadata.

    A property has no other name than its place in the list: so it becomes free space.
    """
    boxes = children(data, box.body, box.end)
    if not boxes or boxes[0].kind != _PROPERTIES:
        raise invalid()
    properties = children(data, boxes[0].body, boxes[0].end)
    lists = [_associations(data, one, dropped) for one in boxes if one.kind == _ASSOCIATIONS]
    essential = {
        number - one.essential
        for one in lists
        for _, numbers in one.entries
        for number in numbers
        if number > one.essential
    }
    shown = {
        index for index, one in enumerate(properties, 1) if one.kind in _SHOWN or index in essential
    }
    content = [
        data[one.start : one.end] if index in shown else free_space(data, one)
        for index, one in enumerate(properties, 1)
    ]
    return new_box(
        box.kind,
        new_box(_PROPERTIES, b"".join(content))
        + b"".join(new_box(_ASSOCIATIONS, _written(one, shown)) for one in lists),
    )


def _associations(data: bytes, box: Box, dropped: set[int]) -> _Associations:
    """Return the properties of all items but the dropped ones."""
    numbers = Numbers(data, box)
    item_size = 4 if numbers.version else 2
    size = 2 if numbers.flags & 1 else 1
    entries = []
    for _ in range(numbers.read_count(4)):
        item = numbers.read(item_size)
        indexes = [numbers.read(size) for _ in range(numbers.read_count(1))]
        if item not in dropped:
            entries.append((item, indexes))
    return _Associations(data[box.body : box.body + 4], item_size, size, entries)


def _written(lists: _Associations, shown: set[int]) -> bytes:
    """Return the content of a box of associations. The index 0 stands for no property."""
    content = bytearray(lists.head + len(lists.entries).to_bytes(4))
    for item, numbers in lists.entries:
        content += item.to_bytes(lists.item_size) + len(numbers).to_bytes(1)
        for number in numbers:
            kept = number & ~lists.essential in shown
            content += (number if kept else 0).to_bytes(lists.size)
    return bytes(content)
