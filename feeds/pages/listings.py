"""A feed's entries → the pages that list them: the newest, and an archive by year, month and part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from operator import is_

from feeds.model import Entry

# So many stand on a page, which then stays well below 100 kB.
MOST = 40

# () is the newest, (2022,) a year, (2022, 5) a month, (2022, 5, 1) the oldest part of one.
Period = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of a feed's entries, or of the `periods` that have them instead.

    That of the newest entries has both. `newer` and `older` are the periods to
    turn to, or None.
    """

    period: Period
    entries: Sequence[Entry]
    periods: Sequence[Period] = ()
    newer: Period | None = None
    older: Period | None = None

    def is_like(self, other: "Listing | None") -> bool:
        """Tell whether two pages of a feed list the very same."""
        return (
            other is not None
            and len(self.entries) == len(other.entries)
            and all(map(is_, self.entries, other.entries))
            and (self.period, self.periods, self.newer, self.older)
            == (other.period, other.periods, other.newer, other.older)
        )


def listings(entries: Sequence[Entry], zone: tzinfo) -> list[Listing]:
    """Give the pages of a feed's entries, which are newest first; that of the newest comes first.

    All entries are in the archive, if there is one, so that a new entry changes
    the page of its own period and no older one. Parts are counted from the oldest
    entry for the same reason.
    """
    if len(entries) <= MOST:
        return [Listing(period=(), entries=entries)]
    local = ((entry.published.astimezone(zone), entry) for entry in entries)
    first, *archive = _pages((), [((day.year, day.month), entry) for day, entry in local])
    turns = [page.period for page in archive if page.entries]
    newer = dict(zip(turns[1:], turns, strict=False))
    older = dict(zip(turns, turns[1:], strict=False))
    return [
        replace(first, entries=entries[:MOST]),
        *(
            replace(page, newer=newer.get(page.period), older=older.get(page.period))
            for page in archive
        ),
    ]


_Dated = tuple[tuple[int, int], Entry]


def _pages(period: Period, dated: Sequence[_Dated]) -> Iterator[Listing]:
    """Give a period with its entries, or with the periods in it and then each of these."""
    if len(dated) <= MOST:
        yield Listing(period=period, entries=[entry for _, entry in dated])
        return
    inner = _cut(period, dated)
    yield Listing(period=period, entries=(), periods=[*inner])
    for narrower, found in inner.items():
        yield from _pages(narrower, found)


def _cut(period: Period, dated: Sequence[_Dated]) -> dict[Period, list[_Dated]]:
    """Cut a period into those one step narrower, newest first."""
    cut: dict[Period, list[_Dated]] = {}
    whole = len(period) == len((2022, 5))
    for still, (day, entry) in zip(reversed(range(len(dated))), dated, strict=True):
        narrower = (*period, still // MOST + 1) if whole else day[: len(period) + 1]
        cut.setdefault(narrower, []).append((day, entry))
    return cut
