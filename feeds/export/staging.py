"""Files under temporary names: whole, and on the disk before any is put in place.

Of a few files each is written to the disk by `fsync`. Of many the whole file
system is synchronised instead, once: it takes half the time, even of `fsync` in
sixteen threads.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from feeds.errors import FeedsError
from feeds.export.safe_folder import Tree
from feeds.export.sweeping import NEW
from feeds.export.syncfs import has_syncfs
from feeds.model import etag_of

# Above so many, one syncfs is quicker than an fsync for each.
_FEW = 128


class Put(NamedTuple):
    """A staged file: its name in `NEW`, its path, its ETag, and whether a file is there now.

    `time` is in nanoseconds.
    """

    name: str
    path: str
    etag: str
    time: int
    replaces: bool = False


def sync_staged(tree: Tree, puts: Sequence[Put], told: Callable[[str, float], None]) -> None:
    """Set the time of each staged file, and write all to the disk; raises FeedsError."""
    for put in puts:
        tree.set_time(f"{NEW}/{put.name}", put.time, named=put.path)
    if not (len(puts) > _FEW and has_syncfs() and tree.sync_all()):
        # Where syncfs fails, the error may be that of another program's file, or
        # of any of ours: what is in memory may be on no disk.
        again = len(puts) > _FEW and has_syncfs()
        for number, put in enumerate(puts):
            told("write", number / len(puts))
            if again or not _is_synced(tree, put):
                _write_again(tree, put)
    tree.sync(NEW)


def sync_folders(tree: Tree, folders: Sequence[str]) -> None:
    """Write the names in folders to the disk; raises FeedsError."""
    if len(folders) > _FEW and tree.sync_all():
        return
    for folder in folders:
        tree.sync(folder)


def _is_synced(tree: Tree, put: Put) -> bool:
    try:
        tree.sync_file(f"{NEW}/{put.name}", named=put.path)
    except FeedsError:
        return False
    return True


def _write_again(tree: Tree, put: Put) -> None:
    """Write a file again of which fsync failed.

    What a failed fsync leaves in memory is said to be clean, and may be on no
    disk: a second fsync of the same file would succeed, and mean nothing.
    """
    name = f"{NEW}/{put.name}"
    found = tree.read(name)
    if found is None or etag_of(found.body) != put.etag:
        raise FeedsError(f"{tree.root / put.path}: cannot be written to the disk")
    tree.unlink(name)
    tree.write(name, found.body, named=put.path)
    tree.set_time(name, put.time, named=put.path)
    tree.sync_file(name, named=put.path)
