"""A picture's file → what it is, read from its head: no pixel is decoded."""

from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

# What feed readers show, by the ending of the name; static hosts go by it too.
# An SVG can carry script.
TYPES = {
    "avif": "image/avif",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
# In bytes: each is kept in memory, and readers load them over a telephone's line.
LARGEST = 10_000_000
# In pixels: a small file can unpack to what no reader's memory holds.
_PIXELS = 50_000_000
# In Exif, which tells with the last four of its eight values that a side is up
# that was not when the picture was taken.
_ORIENTATION = 0x0112
_LYING = (5, 6, 7, 8)


class NoPicture(Exception):
    """Why a file is no picture to publish, in the words of a Problem."""


class Measured(NamedTuple):
    """A picture's media type, and its width and height in pixels, as it is shown."""

    media_type: str
    width: int
    height: int


def type_of(name: str) -> str:
    """Give the media type that a file's name tells; raises NoPicture where readers show none such."""
    media_type = TYPES.get(_ending(name))
    if media_type is None:
        raise NoPicture("is no picture that readers show: save it as AVIF, GIF, JPEG, PNG or WebP")
    return media_type


def measure(file: Path, length: int) -> Measured:
    """Tell what a picture of so many bytes is; raises NoPicture, or OSError."""
    media_type = type_of(file.name)
    if length > LARGEST:
        raise NoPicture(f"has {length:,} bytes; at most {LARGEST:,} are published")
    with file.open("rb") as opened:
        # Pillow reads what may be anything, and what it raises then is as various.
        try:
            image = _opened(media_type, opened)
            width, height = image.size
            lying = _is_lying(image)
        except Exception:  # noqa: BLE001
            ending = _ending(file.name)
            raise NoPicture(f"cannot be read as what '.{ending}' says that it is") from None
    if not 0 < width * height <= _PIXELS:
        raise NoPicture(f"has {width} × {height} pixels; at most {_PIXELS:,} are published")
    return Measured(media_type, *((height, width) if lying else (width, height)))


def _opened(media_type: str, file: IO[bytes]) -> "ImageFile":
    """Read a head as this type and no other.

    Pillow takes its time to load, and a catalogue without pictures needs none of it.
    """
    from PIL import (  # noqa: PLC0415
        AvifImagePlugin,
        GifImagePlugin,
        JpegImagePlugin,
        PngImagePlugin,
        WebPImagePlugin,
    )

    kinds: dict[str, type[ImageFile]] = {
        "image/avif": AvifImagePlugin.AvifImageFile,
        "image/gif": GifImagePlugin.GifImageFile,
        "image/jpeg": JpegImagePlugin.JpegImageFile,
        "image/png": PngImagePlugin.PngImageFile,
        "image/webp": WebPImagePlugin.WebPImageFile,
    }
    return kinds[media_type](file)


def _is_lying(image: "ImageFile") -> bool:
    """Tell whether a picture is shown turned by a quarter."""
    from PIL.Image import Exif  # noqa: PLC0415

    exif = Exif()
    exif.load(image.info.get("exif", b""))
    return exif.get(_ORIENTATION) in _LYING


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()
