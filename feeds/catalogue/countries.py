"""Country names, codes and aliases → Countries."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache, partial

from feeds.catalogue.country_keys import (
    ASK,
    CODE_AND_NAME,
    NOT_A_COUNTRY,
    PART,
    exact_key,
    folded_key,
    without_form,
)
from feeds.catalogue.nearest import CLOSER, Nearest
from feeds.catalogue.reader import Fault
from feeds.model import Country

_ALPHA_2 = 2
_ALPHA_3 = 3
# A word that is in the names of more countries proposes none of them.
_MOST_NAMED = 2
_BRACKETS = re.compile(r"[(（].*?[)）]")


class Countries:
    """Finds the Country meant by an English name, a code, an alias or the site's own name.

    `names` maps alpha-2 codes to the names that this publication prefers over
    CLDR's in its language.
    """

    def __init__(self, language: str, names: Mapping[str, str]) -> None:
        shown, self._known = _tables(language, tuple(names.items()))
        self._countries = {code: Country(code=code, name=name) for code, name in shown.items()}

    def code(self, nearest: Nearest) -> Callable[[str], str]:
        """Give what reads a country's name or code as its alpha-2 code, and raises Fault.

        A code in upper case comes first, then a name as it is displayed or usual,
        then a name that is written differently, and a code in lower case.
        """

        def find(text: str) -> str:
            text = " ".join(text.split())
            meaning = (
                self._known.get(text)
                or self._known.get(exact_key(text))
                or self._known.get(folded := folded_key(text))
                or self._known.get(text.upper())
                or self._known.get(without_form(folded))
            )
            if meaning is None or len(meaning) != _ALPHA_2:
                raise Fault(self._refusal(text, meaning or "", nearest), cause=text)
            return meaning

        return find

    def _refusal(self, text: str, meaning: str, nearest: Nearest) -> str:
        kind, codes = meaning[:1], meaning[1:].split()
        if kind == NOT_A_COUNTRY:
            return f"{text!r} is not a country; name the countries, or use a topic"
        if kind == PART:
            [code] = codes
            whole = self._countries[code].name
            return f"{text!r} is part of {whole} ({code}); write {whole}"
        if kind == CODE_AND_NAME:
            of_code, named = codes
            return (
                f"{text!r} is the code of {self._with_code(of_code)}"
                f" and the name of {self._with_code(named)}; write {of_code} or {named}"
            )
        hint = f"; did you mean {self._either(codes)}?" if codes else self._hint(text, nearest)
        return f"no country is called {text!r}{hint}"

    def _hint(self, text: str, nearest: Nearest) -> str:
        short = len(text) <= _ALPHA_3
        folded = without_form(folded_key(text))
        codes = () if short and text.isascii() else self._named_with.get(folded, ())
        if 0 < len(codes) <= _MOST_NAMED:
            return f"; did you mean {self._either(codes)}?"
        if short:
            return ""
        return nearest.hint(folded, self._shown, CLOSER, partial(_says_less, than=folded))

    def _either(self, codes: Iterable[str]) -> str:
        return " or ".join(map(self._with_code, codes))

    def _with_code(self, code: str) -> str:
        return f"{self._countries[code].name} ({code})"

    def country(self, code: str) -> Country:
        """Give the Country that has a code."""
        return self._countries[code]

    @cached_property
    def _shown(self) -> dict[str, str]:
        """The countries to propose, by folded keys without a form of government."""
        return {
            name: self._either(meaning.strip(ASK).split())
            for name, meaning in self._known.items()
            if (len(meaning) == _ALPHA_2 or meaning.startswith(ASK))
            and name == without_form(folded_key(name))
        }

    @cached_property
    def _named_with(self) -> dict[str, list[str]]:
        """The codes of the countries that have some words in their displayed names.

        What brackets say is another country's name: `Saint-Martin (France)`.
        """
        found: dict[str, list[str]] = {}
        for code, country in self._countries.items():
            words = folded_key(_BRACKETS.sub(" ", country.name)).split()
            ends = range(1, len(words) + 1)
            for phrase in {" ".join(words[start:end]) for end in ends for start in range(end)}:
                found.setdefault(phrase, []).append(code)
        return found


def _says_less(name: str, than: str) -> bool:
    """Return whether a name is a shorter one, of fewer words: Guinea is not Guinea-Bissau."""
    fewer = name.count(" ") < than.count(" ")
    return fewer and len(name.replace(" ", "")) < len(than.replace(" ", ""))


def country_code(text: str) -> str:
    """Read an ISO 3166-1 code, alpha-2 or alpha-3, as alpha-2."""
    from feeds.catalogue.territories import alpha_3, territories  # noqa: PLC0415  # loads Babel

    english = territories("en")
    code = text if text in english else alpha_3(english).get(text)
    if code is None:
        raise Fault(f"{text!r} is no country's ISO 3166-1 code, such as VN")
    return code


def namesakes(names: Mapping[str, str], language: str) -> dict[str, str]:
    """Return, by alpha-2 code, the other country that has one of a publication's own names.

    The others have that of `names`, or those that CLDR has in English and in a
    language. The name that CLDR itself has for a country is never another one's.
    """
    from feeds.catalogue.territories import territories  # noqa: PLC0415  # loads Babel

    tables = territories("en"), territories(language)
    own = {
        code: name
        for code, name in names.items()
        if all(exact_key(name) != exact_key(table.get(code, "")) for table in tables)
    }
    if not own:
        return {}
    called = {
        folded_key(name): code
        for table in tables
        for code, name in table.items()
        if code not in own
    }
    first = {code: called.setdefault(folded_key(name), code) for code, name in own.items()}
    return {code: other for code, other in first.items() if other != code}


@lru_cache(maxsize=4)
def _tables(
    language: str, names: tuple[tuple[str, str], ...]
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the displayed name of each code, and what each name and code means."""
    from feeds.catalogue.country_names import known_names  # noqa: PLC0415  # loads Babel
    from feeds.catalogue.territories import territories  # noqa: PLC0415  # the same

    english = territories("en")
    shown = english | territories(language) | dict(names)
    return {code: shown[code] for code in english}, known_names(language, dict(names))
