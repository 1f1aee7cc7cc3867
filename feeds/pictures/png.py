"""PNG (W3C, third edition, with animations): chunks, each with a length, a type and a checksum."""

from struct import unpack_from
from zlib import crc32

from feeds.pictures.damaged import DamagedPicture
from feeds.pictures.exif import orientation_alone

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Length, type and checksum of a chunk.
_FRAME_BYTES = 12
_HEADER, _PIXELS, _EXIF, _END = b"IHDR", b"IDAT", b"eXIf", b"IEND"
_ALLOWED = {
    # pixels, palette, transparency, animation
    *(_HEADER, _PIXELS, _END, b"PLTE", b"tRNS", b"acTL", b"fcTL", b"fdAT"),
    # colours; two names differ in drafts of the standard
    *(b"cHRM", b"cICP", b"gAMA", b"iCCP", b"sBIT", b"sRGB"),
    *(b"cLLI", b"cLLi", b"mDCV", b"mDCv"),
    # background, and the shape of a pixel
    *(b"bKGD", b"pHYs"),
}


def without_metadata(data: bytes) -> bytes:
    """Return a PNG file without metadata, and without what follows its image."""
    view = memoryview(data)
    kept = bytearray(SIGNATURE)
    kinds = {b""}
    position = len(SIGNATURE)
    while _END not in kinds:
        length, kind = unpack_from(">I4s", data, position)
        end = position + length + _FRAME_BYTES
        # A decoder that does not know a critical chunk cannot decode the picture.
        unknown = kind not in _ALLOWED and kind[:1].isupper()
        if end > len(data) or unknown or (_HEADER in kinds) == (kind == _HEADER):
            raise DamagedPicture("is not a valid PNG file")
        if kind in _ALLOWED:
            kept += view[position:end]
        elif kind == _EXIF and kind not in kinds:
            kept += _chunk(kind, orientation_alone(data[position + 8 : end - 4]))
        kinds.add(kind)
        position = end
    if _PIXELS not in kinds:
        raise DamagedPicture("is not a valid PNG file")
    return bytes(kept)


def _chunk(kind: bytes, payload: bytes) -> bytes:
    """Return a chunk; nothing if it would be empty."""
    if not payload:
        return b""
    return len(payload).to_bytes(4) + kind + payload + crc32(kind + payload).to_bytes(4)
