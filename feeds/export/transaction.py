"""Replace and remove files of a folder: all of them, or, if a step fails, none.

Everything is written to the disk under temporary names before the first file is
renamed into place. Of a few files, each is written by fsync. For many files, one
syncfs of the file system takes half the time, even of fsync in sixteen threads.
"""

import logging
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from threading import current_thread, main_thread
from types import FrameType
from typing import NamedTuple

from feeds.errors import FeedsError
from feeds.export.safe_folder import EXPORT_FOLDER, SafeFolder, load_syncfs
from feeds.log import log_event
from feeds.model import etag_of
from feeds.storage import held, take_lock

FOLDER_MANIFEST = f"{EXPORT_FOLDER}/manifest.tsv"
# Staged files, and hard links to those that are replaced or removed.
NEW = f"{EXPORT_FOLDER}/new"
_OLD = f"{EXPORT_FOLDER}/old"
_LOCK = f"{EXPORT_FOLDER}/lock"
# For more files or folders, one syncfs is faster than an fsync of each.
_MAX_FSYNCS = 128


class StagedFile(NamedTuple):
    """A file of a build: its final path, its ETag, and its size in bytes.

    `name` is its name in `NEW`, and empty if the file at the path is the same. `time`
    is in nanoseconds, and `replaces` is whether there is a file at the path now.
    """

    path: str
    etag: str
    size: int
    name: str = ""
    inode: int = 0
    time: int = 0
    replaces: bool = False


def apply(
    folder: SafeFolder,
    files: Sequence[StagedFile],
    removed: Sequence[str],
    manifests: tuple[bytes, bytes],
    on_progress: Callable[[str, float], None],
) -> None:
    """Put staged files in place in this order, and remove paths; if a step fails, restore the folder.

    The first manifest, a claim, is put in place before the first file, and the second
    one after the last. Raises FeedsError.
    """
    transaction = FileTransaction(folder)
    with interrupted_once() as ignore_interrupts:
        try:
            claim = _staged_manifest(folder, "claim", manifests[0])
            manifest = _staged_manifest(folder, "manifest", manifests[1])
            _sync_staged(folder, [*files, claim, manifest], on_progress)
            folder.rename(f"{NEW}/{claim.name}", claim.path)
            folder.sync(EXPORT_FOLDER)
            for number, file in enumerate(files):
                on_progress("place", number / len(files))
                transaction.replace(file)
            transaction.sync()
            for path in removed:
                transaction.remove(path)
            # Before the manifest no longer names what is removed.
            transaction.sync()
            transaction.replace(manifest)
            transaction.sync()
        except BaseException as error:
            ignore_interrupts()
            restored = transaction.rollback()
            with suppress(FeedsError):
                _clean_up(folder)
            if restored or not isinstance(error, FeedsError | KeyboardInterrupt):
                raise
            reason = error if isinstance(error, FeedsError) else "interrupted"
            raise FeedsError(f"{reason}; not all could be restored: export again") from None
    _clean_up(folder)


class FileTransaction:
    """Files that are replaced and removed, which can be rolled back while the process lives.

    A file that is replaced keeps a hard link until the end, and one that is removed is
    renamed. If the process is killed, each file is complete, old or new, and what is
    left of the others is removed by the next export.
    """

    def __init__(self, folder: SafeFolder) -> None:
        self._folder = folder
        self._undo: list[Callable[[], object]] = []
        self._links = 0
        # Folders that are known to exist, and those whose names have changed.
        self._existing: set[str] = set()
        self._changed: dict[str, None] = {}

    def replace(self, file: StagedFile) -> None:
        """Put a staged file in place."""
        around = _parent(file.path)
        if around not in self._existing:
            self._folder.make(around, self._on_made)
            self._existing.add(around)
        if file.replaces:
            link = self._new_link()
            linked = self._folder.link(file.path, link)
            self._undo.append(partial(self._restore, link, file.path, linked=linked))
        else:
            self._undo.append(partial(self._withdraw, file.path))
        self._changed[around] = None
        self._folder.rename(f"{NEW}/{file.name}", file.path)

    def remove(self, path: str) -> None:
        """Remove a file, and the folders that become empty."""
        around = _parent(path)
        if self._folder.stat(path):
            link = self._new_link()
            self._undo.append(partial(self._restore, link, path))
            self._changed[around] = None
            self._folder.rename(path, link)
        while around and self._folder.rmdir(around):
            self._existing.discard(around)
            self._changed.pop(around, None)
            around = _parent(around)
            self._changed[around] = None

    def sync(self) -> None:
        """Write the changed names to the disk, so that they survive a power failure."""
        if len(self._changed) <= _MAX_FSYNCS or not self._folder.sync_all():
            for folder in self._changed:
                self._folder.sync(folder)
        self._changed.clear()

    def rollback(self) -> bool:
        """Restore what can be restored; return whether that was everything."""
        complete = True
        for undo in reversed(self._undo):
            try:
                undo()
            except FeedsError:
                complete = False
        return complete

    def _new_link(self) -> str:
        if not self._links:
            self._folder.make(_OLD)
        self._links += 1
        return f"{_OLD}/{self._links}"

    def _on_made(self, folder: str) -> None:
        self._changed[_parent(folder)] = None
        self._undo.append(partial(self._folder.rmdir, folder))

    def _restore(self, link: str, path: str, *, linked: bool = True) -> None:
        if not linked:
            raise FeedsError(f"{path}: has no hard link")
        if self._folder.stat(link):
            self._folder.make(_parent(path))
            self._folder.rename(link, path)

    def _withdraw(self, path: str) -> None:
        if self._folder.stat(path):
            self._folder.unlink(path)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def is_clean(folder: SafeFolder) -> bool:
    """Return whether no export has left temporary files."""
    return not {"new", "old"} & {*folder.names(EXPORT_FOLDER)}


