"""Puts files in place and takes others away: all of it, or, where one step fails, nothing."""

from functools import partial
from typing import TYPE_CHECKING

from feeds.errors import FeedsError
from feeds.export.safe_folder import Tree
from feeds.export.staging import sync_folders
from feeds.export.sweeping import NEW, OLD

if TYPE_CHECKING:
    from collections.abc import Callable


class Exchange:
    """What is put and taken, with a way back as long as the process lives.

    A file that is replaced or taken away keeps a second name until the end. A
    process that is killed leaves each file whole, old or new, and both names to
    be swept.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._back: list[Callable[[], object]] = []
        self._names = 0
        # Folders that are known to be there, and those whose names have changed.
        self._there: set[str] = set()
        self._touched: dict[str, None] = {}

    def put(self, name: str, path: str, *, replaces: bool) -> None:
        """Put the staged file of this name in place."""
        folder = _folder(path)
        if folder not in self._there:
            self._tree.make(folder, self._made)
            self._there.add(folder)
        if replaces:
            old = self._old()
            kept = self._tree.link(path, old)
            self._back.append(partial(self._restore, old, path, kept=kept))
        else:
            self._back.append(partial(self._withdraw, path))
        self._touched[folder] = None
        self._tree.rename(f"{NEW}/{name}", path)

    def take(self, path: str) -> None:
        """Take a file away, and the folders that it leaves empty."""
        if self._tree.stat(path):
            old = self._old()
            self._back.append(partial(self._restore, old, path))
            self._touched[_folder(path)] = None
            self._tree.rename(path, old)
        self._leave(_folder(path))

    def sync(self) -> None:
        """Make what was put and taken last, beyond a loss of power."""
        sync_folders(self._tree, list(self._touched))
        self._touched.clear()

    def undo(self) -> bool:
        """Put back what was there, as far as the file system lets it; tell whether it did."""
        whole = True
        for back in reversed(self._back):
            try:
                back()
            except FeedsError:
                whole = False
        return whole

    def _old(self) -> str:
        if not self._names:
            self._tree.make(OLD)
        self._names += 1
        return f"{OLD}/{self._names}"

    def _made(self, folder: str) -> None:
        self._touched[_folder(folder)] = None
        self._back.append(partial(self._tree.rmdir, folder))

    def _leave(self, folder: str) -> None:
        """Take away the folders that have become empty, upwards."""
        while folder and self._tree.rmdir(folder):
            self._there.discard(folder)
            self._touched.pop(folder, None)
            folder = _folder(folder)
            self._touched[folder] = None

    def _restore(self, old: str, path: str, *, kept: bool = True) -> None:
        if not kept:
            raise FeedsError(f"{path}: has no second name")
        if self._tree.stat(old):
            self._tree.make(_folder(path))
            self._tree.rename(old, path)

    def _withdraw(self, path: str) -> None:
        if self._tree.stat(path):
            self._tree.unlink(path)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
