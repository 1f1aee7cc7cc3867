"""Suggestions for mistyped words: “did you mean …?”."""

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import SequenceMatcher, get_close_matches

_MAX_WORD_LENGTH = 60
_MAX_CANDIDATES = 5
# Similarity from 0 to 1. Higher than difflib's 0.6: Atlantis is not Albania.
MIN_SIMILARITY = 0.7
# For hundreds of choices: Africa is not America, Europe is not Europe/Rome.
HIGH_SIMILARITY = 0.8
_PART = re.compile(r"[^\W_]+")


class Suggester:
    """Finds the choice that a mistyped word was probably meant to be.

    After `budget` words it finds nothing: a file full of mistakes must not cost minutes.
    """

    def __init__(self, budget: int = 100) -> None:
        self._budget = budget

    def hint(
        self,
        word: str,
        choices: Mapping[str, str] | Iterable[str],
        similarity: float = MIN_SIMILARITY,
        unless: Callable[[str], bool] = lambda _: False,
    ) -> str:
        """Return `; did you mean X?` with the result of `find`, or ''."""
        found = self.find(word, choices, similarity, unless)
        return f"; did you mean {found}?" if found else ""

    def find(
        self,
        word: str,
        choices: Mapping[str, str] | Iterable[str],
        similarity: float = MIN_SIMILARITY,
        unless: Callable[[str], bool] = lambda _: False,
    ) -> str:
        """Return the choice most similar to a word, or ''.

        A mapping of choices has what may be typed as keys, and what to suggest as
        values. Choices for which `unless` returns True are skipped.
        """
        if len(word) > _MAX_WORD_LENGTH or self._budget <= 0:
            return ""
        self._budget -= 1
        shown = choices if isinstance(choices, Mapping) else {choice: choice for choice in choices}
        word = word.casefold()
        folded = {key.casefold(): value for key, value in shown.items()}
        for key in get_close_matches(word, folded, _MAX_CANDIDATES, similarity):
            if not unless(key) and _parts_are_similar(word, key, similarity):
                return folded[key]
        return ""


# For reading that only checks whether there are problems: it must not use up the budget.
SILENT = Suggester(budget=0)


def _parts_are_similar(word: str, key: str, similarity: float) -> bool:
    """Check each part by itself: two names are not similar because both begin with `media/`."""
    pairs = [(word, key)]
    parts, others = _PART.findall(word), _PART.findall(key)
    if len(parts) == len(others):
        pairs = [*zip(parts, others, strict=True)]
    else:
        similarity = max(similarity, HIGH_SIMILARITY)
    return all(SequenceMatcher(None, *pair).ratio() >= similarity for pair in pairs)
