"""What a country may be called, and what else is written for one."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any

from feeds.catalogue.country_keys import (
    ASK,
    CODE_AND_NAME,
    NOT_A_COUNTRY,
    PART,
    exact_key,
    folded_key,
)
from feeds.catalogue.territories import alpha_3, parts, regions, short_names, territories


def known_names(language: str, own: Mapping[str, str]) -> dict[str, str]:
    """Return what each known name and code means.

    `own` are the names that the site prefers, by alpha-2 code. Codes are in upper
    case; names are in lower case, as exact keys, and as folded keys where these
    are not the exact key of something else. An exact key that two countries have
    is that of the one whose name the site displays. A folded key that two
    countries have belongs to neither.
    """
    displayed = _keyed([*_by_code(own), *_by_code(territories(language))])
    places = _keyed(_places(language))
    usual, doubtful, others = _in_any_language()
    usual = _keyed(short_names(language)) + usual
    known: dict[str, str] = {}
    for exact, _, meaning in chain(displayed, doubtful, places):
        known.setdefault(exact, meaning)
    taken = known.keys() | {folded for _, folded, _ in displayed}
    # In Spanish, `America` is the continent, and not a name of the United States.
    known |= {folded: meaning for _, folded, meaning in places if folded not in taken}
    for exact, _, meaning in chain(usual, others):
        known.setdefault(exact, meaning)

    english = territories("en")
    codes = {code: code for code in english} | alpha_3(english)
    known |= {text: _code_or_name(code, known.get(text.lower())) for text, code in codes.items()}
    called: dict[str, list[str]] = {}
    for _, folded, code in chain(displayed, usual):
        called.setdefault(folded, []).append(code)
    for folded, named in called.items():
        meaning, *more = dict.fromkeys(named)
        if more:
            known.setdefault(folded, ASK + " ".join((meaning, *more)))
        known.setdefault(folded, _code_or_name(codes.get(folded.upper(), meaning), meaning))
    for _, folded, meaning in chain(doubtful, others):
        known.setdefault(folded, meaning)
    return known


def _code_or_name(code: str, named: str | None) -> str:
    """Return what a country's code means, where it may also be the name of another country."""
    another = named and named != code and len(named) == len(code)
    return f"{CODE_AND_NAME}{code} {named}" if another else code


# A name's exact key, its folded key, and what it means.
_Keyed = tuple[str, str, str]


def _keyed(names: Iterable[tuple[str, str]]) -> list[_Keyed]:
    return [(exact_key(name), folded_key(name), meaning) for name, meaning in names]


def _by_code(names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, code) for code, name in names.items())


@cache
def _in_any_language() -> tuple[list[_Keyed], list[_Keyed], list[_Keyed]]:
    """Return other names of countries, doubtful ones, and those of what is not a country."""
    data = _data()
    names = [*_by_code(territories("en"))]
    names += ((name, code) for code, names in data["names"].items() for name in names)
    names += chain.from_iterable(map(_by_code, data["united_nations"].values()))
    doubtful = ((name, ASK + " ".join(codes)) for name, codes in data["ask"].items())
    others = [(name, PART + code) for code, names in data["parts"].items() for name in names]
    others += ((name, NOT_A_COUNTRY) for name in data["not_countries"]["names"])
    others += _places("en")
    return _keyed(names), _keyed(doubtful), _keyed(others)


def _places(language: str) -> Iterator[tuple[str, str]]:
    """Yield what CLDR names in a language beside countries, and what that means."""
    for name, code in parts(language, _data()["parts_with_codes"]):
        yield name, PART + code
    for name in regions(language).values():
        yield name, NOT_A_COUNTRY


@cache
def _data() -> Mapping[str, Any]:
    text = files("feeds.catalogue").joinpath("countries.toml").read_text("utf-8")
    return tomllib.loads(text)
