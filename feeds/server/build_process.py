"""`python -m feeds.server.build_process`: keeps the store of one served site current.

It is started by any process that answers from the store, works alone by a lock,
and ends when no process answers any more, when the state folder was deleted, or
when this program was replaced by another version.
"""

import atexit
import gc
import logging
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from feeds.build import Build
from feeds.builder import Options, SiteBuilder
from feeds.errors import CatalogueError, FeedsError
from feeds.history import History
from feeds.logs import log_to, tell, tell_bug
from feeds.parallel import cores
from feeds.selection import held_back_summary
from feeds.server.status import BUILD_LOCK_FD, Failure, Status, StatusFiles, reason_of
from feeds.server.store import FOLDER_PREFIX, SiteStore, store_name
from feeds.storage import StateFolder
from feeds.watch import Lookout

# Between two looks at the catalogue, which cost some microseconds.
_INTERVAL_SECONDS = 0.2
# Until what failed without a mistake in the catalogue is tried again: a disk was full.
_AGAIN_SECONDS = 2.0
# Until what could not be dated is tried again.
_UNDATED_SECONDS = 30.0
# Between two looks at this program's own files.
_UPGRADE_SECONDS = 5.0
# How long to wait for the processes that answer, when all are told to end.
_GRACE_SECONDS = 5.0
# Some readers refuse larger feeds, in bytes.
_LARGE = 1_000_000
_UNUSED_SECONDS = 30 * 86_400


class SitePublisher:
    """Builds a catalogue into a store when it changes or an embargo ends."""

    def __init__(
        self,
        builder: SiteBuilder,
        store: SiteStore,
        status: StatusFiles,
        path: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._builder = builder
        self._store = store
        self._files = status
        self._path = path
        self._clock = clock
        self._detector = Lookout(path)
        self._status = status.read()
        # Whether anything was built, and until when that stays as it is. The build itself
        # is let go: its plans take more memory than all else.
        self._has_built = False
        self._until: datetime | None = None
        self._known: dict[str, str] = {}
        self._again = True
        # When the same may be tried again, by whether the catalogue is read.
        self._not_before = {True: 0.0, False: 0.0}
        self._said = ""
        self._undated_since = 0.0

    def refresh(self, *, read: bool = False) -> None:
        """Publish what is new: a changed catalogue, or an entry whose embargo has ended.

        The catalogue is read if it has changed, or with `read`. A broken catalogue
        leaves the index in place, and what the last good one holds under embargo
        still appears. That it is broken is logged once, and it is read again when
        its files have changed.
        """
        self._files.write_again()
        again = self._again and self._may_try(read=True)
        if read or again or self._detector.differs(self._builder.seen):
            self._attempt(read=True)
        due = self._is_overdue() or self._has_to_be_dated() or self._is_disturbed()
        if due and self._may_try(read=False):
            self._attempt(read=False)

    def pause(self) -> float:
        """Return for how many seconds nothing need be looked at."""
        if self._until is None:
            return _INTERVAL_SECONDS
        left = (self._until - self._clock()).total_seconds()
        return left if 0 < left < _INTERVAL_SECONDS else _INTERVAL_SECONDS

    def _is_overdue(self) -> bool:
        return self._until is not None and self._until <= self._clock()

    def _has_to_be_dated(self) -> bool:
        since = self._undated_since
        return bool(since) and time.monotonic() - since > _UNDATED_SECONDS

    def _is_disturbed(self) -> bool:
        return self._has_built and self._store.is_disturbed()

    def _may_try(self, *, read: bool) -> bool:
        """Return whether the same was not tried in vain a moment ago."""
        return time.monotonic() >= self._not_before[read]

    def _attempt(self, *, read: bool) -> None:
        begun = time.perf_counter()
        self._again = False
        self._not_before[read] = 0.0
        try:
            build = self._builder.build(read=read)
        except CatalogueError as error:
            first = error.problems[0]
            place = f"{Path(first.file).name}:{first.line}:{first.column}"
            self._fail(str(first), problems=len(error.problems), place=place)
        except FeedsError as error:
            # It may pass by itself, as an unreadable disk does: logged once, tried again.
            self._again = True
            self._not_before[read] = time.monotonic() + _AGAIN_SECONDS
            if self._said != str(error):
                self._fail(str(error), reason=reason_of(error))
        except Exception as error:  # noqa: BLE001  # a bug costs the change, not the site
            self._not_before[read] = time.monotonic() + _AGAIN_SECONDS
            if self._said != repr(error):
                tell_bug("bug")
                self._fail(repr(error), reason=reason_of(error))
        else:
            self._succeed(build, time.perf_counter() - begun)

    def _succeed(self, build: Build, seconds: float) -> None:
        self._has_built, self._until = True, build.planned.until
        self._undated_since = time.monotonic() if self._builder.undated else 0.0
        if self._builder.is_sound:
            self._said = ""
            if self._status.degraded:
                self._write_status(Status(failure=self._status.failure))
        etags = {path: fact.etag for path, fact in build.facts.items()}
        changed = sum(self._known.get(path) != etag for path, etag in etags.items())
        self._known = etags
        tell(
            "published",
            release=self._store.release,
            documents=len(etags),
            changed=changed,
            seconds=f"{seconds:.3f}",
        )
        planned = build.planned
        later = held_back_summary(planned.catalogue, planned.as_of)
        if later:
            tell("held-back", **later._asdict())
        feeds = {form.media_type for form in planned.formats}
        large = [
            plan.path
            for plan in planned.plans
            if plan.media_type in feeds and build.facts[plan.path].length > _LARGE
        ]
        if large:
            tell("large-documents", logging.WARNING, count=len(large), first=large[0])

    def _fail(self, message: str, *, problems: int = 0, place: str = "", reason: str = "") -> None:
        self._said = message
        failure = Failure(at=self._clock(), problems=problems, place=place, reason=reason)
        self._write_status(Status(failure=failure, degraded=True))
        serving = self._store.release or "nothing"
        tell("broken", logging.ERROR, problems=problems, first=message, serving=serving)

    def _write_status(self, status: Status) -> None:
        self._status = status
        self._files.write(status)


class _Process:
    """The process around a publisher: its lock, its signals, and when it ends."""

    def __init__(self, files: StatusFiles, lock: int) -> None:
        self._files = files
        self._lock = lock
        self._ends_at = 0.0
        self._program = _program_stamp()
        self._looked = time.monotonic()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end_soon)
        signal.signal(signal.SIGALRM, self._show_life)
        signal.setitimer(signal.ITIMER_REAL, 1, 1)
        # On its way out Python gives up its handlers: a signal would kill it.
        atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)

    def should_end(self) -> bool:
        """Return whether this process has nothing to do any more."""
        now = time.monotonic()
        if self._ends_at and now > self._ends_at:
            return True
        if not self._files.is_ours(self._lock) or not self._files.has_workers():
            return True
        if now - self._looked > _UPGRADE_SECONDS:
            self._looked = now
            return self._program != _program_stamp()
        return False

    def _end_soon(self, *_: object) -> None:
        """End as soon as no process answers any more, or in a few seconds.

        Service managers send their signals to all processes at once; what still
        answers would start another build process.
        """
        self._ends_at = self._ends_at or time.monotonic() + _GRACE_SECONDS

    def _show_life(self, *_: object) -> None:
        self._files.show_life(self._lock)
        # In the midst of a build, too.
        if not self._files.has_workers():
            sys.exit()


