"""What is wrong with a text that is understood in part only."""

import re

from feeds.catalogue.date_forms import Form
from feeds.catalogue.dates import EXAMPLE, NO_DAY, NOT_A_DATE

_MANY_DAYS = "is more than one day; write one of them"
MANY_TIMES = "is more than one time; write one of them"
_NO_HOUR = "has minutes or seconds, but no hour; write a time like 10:00"
_ODD_TIME = "has a time that is not understood; write it like 24 May 2022 15:30"

# Over the kinds of a reading. An unknown word may be `to` or `and` in any language.
_GAP = r"[ .,/-]*"
_AND = r"\.?(?: ?[-–/,+&] ?| \? )"
_YEAR_OF_TWO_DIGITS = re.compile(
    rf"(?:[12]o?{_GAP}M|M{_GAP}[12]o?|[12](?P<by>[-/.] ?)[12](?=(?P=by)))"
    rf"{_GAP}\??(?P<year>2)(?![:\d])"
)
_MANY = re.compile(
    rf"[12]o?(?:{_AND}| )[12]o?{_GAP}M|M{_GAP}[12]o?{_AND}[12]|[12]{_AND}[12]{_GAP}[12]{_GAP}4|M.*M"
)
_INCOMPLETE = re.compile(r"(?:[124]|4[-/.]?[12]|[12][-/. ][124]\.?|4-?w2)(?:[ t]+[12](?::.*)?)?")
# Over D where there is a date, T where there is a time, and the kinds that are not understood.
_MISTAKES = tuple(
    (re.compile(pattern), message)
    for pattern, message in (
        (r"D? ?[12] ?[ms]", _NO_HOUR),
        (r"D 4|D[ t]+[12](?: ?h ?|[?!.:,]{1,2}| )[12](?:[.,]2)?\.?|DT[.,]\d", _ODD_TIME),
        (r"D[ ,]*\? ?[12](?:[.:,h]2| ?[ah])", _ODD_TIME),
        (r"D.*(?:M|4[-/.][12]|[12]([-/.]) ?[12]\1).*", _MANY_DAYS),
        (r"DT.*[12].*|D(?: [12]|.*[12](?: ?[:ha]|.*[12])).*", MANY_TIMES),
        (rf"D{_AND}[12].*", _MANY_DAYS),
        (".*", NOT_A_DATE),
    )
)

# Over the text.
_NAME_AND_OFFSET = re.compile(
    r"\b(?:[A-Z]{2,5}|(?i:utc|gmt)) ?([+-])(\d\d?)(?::?(\d\d))?(?![\d./-])"
)
_ZONE = re.compile(r" ([A-Za-z_]+/[A-Za-z][\w/+-]*)$")
_ABBREVIATION = re.compile("[A-Z]{2,5}")


def why_not_a_date(text: str, form: Form) -> str:
    """Return what is wrong with a text, of which `form` is what is understood."""
    offset = _NAME_AND_OFFSET.search(text)
    if offset and "time" in form.parts:
        hours = f"{offset[2]:0>2}:{offset[3] or '00'}"
        return f"an offset from a named zone is read both ways; write +{hours} or -{hours} alone"
    zone = _ZONE.search(text)
    if zone:
        return unknown_zone(zone[1])
    if "time" in form.parts and re.fullmatch(" ?[mt]", form.rest):
        return unknown_zone(form.reading.texts[-1])
    return _why_not_in_kinds(form)


def _why_not_in_kinds(form: Form) -> str:
    # Whatever adds nothing changes nothing here.
    shape, rest = form.reading.shape.replace("~", " "), form.rest.replace("~", " ")
    small = _YEAR_OF_TWO_DIGITS.search(shape)
    if small and "4" not in shape:
        year = form.reading.texts[small.start("year")]
        return f"write the year with four digits; {year} is ambiguous"
    if _MANY.search(shape):
        return _MANY_DAYS
    if _INCOMPLETE.fullmatch(shape):
        return NO_DAY
    understood = "D" * ("year" in form.parts) + "T" * ("time" in form.parts)
    return next(message for pattern, message in _MISTAKES if pattern.fullmatch(understood + rest))


def unknown_zone(name: str) -> str:
    """Return what is wrong with a word behind a time."""
    if len(name) == 1:
        return f"{name!r} is not understood; write am or pm, or an offset, such as +02:00"
    if "/" in name or is_abbreviation(name):
        return f"the zone {name!r} is not understood; write an offset, such as +02:00"
    return f"{name!r} is not understood; {EXAMPLE}"


def is_abbreviation(name: str) -> bool:
    """Return whether a word may abbreviate the name of a zone, as CEST does."""
    return bool(_ABBREVIATION.fullmatch(name))
