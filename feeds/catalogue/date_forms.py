"""The forms that a date may have: each part of the text is used, and used only once."""

import re
from collections.abc import Container
from typing import NamedTuple

from feeds.catalogue.date_words import Tokens
from feeds.catalogue.dates import MANY_TIMES, NO_DAY, NOT_A_DATE, unknown_zone

# The patterns match the kinds of Tokens. Groups of one name are one part, which a date has once.
_BETWEEN = "(?:[ ~]?[.,]?[ ~]?|[-/])"
_DAY = r"(?P<day>[12])\.?o?"
_MONTH = r"(?P<month>M)"
_YEAR = r"(?P<year>4)"
_BY = r"(?P<by>[-/ ~]|\. ?)"
# `+0000 UTC` and `-0300 -03` are what Go writes, `+0200 (CEST)` is RFC 2822.
_OFFSET = (
    r"(?P<offset>[+-](?:[12]:2|[24])|\+1)(?![:\dahms])"
    r"(?: (?P<open>\()?(?P<comment>[z?])(?(open)\))| (?P<again>[+-][24]))?"
)
_ZONE = rf"(?P<place> ?(?P<bracket>\()?(?P<zone>[z?])(?(bracket)\))| ?{_OFFSET})"
# Behind a whole date a time needs no mark: `2022-05-24 15.30`, `24 May 2022 10`.
_BARE = (
    r"(?: ?t ?|[ ~]|, ?(?=[12]\.))(?P<time>(?P<hour>[12])"
    r"(?:(?P<point>[.,])(?P<minute>2)(?![.,:/-]| ?[ah])|(?=$| ?[z?(])))"
)
_DATES = (
    rf"{_DAY}{_BETWEEN}{_MONTH}{_BETWEEN}{_YEAR}",
    rf"{_MONTH}{_BETWEEN}{_DAY}{_BETWEEN}{_YEAR}",
    rf"{_YEAR}{_BETWEEN}{_MONTH}{_BETWEEN}{_DAY}",
    rf"{_YEAR}{_BETWEEN}{_DAY}{_BETWEEN}{_MONTH}",
    rf"{_YEAR}{_BY}(?P<month>[12])(?P=by)(?P<day>[12])",
    rf"(?P<one>[12]){_BY}(?P<other>[12])(?P=by){_YEAR}",
    r"(?P<iso>(?P<year>8|4(?=-w2-1|w3))(?:-w2-1|w3)?)",
)
# A comma and one or two digits would rather be another hour.
_FRACTION = r"(?:(?:\.\d|,[03-9])(?! ?[ah]))"
_COLON = (
    rf"(?P<time>(?P<hour>[12]):(?P<minute>2)(?::(?P<second>2){_FRACTION}?)?"
    r"(?: ?(?:h|(?P<half>a)))?)(?:\.$)?"
)
# The minutes are not followed by what makes a day of them: `15h 24 May 2022`.
_HOURS = (
    r"(?P<time>(?P<hour>[12]) ?h(?: ?(?P<minute>[12])"
    r"(?: ?m(?: ?(?P<second>[12]) ?s)?|(?<=2)(?! ?[-/.oM])))?)"
)
_TIMES = (
    _COLON,
    _HOURS,
    r"(?P<time>(?P<hour>[12])\.(?P<minute>2) ?(?:h|(?P<half>a)))",
    r"(?P<time>(?P<hour>[12]) ?(?P<half>a))",
)
_GAP = "[ ~]?,?[ ~]?"
_PARTS = tuple(
    map(
        re.compile,
        (
            *(rf"{_GAP}(?P<date>{date})\.?~?(?:{_BARE}{_ZONE}?)?" for date in _DATES),
            # The year may come last: `Tue May 24 09:00:00 2022`.
            rf"{_GAP}(?P<date>{_DAY}{_BETWEEN}{_MONTH})~?",
            rf"{_GAP}(?P<date>{_MONTH}{_BETWEEN}{_DAY})~?",
            rf"{_GAP}(?P<date>{_MONTH})",
            rf"{_GAP}{_YEAR}~?",
            rf" (?:[-–] )?{_COLON}{_ZONE}?",
            *(rf"{_GAP}(?:t ?)?{time}{_ZONE}?" for time in _TIMES),
            rf"t(?P<time>(?P<clock>4|6)(?:(?<=6){_FRACTION})?){_ZONE}?",
            rf"{_GAP}\(?(?P<weekday>W)\)?~?",
            # At the end, where the time comes first or is missing. `2022-05-10-12` is two days.
            rf"(?P<place>(?! ?-2(?!:))(?: |(?=\+)|(?<=-2)){_OFFSET}| ?(?P<zone>z))$",
        ),
    )
)

