"""Remembers what was once made of the same input, so that it is not made again.

A record is found by a hash of all that went into it, the installed versions
included: what has changed is never found, and nothing ever need be invalidated.

On disk, a kind of record is a few files that are written once, under another
name first: processes that share a folder cannot disturb each other. They hold
plain text between separators, as reading anything cleverer can be made to do
more than read. Each names its own inode, so that a copy, by which somebody
else's records could come in, is not believed; and the hash of its content.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from hashlib import blake2b, sha256
from itertools import chain, islice
from operator import attrgetter
from pathlib import Path

from feeds.storage import StateFolder

# No text of a catalogue, and no XML or JSON, has this character.
_SEPARATOR = b"\x1c"
_HEADING = "feeds cache 1 {device}:{inode} "
_HASH = 64
# Reading many small files takes longer than writing one anew.
_MOST_FILES = 8
_FEW = 1000
# Keys and records that are written in one go.
_AT_ONCE = 1000
# In seconds.
_LONG = 3600
# Where Python looks for time zones.
_ZONES = (
    *("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"),
    *os.environ.get("PYTHONTZPATH", "").split(os.pathsep),
)


class Cache:
    """Records of several kinds, in a folder of the state folder.

    Without a folder, they live as long as the process.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._shelves: dict[str, Shelf] = {}

    def shelf(self, kind: str) -> "Shelf":
        """Give the records of one kind, read when they are first needed."""
        if kind not in self._shelves:
            folder = self._folder
            inner = StateFolder(folder.parent, folder.name, kind) if folder else None
            self._shelves[kind] = Shelf(inner)
        return self._shelves[kind]

    def save(self, *, forget: bool = True) -> None:
        """Write what is new; and forget what was not asked for since the last time, if it is much."""
        for shelf in self._shelves.values():
            # A cache that cannot be written costs time, and nothing else.
            with suppress(OSError):
                shelf.save(forget=forget)

    @property
    def overgrown(self) -> bool:
        """Tell whether much was added since what is not in use was last forgotten."""
        return any(shelf.overgrown for shelf in self._shelves.values())


class Shelf:
    """The records of one kind: bytes by key."""

    def __init__(self, folder: StateFolder | None) -> None:
        self._folder = folder
        self._files: list[str] = []
        self._records: dict[bytes, bytes] = {}
        self._used: dict[bytes, bytes] = {}
        self._new: dict[bytes, bytes] = {}
        self._added = 0
        if folder:
            self._load(folder)

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: bytes) -> bytes | None:
        """Give a record; None where there is none."""
        found = self._records.get(key)
        if found is not None:
            self._used[key] = found
        return found

    def put(self, key: bytes, value: bytes) -> None:
        """Remember a record."""
        if _SEPARATOR not in value:
            self._records[key] = self._used[key] = self._new[key] = value

    @property
    def overgrown(self) -> bool:
        """Tell whether more was added than there was when what is not in use was last forgotten."""
        return self._added > max(len(self._records) - self._added, _FEW)

    def save(self, *, forget: bool = True) -> None:
        """Write what is new, or all that is in use where that is less than half; raises OSError."""
        if not self._used:
            return
        wasteful = forget and len(self._records) > 2 * len(self._used)
        if wasteful:
            self._records = self._used
        self._added = 0 if forget else self._added + len(self._new)
        if self._folder and (wasteful or self._new):
            whole = wasteful or len(self._files) >= _MOST_FILES
            self._write(self._folder, self._records if whole else self._new)
            if whole:
                self._sweep(self._folder)
                while len(self._files) > 1:
                    self._folder.unlink(self._files.pop(0))
        self._used, self._new = {}, {}

    def _sweep(self, folder: StateFolder) -> None:
        """Remove what a killed process left unfinished long ago."""
        names = [name for name in folder.names() if name.endswith(".new")]
        for name in names:
            if folder.stat(name).st_mtime < folder.path.stat().st_mtime - _LONG:
                folder.unlink(name)

    def _load(self, folder: StateFolder) -> None:
        with suppress(OSError):
            names = [name for name in folder.names() if name.endswith(".txt")]
            self._files = sorted(names, key=lambda name: folder.stat(name).st_mtime)
        for name in self._files:
            parts = _content(folder, name).split(_SEPARATOR)
            self._records.update(zip(parts[::2], parts[1::2], strict=False))

    def _write(self, folder: StateFolder, records: dict[bytes, bytes]) -> None:
        folder.make()
        name = os.urandom(8).hex()
        try:
            with folder.create(f"{name}.new") as file:
                heading = _heading(file.fileno())
                file.write(heading + b" " * _HASH + b"\n")
                digest = sha256()
                texts = chain.from_iterable(records.items())
                while some := list(islice(texts, _AT_ONCE)):
                    content = _SEPARATOR.join((*some, b""))
                    digest.update(content)
                    file.write(content)
                file.seek(len(heading))
                file.write(digest.hexdigest().encode())
            folder.rename(f"{name}.new", f"{name}.txt")
        except BaseException:
            folder.unlink(f"{name}.new")
            raise
        self._files.append(f"{name}.txt")


def key(*parts: str | bytes) -> bytes:
    """Give the key of what is made of these parts by the installed versions."""
    digest = blake2b(_versions(), digest_size=16)
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode(errors="surrogateescape")
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest().encode()


def keys(context: bytes, inputs: Iterable[bytes]) -> list[bytes]:
    """Give the keys of what is made of each input in a context, which is itself a key."""
    return [blake2b(data, digest_size=16, key=context).hexdigest().encode() for data in inputs]


@cache
def _versions() -> bytes:
    """Give a hash of the program and of all that is installed beside it."""
    digest = blake2b(sys.version.encode())
    for text in (*_installed(), *_own_files(str(Path(__file__).parent)), *_zones()):
        digest.update(f"{text}\n".encode())
    return digest.digest()


def _installed() -> Iterator[str]:
    for folder in sys.path:
        with suppress(OSError):
            yield from sorted(
                name
                for name in os.listdir(folder)  # noqa: PTH208  # many, and at each start
                if name.endswith((".dist-info", ".egg-info"))
            )


def _own_files(folder: str) -> Iterator[str]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=attrgetter("path"))
    for entry in entries:
        if entry.is_dir():
            yield from _own_files(entry.path)
        elif not entry.name.endswith(".pyc"):
            now = entry.stat()
            yield f"{entry.path} {now.st_size} {now.st_mtime_ns}"


def _zones() -> Iterator[str]:
    """Give when the system's time zones were last replaced."""
    for folder in filter(None, _ZONES):
        with suppress(OSError):
            yield f"{folder} {Path(folder).stat().st_mtime_ns}"
            for inner in sorted(filter(Path.is_dir, Path(folder).iterdir())):
                yield f"{inner} {inner.stat().st_mtime_ns}"


def _heading(handle: int) -> bytes:
    found = os.fstat(handle)
    return _HEADING.format(device=found.st_dev, inode=found.st_ino).encode()


def _content(folder: StateFolder, name: str) -> bytes:
    """Give what a file holds; nothing where it is damaged, or was not written here by us."""
    with suppress(OSError), os.fdopen(folder.open(name), "rb") as file:
        heading = _heading(file.fileno())
        if os.fstat(file.fileno()).st_uid != os.geteuid():
            return b""
        if file.read(len(heading)) == heading:
            found = file.read(_HASH + 1)
            content = file.read()
            if found == sha256(content).hexdigest().encode() + b"\n":
                return content
    return b""
