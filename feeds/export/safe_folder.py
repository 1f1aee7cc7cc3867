"""File operations below a folder that follow no symbolic link."""

import ctypes
import errno
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

from feeds.errors import FeedsError

# The folder with the export's own files in the one that it writes: no document's path begins so.
EXPORT_FOLDER = ".feeds-export"

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a named pipe would wait for its other end.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Readable for the user of a web server, whatever the umask.
_FILE_MODE = 0o644
_FOLDER_MODE = 0o755
# The file system does not support fsync of a folder.
_NO_FSYNC = {errno.EINVAL, errno.ENOTSUP}
# What rmdir is called for is not a folder, or not empty.
_NOT_REMOVABLE = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.ELOOP}
# The file system does not support hard links.
_NO_LINK = {errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}
_MAX_OPEN_FOLDERS = 64
# Before this version, Linux's syncfs did not report files that could not be written.
_SYNCFS_SINCE = (5, 8)


class SafeFolder:
    """A folder and everything below it.

    Paths are relative, with `/` between their parts, and every folder on the way is
    opened without following links. If the folder itself does not exist, it is
    treated as empty. Every method raises FeedsError, with the path, if the file
    system refuses. Not for use by several threads: folders are kept open.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        # The descriptors of open folders, by path.
        self._folders: dict[str, int] = {}
        try:
            # The root may be a link: its name is what the user has given.
            self._fd = os.open(root, _FOLDER & ~os.O_NOFOLLOW)
        except FileNotFoundError:
            self._fd = -1
        except OSError as error:
            raise _refusal(root, error) from None

    def close(self) -> None:
        """Close all folders."""
        self._close_folders()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def names(self, folder: str = "") -> list[str]:
        """Return the names in a folder; none if it does not exist."""
        with self.errors_at(folder):
            try:
                return os.listdir(self._open_folder(folder))  # noqa: PTH208  # of a descriptor
            except FileNotFoundError:
                return []

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file; None if it does not exist."""
        with self.errors_at(path):
            try:
                fd = self._open_file(path)
            except FileNotFoundError:
                return None
            try:
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    raise self._not_a_file(path)
                with os.fdopen(fd, "rb", closefd=False) as file:
                    return file.read()
            finally:
                os.close(fd)

    def stat(self, path: str, *, strict: bool = False) -> os.stat_result | None:
        """Return the stat of a regular file; None if it does not exist.

        For anything else at the path, or a link on the way to it, this returns None,
        too, or with `strict` raises FeedsError.
        """
        folder, _, name = path.rpartition("/")
        try:
            found = os.stat(name, dir_fd=self._open_folder(folder), follow_symlinks=False)
        except OSError as error:
            if strict and not isinstance(error, FileNotFoundError):
                raise _refusal(self.root / path, error) from None
            return None
        if stat.S_ISREG(found.st_mode):
            return found
        if strict:
            is_link = stat.S_ISLNK(found.st_mode)
            raise _link_refusal(self.root / path) if is_link else self._not_a_file(path)
        return None

    def write(self, path: str, body: bytes, *, named: str) -> int:
        """Write a new file into an existing folder, in place of one that exists; return its inode.

        An error names the path `named`.
        """
        folder, _, name = path.rpartition("/")
        with self.errors_at(named):
            parent = self._open_folder(folder)
            create = partial(os.open, name, _NEW, _FILE_MODE, dir_fd=parent)
            try:
                fd = create()
            except FileExistsError:
                os.unlink(name, dir_fd=parent)
                fd = create()
            with os.fdopen(fd, "wb", buffering=0) as file:
                os.fchmod(fd, _FILE_MODE)
                left = memoryview(body)
                while left:
                    left = left[file.write(left) :]
                return os.fstat(fd).st_ino

    def set_time(self, path: str, time: int, *, named: str) -> None:
        """Set a file's modification time, in nanoseconds; an error names the path `named`."""
        folder, _, name = path.rpartition("/")
        with self.errors_at(named):
            fd = self._open_folder(folder)
            os.utime(name, ns=(time, time), dir_fd=fd, follow_symlinks=False)

    def sync_file(self, path: str, *, named: str) -> None:
        """Call fsync for a file; an error names the path `named`."""
        with self.errors_at(named):
            fd = self._open_file(path)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    def make(self, folder: str, on_made: Callable[[str], object] = lambda _: None) -> None:
        """Make a folder and its missing parents; `on_made` is called with the path of each."""
        parts = folder.split("/") if folder else []
        path = ""
        try:
            for depth, name in enumerate(parts, 1):
                parent, path = path, "/".join(parts[:depth])
                try:
                    self._open_folder(path)
                except FileNotFoundError:
                    with usual_umask():
                        os.mkdir(name, _FOLDER_MODE, dir_fd=self._open_folder(parent))
                    on_made(path)
                    make_readable(self._open_folder(path))
        except OSError as error:
            raise _refusal(self.root / path, error) from None

    def rename(self, path: str, new: str) -> None:
        """Rename a file; one at the new path is replaced."""
        moved_away = new.startswith(EXPORT_FOLDER) and not path.startswith(EXPORT_FOLDER)
        with self.errors_at(path if moved_away else new):
            self._with_both(os.rename, path, new)

    def link(self, path: str, new: str) -> bool:
        """Make a hard link to a file. Return False if the file system does not support it."""
        with self.errors_at(path):
            try:
                self._with_both(os.link, path, new, follow_symlinks=False)
            except OSError as error:
                if error.errno not in _NO_LINK:
                    raise
                return False
        return True

    def unlink(self, path: str) -> None:
        """Remove a file."""
        folder, _, name = path.rpartition("/")
        with self.errors_at(path):
            os.unlink(name, dir_fd=self._open_folder(folder))

    def rmdir(self, folder: str) -> bool:
        """Remove a folder if it is empty; return whether it no longer exists."""
        parent, _, name = folder.rpartition("/")
        with self.errors_at(folder):
            try:
                os.rmdir(name, dir_fd=self._open_folder(parent))
            except FileNotFoundError:
                return True
            except OSError as error:
                if error.errno in _NOT_REMOVABLE:
                    return False
                raise
        if folder in self._folders:
            os.close(self._folders.pop(folder))
        return True

    def open_for_locking(self, path: str) -> int:
        """Return the descriptor of a file, made if it is missing, for the caller to close."""
        folder, _, name = path.rpartition("/")
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with self.errors_at(path), usual_umask():
            return os.open(name, flags, 0o600, dir_fd=self._open_folder(folder))

    def sync(self, folder: str) -> None:
        """Call fsync for a folder, so that the names in it survive a power failure."""
        with self.errors_at(folder):
            try:
                os.fsync(self._open_folder(folder))
            except OSError as error:
                if error.errno not in _NO_FSYNC:
                    raise

    def sync_all(self) -> bool:
        """Call syncfs for the file system; return whether it succeeded."""
        syncfs = load_syncfs()
        return syncfs is not None and syncfs(self._fd) == 0

    @contextmanager
    def errors_at(self, path: str) -> Iterator[None]:
        """Raise FeedsError, with the path, for an OSError."""
        try:
            yield
        except OSError as error:
            raise _refusal(self.root / path, error) from None

    def _open_file(self, path: str) -> int:
        folder, _, name = path.rpartition("/")
        return os.open(name, _FILE, dir_fd=self._open_folder(folder))

    def _with_both(
        self, operation: Callable[..., None], path: str, new: str, **options: bool
    ) -> None:
        """Call an operation on two paths, by the descriptors of their folders."""
        folder, _, name = path.rpartition("/")
        new_folder, _, new_name = new.rpartition("/")
        fd = os.dup(self._open_folder(folder))
        try:
            new_fd = self._open_folder(new_folder)
            operation(name, new_name, src_dir_fd=fd, dst_dir_fd=new_fd, **options)
        finally:
            os.close(fd)

    def _open_folder(self, folder: str) -> int:
        """Return the descriptor of a folder, valid until the next call; raises OSError."""
        if self._fd < 0:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if not folder:
            return self._fd
        if folder not in self._folders:
            parent, _, name = folder.rpartition("/")
            fd = os.open(name, _FOLDER, dir_fd=self._open_folder(parent))
            if len(self._folders) >= _MAX_OPEN_FOLDERS:
                self._close_folders()
            self._folders[folder] = fd
        return self._folders[folder]

    def _close_folders(self) -> None:
        while self._folders:
            os.close(self._folders.popitem()[1])

    def _not_a_file(self, path: str) -> FeedsError:
        return FeedsError(f"{self.root / path}: is not a file, and is not replaced; remove it")


