"""The site's language → the few words and the dates of its pages."""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from importlib.resources import files
from types import SimpleNamespace

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, get_datetime_format
from babel.numbers import format_decimal

from feeds.pages.archive import Period

_ENGLISH = "en"


class Wording:
    """How the pages of a site speak, in a language (BCP 47) and a time zone.

    `words` are those of `translations.toml`, by their names.
    """

    def __init__(self, language: str, zone: tzinfo) -> None:
        self._zone = zone
        self._locale = _locale(language)
        self._months: dict[Period, str] = {}
        self._days: dict[date, str] = {}
        self._times: dict[tuple[int, int], str] = {}
        # As Babel puts a date and a time together: '{1}, {0}'.
        pattern = get_datetime_format("long", locale=self._locale)
        self._date_and_time = str(pattern).replace("'", "")
        # As attributes: a template would take `words.items` of a mapping for its method.
        self.words = SimpleNamespace(**_words(language, self._locale))
        self.direction = self._locale.text_direction
        territory = self._locale.territory
        # As Open Graph names it: language_TERRITORY.
        self.open_graph = f"{self._locale.language}_{territory}" if territory else ""

    def day(self, moment: datetime) -> str:
        """Return the day of a moment, as people read it."""
        day = self._local(moment)
        if day not in self._days:
            self._days[day] = format_date(day, "long", locale=self._locale)
        return self._days[day]

    def moment(self, moment: datetime, *, timed: bool) -> str:
        """Return the day of a moment, with its time of day in the site's zone if it is `timed`."""
        day = self.day(moment)
        if not timed:
            return day
        local = moment.astimezone(self._zone)
        time = (local.hour, local.minute)
        if time not in self._times:
            self._times[time] = format_time(local.time(), "short", locale=self._locale)
        return self._date_and_time.format(self._times[time], day)

    def more(self, count: int) -> str:
        """Return that there are so many more."""
        more: str = self.words.more
        return more.format(count=self.number(count))

    def number(self, number: int) -> str:
        """Return a number, as people read it."""
        return format_decimal(number, locale=self._locale)

    def month_of(self, moment: datetime) -> Period:
        """Return the month of a moment."""
        day = self._local(moment)
        return Period(day.year, day.month)

    def period(self, period: Period) -> str:
        """Return the name of a year, of a month, or of a numbered part of one."""
        if period not in self._months:
            self._months[period] = self._name(period)
        return self._months[period]

    def _name(self, period: Period) -> str:
        day = date(period.year, period.month or 1, 1)
        skeleton = "yMMMM" if period.month else "y"
        name = format_skeleton(skeleton, day, locale=self._locale)
        return f"{name} · {period.part}" if period.part else name

    def _local(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()


def _words(language: str, locale: Locale) -> Mapping[str, str]:
    """Return the words of the nearest language that has them, the others in English.

    A territory may write in another script than others: as Taiwan does.
    """
    text = files("feeds.pages").joinpath("translations.toml").read_text("utf-8")
    known: Mapping[str, Mapping[str, str]] = tomllib.loads(text)
    found = dict(known[_ENGLISH])
    parts = language.split("-")
    tags = ["-".join(parts[: length + 1]) for length in range(len(parts))]
    for tag in (tags[0], f"{locale.language}-{locale.script}", *tags[1:]):
        found |= known.get(tag, {})
    return found


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except UnknownLocaleError:
        return Locale(_ENGLISH)
