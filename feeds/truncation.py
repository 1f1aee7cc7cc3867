"""The beginning of a text that is too long to be shown as a whole."""

from itertools import takewhile
from unicodedata import combining

MAX_CHARACTERS = 300
# The part of the limit that a cut at a space must leave; otherwise the cut is within a word.
_MIN_LENGTH_RATIO = 0.85
# The last one separates words in Khmer and Thai, and has no width.
_SPACES = " \u3000\u200b"
# The combining class of signs that join a letter to the next one, as in Khmer.
_VIRAMA = 9


def truncated(text: str, limit: int = MAX_CHARACTERS) -> str:
    """Return a text, or its beginning of at most `limit` characters and an ellipsis.

    It is cut at a space near the end, where there is one, and else between two
    grapheme clusters (UAX #29): no letter loses its vowel sign, no emoji a part.
    """
    if len(text) <= limit:
        return text
    space = max(text.rfind(space, int(limit * _MIN_LENGTH_RATIO), limit + 1) for space in _SPACES)
    end = space if space > 0 else _end_of_cluster(text, limit)
    return f"{text[:end].rstrip()}…"


def _end_of_cluster(text: str, limit: int) -> int:
    """Return the last place up to a limit where a cluster ends; if none does, the limit."""
    # Loaded for texts that are too long, and have no space where they are cut.
    import regex  # noqa: PLC0415

    clusters = takewhile(lambda found: found.end() <= limit, regex.finditer(r"\X", text))
    ends = [cluster.end() for cluster in clusters]
    return next((end for end in reversed(ends) if combining(text[end - 1]) != _VIRAMA), limit)
