"""Country names, codes and aliases → Countries."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cached_property

from feeds.cache import Shelf, key
from feeds.catalogue.country_aliases import ALIASES, MEANT
from feeds.catalogue.nearest import CLOSER, Nearest
from feeds.catalogue.reading import Fault
from feeds.model import Country

_CODE = 3
_NOT_A_WORD = re.compile(r"[\W_]+")


class Countries:
    """Finds the Country meant by an English name, a code, an alias or the site's own name.

    `names` maps alpha-2 codes to the names that this publication prefers over
    CLDR's in its language. `shelf` remembers what is made of CLDR's data.
    """

    def __init__(self, language: str, names: Mapping[str, str], shelf: Shelf) -> None:
        name = key(language, repr(names))
        text = shelf.get(name)
        if text is None:
            text = _tables(language, names)
            shelf.put(name, text)
        shown, known = (table.split("\n") for table in text.decode().split("\n\n"))
        self._countries = {
            code: Country(code=code, name=name)
            for code, name in (line.split("\t") for line in shown)
        }
        self._known = dict(line.split("\t") for line in known)

    def code(self, nearest: Nearest) -> Callable[[str], str]:
        """Give what reads a country's name or code as its alpha-2 code, and raises Fault."""

        def find(text: str) -> str:
            text = " ".join(text.split())
            code = self._known.get(text.upper()) or self._known.get(_key(text))
            if code is None:
                hint = self._hint(text, nearest)
                raise Fault(f"no country is called {text!r}{hint}", cause=text)
            return code

        return find

    def _hint(self, text: str, nearest: Nearest) -> str:
        if len(text) <= _CODE:
            return ""
        word = _key(text)
        codes = next((codes for name, codes in MEANT.items() if _key(name) == word), ())
        if codes:
            return f"; did you mean {' or '.join(map(self._with_code, codes))}?"
        return nearest.hint(word, self._shown, CLOSER)

    def _with_code(self, code: str) -> str:
        return f"{self._countries[code].name} ({code})"

    def country(self, code: str) -> Country:
        """Give the Country that has a code."""
        return self._countries[code]

    @cached_property
    def _shown(self) -> dict[str, str]:
        return {
            known: self._with_code(code)
            for known, code in self._known.items()
            if not (known.isascii() and known.isupper())
        }


def country_code(text: str) -> str:
    """Read an ISO 3166-1 code, alpha-2 or alpha-3, as alpha-2."""
    from feeds.catalogue.territories import alpha_3, territories  # noqa: PLC0415  # loads Babel

    english = territories("en")
    code = text if text in english else alpha_3(english).get(text)
    if code is None:
        raise Fault(f"{text!r} is no country's ISO 3166-1 code, such as VN")
    return code


def namesakes(names: Mapping[str, str], language: str) -> dict[str, str]:
    """Give, by alpha-2 code, the other country that has one of a publication's own names.

    The others have that of `names`, or those that CLDR has in English and in a language.
    """
    from feeds.catalogue.territories import territories  # noqa: PLC0415  # loads Babel

    called = {
        _key(name): code
        for table in (territories("en"), territories(language))
        for code, name in table.items()
        if code not in names
    }
    first = {code: called.setdefault(_key(name), code) for code, name in names.items()}
    return {code: other for code, other in first.items() if other != code}


def _tables(language: str, names: Mapping[str, str]) -> bytes:
    """Give the shown name of each code, and the code of each known key and other code, as lines.

    Codes are in upper case, and keys in lower case, so that neither is taken for the other.
    """
    from feeds.catalogue.territories import alpha_3, territories  # noqa: PLC0415  # loads Babel

    english = territories("en")
    local = territories(language)
    known: dict[str, str] = {}
    for table in (english, local, names):
        known |= {_key(name): code for code, name in table.items()}
    for code, aliases in ALIASES.items():
        for alias in aliases:
            known.setdefault(_key(alias), code)
    codes = {code: code for code in english} | alpha_3(english)
    shown = english | local | dict(names)
    lists = ({code: shown[code] for code in english}, known | codes)
    tables = ("\n".join(map("\t".join, table.items())) for table in lists)
    return "\n\n".join(tables).encode()


def _key(name: str) -> str:
    """Fold away what people vary: case, accents, punctuation, “the”, “St.”, “&”."""
    name = unicodedata.normalize("NFKD", name.replace("&", " and ").casefold())
    bare = "".join(c for c in name if not unicodedata.combining(c) and c not in "’'")
    words = _NOT_A_WORD.sub(" ", bare).split()
    return " ".join("saint" if word == "st" else word for word in words if word != "the")
