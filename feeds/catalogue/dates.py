"""Dates as editors write them, read as instants that do not depend on the current time."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from feeds.catalogue.reader import InvalidValue, ValueWarning

if TYPE_CHECKING:
    from feeds.catalogue.date_grammar import Form, Words

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_MAX_LENGTH = 80
_YEARS = range(1800, 2200)
_MONTH_NUMBERS = range(1, 13)
_MAX_OFFSET = timedelta(hours=14)
_NOON = time(12)
_HALF_DAY_HOURS = 12
_UTC_NAMES = frozenset(("UTC", "GMT", "Z"))
# Languages in which an English month, or the abbreviation of one, is another month.
_OTHER_MONTHS = frozenset(("bas", "dua", "st", "teo"))

EXAMPLE = "write it like 24 May 2022 or 2022-05-24T09:00+02:00"
NOT_A_DATE = f"is not a valid date; {EXAMPLE}"
NO_DAY = f"a date needs a day, a month and a year; {EXAMPLE}"
MANY_DAYS = "has more than one day; write only one"
MANY_TIMES = "has more than one time; write only one"
_NO_TIME = "has a zone, but no time; write both or neither"
_NO_OFFSET = "has an impossible UTC offset; write one from -14:00 to +14:00"

_DAY = re.compile(rf"(\d{{1,2}}) ({'|'.join(MONTHS)}) (\d{{4}})", re.ASCII)
# The usual forms of ISO 8601: `fromisoformat` reads more, and some of it as another time. Behind
# a space and minutes alone, `-11:30` may be the end of a range of hours.
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d"
    r"(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+|,\d{3,})?)?"
    r"(?:Z|(?:\+|(?<! \d\d:\d\d)-)\d\d(?::?[0-5]\d)?)?)?",
    re.ASCII,
)
_ISO_DAY_LENGTH = len("2022-05-24")
_OFFSET_LENGTH = len("+02:00")
_MAX_HOUR_DIGITS = 2
# The kinds of tokens before an offset that follows without a space.
_ISO_TIME_KINDS = re.compile(r".*t(?:[12]:2(?::2(?:[.,]\d)?)?|[46](?:[.,]\d)?)")
_ZONE_ABBREVIATION = re.compile("[A-Z]{2,5}")


def read_date(text: str, zone: ZoneInfo, language: str) -> tuple[datetime, bool]:
    """Return an instant, to the second and with its own offset, and whether it is a day alone.

    A day alone is its noon in `zone`, and a time without a zone is in `zone`. Months
    and weekdays are named in English or in `language`. Raises InvalidValue; or ValueWarning for a
    local time that daylight saving repeats, of which the first is used.
    """
    text = " ".join(text.split())
    if len(text) > _MAX_LENGTH:
        raise InvalidValue(f"is too long for a date; {EXAMPLE}")
    parsed, whole_day = _parse(text, zone, language)
    _check_year(parsed.year)
    if parsed.tzinfo and parsed.tzinfo is not zone:
        return _with_fixed_offset(parsed), whole_day
    return _in_zone(parsed, zone, whole_day=whole_day), whole_day


def _check_year(year: int) -> None:
    if year not in _YEARS:
        raise InvalidValue(f"the year {year} is not between {_YEARS[0]} and {_YEARS[-1]}")


def _has_english_months(language: str) -> bool:
    return language.partition("-")[0] not in _OTHER_MONTHS


def _parse(text: str, zone: ZoneInfo, language: str) -> tuple[datetime, bool]:
    """Return a date, and whether it is a day alone; it is naive if no zone is named."""
    # `parse_freely` reports a day that does not exist.
    with suppress(ValueError):
        if _ISO.fullmatch(text):
            parsed = datetime.fromisoformat(text)
            if len(text) > _ISO_DAY_LENGTH:
                return parsed, False
            return datetime.combine(parsed, _NOON), True
        found = _DAY.fullmatch(text)
        if found and _has_english_months(language):
            day = date(int(found[3]), MONTHS.index(found[2]) + 1, int(found[1]))
            return datetime.combine(day, _NOON), True
    return parse_freely(text, zone, language)


def _in_zone(local: datetime, zone: ZoneInfo, *, whole_day: bool) -> datetime:
    """Return the instant of a local time, which is naive or has this zone by an abbreviation."""
    aware = local.replace(tzinfo=zone)
    clock = f"{_day_name(local)} {local:%H:%M}"
    if aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise InvalidValue(f"there was no {clock} in {zone.key}: the clocks skipped it")
    instant = _with_fixed_offset(aware)
    if local.tzinfo is None and aware.replace(fold=1).utcoffset() != aware.utcoffset():
        raise ValueWarning(
            (instant, whole_day),
            f"the clocks in {zone.key} showed {clock} twice; the first is used,"
            f" {instant.isoformat()}",
        )
    return instant


def _with_fixed_offset(aware: datetime) -> datetime:
    """Return an instant with its offset alone: the rules of its zone may change."""
    offset = aware.utcoffset() or timedelta()
    if offset.seconds % 60 or abs(offset) > _MAX_OFFSET:
        if not isinstance(aware.tzinfo, ZoneInfo):
            raise InvalidValue(_NO_OFFSET)
        # A town's own time, before there were zones, in whole minutes (RFC 3339 §5.8).
        minutes = timedelta(minutes=round(offset / timedelta(minutes=1)))
        nearest = min(max(minutes, -_MAX_OFFSET), _MAX_OFFSET)
        return aware.astimezone(timezone(nearest)).replace(microsecond=0)
    return aware.replace(microsecond=0, fold=0, tzinfo=timezone(offset))


def _day_name(day: date, *, year: bool = True) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}" + (f" {day.year}" if year else "")


@lru_cache(maxsize=4096)
def parse_freely(text: str, zone: ZoneInfo, language: str) -> tuple[datetime, bool]:
    """Return a date in any form with one meaning, in English or else another language.

    The result is naive if no zone is named; the second value is whether it is a day
    alone. Raises InvalidValue.
    """
    # Few dates need this module, which takes long to load.
    from feeds.catalogue.date_grammar import ENGLISH, words_of  # noqa: PLC0415

    if _has_english_months(language):
        try:
            return _parse_with(ENGLISH, text, zone)
        except InvalidValue:
            if not any(map(str.isalpha, text)):
                raise
    return _parse_with(words_of(language), text, zone)


def _parse_with(words: "Words", text: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    """Return the date that all interpretations of a text have in common; raises InvalidValue."""
    from feeds.catalogue.date_grammar import forms, mistake_in  # noqa: PLC0415

    without_zone = text.removesuffix(f" {zone.key}")
    read = list(forms(without_zone, words))
    whole = [form for form in read if not form.rest]
    if not whole:
        raise InvalidValue(mistake_in(text, max(read, key=lambda form: form.end)))
    found: dict[date, tuple[datetime, bool]] = {}
    faults = []
    for form in whole:
        try:
            moment, whole_day = _date(form, zone, named=without_zone != text)
            found.setdefault(moment.date(), (moment, whole_day))
        except InvalidValue as fault:
            faults.append(fault)
    if not found:
        raise faults[0]
    return found[_only_day(list(found))]


def _only_day(days: list[date]) -> date:
    if len(days) > 1:
        meant = " or ".join(_day_name(day, year=False) for day in days)
        raise InvalidValue(f"is ambiguous: {meant}; write {' or '.join(map(date.isoformat, days))}")
    return days[0]


def _date(form: "Form", zone: ZoneInfo, *, named: bool) -> tuple[datetime, bool]:
    """Return the date of a form; `named` is whether its text names `zone` by its key."""
    day = _day(form)
    if "weekday" in form.parts and form.number("weekday") != day.weekday():
        raise InvalidValue(f"{_day_name(day)} is a {WEEKDAYS[day.weekday()]}")
    if "time" not in form.parts:
        if named or "place" in form.parts:
            raise InvalidValue(_NO_TIME)
        return datetime.combine(day, _NOON), True
    local = datetime.combine(day, _time(form))
    if "zone" in form.parts:
        local = _in_named_zone(local, form.text("zone").rstrip("."), zone)
    elif "place" in form.parts:
        local = _with_named_offset(form, local, zone)
    if named and local.tzinfo:
        _check_offset(local, zone.key, local.astimezone(zone).utcoffset())
    return local, False


def _day(form: "Form") -> date:
    if "iso" in form.parts:
        try:
            day = date.fromisoformat(form.text("iso").upper())
        except ValueError:
            raise InvalidValue(NOT_A_DATE) from None
    elif "one" in form.parts:
        day = _day_in_numbers(form)
    elif "day" in form.parts and "year" in form.parts:
        day = _calendar_day(form.number("year"), form.number("month"), form.number("day"))
    else:
        raise InvalidValue(NO_DAY)
    _check_year(day.year)
    return day


def _day_in_numbers(form: "Form") -> date:
    """Return the day of a date that ends in its year; raises InvalidValue if day or month may be first."""
    one, other = form.number("one"), form.number("other")
    days = [
        _calendar_day(form.number("year"), month, day)
        for day, month in dict.fromkeys(((one, other), (other, one)))
        if month in _MONTH_NUMBERS
    ]
    if not days:
        raise InvalidValue(NOT_A_DATE)
    return _only_day(days)


def _calendar_day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        if not year or month not in _MONTH_NUMBERS:
            raise InvalidValue(NOT_A_DATE) from None
        raise InvalidValue(f"{MONTHS[month - 1]} {year} has no day {day}") from None


def _time(form: "Form") -> time:
    text, clock = form.text("time"), form.text("clock")
    hour, minute, second = (form.number(name) for name in ("hour", "minute", "second"))
    if clock:
        hour, minute, second = int(clock[:2]), int(clock[2:4]), int(clock[4:] or 0)
    if "half" in form.parts:
        afternoon = form.number("half")
        if hour > _HALF_DAY_HOURS or (afternoon and not hour):
            raise InvalidValue(
                f"{text} is not a valid time; before am or pm, hours go from 1 to 12"
            )
        hour = hour % _HALF_DAY_HOURS + afternoon
    # As in `10.05.2022 12.05`.
    if "one" in form.parts and form.text("point") == "." and minute in _MONTH_NUMBERS:
        raise InvalidValue(f"{text} may be a time or a second day; write a time like 10:00")
    try:
        return time(hour, minute, second)
    except ValueError:
        raise InvalidValue(f"{text} is not a valid time; hours go to 23, minutes to 59") from None


def _in_named_zone(local: datetime, name: str, zone: ZoneInfo) -> datetime:
    """Return a local time in UTC or in the site's zone: no other abbreviations are known."""
    if name.upper() in _UTC_NAMES:
        return local.replace(tzinfo=UTC)
    # The second time is that of an hour that daylight saving repeats.
    for fold in (0, 1):
        aware = local.replace(tzinfo=zone, fold=fold)
        if aware.tzname() == name:
            return aware
    raise InvalidValue(unknown_zone(name))


