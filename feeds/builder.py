"""Catalogue → target: read, planned, staged, dated and committed as one."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from feeds.build import Build, Progress, Staged, Target, stage_missing
from feeds.catalogue import ItemMemory, load_catalogue
from feeds.errors import FeedsError
from feeds.history import History, Outdated
from feeds.log import log_event
from feeds.model import Catalogue
from feeds.parallel import gc_paused
from feeds.plans import Plan, PlannedSite, plan_site
from feeds.watch import Fingerprint, fingerprint, settled

# A catalogue that changes while it is being built is built again, this often.
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a site is built.

    `url` takes the place of `site.url`. Without `pages` there are the feeds alone.
    With `compare`, addresses that were public before and are gone are notes. With
    `strict`, notes are errors. What is not `dated` is not remembered in the history
    either, as in a trial. `processes` are those that work at the same time.
    `host_plans` gives the files that configure a host. `memory` is of items that
    were read before. `seconds` is where it is noted how long each stage took.
    """

    url: str | None = None
    pages: bool = True
    compare: bool = False
    strict: bool = False
    dated: bool = True
    processes: int = 1
    host_plans: Callable[[PlannedSite], Sequence[Plan]] = lambda _: ()
    on_progress: Progress = lambda _stage, _part: None
    memory: ItemMemory = field(default_factory=ItemMemory)
    seconds: dict[str, float] = field(default_factory=dict)


class Moment(NamedTuple):
    """A clock that gives aware datetimes, and what waits for so many seconds."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


_PRESENT = Moment()


class SiteBuilder:
    """Builds the catalogue at a path into a target, again and again.

    `catalogue` is the last one that was read without a Problem. `undated` is
    whether some document of the last build had to go without a date, and
    `is_sound` whether the files are those of `catalogue`, as far as they were read.
    """

    def __init__(
        self,
        path: Path,
        target: Target,
        options: Options,
        *,
        history: History,
        moment: Moment = _PRESENT,
    ) -> None:
        self.catalogue: Catalogue | None = None
        self.undated = False
        self.is_sound = False
        # What the catalogue's files were when they were last read.
        self.seen: Fingerprint | None = None
        self._path = path
        self._target = target
        self._options = options
        self._history = history
        self._moment = moment
        self._has_history = True

    def build(self, *, read: bool = True) -> Build:
        """Build what the target does not have, commit it, and return it.

        The catalogue is read unless `read` is False and its files are as they
        were. Raises FeedsError.
        """
        staged: Mapping[str, Staged] = {}
        with gc_paused():
            for trial in range(_TRIES):
                self._read(again=read and trial == 0)
                planned = self._plan()
                build = self._stage(planned, staged)
                staged = build.staged
                try:
                    dates = self._dates(build)
                except Outdated:
                    continue
                build = replace(build, dates=dates)
                with self._stage_timed("write"):
                    self._target.commit(build)
                return build
        raise FeedsError(f"{self._path}: is being written all the time")

    def _read(self, *, again: bool) -> None:
        with self._stage_timed("read"):
            seen = settled(self._path)
            if not again and seen == self.seen and self.catalogue is not None:
                return
            self.seen, self.is_sound = seen, False
            self.catalogue, self.is_sound = self._load(), True

    def _load(self) -> Catalogue:
        options = self._options
        published = self._history.addresses() if options.compare else ()
        return load_catalogue(
            self._path,
            url=options.url,
            as_of=self._moment.clock(),
            published=published,
            strict=options.strict,
            memory=options.memory,
            processes=options.processes,
        )

    def _plan(self) -> PlannedSite:
        options = self._options
        if self.catalogue is None:
            raise FeedsError(f"{self._path}: was not read")
        with self._stage_timed("plan"):
            as_of = self._moment.clock()
            planned = plan_site(self.catalogue, as_of=as_of, pages=options.pages)
            return replace(planned, host_plans=options.host_plans(planned))

    def _stage(self, planned: PlannedSite, before: Mapping[str, Staged]) -> Build:
        options = self._options
        with self._stage_timed("render"):
            return stage_missing(
                planned,
                self._target,
                before=before,
                processes=options.processes,
                on_progress=options.on_progress,
            )

    def _dates(self, build: Build) -> dict[str, datetime]:
        """Return since when the bytes of each document have been public; raises Outdated.

        It is recorded only if the catalogue is still the one that was read, and no
        embargo has ended meanwhile.
        """
        planned = build.planned
        site, until = planned.site, planned.until

        def is_current() -> bool:
            overdue = until is not None and until <= self._moment.clock()
            return fingerprint(self._path) == self.seen and not overdue

        self.undated = False
        if not self._options.dated:
            return {}
        paths = {site.address(plan.path): plan.path for plan in planned.plans}
        etags = {address: build.facts[path].etag for address, path in paths.items()}
        clock, sleep = self._moment
        with self._stage_timed("date"):
            try:
                found = self._history.record(etags, clock=clock, sleep=sleep, current=is_current)
            except OSError as error:
                if self._has_history:
                    reason = error.strerror or str(error)
                    log_event(
                        "no-last-modified", logging.WARNING, file=self._history.file, error=reason
                    )
                self._has_history, self.undated = False, True
                return {}
        self._has_history = True
        return self._past({paths[address]: date for address, date in found.items()})

    def _past(self, dates: Mapping[str, datetime]) -> dict[str, datetime]:
        """Return the dates without those that are in the future: a clock is wrong, or was."""
        now = self._moment.clock()
        past = {path: date for path, date in dates.items() if date <= now}
        if len(past) < len(dates):
            self.undated = True
            latest = max(dates.values())
            log_event(
                "clock-behind-history", logging.WARNING, file=self._history.file, latest=latest
            )
        return past

    @contextmanager
    def _stage_timed(self, name: str) -> Iterator[None]:
        """Note how long a stage takes."""
        seconds, begun = self._options.seconds, time.perf_counter()
        try:
            yield
        finally:
            seconds[name] = seconds.get(name, 0) + time.perf_counter() - begun
