"""WebP (RFC 9649): chunks in a RIFF file, and in each frame of an animation."""

from collections.abc import Iterator
from struct import pack, unpack_from

from feeds.pictures.damaged import DamagedPicture
from feeds.pictures.exif import orientation_alone

# The type and the length of a chunk, and of the file.
_HEADER_BYTES = 8
_SIGNATURE_BYTES = 12
_FEATURES, _FRAME, _EXIF = b"VP8X", b"ANMF", b"EXIF"
_PIXELS = {b"ALPH", b"VP8 ", b"VP8L"}
_ALLOWED = _PIXELS | {_FEATURES, b"ANIM", b"ICCP"}
_FEATURES_BYTES = 10
# Position, size, duration and blending of a frame.
_FRAME_HEADER_BYTES = 16
# Where the flags of the features are: these can only be the first chunk.
_FLAGS = _SIGNATURE_BYTES + _HEADER_BYTES
_HAS_EXIF, _HAS_XMP = 0x08, 0x04


def without_metadata(data: bytes) -> bytes:
    """Return a WebP file without metadata, and without what follows its image."""
    (length,) = unpack_from("<I", data, 4)
    end = _HEADER_BYTES + length
    if end > len(data):
        raise DamagedPicture("is not a valid WebP file")
    view = memoryview(data)
    kept = bytearray(data[:_SIGNATURE_BYTES])
    kinds: set[bytes] = set()
    exif = b""
    for kind, start, after in _chunks(data, len(kept), end):
        if kind == _FEATURES and (kinds or after - start < _HEADER_BYTES + _FEATURES_BYTES):
            raise DamagedPicture("is not a valid WebP file")
        if kind in _ALLOWED:
            kept += view[start:after]
        elif kind == _FRAME:
            kept += _frame(data, start, after)
        elif kind == _EXIF and kind not in kinds and _FEATURES in kinds:
            # Decoders ignore it without its flag.
            if data[_FLAGS] & _HAS_EXIF:
                exif = orientation_alone(data[start + _HEADER_BYTES : after])
            kept += _chunk(_EXIF, exif) if exif else b""
        kinds.add(kind)
    if not kinds & {*_PIXELS, _FRAME}:
        raise DamagedPicture("is not a valid WebP file")
    if _FEATURES in kinds:
        kept[_FLAGS] &= ~(_HAS_XMP | (0 if exif else _HAS_EXIF))
    kept[4:8] = pack("<I", len(kept) - _HEADER_BYTES)
    return bytes(kept)


def _chunks(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the type, the start and the end of each chunk; the end is that of its padding.

    Some programs leave out the padding of the last one.
    """
    while start < end:
        kind, length = unpack_from("<4sI", data, start)
        after = start + _HEADER_BYTES + length
        if after > end:
            raise DamagedPicture("is not a valid WebP file")
        after = min(after + length % 2, end)
        yield kind, start, after
        start = after


def _frame(data: bytes, start: int, end: int) -> bytes:
    """Return a frame of an animation without unknown chunks."""
    (length,) = unpack_from("<I", data, start + 4)
    if length < _FRAME_HEADER_BYTES:
        raise DamagedPicture("is not a valid WebP file")
    body = start + _HEADER_BYTES
    kept = bytearray(data[body : body + _FRAME_HEADER_BYTES])
    for kind, inner, after in _chunks(data, body + _FRAME_HEADER_BYTES, body + length):
        if kind in _PIXELS:
            kept += data[inner:after]
    # Where its padding was left out, it still is.
    return _chunk(_FRAME, bytes(kept))[: end - start]


def _chunk(kind: bytes, payload: bytes) -> bytes:
    """Return a chunk with its padding."""
    return pack("<4sI", kind, len(payload)) + payload + bytes(len(payload) % 2)
