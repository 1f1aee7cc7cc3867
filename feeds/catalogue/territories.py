"""The countries that Babel's CLDR data knows, in each language."""

import re
from collections.abc import Mapping

from babel import Locale, UnknownLocaleError
from babel.core import get_global

# CLDR's two-letter codes that are no countries of ISO 3166-1: reserved ones,
# unions and test locales. Kosovo's XK stays: the code is CLDR's, not ISO's,
# and news is about it.
_NO_COUNTRIES = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split())
_ALPHA_2 = re.compile("[A-Z]{2}")
_ALPHA_3 = re.compile("[A-Z]{3}")


def territories(language: str) -> dict[str, str]:
    """Give the countries' names in a language, by alpha-2 code; none in one that is not known."""
    try:
        names = Locale.parse(language, sep="-").territories
    except UnknownLocaleError:
        return {}
    return {
        code: name
        for code, name in names.items()
        if _ALPHA_2.fullmatch(code) and code not in _NO_COUNTRIES
    }


def alpha_3(countries: Mapping[str, str]) -> dict[str, str]:
    """Give the alpha-2 code of each alpha-3 code."""
    return {
        alias: codes[0]
        for alias, codes in get_global("territory_aliases").items()
        if _ALPHA_3.fullmatch(alias) and len(codes) == 1 and codes[0] in countries
    }
