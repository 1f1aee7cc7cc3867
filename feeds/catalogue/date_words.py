"""The text of a date → its words, numbers and signs, and what each may mean."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import NamedTuple

from feeds.catalogue.dates import MONTHS

# A kind, which is one character, and a value. The kinds of words:
#   M month   W weekday   a am or pm   h m s hours, minutes, seconds   z UTC
#   t, w ISO 8601's T and W   o the end of an ordinal number, as in 24th
#   ~ a word that adds nothing to a date, as `of`   ? an unknown word
# The kind of a number is how many digits it has, or 0 for ten and more. A sign is its own
# kind, except that all dashes but ASCII's hyphen are –, and unknown signs are !.
Meaning = tuple[str, int]
# What a phrase means, by its folded words.
Words = Mapping[tuple[str, ...], tuple[Meaning, ...]]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

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
# With an abbreviation's dot.
_TOKEN = re.compile(rf"\d+|{_LETTER}+\.?|.")
_MAX_DIGITS = 9
# Far more than any date has, however many of its words are ambiguous.
_MAX_READINGS = 64


class Reading(NamedTuple):
    """A text with one meaning for each of its tokens.

    `shape` has the kinds of the tokens; each item of `texts` and `values` is that
    of the kind at the same place.
    """

    shape: str
    texts: tuple[str, ...]
    values: tuple[int, ...]


def readings(text: str, words: Words) -> Iterator[Reading]:
    """Return a text's readings, one for each combination of meanings."""
    tokens = list(_tokens(text, words))
    for meanings in islice(product(*(found for _, found in tokens)), _MAX_READINGS):
        kinds: list[tuple[str, str, int]] = []
        for (token, _), (kind, value) in zip(tokens, meanings, strict=True):
            # Of spaces and words that add nothing, one is as good as several.
            if kind in "~ " and kinds and kinds[-1][0] in "~ ":
                kinds.append((max(kind, kinds.pop()[0]), token, value))
            else:
                kinds.append((kind, token, value))
        yield Reading(
            "".join(kind for kind, _, _ in kinds),
            tuple(text for _, text, _ in kinds),
            tuple(value for _, _, value in kinds),
        )


def split(text: str) -> list[str]:
    """Return the words, numbers, signs and spaces of a text; those that mean the same look the same."""
    text = text.translate(_SAME_SIGNS)
    if not text.isascii():
        text = "".join(map(_plain, unicodedata.normalize("NFC", text)))
        text = " ".join(text.split())
    return _TOKEN.findall(text)


def fold(word: str) -> str:
    """Return a word without what may vary: its case, and the dot of an abbreviation."""
    # The dot that case folding leaves of the Turkish İ.
    folded = word.casefold().replace("i\u0307", "i")
    return unicodedata.normalize("NFC", folded).rstrip(".")


def _plain(character: str) -> str:
    """Return a digit of any script in ASCII, and nothing for an invisible mark."""
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return "" if unicodedata.category(character) == "Cf" else character


def _tokens(text: str, words: Words) -> Iterator[tuple[str, tuple[Meaning, ...]]]:
    """Return each token with its meanings; the longest phrase that is known is one token."""
    parts = split(text)
    folded = [(place, fold(part)) for place, part in enumerate(parts) if part != " "]
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
            length, meanings = 1, (_meaning(parts[place]),)
        at = folded[length - 1][0] + 1
        yield "".join(parts[place:at]), meanings
        del folded[:length]


def _meaning(part: str) -> Meaning:
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
    for kind, same in {
        "~": "the of on at",
        "h": "h hr hrs hour hours",
        "m": "m min mins minute minutes",
        "s": "s sec secs second seconds",
        "z": "z utc gmt",
        "o": "st nd rd th er o º ª",
        "t": "t",
        "w": "w",
    }.items():
        names |= dict.fromkeys(same.split(), (kind, 0))
    found: dict[tuple[str, ...], tuple[Meaning, ...]]
    found = {(fold(name),): (meaning,) for name, meaning in names.items()}
    for letter, value in (("a", 0), ("p", 12)):
        found[letter + "m",] = found[letter, "m"] = (("a", value),)
    return found


ENGLISH: Words = _english()
