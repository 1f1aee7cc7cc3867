"""A served site as one worker sees it: the current index, its bodies, and the build process."""

import logging
import os
import signal
import stat
import sys
import tempfile
import threading
import time
import weakref
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from feeds.headers import IDENTITY, compress
from feeds.log import log_event, log_exception
from feeds.model import etag_of
from feeds.notify.websub import BackgroundNotifier
from feeds.server.request_counts import RequestCounts
from feeds.server.site_store import (
    BUILD_LOCK_FD,
    WORKERS_LOCK,
    Index,
    Record,
    Status,
    StatusFiles,
    index_stamp,
    load_index,
    store_name,
)
from feeds.storage import STATE, StateFolder

# How often the index is checked for changes.
_INDEX_SECONDS = 0.2
# How often to check that there is a build process.
_BUILD_SECONDS = 1.0
# When to start another build process after one has failed.
_RETRY_BUILD_SECONDS = 10.0
# How long a build process may take to end when there are no workers any more.
_END_SECONDS = 10.0
# A pause that lets other threads run, such as between two steps of loading an index.
_YIELD_SECONDS = 0.0005
# The bodies that are kept in memory, plain and compressed.
_HOT_BYTES = 48_000_000
# How many bodies can be read and compressed at the same time.
_LOAD_LOCKS = 16
# Held while the build lock is, until the build process has it: a process that is forked
# meanwhile would keep that lock when the build process ends, and no other could start.
_fork_lock = threading.Lock()
os.register_at_fork(
    before=_fork_lock.acquire,
    after_in_parent=_fork_lock.release,
    after_in_child=_fork_lock.release,
)


class DamagedBody(Exception):
    """A body is missing or does not match its ETag; unless the index is outdated, it is built again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What to serve.

    `catalogue` is its path, and `url` replaces its `site.url`. `state` is the folder of
    the history and of the store; None is `.feeds` beside the catalogue. Without `pages`
    there are the feeds alone. With `metrics`, requests are counted for `/metrics`.
    """

    catalogue: Path
    url: str | None = None
    state: Path | None = None
    pages: bool = True
    metrics: bool = False

    @property
    def state_folder(self) -> Path:
        """The state folder, given or not."""
        return self.state or self.catalogue.parent / STATE

    @property
    def store_name(self) -> str:
        """The name of the store in the state folder."""
        return store_name(self.catalogue, self.url, pages=self.pages)


