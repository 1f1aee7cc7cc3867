"""Divides a feed's entries into pages: the newest, and an archive by year, month and part."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from feeds.model import Entry

# Keeps a page well below 100 kB.
MAX_ENTRIES_PER_PAGE = 40


class Period(NamedTuple):
    """A year, a month of it, or a part of either, counted from its oldest entry; 0 means none.

    Without a year it is the page of the newest entries.
    """

    year: int = 0
    month: int = 0
    part: int = 0


NEWEST = Period()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of a feed's entries, or of the narrower `periods` that have them instead.

    The page of the newest entries has both. `wider` are the enclosing periods, the
    widest first; `newer` and `older` are the adjacent pages with entries, or None.
    """

    period: Period
    entries: Sequence[Entry]
    periods: Sequence[Period] = ()
    wider: Sequence[Period] = ()
    newer: Period | None = None
    older: Period | None = None


# Entries with their months.
_Dated = Sequence[tuple[Period, Entry]]


def paginate(
    entries: Sequence[Entry], month_of: Callable[[datetime], Period], *, months: bool
) -> list[Listing]:
    """Return the pages of a feed's entries, which are newest first; the newest page comes first.

    If there is an archive, it has all entries, and parts are counted from the oldest
    entry: so a new entry changes no page of an older period. A year with too many
    entries for one page is divided into `months`, or else into parts alone.
    """
    if len(entries) <= MAX_ENTRIES_PER_PAGE:
        return [Listing(period=NEWEST, entries=entries)]
    dated = [(month_of(entry.published), entry) for entry in entries]
    first, *archive = _pages(NEWEST, (), dated, months=months)
    older = dict(pairwise(page.period for page in archive if page.entries))
    newer = {period: before for before, period in older.items()}
    return [
        replace(first, entries=entries[:MAX_ENTRIES_PER_PAGE]),
        *(
            replace(page, newer=newer.get(page.period), older=older.get(page.period))
            for page in archive
        ),
    ]


def _pages(
    period: Period, wider: Sequence[Period], dated: _Dated, *, months: bool
) -> Iterator[Listing]:
    """Yield the page of a period, then those of the narrower periods if it is divided."""
    if len(dated) <= MAX_ENTRIES_PER_PAGE:
        yield Listing(period=period, wider=wider, entries=[entry for _, entry in dated])
        return
    inner = _divide(period, dated, months=months)
    yield Listing(period=period, wider=wider, entries=(), periods=[*inner])
    for narrower, found in inner.items():
        yield from _pages(narrower, [*wider, period], found, months=months)


def _divide(period: Period, dated: _Dated, *, months: bool) -> Mapping[Period, _Dated]:
    """Return the entries of the periods one step narrower, newest first."""
    divided: dict[Period, list[tuple[Period, Entry]]] = {}
    for number, (month, entry) in enumerate(dated):
        if period == NEWEST:
            inner = Period(month.year)
        elif months and not period.month:
            inner = month
        else:
            inner = period._replace(part=(len(dated) - 1 - number) // MAX_ENTRIES_PER_PAGE + 1)
        divided.setdefault(inner, []).append((month, entry))
    return divided
