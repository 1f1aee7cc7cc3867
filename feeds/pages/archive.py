"""A feed's entries → the pages that list them: the newest, and an archive by year, month and part."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from feeds.model import Entry

# So many stand on a page, which then stays well below 100 kB.
MOST = 40


class Period(NamedTuple):
    """A year, a month of one, or a part of either, counted from its oldest entry; 0 is for none.

    Without a year it is that of the newest entries.
    """

    year: int = 0
    month: int = 0
    part: int = 0


NEWEST = Period()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of a feed's entries, or of the narrower `periods` that have them instead.

    That of the newest entries has both. `wider` are the periods around, the
    widest first; `newer` and `older` are those to turn to, or None.
    """

    period: Period
    entries: Sequence[Entry]
    periods: Sequence[Period] = ()
    wider: Sequence[Period] = ()
    newer: Period | None = None
    older: Period | None = None


def listings_of(
    entries: Sequence[Entry], month_of: Callable[[datetime], Period], *, months: bool
) -> list[Listing]:
    """Return the pages of a feed's entries, which are newest first; that of the newest comes first.

    All entries are in the archive, if there is one, so that a new entry changes
    the page of its own period and no older one. Parts are counted from the oldest
    entry for the same reason. A year that is too much for a page is cut into
    `months`, or else into parts alone.
    """
    if len(entries) <= MOST:
        return [Listing(period=NEWEST, entries=entries)]
    dated = [(month_of(entry.published), entry) for entry in entries]
    first, *archive = _pages(NEWEST, (), dated, months=months)
    turns = [page.period for page in archive if page.entries]
    older = dict(pairwise(turns))
    newer = {period: before for before, period in older.items()}
    return [
        replace(first, entries=entries[:MOST]),
        *(
            replace(page, newer=newer.get(page.period), older=older.get(page.period))
            for page in archive
        ),
    ]


# Entries with their months.
_Dated = Sequence[tuple[Period, Entry]]


def _pages(
    period: Period, wider: Sequence[Period], dated: _Dated, *, months: bool
) -> Iterator[Listing]:
    """Yield a period with its entries, or with the periods in it and then each of these."""
    if len(dated) <= MOST:
        yield Listing(period=period, wider=wider, entries=[entry for _, entry in dated])
        return
    inner = _cut(period, dated, months=months)
    yield Listing(period=period, wider=wider, entries=(), periods=[*inner])
    for narrower, found in inner.items():
        yield from _pages(narrower, [*wider, period], found, months=months)


def _cut(
    period: Period, dated: _Dated, *, months: bool
) -> dict[Period, list[tuple[Period, Entry]]]:
    """Cut a period into those one step narrower, newest first."""
    if period == NEWEST:
        step, numbers = "year", [month.year for month, _ in dated]
    elif months and not period.month:
        step, numbers = "month", [month.month for month, _ in dated]
    else:
        step, numbers = "part", [still // MOST + 1 for still in reversed(range(len(dated)))]
    cut: dict[int, list[tuple[Period, Entry]]] = {}
    for number, found in zip(numbers, dated, strict=True):
        cut.setdefault(number, []).append(found)
    return {period._replace(**{step: number}): found for number, found in cut.items()}
