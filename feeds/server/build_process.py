"""`python -m feeds.server.build_process` keeps the store of one served site current.

Any worker starts it, and a lock makes it the only one. It ends when there are no
workers any more, when the state folder is deleted, or when another version of this
program is installed.
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

from feeds.build import Build, BuildOptions, SiteBuilder
from feeds.errors import CatalogueError, FeedsError, MissingCatalogueError
from feeds.history import History
from feeds.log import log_event, log_exception, log_to
from feeds.parallel import cores
from feeds.selection import held_back_summary
from feeds.server.site_store import (
    BUILD_LOCK,
    BUILD_LOCK_FD,
    FOLDER_PREFIX,
    SiteStore,
    Status,
    StatusFiles,
    store_name,
)
from feeds.storage import StateFolder, fingerprint

# How often the catalogue is checked, which takes some microseconds.
_CHECK_SECONDS = 0.2
# When to try again after a failure that is not a problem in the catalogue, as of a full disk.
_RETRY_SECONDS = 2.0
# When to build again because there were no dates.
_UNDATED_SECONDS = 30.0
# How often this program's own files are checked.
_UPGRADE_SECONDS = 5.0
# How long to wait for workers to end after this process has received a signal to end.
_GRACE_SECONDS = 5.0
# Some feed readers refuse larger feeds.
_LARGE_FEED_BYTES = 1_000_000
# When a store that no process builds into is removed.
_UNUSED_SECONDS = 30 * 86_400
# Checking this many files is cheap; each one more delays the next check.
_CHEAP_FILES = 1000
_DELAY_PER_FILE_SECONDS = 0.0001
_MAX_DELAY_SECONDS = 1.0


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
        # Whether anything was built, and when it is outdated. The build itself is not kept:
        # its plans take more memory than everything else.
        self._has_built = False
        self._until: datetime | None = None
        self._etags: dict[str, str] = {}
        # Whether the catalogue is to be read though its files have not changed.
        self._again = True
        # When to try again, by whether the catalogue is read.
        self._retry_at = {True: 0.0, False: 0.0}
        self._logged_failure = ""
        self._undated_since = 0.0

    def refresh(self, *, read: bool = False) -> None:
        """Build if the catalogue has changed, or an embargo has ended, or with `read`.

        A broken catalogue leaves the index in place, and embargoes of the last good one
        still end. The failure is logged once, and the catalogue is read again when its
        files have changed.
        """
        self._files.write_pending()
        now = time.monotonic()
        again = self._again and now >= self._retry_at[True]
        if read or again or fingerprint(self._path) != self._builder.fingerprint:
            self._build(read=True)
        since = self._undated_since
        if (
            (self._until is not None and self._until <= self._clock())
            or (since and now - since > _UNDATED_SECONDS)
            or (self._has_built and self._store.is_disturbed())
        ) and now >= self._retry_at[False]:
            self._build(read=False)

    def pause(self) -> float:
        """Return how many seconds to wait before the next refresh: longer if there are many files."""
        more = max(len(self._builder.fingerprint or ()) - _CHEAP_FILES, 0)
        usual = _CHECK_SECONDS + min(more * _DELAY_PER_FILE_SECONDS, _MAX_DELAY_SECONDS)
        if self._until is None:
            return usual
        left = (self._until - self._clock()).total_seconds()
        return left if 0 < left < usual else usual

    def _build(self, *, read: bool) -> None:
        begun = time.perf_counter()
        self._again = False
        self._retry_at[read] = 0.0
        try:
            build = self._builder.build(read=read)
        except CatalogueError as error:
            first = error.problems[0]
            place = f"{Path(first.file).name}:{first.line}:{first.column}"
            self._fail(str(first), problems=len(error.problems), place=place)
        except FeedsError as error:
            # It may resolve itself, as with a full disk: logged once, tried again.
            self._again = True
            self._retry_at[read] = time.monotonic() + _RETRY_SECONDS
            if self._logged_failure != str(error):
                missing = isinstance(error, MissingCatalogueError)
                self._fail(str(error), reason="missing" if missing else "unreadable")
        except Exception as error:  # noqa: BLE001  # a bug costs the change, not the site
            self._retry_at[read] = time.monotonic() + _RETRY_SECONDS
            if self._logged_failure != repr(error):
                log_exception("bug")
                self._fail(repr(error), reason="internal")
        else:
            self._succeed(build, time.perf_counter() - begun)

    def _succeed(self, build: Build, seconds: float) -> None:
        self._has_built, self._until = True, build.planned.until
        self._undated_since = time.monotonic() if self._builder.undated else 0.0
        if self._builder.is_sound:
            self._logged_failure = ""
            status = self._files.read()
            if status.degraded:
                self._files.write(status._replace(degraded=False))
        etags = {path: fact.etag for path, fact in build.facts.items()}
        changed = sum(self._etags.get(path) != etag for path, etag in etags.items())
        self._etags = etags
        log_event(
            "published",
            release=self._store.release,
            documents=len(etags),
            changed=changed,
            seconds=f"{seconds:.3f}",
        )
        planned = build.planned
        later = held_back_summary(planned.catalogue, planned.as_of)
        if later:
            log_event("held-back", **later._asdict())
        feeds = {form.media_type for form in planned.formats}
        large = [
            plan.path
            for plan in planned.plans
            if plan.media_type in feeds and build.facts[plan.path].length > _LARGE_FEED_BYTES
        ]
        if large:
            log_event("large-documents", logging.WARNING, count=len(large), first=large[0])

    def _fail(self, message: str, *, problems: int = 0, place: str = "", reason: str = "") -> None:
        self._logged_failure = message
        failure = {
            "at": self._clock().isoformat(timespec="seconds"),
            "problems": problems,
            "place": place,
            **({"reason": reason} if reason else {}),
        }
        self._files.write(Status(failure=failure, degraded=True))
        serving = self._store.release or "nothing"
        log_event("broken", logging.ERROR, problems=problems, first=message, serving=serving)


class _Process:
    """The lock and the signals of this process, and when it ends."""

    def __init__(self, files: StatusFiles, lock: int) -> None:
        self._files = files
        self._lock = lock
        self._ends_at = 0.0
        self._program = _program_stamp()
        self._checked = time.monotonic()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end_soon)
        signal.signal(signal.SIGALRM, self._show_life)
        signal.setitimer(signal.ITIMER_REAL, 1, 1)
        # At exit Python removes its handlers, and the signal would kill the process.
        atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)

    def should_end(self) -> bool:
        """Check whether this process has nothing to do any more."""
        now = time.monotonic()
        if self._ends_at and now > self._ends_at:
            return True
        if not self._files.is_current(self._lock, BUILD_LOCK) or not self._files.has_workers():
            return True
        if now - self._checked > _UPGRADE_SECONDS:
            self._checked = now
            return self._program != _program_stamp()
        return False

    def _end_soon(self, *_: object) -> None:
        """End as soon as there are no workers any more, or in a few seconds.

        Service managers send a signal to all processes at once; a worker that has not
        ended yet would start another build process.
        """
        self._ends_at = self._ends_at or time.monotonic() + _GRACE_SECONDS

    def _show_life(self, *_: object) -> None:
        self._files.show_life(self._lock)
        # During a build, too.
        if not self._files.has_workers():
            sys.exit()


def _program_stamp() -> list[tuple[str, int, int]]:
    """Return what changes when another version of this program is installed."""
    found = []
    with suppress(OSError):
        for file in sorted(Path(__file__).parents[1].rglob("*.py")):
            stat = file.stat()
            found.append((str(file), stat.st_ino, stat.st_mtime_ns))
    return found


def _remove_unused(root: Path, own: str) -> None:
    """Remove the stores that no process has built into for 30 days."""
    for folder in root.glob(f"{FOLDER_PREFIX}*"):
        if folder.name == own or folder.is_symlink():
            continue
        with suppress(OSError):
            if time.time() - (folder / BUILD_LOCK).lstat().st_mtime > _UNUSED_SECONDS:
                shutil.rmtree(folder)


def main(arguments: Sequence[str]) -> None:
    """Build until there are no workers.

    The arguments are the catalogue, the URL, the folders of state and store, and `pages`.
    """
    catalogue, url, state, root, pages = arguments
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    log_to(sys.stderr)
    path = Path(catalogue)
    name = store_name(path, url or None, pages=bool(pages))
    folder = StateFolder(Path(root), name)
    files = StatusFiles(folder)
    try:
        folder.make()
        lock = (
            BUILD_LOCK_FD
            if files.is_current(BUILD_LOCK_FD, BUILD_LOCK)
            else files.take_build_lock()
        )
    except OSError as error:
        log_event("no-build", logging.ERROR, folder=root, error=error.strerror or error)
        return
    if lock is None:
        return
    process = _Process(files, lock)
    files.show_life(lock)
    _remove_unused(Path(root), name)
    options = BuildOptions(url=url or None, pages=bool(pages), processes=cores())
    store = SiteStore(Path(root), name)
    builder = SiteBuilder(path, store, options, history=History(Path(state)))
    publisher = SitePublisher(builder, store, files, path)
    reloaded = files.reload_stamp()
    publisher.refresh()
    # What exists now stays: the collector need not examine it again.
    gc.collect()
    gc.freeze()
    while not process.should_end():
        time.sleep(publisher.pause())
        before, reloaded = reloaded, files.reload_stamp()
        publisher.refresh(read=before != reloaded)


if __name__ == "__main__":
    main(sys.argv[1:])