_MANY_DAYS = "has more than one day; write only one"
_NO_HOUR = "has minutes or seconds, but no hour; write a time like 10:00"
_ODD_TIME = "has a time that is not understood; write it like 24 May 2022 15:30"

# These match the kinds, too. An unknown word may be `to` or `and` in any language.
_ANY_GAP = r"[ .,/-]*"
_AND = r"\.?(?: ?[-–/,+&] ?| \? )"
_SHORT_YEAR = re.compile(
    rf"(?:[12]o?{_ANY_GAP}M|M{_ANY_GAP}[12]o?|[12](?P<by>[-/.] ?)[12](?=(?P=by)))"
    rf"{_ANY_GAP}\??(?P<year>2)(?![:\d])"
)
_SEVERAL_DAYS = re.compile(
    rf"[12]o?(?:{_AND}| )[12]o?{_ANY_GAP}M|M{_ANY_GAP}[12]o?{_AND}[12]"
    rf"|[12]{_AND}[12]{_ANY_GAP}[12]{_ANY_GAP}4|M.*M"
)
_INCOMPLETE = re.compile(r"(?:[124]|4[-/.]?[12]|[12][-/. ][124]\.?|4-?w2)(?:[ t]+[12](?::.*)?)?")
# D for a date, T for a time, and then the kinds that are not understood.
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
# These match the text.
_NAME_AND_OFFSET = re.compile(
    r"\b(?:[A-Z]{2,5}|(?i:utc|gmt)) ?([+-])(\d\d?)(?::?(\d\d))?(?![\d./-])"
)
_ZONE_KEY = re.compile(r" ([A-Za-z_]+/[A-Za-z][\w/+-]*)$")


class Form(NamedTuple):
    """The named parts of some tokens, each with its first place and the place after its last.

    `end` is the first place that is not understood, or the number of tokens.
    """

    tokens: Tokens
    parts: dict[str, tuple[int, int]]
    end: int

    @property
    def rest(self) -> str:
        """The kinds that are not understood."""
        return self.tokens.kinds[self.end :]

    def number(self, name: str) -> int:
        """Return the number of a part; 0 if there is none."""
        return self.tokens.values[self.parts[name][0]] if name in self.parts else 0

    def text(self, name: str) -> str:
        """Return a part as it is written; '' if there is none."""
        start, end = self.parts.get(name, (0, 0))
        return "".join(self.tokens.texts[start:end])


def form_of(tokens: Tokens) -> Form:
    """Return the parts of some tokens, as far as they are understood."""
    parts: dict[str, tuple[int, int]] = {}
    end = 0
    while found := _next_part(tokens.kinds, end, parts):
        parts |= {name: found.span(name) for name, text in found.groupdict().items() if text}
        end = found.end()
    return Form(tokens, parts, end)


def _next_part(kinds: str, at: int, known: Container[str]) -> re.Match[str] | None:
    """Return the match of the next part that repeats none of those that are known."""
    for pattern in _PARTS:
        found = pattern.match(kinds, at)
        if found and not any(text and name in known for name, text in found.groupdict().items()):
            return found
    return None


def mistake_in(text: str, form: Form) -> str:
    """Return what is wrong with a text, of which `form` is what is understood."""
    offset = _NAME_AND_OFFSET.search(text)
    if offset and "time" in form.parts:
        hours = f"{offset[2]:0>2}:{offset[3] or '00'}"
        return f"an offset from a named zone is ambiguous; write +{hours} or -{hours} alone"
    zone = _ZONE_KEY.search(text)
    if zone or ("time" in form.parts and re.fullmatch(" ?[mt]", form.rest)):
        return unknown_zone(zone[1] if zone else form.tokens.texts[-1])
    # Words that add nothing make no difference here.
    kinds, rest = form.tokens.kinds.replace("~", " "), form.rest.replace("~", " ")
    short = _SHORT_YEAR.search(kinds)
    if short and "4" not in kinds:
        year = form.tokens.texts[short.start("year")]
        return f"write the year with four digits; {year} is ambiguous"
    if _SEVERAL_DAYS.search(kinds):
        return _MANY_DAYS
    if _INCOMPLETE.fullmatch(kinds):
        return NO_DAY
    understood = "D" * ("year" in form.parts) + "T" * ("time" in form.parts)
    return next(message for pattern, message in _MISTAKES if pattern.fullmatch(understood + rest))
