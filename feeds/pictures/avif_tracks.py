"""The tracks of an animated AVIF file: samples in chunks, and tables that say where they are."""

from feeds.pictures.boxes import Box, Numbers, Range, children, free_header, invalid

_TRACK, _TABLES = b"trak", b"stbl"
# What is needed in each box that consists of others.
_SHOWN = {
    b"moov": {b"mvhd", _TRACK},
    _TRACK: {b"tkhd", b"tref", b"edts", b"mdia"},
    b"mdia": {b"mdhd", b"hdlr", b"minf"},
    b"minf": {b"vmhd", b"nmhd", b"dinf", _TABLES},
    _TABLES: {
        *(b"stsd", b"stts", b"ctts", b"cslg", b"stss", b"sdtp", b"sgpd", b"sbgp"),
        *(b"stsz", b"stsc", b"stco", b"co64"),
    },
}
# They begin with the dates of creation and of the last change.
_DATED = {b"mvhd", b"tkhd", b"mdhd"}
# The types of tracks that are shown: pictures, their transparency, video.
_HANDLERS = {b"pict", b"auxv", b"vide"}


def copy_tracks(data: bytes, box: Box, copy: bytearray) -> list[Range]:
    """Copy what is needed of a `moov` box, and return where the samples of its tracks are.

    `copy` has zeros there. All else becomes free space.
    """
    copy[box.start : box.body] = data[box.start : box.body]
    if box.kind not in _SHOWN:
        copy[box.body : box.end] = data[box.body : box.end]
        if box.kind in _DATED:
            numbers = Numbers(data, box)
            start, size = numbers.position, 16 if numbers.version else 8
            numbers.read(size)
            copy[start : numbers.position] = bytes(size)
        return []
    inner = children(data, box.body, box.end)
    found = _samples(data, inner) if box.kind == _TABLES else []
    for one in inner:
        if one.kind in _SHOWN[box.kind] and (
            one.kind != _TRACK or _handler(data, one) in _HANDLERS
        ):
            found += copy_tracks(data, one, copy)
        else:
            copy[one.start : one.body] = free_header(data, one)
    return found


def _handler(data: bytes, track: Box) -> bytes:
    """Return the type of a track."""
    for media in children(data, track.body, track.end):
        if media.kind == b"mdia":
            for one in children(data, media.body, media.end):
                if one.kind == b"hdlr":
                    return data[one.body + 8 : one.body + 12]
    return b""


def _samples(data: bytes, tables: list[Box]) -> list[Range]:
    """Return where the samples of a track are: one range for each chunk."""
    first = {one.kind: one for one in reversed(tables)}
    chunks = first.get(b"stco") or first.get(b"co64")
    if not chunks or not first.keys() >= {b"stsz", b"stsc"}:
        raise invalid()
    numbers = Numbers(data, first[b"stsz"])
    # If all samples have the same size, there is no list of sizes.
    size = numbers.read(4)
    sizes = [] if size else [numbers.read(4) for _ in range(numbers.read_count(4))]
    numbers = Numbers(data, first[b"stsc"])
    # From a chunk on, the number of samples in each; chunks count from 1.
    runs = {
        numbers.read(4): (numbers.read(4), numbers.read(4))[0] for _ in range(numbers.read_count(4))
    }
    numbers = Numbers(data, chunks)
    width = 4 if chunks.kind == b"stco" else 8
    found, number, sample = [], 0, 0
    for chunk in range(1, numbers.read_count(4) + 1):
        number = runs.get(chunk, number)
        start = numbers.read(width)
        length = size * number or sum(sizes[sample : sample + number])
        sample += number
        found.append((start, start + length))
    return found
