"""Finds what a mistyped word was meant to be: “did you mean …?”."""

import re
from collections.abc import Callable, Iterable, Mapping

_LONGEST = 60
# Closer than difflib's own 0.6: Atlantis is not Albania.
CLOSE = 0.7
# Among hundreds of names: Africa is not America, Europe alone is not Europe/Rome.
CLOSER = 0.8
_PART = re.compile(r"[^\W_]+")


class Nearest:
    """Finds what a mistyped word was meant to be, for as many words as one reads.

    Beyond `budget` words it stays silent: nobody reads the two-hundredth
    suggestion, and a hostile file must not buy minutes with them.
    """

    def __init__(self, budget: int = 100) -> None:
        self._budget = budget

    def hint(
        self,
        word: str,
        choices: Mapping[str, str] | Iterable[str],
        close: float = CLOSE,
        unless: Callable[[str], bool] = lambda _: False,
    ) -> str:
        """Return `; did you mean X?` with what `find` returns, or ''."""
        found = self.find(word, choices, close, unless)
        return f"; did you mean {found}?" if found else ""

    def find(
        self,
        word: str,
        choices: Mapping[str, str] | Iterable[str],
        close: float = CLOSE,
        unless: Callable[[str], bool] = lambda _: False,
    ) -> str:
        """Return what a word was probably meant to be, or ''.

        `choices` maps what might have been typed to what is shown; `close` is how
        alike the two must be, from 0 to 1. Choices for which `unless` returns true
        are never found.
        """
        shown = choices if isinstance(choices, Mapping) else {choice: choice for choice in choices}
        if len(word) > _LONGEST or self._budget <= 0:
            return ""
        self._budget -= 1
        # Loaded for who makes a mistake.
        from difflib import get_close_matches  # noqa: PLC0415

        word = word.casefold()
        folded = {key.casefold(): value for key, value in shown.items()}
        alike = get_close_matches(word, folded, 5, close)
        fitting = (key for key in alike if not unless(key) and _alike_in_parts(word, key, close))
        found = next(fitting, None)
        return folded[found] if found else ""


# What is read only to see whether it is right must not use up the proposals.
SILENT = Nearest(budget=0)


def _alike_in_parts(word: str, key: str, close: float) -> bool:
    """Tell whether two are alike part by part: `media/` in front makes no two names alike."""
    from difflib import SequenceMatcher  # noqa: PLC0415

    pairs = [(word, key)]
    parts, others = _PART.findall(word), _PART.findall(key)
    if len(parts) == len(others):
        pairs = [*zip(parts, others, strict=True)]
    else:
        close = max(close, CLOSER)
    return all(SequenceMatcher(None, *pair).ratio() >= close for pair in pairs)
