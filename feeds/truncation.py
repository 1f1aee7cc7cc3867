"""The beginning of a text that is too long to be shown as a whole."""

from unicodedata import combining

MAX_CHARACTERS = 300
# Farther back, a space leaves too little: the text is then cut within a word.
_NEAR_THE_END = 0.85
# The last one is a word's end in Khmer or Thai, and has no width.
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
    space = max(text.rfind(space, int(limit * _NEAR_THE_END), limit + 1) for space in _SPACES)
    end = space if space > 0 else _end_of_cluster(text, limit)
    return f"{text[:end].rstrip()}…"


def _end_of_cluster(text: str, limit: int) -> int:
    """Return the last place up to a limit where a cluster ends; if none does, the limit."""
    # Loaded for texts that are too long, and have no space where they are cut.
    import regex  # noqa: PLC0415

    beginning = regex.match(r"(\X)*", text, endpos=limit)
    starts = beginning.starts(1) if beginning else []
    # The last cluster may go on behind the limit.
    last = regex.match(r"\X", text, pos=starts[-1]) if starts else None
    ends = [*starts[1:], limit] if last and last.end() <= limit else starts[1:]
    return next((end for end in reversed(ends) if combining(text[end - 1]) != _VIRAMA), limit)
