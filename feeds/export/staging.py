"""Files under temporary names: whole, and lasting beyond a loss of power, before any is put in place.

While some are written, several threads wait for the disk to bring others to
rest: so it does many of them at once, and none of the time is lost.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import NamedTuple, TypeVar

from feeds.export.sweeping import NEW
from feeds.export.tree import Tree, forgive

T = TypeVar("T")

_THREADS = 16
# Below this many, threads cost more than they save.
_PAYS = 64
# So many a thread does in one go: handing them out one by one takes as long as they do.
_SHARE = 16

# The error of each descriptor's fsync, or None.
_Errors = list[OSError | None]


class Put(NamedTuple):
    """A file to be: its path, bytes, time in nanoseconds, and whether one stands there now."""

    path: str
    body: bytes
    time: int | None = None
    replaces: bool = False


def stage(tree: Tree, puts: Sequence[Put], told: Callable[[str, float], None]) -> None:
    """Write each file as `NEW` and its number; raises FeedsError with the path it is meant for."""
    tree.make(NEW)

    def written(numbers: Sequence[int]) -> list[int]:
        told("write", numbers[0] / len(puts))
        return _all_or_none(lambda number: _write(tree, number, puts[number]), numbers)

    with closing(_Syncing(len(puts))) as syncing:
        for number, error in syncing.over(written, range(len(puts))):
            if error is not None:
                _again(tree, number, puts[number])
    tree.sync(NEW)


def sync_folders(tree: Tree, folders: Sequence[str]) -> None:
    """Make the names in folders last; raises FeedsError."""

    def opened(some: Sequence[str]) -> list[int]:
        return _all_or_none(tree.descriptor, some)

    with closing(_Syncing(len(folders))) as syncing:
        for folder, error in syncing.over(opened, folders):
            if error is not None:
                with tree.naming(folder):
                    forgive(error)


class _Syncing:
    """Brings what is open to rest, in threads where that pays."""

    def __init__(self, count: int) -> None:
        self._pool = None
        if count >= _PAYS:
            # Loaded for much work alone: little is done before it has come.
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

            self._pool = ThreadPoolExecutor(_THREADS)

    def over(
        self, opened: Callable[[Sequence[T]], list[int]], things: Sequence[T]
    ) -> Iterator[tuple[T, OSError | None]]:
        """Give each thing with its error, in order; `opened` gives the descriptors of some.

        As many are under way as there are threads, so that an interruption has
        not to wait for all, and few are open at once.
        """
        begun: deque[tuple[Sequence[T], Callable[[], _Errors]]] = deque()
        for at in range(0, len(things), _SHARE):
            some = things[at : at + _SHARE]
            begun.append((some, self._begin(opened(some))))
            if len(begun) > _THREADS:
                yield from _ended(begun)
        while begun:
            yield from _ended(begun)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def _begin(self, fds: list[int]) -> Callable[[], _Errors]:
        if self._pool is None:
            errors = _sync(fds)
            return lambda: errors
        return self._pool.submit(_sync, fds).result


def _ended(
    begun: deque[tuple[Sequence[T], Callable[[], _Errors]]],
) -> Iterator[tuple[T, OSError | None]]:
    some, result = begun.popleft()
    return zip(some, result(), strict=True)


def _sync(fds: Sequence[int]) -> _Errors:
    """Bring each to rest, and close it."""
    errors: _Errors = []
    for fd in fds:
        try:
            os.fsync(fd)
        except OSError as error:
            errors.append(error)
        else:
            errors.append(None)
        finally:
            os.close(fd)
    return errors


def _all_or_none(opened: Callable[[T], int], things: Sequence[T]) -> list[int]:
    """Open some things; where one cannot be, none is left open."""
    fds: list[int] = []
    try:
        for thing in things:
            fds.append(opened(thing))  # noqa: PERF401  # what is open so far must be known
    except BaseException:
        for fd in fds:
            os.close(fd)
        raise
    return fds


def _write(tree: Tree, number: int, put: Put) -> int:
    return tree.write(f"{NEW}/{number}", put.body, put.time, told=put.path)


def _again(tree: Tree, number: int, put: Put) -> None:
    """Write a file anew that could not be brought to rest.

    What a failed fsync leaves in memory is said to be clean, and may be on no
    disk: a second fsync of the same file would succeed, and mean nothing.
    """
    tree.unlink(f"{NEW}/{number}")
    fd = _write(tree, number, put)
    with tree.naming(put.path):
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
