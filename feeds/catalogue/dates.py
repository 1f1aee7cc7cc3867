"""Dates as editors write them → instants that never depend on today."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from feeds.catalogue.reader import Fault, Remark

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_LONGEST = 80
_YEARS = range(1800, 2200)
FARTHEST = timedelta(hours=14)
NOON = time(12)
EXAMPLE = "write it like 24 May 2022 or 2022-05-24T09:00+02:00"
NOT_A_DATE = f"is not a valid date; {EXAMPLE}"
NO_DAY = f"a date needs its day, its month and its year; {EXAMPLE}"
NO_TIME = "names a zone, but no time; write both or neither"
NO_OFFSET = "no place on earth has this offset"
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
# Languages in which an English month, or the abbreviation of one, is another month.
_MISLEADING = frozenset(("bas", "dua", "st", "teo"))

_DAY = re.compile(rf"(\d{{1,2}}) ({'|'.join(MONTHS)}) (\d{{4}})", re.ASCII)
# What is usual of ISO 8601: `fromisoformat` reads more, and some of it as another time. Behind
# a space and minutes alone, `-11:30` may be the end of a range of hours.
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d"
    r"(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+|,\d{3,})?)?"
    r"(?:Z|(?:\+|(?<! \d\d:\d\d)-)\d\d(?::?[0-5]\d)?)?)?",
    re.ASCII,
)
_ISO_DAY = len("2022-05-24")


def read_date(text: str, zone: ZoneInfo, language: str) -> tuple[datetime, bool]:
    """Return an instant, to the second and with its own offset, and whether it is a day alone.

    A day alone is its noon in `zone`, and a time that names no zone is in `zone`.
    Months and weekdays are named in English or in `language`. Raises Fault; or Remark
    for a local time that daylight saving repeats, of which the first is taken.
    """
    text = " ".join(text.split())
    if len(text) > _LONGEST:
        raise Fault(f"is too long for a date; {EXAMPLE}")
    parsed, whole_day = _parse(text, zone, language)
    check_year(parsed.year)
    if parsed.tzinfo and parsed.tzinfo is not zone:
        return _with_fixed_offset(parsed), whole_day
    return _in_zone(parsed, zone, whole_day=whole_day), whole_day


def check_year(year: int) -> None:
    """Raise Fault for a year that no news is from."""
    if year not in _YEARS:
        raise Fault(f"the year {year} is not between {_YEARS[0]} and {_YEARS[-1]}")


def is_misleading(language: str) -> bool:
    """Return whether the English name of a month is that of another one in a language."""
    return language.partition("-")[0] in _MISLEADING


def _parse(text: str, zone: ZoneInfo, language: str) -> tuple[datetime, bool]:
    try:
        if _ISO.fullmatch(text):
            parsed = datetime.fromisoformat(text)
            if len(text) > _ISO_DAY:
                return parsed, False
            return datetime.combine(parsed, NOON), True
        found = _DAY.fullmatch(text)
        if found and not is_misleading(language):
            day = date(int(found[3]), MONTHS.index(found[2]) + 1, int(found[1]))
            return datetime.combine(day, NOON), True
    except ValueError:
        # A day that the calendar has not; what is wrong is said below.
        pass
    # Loaded for the few dates that are written otherwise.
    from feeds.catalogue.free_dates import parse_freely  # noqa: PLC0415

    return parse_freely(text, zone, language)


def _in_zone(local: datetime, zone: ZoneInfo, *, whole_day: bool) -> datetime:
    """Give the instant of a local time; `local` is naive, or names this zone by a short name."""
    aware = local.replace(tzinfo=zone)
    clock = f"{local.day} {MONTHS[local.month - 1]} {local.year} {local:%H:%M}"
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
    if offset.seconds % 60 or abs(offset) > FARTHEST:
        if not isinstance(aware.tzinfo, ZoneInfo):
            raise Fault(NO_OFFSET)
        return aware.astimezone(timezone(_nearest_offset(offset))).replace(microsecond=0)
    if type(aware.tzinfo) is timezone and not (aware.microsecond or aware.fold):
        return aware
    return aware.replace(microsecond=0, fold=0, tzinfo=timezone(offset))


def _nearest_offset(local: timedelta) -> timedelta:
    """Give the offset that stands for a town's own time, before there were zones (RFC 3339 §5.8)."""
    minutes = timedelta(minutes=round(local / timedelta(minutes=1)))
    return min(max(minutes, -FARTHEST), FARTHEST)
