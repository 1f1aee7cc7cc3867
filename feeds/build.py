"""Build a catalogue into a target: read it, plan its documents, render what is missing, commit.

A target is a folder, a bucket, the store of a server, or memory. What it has with
the same inputs is left alone. Rendering uses all cores: first each process takes a
share of the entries, renders what documents need of each, and writes that into a
file of its own; then each takes a share of the documents, and joins what they need.
A process stages what it has rendered: only facts travel between processes.
"""

import logging
import mmap
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, NamedTuple, Protocol

from feeds.catalogue import ItemMemory, load_catalogue
from feeds.errors import FeedsError
from feeds.history import History, Outdated
from feeds.log import log_event
from feeds.markdown import render_body
from feeds.model import Catalogue, Entry
from feeds.parallel import dealt, gc_paused, in_processes, usable_processes
from feeds.plans import ITEM, Plan, PlannedSite, plan_site
from feeds.storage import Fingerprint, fingerprint

# Entries that are rendered at a time, to limit the memory for intermediate results.
_BATCH = 100
# How often a build is repeated because the catalogue has changed meanwhile.
_MAX_BUILDS = 5
# A file modified this recently may still be being written.
_STABLE_SECONDS = 0.1
_MAX_UNSTABLE_SECONDS = 2.0
Progress = Callable[[str, float], None]


class Fact(NamedTuple):
    """What is known of a document: the digest of its inputs, its ETag, its length in bytes."""

    inputs: str
    etag: str
    length: int


class Staged(NamedTuple):
    """A rendered document: its fact, and where the target has put it, in what `marshal` can write."""

    fact: Fact
    place: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A site that is ready to be committed to a target.

    `facts` has all documents by path, `staged` those that the target did not have
    with the same inputs. `dates` are since when each document's bytes have been
    public; unknown dates are left out.
    """

    planned: PlannedSite
    facts: Mapping[str, Fact]
    staged: Mapping[str, Staged]
    dates: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def plans(self) -> Sequence[Plan]:
        """Every plan, those of the host's files last."""
        return (*self.planned.plans, *self.planned.host_plans)


class Target(Protocol):
    """Where documents are built into."""

    def facts(self) -> Mapping[str, Fact]:
        """Return what the target has, by path."""

    def stage(self, plan: Plan, body: bytes) -> Staged:
        """Keep a document until the commit; may be called in another process."""

    def commit(self, build: Build) -> None:
        """Make a build visible as a whole; raises FeedsError."""


def _no_progress(_stage: str, _part: float) -> None:
    pass


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """How a site is built.

    `url` replaces `site.url`. Without `pages` there are the feeds alone. With
    `compare`, addresses that were public before and are gone are notes. With `strict`,
    notes are errors. Without `dated`, nothing is recorded in the history, and documents
    have no dates. `processes` is how many work at the same time. `host_plans` returns
    the files that configure a host; without `documents` there are these alone. `memory` has items that were read before. `seconds`
    collects how long each stage took. `clock` returns aware datetimes.
    """

    url: str | None = None
    pages: bool = True
    compare: bool = False
    strict: bool = False
    dated: bool = True
    processes: int = 1
    host_plans: Callable[[PlannedSite], Sequence[Plan]] = lambda _: ()
    documents: bool = True
    on_progress: Progress = _no_progress
    memory: ItemMemory = field(default_factory=ItemMemory)
    seconds: dict[str, float] = field(default_factory=dict)
    clock: Callable[[], datetime] = _now
    sleep: Callable[[float], None] = time.sleep


