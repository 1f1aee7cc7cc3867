"""The files beside a store's index: the status of its builds, and the locks of its processes."""

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from feeds.errors import FeedsError, MissingCatalogueError
from feeds.storage import StateFolder, take_lock

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


class Status(NamedTuple):
    """The last failure to publish the catalogue, and whether it persists.

    `failure` is as `/healthz` shows it: `at` is since when, `problems` is their number,
    and `place` is `file:line:column` of the first. If the cause is not a problem in
    the catalogue, there is a `reason`: `missing`, `unreadable` or `internal`.
    """

    failure: Mapping[str, object] | None = None
    degraded: bool = False


def reason_of(error: Exception) -> str:
    """Return the reason of a failure that is not a problem in the catalogue."""
    if isinstance(error, MissingCatalogueError):
        return "missing"
    return "unreadable" if isinstance(error, FeedsError) else "internal"


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
        status = self._unwritten
        if status is None:
            return
        with suppress(OSError):
            data = json.dumps(status._asdict()).encode()
            self._folder.replace(_STATUS, data, sync=False)
            self._unwritten = None

    def read(self) -> Status:
        """Return the status; one without a failure if it cannot be read."""
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
        try:
            return time.time() - self._folder.stat(BUILD_LOCK).st_mtime > _STALE_SECONDS
        except OSError:
            return True

    def join_workers(self) -> int:
        """Return a descriptor of the workers' lock, which this process shares; raises OSError."""
        return self._folder.lock(WORKERS_LOCK, _JOIN_SECONDS, shared=True)

    def has_workers(self) -> bool:
        """Check whether any process serves the site from this store."""
        try:
            lock = self._folder.lock_file(WORKERS_LOCK)
        except OSError:
            return False
        try:
            return not take_lock(lock)
        finally:
            os.close(lock)

    def is_current(self, lock: int, name: str) -> bool:
        """Check whether an open lock is the store's, and not that of a store that was deleted."""
        try:
            found, own = self._folder.stat(name), os.fstat(lock)
        except OSError:
            return False
        return os.path.samestat(found, own)

    def request_reload(self) -> None:
        """Request that the catalogue is read again; raises OSError."""
        lock = self._folder.lock_file(_RELOAD)
        try:
            os.utime(lock)
        finally:
            os.close(lock)

    def reload_stamp(self) -> int:
        """Return what changes with each request to read the catalogue again."""
        try:
            return self._folder.stat(_RELOAD).st_mtime_ns
        except OSError:
            return 0
