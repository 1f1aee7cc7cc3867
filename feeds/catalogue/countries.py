"""Names and codes of countries as editors write them, read as Countries."""

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from itertools import chain
from typing import Any, NamedTuple

from babel import Locale
from babel.core import get_global

from feeds.catalogue.country_names import (
    cldr_names,
    displayed_names,
    exact_key,
    iso_in_english,
    iso_names,
    territories,
    united_nations,
)
from feeds.catalogue.known_keys import HIGH_SIMILARITY, Suggester
from feeds.catalogue.reader import InvalidValue
from feeds.model import Country

# What a name means is an alpha-2 code, or one of these signs, with codes behind all but the last.
_AMBIGUOUS = "?"  # several countries may be meant, or another one
_CODE_AND_NAME = "="  # the code of the first country and the name of the second
_PART = "<"  # a part of that country
_NOT_A_COUNTRY = "-"

_ALPHA_2_LENGTH = 2
_ALPHA_3_LENGTH = 3
_UNIONS = frozenset("EU EZ UN".split())
# Both the name in front and the one in brackets are in use: `Myanmar (Birmanie)`. In other names
# the brackets distinguish two countries: `Saint-Martin (France)`.
_CODES_WITH_TWO_NAMES = ("CI", "MM", "TL")
_TWO_NAMES = re.compile(r"(.+?)\s*[(（](.+)[)）].*")
_BRACKETS = re.compile(r"[(（].*?[)）]")
# CLDR displays these as `Hong Kong SAR China`. Babel leaves out CLDR's short names, but the city
# of the time zone has the same one.
_TIME_ZONES = {"HK": "Asia/Hong_Kong", "MO": "Asia/Macau"}
# A word that is in the names of more countries suggests none of them.
_MAX_SUGGESTED = 2

# Accents of Latin, Greek and Cyrillic letters, vowel signs of Hebrew and Arabic, and the hamza
# that many leave out. In all other scripts, marks are letters: टोगो is not टोंगा.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u05b0-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670]"
)
_APOSTROPHES = "'’‘ʼʻ`׳"
# `Tanzania, United Republic of`; `Bolivie (État plurinational de)`.
_FORM_BEHIND = re.compile(
    rf"([^,(]+?) ?[,(] ?(.+ (?:of(?: the)?|de|du|des|del|de l[ao]s?|d[{_APOSTROPHES}])) ?\)?",
    re.IGNORECASE,
)
_FULL_WORDS = {"dem": "democratic", "rep": "republic", "st": "saint"}
_FORM = re.compile(
    "(?:(?:(?:arab|bolivarian|co operative|cooperative|democratic|eastern|federal|federated"
    "|federative|former|grand|hashemite|independent|islamic|most|oriental|peoples|plurinational"
    "|serene|socialist|sovereign|united|yugoslav) )*"
    "(?:bailiwick|commonwealth|duchy|emirate|kingdom|principality|republic|states?|sultanate"
    "|territory|union) of )+(?=.)"
)