class SiteBuilder:
    """Builds the catalogue at a path into a target, any number of times.

    `catalogue` is the last one that was read without a Problem, and `fingerprint` that
    of the files that were last read; `is_sound` is whether the two belong
    together. `undated` is whether some document of the last build has no date.
    """

    def __init__(
        self, path: Path, target: Target, options: BuildOptions, *, history: History
    ) -> None:
        self.catalogue: Catalogue | None = None
        self.undated = False
        self.is_sound = False
        self.fingerprint: Fingerprint | None = None
        self._path = path
        self._target = target
        self._options = options
        self._history = history
        self._has_history = True

    def build(self, *, read: bool = True) -> Build:
        """Build what the target does not have, commit it, and return it.

        Without `read`, the catalogue is only read if its files have changed. Raises
        FeedsError.
        """
        staged: Mapping[str, Staged] = {}
        with gc_paused():
            for number in range(_MAX_BUILDS):
                with self._timed("read"):
                    catalogue = self._read(again=read and number == 0)
                with self._timed("plan"):
                    planned = self._plan(catalogue)
                with self._timed("render"):
                    build = stage_missing(
                        planned,
                        self._target,
                        before=staged,
                        processes=self._options.processes,
                        on_progress=self._options.on_progress,
                    )
                staged = build.staged
                try:
                    dates = self._dates(build) if self._options.dated else {}
                except Outdated:
                    continue
                self.undated = self._options.dated and len(dates) < len(planned.plans)
                build = replace(build, dates=dates)
                with self._timed("write"):
                    self._target.commit(build)
                return build
        raise FeedsError(f"{self._path}: is being written all the time")

    def _read(self, *, again: bool) -> Catalogue:
        options = self._options
        found = wait_until_stable(self._path)
        if self.catalogue is None or again or found != self.fingerprint:
            self.fingerprint, self.is_sound = found, False
            self.catalogue = load_catalogue(
                self._path,
                url=options.url,
                as_of=options.clock(),
                published=self._history.addresses() if options.compare else (),
                strict=options.strict,
                memory=options.memory,
            )
            self.is_sound = True
        return self.catalogue

    def _plan(self, catalogue: Catalogue) -> PlannedSite:
        options = self._options
        planned = plan_site(catalogue, as_of=options.clock(), pages=options.pages)
        plans = planned.plans if options.documents else ()
        return replace(planned, plans=plans, host_plans=options.host_plans(planned))

    def _dates(self, build: Build) -> dict[str, datetime]:
        """Return since when each document's bytes have been public, without dates in the future.

        Raises Outdated, and records nothing, if the catalogue has changed since it was
        read, or an embargo has ended.
        """
        site, until = build.planned.site, build.planned.until
        clock, sleep = self._options.clock, self._options.sleep

        def is_current() -> bool:
            overdue = until is not None and until <= clock()
            return fingerprint(self._path) == self.fingerprint and not overdue

        paths = {site.address(plan.path): plan.path for plan in build.planned.plans}
        etags = {address: build.facts[path].etag for address, path in paths.items()}
        file = self._history.file
        try:
            with self._timed("date"):
                found = self._history.record(etags, clock=clock, sleep=sleep, current=is_current)
        except OSError as error:
            if self._has_history:
                reason = error.strerror or str(error)
                log_event("no-last-modified", logging.WARNING, file=file, error=reason)
            self._has_history = False
            return {}
        self._has_history = True
        now = clock()
        past = {paths[address]: date for address, date in found.items() if date <= now}
        if len(past) < len(found):
            # The clock is wrong, or was wrong when they were recorded.
            latest = max(found.values())
            log_event("clock-behind-history", logging.WARNING, file=file, latest=latest)
        return past

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        seconds, begun = self._options.seconds, time.perf_counter()
        try:
            yield
        finally:
            seconds[stage] = seconds.get(stage, 0) + time.perf_counter() - begun


def wait_until_stable(path: Path) -> Fingerprint:
    """Return the fingerprint once two checks in succession have found the same files.

    One check is enough if all files are older. Times may lie in the future, or be set
    back to the past while a file is being written.
    """
    end = time.monotonic() + _MAX_UNSTABLE_SECONDS
    found = fingerprint(path)
    while _latest(found) / 1e9 > time.time() - _STABLE_SECONDS and time.monotonic() < end:
        time.sleep(_STABLE_SECONDS)
        before, found = found, fingerprint(path)
        if found == before:
            break
    return found


def _latest(found: Fingerprint) -> int:
    return max((max(changed, written) for *_, changed, written in found), default=0)


def stage_missing(
    planned: PlannedSite,
    target: Target,
    *,
    before: Mapping[str, Staged] = MappingProxyType({}),
    processes: int = 1,
    on_progress: Progress = _no_progress,
) -> Build:
    """Render and stage each document that a target does not have with the same inputs.

    `before` is what was staged for the same target earlier, and is used again if its
    inputs are the same. Raises FeedsError if a document cannot be rendered or staged.
    """
    held = target.facts()
    staged: dict[str, Staged] = {}
    todo: list[Plan] = []
    plans = (*planned.plans, *planned.host_plans)
    for plan in plans:
        known, earlier = held.get(plan.path), before.get(plan.path)
        if known and known.inputs == plan.inputs:
            continue
        if earlier and earlier.fact.inputs == plan.inputs:
            staged[plan.path] = earlier
        else:
            todo.append(plan)
    try:
        staged |= _Rendering(planned, todo, target, on_progress).run(processes)
    except OSError as error:
        # The disk with temporary files is full, or cannot be written.
        place = error.filename or tempfile.gettempdir()
        raise FeedsError(f"{place}: {error.strerror or error}") from None
    facts = {
        plan.path: staged[plan.path].fact if plan.path in staged else held[plan.path]
        for plan in plans
    }
    return Build(planned=planned, facts=facts, staged=staged)


# For each entry and kind of piece: the number of the file, the offset and the length in bytes.
_Index = dict[tuple[str, str], tuple[int, int, int]]
# What a process returns of a staged document: path, inputs, ETag, length and place.
_Row = tuple[str, str, str, int, Any]


