"""Rounds in which all contenders do a job in turns, what is printed of them, and goals."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from peers import Contender, News, clean
from peers.runs import Cost, run

COLD, UNCHANGED, EDITED = "cold", "nothing changed", "one entry edited"
# In the middle of the newest fifty.
_EDITED_FROM = 15
_EDITED_PLACES = 20

Round = dict[tuple[str, str], Cost]


@dataclass(frozen=True, slots=True)
class Goal:
    """What a ratio is to be at most, at each number of entries."""

    scenario: str
    ours: str
    theirs: str
    limits: dict[int, float]
    measure: str = "wall"

    @property
    def text(self) -> str:
        """What is compared."""
        measure = "peak memory, " if self.measure == "memory" else ""
        return f"{measure}{self.scenario}: {self.ours} to {self.theirs}"


def edited_place(number: int) -> int:
    """Return the place of the entry that is edited in a round: another each time."""
    return _EDITED_FROM + number % _EDITED_PLACES


def played(
    field: dict[str, Contender],
    folder: Path,
    catalogues: Mapping[str, News | None],
    number: int,
    check: Callable[[str], None],
) -> Round:
    """Run all contenders in each scenario; check memory and documents in round 0.

    `catalogues` are what each scenario brings, or None where nothing has changed.
    """
    costs = {}
    for scenario, changed in catalogues.items():
        prepare(field, folder, changed, fresh=scenario == COLD)
        for word in turns(field, number):
            source = folder / word / "input"
            costs[scenario, word] = run(field[word].command, source, sampled=number == 0)
        if number == 0:
            check(scenario)
    return costs


def turns(field: Iterable[str], number: int) -> list[str]:
    """Return the order of the contenders: each round begins with another."""
    words = list(field)
    first = number % len(words)
    return words[first:] + words[:first]


def prepare(field: dict[str, Contender], folder: Path, news: News | None, *, fresh: bool) -> None:
    """Write the catalogue, if it has changed, for each contender; remove its output if all is fresh."""
    for word, contender in field.items():
        if fresh:
            clean(folder / word)
        if news:
            contender.prepare(folder / word / "input", news)


def ratio(rounds: Sequence[Round], scenario: str, pair: tuple[str, str], measure: str) -> float:
    """Return the median of each round's ratio."""
    ours, theirs = pair
    return median(
        costs[scenario, ours].of(measure) / costs[scenario, theirs].of(measure) for costs in rounds
    )


def table(field: dict[str, Contender], scenario: str, rounds: Sequence[Round]) -> Iterator[str]:
    """Return a scenario's lines; the first round is the one of memory."""
    yield f"\n  {scenario:30}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'feeds takes':>14}"
    looked, *timed = rounds
    for word, contender in field.items():
        costs = [costs[scenario, word] for costs in timed]
        wall, cpu = median(cost.wall for cost in costs), median(cost.cpu for cost in costs)
        memory = looked[scenario, word].memory
        share = "" if word == "feeds" else f"{ratio(timed, scenario, ('feeds', word), 'wall'):.3f}"
        yield f"  {contender.name:30}{wall:9.2f}{cpu:9.2f}{memory:9.0f}{share:>14}"


def judged(goals: Sequence[Goal], count: int, rounds: Sequence[Round]) -> Iterator[str]:
    """Return a line for each goal that this number of entries has, of those that took part."""
    for goal in goals:
        names = {word for _, word in rounds[0]}
        if count in goal.limits and {goal.ours, goal.theirs} <= names:
            compared = rounds[:1] if goal.measure == "memory" else rounds[1:]
            found = ratio(compared, goal.scenario, (goal.ours, goal.theirs), goal.measure)
            yield verdict(goal.text, found, goal.limits[count])


def verdict(text: str, found: float, limit: float) -> str:
    """Return a goal's line."""
    return f"  {text:48}{found:7.3f}   goal ≤ {limit:<5} {'met' if found <= limit else 'NOT MET'}"
