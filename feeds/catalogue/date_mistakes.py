"""What is wrong with a text that is no date."""

import re
from collections.abc import Callable
from datetime import datetime

from feeds.catalogue.dates import EXAMPLE, MONTHS, NO_OFFSET, NO_TIME

_MONTH = f"(?:{'|'.join(month[:3] for month in MONTHS)})[a-z]*"
_TO = r" ?(?:[-–/]|to|and) ?"
_DAYS = re.compile(
    rf"(?<![\d:/–-])\d{{1,2}}{_TO}\d{{1,2}} {_MONTH}|{_MONTH} \d{{1,2}}{_TO}\d{{1,2}}(?![\d:/–-])",
    re.IGNORECASE,
)
_OFFSET = re.compile(rf"\b(?!{_MONTH}-)[a-z]{{3,}}([+-])(\d{{1,2}})(?!\d):?(\d\d)?", re.IGNORECASE)
_TIME = re.compile(r"(?<![\d+-])(\d{1,2}):(\d\d)(?::(\d\d))?(?!\d)")
_LATE_DAY = re.compile(r"(?<![\d:])(?:29|30|31)(?!\d)")
_ZONE = re.compile(r" ([A-Za-z_]+/[A-Za-z][\w/+-]*)$")
_OFFSET_AT_END = re.compile(r" ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)$")


def read_both_ways(text: str) -> str:
    """Tell what a text leaves open though it could be read; else nothing."""
    if _DAYS.search(text):
        return "is more than one day; write one of them"
    offset = _OFFSET.search(text)
    if offset:
        time = f"{offset[2]:0>2}:{offset[3] or '00'}"
        return f"an offset from a named zone is read both ways; write +{time} or -{time} alone"
    return ""


def why_no_date(text: str, read: Callable[[str], datetime | None]) -> str:
    """Tell what is wrong with a text that `read` does not understand."""
    for time in _TIME.finditer(text):
        if int(time[1]) > 23 or int(time[2]) > 59 or int(time[3] or 0) > 59:  # noqa: PLR2004
            return f"there is no time {time[0]}; hours go to 23, minutes to 59"
    zone = _ZONE.search(text)
    if zone:
        return f"the zone {zone[1]!r} is not understood; write an offset, such as +02:00"
    day = _LATE_DAY.search(text)
    other = day and read(f"{text[: day.start()]}28{text[day.end() :]}")
    if day and other:
        return f"{MONTHS[other.month - 1]} {other.year} has no day {day[0]}"
    without = _OFFSET_AT_END.sub("", text)
    if read(without):
        return NO_OFFSET if _TIME.search(without) else NO_TIME
    return f"is no date; {EXAMPLE}"
