"""Plans → a target: what the target does not have with the same inputs is rendered and staged.

Work is shared by all cores. First each process takes a share of the entries,
renders what documents need of each once, and writes that into a file of its own;
then each takes a share of the documents, and joins what they need. A process
stages what it rendered itself: only facts travel between processes.
"""

import mmap
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import IO, Any, NamedTuple, Protocol

from feeds.errors import FeedsError
from feeds.markdown import render_body
from feeds.model import Entry
from feeds.parallel import dealt, in_processes, usable_processes
from feeds.plans import ITEM, Plan, PlannedSite

# So many entries are rendered at a time, lest all that is made on the way be in memory at once.
_BATCH = 100
Progress = Callable[[str, float], None]


class Fact(NamedTuple):
    """What is known of a document: the digest of its inputs, its ETag, and its length in bytes."""

    inputs: str
    etag: str
    length: int


class Staged(NamedTuple):
    """A document that was rendered: its fact, and where the target has put it.

    The place is the target's own, in what `marshal` can write.
    """

    fact: Fact
    place: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A site that is ready to be committed to a target.

    `facts` are those of all its documents by path, and `staged` those that the
    target did not have with the same inputs. `dates` are since when the bytes of
    each have been public; one that is not known is left out.
    """

    planned: PlannedSite
    facts: Mapping[str, Fact]
    staged: Mapping[str, Staged]
    dates: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def plans(self) -> Sequence[Plan]:
        """Every plan, those of the host's files at the end."""
        return (*self.planned.plans, *self.planned.host_plans)


class Target(Protocol):
    """Where documents are built into."""

    def facts(self) -> Mapping[str, Fact]:
        """Return what the target has, by path."""

    def stage(self, plan: Plan, body: bytes) -> Staged:
        """Keep a document until the commit; may be called in another process."""

    def commit(self, build: Build) -> None:
        """Make a build visible as a whole; raises FeedsError."""


def stage_missing(
    planned: PlannedSite,
    target: Target,
    *,
    before: Mapping[str, Staged] = MappingProxyType({}),
    processes: int = 1,
    on_progress: Progress = lambda _stage, _part: None,
) -> Build:
    """Render and stage each document that a target does not have with the same inputs.

    `before` is what was staged lately for the same target; it stays where it is
    the same. Raises FeedsError where a document cannot be rendered or staged.
    """
    held = target.facts()
    staged: dict[str, Staged] = {}
    todo: list[Plan] = []
    plans = (*planned.plans, *planned.host_plans)
    for plan in plans:
        known, lately = held.get(plan.path), before.get(plan.path)
        if known and known.inputs == plan.inputs:
            continue
        if lately and lately.fact.inputs == plan.inputs:
            staged[plan.path] = lately
        else:
            todo.append(plan)
    try:
        staged |= _Work(planned, todo, target, on_progress).done(processes)
    except OSError as error:
        # The disk with temporary files is full, or cannot be written.
        place = error.filename or tempfile.gettempdir()
        raise FeedsError(f"{place}: {error.strerror or error}") from None
    facts = {
        plan.path: staged[plan.path].fact if plan.path in staged else held[plan.path]
        for plan in plans
    }
    return Build(planned=planned, facts=facts, staged=staged)


# For each entry and kind, in which file its piece is, where it begins, and its length.
_Index = dict[tuple[str, str], tuple[int, int, int]]
# What a process returns: path, inputs, ETag, length and place of what it staged.
_Row = tuple[str, str, str, int, Any]


class _Work:
    """What is to be rendered, in one process or several."""

    def __init__(
        self, planned: PlannedSite, todo: Sequence[Plan], target: Target, on_progress: Progress
    ) -> None:
        self._planned = planned
        self._target = target
        self._on_progress = on_progress
        # A document of one entry is rendered where that entry is.
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

    def done(self, processes: int) -> dict[str, Staged]:
        """Do it, and return what was staged."""
        entries = [*self._entries.values()]
        count = usable_processes(len(entries) + len(self._joined), processes)
        with ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(count)]
            first = partial(self._render, entries, files)
            rows: list[_Row] = []
            index: _Index = {}
            for number, (some, places) in enumerate(in_processes(first, count)):
                rows += some
                for id_, kind, offset, length in places:
                    index[id_, kind] = number, offset, length
            maps = [stack.enter_context(_mapped(file)) for file in files]
            second = partial(self._join, maps, index)
            for some in in_processes(second, count):
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
            for id_, pieces in self._pieces(share[at : at + _BATCH]):
                singles = self._single.get(id_, ())
                rows += [self._stage(plan, [pieces[plan.piece]]) for plan in singles]
                for kind in self._kinds.get(id_, ()):
                    piece = pieces[kind]
                    file.write(piece)
                    places.append((id_, kind, offset, len(piece)))
                    offset += len(piece)
        file.flush()
        return rows, places

    def _pieces(self, entries: Sequence[Entry]) -> Iterator[tuple[str, dict[str, bytes]]]:
        """Yield the id of each entry with its pieces of those kinds that are needed of it."""
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
        yield from found.items()

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
    """Map a file into memory; an empty one cannot be."""
    if not os.fstat(file.fileno()).st_size:
        yield b""
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as found:
        yield found
