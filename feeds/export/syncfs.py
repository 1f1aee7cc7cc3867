"""Linux's syncfs: everything of a file system is written to the disk in one call."""

import ctypes
import errno
import os
import re
import sys
from collections.abc import Callable
from functools import cache

# Before Linux 5.8 it returned no error of what could not be written.
_SINCE = (5, 8)


@cache
def _syncfs() -> Callable[[int], int] | None:
    """Return the C library's function; None where there is none that reports errors."""
    if sys.platform != "linux":
        return None
    release = re.match(r"(\d+)\.(\d+)", os.uname().release)
    if not release or tuple(map(int, release.groups())) < _SINCE:
        return None
    return getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


def has_syncfs() -> bool:
    """Return whether this system has a syncfs that reports errors."""
    return _syncfs() is not None


def syncfs(fd: int) -> None:
    """Write everything to the disk on the file system of a descriptor; raises OSError."""
    call = _syncfs()
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if call(fd) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
