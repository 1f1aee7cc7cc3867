"""The served site on disk: bodies in files named by their ETags, and an index that names them.

One process writes it; any number of others answer from it. A body never changes,
and the index is replaced by rename, so what reads it needs no lock. Nothing is
synchronised to the disk: what a loss of power damages does not match its hash,
and is built again.
"""

import json
import logging
import os
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from feeds.build import Build, Fact, Staged
from feeds.errors import FeedsError
from feeds.inputs import digest
from feeds.logs import tell
from feeds.model import Site, etag_of
from feeds.plans import Plan
from feeds.release import release_id
from feeds.storage import StateFolder

_INDEX, _OBJECTS = "index", "objects"
# Part of each store's name: another version has another store.
_VERSION = "1"
_HEADING = f"# feeds site {_VERSION}"
# Between the columns of an index.
_TABS = 5
_UNFINISHED = ".new"
_MODE = 0o600
# So many lines of an index are read at a time, between requests.
_STEP = 250
FOLDER_PREFIX = "site-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What answers need to know of a site beside its documents.

    `release` is a digest of all documents, and `since` when they were committed.
    `until` is when the same catalogue gives other documents, None for never.
    """

    release: str
    since: datetime
    until: datetime | None
    url: str
    max_age: int
    hub: str
    formats: tuple[str, ...]
    moved: Mapping[str, str]
    retired: frozenset[str]


class Record(NamedTuple):
    """What an index says of a document; `modified` is None where it is not known."""

    media_type: str
    etag: str
    modified: datetime | None
    length: int


class Index:
    """The documents of a served site by path: some 200 bytes of memory for each."""

    def __init__(self, head: Head, rows: dict[str, str], objects: StateFolder) -> None:
        self.head = head
        self._rows = rows
        self._objects = objects

    def __contains__(self, path: object) -> bool:
        return path in self._rows

    def get(self, path: str) -> Record | None:
        """Return what is known of the document at a path; None if there is none."""
        row = self._rows.get(path)
        return _record(row) if row else None

    def etags(self) -> dict[str, str]:
        """Return the ETags of all documents by path."""
        return {path: row.split("\t", 2)[1] for path, row in self._rows.items()}

    def open(self, etag: str) -> int:
        """Return the descriptor of a body, for the caller to close; raises OSError."""
        return self._objects.open(etag)

    def discard(self, etag: str) -> None:
        """Remove a damaged body, so that it is built again."""
        with suppress(OSError):
            self._objects.unlink(etag)


def store_name(catalogue: Path, url: str | None, *, pages: bool) -> str:
    """Return the name of the store of a catalogue that is served at a URL."""
    options = repr((url, pages, _VERSION))
    return FOLDER_PREFIX + digest(os.fsencode(catalogue.resolve()), options)[:16]


def index_stamp(folder: StateFolder) -> tuple[int, ...] | None:
    """Return what tells the index of a store from any other it had; None where there is none."""
    try:
        found = folder.stat(_INDEX)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def load_index(root: Path, name: str, pause: Callable[[], object] = lambda: None) -> Index | None:
    """Return the index of a store; None where there is none, or it is damaged.

    `pause` is called again and again, so that other threads have their turn.
    """
    try:
        data = StateFolder(root, name).read(_INDEX)
    except OSError:
        return None
    found = _parsed(data)
    if found is None:
        tell("damaged-index", logging.WARNING, folder=root / name)
        return None
    head, lines = found
    rows: dict[str, str] = {}
    for at in range(0, len(lines), _STEP):
        for line in lines[at : at + _STEP]:
            path, _, rest = line.partition("\t")
            rows[path] = rest.rpartition("\t")[0]
        pause()
    return Index(head, rows, StateFolder(root, name, _OBJECTS))


class SiteStore:
    """A store as a target: for the one process that holds its lock."""

    def __init__(
        self, root: Path, name: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._folder = StateFolder(root, name)
        self._objects = StateFolder(root, name, _OBJECTS)
        self._clock = clock
        self._stack = ExitStack()
        self._fd = -1
        self._names: set[str] = set()
        self._stamp: object = None
        # The digest of all documents of the index; empty if there is none.
        self.release = ""
        # The facts of the index, and the ETags that it and the one before name.
        self._before: Collection[str] = ()
        self._facts = self._read_facts()

    def is_disturbed(self) -> bool:
        """Return whether somebody else has changed the store since the last commit."""
        return self._stamp != self._stamps()

    def facts(self) -> Mapping[str, Fact]:
        """Return the documents of the index whose bodies are there."""
        self._stack.close()
        try:
            self._objects.make()
            self._fd = self._stack.enter_context(self._objects.opened())
            self._names = {*os.listdir(self._fd)}  # noqa: PTH208  # of a descriptor
        except OSError as error:
            raise _refused(error) from None
        return {path: fact for path, fact in self._facts.items() if fact.etag in self._names}

    def stage(self, plan: Plan, body: bytes) -> Staged:
        """Write a body, unless it is there."""
        etag = etag_of(body)
        if etag not in self._names:
            try:
                self._write(etag, body)
            except OSError as error:
                raise _refused(error, self._objects.path) from None
        return Staged(Fact(plan.inputs, etag, len(body)))

    def commit(self, build: Build) -> None:
        """Replace the index, and remove the bodies that neither it nor the one before names."""
        planned = build.planned
        etags = {path: fact.etag for path, fact in build.facts.items()}
        release = release_id(etags)
        head = _head(planned.site, release, self._clock(), planned.until)
        lines = [_HEADING, json.dumps(head)]
        for plan in planned.plans:
            fact, date = build.facts[plan.path], build.dates.get(plan.path)
            modified = str(int(date.timestamp())) if date else ""
            lines.append(
                f"{plan.path}\t{plan.media_type}\t{fact.etag}\t{modified}\t{fact.length}"
                f"\t{fact.inputs}"
            )
        text = "\n".join(lines).encode()
        try:
            data = b"%s\n%s\n" % (text, sha256(text).hexdigest().encode())
            self._folder.replace(_INDEX, data, sync=False)
            named = {*etags.values()}
            self._clean_up(named | {*self._before})
            # What was removed while this was built is missed now; what is removed later, by
            # the stamps.
            stamp = self._stamps()
            whole = named <= {*os.listdir(self._fd)}  # noqa: PTH208  # of a descriptor
        except OSError as error:
            raise _refused(error) from None
        self._before, self._facts, self.release = named, dict(build.facts), release
        self._stamp = stamp if whole else None
        self._stack.close()

    def _write(self, etag: str, body: bytes) -> None:
        """Write a body under another name first: what is killed leaves nothing that seems whole."""
        new = f"{etag}.{os.getpid()}{_UNFINISHED}"
        if new in self._names:
            os.unlink(new, dir_fd=self._fd)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        fd = os.open(new, flags, _MODE, dir_fd=self._fd)
        try:
            # Whatever the umask.
            os.fchmod(fd, _MODE)
            left = memoryview(body)
            while left:
                left = left[os.write(fd, left) :]
            os.rename(new, etag, src_dir_fd=self._fd, dst_dir_fd=self._fd)
        except OSError:
            # On a full disk, it would keep room from what is written next.
            with suppress(OSError):
                os.unlink(new, dir_fd=self._fd)
            raise
        finally:
            os.close(fd)

    def _clean_up(self, kept: Collection[str]) -> None:
        for name in os.listdir(self._fd):  # noqa: PTH208  # of a descriptor
            if name not in kept:
                # Somebody else's folder stays.
                with suppress(OSError):
                    os.unlink(name, dir_fd=self._fd)

    def _read_facts(self) -> dict[str, Fact]:
        """Return the facts of the index; none where it is missing or damaged."""
        try:
            parsed = _parsed(self._folder.read(_INDEX))
        except OSError:
            parsed = None
        if parsed is None:
            return {}
        head, lines = parsed
        found: dict[str, Fact] = {}
        for line in lines:
            path, _, etag, _, length, inputs = line.split("\t")
            found[path] = Fact(inputs, etag, int(length))
        self.release = head.release
        self._before = {fact.etag for fact in found.values()}
        return found

    def _stamps(self) -> object:
        """Return what changes when somebody removes the index or a body."""
        try:
            objects = self._objects.path.stat()
        except OSError:
            return None
        return index_stamp(self._folder), objects.st_ino, objects.st_mtime_ns


def _head(site: Site, release: str, since: datetime, until: datetime | None) -> dict[str, Any]:
    return {
        "release": release,
        "since": since.isoformat(timespec="seconds"),
        "until": until.isoformat() if until else None,
        "url": site.url,
        "max_age": site.max_age,
        "hub": site.hub,
        "formats": [*site.formats],
        "moved": {**site.moved},
        "retired": sorted(site.retired),
    }


def _parsed_head(line: str) -> Head:
    found = json.loads(line)
    until = found["until"]
    return Head(
        **found
        | {
            "since": datetime.fromisoformat(found["since"]),
            "until": datetime.fromisoformat(until) if until else None,
            "formats": tuple(found["formats"]),
            "retired": frozenset(found["retired"]),
        }
    )


def _record(row: str) -> Record:
    media_type, etag, modified, length = row.split("\t")
    date = datetime.fromtimestamp(int(modified), UTC) if modified else None
    return Record(media_type, etag, date, int(length))


def _parsed(data: bytes) -> tuple[Head, list[str]] | None:
    """Return the head of an index and its lines; None where it is damaged, or of another version."""
    text, _, found = data.removesuffix(b"\n").rpartition(b"\n")
    if sha256(text).hexdigest().encode() != found:
        return None
    try:
        heading, head, *lines = text.decode().split("\n")
        if heading != _HEADING or any(line.count("\t") != _TABS for line in lines):
            return None
        return _parsed_head(head), lines
    except (ValueError, KeyError, TypeError):
        return None


def _refused(error: OSError, path: Path | None = None) -> FeedsError:
    return FeedsError(f"{path or error.filename}: {error.strerror or error}")