def _clean_up(folder: SafeFolder) -> None:
    """Remove the temporary files of this export, or of one that was killed; raises FeedsError."""
    if not is_clean(folder):
        for inner in (NEW, _OLD):
            for name in folder.names(inner):
                folder.unlink(f"{inner}/{name}")
            folder.rmdir(inner)


def _staged_manifest(folder: SafeFolder, name: str, body: bytes) -> StagedFile:
    folder.write(f"{NEW}/{name}", body, named=FOLDER_MANIFEST)
    staged = StagedFile(FOLDER_MANIFEST, etag_of(body), len(body), name)
    return staged._replace(time=time.time_ns(), replaces=True)


def _sync_staged(
    folder: SafeFolder, files: Sequence[StagedFile], on_progress: Callable[[str, float], None]
) -> None:
    """Set the time of each staged file, and write all to the disk; raises FeedsError."""
    for file in files:
        folder.set_time(f"{NEW}/{file.name}", file.time, named=file.path)
    use_syncfs = len(files) > _MAX_FSYNCS and load_syncfs() is not None
    if not (use_syncfs and folder.sync_all()):
        for number, file in enumerate(files):
            on_progress("write", number / len(files))
            # The error of syncfs may be about any file. So each is written again.
            if not use_syncfs:
                with suppress(FeedsError):
                    folder.sync_file(f"{NEW}/{file.name}", named=file.path)
                    continue
            _write_again(folder, file)
    folder.sync(NEW)


def _write_again(folder: SafeFolder, file: StagedFile) -> None:
    """Write a file again for which fsync failed.

    A failed fsync may mark what is in memory as written, though it is not on the disk:
    a second fsync of the same file would then succeed without effect.
    """
    name = f"{NEW}/{file.name}"
    body = folder.read(name)
    if body is None or etag_of(body) != file.etag:
        raise FeedsError(f"{folder.root / file.path}: cannot be written to the disk")
    folder.unlink(name)
    folder.write(name, body, named=file.path)
    folder.set_time(name, file.time, named=file.path)
    folder.sync_file(name, named=file.path)


@contextmanager
def locked(folder: SafeFolder) -> Iterator[None]:
    """Keep other exports out of a folder, with an empty `NEW` in it.

    Raises FeedsError if another export is writing there. If the file system does not
    support locks, that is logged, and there is no lock.
    """
    fd = folder.open_for_locking(_LOCK)
    with held(fd):
        try:
            is_free = take_lock(fd)
        except OSError as error:
            is_free = True
            log_event(
                "no-lock", logging.WARNING, folder=folder.root, error=error.strerror or str(error)
            )
        if not is_free:
            raise FeedsError(f"{folder.root}: another export is writing there")
        _clean_up(folder)
        folder.make(NEW)
        try:
            yield
        finally:
            with suppress(FeedsError):
                _clean_up(folder)


@contextmanager
def interrupted_once() -> Iterator[Callable[[], object]]:
    """Allow one Ctrl-C to interrupt, and ignore all others until the end.

    Yields a function by which all are ignored from then on. Nothing changes where the
    program handles Ctrl-C itself, or in a thread that does not receive it.
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or current_thread() is not main_thread():
        yield lambda: None
        return

    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def interrupt(number: int, frame: FrameType | None) -> None:
        # At once: another one may come before the exception is handled.
        ignore()
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield ignore
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
