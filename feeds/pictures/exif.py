"""The orientation in Exif metadata (CIPA DC-008), the one field by which a picture is shown."""

import struct

_ORIENTATION = 0x0112
_SHORT = 3
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
# JPEG has it always. In PNG and WebP it is wrong, and still written by some programs.
PREFIX = b"Exif\0\0"


def orientation_alone(exif: bytes) -> bytes:
    """Return Exif metadata that has the orientation of a picture, and nothing else.

    Empty if the picture is shown as it is stored. The prefix is kept as it is: on it
    depends which programs rotate the picture.
    """
    prefix = PREFIX if exif.startswith(PREFIX) else b""
    value = _orientation(exif[len(prefix) :])
    if value == 1:
        return b""
    # A header, and a directory with one entry at offset 8.
    return prefix + struct.pack(">4sIHHHIHHI", b"MM\0*", 8, 1, _ORIENTATION, _SHORT, 1, value, 0, 0)


def _orientation(tiff: bytes) -> int:
    """Return the orientation, from 1 to 8, as browsers read it; 1 if it is not valid."""
    order = _BYTE_ORDERS.get(tiff[:4])
    if not order:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, number, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
            if tag == _ORIENTATION:
                valid = kind == _SHORT and number == 1 and 1 <= value <= 8  # noqa: PLR2004  # of TIFF
                return value if valid else 1
    except struct.error:
        pass
    return 1
