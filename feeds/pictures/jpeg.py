"""JPEG (ITU-T T.81, JFIF in T.871): segments, each with a marker, and scans of pixels."""

import re
from collections.abc import Iterator

from feeds.pictures.damaged import DamagedPicture
from feeds.pictures.exif import PREFIX, orientation_alone

# A marker that begins a segment or ends the image. Decoders skip all else between
# segments. In a scan it belongs to the pixels: stuffing (FF 00), restart markers (D0 to
# D7), fill bytes and damage.
_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
# The start of a frame, which has the size and the kind of coding.
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
# Those, tables for coding and quantization, restart interval, number of lines, and scans.
_PIXELS = _FRAMES | {0xC4, 0xCC, 0xDB, 0xDC, 0xDD, _SOS}
_JFIF_BYTES = 14
_ADOBE_BYTES = 12


def without_metadata(data: bytes) -> bytes:
    """Return a JPEG file without metadata, and without what follows its image.

    An image that is cut short in its pixels stays so.
    """
    view = memoryview(data)
    kept = bytearray(data[:2])
    seen: set[int] = set()
    exif = b""
    marker, end = _SOI, 2
    for marker, start, end in _segments(data):
        if marker in _PIXELS:
            kept += view[start:end]
        elif _SOS not in seen:
            payload = data[start + 4 : end]
            if marker == _APP1 and payload.startswith(PREFIX):
                # Of several, the first is the one that browsers read.
                payload, exif = (b"" if exif else orientation_alone(payload)), PREFIX
            else:
                payload = _allowed(marker, payload)
            if payload:
                kept += bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2) + payload
        seen.add(marker)
    if _SOS not in seen or not seen & _FRAMES:
        raise DamagedPicture("is not a valid JPEG file")
    if marker != _SOS or end < len(data):
        kept += bytes((0xFF, _EOI))
    return bytes(kept)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker, the start and the end of each segment; that of a scan has its pixels."""
    end = 2
    while found := _MARKER.search(data, end):
        start, after = found.span()
        marker = data[after - 1]
        length = int.from_bytes(data[after : after + 2])
        end = after + length
        if marker in (_SOI, _EOI) or length < 2 or end > len(data):  # noqa: PLR2004  # its own size
            return
        if marker == _SOS:
            following = _MARKER.search(data, end)
            end = following.start() if following else len(data)
        yield marker, start, end


def _allowed(marker: int, payload: bytes) -> bytes:
    """Return what is kept of a segment before the pixels; empty if that is nothing."""
    if marker == _APP0 and payload.startswith(b"JFIF\0") and len(payload) >= _JFIF_BYTES:
        # It ends with the size of a thumbnail, and the thumbnail.
        return payload[: _JFIF_BYTES - 2] + bytes(2)
    if marker == _APP2 and payload.startswith(b"ICC_PROFILE\0"):
        return payload
    if marker == _APP14 and payload.startswith(b"Adobe") and len(payload) >= _ADOBE_BYTES:
        # It says whether colours are RGB, YCbCr, CMYK or YCCK.
        return payload[:_ADOBE_BYTES]
    return b""
