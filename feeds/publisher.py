"""Holds the current Release, and replaces it when the catalogue changes or an embargo ends."""

import gc
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from feeds.cache import Cache
from feeds.catalogue import load_catalogue
from feeds.errors import CatalogueError, FeedsError
from feeds.history import History, Outdated
from feeds.logs import tell, tell_bug
from feeds.parallel import considerate, uncollected
from feeds.release import Release
from feeds.selection import held_back_summary
from feeds.standing import Failure, reason_of
from feeds.watch import Fingerprint, Lookout, fingerprint, settled
from feeds.workshop import Workshop

if TYPE_CHECKING:
    from feeds.model import Catalogue, Document

# Looking costs some microseconds.
_INTERVAL = 0.2
# A catalogue that changes while it is being built is built again, this often.
_TRIES = 5
# How long until what could not be dated is tried again.
_UNDATED = 30.0
# Some readers refuse larger feeds.
_LARGE = 1_000_000


class Publisher:
    """The current Release of the catalogue at a path, kept current; a Standing.

    `catalogue` is the last good catalogue.
    """

    def __init__(  # noqa: PLR0913  # each is named, and has its default
        self,
        path: str | Path,
        *,
        url: str | None = None,
        state: str | Path | None = None,
        pages: bool = True,
        workshop: Workshop | None = None,
        compare: bool = False,
        strict: bool = False,
        stands: Callable[["Publisher"], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Publish the catalogue at `path`, with `url` in place of `site.url` where it is given.

        `state` is the folder of the history and of the cache, or else `.feeds`
        beside the catalogue. Without `pages` there are the feeds alone.
        `workshop` is what building may use, or else that cache and one process.
        With `compare`, addresses that are gone are notes; with `strict`, notes are errors.
        `stands` is called with this when it changes, before that is logged; `clock`
        gives aware moments, and `sleep` takes seconds.
        """
        self.path = Path(path)
        self.clock = clock
        self.catalogue: Catalogue | None = None
        self.current: Release | None = None
        self.since: datetime | None = None
        self.failure: Failure | None = None
        self.degraded = False
        self._url = url
        self._pages = pages
        self._compare = compare
        self._strict = strict
        folder = Path(state) if state else self.path.parent / ".feeds"
        self._history = History(folder)
        self._workshop = workshop or Workshop(cache=Cache(folder / "cache"))
        self._remembers = True
        # When a document last had to go without a date; 0 for never.
        self._undated = 0.0
        self._stands = stands
        self._sleep = sleep
        # What was read last, whether that was a catalogue, and whether to read it anew.
        self._seen: Fingerprint | None = None
        self._lookout = Lookout(self.path)
        self._sound = False
        self._again = True
        self._said = ""
        self._thread: threading.Thread | None = None
        self._prepare()
        restart = weakref.WeakMethod(self._restart)
        os.register_at_fork(after_in_child=lambda: (found := restart()) and found())

    def load(self) -> Release:
        """Read the catalogue now, and give its release; raises FeedsError where it is broken."""
        with self._lock, uncollected():
            return self._publish(anew=True)

    def refresh(self, *, anew: bool = False) -> None:
        """Publish what is new: a changed catalogue, or an entry whose embargo has ended.

        The catalogue is read where it has changed, or else `anew`. A broken
        catalogue leaves the current release in place, and what the last good one
        holds under embargo still appears. That it is broken is logged once, and
        it is read again when its files have changed.
        """
        with self._lock, uncollected(), considerate():
            if anew or self._again or self._lookout.differs(self._seen):
                self._attempt(anew=True)
            if self._overdue(self.current):
                self._attempt(anew=False)
            if self._undated and time.monotonic() - self._undated > _UNDATED:
                self._date_late()

    def start(self) -> None:
        """Refresh now, and five times a second from now on, in this process and in each forked from it."""
        self.refresh()
        # What is there now stays: it need not be walked again for what nobody holds.
        gc.collect()
        gc.freeze()
        if self._thread is None:
            self._run()

    def stop(self) -> None:
        """End what `start` began."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._wakes.put(None)
            thread.join()

    def wake(self) -> None:
        """Read the catalogue anew, without waiting for a change; fit for a signal's handler."""
        self._again = True
        self._wakes.put(None)

    def pause(self) -> float:
        """Give for how many seconds nothing need be looked at."""
        if self.current is None or self.current.until is None:
            return _INTERVAL
        remaining = (self.current.until - self.clock()).total_seconds()
        return remaining if 0 < remaining < _INTERVAL else _INTERVAL

    def _prepare(self) -> None:
        self._lock = threading.Lock()
        # Unlike an Event it may be set by a handler that interrupts its own like.
        self._wakes: SimpleQueue[None] = SimpleQueue()

    def _run(self) -> None:
        self._thread = threading.Thread(target=self._watch, name="feeds-publisher", daemon=True)
        self._thread.start()

    def _restart(self) -> None:
        """Begin again in a forked process, which has a copy of all but the thread."""
        if self._thread is not None:
            self._prepare()
            self._again = True
            self._run()

    def _watch(self) -> None:
        while self._thread is not None:
            with suppress(Empty):
                self._wakes.get(timeout=self.pause())
            if self._thread is not None:
                self.refresh()

    def _attempt(self, *, anew: bool) -> None:
        try:
            self._publish(anew=anew)
        except CatalogueError as error:
            first = error.problems[0]
            place = f"{Path(first.file).name}:{first.line}:{first.column}"
            self._fail(str(first), problems=len(error.problems), place=place)
        except FeedsError as error:
            # It may pass by itself, as an unreadable disk does: told once, tried again.
            self._again = True
            if self._said != str(error):
                self._fail(str(error), reason=reason_of(error))
        except Exception as error:  # noqa: BLE001  # a bug costs the change, not the release
            if self._said != repr(error):
                tell_bug("bug")
                self._fail(repr(error), reason=reason_of(error))

    def _publish(self, *, anew: bool) -> Release:
        """Put a release in place: of the catalogue read anew, or of the one known, if unchanged."""
        begun = time.perf_counter()
        before = None if self._workshop.cache.overgrown else self.current
        for trial in range(_TRIES):
            release = self._build(before, anew=anew and trial == 0)
            try:
                release = self._dated(release)
            except Outdated:
                continue
            self._put(release, time.perf_counter() - begun)
            with self._workshop.stage("remember"):
                # What was taken over was not asked for, and is in use all the same.
                self._workshop.cache.save(forget=before is None)
            return release
        raise FeedsError(f"{self.path}: is being written all the time")

    def _build(self, before: Release | None, *, anew: bool) -> Release:
        seen = settled(self.path)
        if anew or seen != self._seen or self.catalogue is None:
            self._again, self._sound, self._seen = False, False, seen
            self.catalogue = load_catalogue(
                self.path,
                url=self._url,
                workshop=self._workshop,
                as_of=self.clock(),
                published=self._history.addresses() if self._compare else (),
                strict=self._strict,
            )
            self._sound = True
        return Release(
            self.catalogue,
            as_of=self.clock(),
            pages=self._pages,
            before=before,
            workshop=self._workshop,
        )

    def _dated(self, release: Release) -> Release:
        """Give the release with the moments since when its documents have been public."""

        def current() -> bool:
            return fingerprint(self.path) == self._seen and not self._overdue(release)

        paths = {release.site.address(path): path for path in release}
        etags = {address: release[path].etag for address, path in paths.items()}
        try:
            found = self._history.record(
                etags, clock=self.clock, sleep=self._sleep, current=current
            )
        except OSError as error:
            if self._remembers:
                reason = error.strerror or str(error)
                tell("no-last-modified", logging.WARNING, file=self._history.file, error=reason)
            self._remembers = False
            self._undated = time.monotonic()
            return release
        self._remembers = True
        self._undated = 0.0
        return release.dated(self._come({paths[address]: at for address, at in found.items()}))

    def _date_late(self) -> None:
        """Date what could not be dated when it was put in place."""
        if self.current is None:
            return
        with suppress(Outdated):
            self.current = self._dated(self.current)

    def _come(self, dates: Mapping[str, datetime]) -> dict[str, datetime]:
        """Leave out those dates that will be long in coming."""
        now = self.clock()
        come = {path: at for path, at in dates.items() if at <= now}
        if len(come) < len(dates):
            self._undated = time.monotonic()
            far = max(dates.values())
            tell("clock-behind-history", logging.WARNING, file=self._history.file, latest=far)
        return come

    def _put(self, release: Release, seconds: float) -> None:
        before: Mapping[str, Document] = self.current or {}
        changed = sum(
            path not in before or before[path].etag != found.etag for path, found in release.items()
        )
        self.current, self.since = release, self.clock()
        if self._sound:
            self.degraded, self._said = False, ""
        self._stands(self)
        tell(
            "published",
            release=release.id,
            documents=len(release),
            changed=changed,
            seconds=f"{seconds:.3f}",
        )
        later = self.catalogue and held_back_summary(self.catalogue, release.as_of)
        if later:
            tell("held-back", **later._asdict())
        feeds = {form.media_type for form in release.formats}
        found = (document for document in release.values() if document.media_type in feeds)
        if large := [document.path for document in found if len(document.body) > _LARGE]:
            tell("large-documents", logging.WARNING, count=len(large), first=large[0])

    def _fail(self, message: str, *, problems: int = 0, place: str = "", reason: str = "") -> None:
        self.failure = Failure(at=self.clock(), problems=problems, place=place, reason=reason)
        self.degraded = True
        self._said = message
        self._stands(self)
        serving = self.current.id if self.current else "nothing"
        tell("broken", logging.ERROR, problems=problems, first=message, serving=serving)

    def _overdue(self, release: Release | None) -> bool:
        return release is not None and release.until is not None and release.until <= self.clock()