class _Rendering:
    """The documents to be rendered and staged, in one process or several."""

    def __init__(
        self, planned: PlannedSite, todo: Sequence[Plan], target: Target, on_progress: Progress
    ) -> None:
        self._planned = planned
        self._target = target
        self._on_progress = on_progress
        # A document of one entry is rendered by the process that has the entry.
        self._single: dict[str, list[Plan]] = defaultdict(list)
        self._joined: list[Plan] = []
        self._entries: dict[str, Entry] = {}
        self._kinds: dict[str, set[str]] = defaultdict(set)
        for plan in todo:
            for entry in plan.entries:
                self._entries[entry.id] = entry
            if len(plan.entries) == 1:
                self._single[plan.entries[0].id].append(plan)
                continue
            self._joined.append(plan)
            for entry in plan.entries:
                self._kinds[entry.id].add(plan.piece)

    def run(self, processes: int) -> dict[str, Staged]:
        """Render and stage the documents, and return them by path."""
        entries = [*self._entries.values()]
        count = usable_processes(len(entries) + len(self._joined), processes)
        with ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(count)]
            rows: list[_Row] = []
            index: _Index = {}
            rendered = in_processes(partial(self._render, entries, files), count)
            for number, (some, places) in enumerate(rendered):
                rows += some
                for id_, kind, offset, length in places:
                    index[id_, kind] = number, offset, length
            maps = [stack.enter_context(_mapped(file)) for file in files]
            for some in in_processes(partial(self._join, maps, index), count):
                rows += some
        return {
            path: Staged(Fact(inputs, etag, length), place)
            for path, inputs, etag, length, place in rows
        }

    def _render(
        self, entries: Sequence[Entry], files: Sequence[IO[bytes]], number: int
    ) -> tuple[list[_Row], list[tuple[str, str, int, int]]]:
        """Render a share of the entries, and write their pieces into this process's file."""
        share = dealt(entries, number, len(files))
        file = files[number]
        file.seek(0)
        file.truncate()
        rows: list[_Row] = []
        places: list[tuple[str, str, int, int]] = []
        offset = 0
        for at in range(0, len(share), _BATCH):
            if number == 0:
                self._on_progress("render", at / len(share))
            for id_, pieces in self._pieces(share[at : at + _BATCH]).items():
                singles = self._single.get(id_, ())
                rows += [self._stage(plan, [pieces[plan.piece]]) for plan in singles]
                for kind in self._kinds.get(id_, ()):
                    piece = pieces[kind]
                    file.write(piece)
                    places.append((id_, kind, offset, len(piece)))
                    offset += len(piece)
        file.flush()
        return rows, places

    def _pieces(self, entries: Sequence[Entry]) -> dict[str, dict[str, bytes]]:
        """Return the pieces of entries that are needed, by the entry's id and the kind of piece."""
        found: dict[str, dict[str, bytes]] = {entry.id: {} for entry in entries}
        of_kind: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            kinds = {plan.piece for plan in self._single.get(entry.id, ())}
            for kind in kinds | self._kinds.get(entry.id, set()):
                of_kind[kind].append(entry)
        bodies: dict[str, str] = {}
        for kind in sorted(of_kind):
            some = of_kind[kind]
            for entry in some:
                if kind != ITEM and entry.id not in bodies:
                    bodies[entry.id] = render_body(entry, self._planned.site)
            shown = [(entry, bodies.get(entry.id, "")) for entry in some]
            pieces = self._planned.renderers[kind](shown)
            for entry, piece in zip(some, pieces, strict=True):
                found[entry.id][kind] = piece
        return found

    def _join(self, maps: Sequence[bytes | mmap.mmap], index: _Index, number: int) -> list[_Row]:
        """Render a share of the other documents from the entries' pieces."""
        share = dealt(self._joined, number, len(maps))
        rows: list[_Row] = []
        for done, plan in enumerate(share):
            if number == 0 and done % _BATCH == 0:
                self._on_progress("join", done / len(share))
            pieces = []
            for entry in plan.entries:
                file, offset, length = index[entry.id, plan.piece]
                pieces.append(maps[file][offset : offset + length])
            rows.append(self._stage(plan, pieces))
        return rows

    def _stage(self, plan: Plan, pieces: Sequence[bytes]) -> _Row:
        fact, place = self._target.stage(plan, plan.render(pieces))
        return plan.path, fact.inputs, fact.etag, fact.length, place


@contextmanager
def _mapped(file: IO[bytes]) -> Iterator[bytes | mmap.mmap]:
    """Map a file into memory; an empty file cannot be mapped."""
    if not os.fstat(file.fileno()).st_size:
        yield b""
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as found:
        yield found
