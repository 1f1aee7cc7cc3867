"""The grammar of dates in free text: the meanings of its tokens, and the forms that they may have.

Each part of a text is used, and used only once.
"""

import re
import unicodedata
from collections.abc import Container, Iterator, Mapping
from copy import deepcopy
from functools import lru_cache
from itertools import islice, product
from typing import Any, NamedTuple

from feeds.catalogue.dates import (
    MANY_DAYS,
    MANY_TIMES,
    MONTHS,
    NO_DAY,
    NOT_A_DATE,
    WEEKDAYS,
    unknown_zone,
)

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


# The patterns match the kinds of a Form. Groups of one name are one part, which a date has once.
_BETWEEN = "(?:[ ~]?[.,]?[ ~]?|[-/])"
_DAY = r"(?P<day>[12])\.?o?"
_MONTH_PART = r"(?P<month>M)"
_YEAR = r"(?P<year>4)"
_BY = r"(?P<by>[-/ ~]|\. ?)"
# `+0000 UTC` and `-0300 -03` are what Go writes, `+0200 (CEST)` is RFC 2822.
_OFFSET = (
    r"(?P<offset>[+-](?:[12]:2|[24])|\+1)(?![:\dahms])"
    r"(?: (?P<open>\()?(?P<comment>[z?])(?(open)\))| (?P<again>[+-][24]))?"
)
_ZONE = rf"(?P<place> ?(?P<bracket>\()?(?P<zone>[z?])(?(bracket)\))| ?{_OFFSET})"
# Behind a whole date a time needs no mark: `2022-05-24 15.30`, `24 May 2022 10`.
_BARE = (
    r"(?: ?t ?|[ ~]|, ?(?=[12]\.))(?P<time>(?P<hour>[12])"
    r"(?:(?P<point>[.,])(?P<minute>2)(?![.,:/-]| ?[ah])|(?=$| ?[z?(])))"
)
_DATES = (
    rf"{_DAY}{_BETWEEN}{_MONTH_PART}{_BETWEEN}{_YEAR}",
    rf"{_MONTH_PART}{_BETWEEN}{_DAY}{_BETWEEN}{_YEAR}",
    rf"{_YEAR}{_BETWEEN}{_MONTH_PART}{_BETWEEN}{_DAY}",
    rf"{_YEAR}{_BETWEEN}{_DAY}{_BETWEEN}{_MONTH_PART}",
    rf"{_YEAR}{_BY}(?P<month>[12])(?P=by)(?P<day>[12])",
    rf"(?P<one>[12]){_BY}(?P<other>[12])(?P=by){_YEAR}",
    r"(?P<iso>(?P<year>8|4(?=-w2-1|w3))(?:-w2-1|w3)?)",
)
# A comma and one or two digits would rather be another hour.
_FRACTION = r"(?:(?:\.\d|,[03-9])(?! ?[ah]))"
_COLON = (
    rf"(?P<time>(?P<hour>[12]):(?P<minute>2)(?::(?P<second>2){_FRACTION}?)?"
    r"(?: ?(?:h|(?P<half>a)))?)(?:\.$)?"
)
# The minutes are not followed by what makes a day of them: `15h 24 May 2022`.
_HOURS = (
    r"(?P<time>(?P<hour>[12]) ?h(?: ?(?P<minute>[12])"
    r"(?: ?m(?: ?(?P<second>[12]) ?s)?|(?<=2)(?! ?[-/.oM])))?)"
)
_TIMES = (
    _COLON,
    _HOURS,
    r"(?P<time>(?P<hour>[12])\.(?P<minute>2) ?(?:h|(?P<half>a)))",
    r"(?P<time>(?P<hour>[12]) ?(?P<half>a))",
)
_GAP = "[ ~]?,?[ ~]?"
_PARTS = tuple(
    map(
        re.compile,
        (
            *(rf"{_GAP}(?P<date>{date})\.?~?(?:{_BARE}{_ZONE}?)?" for date in _DATES),
            # The year may come last: `Tue May 24 09:00:00 2022`.
            rf"{_GAP}(?P<date>{_DAY}{_BETWEEN}{_MONTH_PART})~?",
            rf"{_GAP}(?P<date>{_MONTH_PART}{_BETWEEN}{_DAY})~?",
            rf"{_GAP}(?P<date>{_MONTH_PART})",
            rf"{_GAP}{_YEAR}~?",
            rf" (?:[-–] )?{_COLON}{_ZONE}?",
            *(rf"{_GAP}(?:t ?)?{time}{_ZONE}?" for time in _TIMES),
            rf"t(?P<time>(?P<clock>4|6)(?:(?<=6){_FRACTION})?){_ZONE}?",
            rf"{_GAP}\(?(?P<weekday>W)\)?~?",
            # At the end, where the time comes first or is missing. `2022-05-10-12` is two days.
            rf"(?P<place>(?! ?-2(?!:))(?: |(?=\+)|(?<=-2)){_OFFSET}| ?(?P<zone>z))$",
        ),
    )
)

_NO_HOUR = "has minutes or seconds, but no hour; write a time like 10:00"
_ODD_TIME = "has a time that is not understood; write it like 24 May 2022 15:30"

