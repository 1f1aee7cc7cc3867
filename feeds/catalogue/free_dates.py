"""Dates in any other form that leaves no doubt, through dateutil."""

import re
from datetime import datetime
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

from dateutil.parser import parse, parserinfo

from feeds.catalogue.date_mistakes import read_both_ways, why_no_date
from feeds.catalogue.dates import MONTHS, NO_DAY, NO_TIME, NOON
from feeds.catalogue.reading import Fault

_YEAR_FIRST = re.compile(r"\d{4}\D")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKDAY = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)(?:s|rs?|nes|ur)?(?:day)?\b", re.IGNORECASE)

# dateutil takes a lone a or p for am or pm, and drops m and t.
_LETTER = re.compile(r"(?<![\w.])(?:[apm]|t(?! ?\d))(?![\w.])", re.IGNORECASE)

# Two defaults that differ in each part: where two parses differ, the part was not in the text.
_DEFAULTS = (datetime(2000, 1, 1), datetime(2001, 2, 2, 1, 1, 1))  # noqa: DTZ001  # parts, not instants


class _NoDateError(Exception):
    """A text that dateutil does not read."""


class _FullYears(parserinfo):
    """dateutil's tables, without its guess of a century, which depends on today."""

    def convertyear(self, year: int, century_specified: bool = False) -> int:  # noqa: FBT001, FBT002  # dateutil's signature
        """Refuse a year of two digits."""
        if year < 100 and not century_specified:  # noqa: PLR2004  # the century itself
            raise Fault(f"write the year with four digits; {year:02d} is ambiguous")
        return year


_DAY_FIRST = _FullYears(dayfirst=True)
_MONTH_FIRST = _FullYears(dayfirst=False)


def parse_freely(text: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    """Give a date, and whether it is a day alone; raises Fault."""
    read = _read(text, zone)
    if isinstance(read, str):
        raise Fault(read)
    return read


@lru_cache(maxsize=4096)
def _read(text: str, zone: ZoneInfo) -> tuple[datetime, bool] | str:
    """Give a date, or what is wrong: a faulty item is read once more where it is told."""
    unclear = read_both_ways(text)
    if unclear:
        return unclear
    try:
        return _parse(text, zone)
    except Fault as fault:
        return str(fault)
    except _NoDateError:
        return why_no_date(text, partial(_day_of, zone=zone))


def _day_of(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        return _readings(text, zone)[0][0]
    except (_NoDateError, Fault):
        return None


def _parse(text: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    letter = _LETTER.search(text)
    if letter:
        raise Fault(
            f"{letter[0]!r} is not understood; write am or pm, or an offset, such as +02:00"
        )
    bare = text.removesuffix(f" {zone.key}")
    readings = _readings(bare, zone)
    days = [low.date() for low, _ in readings]
    if len(set(days)) > 1:
        meant = " or ".join(f"{day.day} {MONTHS[day.month - 1]}" for day in days)
        raise Fault(f"{meant}? write {days[0].isoformat()} or {days[1].isoformat()}")
    low, high = readings[0]
    weekday = _WEEKDAY.search(text)
    if weekday and not _WEEKDAYS[low.weekday()].lower().startswith(weekday[1].lower()):
        raise Fault(f"{low.day} {MONTHS[low.month - 1]} {low.year} is a {_WEEKDAYS[low.weekday()]}")
    if low.hour == high.hour:
        return low, False
    if low.minute == high.minute or low.second == high.second:
        raise Fault("has minutes or seconds, but no hour; write a time like 10:00")
    if low.tzinfo or bare != text:
        raise Fault(NO_TIME)
    return datetime.combine(low, NOON), True


def _readings(text: str, zone: ZoneInfo) -> list[list[datetime]]:
    """Read a text with each order of day and month that it may have, and with each default."""
    orders = (_MONTH_FIRST,) if _YEAR_FIRST.match(text) else (_DAY_FIRST, _MONTH_FIRST)
    readings = [[_by_dateutil(text, order, part, zone) for part in _DEFAULTS] for order in orders]
    if any(low.date() != high.date() for low, high in readings):
        raise Fault(NO_DAY)
    return readings


def _by_dateutil(text: str, order: parserinfo, default: datetime, zone: ZoneInfo) -> datetime:
    named: list[str] = []

    def named_zone(name: str | None, offset: int | None) -> ZoneInfo | int | None:
        if name is None or offset is not None:
            return offset
        named.append(name)
        return zone

    try:
        parsed = parse(text, order, default=default, tzinfos=named_zone)
        # An offset of a day or more fails only when it is asked for.
        parsed.utcoffset()
    except (ValueError, OverflowError, TypeError, AttributeError, IndexError):
        # dateutil's own error is a ValueError; the others are its slips on odd text.
        raise _NoDateError from None
    if named and parsed.tzname() != named[0]:
        raise Fault(f"the zone {named[0]!r} is not understood; write an offset, such as +02:00")
    return parsed
