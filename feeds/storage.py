"""Files: the private state folder, the files of a catalogue, and what differs when they change."""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import repeat
from mimetypes import MimeTypes
from operator import attrgetter
from pathlib import Path
from typing import IO, NamedTuple

from feeds.errors import FeedsError, MissingCatalogueError
from feeds.media_types import with_charset
from feeds.urls import MEDIA, STATIC, TEMPLATES

# The state folder's name beside the catalogue, unless another one is configured.
STATE = ".feeds"
# The file of a new catalogue in a folder.
CATALOGUE = "entries.yaml"
# In a repository only the history is worth keeping.
_GITIGNORE = ".gitignore"
_IGNORED = b"*\n!.gitignore\n!history.tsv\n"
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Opening a pipe would block until its other end is opened.
_FILE_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | _FILE_FLAGS
_FOLDER_MODE, _FILE_MODE = 0o700, 0o600
# A hundred times what a large site needs.
_MAX_STATE_FILE_BYTES = 1 << 28
_LOCK_RETRY_SECONDS = 0.01


class StateFolder:
    """The state folder, or a folder below it: private to one user.

    The state folder itself may be a symbolic link of its owner's. Everything below it
    is opened relative to its folder, and no link is followed: another user who can
    write there cannot make the program read or write elsewhere, or block. Methods
    raise OSError with the full path.
    """

    def __init__(self, root: Path, *inner: str) -> None:
        self.path = root.joinpath(*inner)
        self._root = root
        self._inner = inner

    def make(self) -> None:
        """Create the folder if it is missing, and a `.gitignore` in a new state folder.

        An existing folder of another name may have other contents, and gets no `.gitignore`.
        """
        self._root.parent.mkdir(parents=True, exist_ok=True)
        if _make_folder(self._root) or self._root.name == STATE:
            with suppress(OSError), StateFolder(self._root).create(_GITIGNORE) as file:
                file.write(_IGNORED)
        for depth, name in enumerate(self._inner):
            with StateFolder(self._root, *self._inner[:depth]).opened() as parent:
                _make_folder(name, parent)

    @contextmanager
    def opened(self) -> Iterator[int]:
        """Yield a descriptor of the folder; an OSError within names the full path."""
        fd = os.open(self._root, _FOLDER_FLAGS)
        folder = self._root
        try:
            for name in self._inner:
                inner = os.open(name, _FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=fd)
                os.close(fd)
                fd, folder = inner, folder / name
            yield fd
        except OSError as error:
            path = folder / (error.filename2 or error.filename or "")
            reason = error.strerror
            if error.errno in {errno.ELOOP, errno.ENOTDIR} and path.is_symlink():
                reason = "is a symbolic link, which is not followed; remove it"
            raise OSError(error.errno, reason, str(path)) from None
        finally:
            os.close(fd)

    def open(self, name: str, flags: int = os.O_RDONLY) -> int:
        """Return a descriptor of a regular file; the caller closes it."""
        with self.opened() as folder:
            fd = os.open(name, flags | _FILE_FLAGS, dir_fd=folder)
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                os.close(fd)
                raise OSError(errno.EINVAL, "is not a regular file", name)
        return fd

    def create(self, name: str) -> IO[bytes]:
        """Create a file that does not exist, and return it opened for writing."""
        with self.opened() as folder:
            return os.fdopen(_create(folder, name), "w+b")

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        with os.fdopen(self.open(name), "rb") as file:
            found = file.read(_MAX_STATE_FILE_BYTES + 1)
        if len(found) > _MAX_STATE_FILE_BYTES:
            raise OSError(errno.EFBIG, "is too large to be one of ours", str(self.path / name))
        return found

    def replace(self, name: str, data: bytes, *, sync: bool = True) -> None:
        """Write a file atomically; only the process that holds its lock may do so."""
        with self.opened() as folder:
            replace_file(folder, name, data, new=f"{name.partition('.')[0]}.new", sync=sync)

    def rename(self, name: str, new: str) -> None:
        """Rename a file."""
        with self.opened() as folder:
            os.rename(name, new, src_dir_fd=folder, dst_dir_fd=folder)  # by descriptor

    def unlink(self, name: str) -> None:
        """Remove a file if it exists."""
        with self.opened() as folder, suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)  # by descriptor

    def stat(self, name: str) -> os.stat_result:
        """Return the status of a file, or of a link itself."""
        with self.opened() as folder:
            return os.stat(name, dir_fd=folder, follow_symlinks=False)  # by descriptor

    def lock_file(self, name: str) -> int:
        """Return a descriptor of a file to lock, which is created if missing; the caller closes it."""
        with suppress(FileExistsError), self.opened() as folder:
            return _create(folder, name)
        return self.open(name, os.O_RDWR)

    def lock(self, name: str, seconds: float, *, shared: bool = False) -> int:
        """Lock a file, and return its descriptor; the caller closes it.

        Raises TimeoutError if other processes hold the lock for so many seconds.
        """
        fd = self.lock_file(name)
        with ExitStack() as stack:
            stack.callback(os.close, fd)
            for pause in (*repeat(_LOCK_RETRY_SECONDS, round(seconds / _LOCK_RETRY_SECONDS)), 0):
                if take_lock(fd, shared=shared):
                    stack.pop_all()
                    return fd
                time.sleep(pause)
        raise OSError(errno.ETIMEDOUT, "another process holds the lock", str(self.path / name))


