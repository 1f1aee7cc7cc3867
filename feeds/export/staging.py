"""Files under temporary names: whole, and lasting beyond a loss of power, before any is put in place.

All are written, and only then is the disk waited for, in several threads: so
it brings many of them to rest at once.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import chain
from typing import NamedTuple

from feeds.export.sweeping import NEW
from feeds.export.tree import Tree, forgive

_THREADS = 16
# Below this many, threads cost more than they save.
_PAYS = 64
# So many folders are open at once at most, of the thousand that a process may have.
_OPEN = 256
# So many a thread does in one go: handing them out one by one takes as long as they do.
_SHARE = _OPEN // _THREADS


class Put(NamedTuple):
    """A file to be: its path, bytes, time in nanoseconds, and whether one stands there now."""

    path: str
    body: bytes
    time: int | None = None
    replaces: bool = False


def stage(tree: Tree, puts: Sequence[Put], told: Callable[[str, float], None]) -> None:
    """Write each file as `NEW` and its number; raises FeedsError with the path it is meant for."""
    tree.make(NEW)
    for number, put in enumerate(puts):
        told("write", number / len(puts))
        _write(tree, number, put)
    with tree.opened(NEW) as folder, closing(_Syncing(len(puts))) as syncing:
        work = partial(_sync, folder)
        for number, error in enumerate(syncing.over(work, range(len(puts)))):
            told("sync", number / len(puts))
            if error is not None:
                _again(tree, number, puts[number], work)
    tree.sync(NEW)


def sync_folders(tree: Tree, folders: Sequence[str]) -> None:
    """Make the names in folders last; raises FeedsError."""
    if len(folders) < _PAYS:
        for folder in folders:
            tree.sync(folder)
        return
    with closing(_Syncing(len(folders))) as syncing:
        for at in range(0, len(folders), _OPEN):
            some = folders[at : at + _OPEN]
            fds = [tree.descriptor(folder) for folder in some]
            try:
                for folder, error in zip(some, syncing.over(os.fsync, fds), strict=True):
                    if error is not None:
                        with tree.naming(folder):
                            forgive(error)
            finally:
                for fd in fds:
                    os.close(fd)


class _Syncing:
    """Does work on many things, in threads where that pays; gives the error of each, or None."""

    def __init__(self, count: int) -> None:
        self._pool = None
        if count >= _PAYS:
            # Loaded for much work alone: little is done before it has come.
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

            self._pool = ThreadPoolExecutor(_THREADS)

    def over(self, work: Callable[[int], None], things: Sequence[int]) -> Iterator[OSError | None]:
        attempt = partial(_attempts, work)
        # Some at a time, so that an interruption has not to wait for all.
        for at in range(0, len(things), _OPEN):
            some = things[at : at + _OPEN]
            if self._pool is None:
                yield from chain.from_iterable(attempt([thing]) for thing in some)
            else:
                shares = [some[part : part + _SHARE] for part in range(0, len(some), _SHARE)]
                yield from chain.from_iterable(self._pool.map(attempt, shares))

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()


def _write(tree: Tree, number: int, put: Put) -> None:
    tree.write(f"{NEW}/{number}", put.body, put.time, told=put.path)


def _again(tree: Tree, number: int, put: Put, work: Callable[[int], None]) -> None:
    """Write a file anew that could not be brought to rest.

    What a failed fsync leaves in memory is said to be clean, and may be on no
    disk: a second fsync of the same file would succeed, and mean nothing.
    """
    tree.unlink(f"{NEW}/{number}")
    _write(tree, number, put)
    with tree.naming(put.path):
        work(number)


def _attempts(work: Callable[[int], None], things: Sequence[int]) -> list[OSError | None]:
    errors: list[OSError | None] = []
    for thing in things:
        try:
            work(thing)
        except OSError as error:
            errors.append(error)
        else:
            errors.append(None)
    return errors


def _sync(folder: int, number: int) -> None:
    fd = os.open(str(number), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
