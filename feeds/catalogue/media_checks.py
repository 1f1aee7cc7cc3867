"""Whether a file in `media/` is of the type that its name says, and its measures."""

import logging
import struct
import zipfile
from collections.abc import Callable
from importlib import import_module
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO, Any, NamedTuple

from feeds.media_types import FILE_TYPES, PICTURE_TYPES, ending_of
from feeds.pictures import without_metadata
from feeds.pictures.boxes import boxes

# Readers load pictures over mobile networks.
MAX_PICTURE_BYTES = 10_000_000
# A small file can unpack to more than a reader has memory for.
MAX_PICTURE_PIXELS = 50_000_000
# Documents are built and served in memory.
MAX_DOCUMENT_BYTES = 100_000_000

# Pillow's modules for the types of pictures.
_PILLOW_PLUGINS = {
    "image/avif": "Avif",
    "image/gif": "Gif",
    "image/jpeg": "Jpeg",
    "image/png": "Png",
    "image/webp": "WebP",
}
# A field of Exif, and its values for a picture that is shown with width and height swapped.
_ORIENTATION = 0x0112
_SWAPPED_SIDES = (5, 6, 7, 8)
# Acrobat looks for the beginning and the end of a PDF within so many bytes.
_PDF_MARGIN = 1024
# The folder in which an Office document has its text.
_OFFICE_FOLDERS = {"docx": "word/", "pptx": "ppt/", "xlsx": "xl/"}
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAX_PAGE_TREE_DEPTH = 100
# More is a mistake in the file.
_MAX_PAGES = 100_000


class InvalidFile(Exception):
    """Why a file cannot be published: the message of a Problem."""


class Measures(NamedTuple):
    """A file's media type, its length as it is published in bytes, and its pixels or pages."""

    media_type: str
    length: int
    width: int = 0
    height: int = 0
    pages: int = 0


def measure(file: Path, length: int) -> Measures:
    """Return the measures of a file that has the ending of a type in `FILE_TYPES`.

    `length` is that of the file in bytes. Raises InvalidFile, or OSError.
    """
    ending = ending_of(file.name)
    if not length:
        raise InvalidFile("is empty")
    is_picture = ending in PICTURE_TYPES
    limit = MAX_PICTURE_BYTES if is_picture else MAX_DOCUMENT_BYTES
    if length > limit:
        raise InvalidFile(f"has {length:,} bytes; at most {limit:,} are published")
    with file.open("rb") as opened:
        if is_picture:
            return _measure_picture(opened, ending)
        pages = 0
        # On invalid files, libraries raise exceptions of any class.
        try:
            if ending == "pdf":
                pages = _pages(opened)
            is_valid = ending == "pdf" or _CHECKS[ending](opened, ending)
        except OSError:
            raise
        except UnicodeDecodeError:
            raise InvalidFile("is not in UTF-8; save it as UTF-8, or 'CSV UTF-8'") from None
        except Exception:  # noqa: BLE001
            is_valid = False
    if not is_valid:
        raise InvalidFile(f"is damaged, or not a '.{ending}' file")
    return Measures(FILE_TYPES[ending], length, pages=pages)


def _measure_picture(file: IO[bytes], ending: str) -> Measures:
    """Return the measures of a picture as it is shown; no pixel is decoded."""
    media_type = PICTURE_TYPES[ending]
    try:
        width, height = _shown_size(_PILLOW_PLUGINS[media_type], file)
        file.seek(0)
        published = without_metadata(file.read())
    except OSError as error:
        # Pillow's own have no number.
        if error.errno is not None:
            raise
        raise InvalidFile(f"is not a valid '.{ending}' file") from None
    except Exception:  # noqa: BLE001
        raise InvalidFile(f"is not a valid '.{ending}' file") from None
    if not 0 < width * height <= MAX_PICTURE_PIXELS:
        raise InvalidFile(
            f"has {width} × {height} pixels; at most {MAX_PICTURE_PIXELS:,} are published"
        )
    return Measures(media_type, len(published), width, height)


def _shown_size(plugin: str, file: IO[bytes]) -> tuple[int, int]:
    """Return the width and height of a picture, which is read as one type and no other."""
    # Pillow is loaded for catalogues with pictures only.
    from PIL.Image import Exif  # noqa: PLC0415

    image = getattr(import_module(f"PIL.{plugin}ImagePlugin"), f"{plugin}ImageFile")(file)
    width, height = image.size
    exif = Exif()
    exif.load(image.info.get("exif", b""))
    return (height, width) if exif.get(_ORIENTATION) in _SWAPPED_SIDES else (width, height)


