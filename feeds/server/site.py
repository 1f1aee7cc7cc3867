"""A served site as one process that answers sees it: the index, bodies, and who builds them."""

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
from queue import Empty, SimpleQueue

from feeds.compression import compress
from feeds.logs import tell, tell_bug
from feeds.model import etag_of
from feeds.notify.websub import BackgroundNotifier
from feeds.server.status import BUILD_LOCK_FD, Status, StatusFiles
from feeds.server.store import Index, Record, index_stamp, load_index, store_name
from feeds.storage import STATE, StateFolder

# Between two looks at the index.
_INTERVAL_SECONDS = 0.2
# Between two looks whether a build process is at work.
_BUILD_SECONDS = 1.0
# Until another build process is started where one has failed.
_FAILED_SECONDS = 10.0
# How long a build process may take to end when nobody answers any more.
_END_SECONDS = 10.0
# Between two steps of loading an index: other threads have their turn.
_TURN_SECONDS = 0.0005
# Bodies that are kept, plain and compressed, in bytes.
_HOT_BYTES = 48_000_000
# So many bodies are read and compressed at the same time.
_LOAD_LOCKS = 16
IDENTITY = "identity"


class DamagedBody(Exception):
    """A body is missing, or does not match its ETag.

    It is being built again, unless the site has another index by now.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is served: the catalogue at a path, the URL in place of its own, state, and pages.

    `state` is the folder of the history and of the store; None is `.feeds` beside
    the catalogue.
    """

    catalogue: Path
    url: str | None = None
    state: Path | None = None
    pages: bool = True

    @property
    def state_folder(self) -> Path:
        """The state folder, named or not."""
        return self.state or self.catalogue.parent / STATE

    @property
    def store_name(self) -> str:
        """The name of the store in the state folder."""
        return store_name(self.catalogue, self.url, pages=self.pages)


