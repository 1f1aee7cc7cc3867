"""The countries that Babel's CLDR data knows, in each language."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global

# CLDR's two-letter codes that are no countries of ISO 3166-1: reserved ones,
# unions and test locales. Kosovo's XK stays: the code is CLDR's, not ISO's,
# and news is about it.
_NO_COUNTRIES = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split())
_UNIONS = frozenset("EU EZ UN".split())
_ALPHA_2 = re.compile("[A-Z]{2}")
_ALPHA_3 = re.compile("[A-Z]{3}")
# Of the world, and of its parts (UN M49).
_M49 = re.compile("[0-9]{3}")
# Both the name in front and the one in brackets are in use: `Myanmar (Birmanie)`. In
# other names the brackets tell two countries apart: `Saint-Martin (France)`.
_TWO_NAMES = ("CI", "MM", "TL")
_BRACKETS = re.compile(r"(.+?)\s*[(（](.+)[)）].*")
# CLDR displays these as `Hong Kong SAR China`. Babel leaves out CLDR's short
# names, but the city of the time zone has the same one.
_CITIES = {"HK": "Asia/Hong_Kong", "MO": "Asia/Macau"}


@lru_cache(maxsize=2)  # English, and the site's language
def territories(language: str) -> dict[str, str]:
    """Give the countries' names in a language, by alpha-2 code; none in one that is not known."""
    return {
        code: name
        for code, name in _names(language).items()
        if _ALPHA_2.fullmatch(code) and code not in _NO_COUNTRIES
    }


def regions(language: str) -> dict[str, str]:
    """Return the names of the parts of the world and unions in a language, by their codes."""
    return {
        code: name
        for code, name in _names(language).items()
        if _M49.fullmatch(code) or code in _UNIONS
    }


def parts(language: str, countries: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the name of each part of a country that has a code, and the country's code.

    `countries` maps the codes of the parts to those of the countries.
    """
    names = _names(language)
    return ((names[part], code) for part, code in countries.items() if part in names)


def short_names(language: str) -> Iterator[tuple[str, str]]:
    """Yield the usual name, and the alpha-2 code, of countries that CLDR displays with a longer one."""
    names = _names(language)
    for code in _TWO_NAMES:
        if found := _BRACKETS.fullmatch(names.get(code, "")):
            yield from ((name, code) for name in found.groups())
    zones = Locale.parse(language, sep="-").time_zones if names else {}
    for code, zone in _CITIES.items():
        if city := zones.get(zone, {}).get("city"):
            yield city, code


def alpha_3(countries: Mapping[str, str]) -> dict[str, str]:
    """Give the alpha-2 code of each alpha-3 code."""
    return {
        alias: codes[0]
        for alias, codes in get_global("territory_aliases").items()
        if _ALPHA_3.fullmatch(alias) and len(codes) == 1 and codes[0] in countries
    }


def _names(language: str) -> Mapping[str, str]:
    try:
        names: Mapping[str, str] = Locale.parse(language, sep="-").territories
    except UnknownLocaleError:
        return {}
    return names
