"""The words, names, dates and writing direction of a language."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from functools import lru_cache, partial
from importlib.resources import files
from types import SimpleNamespace
from typing import Literal, NamedTuple
from unicodedata import bidirectional

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, get_datetime_format
from babel.lists import format_list
from babel.numbers import format_decimal
from babel.units import format_unit

_ENGLISH = "en"
# The blocks of Hebrew, Arabic, Syriac, Thaana, N'Ko, Adlam and similar scripts.
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
# Babel knows the direction of languages, and not of all that are written in several scripts.
_DIRECTIONS = {
    **dict.fromkeys("adlm arab hebr mand mend nkoo rohg syrc thaa".split(), "rtl"),
    **dict.fromkeys("cyrl deva grek hans hant latn".split(), "ltr"),
}
_SCRIPT_LENGTH = 4
# Units of CLDR, and the bytes of each.
_UNITS = (("digital-megabyte", 1_000_000), ("digital-kilobyte", 1000), ("digital-byte", 1))
# Of a unit; fewer have a digit after the point.
_MIN_WITHOUT_FRACTION = 10
_STRONG = {"L": "ltr", "R": "rtl", "AL": "rtl"}


class Period(NamedTuple):
    """A year, a month of it, or a part of either, counted from its oldest entry; 0 means none.

    Without a year it is the page of the newest entries.
    """

    year: int = 0
    month: int = 0
    part: int = 0


class Language:
    """The words, names and numbers of a language (BCP 47), and its writing direction.

    `words` has those of `translations.toml` as attributes, because a template would
    take `words.items` of a mapping for its method. `open_graph` is the locale as
    Open Graph names it, such as `en_GB`; empty without a territory.
    """

    def __init__(self, tag: str) -> None:
        self._locale = locale = _locale(tag)
        self.words = SimpleNamespace(**_words(tag, locale))
        self.direction = _direction_of_script(tag) or locale.text_direction
        self.open_graph = f"{locale.language}_{locale.territory}" if locale.territory else ""

    def number(self, number: int) -> str:
        """Return a number with the language's separators."""
        return format_decimal(number, locale=self._locale)

    def size(self, length: int) -> str:
        """Return a number of bytes as people read it, such as `1.2 MB`."""
        unit, power = next(pair for pair in _UNITS if length >= pair[1] or pair[1] == 1)
        amount = length / power
        digits = 0 if power == 1 or amount >= _MIN_WITHOUT_FRACTION else 1
        pattern = "#,##0.#" if digits else "#,##0"
        # In English, the short form of bytes has no plural.
        width: Literal["long", "short"] = "long" if power == 1 else "short"
        return format_unit(round(amount, digits), unit, width, pattern, self._locale)

    def name_of(self, language: str) -> str:
        """Return the name of a language; its tag if it has no name here."""
        try:
            name = Locale.parse(language, sep="-").get_display_name(self._locale)
        except (UnknownLocaleError, ValueError):
            name = self._locale.languages.get(language.partition("-")[0])
        return name or language

    def joined(self, names: Sequence[str]) -> str:
        """Return names as one text, such as `A, B and C`."""
        return format_list(names, locale=self._locale)


def in_all_languages(word: str) -> frozenset[str]:
    """Return the texts that one of the words of `translations.toml` has in any language."""
    return frozenset(words[word] for words in _translations().values() if word in words)


@lru_cache(maxsize=100)
def language_of(tag: str) -> Language:
    """Return what is known of a language."""
    return Language(tag)


class I18n(Language):
    """A language, and the dates of a time zone in it."""

    def __init__(self, tag: str, zone: tzinfo) -> None:
        super().__init__(tag)
        self._zone = zone
        locale = self._locale
        # How Babel puts a date and a time together: '{1}, {0}'.
        pattern = get_datetime_format("long", locale=locale)
        self._date_and_time = str(pattern).replace("'", "")
        # Formatting is slow, and entries share days and times.
        self._day = lru_cache(maxsize=10_000)(partial(format_date, format="long", locale=locale))
        self._time = lru_cache(maxsize=24 * 60)(partial(format_time, format="short", locale=locale))
        self.period = lru_cache(maxsize=10_000)(self._format_period)

    def day(self, moment: datetime) -> str:
        """Return the day of a moment in the site's zone."""
        return self._day(moment.astimezone(self._zone).date())

    def moment(self, moment: datetime, *, timed: bool) -> str:
        """Return the day of a moment, followed by the time of day if it is `timed`."""
        local = moment.astimezone(self._zone)
        day = self._day(local.date())
        if not timed:
            return day
        return self._date_and_time.format(self._time(time(local.hour, local.minute)), day)

    def month_of(self, moment: datetime) -> Period:
        """Return the month of a moment in the site's zone."""
        local = moment.astimezone(self._zone)
        return Period(local.year, local.month)

    def _format_period(self, period: Period) -> str:
        """Return the name of a year or a month, or of a numbered part of it."""
        day = date(period.year, period.month or 1, 1)
        skeleton = "yMMMM" if period.month else "y"
        name = format_skeleton(skeleton, day, locale=self._locale)
        return f"{name} · {period.part}" if period.part else name


def _words(language: str, locale: Locale) -> Mapping[str, str]:
    """Return the words of the nearest language that has them, the others in English.

    A territory may use another script than the language does: as Taiwan does.
    """
    known = _translations()
    found = dict(known[_ENGLISH])
    parts = language.split("-")
    tags = ["-".join(parts[: length + 1]) for length in range(len(parts))]
    for tag in (tags[0], f"{locale.language}-{locale.script}", *tags[1:]):
        found |= known.get(tag, {})
    return found


@lru_cache(maxsize=1)
def _translations() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(files("feeds").joinpath("translations.toml").read_text("utf-8"))


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale(_ENGLISH)


def _direction_of_script(tag: str) -> str:
    """Return the direction of the script that a language tag names; '' if it names none."""
    scripts = [part for part in tag.lower().split("-")[1:] if len(part) == _SCRIPT_LENGTH]
    return _DIRECTIONS.get(scripts[0], "") if scripts else ""


def direction_of(text: str, default: str) -> str:
    """Return 'ltr' or 'rtl', the direction of most words of a text; if it has none, the default.

    The first word alone does not decide: an Arabic title may begin with "UNICEF".
    """
    if default == "ltr" and (text.isascii() or not _RIGHT_TO_LEFT.search(text)):
        return default
    words = [found for word in text.split() if (found := _direction_of_word(word))]
    balance = words.count("rtl") * 2 - len(words)
    if balance == 0:
        return words[0] if words else default
    return "rtl" if balance > 0 else "ltr"


def _direction_of_word(word: str) -> str:
    classes = map(bidirectional, word)
    return next((_STRONG[found] for found in classes if found in _STRONG), "")
