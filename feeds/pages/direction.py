"""Texts → the direction in which they run, from their letters."""

import re
from unicodedata import bidirectional

# The blocks of Hebrew, Arabic, Syriac, Thaana, N'Ko, Adlam and others like these.
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_STRONG = {"L": "ltr", "R": "rtl", "AL": "rtl"}


def direction_of(text: str, default: str) -> str:
    """Return 'ltr' or 'rtl': the direction of most words of a text, or the default if it has none.

    Most, and not the first: an Arabic title may begin with "UNICEF".
    """
    if default == "ltr" and (text.isascii() or not _RIGHT_TO_LEFT.search(text)):
        return default
    words = [found for word in text.split() if (found := _of_word(word))]
    balance = words.count("rtl") * 2 - len(words)
    if balance == 0:
        return words[0] if words else default
    return "rtl" if balance > 0 else "ltr"


def _of_word(word: str) -> str:
    classes = map(bidirectional, word)
    return next((_STRONG[found] for found in classes if found in _STRONG), "")
