"""What building may use: what was made before, how many processes, and a note of the time it takes."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from feeds.cache import Cache, Shelf
from feeds.parallel import spread

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What the reading of a catalogue and the building of a release may use.

    More than one of `processes` is for a program without threads. `seconds` is
    how long each stage took so far, by its name, and `told` is told which part
    of a stage is done. `lying` gives what lies at a path where the release is to
    be put; there is none where that is nowhere. None of it changes what is built.
    """

    cache: Cache = field(default_factory=Cache)
    processes: int = 1
    seconds: dict[str, float] = field(default_factory=dict)

    told: Callable[[str, float], None] = lambda _stage, _part: None
    lying: Callable[[str], bytes | None] | None = None
    _kept: dict[type, Any] = field(default_factory=dict)

    def keep(self, kind: type[T]) -> T:
        """Give the one thing of a kind that is kept here, new where there was none."""
        kept: T = self._kept.setdefault(kind, kind())
        return kept

    def shelf(self, kind: str) -> Shelf:
        """Give the records of one kind that were made before."""
        return self.cache.shelf(kind)

    def remembered(
        self, kind: str, names: Sequence[bytes], make: Callable[[Sequence[int]], Sequence[bytes]]
    ) -> list[bytes]:
        """Give the record of each name; `make` makes those that are missing, by their numbers."""
        shelf = self.shelf(kind)
        found = [shelf.get(name) for name in names]
        missing = [number for number, record in enumerate(found) if record is None]
        for number, record in zip(missing, make(missing), strict=True):
            found[number] = record
            shelf.put(names[number], record)
        return [record or b"" for record in found]

    def spread(
        self, stage: str, work: Callable[[Sequence[T]], list[bytes]], inputs: Sequence[T]
    ) -> list[bytes]:
        """Do the same work on all inputs; results are in their order."""
        return spread(work, inputs, self.processes, partial(self.told, stage))

    def in_turn(
        self, stage: str, work: Callable[[Sequence[T]], list[bytes]], inputs: Sequence[T]
    ) -> list[bytes]:
        """Do the same on all inputs here, where that is done sooner than results come from elsewhere."""
        return spread(work, inputs, 1, partial(self.told, stage))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Note how long a stage takes."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0) + time.perf_counter() - begun
