"""AVIF: boxes with items (HEIF, ISO/IEC 23008-12), with the tracks of an animation, or with both.

The file says in many places where something is in it. So nothing is moved: boxes that are
not needed become free space, and all data become zeros but those of what is shown.
"""

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator
from itertools import takewhile

from feeds.pictures.boxes import Box, Numbers, boxes, clear, erase, free, invalid

# Properties: decoding and layers; colours; the shape, the visible part, rotation, mirroring.
# Without an unknown one, decoders do not show an item for which it is essential.
_PROPERTIES = {
    *b"av1C ispe pixi auxC a1op a1lx lsel rloc rref".split(),
    *b"colr clli mdcv cclv amve ndwt reve".split(),
    *b"pasp clap irot imir iscl".split(),
}
# What is kept in a file, and in each box that consists of others.
_KEPT = {
    b"": {b"ftyp", b"meta", b"moov", b"mdat"},
    b"meta": {*b"hdlr dinf pitm iinf iloc iref iprp idat grpl".split()},
    b"iprp": {b"ipco", b"ipma"},
    b"ipco": _PROPERTIES,
    b"moov": {b"mvhd", b"trak"},
    b"trak": {*b"tkhd tref edts mdia".split()},
    b"mdia": {*b"mdhd hdlr minf".split()},
    b"minf": {*b"vmhd nmhd dinf stbl".split()},
    b"stbl": {*b"stsd stts ctts cslg stss sdtp sgpd sbgp stsz stsc stco co64".split()},
}
# Of any other type, the first box counts.
_REPEATED = {*b"mdat ipma trak sgpd sbgp".split(), *_PROPERTIES}
# They begin with the dates of creation and of the last change.
_DATED = {b"mvhd", b"tkhd", b"mdhd"}
# Tracks of pictures, of their transparency, of video.
_HANDLERS = {b"pict", b"auxv", b"vide"}
# Items that are coded pictures, or made of others: a grid, a composition, a copy, one with
# more brightness by a gain map, one with more precision.
_PICTURES = {*b"av01 grid iovl iden tmap sato".split()}
# What libavif calls pictures. Any other name is removed.
_NAMES = {b"", b"Color", b"Alpha"}
# What links an item to others that are shown: those it is made of, its transparency, its other
# forms. Not a thumbnail, a description, a stereo pair.
_LINKS = {b"dimg", b"auxl", b"altr"}

# Where data start and end.
_Range = tuple[int, int]


def is_avif(data: bytes) -> bool:
    """Return whether a file says that it is AVIF, among other names of its type."""
    if data[4:8] != b"ftyp":
        return False
    # Its brands, and between the first two a version. 1: a longer length follows; 0: to the end.
    length = int.from_bytes(data[:4])
    brands = data[8 : length if length > 1 else 64]
    return any(brands[at : at + 4] in {b"avif", b"avis"} for at in range(0, len(brands), 4))


def without_metadata(data: bytes) -> bytes:
    """Return an AVIF file without metadata, and without what follows its image."""
    top = boxes(data, 0, len(data), fill=False)
    # Another file can follow, such as a video.
    top[1:] = takewhile(lambda box: box.kind != b"ftyp", top[1:])
    while top[-1].kind not in {*_KEPT[b""], b"free", b"skip"}:
        top.pop()
    copy = bytearray(data[: top[-1].end])
    kept = _erase_others(copy, top, b"")
    places = [box for box in top if box.kind == b"mdat"]
    needed: set[_Range] = set()
    if b"meta" in kept:
        items = _inner(copy, kept[b"meta"])
        needed.update(_item_data(copy, items, _shown_items(copy, items)))
        places += [items[b"idat"]] if b"idat" in items else []
    if b"moov" in kept:
        needed.update(_track_data(copy, kept[b"moov"]))
    # Some data are in a picture and in an animation, too. More would be a hostile file.
    if not 0 < sum(end - start for start, end in needed) <= 2 * len(copy):
        raise invalid()
    for place in places:
        clear(copy, place.body, place.end)
    places.sort(key=lambda box: box.body)
    for start, end in needed:
        place = places[bisect(places, start, key=lambda box: box.body) - 1]
        if not place.body <= start < end <= place.end:
            raise invalid()
        copy[start:end] = data[start:end]
    return bytes(copy)


def _children(copy: bytearray, box: Box) -> list[Box]:
    # They have a version.
    versioned = box.kind in {b"meta", b"iref"}
    return boxes(copy, box.body + 4 * versioned, box.end)


def _inner(copy: bytearray, box: Box, *path: bytes) -> dict[bytes, Box]:
    """Return the first box of each type in a box, or in the one to which a path leads."""
    found = {one.kind: one for one in reversed(_children(copy, box))}
    return _inner(copy, found[path[0]], *path[1:]) if path else found


