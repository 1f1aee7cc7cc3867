"""A country’s name, written in any usual way → the keys by which it is found."""

import re
import unicodedata
from functools import cache

# What a name means: an alpha-2 code, or one of these, for all but the last with codes behind it.
ASK = "?"  # several countries may be meant, or another one
CODE_AND_NAME = "="  # it is the code of the first country and the name of the second
PART = "<"  # it is a part of that country
NOT_A_COUNTRY = "-"

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
_WORDS = {"dem": "democratic", "rep": "republic", "st": "saint"}
_FORM = re.compile(
    "(?:(?:(?:arab|bolivarian|co operative|cooperative|democratic|eastern|federal|federated"
    "|federative|former|grand|hashemite|independent|islamic|most|oriental|peoples|plurinational"
    "|serene|socialist|sovereign|united|yugoslav) )*"
    "(?:bailiwick|commonwealth|duchy|emirate|kingdom|principality|republic|states?|sultanate"
    "|territory|union) of )+(?=.)"
)


def exact_key(name: str) -> str:
    """Return the same for a name in upper and lower case, and for each way to encode it."""
    return unicodedata.normalize("NFC", " ".join(name.split())).casefold()


def folded_key(name: str) -> str:
    """Return a name without what people vary: accents, punctuation, “the”, “St.”, “Rep.”, “&”.

    Two countries may have the same folded key.
    """
    name = " ".join(name.split())
    if found := _FORM_BEHIND.fullmatch(name):
        space = "" if found[2].endswith(tuple(_APOSTROPHES)) else " "
        name = found[2] + space + found[1]
    name = unicodedata.normalize("NFKD", name.replace("&", " and ").casefold())
    words = "".join(map(_folded, _ACCENTS.sub("", name))).split()
    return " ".join(_WORDS.get(word, word) for word in words if word != "the")


def without_form(folded: str) -> str:
    """Return a folded key without the form of government in front: `republic of mali` is Mali."""
    found = _FORM.match(folded)
    return folded[found.end() :] if found else folded


@cache
def _folded(character: str) -> str:
    kind = unicodedata.category(character)
    if character in _APOSTROPHES or kind == "Cf":
        return ""
    if character == "ı":  # the I of Turkish, in lower case
        return "i"
    return character if kind[0] in "LMN" else " "
