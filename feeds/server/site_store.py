"""The served site on disk: bodies in files named by their ETags, an index of all documents, a status.

One process writes it; any number of others serve from it. A body never changes, and
index and status are replaced atomically, so readers need no lock; locks say which
processes there are. Nothing is synchronised to the disk: after a loss of power, what is
damaged does not match its hash, and is built again.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from feeds.build import Build, Fact, Staged
from feeds.errors import FeedsError
from feeds.inputs import digest
from feeds.log import log_event
from feeds.model import etag_of
from feeds.plans import Plan
from feeds.release import release_id
from feeds.selection import held_back
from feeds.storage import StateFolder, replace_file

_INDEX, _OBJECTS = "index", "objects"
# Part of the name of each store, so that versions do not share one.
_VERSION = "1"
_HEADING = f"# feeds site {_VERSION}"
# In each line of an index.
_TABS = 5
# Lines of an index that are read at a time, between requests.
_LINES_PER_STEP = 250
FOLDER_PREFIX = "site-"
_STATUS = "status.json"
# Held by the build process; its modification time is the process's last sign of life.
BUILD_LOCK = "build.lock"
# A build process gets the lock, already taken, in place of its standard input.
BUILD_LOCK_FD = 0
# Held, shared, by each process that serves the site.
WORKERS_LOCK = "workers.lock"
# Its modification time changes with each request to read the catalogue again.
_RELOAD = "reload"
# A build process without a sign of life for this long is taken for stopped.
_STALE_SECONDS = 5.0
# The build process holds the workers' lock for a moment to check whether there are workers.
_JOIN_SECONDS = 2.0


class Head(NamedTuple):
    """What answers need of a site beside its documents.

    `release` is a digest of all documents, and `since` is when they were committed.
    `until` is when the same catalogue has other documents, None for never. `entries`
    are public, and `held_back` is the number of those that are not public yet; both are
    None in an index that an earlier version wrote.
    """

    release: str
    since: datetime
    until: datetime | None
    url: str
    max_age: int
    hub: str
    moved: Mapping[str, str]
    retired: frozenset[str]
    entries: int | None = None
    held_back: int | None = None


class Record(NamedTuple):
    """A document in an index; `modified` is None if it is not known."""

    media_type: str
    etag: str
    modified: datetime | None
    length: int


class Index:
    """The documents of a served site by path, in some 200 bytes of memory for each."""

    def __init__(self, head: Head, rows: dict[str, str], objects: StateFolder) -> None:
        self.head = head
        # What the middleware has prepared of it.
        self.answers: dict[Any, Any] = {}
        self._rows = rows
        self._objects = objects

    def __contains__(self, path: object) -> bool:
        return path in self._rows

    def get(self, path: str) -> Record | None:
        """Return the record of the document at a path; None if there is none."""
        row = self._rows.get(path)
        return _record(row) if row else None

    def etags(self) -> dict[str, str]:
        """Return the ETags of all documents by path."""
        return {path: row.split("\t", 2)[1] for path, row in self._rows.items()}

    def open(self, etag: str) -> int:
        """Return a descriptor of a body, which the caller closes; raises OSError."""
        return self._objects.open(etag)

    def discard(self, etag: str) -> None:
        """Remove a damaged body; the build process notices, and builds it again."""
        with suppress(OSError):
            self._objects.unlink(etag)


def store_name(catalogue: Path, url: str | None, *, pages: bool) -> str:
    """Return the name of the store of a catalogue that is served at a URL."""
    options = repr((url, pages, _VERSION))
    return FOLDER_PREFIX + digest(os.fsencode(catalogue.resolve()), options)[:16]


def index_stamp(folder: StateFolder) -> tuple[int, ...] | None:
    """Return what changes whenever the index of a store is replaced; None if there is none."""
    with suppress(OSError):
        found = folder.stat(_INDEX)
        return found.st_ino, found.st_size, found.st_mtime_ns
    return None


def load_index(root: Path, name: str, pause: Callable[[], object] = lambda: None) -> Index | None:
    """Return the index of a store; None if it is missing or damaged.

    `pause` is called repeatedly, to let other threads run.
    """
    folder = StateFolder(root, name)
    try:
        head, lines = _read_index(folder)
    except OSError:
        return None
    except ValueError:
        log_event("damaged-index", logging.WARNING, folder=folder.path)
        return None
    rows: dict[str, str] = {}
    for at in range(0, len(lines), _LINES_PER_STEP):
        for line in lines[at : at + _LINES_PER_STEP]:
            path, _, rest = line.partition("\t")
            rows[path] = rest.rpartition("\t")[0]
        pause()
    return Index(head, rows, StateFolder(root, name, _OBJECTS))


class Status(NamedTuple):
    """The last failure to publish the catalogue, and whether it persists.

    `failure` is as `/healthz` shows it: `at` is since when, `problems` is their number,
    and `place` is `file:line:column` of the first. If the cause is not a problem in
    the catalogue, there is a `reason`: `missing`, `unreadable` or `internal`.
    """

    failure: Mapping[str, object] | None = None
    degraded: bool = False


class StatusFiles:
    """The status file and the locks in the folder of a store."""

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder
        # A status that could not be written yet.
        self._unwritten: Status | None = None

    def write(self, status: Status) -> None:
        """Replace the status; if it cannot be written, `write_pending` writes it later."""
        self._unwritten = status
        self.write_pending()

    def write_pending(self) -> None:
        """Write the status that could not be written, if there is one."""
        if self._unwritten:
            with suppress(OSError):
                data = json.dumps(self._unwritten._asdict()).encode()
                self._folder.replace(_STATUS, data, sync=False)
                self._unwritten = None

    def read(self) -> Status:
        """Return the status; one without a failure if it cannot be read."""
        if self._unwritten:
            return self._unwritten
        with suppress(OSError, ValueError, TypeError):
            return Status(**json.loads(self._folder.read(_STATUS)))
        return Status()

    def take_build_lock(self) -> int | None:
        """Return a descriptor of the taken build lock; None if another process has it."""
        with suppress(TimeoutError):
            return self._folder.lock(BUILD_LOCK, 0)
        return None

    def show_life(self, lock: int) -> None:
        """Update the build process's sign of life.

        Without one the site counts as degraded, so there is none while a status
        cannot be written.
        """
        if not self._unwritten:
            with suppress(OSError):
                os.utime(lock)

    def is_stale(self) -> bool:
        """Check whether the build process has shown no sign of life recently."""
        with suppress(OSError):
            return time.time() - self._folder.stat(BUILD_LOCK).st_mtime > _STALE_SECONDS
        return True

    def join_workers(self) -> int:
        """Return a descriptor of the workers' lock, which this process shares; raises OSError."""
        return self._folder.lock(WORKERS_LOCK, _JOIN_SECONDS, shared=True)

    def has_workers(self) -> bool:
        """Check whether any process serves the site from this store."""
        try:
            os.close(self._folder.lock(WORKERS_LOCK, 0))
        except OSError as error:
            return isinstance(error, TimeoutError)
        return False

    def is_current(self, lock: int, name: str) -> bool:
        """Check whether an open lock is the store's, and not that of a store that was deleted."""
        with suppress(OSError):
            return os.path.samestat(self._folder.stat(name), os.fstat(lock))
        return False

    def request_reload(self) -> None:
        """Request that the catalogue is read again; raises OSError."""
        lock = self._folder.lock_file(_RELOAD)
        try:
            os.utime(lock)
        finally:
            os.close(lock)

    def reload_stamp(self) -> int:
        """Return what changes with each request to read the catalogue again."""
        with suppress(OSError):
            return self._folder.stat(_RELOAD).st_mtime_ns
        return 0