def _erase_others(copy: bytearray, inner: list[Box], parent: bytes) -> dict[bytes, Box]:
    """Erase what is not kept in a box, and in those in it; return the first box of each type."""
    found: dict[bytes, Box] = {}
    for box in inner:
        if box.kind not in _KEPT[parent] or (box.kind in found and box.kind not in _REPEATED):
            erase(copy, box)
            continue
        found.setdefault(box.kind, box)
        if box.kind in _KEPT:
            _erase_others(copy, _children(copy, box), box.kind)
        elif box.kind in _DATED:
            size = 16 if copy[box.body] else 8
            clear(copy, box.body + 4, min(box.body + 4 + size, box.end))
        elif box.kind == b"hdlr":
            # A name follows the type.
            clear(copy, box.body + 24, box.end)
    return found


def _shown_items(copy: bytearray, meta: dict[bytes, Box]) -> set[int]:
    """Return the items that are shown, and erase the type and the name of the others."""
    linked = _links(copy, meta)
    needed: set[int] = set()
    left = {Numbers(copy, meta[b"pitm"]).read(4 if copy[meta[b"pitm"].body] else 2)}
    while left := left - needed:
        needed |= left
        left = {other for item in left for other in linked[item]}
    shown = set()
    table = meta[b"iinf"]
    for box in boxes(copy, table.body + (8 if copy[table.body] else 6), table.end):
        numbers = Numbers(copy, box)
        item = numbers.read({2: 2, 3: 4}[copy[box.body]])
        # After its protection.
        numbers.read(2)
        known = numbers.read(4).to_bytes(4) in _PICTURES and item in needed
        if known:
            shown.add(item)
        else:
            copy[numbers.position - 4 : numbers.position] = b"free"
        # Its name follows, and of some types the type of its content.
        if not known or bytes(copy[numbers.position : box.end]).rstrip(b"\0") not in _NAMES:
            clear(copy, numbers.position, box.end)
    return shown


def _links(copy: bytearray, meta: dict[bytes, Box]) -> defaultdict[int, set[int]]:
    """Return which items belong together, and rename what says other things of items.

    That keeps the numbers of items, because decoders refuse a reference that has none.
    """
    linked = defaultdict(set)
    for parent in (meta[kind] for kind in (b"iref", b"grpl") if kind in meta):
        group = parent.kind == b"grpl"
        size = 4 if group or copy[parent.body] else 2
        for box in _children(copy, parent):
            # A reference has no version. A group has a number that no item has.
            numbers = Numbers(copy, box, 4 if group else 0)
            source = numbers.read(size)
            for _ in numbers.count(4 if group else 2):
                item = numbers.read(size)
                if box.kind in _LINKS:
                    linked[source].add(item)
                    linked[item].add(source)
            # Whether colours include their transparency is needed, but links nothing.
            if box.kind not in {*_LINKS, b"prem"}:
                free(copy, box)
    return linked


def _item_data(copy: bytearray, meta: dict[bytes, Box], shown: set[int]) -> Iterator[_Range]:
    """Yield where the data of items are."""
    table = meta[b"iloc"]
    version = copy[table.body]
    numbers = Numbers(copy, table)
    sizes = numbers.read(2)
    offset_size, length_size, base_size, index_size = (sizes >> bit & 15 for bit in (12, 8, 4, 0))
    item_size = {0: 2, 1: 2, 2: 4}[version]
    for _ in numbers.count(item_size):
        item = numbers.read(item_size)
        # 0: in the file; 1: in `idat`; 2: in another item, which decoders refuse.
        method = numbers.read(2) & 15 if version else 0
        if method > 1:
            raise invalid()
        numbers.read(2)
        base = numbers.read(base_size) + (meta[b"idat"].body if method else 0)
        for _ in numbers.count(2):
            numbers.read(index_size if version else 0)
            start = base + numbers.read(offset_size)
            end = start + numbers.read(length_size)
            if item in shown:
                yield start, end


def _track_data(copy: bytearray, movie: Box) -> Iterator[_Range]:
    """Yield where the samples of tracks are, and erase the tracks that are not shown."""
    for track in _children(copy, movie):
        if track.kind == b"trak":
            media = _inner(copy, track, b"mdia")
            kind = media[b"hdlr"].body + 8
            if bytes(copy[kind : kind + 4]) in _HANDLERS:
                yield from _chunks(copy, _inner(copy, media[b"minf"], b"stbl"))
            else:
                erase(copy, track)


def _chunks(copy: bytearray, tables: dict[bytes, Box]) -> Iterator[_Range]:
    """Yield where the chunks of samples of a track are."""
    chunks = tables.get(b"stco") or tables[b"co64"]
    sizes, runs, starts = (Numbers(copy, box) for box in (tables[b"stsz"], tables[b"stsc"], chunks))
    # If all samples have the same size, there is no list of sizes.
    size = sizes.read(4)
    lengths = [] if size else [sizes.read(4) for _ in sizes.count(4)]
    # From a chunk on, the number of samples in each, and a description; chunks count from 1.
    numbers = {runs.read(4): runs.read(8) >> 32 for _ in runs.count(4)}
    number = sample = 0
    for chunk in starts.count(4):
        number = numbers.get(chunk + 1, number)
        start = starts.read(4 if chunks.kind == b"stco" else 8)
        yield start, start + (size * number or sum(lengths[sample : sample + number]))
        sample += number