def _program_stamp() -> list[tuple[str, int, int]]:
    """Return what changes when another version of this program is installed."""
    files = Path(__file__).parent.parent.rglob("*.py")
    found = []
    with suppress(OSError):
        for file in sorted(files):
            stat = file.stat()
            found.append((str(file), stat.st_ino, stat.st_mtime_ns))
    return found


def _remove_unused(root: Path, own: str) -> None:
    """Remove the stores that no process has built into for a month."""
    for name in StateFolder(root).names():
        if not name.startswith(FOLDER_PREFIX) or name == own:
            continue
        with suppress(OSError):
            shown = (root / name / "build.lock").lstat().st_mtime
            if time.time() - shown > _UNUSED_SECONDS and not (root / name).is_symlink():
                shutil.rmtree(root / name)


def main(arguments: Sequence[str]) -> None:
    """Build until nothing answers: the arguments are catalogue, URL, folders of state and store, pages."""
    catalogue, url, state, root, pages = arguments
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    log_to(sys.stderr)
    path = Path(catalogue)
    name = store_name(path, url or None, pages=bool(pages))
    folder = StateFolder(Path(root), name)
    files = StatusFiles(folder)
    try:
        folder.make()
        lock = BUILD_LOCK_FD if files.is_ours(BUILD_LOCK_FD) else files.take_build_lock()
    except OSError as error:
        tell("no-build", logging.ERROR, folder=root, error=error.strerror or error)
        return
    if lock is None:
        return
    process = _Process(files, lock)
    files.show_life(lock)
    _remove_unused(Path(root), name)
    options = Options(url=url or None, pages=bool(pages), processes=cores())
    store = SiteStore(Path(root), name)
    builder = SiteBuilder(path, store, options, history=History(Path(state)))
    publisher = SitePublisher(builder, store, files, path)
    reloaded = files.reload_stamp()
    publisher.refresh()
    # What is there now stays: it need not be walked again for what nobody holds.
    gc.collect()
    gc.freeze()
    while not process.should_end():
        time.sleep(publisher.pause())
        before, reloaded = reloaded, files.reload_stamp()
        publisher.refresh(read=before != reloaded)


if __name__ == "__main__":
    main(sys.argv[1:])
