"""The text of a date as words, numbers and signs, each with what it may mean in a language."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import lru_cache
from itertools import islice, product
from typing import Any, NamedTuple

from feeds.catalogue.dates import MONTHS, WEEKDAYS

# A kind, which is one character, and a value. The kinds of words:
#   M month   W weekday   a am or pm   h m s hours, minutes, seconds   z UTC
#   t, w ISO 8601's T and W   o the end of an ordinal number, as in 24th
#   ~ a word that adds nothing to a date, as `of`   ? an unknown word
# The kind of a number is how many digits it has, or 0 for ten and more. The kind of a sign is
# the sign itself, except that all dashes but ASCII's hyphen are –, and unknown signs are !.
Meaning = tuple[str, int]
# The meanings of each known phrase, by its folded words.
Words = Mapping[tuple[str, ...], tuple[Meaning, ...]]

_NO_MEANING = ("~", 0)
_ENGLISH_WORDS = {
    "~": "the of on at",
    "h": "h hr hrs hour hours",
    "m": "m min mins minute minutes",
    "s": "s sec secs second seconds",
    "z": "z utc gmt",
    "o": "st nd rd th er o º ª",
    "t": "t",
    "w": "w",
}
_SIGNS = frozenset(":.,-–/+&()")
_SAME_SIGNS = str.maketrans(
    # ASCII in full width, as it is typed between Chinese or Japanese characters.
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    # Within a word the apostrophe is a letter.
    | dict.fromkeys(map(ord, "'`‘’ʻ"), "ʼ")
    | dict.fromkeys(map(ord, "‐‑‒—―−~∼〜～"), "–")
    | dict.fromkeys(map(ord, "،、፡፣፥⹁"), ",")
    | {ord("°"): "º"}
)
# Neither white space nor digit nor sign. Vowel signs are letters here, as in no class of `re`.
_LETTER = r"[^\s\d!-/:-@\[-`{-~\xa1-\xa9\xab-\xb9\xbb-\xbf\u2000-\u206f\u3000-\u3004\u3008-\u3020]"
# A word includes the dot of an abbreviation.
_TOKEN = re.compile(rf"\d+|{_LETTER}+\.?|.")
_MAX_DIGITS = 9
# More than any date has, however many of its words are ambiguous.
_MAX_INTERPRETATIONS = 64

# In Babel's data for a language.
_SECTIONS = ("months", "days", "eras", "date_formats", "datetime_skeletons")
_NAME_WIDTHS = ("wide", "abbreviated", "short")
_DATE_FORMATS = ("full", "long", "medium")
# The letters in skeletons of patterns for days, and the skeletons of patterns for hours.
_DAY_SKELETON = frozenset("GyMEd")
_HOUR_SKELETONS = ("H", "Hm")
_MAX_NUMBER_WIDTH = 2
_ANNO_DOMINI = 1
# The place of a name in a pattern, and the letters of patterns that have it.
_MONTH, _WEEKDAY = "\ue000", "\ue001"
_NAMES = {"M": _MONTH, "L": _MONTH, "E": _WEEKDAY, "c": _WEEKDAY}
_DIACRITICS = re.compile("[\u0300-\u036f]")
_ENDS = ",.،፣፡፥⹁"


class Tokens(NamedTuple):
    """A text with one meaning for each of its tokens: their kinds, texts and values."""

    kinds: str
    texts: tuple[str, ...]
    values: tuple[int, ...]


def interpretations(text: str, words: Words) -> Iterator[Tokens]:
    """Return the tokens of a text once for each combination of their meanings."""
    tokens = list(_tokens(text, words))
    for meanings in islice(product(*(found for _, found in tokens)), _MAX_INTERPRETATIONS):
        found: list[tuple[str, str, int]] = []
        for (token, _), (kind, value) in zip(tokens, meanings, strict=True):
            # Several spaces, and words that add nothing, count as one.
            if kind in "~ " and found and found[-1][0] in "~ ":
                found.append((max(kind, found.pop()[0]), token, value))
            else:
                found.append((kind, token, value))
        yield Tokens(
            "".join(kind for kind, _, _ in found),
            tuple(text for _, text, _ in found),
            tuple(value for _, _, value in found),
        )


def _split(text: str) -> list[str]:
    """Return the words, numbers, signs and spaces of a text, with equivalent signs replaced."""
    text = text.translate(_SAME_SIGNS)
    if not text.isascii():
        text = "".join(map(_plain, unicodedata.normalize("NFC", text)))
        text = " ".join(text.split())
    return _TOKEN.findall(text)


def _fold(word: str) -> str:
    """Return a word without its case and the dot of an abbreviation."""
    # Case folding leaves a dot of the Turkish İ.
    folded = word.casefold().replace("i\u0307", "i")
    return unicodedata.normalize("NFC", folded).rstrip(".")


def _plain(character: str) -> str:
    """Return a digit of any script in ASCII, and '' for an invisible mark."""
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return "" if unicodedata.category(character) == "Cf" else character


def _tokens(text: str, words: Words) -> Iterator[tuple[str, tuple[Meaning, ...]]]:
    """Yield each token with its meanings; the longest known phrase is one token."""
    parts = _split(text)
    folded = [(place, _fold(part)) for place, part in enumerate(parts) if part != " "]
    longest = max(map(len, words))
    at = 0
    while folded:
        place, _ = folded[0]
        if place > at:
            yield " ", ((" ", 0),)
        for length in range(min(longest, len(folded)), 0, -1):
            meanings = words.get(tuple(word for _, word in folded[:length]))
            if meanings:
                break
        else:
            length, meanings = 1, (_unknown_meaning(parts[place]),)
        at = folded[length - 1][0] + 1
        yield "".join(parts[place:at]), meanings
        del folded[:length]


def _unknown_meaning(part: str) -> Meaning:
    if part.isdecimal():
        return (str(len(part)) if len(part) <= _MAX_DIGITS else "0"), int(part)
    if part[0].isalpha():
        return "?", 0
    return (part if part in _SIGNS else "!"), 0


def _english() -> dict[tuple[str, ...], tuple[Meaning, ...]]:
    names = {
        name: (kind, value)
        for kind, table, first in (("M", MONTHS, 1), ("W", WEEKDAYS, 0))
        for value, full in enumerate(table, first)
        for name in (full, full[:3])
    }
    names |= {"sept": ("M", 9), "tues": ("W", 1), "thur": ("W", 3), "thurs": ("W", 3)}
    names |= {word: (kind, 0) for kind, same in _ENGLISH_WORDS.items() for word in same.split()}
    found: dict[tuple[str, ...], tuple[Meaning, ...]]
    found = {(_fold(name),): (meaning,) for name, meaning in names.items()}
    for letter, value in (("a", 0), ("p", 12)):
        found[letter + "m",] = found[letter, "m"] = (("a", value),)
    return found


ENGLISH: Words = _english()


@lru_cache(maxsize=8)
def words_of(language: str) -> Words:
    """Return the meanings of words in English and, if CLDR has it, in another language."""
    words = dict(ENGLISH)
    for phrase, meaning in _phrases(language):
        key = tuple(_fold(part) for part in _split(phrase.strip(_ENDS)) if part != " ")
        if any(map(str.isalpha, "".join(key))):
            known = words.get(key, ())
            words[key] = known if meaning in known else (*known, meaning)
    return _without_diacritics(words) | words


def _phrases(language: str) -> Iterator[tuple[str, Meaning]]:
    """Yield the words that a language has in dates, and their meanings."""
    # They take longer to load than most catalogues to read.
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415
    from babel.dates import tokenize_pattern  # noqa: PLC0415
    from babel.localedata import LocaleDataDict, load  # noqa: PLC0415

    try:
        loaded = load(str(Locale.parse(language, sep="-")))
    except UnknownLocaleError:
        return
    # Babel writes what it looks up into data that languages share (its issue 1234).
    data = LocaleDataDict(deepcopy({name: loaded[name] for name in _SECTIONS}))
    names = {
        _MONTH: [(name, ("M", month)) for name, month in _named(data["months"])],
        _WEEKDAY: [(name, ("W", day)) for name, day in _named(data["days"])],
    }
    skeletons = data["datetime_skeletons"]
    patterns = [data["date_formats"][name] for name in _DATE_FORMATS]
    patterns += [found for name, found in skeletons.items() if _DAY_SKELETON.issuperset(name)]
    chunks = [_MONTH, _WEEKDAY]
    for pattern in patterns:
        chunks += "".join(map(_pattern_text, tokenize_pattern(pattern.pattern))).split()
    for chunk in chunks:
        field = next((field for field in names if field in chunk), None)
        if field:
            yield from ((chunk.replace(field, name), meaning) for name, meaning in names[field])
        else:
            yield chunk, _NO_MEANING
    for width in ("wide", "abbreviated"):
        yield data["eras"][width][_ANNO_DOMINI], _NO_MEANING
    for skeleton in _HOUR_SKELETONS:
        # The words before a time add nothing; those behind the hours mark them.
        meaning = _NO_MEANING
        pattern = skeletons.get(skeleton)
        for kind, value in tokenize_pattern(pattern.pattern) if pattern else ():
            if kind == "chars":
                yield str(value), meaning
            else:
                meaning = ("h", 0)


def _named(table: Any) -> Iterator[tuple[str, int]]:  # noqa: ANN401  # Babel's data have no types
    for context in table.values():
        for width in _NAME_WIDTHS:
            yield from ((name, number) for number, name in context.get(width, {}).items())


def _pattern_text(token: tuple[str, Any]) -> str:
    """Return a part of a pattern: text as it is, the place of a name, or a space for a number."""
    kind, value = token
    if kind == "chars":
        return str(value)
    letter, width = value
    is_number = letter in "ML" and width <= _MAX_NUMBER_WIDTH
    return " " if is_number else _NAMES.get(letter, " ")


def _without_diacritics(words: Words) -> dict[tuple[str, ...], tuple[Meaning, ...]]:
    """Return names without their diacritics, except where two names become the same."""
    found: dict[tuple[str, ...], set[tuple[Meaning, ...]]] = {}
    for key, meanings in words.items():
        found.setdefault(tuple(map(_bare, key)), set()).add(meanings)
    return {key: meanings for key, (meanings, *others) in found.items() if not others}


def _bare(word: str) -> str:
    letters = unicodedata.normalize("NFD", word.replace("ı", "i"))
    return unicodedata.normalize("NFC", _DIACRITICS.sub("", letters))
