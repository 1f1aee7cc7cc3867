"""Dates: no part of a text is ignored, and an ambiguous text is refused."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from babel import Locale
from babel.dates import format_date
from babel.localedata import locale_identifiers
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from reading import entries, read_or_none, site

ZONE = "Europe/Zurich"
DAYS = [
    *("2022-05-24", "24 May 2022", "May 24, 2022", "24.5.2022", "24/05/2022", "2022/05/24"),
    *("Tue, 24 May 2022", "24-May-2022", "20220524", "2022-W21-2", "24th of May 2022"),
]
# Beside a whole day, part of a date is enough for another one.
OTHER_DAYS = [
    *DAYS,
    *("2022-06-25", "25 June 2022", "June 25, 2022", "25.6.2022", "25/06/2022", "2022/06/25"),
    *("25 June", "June 25", "25", "25.", "25th", "25.6.", "Sat, 25 June 2022", "20220625"),
]
TIMES = [
    *("10:00", "9am", "5 pm", "10", "10h", "10h30", "10.30", "09:00:00", "5:00 p.m.", "17:00 h"),
    *("10:00Z", "10:00 +02:00", "10:00 CEST", "09:00:00.123"),
]
JOINED = [
    *("-", "–", "—", "‑", "~", "～", "/", ",", "&", "+", ";"),
    *(" - ", " – ", " / ", ", ", " to ", " and ", " until ", " bis ", " à ", " or "),
]
LAYOUTS = ["{day} {rest}", "{day}, {rest}", "{rest} {day}", "{rest}, {day}", "{day} at {rest}"]
# One time after all: minutes, or an offset that is right behind a time in ISO 8601.
ONE_TIME = re.compile(
    r"10h 10\b(?![h:])|[ T]10,10$|(?:T\d\d:\d\d|\d\d-\d\d 09)(?::00)*(?:\.123)?[+-]10(?::00)?$"
    r"|\d\d-\d\d 10:00\+10(?::00)?$"
)
SAMPLE = [
    *("ar", "bn", "de", "es", "eu", "fr", "he", "hi", "hu", "id", "ja", "ko", "lt", "pt-BR"),
    *("ru", "th", "tr", "vi", "zh-Hant"),
]
# What CLDR writes and this program refuses, by language, format and month.
REFUSED = {
    # In English, it is the name of another month.
    *(("bas", "medium", 11), ("dua", "medium", 10), ("st", "medium", 6), ("teo", "medium", 5)),
    # Day and month in numbers, before a word or between commas: `24.01 st. 2022`, `24,01,2022`.
    *(("prg", "medium", month) for month in range(1, 13)),
    *(("bal-Latn", "full", month) for month in range(1, 13)),
}


def read(text: str, language: str = "en") -> tuple[datetime, bool] | None:
    """Return the date in a text, and whether it is a day alone; None if it is refused."""
    found = read_or_none(site(timezone=ZONE, language=language) + entries({"date": text}))
    if found is None:
        return None
    [entry] = found.entries
    return entry.published, entry.public_from is not None


@settings(max_examples=400)
@given(
    st.sampled_from(DAYS),
    st.sampled_from(TIMES),
    st.sampled_from(TIMES),
    st.sampled_from([*JOINED, " "]),
    st.sampled_from([*LAYOUTS, "{day}T{rest}"]),
)
@example("24 May 2022", "10:00", "10:00", "-", "{day} {rest}")
@example("24 May 2022", "09:00:00", "9am", ",", "{day} {rest}")
def test_two_times_are_never_read(
    day: str, one: str, other: str, between: str, layout: str
) -> None:
    """A text with two times is refused, with any separator and any position of the day."""
    text = layout.format(day=day, rest=f"{one}{between}{other}")
    assume(not ONE_TIME.search(text))
    assert read(text) is None
    assert read(f"{one} {day} {other}") is None


@settings(max_examples=400)
@given(
    st.sampled_from(DAYS),
    st.sampled_from(OTHER_DAYS),
    st.sampled_from([*JOINED, " "]),
    st.sampled_from(["{day}{between}{other}", "{other}{between}{day}"]),
    st.sampled_from(["{}", "{} 15:30", "15:30 {}", "{}T15:30Z", "{} Tuesday"]),
)
@example("2022-05-24", "25", "/", "{day}{between}{other}", "{}")
def test_two_days_are_never_read(
    day: str, other: str, between: str, order: str, layout: str
) -> None:
    """A text with two days is refused, also if one of them has no month or no year."""
    text = layout.format(order.format(day=day, between=between, other=other))
    # A number behind a day and a space is an hour.
    assume(not text.endswith(f"{day} 25"))
    assert read(text) is None


@given(
    st.sampled_from(["2022-05-24T10:00{}", "2022-05-24 10:00:00 {}", "24 May 2022 10:00 {}"]),
    st.sampled_from(["{}{:02}:{:02}", "{}{:02}{:02}"]),
    st.sampled_from("+-"),
    st.integers(0, 99),
    st.integers(0, 99),
)
@example("2022-05-24T10:00{}", "{}{:02}{:02}", "+", 5, 60)
@example("2022-05-24T10:00{}", "{}{:02}:{:02}", "+", 14, 1)
@example("2022-05-24T10:00{}", "{}{:02}:{:02}", "-", 14, 0)
def test_no_impossible_offset_is_read(
    layout: str, form: str, sign: str, hours: int, minutes: int
) -> None:
    """An offset is read as it is written if it has at most 59 minutes and 14 hours, else refused."""
    found = read(layout.format(form.format(sign, hours, minutes)))
    offset = timedelta(hours=hours, minutes=minutes)
    if minutes > 59 or offset > timedelta(hours=14):
        assert found is None
    else:
        assert found
        assert found[0].utcoffset() == (offset if sign == "+" else -offset)


PIECES = [
    *("24", "25", "10", "12", "9", "05", "6", "2022", "2021", "30", "00", "May", "June", "Tue"),
    *("am", "pm", "h", "m", "s", "T", "Z", "UTC", "CEST", "of", "th", "at", "and", "to"),
    *("+02:00", "-03:30", "-0500", "(CEST)", "W21", "123", " ", ":", "/", "-", ".", ",", "–"),
]


@settings(max_examples=200)
@given(
    st.sampled_from(
        ["24 May 2022 10:30", "2022-05-24T10:30", "24.5.2022 10.30", "May 24, 2022 9am"]
    ),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 1), st.sampled_from(PIECES)), max_size=3),
)
def test_each_number_is_used_once(text: str, edits: list[tuple[int, int, str]]) -> None:
    """In a randomly changed date that is accepted, each number is used."""
    for at, removed, piece in edits:
        text = text[:at] + piece + text[at + removed :]
    found = read(text)
    if found is None or re.search(r"\d{5}|T\d{3}|(.\d{4}) +\1", text):
        return
    moment, whole_day = found
    written = Counter(map(int, re.findall(r"\d+", re.sub(r"(?<=:\d\d)[.,]\d+", "", text))))
    named = re.findall("May|June", text)
    assert len(named) <= 1
    numbers = Counter([moment.year, moment.day] + [moment.month] * (not named))
    if not whole_day:
        offset = abs(moment.utcoffset() or timedelta()) // timedelta(minutes=1)
        hours, minutes = divmod(offset, 60)
        numbers += Counter([moment.minute, moment.second, hours, minutes, hours * 100 + minutes])
        numbers += Counter({moment.hour, moment.hour % 12 or 12})
    assert written <= numbers, text


def refused(languages: list[str], days: list[int]) -> Iterator[tuple[str, str, int]]:
    """Yield each language, format and month in which what CLDR writes is not read as that day."""
    for language in languages:
        locale = Locale.parse(language, sep="-")
        written = [
            (day, style, format_date(day, style, locale))
            for style in ("long", "medium", "full")
            for day in (date(2022, month, day) for month in range(1, 13) for day in days)
            # In numbers, a day up to the 12th may be the month.
            if style != "medium" or day.day >= 13
        ]
        items = ({"id": f"e{number}", "date": text} for number, (*_, text) in enumerate(written))
        together = read_or_none(site(timezone=ZONE, language=language) + entries(*items))
        if together and [entry.published.date() for entry in together.entries] == [
            day for day, *_ in written
        ]:
            continue
        for day, style, text in written:
            found = read(text, language)
            if not found or found[0].date() != day:
                yield language, style, day.month


def test_months_are_read_in_the_language_of_the_site() -> None:
    """A day is read as CLDR writes it, in languages of all kinds."""
    assert not list(refused(SAMPLE, [24]))


@pytest.mark.heavy
def test_months_are_read_in_every_language() -> None:
    """The same in each language that Babel knows, except those listed above."""
    languages = [
        language
        for language in (name.replace("_", "-") for name in sorted(locale_identifiers()))
        # The language of a site has no variant.
        if not re.search("-[A-Z]{3}", language)
    ]
    found = {
        (re.sub("-[A-Z]{2}$", "", language), *rest)
        for language, *rest in refused(languages, [1, 24])
    }
    assert found == REFUSED


def test_languages_are_kept_apart() -> None:
    """The names of one language are not known in another language that is used later."""
    assert read("24 5月 2022", "ja")
    assert not read("24 5月 2022", "lv")
    assert not read("24 5月 2022")