class ServedSite:
    """Gives the current index and its bodies, and sees to it that somebody builds.

    A thread looks at the index. It begins in each process that is forked from this
    one, too.
    """

    def __init__(self, settings: Settings) -> None:
        self.index: Index | None = None
        self._settings = settings
        self._name = settings.store_name
        self._root = _store_root(settings)
        self._files = StatusFiles(StateFolder(self._root, self._name))
        self._bodies = _HotBodies(_HOT_BYTES)
        # The ETags of bodies that could not be read when they were last asked for.
        self._damaged: set[str] = set()
        # Beside the history: what the hub knows outlives the store.
        self._notifier = BackgroundNotifier(settings.state_folder)
        self._stamp: tuple[int, ...] | None = None
        # The build process that this one has started; 0 for none.
        self._builder = 0
        self._thread: threading.Thread | None = None
        self._workers_lock = -1
        self._not_before = 0.0
        self._cannot_build = False
        self._prepare()
        restart = weakref.WeakMethod(self._restart)
        os.register_at_fork(after_in_child=lambda: (found := restart()) and found())

    def clock(self) -> datetime:
        """Return the present moment."""
        return datetime.now(UTC)

    def start(self) -> None:
        """Load the index, if there is one, and keep it current from now on."""
        self._look()
        self._run()

    def close(self) -> None:
        """End the thread; the build process ends when no process answers any more."""
        self._notifier.stop()
        thread, self._thread = self._thread, None
        if thread is not None and thread.is_alive():
            self._wakes.put(None)
            thread.join()
        self._leave()
        end = time.monotonic() + _END_SECONDS
        while (
            self._builder and not self._has_ended(self._builder) and not self._files.has_workers()
        ):
            if time.monotonic() > end:
                os.kill(self._builder, signal.SIGKILL)
            time.sleep(_TURN_SECONDS)

    def request_reload(self) -> None:
        """Have the catalogue read again; fit for the handler of a signal."""
        with suppress(OSError):
            self._files.request_reload()

    def status(self) -> Status:
        """Return the last failure, and whether the site may be behind its catalogue."""
        found = self._files.read()
        if self._cannot_build or self._files.is_stale():
            return Status(failure=found.failure, degraded=True)
        return found

    def body(self, index: Index, record: Record, coding: str) -> bytes | None:
        """Return a document's bytes under a coding; None where that would not make them fewer.

        Raises DamagedBody.
        """
        key = record.etag, coding
        found = self._bodies.get(key)
        if found is None:
            # Many that ask for the same at once share one copy.
            with self._load_locks[hash(key) % _LOAD_LOCKS]:
                found = self._bodies.get(key)
                if found is None:
                    body = self._read(index, record)
                    found = body if coding == IDENTITY else compress(body, coding) or b""
                    self._bodies.put(key, found)
        return found or (None if coding != IDENTITY else b"")

    def _read(self, index: Index, record: Record) -> bytes:
        try:
            with os.fdopen(index.open(record.etag), "rb") as file:
                body = file.read()
        except OSError:
            body = None
        if body is not None and etag_of(body) == record.etag:
            self._damaged.discard(record.etag)
            return body
        self._look()
        # Of an index that was replaced twice, bodies are gone that are not needed any more.
        if self.index is index:
            # Removed, it is missed by the build process, and built again.
            index.discard(record.etag)
            if record.etag not in self._damaged:
                tell("damaged-object", logging.WARNING, etag=record.etag)
            self._damaged.add(record.etag)
        raise DamagedBody

    def _prepare(self) -> None:
        self._wakes: SimpleQueue[None] = SimpleQueue()
        self._look_lock = threading.Lock()
        self._load_locks = [threading.Lock() for _ in range(_LOAD_LOCKS)]

    def _run(self) -> None:
        with suppress(OSError):
            # A forked process has its parent's, too.
            self._leave()
            self._workers_lock = self._files.join_workers()
        self._thread = threading.Thread(target=self._watch, name="feeds-site", daemon=True)
        self._thread.start()
        self._notifier.start()

    def _restart(self) -> None:
        """Begin again in a forked process, which has a copy of all but the thread."""
        if self._thread is not None:
            self._builder = 0
            self._prepare()
            self._run()

    def _watch(self) -> None:
        next_check = 0.0
        while self._thread is not None:
            try:
                self._look()
                if time.monotonic() >= next_check:
                    next_check = time.monotonic() + _BUILD_SECONDS
                    self._see_to_build()
            except Exception:  # noqa: BLE001  # a bug must not end the thread
                tell_bug("bug")
            with suppress(Empty):
                self._wakes.get(timeout=_INTERVAL_SECONDS)

    def _look(self) -> None:
        """Load the index if it was replaced."""
        with self._look_lock:
            stamp = index_stamp(StateFolder(self._root, self._name))
            if stamp is None or stamp == self._stamp:
                return
            index = load_index(self._root, self._name, lambda: time.sleep(_TURN_SECONDS))
            self._stamp = stamp
            if index:
                self.index = index
                self._notifier.update(index.head.url, index.head.hub, index.etags)
                tell("serving", release=index.head.release)

    def _see_to_build(self) -> None:
        """Start a build process where there is none."""
        if self._builder and not self._has_ended(self._builder):
            return
        if time.monotonic() < self._not_before:
            return
        try:
            StateFolder(self._root, self._name).make()
            self._rejoin()
            lock = self._files.take_build_lock()
        except OSError as error:
            if not self._cannot_build:
                tell("no-build", logging.ERROR, folder=self._root, error=error.strerror or error)
            self._cannot_build = True
            return
        self._cannot_build = False
        if lock is not None:
            try:
                self._start_build(lock)
            finally:
                os.close(lock)

    def _rejoin(self) -> None:
        """Say again that this process answers, where the state folder was deleted."""
        if self._workers_lock < 0 or not self._files.is_joined(self._workers_lock):
            self._leave()
            self._workers_lock = self._files.join_workers()

    def _leave(self) -> None:
        lock, self._workers_lock = self._workers_lock, -1
        if lock >= 0:
            os.close(lock)

    def _start_build(self, lock: int) -> None:
        """Start a process that builds, and leave it the lock: no other one is started meanwhile."""
        settings = self._settings
        command = [
            *(sys.executable, "-P", "-m", "feeds.server.build_process"),
            *(str(settings.catalogue), settings.url or "", str(settings.state_folder)),
            *(str(self._root), "pages" if settings.pages else ""),
        ]
        actions = [(os.POSIX_SPAWN_DUP2, lock, BUILD_LOCK_FD)]
        # This very package, also where it is not installed: `-P` finds none in the current folder.
        path = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}
        self._builder = os.posix_spawn(sys.executable, command, environment, file_actions=actions)

    def _has_ended(self, process: int) -> bool:
        """Return whether the build process that this one started has ended; log why."""
        code = 0
        with suppress(ChildProcessError):
            ended, status = os.waitpid(process, os.WNOHANG)
            if not ended:
                return False
            code = os.waitstatus_to_exitcode(status)
        if code:
            tell("build-process-ended", logging.ERROR, code=code)
        if code > 0:
            # Not killed: the next one is likely to fail, too.
            self._not_before = time.monotonic() + _FAILED_SECONDS
        self._builder = 0
        return True


class _HotBodies:
    """The bodies that were asked for last, within an amount of memory; any thread may use it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
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
        """Keep a body, and let others go."""
        with self._lock:
            if key not in self._bodies:
                self._bodies[key] = body
                self._size += len(body)
            while self._size > self._most:
                _, gone = self._bodies.popitem(last=False)
                self._size -= len(gone)


def _store_root(settings: Settings) -> Path:
    """Return the state folder, or one of this user's where nothing can be written there."""
    folder = settings.state_folder
    try:
        StateFolder(folder, settings.store_name).make()
    except OSError as error:
        other = Path(tempfile.gettempdir(), f"feeds-{os.getuid()}")
        reason = error.strerror or str(error)
        tell("no-state", logging.WARNING, folder=folder, error=reason, instead=other)
        StateFolder(other).make()
        found = other.lstat()
        private = stat.S_ISDIR(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077
        return other if private and found.st_uid == os.getuid() else Path(tempfile.mkdtemp())
    return folder
