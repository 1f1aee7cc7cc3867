"""A folder and what is below it, walked step by step, so that no symbolic link is ever followed."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from feeds.errors import FeedsError
from feeds.export.syncfs import syncfs

# The export's own folder in the one that it writes: no document's path begins so.
OURS = ".feeds-export"

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe that somebody put in a file's place must keep nobody waiting.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# As any web server's user may read it, whatever the umask.
_MODE = 0o644
_FOLDER_MODE = 0o755
# Of file systems that know no fsync of a folder.
_NO_FSYNC = {errno.EINVAL, errno.ENOTSUP}
# Of what is no folder, or not an empty one.
_STAYS = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.ELOOP}
# Of file systems where a file has one name alone.
_NO_LINK = {errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}
_LINK = "is a symbolic link, which is neither followed nor replaced: take it away"


class Found(NamedTuple):
    """What a file holds, and its time in nanoseconds."""

    body: bytes
    time: int


class Tree:
    """A folder that is there, or None is: then nothing is found in it.

    Paths are relative, with `/` between their parts. Every method raises
    FeedsError, which names the path, where the file system refuses. One thread
    at a time may use it, because it keeps the folders open that lead to the last
    path.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        # Of folders that are open, from the top to the last that was used: what is
        # renamed comes from the export's own, and goes to another.
        self._ours, self._others = _Chain(), _Chain()
        try:
            # A link that the webmaster names is what the webmaster means.
            self._fd = os.open(root, _FOLDER & ~os.O_NOFOLLOW)
        except FileNotFoundError:
            self._fd = -1
        except OSError as error:
            raise _refused(root, error) from None

    def close(self) -> None:
        """Let go of every folder."""
        self._ours.leave(0)
        self._others.leave(0)
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def names(self, folder: str = "") -> list[str]:
        """Give the names in a folder; none where there is no such folder."""
        if self._fd < 0:
            return []
        with self.naming(folder):
            try:
                return os.listdir(self._folder(_parts(folder)))  # noqa: PTH208  # of a descriptor
            except FileNotFoundError:
                return []

    def read(self, path: str) -> Found | None:
        """Give what a file holds; None where there is none."""
        if self._fd < 0:
            return None
        *folders, name = path.split("/")
        try:
            fd = os.open(name, _FILE, dir_fd=self._folder(folders))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._refused(path, error) from None
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise FeedsError(f"{self.root / path}: is no file, and is left alone: take it away")
            return Found(_read_all(fd, found.st_size), found.st_mtime_ns)
        except OSError as error:
            raise self._refused(path, error) from None
        finally:
            os.close(fd)

    def has_folder(self, folder: str) -> bool:
        """Return whether a folder is there; raises FeedsError for anything else in its place."""
        if self._fd < 0:
            return False
        try:
            self._folder(_parts(folder))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._refused(folder, error) from None
        return True

    def stat(self, path: str) -> os.stat_result | None:
        """Return the stat of a regular file that no link leads to; None if there is none."""
        *folders, name = path.split("/")
        try:
            found = os.stat(name, dir_fd=self._folder(folders), follow_symlinks=False)
        except (OSError, FeedsError):
            return None
        return found if stat.S_ISREG(found.st_mode) else None

    def write(self, path: str, body: bytes, *, named: str = "") -> int:
        """Write a file that is not there yet, in a folder that is, and return its inode.

        An error names the path `named`, if that is given.
        """
        *folders, name = path.split("/")
        with self.naming(named or path):
            fd = os.open(name, _NEW, _MODE, dir_fd=self._folder(folders))
            try:
                os.fchmod(fd, _MODE)
                left = memoryview(body)
                while left:
                    left = left[os.write(fd, left) :]
                return os.fstat(fd).st_ino
            finally:
                os.close(fd)

    def set_time(self, path: str, time: int, *, named: str) -> None:
        """Set a file's time, in nanoseconds; an error names the path `named`."""
        *folders, name = path.split("/")
        try:
            os.utime(name, ns=(time, time), dir_fd=self._folder(folders), follow_symlinks=False)
        except OSError as error:
            raise self._refused(named, error) from None

    def sync_file(self, path: str, *, named: str) -> None:
        """Write a file to the disk; an error names the path `named`."""
        *folders, name = path.split("/")
        with self.naming(named):
            fd = os.open(name, _FILE, dir_fd=self._folder(folders))
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    def make(self, folder: str, made: Callable[[str], None] = lambda _: None) -> None:
        """Make a folder with those around it, where they are missing, and tell which were made."""
        parts = _parts(folder)
        for depth, name in enumerate(parts, 1):
            path = "/".join(parts[:depth])
            try:
                self._folder(parts[:depth])
            except FileNotFoundError:
                with self.naming(path):
                    with usual_umask():
                        os.mkdir(name, _FOLDER_MODE, dir_fd=self._folder(parts[: depth - 1]))
                    made(path)
                    let_in(self._folder(parts[:depth]))
            except OSError as error:
                raise self._refused(path, error) from None

    def rename(self, path: str, new: str) -> None:
        """Put a file in another's place, or where none is."""
        try:
            self._two(os.rename, path, new)
        except OSError as error:
            to_ours = new.startswith(OURS) and not path.startswith(OURS)
            raise self._refused(path if to_ours else new, error) from None

    def link(self, path: str, new: str) -> bool:
        """Give a file a second name; tell whether the file system knows such a thing."""
        with self.naming(path):
            try:
                self._two(os.link, path, new, follow_symlinks=False)
            except OSError as error:
                if error.errno not in _NO_LINK:
                    raise
                return False
        return True

    def unlink(self, path: str) -> None:
        """Take a file away."""
        *folders, name = path.split("/")
        with self.naming(path):
            os.unlink(name, dir_fd=self._folder(folders))

    def rmdir(self, folder: str) -> bool:
        """Take a folder away where it is one and empty; tell whether it is gone."""
        *folders, name = folder.split("/")
        with self.naming(folder):
            try:
                os.rmdir(name, dir_fd=self._folder(folders))
            except FileNotFoundError:
                return True
            except OSError as error:
                if error.errno in _STAYS:
                    return False
                raise
        return True

    @contextmanager
    def opened(self, folder: str) -> Iterator[int]:
        """Give the descriptor of a folder for as long as needed."""
        with self.naming(folder):
            fd = os.dup(self._folder(_parts(folder)))
        try:
            yield fd
        finally:
            os.close(fd)

    def sync(self, folder: str) -> None:
        """Make the names in a folder last, beyond a loss of power."""
        with self.naming(folder):
            try:
                os.fsync(self._folder(_parts(folder)))
            except OSError as error:
                if error.errno not in _NO_FSYNC:
                    raise

    def sync_all(self) -> bool:
        """Write all files and names to the disk at once; return whether that was done."""
        try:
            syncfs(self._fd)
        except OSError:
            return False
        return True

    @contextmanager
    def naming(self, path: str) -> Iterator[None]:
        """Tell the path with what the file system refuses."""
        try:
            yield
        except OSError as error:
            raise self._refused(path, error) from None

    def _two(self, work: Callable[..., None], path: str, new: str, **options: bool) -> None:
        *folders, name = path.split("/")
        *new_folders, new_name = new.split("/")
        fd = os.dup(self._folder(folders))
        try:
            there = self._folder(new_folders)
            work(name, new_name, src_dir_fd=fd, dst_dir_fd=there, **options)
        finally:
            os.close(fd)

    def _folder(self, parts: list[str]) -> int:
        """Give the descriptor of a folder, until the next call for one; raises OSError."""
        chain = self._ours if parts and parts[0] == OURS else self._others
        if chain.names != parts:
            shared = zip(chain.names, parts, strict=False)
            chain.leave(sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], shared)))
            for name in parts[len(chain.names) :]:
                chain.fds.append(
                    os.open(name, _FOLDER, dir_fd=chain.fds[-1] if chain.fds else self._fd)
                )
                chain.names.append(name)
        return chain.fds[-1] if chain.fds else self._fd

    def _refused(self, path: str, error: OSError) -> FeedsError:
        return _refused(self.root / path, error)