class Countries:
    """Finds the Country meant by a name in any of the sets, a code, or the site's own name.

    `names` maps alpha-2 codes to the names that this publication prefers over those of
    the set that is `chosen`, in its language.
    """

    def __init__(self, language: str, names: Mapping[str, str], chosen: str = "cldr") -> None:
        shown = displayed_names(chosen, language) | dict(names)
        self._countries = {code: Country(code=code, name=name) for code, name in shown.items()}
        self._naming = _Naming(language, chosen, tuple(names.items()))
        self._displayed = _displayed(self._naming)

    @cached_property
    def _meanings(self) -> Mapping[str, str]:
        # In most catalogues, all names are displayed ones or codes: the others take longer.
        return _meanings(self._naming)

    def country(self, code: str) -> Country:
        """Return the Country with a code."""
        return self._countries[code]

    def code(self, suggester: Suggester) -> Callable[[str], str]:
        """Return the function that reads a country's name or code as its alpha-2 code.

        A code in upper case comes first, then a name as it is displayed or usual, then
        a name that is written differently, and a code in lower case. It raises InvalidValue.
        """

        def find(text: str) -> str:
            text = " ".join(text.split())
            exact = exact_key(text)
            meaning = (
                self._displayed.get(text)
                or self._displayed.get(exact)
                or self._meanings.get(exact)
                or self._meanings.get(folded := _folded_key(text))
                or self._meanings.get(text.upper())
                or self._meanings.get(_without_form(folded))
            )
            if meaning is None or len(meaning) != _ALPHA_2_LENGTH:
                raise InvalidValue(self._refusal(text, meaning or "", suggester), cause=text)
            return meaning

        return find

    def _refusal(self, text: str, meaning: str, suggester: Suggester) -> str:
        kind, codes = meaning[:1], meaning[1:].split()
        if kind == _NOT_A_COUNTRY:
            return f"{text!r} is not a country; name the countries, or use a topic"
        if kind == _PART:
            whole = self._countries[codes[0]].name
            return f"{text!r} is part of {whole} ({codes[0]}); write {whole}"
        if kind == _CODE_AND_NAME:
            of_code, named = codes
            return (
                f"{text!r} is the code of {self._with_code(of_code)}"
                f" and the name of {self._with_code(named)}; write {of_code} or {named}"
            )
        short = len(text) <= _ALPHA_3_LENGTH
        folded = _without_form(_folded_key(text))
        if not codes and not (short and text.isascii()):
            codes = self._codes_by_words.get(folded, [])
        hint = ""
        if meaning or 0 < len(codes) <= _MAX_SUGGESTED:
            hint = f"; did you mean {self._either(codes)}?"
        elif not short:
            # Not computed for a suggester that finds nothing any more.
            names = (name for name in self._suggestions if not _has_fewer_words(name, folded))
            found = suggester.find(folded, names, HIGH_SIMILARITY)
            hint = f"; did you mean {self._suggestions[found]}?" if found else ""
        return f"unknown country {text!r}{hint}"

    def _either(self, codes: Iterable[str]) -> str:
        return " or ".join(map(self._with_code, codes))

    def _with_code(self, code: str) -> str:
        return f"{self._countries[code].name} ({code})"

    @cached_property
    def _suggestions(self) -> dict[str, str]:
        """The countries to suggest, by folded keys without a form of government."""
        return {
            name: self._either(meaning.strip(_AMBIGUOUS).split())
            for name, meaning in self._meanings.items()
            if (len(meaning) == _ALPHA_2_LENGTH or meaning.startswith(_AMBIGUOUS))
            and name == _without_form(_folded_key(name))
        }

    @cached_property
    def _codes_by_words(self) -> dict[str, list[str]]:
        """The codes of the countries that have some words in their displayed names.

        Text in brackets is the name of another country: `Saint-Martin (France)`.
        """
        found: dict[str, list[str]] = {}
        for code, country in self._countries.items():
            words = _folded_key(_BRACKETS.sub(" ", country.name)).split()
            ends = range(1, len(words) + 1)
            for phrase in {" ".join(words[start:end]) for end in ends for start in range(end)}:
                found.setdefault(phrase, []).append(code)
        return found


def country_code(text: str) -> str:
    """Return an ISO 3166-1 code, alpha-2 or alpha-3, as alpha-2."""
    english = territories("en")
    code = text if text in english else _alpha_3_codes().get(text)
    if code is None:
        raise InvalidValue(f"{text!r} is not the ISO 3166-1 code of a country, such as VN")
    return code


