"""How the building of a served site goes: files in its store that say whether it lives, and fails."""

import errno
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from feeds.errors import FeedsError, MissingCatalogueError
from feeds.storage import StateFolder, take_lock

_STATUS = "status.json"
# Held by the build process; its time is when that process last showed that it is alive.
_BUILD_LOCK = "build.lock"
# A process that is started to build finds it, locked, in the place of its standard input.
BUILD_LOCK_FD = 0
# Held, shared, by each process that answers.
_WORKERS_LOCK = "workers.lock"
# Touched to have the catalogue read again.
_RELOAD = "reload"
# After so many seconds without a sign of life a build process is taken for stopped.
_STALE_SECONDS = 5.0
# How often a lock is tried that others have for a moment, and how long after each other.
_TRIES = 100
_TRY_SECONDS = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a catalogue could not be published: since when, and where the first problem is.

    `place` is `file:line:column`; it is empty, and `problems` 0, where the cause
    is not a problem in the catalogue. Then `reason` is `missing`, `unreadable` or
    `internal`: it names no file.
    """

    at: datetime
    problems: int = 0
    place: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The last failure, and whether it lasts."""

    failure: Failure | None = None
    degraded: bool = False


def reason_of(error: Exception) -> str:
    """Return the reason of a failure that is not a problem in the catalogue."""
    if isinstance(error, MissingCatalogueError):
        return "missing"
    return "unreadable" if isinstance(error, FeedsError) else "internal"


class StatusFiles:
    """The files beside a store's index, in the folder of the store; most methods raise OSError."""

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder
        # What could not be written.
        self._unwritten: Status | None = None

    def write(self, status: Status) -> None:
        """Replace the status; where it cannot be written, do so later."""
        self._unwritten = status
        self.write_again()

    def write_again(self) -> None:
        """Write the status that could not be written, if there is one."""
        if self._unwritten:
            with suppress(OSError):
                self._write(self._unwritten)
                self._unwritten = None

    def show_life(self, lock: int) -> None:
        """Show that the build process lives, unless it could not say how it is.

        Without a sign of life it is taken for stopped, and the site is degraded.
        """
        if not self._unwritten:
            with suppress(OSError):
                os.utime(lock)

    def _write(self, status: Status) -> None:
        failure = status.failure and asdict(status.failure)
        if failure:
            failure["at"] = failure["at"].isoformat()
        data = json.dumps({"failure": failure, "degraded": status.degraded})
        self._folder.replace(_STATUS, data.encode(), sync=False)

    def read(self) -> Status:
        """Return the status; one without a failure where none can be read."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            found: dict[str, Any] = json.loads(self._folder.read(_STATUS))
            failure = found["failure"]
            if failure:
                failure["at"] = datetime.fromisoformat(failure["at"])
            return Status(
                failure=Failure(**failure) if failure else None, degraded=bool(found["degraded"])
            )
        return Status()

    def take_build_lock(self) -> int | None:
        """Return the descriptor of the lock; None where another process builds."""
        fd = self._folder.lock_file(_BUILD_LOCK)
        if take_lock(fd):
            return fd
        os.close(fd)
        return None

    def is_ours(self, fd: int) -> bool:
        """Return whether a lock is still that of the store, and not of one that was deleted."""
        return self._is_at(fd, _BUILD_LOCK)

    def _is_at(self, fd: int, name: str) -> bool:
        try:
            found, own = self._folder.stat(name), os.fstat(fd)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)

    def is_stale(self) -> bool:
        """Return whether the build process has shown no sign of life for long."""
        try:
            shown = self._folder.stat(_BUILD_LOCK).st_mtime
        except OSError:
            return True
        return time.time() - shown > _STALE_SECONDS

    def join_workers(self) -> int:
        """Return the descriptor of a lock that says that this process answers."""
        fd = self._folder.lock_file(_WORKERS_LOCK)
        for _ in range(_TRIES):
            if take_lock(fd, shared=True):
                return fd
            # The build process has it for a moment, to see whether any process answers.
            time.sleep(_TRY_SECONDS)
        os.close(fd)
        raise BlockingIOError(errno.EWOULDBLOCK, "is locked", str(self._folder.path))

    def is_joined(self, fd: int) -> bool:
        """Return whether a lock that says that this process answers is still that of the store."""
        return self._is_at(fd, _WORKERS_LOCK)

    def has_workers(self) -> bool:
        """Return whether any process answers from the store."""
        try:
            fd = self._folder.lock_file(_WORKERS_LOCK)
        except OSError:
            return False
        try:
            return not take_lock(fd)
        finally:
            os.close(fd)

    def request_reload(self) -> None:
        """Have the catalogue read again."""
        fd = self._folder.lock_file(_RELOAD)
        try:
            os.utime(fd)
        finally:
            os.close(fd)

    def reload_stamp(self) -> int:
        """Return what changes with each request to read the catalogue again."""
        try:
            return self._folder.stat(_RELOAD).st_mtime_ns
        except OSError:
            return 0