class _Chain:
    """Folders that are open, one in another, by their names and descriptors."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.fds: list[int] = []

    def leave(self, depth: int) -> None:
        """Close all but so many folders."""
        while len(self.names) > depth:
            self.names.pop()
            os.close(self.fds.pop())


@contextmanager
def usual_umask() -> Iterator[None]:
    """Make folders with their usual mode for a moment, whatever the umask."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


def let_in(folder: int | Path) -> None:
    """Let everybody read a folder that is new, whatever the umask; what it inherited stays."""
    mode = os.stat(folder).st_mode  # noqa: PTH116  # of a descriptor, too
    if mode & _FOLDER_MODE != _FOLDER_MODE:
        os.chmod(folder, stat.S_IMODE(mode) | _FOLDER_MODE)  # noqa: PTH101  # as above


def _refused(path: Path, error: OSError) -> FeedsError:
    """Give the error of a path, with the link on the way to it, if there is one."""
    if error.errno in {errno.ELOOP, errno.ENOTDIR}:
        links = [part for part in (*reversed(path.parents), path) if part.is_symlink()]
        if links:
            return FeedsError(f"{links[-1]}: {_LINK}")
    return FeedsError(f"{path}: {error.strerror or 'cannot be written'}")


def _parts(folder: str) -> list[str]:
    return folder.split("/") if folder else []


def _read_all(fd: int, size: int) -> bytes:
    found = os.read(fd, size + 1)
    if len(found) == size:
        return found
    chunks = [found]
    while chunks[-1]:
        chunks.append(os.read(fd, max(size, 1 << 16)))
    return b"".join(chunks)
