"""Dates as editors write them → instants that never depend on today."""

import re
from datetime import UTC, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.parser import parse, parserinfo

from feeds.catalogue.reading import Fault, Remark

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_LONGEST = 60
_YEARS = range(1800, 2200)
_FARTHEST = timedelta(hours=14)
_NOON = time(12)
_EXAMPLE = "write it like 24 May 2022 or 2022-05-24T09:00+02:00"
_ISO_DAY = re.compile(r"\d{4}-?\d\d-?\d\d|\d{4}-?W\d\d-?\d")
_YEAR_FIRST = re.compile(r"\d{4}\D")
_OFFSET_FROM_A_NAME = re.compile(r"\b[A-Za-z]{3,}[+-]\d")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKDAY = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)(?:s|rs?|nes|ur)?(?:day)?\b", re.IGNORECASE)

# Two defaults that differ in year, month, day and hour: where two parses
# differ, the part was not in the text.
_DEFAULTS = (datetime(2000, 1, 1, 0), datetime(2001, 2, 2, 1))  # noqa: DTZ001  # parts, not instants


class _FullYears(parserinfo):
    """dateutil's tables, without its guess of a century, which depends on today."""

    def convertyear(self, year: int, century_specified: bool = False) -> int:  # noqa: FBT001, FBT002  # dateutil's signature
        """Refuse a year of two digits."""
        if year < 100 and not century_specified:  # noqa: PLR2004  # the century itself
            raise Fault(f"write the year with four digits; {year:02d} is ambiguous")
        return year


_DAY_FIRST = _FullYears(dayfirst=True)
_MONTH_FIRST = _FullYears(dayfirst=False)


def read_date(text: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    """Give an instant, to the second and with its own offset, and whether it is a day alone.

    A day alone is its noon in `zone`, and a time that names no zone is in `zone`.
    Raises Fault; or Remark for a local time that daylight saving repeats, of
    which the first is taken.
    """
    text = " ".join(text.split())
    if len(text) > _LONGEST:
        raise Fault(f"is too long for a date; {_EXAMPLE}")
    parsed, whole_day = _parse(text, zone)
    if parsed.year not in _YEARS:
        raise Fault(f"the year {parsed.year} is not between {_YEARS[0]} and {_YEARS[-1]}")
    if parsed.tzinfo and parsed.tzinfo is not zone:
        return _with_fixed_offset(parsed), whole_day
    return _in_zone(parsed, zone, whole_day=whole_day), whole_day


def _parse(text: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return _parse_freely(text, zone)
    if _ISO_DAY.fullmatch(text):
        return datetime.combine(parsed, _NOON), True
    return parsed, False


@lru_cache(maxsize=4096)
def _parse_freely(text: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    if _OFFSET_FROM_A_NAME.search(text):
        raise Fault("an offset from a named zone is read both ways; write it alone, as +03:00")
    bare = text.removesuffix(f" {zone.key}")
    orders = (_MONTH_FIRST,) if _YEAR_FIRST.match(text) else (_DAY_FIRST, _MONTH_FIRST)
    readings = [[_by_dateutil(bare, order, part, zone) for part in _DEFAULTS] for order in orders]
    if any(low.date() != high.date() for low, high in readings):
        raise Fault(f"a date needs its day, its month and its year; {_EXAMPLE}")
    days = [low.date() for low, _ in readings]
    if len(set(days)) > 1:
        meant = " or ".join(f"{day.day} {_MONTHS[day.month - 1]}" for day in days)
        raise Fault(f"{meant}? write {days[0].isoformat()} or {days[1].isoformat()}")
    low, high = readings[0]
    weekday = _WEEKDAY.search(text)
    if weekday and not _WEEKDAYS[low.weekday()].lower().startswith(weekday[1].lower()):
        raise Fault(
            f"{low.day} {_MONTHS[low.month - 1]} {low.year} is a {_WEEKDAYS[low.weekday()]}"
        )
    if low.hour == high.hour:
        return low, False
    if low.tzinfo or bare != text:
        raise Fault("names a zone, but no time")
    return datetime.combine(low, _NOON), True


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
        raise Fault(f"is no date; {_EXAMPLE}") from None
    if named and parsed.tzname() != named[0]:
        raise Fault(f"the zone {named[0]!r} is not understood; write an offset, such as +02:00")
    return parsed


def _in_zone(local: datetime, zone: ZoneInfo, *, whole_day: bool) -> datetime:
    """Give the instant of a local time; `local` is naive, or names this zone by a short name."""
    aware = local.replace(tzinfo=zone)
    clock = f"{local.day} {_MONTHS[local.month - 1]} {local.year} {local:%H:%M}"
    if aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise Fault(f"there was no {clock} in {zone.key}: the clocks skipped it")
    instant = _with_fixed_offset(aware)
    if local.tzinfo is None and aware.replace(fold=1).utcoffset() != aware.utcoffset():
        raise Remark(
            (instant, whole_day),
            f"the clocks in {zone.key} showed {clock} twice; the first is taken,"
            f" {instant.isoformat()}",
        )
    return instant


def _with_fixed_offset(aware: datetime) -> datetime:
    """Keep the offset and forget the zone's rules, so that it prints the same everywhere."""
    offset = aware.utcoffset() or timedelta()
    if offset.seconds % 60 or abs(offset) > _FARTHEST:
        raise Fault("no place on earth has this offset")
    return aware.replace(microsecond=0, fold=0, tzinfo=timezone(offset))