def take_lock(fd: int, *, shared: bool = False) -> bool:
    """Lock an open file without waiting; return False if another process holds the lock."""
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# Descriptors that this process holds, and one that is forked from it closes.
_held: set[int] = set()


@contextmanager
def held(fd: int) -> Iterator[None]:
    """Unlock and close a file at the end; a process that is forked meanwhile does not keep the lock."""
    _held.add(fd)
    try:
        yield
    finally:
        _held.discard(fd)
        # A file system without locks refuses to unlock, too.
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def _close_held() -> None:
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_close_held)


def replace_file(  # noqa: PLR0913  # each is named, and has its default
    folder: int,
    name: str,
    data: bytes,
    *,
    new: str,
    sync: bool = True,
    like: os.stat_result | None = None,
) -> None:
    """Write a file of an open folder atomically: under the name `new`, which is then renamed.

    A file named `new`, left behind by a process that was killed, is removed first. The
    file is private, or has the owner, as far as permitted, and the mode of `like`.
    """
    try:
        fd = _create(folder, new)
    except FileExistsError:
        os.unlink(new, dir_fd=folder)
        fd = _create(folder, new)
    try:
        if like:
            for owner, group in ((-1, like.st_gid), (like.st_uid, -1)):
                with suppress(OSError):
                    os.fchown(fd, owner, group)
            os.fchmod(fd, stat.S_IMODE(like.st_mode))
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]
        if sync:
            os.fsync(fd)
        os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        # On a full disk, it would take space from what is written next.
        with suppress(OSError):
            os.unlink(new, dir_fd=folder)
        raise
    finally:
        os.close(fd)


def _create(folder: int, name: str) -> int:
    fd = os.open(name, _CREATE_FLAGS, _FILE_MODE, dir_fd=folder)
    # Whatever the umask.
    os.fchmod(fd, _FILE_MODE)
    return fd


def _make_folder(name: str | Path, parent: int | None = None) -> bool:
    """Create a private folder, whatever the umask; return whether it was missing."""
    try:
        os.mkdir(name, _FOLDER_MODE, dir_fd=parent)
    except FileExistsError:
        return False
    made = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if stat.S_ISDIR(made.st_mode) and stat.S_IMODE(made.st_mode) != _FOLDER_MODE:
        os.chmod(name, _FOLDER_MODE, dir_fd=parent)
    return True


# A file's name, and what differs whenever its content does: inode, size in bytes, both times.
Stamp = tuple[str, int, int, int, int]
Fingerprint = tuple[Stamp, ...]


def stamp(name: str, found: os.stat_result) -> Stamp:
    """Return the stamp of a file, which is made without reading the file."""
    return name, found.st_ino, found.st_size, found.st_ctime_ns, found.st_mtime_ns


def catalogue_files(path: Path) -> list[Path]:
    """Return the files that a catalogue consists of, sorted; raises OSError.

    Those of a folder are its `*.yaml` and `*.yml` files.
    """
    return sorted(filter(_is_yaml, path.iterdir())) if path.is_dir() else [path]


def read_files(path: Path) -> list[tuple[str, bytes]]:
    """Return the name and the bytes of each file of a catalogue; raises FeedsError."""
    try:
        texts = [(str(file), _read(file)[0]) for file in catalogue_files(path)]
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        raise (MissingCatalogueError if missing else FeedsError)(
            f"{error.filename or path}: {error.strerror or 'cannot be read'}"
        ) from None
    except ValueError:
        raise FeedsError(f"{str(path)!r} is not a valid file name") from None
    if not texts:
        raise MissingCatalogueError(f"{path}: the folder has no .yaml or .yml file")
    return texts


def new_catalogue_file(path: Path) -> Path:
    """Return the file of a new catalogue at a path, which may be a folder."""
    return path if _is_yaml(path) and not path.is_dir() else path / CATALOGUE


