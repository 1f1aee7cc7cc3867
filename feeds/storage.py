"""The files of the state folder: private to one user, and none reached through a symbolic link.

Whoever can write into the folder must not be able to make the program write
elsewhere, read elsewhere, or wait.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

# Beside the catalogue, where no other state folder is named.
STATE = ".feeds"
# In a repository only the history is worth keeping.
_GITIGNORE = ".gitignore"
_IGNORED = b"*\n!.gitignore\n!history.tsv\n"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Opening a pipe would wait for its other end.
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER_MODE, _FILE_MODE = 0o700, 0o600
# A hundred times what a large site has.
_MAX_BYTES = 1 << 28


class StateFolder:
    """A state folder, or one below it; every method raises OSError with the path that is refused.

    The state folder itself may be reached through a link, which is what its owner
    set up; everything below it is opened by its name alone.
    """

    def __init__(self, root: Path, *inner: str) -> None:
        self.path = root.joinpath(*inner)
        self._root = root
        self._inner = inner

    def make(self) -> None:
        """Make the folder where it is missing, with a `.gitignore` in the state folder.

        A folder that was there under another name than ours may hold other things,
        and gets none.
        """
        self._root.parent.mkdir(parents=True, exist_ok=True)
        if _make(self._root) or self._root.name == STATE:
            with suppress(OSError), StateFolder(self._root).create(_GITIGNORE) as file:
                file.write(_IGNORED)
        for depth in range(len(self._inner)):
            with StateFolder(self._root, *self._inner[:depth]).opened() as around:
                _make(self._inner[depth], around)

    @contextmanager
    def opened(self) -> Iterator[int]:
        """Open the folder for a while, and return its descriptor."""
        fd = os.open(self._root, _FOLDER)
        try:
            for depth, name in enumerate(self._inner, 1):
                with _naming(self._root.joinpath(*self._inner[:depth])):
                    inner = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=fd)
                os.close(fd)
                fd = inner
            yield fd
        finally:
            os.close(fd)

    def open(self, name: str, flags: int = os.O_RDONLY) -> int:
        """Return the descriptor of a regular file, for the caller to close."""
        with self.opened() as folder, _naming(self.path / name):
            fd = os.open(name, flags | _FILE, _FILE_MODE, dir_fd=folder)
        if flags & os.O_EXCL:
            os.fchmod(fd, _FILE_MODE)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return fd
        os.close(fd)
        raise OSError(errno.EINVAL, "is not a regular file", str(self.path / name))

    def create(self, name: str) -> IO[bytes]:
        """Open a file that is not there yet, for writing."""
        return os.fdopen(self.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL), "w+b")

    def lock_file(self, name: str) -> int:
        """Return the descriptor of a file to lock, made where it is missing, for the caller to close."""
        try:
            return self.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return self.open(name, os.O_RDWR)

    def read(self, name: str) -> bytes:
        """Return what a file holds."""
        with os.fdopen(self.open(name), "rb") as file:
            found = file.read(_MAX_BYTES + 1)
        if len(found) > _MAX_BYTES:
            raise OSError(errno.EFBIG, "is too large to be one of ours", str(self.path / name))
        return found

    def replace(self, name: str, data: bytes, *, sync: bool = True) -> None:
        """Write a file as a whole; only for the process that holds its lock."""
        new = f"{name.partition('.')[0]}.new"
        # A process that was killed may have left it.
        self.unlink(new)
        with self.create(new) as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        self.rename(new, name)

    def rename(self, name: str, new: str) -> None:
        """Give a file another name."""
        with self.opened() as folder, _naming(self.path / new):
            os.rename(name, new, src_dir_fd=folder, dst_dir_fd=folder)  # by descriptor

    def unlink(self, name: str) -> None:
        """Remove a file, if it is there."""
        with self.opened() as folder, _naming(self.path / name), suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)  # by descriptor

    def names(self) -> list[str]:
        """Return the names in the folder, in order; none where there is no such folder."""
        with suppress(FileNotFoundError), self.opened() as folder:
            return sorted(os.listdir(folder))  # noqa: PTH208  # of a descriptor
        return []

    def stat(self, name: str) -> os.stat_result:
        """Return what is known of a name in the folder, itself where it is a link."""
        with self.opened() as folder, _naming(self.path / name):
            return os.stat(name, dir_fd=folder, follow_symlinks=False)  # by descriptor

    def sync(self) -> None:
        """Make the names in the folder last, beyond a loss of power."""
        with self.opened() as folder:
            os.fsync(folder)


def take_lock(fd: int, *, shared: bool = False) -> bool:
    """Lock a file, and return whether no other process had it locked."""
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make(name: str | Path, around: int | None = None) -> bool:
    """Make a folder that only this user may enter, whatever the umask; return whether it was missing."""
    try:
        os.mkdir(name, _FOLDER_MODE, dir_fd=around)
    except FileExistsError:
        return False
    made = os.stat(name, dir_fd=around, follow_symlinks=False)
    if stat.S_ISDIR(made.st_mode) and stat.S_IMODE(made.st_mode) != _FOLDER_MODE:
        os.chmod(name, _FOLDER_MODE, dir_fd=around)
    return True


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the whole path in what the file system refuses, and a link for what it is."""
    try:
        yield
    except OSError as error:
        reason = error.strerror
        if error.errno in {errno.ELOOP, errno.ENOTDIR} and path.is_symlink():
            reason = "is a symbolic link, which is not followed; remove it"
        raise OSError(error.errno, reason, str(path)) from None
