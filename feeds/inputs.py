"""Digests of what the bytes of documents depend on.

A document whose inputs have the same digest as before is not rendered again.
"""

import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import cache, lru_cache
from hashlib import blake2b, sha256
from importlib.resources import files
from operator import attrgetter
from pathlib import Path
from typing import cast
from zoneinfo import TZPATH

from feeds.model import Entry, Site

_DIGEST_BYTES = 16
_DISTRIBUTIONS = (".dist-info", ".egg-info")
# Not in any text of a catalogue.
_SEPARATOR = "\x1f"


def digest(*parts: str | bytes) -> str:
    """Return a digest of parts, in hexadecimal; it differs if any part does."""
    data = [
        part if type(part) is bytes else part.encode("utf-8", "surrogateescape")  # type: ignore[union-attr]
        for part in parts
    ]
    lengths = repr([*map(len, data)]).encode()
    return blake2b(b"".join([lengths, *data]), digest_size=_DIGEST_BYTES).hexdigest()


def entry_digest(entry: Entry) -> bytes:
    """Return a digest of every field of an entry, whatever fields it has."""
    texts: list[str] = []
    # Of a hundred thousand entries, this is most of the time that planning takes.
    for value in entry:
        if type(value) is str:
            texts.append(value)
        elif value is None:
            texts.append("")
        elif type(value) is tuple:
            texts.append(_shared_text(value))
        else:
            texts.append(_text(value))
    data = _SEPARATOR.join(texts).encode("utf-8", "surrogateescape")
    return blake2b(data, digest_size=_DIGEST_BYTES).digest()


def _text(value: object) -> str:
    if isinstance(value, datetime):
        # Its fields in bytes: isoformat() takes five times as long. Equal moments may have
        # different offsets, which documents show.
        _, (fields, *_) = cast("tuple[object, tuple[bytes, ...]]", value.__reduce__())
        return f"{fields.hex()} {_offset_text(value.utcoffset())}"
    # Of a named tuple, the representation of a tuple takes half the time.
    return tuple.__repr__(value) if isinstance(value, tuple) else repr(value)


_offset_text = lru_cache(maxsize=100)(str)


@lru_cache(maxsize=100_000)
def _shared_text(value: tuple[object, ...]) -> str:
    """Return the text of what many entries have in common, such as their topics."""
    return repr(value)


def source_digest(texts: Iterable[tuple[str, bytes]]) -> str:
    """Return a digest of a catalogue's files, of their names and bytes."""
    return digest(*(part for name, data in texts for part in (name, sha256(data).digest())))


def site_digest(site: Site) -> str:
    """Return a digest of what all documents depend on: the site, this program, its libraries.

    Paths that have moved or are gone are left out: only a host's configuration has them.
    """
    shown = {
        field: getattr(site, field) for field in site.__slots__ if field not in {"moved", "retired"}
    }
    return digest(program_digest(), _time_zone(site.timezone.key), repr(shown))


@cache
def program_digest() -> bytes:
    """Return a digest of this package's files and of the versions of installed distributions."""
    found = blake2b(f"{sys.version} {zlib.ZLIB_RUNTIME_VERSION}".encode())
    for folder in sys.path:
        with suppress(OSError):
            names = os.listdir(folder)  # noqa: PTH208  # many, and at each start
            distributions = sorted(name for name in names if name.endswith(_DISTRIBUTIONS))
            found.update("\n".join(distributions).encode())
    package = Path(__file__).parent
    for file in map(Path, _package_files(str(package))):
        data = file.read_bytes()
        found.update(f"\n{file.relative_to(package)} {len(data)}\n".encode() + data)
    return found.digest()


def _package_files(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=attrgetter("name"))
    for entry in found:
        if entry.is_dir():
            yield from _package_files(entry.path)
        elif not entry.name.endswith(".pyc"):
            yield entry.path


def zones_stamp() -> list[tuple[str, int]]:
    """Return what changes when the system's time zones are replaced, without reading them."""
    folders = [path for folder in TZPATH for path in (Path(folder), *Path(folder).glob("*/"))]
    return [(str(path), path.stat().st_mtime_ns) for path in folders if path.is_dir()]


@cache
def _time_zone(key: str) -> bytes:
    """Return the data of a time zone that Python uses."""
    for folder in TZPATH:
        with suppress(OSError):
            return Path(folder, key).read_bytes()
    with suppress(OSError, ImportError):
        return files("tzdata").joinpath("zoneinfo", *key.split("/")).read_bytes()
    return b""