# These match the kinds, too. An unknown word may be `to` or `and` in any language.
_ANY_GAP = r"[ .,/-]*"
_AND = r"\.?(?: ?[-–/,+&] ?| \? )"
_SHORT_YEAR = re.compile(
    rf"(?:[12]o?{_ANY_GAP}M|M{_ANY_GAP}[12]o?|[12](?P<by>[-/.] ?)[12](?=(?P=by)))"
    rf"{_ANY_GAP}\??(?P<year>2)(?![:\d])"
)
_SEVERAL_DAYS = re.compile(
    rf"[12]o?(?:{_AND}| )[12]o?{_ANY_GAP}M|M{_ANY_GAP}[12]o?{_AND}[12]"
    rf"|[12]{_AND}[12]{_ANY_GAP}[12]{_ANY_GAP}4|M.*M"
)
_INCOMPLETE = re.compile(r"(?:[124]|4[-/.]?[12]|[12][-/. ][124]\.?|4-?w2)(?:[ t]+[12](?::.*)?)?")
# D for a date, T for a time, and then the kinds that are not understood.
_MISTAKES = tuple(
    (re.compile(pattern), message)
    for pattern, message in (
        (r"D? ?[12] ?[ms]", _NO_HOUR),
        (r"D 4|D[ t]+[12](?: ?h ?|[?!.:,]{1,2}| )[12](?:[.,]2)?\.?|DT[.,]\d", _ODD_TIME),
        (r"D[ ,]*\? ?[12](?:[.:,h]2| ?[ah])", _ODD_TIME),
        (r"D.*(?:M|4[-/.][12]|[12]([-/.]) ?[12]\1).*", MANY_DAYS),
        (r"DT.*[12].*|D(?: [12]|.*[12](?: ?[:ha]|.*[12])).*", MANY_TIMES),
        (rf"D{_AND}[12].*", MANY_DAYS),
        (".*", NOT_A_DATE),
    )
)
# These match the text.
_NAME_AND_OFFSET = re.compile(
    r"\b(?:[A-Z]{2,5}|(?i:utc|gmt)) ?([+-])(\d\d?)(?::?(\d\d))?(?![\d./-])"
)
_ZONE_KEY = re.compile(r" ([A-Za-z_]+/[A-Za-z][\w/+-]*)$")


class Form(NamedTuple):
    """A text with one meaning for each of its tokens: their kinds, texts and values.

    `parts` are its named parts, each with its first place and the place after its last.
    `end` is the first place that is not understood, or the number of tokens.
    """

    kinds: str
    texts: list[str]
    values: list[int]
    parts: dict[str, tuple[int, int]]
    end: int

    @property
    def rest(self) -> str:
        """The kinds that are not understood."""
        return self.kinds[self.end :]

    def number(self, name: str) -> int:
        """Return the number of a part; 0 if there is none."""
        return self.values[self.parts[name][0]] if name in self.parts else 0

    def text(self, name: str) -> str:
        """Return a part as it is written; '' if there is none."""
        start, end = self.parts.get(name, (0, 0))
        return "".join(self.texts[start:end])


def forms(text: str, words: Words) -> Iterator[Form]:
    """Yield what is understood of a text, for each combination of the meanings of its tokens."""
    tokens = list(_tokens(text, words))
    for meanings in islice(product(*(found for _, found in tokens)), _MAX_INTERPRETATIONS):
        read: list[tuple[str, str, int]] = []
        for (token, _), (kind, value) in zip(tokens, meanings, strict=True):
            # Several spaces, and words that add nothing, count as one.
            if kind in "~ " and read and read[-1][0] in "~ ":
                read.append((max(kind, read.pop()[0]), token, value))
            else:
                read.append((kind, token, value))
        kinds = "".join(kind for kind, _, _ in read)
        parts: dict[str, tuple[int, int]] = {}
        end = 0
        while found := _next_part(kinds, end, parts):
            parts |= {name: found.span(name) for name, text in found.groupdict().items() if text}
            end = found.end()
        yield Form(
            kinds, [token for _, token, _ in read], [value for *_, value in read], parts, end
        )


def _next_part(kinds: str, at: int, known: Container[str]) -> re.Match[str] | None:
    """Return the match of the next part that repeats none of those that are known."""
    for pattern in _PARTS:
        found = pattern.match(kinds, at)
        if found and not any(text and name in known for name, text in found.groupdict().items()):
            return found
    return None


def mistake_in(text: str, form: Form) -> str:
    """Return what is wrong with a text, of which `form` is what is understood."""
    offset = _NAME_AND_OFFSET.search(text)
    if offset and "time" in form.parts:
        hours = f"{offset[2]:0>2}:{offset[3] or '00'}"
        return f"an offset from a named zone is ambiguous; write +{hours} or -{hours} alone"
    zone = _ZONE_KEY.search(text)
    if zone or ("time" in form.parts and re.fullmatch(" ?[mt]", form.rest)):
        return unknown_zone(zone[1] if zone else form.texts[-1])
    # Words that add nothing make no difference here.
    kinds, rest = form.kinds.replace("~", " "), form.rest.replace("~", " ")
    short = _SHORT_YEAR.search(kinds)
    if short and "4" not in kinds:
        year = form.texts[short.start("year")]
        return f"write the year with four digits; {year} is ambiguous"
    if _SEVERAL_DAYS.search(kinds):
        return MANY_DAYS
    if _INCOMPLETE.fullmatch(kinds):
        return NO_DAY
    understood = "D" * ("year" in form.parts) + "T" * ("time" in form.parts)
    return next(message for pattern, message in _MISTAKES if pattern.fullmatch(understood + rest))
