"""GIF (89a): images and extensions, each a header and a list of sub-blocks."""

from feeds.pictures.damaged import DamagedPicture

_HEADER_BYTES = 13
_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_GRAPHIC_CONTROL, _APPLICATION = 0xF9, 0xFF
# How often an animation repeats, and a colour profile. Others have XMP, for example.
_APPLICATIONS = (b"\x0bNETSCAPE2.0", b"\x0bANIMEXTS1.0", b"\x0bICCRGBG1012")
_HAS_PALETTE, _PALETTE_SIZE = 0x80, 0x07


def without_metadata(data: bytes) -> bytes:
    """Return a GIF file without metadata, and without what follows its images.

    As in browsers, what is not a block ends the file; it can also end without a trailer.
    """
    view = memoryview(data)
    position = _HEADER_BYTES + _palette_bytes(data[_HEADER_BYTES - 3])
    kept = bytearray(view[:position])
    drawn = False
    while position < len(data) and data[position] in (_IMAGE, _EXTENSION):
        start = position
        if data[start] == _IMAGE:
            # Separator, position, size, flags, palette, and the size of a code.
            position += 10 + _palette_bytes(data[start + 9]) + 1
            allowed = drawn = True
        else:
            position += 2
            allowed = _is_allowed(data, position)
        while size := data[position]:
            position += 1 + size
        position += 1
        if allowed:
            kept += view[start:position]
    if not drawn:
        raise DamagedPicture("is not a valid GIF file")
    if position < len(data):
        kept.append(_TRAILER)
    return bytes(kept)


def _palette_bytes(flags: int) -> int:
    """Return the size of a palette, which the flags before it give."""
    return 3 << (flags & _PALETTE_SIZE) + 1 if flags & _HAS_PALETTE else 0


def _is_allowed(data: bytes, position: int) -> bool:
    """Return whether an extension is needed; `position` is that of its sub-blocks."""
    label = data[position - 1]
    if label == _APPLICATION:
        return data.startswith(_APPLICATIONS, position)
    return label == _GRAPHIC_CONTROL
