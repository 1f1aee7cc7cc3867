"""Dates in any other form that leaves no doubt, in English or the site's language."""

from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from feeds.catalogue.date_forms import Form, form_of
from feeds.catalogue.date_mistakes import why_not_a_date
from feeds.catalogue.date_words import ENGLISH, WEEKDAYS, Words, readings
from feeds.catalogue.date_zones import check_offset, in_zone_of
from feeds.catalogue.dates import (
    MONTHS,
    NO_DAY,
    NO_TIME,
    NOON,
    NOT_A_DATE,
    check_year,
    is_misleading,
)
from feeds.catalogue.reader import Fault

_MONTHS = range(1, 13)
_HALF_DAY = 12


def parse_freely(text: str, zone: ZoneInfo, language: str) -> tuple[datetime, bool]:
    """Return a date, and whether it is a day alone; raises Fault."""
    read = _read(text, zone, language)
    if isinstance(read, str):
        raise Fault(read)
    return read


@lru_cache(maxsize=4096)
def _read(text: str, zone: ZoneInfo, language: str) -> tuple[datetime, bool] | str:
    """Return a date, or what is wrong: a faulty item is read a second time, for its place."""
    try:
        return _parse(text, zone, language)
    except Fault as fault:
        return str(fault)


def _parse(text: str, zone: ZoneInfo, language: str) -> tuple[datetime, bool]:
    """Read a text with English words, or else with those of a language as well."""
    if not is_misleading(language):
        try:
            return _parse_with(ENGLISH, text, zone)
        except Fault:
            if not any(map(str.isalpha, text)):
                raise
    # Babel takes longer to load than most catalogues to read.
    from feeds.catalogue.date_languages import words_of  # noqa: PLC0415

    return _parse_with(words_of(language), text, zone)


def _parse_with(words: Words, text: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    bare = text.removesuffix(f" {zone.key}")
    forms = [form_of(reading) for reading in readings(bare, words)]
    whole = [form for form in forms if not form.rest]
    if not whole:
        raise Fault(why_not_a_date(text, max(forms, key=lambda form: form.end)))
    return _only_date(whole, zone, named=bare != text)


def _only_date(forms: list[Form], zone: ZoneInfo, *, named: bool) -> tuple[datetime, bool]:
    """Return the date that all forms of a text have; raises Fault where there are several."""
    found: dict[date, tuple[datetime, bool]] = {}
    faults = []
    for form in forms:
        try:
            read = _date(form, zone, named=named)
        except Fault as fault:
            faults.append(fault)
        else:
            found.setdefault(read[0].date(), read)
    if not found:
        raise faults[0]
    _check_one_day(list(found))
    return next(iter(found.values()))


def _check_one_day(days: list[date]) -> None:
    if len(days) > 1:
        meant = " or ".join(f"{day.day} {MONTHS[day.month - 1]}" for day in days)
        raise Fault(f"{meant}? write {' or '.join(map(date.isoformat, days))}")


def _date(form: Form, zone: ZoneInfo, *, named: bool) -> tuple[datetime, bool]:
    day = _day(form)
    if "weekday" in form.parts and form.number("weekday") != day.weekday():
        name = f"{day.day} {MONTHS[day.month - 1]} {day.year}"
        raise Fault(f"{name} is a {WEEKDAYS[day.weekday()]}")
    if "time" not in form.parts:
        if named or "place" in form.parts:
            raise Fault(NO_TIME)
        return datetime.combine(day, NOON), True
    local = datetime.combine(day, _time(form))
    local = in_zone_of(form, local, zone) if "place" in form.parts else local
    if named and local.tzinfo:
        check_offset(local, zone.key, local.astimezone(zone).utcoffset())
    return local, False


def _day(form: Form) -> date:
    if "iso" in form.parts:
        try:
            day = date.fromisoformat(form.text("iso").upper())
        except ValueError:
            raise Fault(NOT_A_DATE) from None
    elif "one" in form.parts:
        day = _day_or_month(form)
    elif "day" in form.parts and "year" in form.parts:
        day = _calendar_day(form.number("year"), form.number("month"), form.number("day"))
    else:
        raise Fault(NO_DAY)
    check_year(day.year)
    return day


def _day_or_month(form: Form) -> date:
    """Return the day of a date in numbers that ends in its year; raises Fault if there are two."""
    one, other = form.number("one"), form.number("other")
    orders = {(month, day): None for day, month in ((one, other), (other, one)) if month in _MONTHS}
    days = [_calendar_day(form.number("year"), month, day) for month, day in orders]
    if not days:
        raise Fault(NOT_A_DATE)
    _check_one_day(days)
    return days[0]


def _calendar_day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        if not year or month not in _MONTHS:
            raise Fault(NOT_A_DATE) from None
        raise Fault(f"{MONTHS[month - 1]} {year} has no day {day}") from None


def _time(form: Form) -> time:
    text, clock = form.text("time"), form.text("clock")
    hour, minute, second = (form.number(name) for name in ("hour", "minute", "second"))
    if clock:
        hour, minute, second = int(clock[:2]), int(clock[2:4]), int(clock[4:] or 0)
    if "half" in form.parts:
        afternoon = form.number("half")
        if hour > _HALF_DAY or (afternoon and not hour):
            raise Fault(f"there is no time {text}; before am or pm, hours go from 1 to 12")
        hour = hour % _HALF_DAY + afternoon
    _check_no_second_day(form, text)
    try:
        return time(hour, minute, second)
    except ValueError:
        raise Fault(f"there is no time {text}; hours go to 23, minutes to 59") from None


def _check_no_second_day(form: Form, text: str) -> None:
    """Raise Fault if a time looks like the dates beside it: `10.05.2022 12.05`."""
    if "one" in form.parts and form.text("point") == "." and form.number("minute") in _MONTHS:
        raise Fault(f"{text} is a time or a second day; write a time like 10:00")
