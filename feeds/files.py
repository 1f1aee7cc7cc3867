"""The files of a catalogue."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from mimetypes import MimeTypes
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from feeds.errors import FeedsError, MissingCatalogueError
from feeds.urls import MEDIA

# A file's name, and what tells its content from any other that it had or will have.
Stamp = tuple[str, int, int, int, int]


def catalogue_files(path: Path) -> list[Path]:
    """Give the files that a catalogue is read from, in order; raises OSError.

    Those of a folder are its `*.yaml` and `*.yml` files, by name.
    """
    return sorted(filter(_is_yaml, path.iterdir())) if path.is_dir() else [path]


def read_files(path: Path) -> list[tuple[str, bytes]]:
    """Give the name and the bytes of each file; raises FeedsError where there is nothing to read."""
    try:
        texts = [(str(file), _read(file)[0]) for file in catalogue_files(path)]
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        raise (MissingCatalogueError if missing else FeedsError)(
            f"{error.filename or path}: {error.strerror or 'cannot be read'}"
        ) from None
    except ValueError:
        raise FeedsError(f"{str(path)!r} is no file name") from None
    if not texts:
        raise MissingCatalogueError(f"{path}: the folder has no .yaml or .yml file")
    return texts


def stamp(name: str, found: os.stat_result) -> Stamp:
    """Tell a file's content by what costs no reading: its inode, its size in bytes, its times."""
    return name, found.st_ino, found.st_size, found.st_ctime_ns, found.st_mtime_ns


def media_folder(path: Path) -> Path:
    """Give the folder of a catalogue's pictures: `media` beside its files."""
    return (path if path.is_dir() else path.parent) / MEDIA


def media_files(folder: Path, path: str = MEDIA) -> dict[str, Stamp]:
    """Return the stamp of each file in a folder, by its path under the site, in order.

    `path` is that of the folder.

    Hidden files are none, nor are those behind a link to another folder.
    """
    found = dict(_walk(folder, path))
    return {path: found[path] for path in sorted(found)}


class StaticFile(NamedTuple):
    """A file of `static/`, its media type by its name, and its stamp."""

    file: Path
    media_type: str
    stamp: Stamp


def static_files(folder: Path) -> dict[str, StaticFile]:
    """Return the files that are published as they are, by their paths under the site, in order.

    Hidden files are left out. Raises FeedsError for a symbolic link, or for what
    is neither a file nor a folder.
    """
    found = {path: _static_file(folder / path, path) for path in _below(folder, "")}
    return {path: found[path] for path in sorted(found)}


def _below(folder: Path, path: str) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=attrgetter("name"))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise FeedsError(f"{folder}: {error.strerror or 'cannot be read'}") from None
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            raise FeedsError(f"{entry.path}: is a symbolic link; put the file itself there")
        if not entry.name.isprintable():
            raise FeedsError(
                f"{entry.path}: its name has a control character, or is not UTF-8; rename it"
            )
        if entry.is_dir():
            yield from _below(folder / entry.name, f"{path}{entry.name}/")
        else:
            yield path + entry.name


def _static_file(file: Path, path: str) -> StaticFile:
    try:
        found = file.stat(follow_symlinks=False)
    except OSError as error:
        raise FeedsError(f"{file}: {error.strerror or 'cannot be read'}") from None
    if not stat.S_ISREG(found.st_mode):
        raise FeedsError(f"{file}: is not a regular file")
    # Python's own table: that of the machine would give other types on another one.
    media_type, _ = MimeTypes().guess_type(file.name)
    media_type = media_type or "application/octet-stream"
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    return StaticFile(file, media_type + charset, stamp(path, found))


def read_media(file: Path, seen: Stamp) -> bytes:
    """Read a file as it was seen; raises FeedsError where it is so no more."""
    try:
        body, found = _read(file)
    except OSError as error:
        raise FeedsError(f"{file}: {error.strerror or 'cannot be read'}") from None
    if stamp(seen[0], found) != seen:
        raise FeedsError(f"{file}: is being written")
    return body


def _read(file: Path) -> tuple[bytes, os.stat_result]:
    """Give a file's bytes, and what it was when they were read; raises OSError where it is none."""
    with open(file, "rb", opener=_at_once) as opened:
        return opened.read(), os.fstat(opened.fileno())


def _at_once(name: str, flags: int) -> int:
    # A pipe would keep us waiting for whoever writes into it.
    if not stat.S_ISREG(Path(name).stat().st_mode):
        raise OSError(errno.EINVAL, "is no file", name)
    return os.open(name, flags | os.O_NONBLOCK)


def _walk(folder: Path, path: str) -> Iterator[tuple[str, Stamp]]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            here = path + entry.name
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), f"{here}/")
                continue
            with suppress(OSError):
                found = entry.stat()
                if stat.S_ISREG(found.st_mode):
                    yield here, stamp(here, found)


def _is_yaml(file: Path) -> bool:
    # An editor's own lock and swap files begin with a dot.
    return file.suffix.lower() in {".yaml", ".yml"} and not file.name.startswith(".")