def _pages(file: IO[bytes]) -> int:
    """Return the number of pages of a PDF, 0 if it is encrypted; raises an exception of any class."""
    head, end = _ends(file, _PDF_MARGIN)
    if b"%PDF-" not in head or b"%%EOF" not in end:
        raise InvalidFile
    # Loaded for catalogues with PDF documents only. It reports what it repairs.
    from pypdf import PdfReader  # noqa: PLC0415
    from pypdf.errors import DependencyError  # noqa: PLC0415

    logging.getLogger("pypdf").disabled = True
    try:
        reader = PdfReader(file)
    except DependencyError:
        # Some encryption needs a further package.
        return 0
    if reader.is_encrypted:
        return 0
    # A dictionary, which is indirect or not.
    tree: Any = reader.root_object["/Pages"]
    pages = int(tree["/Count"])
    # To read all pages of a long report takes a hundred times as long as to find the first.
    for _ in range(_MAX_PAGE_TREE_DEPTH):
        if "/Kids" not in tree:
            return pages if 0 < pages <= _MAX_PAGES else 0
        tree = tree["/Kids"][0].get_object()
    raise InvalidFile


def _ends(file: IO[bytes], length: int) -> tuple[bytes, bytes]:
    """Return the first and the last bytes of a file; zeros at its end do not count."""
    file.seek(0)
    data = file.read()
    return data[:length], data.rstrip(b"\0\r\n ")[-length:]


def _is_office(file: IO[bytes], ending: str) -> bool:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    folder = _OFFICE_FOLDERS[ending]
    return "[Content_Types].xml" in names and any(name.startswith(folder) for name in names)


def _is_archive_of_its_type(file: IO[bytes], ending: str) -> bool:
    """Check an archive that names its own media type, as those of OpenDocument and EPUB do."""
    with zipfile.ZipFile(file) as archive, archive.open("mimetype") as found:
        said = found.read(len(FILE_TYPES[ending]) + 1)
    return said.strip() == FILE_TYPES[ending].encode()


def _is_zip(file: IO[bytes], _: str) -> bool:
    with zipfile.ZipFile(file):
        return True


def _is_text(file: IO[bytes], _: str) -> bool:
    return "\0" not in file.read().decode()


def _begins(*signatures: bytes) -> Callable[[IO[bytes], str], bool]:
    return lambda file, _: file.read(max(map(len, signatures))).startswith(signatures)


def _is_mpeg_audio(file: IO[bytes], _: str) -> bool:
    # A tag of ID3, or the eleven bits that begin a frame.
    head = file.read(3)
    return head == b"ID3" or (head[:1] == b"\xff" and head[1] & 0xE0 == 0xE0)  # noqa: PLR2004


def _is_wave(file: IO[bytes], _: str) -> bool:
    kind, length, form = struct.unpack("<4sI4s", file.read(12))
    return (kind, form) == (b"RIFF", b"WAVE") and length + 8 <= file.seek(0, 2)


def _is_iso_media(file: IO[bytes], _: str) -> bool:
    """Check an MP4 or QuickTime file (ISO 14496-12): its boxes fill it, and one describes tracks."""
    with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        kinds = [box.kind for box in boxes(data, 0, len(data))]
    return b"moov" in kinds and kinds[0] in {b"ftyp", b"moov", b"wide", b"free", b"skip", b"mdat"}


_CHECKS: dict[str, Callable[[IO[bytes], str], bool]] = {
    **dict.fromkeys(("csv", "txt"), _is_text),
    **dict.fromkeys(("doc", "ppt", "xls"), _begins(_COMPOUND_FILE)),
    **dict.fromkeys(("docx", "pptx", "xlsx"), _is_office),
    **dict.fromkeys(("epub", "odp", "ods", "odt"), _is_archive_of_its_type),
    **dict.fromkeys(("m4a", "mov", "mp4"), _is_iso_media),
    **dict.fromkeys(("oga", "ogg", "ogv", "opus"), _begins(b"OggS")),
    "flac": _begins(b"fLaC", b"ID3"),
    "mp3": _is_mpeg_audio,
    "rtf": _begins(b"{\\rtf"),
    "wav": _is_wave,
    "webm": _begins(b"\x1a\x45\xdf\xa3"),
    "zip": _is_zip,
}
