"""The words that dates are written with in each language, from Babel's CLDR data."""

import re
import unicodedata
from collections.abc import Iterator
from copy import deepcopy
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import tokenize_pattern
from babel.localedata import LocaleDataDict, load

from feeds.catalogue.date_words import ENGLISH, Meaning, Words, fold, split

_USED = ("months", "days", "eras", "date_formats", "datetime_skeletons")
_WIDTHS = ("wide", "abbreviated")
_FORMATS = ("full", "long", "medium")
# The skeletons of patterns for days, with or without an era, and for hours.
_OF_DAYS = frozenset("GyMEd")
_OF_HOURS = ("H", "Hm")
_NUMBER = 2
_ANNO_DOMINI = 1
_MONTH, _WEEKDAY = "\ue000", "\ue001"
_NAMES = {"M": _MONTH, "L": _MONTH, "E": _WEEKDAY, "c": _WEEKDAY}
_NOTHING = ("~", 0)
_DIACRITICS = re.compile("[\u0300-\u036f]")
_ENDS = ",.،፣፡፥⹁"


@lru_cache(maxsize=8)
def words_of(language: str) -> Words:
    """Return what words mean in English and in a language; the English ones if it is not known."""
    words = dict(ENGLISH)
    for phrase, meaning in _phrases(_data(language)):
        key = tuple(fold(part) for part in split(phrase.strip(_ENDS)) if part != " ")
        if any(map(str.isalpha, "".join(key))):
            known = words.get(key, ())
            words[key] = known if meaning in known else (*known, meaning)
    return _without_diacritics(words) | words


def _data(language: str) -> Any:  # noqa: ANN401  # Babel's, of no type
    try:
        locale = Locale.parse(language, sep="-")
    except UnknownLocaleError:
        return None
    data = load(str(locale))
    # Babel writes what it looks up into data that languages share (its issue 1234).
    return LocaleDataDict(deepcopy({name: data[name] for name in _USED}))


def _phrases(data: Any) -> Iterator[tuple[str, Meaning]]:  # noqa: ANN401  # Babel's, of no type
    if data is None:
        return
    names = {
        _MONTH: [(name, ("M", month)) for name, month in _named(data["months"])],
        _WEEKDAY: [(name, ("W", day)) for name, day in _named(data["days"])],
    }
    for chunk in _chunks(data):
        field = next((field for field in names if field in chunk), None)
        if field:
            yield from ((chunk.replace(field, name), meaning) for name, meaning in names[field])
        else:
            yield chunk, _NOTHING
    for width in _WIDTHS:
        yield data["eras"][width][_ANNO_DOMINI], _NOTHING
    for skeleton in _OF_HOURS:
        if skeleton in data["datetime_skeletons"]:
            yield from _hours(data["datetime_skeletons"][skeleton].pattern)


def _named(table: Any) -> Iterator[tuple[str, int]]:  # noqa: ANN401  # Babel's, of no type
    for context in table.values():
        for width in (*_WIDTHS, "short"):
            yield from ((name, number) for number, name in context.get(width, {}).items())


def _chunks(data: Any) -> Iterator[str]:  # noqa: ANN401  # Babel's, of no type
    """Return what dates have between their numbers, by words: names as one of their characters."""
    yield from (_MONTH, _WEEKDAY)
    patterns = [data["date_formats"][name] for name in _FORMATS]
    skeletons = data["datetime_skeletons"].items()
    patterns += [pattern for skeleton, pattern in skeletons if _OF_DAYS.issuperset(skeleton)]
    for pattern in patterns:
        yield from "".join(map(_text, tokenize_pattern(pattern.pattern))).split()


def _text(token: tuple[str, Any]) -> str:
    kind, value = token
    if kind == "chars":
        return str(value)
    letter, length = value
    is_number = letter in "ML" and length <= _NUMBER
    return " " if is_number else _NAMES.get(letter, " ")


def _hours(pattern: str) -> Iterator[tuple[str, Meaning]]:
    """Return the words before a time, which add nothing, and those that mark its hours."""
    meaning = _NOTHING
    for kind, value in tokenize_pattern(pattern):
        if kind == "chars":
            yield str(value), meaning
        else:
            meaning = ("h", 0)


def _without_diacritics(words: Words) -> dict[tuple[str, ...], tuple[Meaning, ...]]:
    """Return the names that no other has but for its diacritics."""
    found: dict[tuple[str, ...], set[tuple[Meaning, ...]]] = {}
    for key, meanings in words.items():
        found.setdefault(tuple(map(_bare, key)), set()).add(meanings)
    return {key: meanings for key, (meanings, *others) in found.items() if not others}


def _bare(word: str) -> str:
    letters = unicodedata.normalize("NFD", word.replace("ı", "i"))
    return unicodedata.normalize("NFC", _DIACRITICS.sub("", letters))
