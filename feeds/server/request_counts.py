"""Requests by status, counted by all processes that serve a site.

Each process counts in a file of its own in the store, so that counting takes no lock
that processes share. A file outlives its process, and the next process continues it:
the sums do not decrease when a worker is replaced.
"""

import mmap
import os
from contextlib import suppress
from itertools import count
from threading import Lock

from feeds.storage import StateFolder

_PREFIX = "requests-"
_FIRST_STATUS, _STATUSES = 100, 500
_FILE_BYTES = 8 * _STATUSES


class RequestCounts:
    """The numbers of requests by status: counts those of this process, sums those of all."""

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder
        self._fd = -1
        self.leave()

    def leave(self) -> None:
        """Leave the file to another process, and count in memory until `join`.

        A forked process must leave that of its parent, of which it has a copy.
        """
        self._lock = Lock()
        # The mapping has a descriptor of its own, which keeps the file locked.
        self._counts = memoryview(bytearray(_FILE_BYTES)).cast("Q")
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def join(self) -> None:
        """Count in a file that no other process has; does nothing if there is one already.

        If that was deleted, or there was none yet, its counts are added to the new one.
        """
        with suppress(OSError):
            if self._fd >= 0 and os.fstat(self._fd).st_nlink:
                return
            fd, counts = self._take_file()
            with self._lock:
                for at, number in enumerate(self._counts):
                    counts[at] += number
                old, self._fd, self._counts = self._fd, fd, counts
            if old >= 0:
                os.close(old)

    def count(self, status: int) -> None:
        """Count a request."""
        with self._lock:
            self._counts[status - _FIRST_STATUS] += 1

    def totals(self) -> dict[int, int]:
        """Return the number of requests of all processes by status, without those that have none."""
        sums = [0] * _STATUSES
        for number in count():
            try:
                fd = self._folder.open(f"{_PREFIX}{number}", os.O_RDWR)
            except OSError:
                break
            try:
                # A file that was just created is empty.
                for at, found in enumerate(_mapped(fd) if os.fstat(fd).st_size else ()):
                    sums[at] += found
            finally:
                os.close(fd)
        return {status: found for status, found in enumerate(sums, _FIRST_STATUS) if found}

    def _take_file(self) -> tuple[int, memoryview]:
        """Return the first file that no process has locked, and its counts; raises OSError."""
        for number in count():
            with suppress(TimeoutError):
                fd = self._folder.lock(f"{_PREFIX}{number}", 0)
                break
        try:
            if os.fstat(fd).st_size != _FILE_BYTES:
                os.ftruncate(fd, 0)
                # A hole that is written through a mapping kills the process if the disk is full.
                os.write(fd, bytes(_FILE_BYTES))
            return fd, _mapped(fd)
        except OSError:
            os.close(fd)
            raise


def _mapped(fd: int) -> memoryview:
    return memoryview(mmap.mmap(fd, _FILE_BYTES)).cast("Q")
