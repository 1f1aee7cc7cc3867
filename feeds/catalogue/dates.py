"""Dates as editors write them → instants that never depend on today."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from feeds.catalogue.reading import Fault, Remark

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_LONGEST = 60
_YEARS = range(1800, 2200)
_FARTHEST = timedelta(hours=14)
NOON = time(12)
EXAMPLE = "write it like 24 May 2022 or 2022-05-24T09:00+02:00"
# `fromisoformat` takes any character between a day and a time, and a week for its Monday.
_ISO_DAY = re.compile(
    r"\d{4}-?(?:(?:\d\d-?\d\d|W\d\d-?\d)(?:\Z|(?P<zone>[+-]))|W\d\d(?P<week>\Z|\D))"
)
NO_DAY = f"a date needs its day, its month and its year; {EXAMPLE}"
NO_TIME = "names a zone, but no time; write both or neither"
NO_OFFSET = "no place on earth has this offset"
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)

_DAY = re.compile(rf"(\d{{1,2}}) ({'|'.join(MONTHS)}) (\d{{4}})", re.ASCII)


def read_date(text: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    """Give an instant, to the second and with its own offset, and whether it is a day alone.

    A day alone is its noon in `zone`, and a time that names no zone is in `zone`.
    Raises Fault; or Remark for a local time that daylight saving repeats, of
    which the first is taken.
    """
    text = " ".join(text.split())
    if len(text) > _LONGEST:
        raise Fault(f"is too long for a date; {EXAMPLE}")
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
        return _parse_day(text) or _parse_freely(text, zone)
    day = _ISO_DAY.match(text)
    if not day:
        return parsed, False
    if day["zone"]:
        raise Fault(NO_TIME)
    if day["week"] is not None:
        raise Fault(NO_DAY)
    return datetime.combine(parsed, NOON), True


def _parse_day(text: str) -> tuple[datetime, bool] | None:
    """Read a day as most editors write it, `24 May 2022`; None for anything else."""
    found = _DAY.fullmatch(text)
    if not found:
        return None
    try:
        day = date(int(found[3]), MONTHS.index(found[2]) + 1, int(found[1]))
    except ValueError:
        return None
    return datetime.combine(day, NOON), True


def _parse_freely(text: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    # dateutil takes longer to load than most catalogues to read.
    from feeds.catalogue.free_dates import parse_freely  # noqa: PLC0415

    return parse_freely(text, zone)


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
    if offset.seconds % 60 or abs(offset) > _FARTHEST:
        if not isinstance(aware.tzinfo, ZoneInfo):
            raise Fault(NO_OFFSET)
        return aware.astimezone(timezone(_nearest_offset(offset))).replace(microsecond=0)
    if type(aware.tzinfo) is timezone and not (aware.microsecond or aware.fold):
        return aware
    return aware.replace(microsecond=0, fold=0, tzinfo=timezone(offset))


def _nearest_offset(local: timedelta) -> timedelta:
    """Give the offset that stands for a town's own time, before there were zones (RFC 3339 §5.8)."""
    minutes = timedelta(minutes=round(local / timedelta(minutes=1)))
    return min(max(minutes, -_FARTHEST), _FARTHEST)