def namesakes(names: Mapping[str, str], language: str, chosen: str = "cldr") -> dict[str, str]:
    """Return, by alpha-2 code, the other country that has one of a publication's own names.

    The others have the name in `names`, in the set that is chosen, or in CLDR, in English
    and in a language. The name that a country has there never counts as another one's.
    """
    tables = displayed_names(chosen, language), territories("en"), territories(language)
    own = {
        code: name
        for code, name in names.items()
        if all(exact_key(name) != exact_key(table.get(code, "")) for table in tables)
    }
    if not own:
        return {}
    called = {
        _folded_key(name): code
        for table in tables
        for code, name in table.items()
        if code not in own
    }
    first = {code: called.setdefault(_folded_key(name), code) for code, name in own.items()}
    return {code: other for code, other in first.items() if other != code}


def _alpha_3_codes() -> dict[str, str]:
    """Return the alpha-2 code of each alpha-3 code."""
    english = territories("en")
    return {
        alias: codes[0]
        for alias, codes in get_global("territory_aliases").items()
        if len(alias) == _ALPHA_3_LENGTH and alias.isalpha() and len(codes) == 1
        if codes[0] in english
    }


@cache
def _codes() -> Mapping[str, str]:
    """Return the alpha-2 code of each alpha-2 and alpha-3 code."""
    return {code: code for code in territories("en")} | _alpha_3_codes()


class _Naming(NamedTuple):
    """What decides which names a site displays; `own` are its own ones, by alpha-2 code."""

    language: str
    chosen: str
    own: tuple[tuple[str, str], ...]

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield the site's own names, then those of the set that is chosen."""
        chosen = displayed_names(self.chosen, self.language)
        return chain(_by_code(dict(self.own)), _by_code(chosen))


@lru_cache(maxsize=4)
def _displayed(naming: _Naming) -> Mapping[str, str]:
    """Return what each code means, in upper case, and the exact key of each displayed name."""
    names: dict[str, str] = {}
    for name, code in naming.names():
        names.setdefault(exact_key(name), code)
    return names | {
        text: _code_or_name(code, names.get(text.lower())) for text, code in _codes().items()
    }


@lru_cache(maxsize=4)
def _meanings(naming: _Naming) -> Mapping[str, str]:
    """Return what each known name and code means.

    Codes are in upper case; names are in lower case, as exact keys, and as folded keys
    where these are not the exact key of something else. An exact key that several
    countries have is that of the one whose name the site displays; if it displays none
    of them, it is ambiguous. A folded key that several countries have always is.
    """
    language = naming.language
    displayed = _keyed(naming.names())
    places = _keyed(_places(language))
    usual, ambiguous, others = _in_any_language()
    names = _by_code(territories(language)), _by_code(iso_names(language))
    usual = _keyed(chain(*names, _short_names(language))) + usual
    known = {**_displayed(naming)}
    for exact, _, meaning in chain(ambiguous, places):
        known.setdefault(exact, meaning)
    taken = known.keys() | {folded for _, folded, _ in displayed}
    # In Spanish, `America` is the continent, and not a name of the United States.
    known |= {folded: meaning for _, folded, meaning in places if folded not in taken}
    _add_names(known, ((exact, code) for exact, _, code in usual))
    for exact, _, meaning in others:
        known.setdefault(exact, meaning)
    for _, folded, meaning in ambiguous:
        known.setdefault(folded, meaning)
    _add_names(known, ((folded, code) for _, folded, code in chain(displayed, usual)))
    for _, folded, meaning in others:
        known.setdefault(folded, meaning)
    return known


def _add_names(known: dict[str, str], names: Iterable[tuple[str, str]]) -> None:
    """Add keys of names, each with its country's code; a key of several countries is ambiguous."""
    called: dict[str, dict[str, None]] = {}
    for key, code in names:
        called.setdefault(key, {})[code] = None
    codes = _codes()
    for key, named in called.items():
        meaning = (_AMBIGUOUS if len(named) > 1 else "") + " ".join(named)
        known.setdefault(key, _code_or_name(codes.get(key.upper(), meaning), meaning))


