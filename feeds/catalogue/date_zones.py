"""The offset or the zone that a date names."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from dateutil.parser import isoparser

from feeds.catalogue.date_forms import Form
from feeds.catalogue.date_mistakes import MANY_TIMES, is_abbreviation, unknown_zone
from feeds.catalogue.dates import FARTHEST, NO_OFFSET
from feeds.catalogue.reader import Fault

_UTC = frozenset(("UTC", "GMT", "Z"))
# The digits of an offset without minutes.
_HOURS = 2
# Over the kinds of what is before an offset.
_ISO_TIME = re.compile(r".*t(?:[12]:2(?::2(?:[.,]\d)?)?|[46](?:[.,]\d)?)")
_iso = isoparser()


def in_zone_of(form: Form, local: datetime, zone: ZoneInfo) -> datetime:
    """Return a local time in the zone, or with the offset, that its text names.

    `zone` is the site's: no other's abbreviations are known. Raises Fault.
    """
    if "zone" in form.parts:
        return _in_named_zone(local, form.text("zone").rstrip("."), zone)
    aware = local.replace(tzinfo=_offset(form))
    name = form.text("comment")
    if name:
        if not is_abbreviation(name):
            raise Fault(unknown_zone(name))
        check_offset(aware, name, _offsets(local, zone).get(name, aware.utcoffset()))
    again = form.text("again")
    if again:
        check_offset(aware, again, _read_offset(again).utcoffset(None))
    return aware


def check_offset(aware: datetime, name: str, offset: timedelta | None) -> None:
    """Raise Fault if a time has not the offset of what its text names beside it."""
    if aware.utcoffset() != offset:
        written = aware.isoformat()[-len("+00:00") :]
        raise Fault(f"the offset {written} is not that of {name!r}; write one of them")


def _in_named_zone(local: datetime, name: str, zone: ZoneInfo) -> datetime:
    if name.upper() in _UTC:
        return local.replace(tzinfo=UTC)
    # The second time is that of an hour that daylight saving repeats.
    for fold in (0, 1):
        aware = local.replace(tzinfo=zone, fold=fold)
        if aware.tzname() == name:
            return aware
    raise Fault(unknown_zone(name))


def _offsets(local: datetime, zone: ZoneInfo) -> dict[str | None, timedelta | None]:
    """Return the offset of each abbreviation that is known in a year."""
    year = [datetime(local.year, month, 1, tzinfo=zone) for month in range(1, 13)]
    return {day.tzname(): day.utcoffset() for day in year} | dict.fromkeys(_UTC, timedelta())


def _offset(form: Form) -> tzinfo:
    """Return the offset that a text names; raises Fault if it is impossible, or may be a time."""
    written = form.text("offset")
    sign, digits = written[0], written[1:].replace(":", "")
    start, _ = form.parts["offset"]
    before = form.reading.shape[:start]
    spaced = before.endswith(" ")
    hours = f"{digits[:-2]:0>2}:{digits[-2:]}" if len(digits) > _HOURS else f"{digits:0>2}:00"
    offset = _read_offset(sign + hours)
    # Only ISO 8601 has an offset right behind a time: to most, `10:00-11:30` is a range of hours.
    short = sign == "-" and len(digits) <= _HOURS
    if short if spaced else not _ISO_TIME.fullmatch(before):
        if abs(offset.utcoffset(None) or timedelta()) > FARTHEST:
            raise Fault(MANY_TIMES)
        time = form.text("time")
        raise Fault(
            f"'{time}{' ' * spaced}{written}' may be two times;"
            f" write one, or with an offset {time} {sign}{hours}"
        )
    return offset


def _read_offset(text: str) -> tzinfo:
    try:
        return _iso.parse_tzstr(text)
    except ValueError:
        raise Fault(NO_OFFSET) from None
