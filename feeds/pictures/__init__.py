"""Pictures as they are published: without what they say of who took them, where and with what.

Each type of file has a list of what it may have: all that is needed to show the picture.
Nothing is decoded or encoded again, so each pixel stays the same.
"""

import struct
from collections.abc import Callable

from feeds.pictures import avif, gif, jpeg, png, webp
from feeds.pictures.damaged import DamagedPicture

__all__ = ["DamagedPicture", "without_metadata"]


def without_metadata(data: bytes) -> bytes:
    """Return a picture file with what is needed to show it, and nothing else.

    Kept are pixels, transparency, animation, colours with their profile, and the
    orientation. A picture that has nothing else is returned unchanged, and so is a file
    that does not begin like an AVIF, GIF, JPEG, PNG or WebP file.

    Raises:
        DamagedPicture: the file begins like a picture and is not a valid one.
    """
    name, reduced = _type(data)
    try:
        return reduced(data)
    except (IndexError, struct.error):
        # It ends too early.
        raise DamagedPicture(f"is not a valid {name} file") from None


def _type(data: bytes) -> tuple[str, Callable[[bytes], bytes]]:
    """Return the name of a type of file, and the function that reduces such a file."""
    if data.startswith(b"\xff\xd8"):
        return "JPEG", jpeg.without_metadata
    if data.startswith(png.SIGNATURE):
        return "PNG", png.without_metadata
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF", gif.without_metadata
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WebP", webp.without_metadata
    if avif.is_avif(data):
        return "AVIF", avif.without_metadata
    return "", bytes