def _with_named_offset(form: "Form", local: datetime, zone: ZoneInfo) -> datetime:
    """Return a local time with the offset in its text, which a name or another one may repeat."""
    aware = local.replace(tzinfo=_offset(form))
    if name := form.text("comment"):
        if not _ZONE_ABBREVIATION.fullmatch(name):
            raise InvalidValue(unknown_zone(name))
        year = [datetime(local.year, month, 1, tzinfo=zone) for month in _MONTH_NUMBERS]
        known = {day.tzname(): day.utcoffset() for day in year}
        known |= dict.fromkeys(_UTC_NAMES, timedelta())
        _check_offset(aware, name, known.get(name, aware.utcoffset()))
    if again := form.text("again"):
        _check_offset(aware, again, _parse_offset(_full_offset(again)).utcoffset(None))
    return aware


def _check_offset(aware: datetime, name: str, offset: timedelta | None) -> None:
    if aware.utcoffset() != offset:
        written = aware.isoformat()[-_OFFSET_LENGTH:]
        raise InvalidValue(f"the offset {written} is not that of {name!r}; write only one of them")


def _offset(form: "Form") -> tzinfo:
    """Return the offset in a text; raises InvalidValue if it is impossible, or may be a second time."""
    written = form.text("offset")
    start, _ = form.parts["offset"]
    before = form.kinds[:start]
    spaced = before.endswith(" ")
    full = _full_offset(written)
    offset = _parse_offset(full)
    # Only ISO 8601 has an offset right behind a time: `10:00-11:30` is usually a range of hours.
    may_end_range = written[0] == "-" and len(written) - 1 <= _MAX_HOUR_DIGITS
    if may_end_range if spaced else not _ISO_TIME_KINDS.fullmatch(before):
        if abs(offset.utcoffset(None) or timedelta()) > _MAX_OFFSET:
            raise InvalidValue(MANY_TIMES)
        clock = form.text("time")
        raise InvalidValue(
            f"'{clock}{' ' * spaced}{written}' may be two times;"
            f" write one, or with an offset {clock} {full}"
        )
    return offset


def _full_offset(written: str) -> str:
    """Return an offset such as `+2`, `+0200` or `+2:00` as `+02:00`."""
    digits = written[1:].replace(":", "")
    if len(digits) <= _MAX_HOUR_DIGITS:
        digits += "00"
    return f"{written[0]}{digits[:-2]:0>2}:{digits[-2:]}"


def _parse_offset(text: str) -> tzinfo:
    # Imported here, because most catalogues have no offset in a form of their own.
    from dateutil.parser import isoparser  # noqa: PLC0415

    try:
        return isoparser().parse_tzstr(text)
    except ValueError:
        raise InvalidValue(_NO_OFFSET) from None


def unknown_zone(name: str) -> str:
    """Return the message on a word behind a time that is not understood."""
    if len(name) == 1:
        return f"{name!r} is not understood; write am or pm, or an offset, such as +02:00"
    if "/" in name or _ZONE_ABBREVIATION.fullmatch(name):
        return f"the zone {name!r} is not understood; write an offset, such as +02:00"
    return f"{name!r} is not understood; {EXAMPLE}"
