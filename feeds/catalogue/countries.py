"""Country names, codes and aliases, through Babel's CLDR data → Countries."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cached_property

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from feeds.catalogue.country_aliases import ALIASES
from feeds.catalogue.nearest import Nearest
from feeds.catalogue.reading import Fault
from feeds.model import Country

# CLDR's two-letter codes that are no countries of ISO 3166-1: reserved ones,
# unions and test locales. Kosovo's XK stays: the code is CLDR's, not ISO's,
# and news is about it.
_NO_COUNTRIES = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split())
_ALPHA_2 = re.compile("[A-Z]{2}")
_ALPHA_3 = re.compile("[A-Z]{3}")
_CODE = 3
_NOT_A_WORD = re.compile(r"[\W_]+")


class Countries:
    """Finds the Country meant by an English name, a code, an alias or the site's own name.

    `names` maps alpha-2 codes to the names that this publication prefers over
    CLDR's in its language.
    """

    def __init__(self, language: str, names: Mapping[str, str], nearest: Nearest) -> None:
        english = _territories("en")
        shown = english | _territories(language) | dict(names)
        self._countries = {code: Country(code=code, name=shown[code]) for code in english}
        self._nearest = nearest
        self._codes = {code: code for code in english} | _alpha_3(english)
        self._known: dict[str, str] = {}
        for table in (english, _territories(language), names):
            self._known |= {_key(name): code for code, name in table.items()}
        for code, aliases in ALIASES.items():
            for alias in aliases:
                self._known.setdefault(_key(alias), code)

    @cached_property
    def _shown(self) -> dict[str, str]:
        return {key: f"{self._countries[code].name} ({code})" for key, code in self._known.items()}

    def find(self, text: str) -> Country:
        """Give the Country that a text names; raises Fault, with “did you mean”."""
        text = " ".join(text.split())
        code = self._codes.get(text.upper()) or self._known.get(_key(text))
        if code is None:
            hint = self._nearest.hint(_key(text), self._shown) if len(text) > _CODE else ""
            raise Fault(f"no country is called {text!r}{hint}")
        return self._countries[code]


def country_code(text: str) -> str:
    """Read an ISO 3166-1 code, alpha-2 or alpha-3, as alpha-2."""
    english = _territories("en")
    code = text if text in english else _alpha_3(english).get(text)
    if code is None:
        raise Fault(f"{text!r} is no country's ISO 3166-1 code, such as VN")
    return code


def _territories(language: str) -> dict[str, str]:
    try:
        names = Locale.parse(language, sep="-").territories
    except UnknownLocaleError:
        return {}
    return {
        code: name
        for code, name in names.items()
        if _ALPHA_2.fullmatch(code) and code not in _NO_COUNTRIES
    }


def _alpha_3(countries: Mapping[str, str]) -> dict[str, str]:
    return {
        alias: codes[0]
        for alias, codes in get_global("territory_aliases").items()
        if _ALPHA_3.fullmatch(alias) and len(codes) == 1 and codes[0] in countries
    }


def _key(name: str) -> str:
    """Fold away what people vary: case, accents, punctuation, “the”, “St.”, “&”."""
    name = unicodedata.normalize("NFKD", name.replace("&", " and ").casefold())
    bare = "".join(c for c in name if not unicodedata.combining(c) and c not in "’'")
    words = _NOT_A_WORD.sub(" ", bare).split()
    return " ".join("saint" if word == "st" else word for word in words if word != "the")
