"""Finds what a mistyped word was meant to be: “did you mean …?”."""

from collections.abc import Iterable, Mapping

_LONGEST = 60
# Closer than difflib's own 0.6: Atlantis is not Albania.
_CLOSE = 0.7


class Nearest:
    """Finds what a mistyped word was meant to be, for as many words as one reads.

    Beyond `budget` words it stays silent: nobody reads the two-hundredth
    suggestion, and a hostile file must not buy minutes with them.
    """

    def __init__(self, budget: int = 100) -> None:
        self._budget = budget

    def hint(self, word: str, choices: Mapping[str, str] | Iterable[str]) -> str:
        """Give `; did you mean X?` or nothing.

        `choices` maps what might have been typed to what should be shown.
        """
        shown = choices if isinstance(choices, Mapping) else {choice: choice for choice in choices}
        if len(word) > _LONGEST or self._budget <= 0:
            return ""
        self._budget -= 1
        # Loaded for who makes a mistake.
        from difflib import get_close_matches  # noqa: PLC0415

        close = get_close_matches(word.casefold(), [key.casefold() for key in shown], 1, _CLOSE)
        folded = {key.casefold(): value for key, value in shown.items()}
        return f"; did you mean {folded[close[0]]}?" if close else ""
