"""Photos that are files in `media/`, beside the catalogue: they are measured, and published with it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import IO
from unicodedata import normalize

from yaml.nodes import MappingNode, Node, ScalarNode

from feeds.catalogue.entries import EntryRecord
from feeds.catalogue.reader import InvalidValue, ValueWarning
from feeds.catalogue.sections import Item
from feeds.catalogue.text_fields import DIGITS, IMAGE_TYPES
from feeds.catalogue.web_addresses import photo_address
from feeds.errors import Problem
from feeds.model import Photo, Picture
from feeds.storage import Stamp, media_files
from feeds.urls import MEDIA

# Readers load pictures over mobile networks.
MAX_PICTURE_BYTES = 10_000_000
# A small file can unpack to more than a reader has memory for.
MAX_PICTURE_PIXELS = 50_000_000
# Pillow's modules for the types that feed readers show. An SVG can contain scripts.
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
# Comparing a name with more takes long.
_MAX_SUGGESTIONS = 1000

_NUMBERS = ("width", "height", "length")


class InvalidPicture(Exception):
    """Why a file is not a picture to publish: the message of a Problem."""


def read_pictures(
    records: Iterable[tuple[Item, EntryRecord | None]],
    folder: Path | None,
    problems: list[Problem],
) -> dict[str, Picture]:
    """Return the pictures that photos show, by their paths; what is wrong becomes Problems.

    The photo of an item that has a Problem, and so no record, is checked as well.
    """
    claims = list(_claims(records))
    if not claims:
        return {}
    files = _by_composed_name(media_files(folder)) if folder else {}
    wanted = {photo.url for _, photo in claims}
    used = {path: files[path] for path in sorted(wanted & files.keys())}
    known = {path: _picture(folder or Path(), path, stamp) for path, stamp in used.items()}
    lower_case = {path.casefold(): path for path in files}
    for item, photo in claims:
        path = photo.url
        found = known.get(path, f"there is no file {path!r} beside the catalogue")
        faults = {"url": found} if isinstance(found, str) else _contradictions(photo, found)
        meant: list[str] = []
        if path not in known:
            same = lower_case.get(path.casefold())
            meant = [same] if same else [*files][:_MAX_SUGGESTIONS]
        _report(item, faults, meant, problems)
    return {path: found for path, found in known.items() if isinstance(found, Picture)}


def measure(file: Path, length: int) -> tuple[str, int, int]:
    """Return the media type, and the width and height in pixels, of a picture as it is shown.

    Only the head of the file is read: no pixel is decoded. `length` is in bytes.
    Raises InvalidPicture, or OSError.
    """
    ending = file.name.rpartition(".")[2].lower()
    media_type = IMAGE_TYPES.get(ending, "")
    if media_type not in _PILLOW_PLUGINS:
        raise InvalidPicture(
            "is not a picture that feed readers show; save it as AVIF, GIF, JPEG, PNG or WebP"
        )
    if length > MAX_PICTURE_BYTES:
        raise InvalidPicture(f"has {length:,} bytes; at most {MAX_PICTURE_BYTES:,} are published")
    with file.open("rb") as opened:
        # On invalid files, Pillow raises exceptions of any class.
        try:
            width, height = _shown_size(_PILLOW_PLUGINS[media_type], opened)
        except Exception:  # noqa: BLE001
            raise InvalidPicture(f"is not a valid '.{ending}' file") from None
    if not 0 < width * height <= MAX_PICTURE_PIXELS:
        raise InvalidPicture(
            f"has {width} × {height} pixels; at most {MAX_PICTURE_PIXELS:,} are published"
        )
    return media_type, width, height


def _shown_size(plugin: str, file: IO[bytes]) -> tuple[int, int]:
    """Return the width and height of a picture, which is read as one type and no other."""
    # Pillow is loaded for catalogues with pictures only.
    from PIL.Image import Exif  # noqa: PLC0415

    image = getattr(import_module(f"PIL.{plugin}ImagePlugin"), f"{plugin}ImageFile")(file)
    width, height = image.size
    exif = Exif()
    exif.load(image.info.get("exif", b""))
    return (height, width) if exif.get(_ORIENTATION) in _SWAPPED_SIDES else (width, height)


def _by_composed_name(files: Mapping[str, Stamp]) -> dict[str, Stamp]:
    """Return files by their paths in NFC, as catalogues name them; some systems store NFD.

    Of two files whose names differ only in that, the one in NFC is taken.
    """
    composed = {normalize("NFC", path): found for path, found in files.items()}
    return composed | {path: files[path] for path in composed if path in files}


def _claims(
    records: Iterable[tuple[Item, EntryRecord | None]],
) -> Iterator[tuple[Item, Photo]]:
    """Yield what items say of photos that are files in `media/`."""
    for item, record in records:
        photo = record.entry.photo if record else _photo_in(item.open([])[1])
        if photo and photo.url.startswith(MEDIA):
            yield item, photo


def _photo_in(item: Node) -> Photo | None:
    """Return the photo of an item that has a Problem, as far as it can be read."""
    nodes = _values(_values(item).get("photo"))
    said = {name: node.value for name, node in nodes.items() if isinstance(node, ScalarNode)}
    try:
        path = photo_address(said.get("url", ""))
    except (InvalidValue, ValueWarning):
        return None
    # What is not a number is reported already.
    width, height, length = (
        int(text) if DIGITS.fullmatch(text := said.get(name, "")) else 0 for name in _NUMBERS
    )
    return Photo(path, "", "", said.get("type", ""), width, height, length)


def _values(node: Node | None) -> dict[str, Node]:
    if not isinstance(node, MappingNode):
        return {}
    return {name.value: value for name, value in node.value if isinstance(name, ScalarNode)}


def _picture(folder: Path, path: str, stamp: Stamp) -> Picture | str:
    """Return the picture at a path, or what is wrong with it."""
    found = _measurement(folder, stamp)
    return found if isinstance(found, str) else Picture(path, _file(folder, stamp), stamp, *found)


@lru_cache(maxsize=10_000)
def _measurement(folder: Path, stamp: Stamp) -> tuple[str, int, int] | str:
    """Return the type, width and height of a picture, or what is wrong with it.

    Cached, because a server calls this after each edit.
    """
    _, _, length, *_ = stamp
    file = _file(folder, stamp)
    try:
        if not file.resolve().is_relative_to(folder.resolve()):
            return f"is a link to a file outside {MEDIA}"
        return measure(file, length)
    except InvalidPicture as fault:
        return str(fault)
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _file(folder: Path, stamp: Stamp) -> Path:
    return folder / stamp[0].removeprefix(MEDIA)


def _contradictions(photo: Photo, picture: Picture) -> dict[str, str]:
    """Return a message for each field that differs from the picture, by the field's name."""
    said = {"type": photo.media_type, **{name: getattr(photo, name) for name in _NUMBERS}}
    true = {"type": picture.media_type, **{name: getattr(picture, name) for name in _NUMBERS}}
    return {
        name: f"is {said[name]}, but the picture's is {true[name]}"
        for name in said
        if said[name] and said[name] != true[name]
    }


def _report(
    item: Item, faults: Mapping[str, str], meant: Sequence[str], problems: list[Problem]
) -> None:
    if not faults:
        return
    reader, node = item.open(problems)
    for name, value in _values(_values(node).get("photo")).items():
        if name in faults:
            hint = reader.suggester.hint(str(value.value), meant) if meant else ""
            reader.problem(value, f"{item.path}.photo.{name}", faults[name] + hint)