class ServedSite:
    """Holds the current index, returns its bodies, and keeps a build process running.

    A thread checks for a new index. It is started in each process that is forked from
    this one, too.
    """

    def __init__(self, settings: Settings) -> None:
        self.index: Index | None = None
        self._settings = settings
        self._name = settings.store_name
        self._root = _store_root(settings)
        folder = StateFolder(self._root, self._name)
        self._files = StatusFiles(folder)
        self.requests = RequestCounts(folder) if settings.metrics else None
        self._bodies = _HotBodies(_HOT_BYTES)
        # The ETags of bodies that could not be read at the last request.
        self._damaged: set[str] = set()
        # Not in the store: what the hub knows outlives it.
        self._notifier = BackgroundNotifier(self._root)
        self._stamp: tuple[int, ...] | None = None
        # The id of the build process that this process has started; 0 for none.
        self._builder = 0
        self._thread: threading.Thread | None = None
        self._workers_lock = -1
        self._retry_build_at = 0.0
        self._cannot_build = False
        self._make_locks()
        restart = weakref.WeakMethod(self._restart)
        os.register_at_fork(after_in_child=lambda: (found := restart()) and found())

    def clock(self) -> datetime:
        """Return the present moment."""
        return datetime.now(UTC)

    def start(self) -> None:
        """Load the index, if there is one, and keep it current from now on."""
        self._load_index()
        self._run()

    def close(self) -> None:
        """Stop the threads; wait for a build process started here if there are no other workers."""
        self._notifier.stop()
        self._stopped.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        self._leave()
        if self.requests:
            self.requests.leave()
        end = time.monotonic() + _END_SECONDS
        while (
            self._builder and not self._has_ended(self._builder) and not self._files.has_workers()
        ):
            if time.monotonic() > end:
                os.kill(self._builder, signal.SIGKILL)
            time.sleep(_YIELD_SECONDS)

    def request_reload(self) -> None:
        """Request that the catalogue is read again; safe in a signal handler."""
        with suppress(OSError):
            self._files.request_reload()

    def status(self) -> Status:
        """Return the last failure, and whether the site may be behind its catalogue."""
        found = self._files.read()
        degraded = found.degraded or self._cannot_build or self._files.is_stale()
        return found._replace(degraded=degraded)

    def body(self, index: Index, record: Record, coding: str) -> bytes | None:
        """Return a document's bytes under a coding; None if that would not make them smaller.

        Raises DamagedBody.
        """
        key = record.etag, coding
        found = self._bodies.get(key)
        if found is None:
            # Concurrent requests for the same body share one copy.
            with self._load_locks[hash(key) % _LOAD_LOCKS]:
                found = self._bodies.get(key)
                if found is None:
                    body = self._read(index, record)
                    found = body if coding == IDENTITY else compress(body, coding) or b""
                    self._bodies.put(key, found)
        return found or (None if coding != IDENTITY else b"")

    def _read(self, index: Index, record: Record) -> bytes:
        with suppress(OSError), os.fdopen(index.open(record.etag), "rb") as file:
            body = file.read()
            if etag_of(body) == record.etag:
                self._damaged.discard(record.etag)
                return body
        self._load_index()
        # Bodies of an outdated index may have been removed, and are not needed any more.
        if self.index is index:
            # The build process notices that it is gone, and builds it again.
            index.discard(record.etag)
            if record.etag not in self._damaged:
                log_event("damaged-object", logging.WARNING, etag=record.etag)
            self._damaged.add(record.etag)
        raise DamagedBody

    def _make_locks(self) -> None:
        self._stopped = threading.Event()
        self._index_lock = threading.Lock()
        self._load_locks = [threading.Lock() for _ in range(_LOAD_LOCKS)]

    def _run(self) -> None:
        with suppress(OSError):
            # A forked process has a copy of its parent's.
            self._leave()
            self._workers_lock = self._files.join_workers()
        if self.requests:
            self.requests.leave()
            self.requests.join()
        self._thread = threading.Thread(target=self._watch, name="feeds-site", daemon=True)
        self._thread.start()
        self._notifier.start()

    def _restart(self) -> None:
        """Start the thread in a forked process, which has a copy of everything else."""
        if self._thread is not None:
            self._builder = 0
            self._make_locks()
            self._run()

    def _watch(self) -> None:
        next_check = 0.0
        while not self._stopped.is_set():
            try:
                self._load_index()
                if time.monotonic() >= next_check:
                    next_check = time.monotonic() + _BUILD_SECONDS
                    with _fork_lock:
                        self._ensure_build_process()
                        if self.requests:
                            self.requests.join()
            except Exception:  # noqa: BLE001  # a bug must not end the thread
                log_exception("bug")
            self._stopped.wait(_INDEX_SECONDS)

    def _load_index(self) -> None:
        """Load the index if it has been replaced."""
        with self._index_lock:
            stamp = index_stamp(StateFolder(self._root, self._name))
            if stamp is None or stamp == self._stamp:
                return
            index = load_index(self._root, self._name, lambda: time.sleep(_YIELD_SECONDS))
            self._stamp = stamp
            if index:
                self.index = index
                self._notifier.update(index.head.url, index.head.hub, index.etags)
                log_event("serving", release=index.head.release)

    def _ensure_build_process(self) -> None:
        if self._builder and not self._has_ended(self._builder):
            return
        if time.monotonic() < self._retry_build_at:
            return
        try:
            StateFolder(self._root, self._name).make()
            # The state folder may have been deleted.
            if self._workers_lock < 0 or not self._files.is_current(
                self._workers_lock, WORKERS_LOCK
            ):
                self._leave()
                self._workers_lock = self._files.join_workers()
            lock = self._files.take_build_lock()
        except OSError as error:
            if not self._cannot_build:
                log_event(
                    "no-build", logging.ERROR, folder=self._root, error=error.strerror or error
                )
            self._cannot_build = True
            return
        self._cannot_build = False
        if lock is not None:
            try:
                self._start_build(lock)
            finally:
                os.close(lock)

    def _leave(self) -> None:
        lock, self._workers_lock = self._workers_lock, -1
        if lock >= 0:
            os.close(lock)

    def _start_build(self, lock: int) -> None:
        """Start a build process that inherits the lock, so that no other one is started."""
        settings = self._settings
        command = [
            *(sys.executable, "-P", "-m", "feeds.server.build_process"),
            *(str(settings.catalogue), settings.url or "", str(settings.state_folder)),
            *(str(self._root), "pages" if settings.pages else ""),
        ]
        actions = [(os.POSIX_SPAWN_DUP2, lock, BUILD_LOCK_FD)]
        # This package, even if it is not installed: `-P` leaves out the current folder.
        path = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}
        self._builder = os.posix_spawn(sys.executable, command, environment, file_actions=actions)

    def _has_ended(self, process: int) -> bool:
        """Check whether the build process started here has ended; log its failure."""
        code = 0
        with suppress(ChildProcessError):
            ended, status = os.waitpid(process, os.WNOHANG)
            if not ended:
                return False
            code = os.waitstatus_to_exitcode(status)
        if code:
            log_event("build-process-ended", logging.ERROR, code=code)
        if code > 0:
            # It was not killed by a signal, so the next one is likely to fail, too.
            self._retry_build_at = time.monotonic() + _RETRY_BUILD_SECONDS
        self._builder = 0
        return True


class _HotBodies:
    """The most recently used bodies, up to a number of bytes; thread-safe."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._bodies: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str]) -> bytes | None:
        """Return a body; None if it is not kept."""
        with self._lock:
            found = self._bodies.get(key)
            if found is not None:
                self._bodies.move_to_end(key)
            return found

    def put(self, key: tuple[str, str], body: bytes) -> None:
        """Keep a body, and drop those not used for the longest time."""
        with self._lock:
            if key not in self._bodies:
                self._bodies[key] = body
                self._bytes += len(body)
            while self._bytes > self._max_bytes:
                _, dropped = self._bodies.popitem(last=False)
                self._bytes -= len(dropped)


def _store_root(settings: Settings) -> Path:
    """Return the state folder, or a temporary one of this user's if that cannot be written."""
    folder = settings.state_folder
    try:
        StateFolder(folder, settings.store_name).make()
    except OSError as error:
        other = Path(tempfile.gettempdir(), f"feeds-{os.getuid()}")
        reason = error.strerror or str(error)
        log_event("no-state", logging.WARNING, folder=folder, error=reason, instead=other)
        StateFolder(other).make()
        found = other.lstat()
        private = stat.S_ISDIR(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077
        return other if private and found.st_uid == os.getuid() else Path(tempfile.mkdtemp())
    return folder
