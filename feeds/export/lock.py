"""A lock on an exported folder, which ends with the process that holds it."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from feeds.errors import FeedsError
from feeds.export.tree import OURS, Tree, usual_umask
from feeds.log import log_event

_LOCK = "lock"
_HELD: set[int] = set()


@contextmanager
def locked(tree: Tree) -> Iterator[None]:
    """Keep every other export out of a folder; raises FeedsError where one is at work.

    Where the file system knows no locks, that is told, and there is none.
    """
    with tree.opened(OURS) as folder, tree.naming(f"{OURS}/{_LOCK}"):
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with usual_umask():
            fd = os.open(_LOCK, flags, 0o600, dir_fd=folder)
    try:
        _HELD.add(fd)
        _take(fd, tree)
        yield
    finally:
        _HELD.discard(fd)
        os.close(fd)


def _take(fd: int, tree: Tree) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FeedsError(f"{tree.root}: another export is writing there") from None
    except OSError as error:
        log_event("no-lock", logging.WARNING, folder=tree.root, error=error.strerror or str(error))


def _let_go() -> None:
    while _HELD:
        os.close(_HELD.pop())


# A lock is held by whoever has it open: a forked process would hold it on, if
# this one were killed.
os.register_at_fork(after_in_child=_let_go)
