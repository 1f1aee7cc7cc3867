"""The forms that a date may have: each part of the text is used, and used once."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from feeds.catalogue.date_words import Reading

# Over the kinds of a Reading. Groups of one name are one part, which is in a date once.
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


class Form(NamedTuple):
    """The parts of a reading by name, each with its first place and the place after its last.

    `end` is the first place that is not understood, or how many there are.
    """

    reading: Reading
    parts: dict[str, tuple[int, int]]
    end: int

    @property
    def rest(self) -> str:
        """Return the kinds that are not understood."""
        return self.reading.shape[self.end :]

    def number(self, name: str) -> int:
        """Return the number of a part; 0 where it is not there."""
        return self.reading.values[self.parts[name][0]] if name in self.parts else 0

    def text(self, name: str) -> str:
        """Return a part as it is written; nothing where it is not there."""
        start, end = self.parts.get(name, (0, 0))
        return "".join(self.reading.texts[start:end])


def form_of(reading: Reading) -> Form:
    """Return the parts of a reading, as far as it is understood."""
    parts: dict[str, tuple[int, int]] = {}
    end = 0
    while found := _next_part(reading.shape, end, parts):
        named, end = found
        parts |= named
    return Form(reading, parts, end)


def _next_part(
    shape: str, at: int, known: Mapping[str, tuple[int, int]]
) -> tuple[dict[str, tuple[int, int]], int] | None:
    """Return what is understood next, and where it ends; it repeats nothing that is known."""
    for part in _PARTS:
        found = part.match(shape, at)
        if found:
            named = {name: found.span(name) for name, text in found.groupdict().items() if text}
            if not named.keys() & known.keys():
                return named, found.end()
    return None