class SiteStore:
    """A store as a target of builds, for the one process that holds its lock."""

    def __init__(
        self, root: Path, name: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._folder = StateFolder(root, name)
        self._objects = StateFolder(root, name, _OBJECTS)
        self._clock = clock
        # Keeps the folder of bodies open during a build.
        self._stack = ExitStack()
        self._fd = -1
        self._names: set[str] = set()
        # Differs from `_current_stamp()` when another program has changed the store.
        self._stamp: object = None
        # The digest of all documents of the index; empty if there is none.
        self.release = ""
        self._facts = self._read_facts()

    def is_disturbed(self) -> bool:
        """Check whether another program has changed the store since the last commit."""
        return self._stamp != self._current_stamp()

    def facts(self) -> Mapping[str, Fact]:
        """Return the documents of the index whose bodies exist."""
        self._stack.close()
        try:
            self._objects.make()
            self._fd = self._stack.enter_context(self._objects.opened())
            self._names = self._list_objects()
        except OSError as error:
            raise _refused(error) from None
        return {path: fact for path, fact in self._facts.items() if fact.etag in self._names}

    def stage(self, plan: Plan, body: bytes) -> Staged:
        """Write a body, unless it exists."""
        etag = etag_of(body)
        if etag not in self._names:
            # If this process is killed, nothing under the final name is incomplete.
            new = f"{etag}.{os.getpid()}.new"
            try:
                replace_file(self._fd, etag, body, new=new, sync=False)
            except OSError as error:
                raise _refused(error, self._objects.path) from None
        return Staged(Fact(plan.inputs, etag, len(body)))

    def commit(self, build: Build) -> None:
        """Replace the index, and remove the bodies that neither it nor the previous one names."""
        planned = build.planned
        etags = {path: fact.etag for path, fact in build.facts.items()}
        release = release_id(etags)
        site = planned.site
        head = Head(
            release=release,
            since=self._clock().replace(microsecond=0),
            until=planned.until,
            url=site.url,
            max_age=site.max_age,
            hub=site.hub,
            moved={**site.moved},
            retired=site.retired,
            entries=len(planned.feeds[0].entries),
            held_back=len(held_back(planned.catalogue, planned.as_of)),
        )
        lines = [_HEADING, json.dumps(head._asdict(), default=_json_value)]
        for plan in planned.plans:
            fact, date = build.facts[plan.path], build.dates.get(plan.path)
            modified = str(_seconds(date)) if date else ""
            lines.append(
                f"{plan.path}\t{plan.media_type}\t{fact.etag}\t{modified}\t{fact.length}"
                f"\t{fact.inputs}"
            )
        text = "\n".join(lines).encode()
        named = {*etags.values()}
        try:
            data = b"%s\n%s\n" % (text, sha256(text).hexdigest().encode())
            self._folder.replace(_INDEX, data, sync=False)
            self._clean_up(named | {fact.etag for fact in self._facts.values()})
            # A body that was removed during the build is missing now; one that is removed
            # later changes the stamp.
            stamp = self._current_stamp()
            complete = named <= self._list_objects()
        except OSError as error:
            raise _refused(error) from None
        self._facts, self.release = dict(build.facts), release
        self._stamp = stamp if complete else None
        self._stack.close()

    def _list_objects(self) -> set[str]:
        return {*os.listdir(self._fd)}  # noqa: PTH208  # of a descriptor

    def _clean_up(self, kept: Collection[str]) -> None:
        for name in self._list_objects().difference(kept):
            # A folder is not ours, and stays.
            with suppress(OSError):
                os.unlink(name, dir_fd=self._fd)

    def _read_facts(self) -> dict[str, Fact]:
        """Return the facts of the index; none if it is missing or damaged."""
        try:
            head, lines = _read_index(self._folder)
        except (OSError, ValueError):
            # A worker that loads the index logs that it is damaged.
            return {}
        self.release = head.release
        found: dict[str, Fact] = {}
        for line in lines:
            path, _, etag, _, length, inputs = line.split("\t")
            found[path] = Fact(inputs, etag, int(length))
        return found

    def _current_stamp(self) -> object:
        """Return what changes when another program removes the index or a body."""
        try:
            objects = self._objects.path.stat()
        except OSError:
            return None
        return index_stamp(self._folder), objects.st_ino, objects.st_mtime_ns


def _json_value(value: datetime | frozenset[str]) -> object:
    return value.isoformat() if isinstance(value, datetime) else sorted(value)


def _parsed_head(line: str) -> Head:
    found = json.loads(line)
    until = found["until"]
    known = {name: found[name] for name in Head._fields if name in found}
    return Head(**known)._replace(
        since=datetime.fromisoformat(found["since"]),
        until=datetime.fromisoformat(until) if until else None,
        retired=frozenset(found["retired"]),
    )


@lru_cache(maxsize=10_000)
def _seconds(date: datetime) -> int:
    """Return the seconds since 1970; many documents have the same date."""
    return int(date.timestamp())


def _record(row: str) -> Record:
    media_type, etag, modified, length = row.split("\t")
    date = datetime.fromtimestamp(int(modified), UTC) if modified else None
    return Record(media_type, etag, date, int(length))


def _read_index(folder: StateFolder) -> tuple[Head, list[str]]:
    """Return the head and the lines of a store's index.

    Raises OSError if it cannot be read, and ValueError if it is damaged.
    """
    text, _, found = folder.read(_INDEX).removesuffix(b"\n").rpartition(b"\n")
    if sha256(text).hexdigest().encode() == found:
        with suppress(ValueError, KeyError, TypeError):
            heading, head, *lines = text.decode().split("\n")
            if heading == _HEADING and all(line.count("\t") == _TABS for line in lines):
                return _parsed_head(head), lines
    raise ValueError


def _refused(error: OSError, path: Path | None = None) -> FeedsError:
    return FeedsError(f"{path or error.filename}: {error.strerror or error}")