def _code_or_name(code: str, named: str | None) -> str:
    """Return what a country's code means, where it may also be the name of another country."""
    another = named and named != code and len(named) == len(code)
    return f"{_CODE_AND_NAME}{code} {named}" if another else code


# A name's exact key, its folded key, and what it means.
_Keyed = tuple[str, str, str]


def _keyed(names: Iterable[tuple[str, str]]) -> list[_Keyed]:
    # Many names are the same in several sets.
    distinct = dict.fromkeys(names)
    return [(exact_key(name), _folded_key(name), meaning) for name, meaning in distinct]


def _by_code(names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, code) for code, name in names.items())


@cache
def _in_any_language() -> tuple[list[_Keyed], list[_Keyed], list[_Keyed]]:
    """Return other names of countries, ambiguous ones, and those of what is not a country."""
    data = _data()
    names = [*_by_code(territories("en"))]
    names += ((name, code) for code, names in data["names"].items() for name in names)
    names += chain.from_iterable(map(_by_code, united_nations().values()))
    names += ((name, code) for code, *names in iso_in_english() for name in names)
    ambiguous = ((name, _AMBIGUOUS + " ".join(codes)) for name, codes in data["ask"].items())
    others = [(name, _PART + code) for code, names in data["parts"].items() for name in names]
    others += ((name, _NOT_A_COUNTRY) for name in data["not_countries"]["names"])
    others += _places("en")
    return _keyed(names), _keyed(ambiguous), _keyed(others)


def _places(language: str) -> Iterator[tuple[str, str]]:
    """Yield what CLDR names in a language beside countries, and what that means."""
    names = cldr_names(language)
    for part, code in _data()["parts_with_codes"].items():
        if part in names:
            yield names[part], _PART + code
    for code, name in names.items():
        # Numbers are those of the world and of its parts (UN M49).
        if code.isdigit() or code in _UNIONS:
            yield name, _NOT_A_COUNTRY


def _short_names(language: str) -> Iterator[tuple[str, str]]:
    """Yield the usual name, and the alpha-2 code, of countries that CLDR displays with a longer one."""
    names = cldr_names(language)
    for code in _CODES_WITH_TWO_NAMES:
        if found := _TWO_NAMES.fullmatch(names.get(code, "")):
            yield from ((name, code) for name in found.groups())
    zones = Locale.parse(language, sep="-").time_zones if names else {}
    for code, zone in _TIME_ZONES.items():
        if city := zones.get(zone, {}).get("city"):
            yield city, code


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads(files("feeds.catalogue").joinpath("countries.toml").read_text("utf-8"))


def _folded_key(name: str) -> str:
    """Return a name without what people vary: accents, punctuation, “the”, “St.”, “Rep.”, “&”.

    Two countries may have the same folded key.
    """
    name = " ".join(name.split())
    if found := _FORM_BEHIND.fullmatch(name):
        space = "" if found[2].endswith(tuple(_APOSTROPHES)) else " "
        name = found[2] + space + found[1]
    name = unicodedata.normalize("NFKD", name.replace("&", " and ").casefold())
    words = "".join(map(_folded_character, _ACCENTS.sub("", name))).split()
    return " ".join(_FULL_WORDS.get(word, word) for word in words if word != "the")


@cache
def _folded_character(character: str) -> str:
    kind = unicodedata.category(character)
    if character in _APOSTROPHES or kind == "Cf":
        return ""
    if character == "ı":  # the I of Turkish, in lower case
        return "i"
    return character if kind[0] in "LMN" else " "


def _without_form(folded: str) -> str:
    """Return a folded key without the form of government in front: `republic of mali` is Mali."""
    found = _FORM.match(folded)
    return folded[found.end() :] if found else folded


def _has_fewer_words(name: str, than: str) -> bool:
    """Check whether a name is a shorter one, of fewer words: Guinea is not Guinea-Bissau."""
    fewer = name.count(" ") < than.count(" ")
    return fewer and len(name.replace(" ", "")) < len(than.replace(" ", ""))
