"""Digests of what a document's bytes depend on: what has the same inputs need not be rendered again."""

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
from zoneinfo import TZPATH

from feeds.model import Entry, Site

_SIZE = 16
_DISTRIBUTIONS = (".dist-info", ".egg-info")


def digest(*parts: str | bytes) -> str:
    """Return a digest of some parts, in hexadecimal; other parts give another one."""
    data = [
        part if isinstance(part, bytes) else part.encode(errors="surrogateescape") for part in parts
    ]
    lengths = repr(list(map(len, data))).encode()
    return blake2b(b"".join([lengths, *data]), digest_size=_SIZE).hexdigest()


def entry_digest(entry: Entry) -> bytes:
    """Return a digest of every field of an entry, whatever fields it has."""
    texts = [value if type(value) is str else _text(value) for value in entry]
    data = "\x1f".join(texts).encode(errors="surrogateescape")
    return blake2b(data, digest_size=_SIZE).digest()


def _text(value: object) -> str:
    # Equal moments may have different offsets, which documents show.
    if isinstance(value, datetime):
        return value.isoformat()
    return _text_of_tuple(value) if type(value) is tuple else repr(value)


@lru_cache(maxsize=100_000)
def _text_of_tuple(value: tuple[object, ...]) -> str:
    """Return the text of what many entries share, such as their topics."""
    return repr(value)


def source_digest(texts: Iterable[tuple[str, bytes]]) -> str:
    """Return a digest of a catalogue's files, by their names and bytes."""
    return digest(*(part for name, data in texts for part in (name, sha256(data).digest())))


def site_digest(site: Site) -> str:
    """Return a digest of what all documents depend on: the site, this program, and its libraries.

    The addresses that were given up are left out: only a host's configuration shows them.
    """
    shown = {
        field: getattr(site, field) for field in site.__slots__ if field not in {"moved", "retired"}
    }
    return digest(program_digest(), _time_zone(site.timezone.key), repr(shown))


@cache
def program_digest() -> bytes:
    """Return a digest of this package's files and of the installed distributions' versions."""
    found = blake2b(f"{sys.version} {zlib.ZLIB_RUNTIME_VERSION}".encode())
    for folder in sys.path:
        with suppress(OSError):
            names = os.listdir(folder)  # noqa: PTH208  # many, and at each start
            found.update("\n".join(sorted(filter(_is_distribution, names))).encode())
    package = Path(__file__).parent
    for file in map(Path, _package_files(str(package))):
        data = file.read_bytes()
        found.update(f"\n{file.relative_to(package)} {len(data)}\n".encode() + data)
    return found.digest()


def _is_distribution(name: str) -> bool:
    return name.endswith(_DISTRIBUTIONS)


def _package_files(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=attrgetter("name"))
    for entry in found:
        if entry.is_dir():
            yield from _package_files(entry.path)
        elif not entry.name.endswith(".pyc"):
            yield entry.path


def zones_stamp() -> list[tuple[str, int]]:
    """Return what changes when the system's time zones are replaced, without reading any."""
    folders = [path for folder in TZPATH for path in (Path(folder), *Path(folder).glob("*/"))]
    return [(str(path), path.stat().st_mtime_ns) for path in folders if path.is_dir()]


@cache
def _time_zone(key: str) -> bytes:
    """Return the data of a time zone, as Python finds it."""
    for folder in TZPATH:
        with suppress(OSError):
            return Path(folder, key).read_bytes()
    with suppress(OSError, ImportError):
        return files("tzdata").joinpath("zoneinfo", *key.split("/")).read_bytes()
    return b""
