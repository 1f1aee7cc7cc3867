"""Files under temporary names: whole, and on the disk before any is put in place.

A few are written, and then `fsync` is called on each. Of many the whole file
system is synchronised instead, once: it takes half the time, even of `fsync` in
sixteen threads.
"""

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from feeds.export.sweeping import NEW
from feeds.export.syncfs import has_syncfs
from feeds.export.tree import Tree

# So many are open at once; above that, one syncfs is quicker than an fsync for each.
_FEW = 128


class Put(NamedTuple):
    """A file to be: its path, bytes, time in nanoseconds, and whether one stands there now."""

    path: str
    body: bytes
    time: int | None = None
    replaces: bool = False


def stage(tree: Tree, puts: Sequence[Put], told: Callable[[str, float], None]) -> None:
    """Write each file as `NEW` and its number; raises FeedsError with the path it is meant for."""
    tree.make(NEW)
    if not (len(puts) > _FEW and _written_together(tree, puts, told)):
        for at in range(0, len(puts), _FEW):
            told("write", at / len(puts))
            _write_each(tree, range(at, min(at + _FEW, len(puts))), puts)
    tree.sync(NEW)


def sync_folders(tree: Tree, folders: Sequence[str]) -> None:
    """Write the names in folders to the disk; raises FeedsError."""
    if len(folders) > _FEW and tree.sync_all():
        return
    for folder in folders:
        tree.sync(folder)


def _written_together(tree: Tree, puts: Sequence[Put], told: Callable[[str, float], None]) -> bool:
    """Write all files to the disk with one call; return False, and leave none, if that fails.

    The error may be that of another program's file on the same file system.
    """
    if not has_syncfs():
        return False
    for number, put in enumerate(puts):
        told("write", number / len(puts))
        os.close(_write(tree, number, put))
    if tree.sync_all():
        return True
    for number in range(len(puts)):
        tree.unlink(f"{NEW}/{number}")
    return False


def _write_each(tree: Tree, numbers: Sequence[int], puts: Sequence[Put]) -> None:
    """Write some files, and only then call fsync on each: the first brings most to the disk."""
    written: list[tuple[int, int]] = []
    try:
        for number in numbers:
            written.append((number, _write(tree, number, puts[number])))  # noqa: PERF401  # all that are open
        for number, fd in written:
            try:
                os.fsync(fd)
            except OSError:
                _write_again(tree, number, puts[number])
    finally:
        for _, fd in written:
            os.close(fd)


def _write(tree: Tree, number: int, put: Put) -> int:
    return tree.write(f"{NEW}/{number}", put.body, put.time, told=put.path)


def _write_again(tree: Tree, number: int, put: Put) -> None:
    """Write a file again of which fsync failed.

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