@contextmanager
def usual_umask() -> Iterator[None]:
    """Set the umask to 022 for a moment, so that what is made has the usual mode."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


def make_readable(folder: int | Path) -> None:
    """Add read permission for all users to a new folder; inherited bits stay."""
    mode = os.stat(folder).st_mode  # noqa: PTH116  # of a descriptor, too
    if mode & _FOLDER_MODE != _FOLDER_MODE:
        os.chmod(folder, stat.S_IMODE(mode) | _FOLDER_MODE)  # noqa: PTH101  # as above


@cache
def load_syncfs() -> Callable[[int], int] | None:
    """Return the C library's syncfs; None if there is none that reports errors."""
    release = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))
    if sys.platform != "linux" or release < _SYNCFS_SINCE:
        return None
    return getattr(ctypes.CDLL(None), "syncfs", None)


def _refusal(path: Path, error: OSError) -> FeedsError:
    """Return the error for a path, with the symbolic link on the way to it, if there is one."""
    if error.errno in {errno.ELOOP, errno.ENOTDIR}:
        links = [part for part in (*reversed(path.parents), path) if part.is_symlink()]
        if links:
            return _link_refusal(links[-1])
    return FeedsError(f"{path}: {error.strerror or 'cannot be written'}")


def _link_refusal(path: Path) -> FeedsError:
    return FeedsError(
        f"{path}: is a symbolic link, which is neither followed nor replaced; remove it"
    )