def create_file(path: Path, data: bytes) -> None:
    """Write a new file, and the folders that it needs; raises FeedsError if there is one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            try:
                file.write(data)
                file.flush()
            except BaseException:
                path.unlink()
                raise
    except OSError as error:
        raise FeedsError(f"{error.filename or path}: {error.strerror}") from None


def rewrite_file(path: Path, data: bytes, *, expected: bytes) -> None:
    """Replace the bytes of a file atomically; it keeps its mode, and a link to it stays.

    Raises FeedsError if the file does not have the `expected` bytes any more.
    """
    try:
        real = path.resolve(strict=True)
        with open(real, "r+b", opener=_open_regular) as file:
            found, like = file.read(), os.fstat(file.fileno())
        if found != expected:
            raise FeedsError(f"{path}: was changed meanwhile, and is left as it is; try again")
        folder = os.open(real.parent, _FOLDER_FLAGS)
        try:
            replace_file(folder, real.name, data, new=f".{real.name}.new", like=like)
        finally:
            os.close(folder)
    except OSError as error:
        raise FeedsError(f"{path}: {error.strerror or 'cannot be written'}") from None


def media_folder(path: Path) -> Path:
    """Return the folder of the files that entries use: `media` beside the catalogue's files."""
    return (path if path.is_dir() else path.parent) / MEDIA


def media_files(folder: Path, path: str = MEDIA) -> dict[str, Stamp]:
    """Return the stamp of each file in a folder by its path under the site, sorted.

    `path` is that of the folder. Hidden files, and linked folders, are left out.
    """
    return dict(sorted(_walk(folder, path)))


def _walk(folder: Path, path: str) -> Iterator[tuple[str, Stamp]]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            here = path + entry.name
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), f"{here}/")
                continue
            with suppress(OSError):
                found = entry.stat()
                if stat.S_ISREG(found.st_mode):
                    yield here, stamp(here, found)


class StaticFile(NamedTuple):
    """A file of `static/`, its media type by its name, and its stamp."""

    file: Path
    media_type: str
    stamp: Stamp


def static_files(folder: Path) -> dict[str, StaticFile]:
    """Return the files that are published as they are, by their paths under the site, sorted.

    Hidden files are left out. Raises FeedsError for a symbolic link, and for anything
    that is neither a file nor a folder.
    """
    return dict(sorted(_static_below(folder, "")))


def _static_below(folder: Path, path: str) -> Iterator[tuple[str, StaticFile]]:
    try:
        entries = sorted(os.scandir(folder), key=attrgetter("name"))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise FeedsError(f"{folder}: {error.strerror or 'cannot be read'}") from None
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            raise FeedsError(f"{entry.path}: is a symbolic link; put the file itself there")
        if not entry.name.isprintable():
            raise FeedsError(
                f"{entry.path}: its name has a control character, or is not UTF-8; rename it"
            )
        if entry.is_dir():
            yield from _static_below(Path(entry.path), f"{path}{entry.name}/")
        else:
            yield path + entry.name, _static_file(Path(entry.path), path + entry.name)


def _static_file(file: Path, path: str) -> StaticFile:
    try:
        found = file.lstat()
    except OSError as error:
        raise FeedsError(f"{file}: {error.strerror or 'cannot be read'}") from None
    if not stat.S_ISREG(found.st_mode):
        raise FeedsError(f"{file}: is not a regular file")
    # Python's own table: the system's differs from machine to machine.
    media_type, _ = MimeTypes().guess_type(file.name)
    media_type = with_charset(media_type or "application/octet-stream")
    return StaticFile(file, media_type, stamp(path, found))


def read_media(file: Path, expected: Stamp) -> bytes:
    """Return a file's bytes; raises FeedsError if its stamp is not `expected` any more."""
    try:
        body, found = _read(file)
    except OSError as error:
        raise FeedsError(f"{file}: {error.strerror or 'cannot be read'}") from None
    if stamp(expected[0], found) != expected:
        raise FeedsError(f"{file}: is being written")
    return body


def _read(file: Path) -> tuple[bytes, os.stat_result]:
    """Return a file's bytes, and its status when they were read; raises OSError."""
    with open(file, "rb", opener=_open_regular) as opened:
        return opened.read(), os.fstat(opened.fileno())


def _open_regular(name: str, flags: int) -> int:
    if not stat.S_ISREG(Path(name).stat().st_mode):
        raise OSError(errno.EINVAL, "is not a regular file", name)
    # If it has become a pipe meanwhile, opening it must not block.
    return os.open(name, flags | os.O_NONBLOCK)


def _is_yaml(file: Path) -> bool:
    # The lock and swap files of editors begin with a dot.
    return file.suffix.lower() in {".yaml", ".yml"} and not file.name.startswith(".")


def fingerprint(path: Path) -> Fingerprint:
    """Return what differs whenever a catalogue's files do, including media; () if there are none."""
    try:
        files = [stamp(str(file), file.stat()) for file in catalogue_files(path)]
        beside = media_folder(path).parent
        folders = (MEDIA, f"{STATIC}/", f"{TEMPLATES}/")
        others = (media_files(beside / name, name).values() for name in folders)
        return (*files, *(found for some in others for found in some))
    except (OSError, ValueError):
        return ()
