"""A command's parser: what is wrong with its arguments is told with its own usage, and a proposal."""

import re
from argparse import ArgumentParser, HelpFormatter, Namespace
from collections.abc import Iterable, Sequence
from functools import partial
from typing import NoReturn

from feeds.errors import printable

_OPTION = re.compile(r"--\S+|-[A-Za-z]\S*")
# A terminal's width is asked for with each argument, by a module that is slow to load.
_Help = partial(HelpFormatter, width=80)


class Parser(ArgumentParser):
    """Parses the arguments of a command, of which each name has to be given in full."""

    def __init__(self, prog: str, *, description: str, epilog: str = "") -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            allow_abbrev=False,
            formatter_class=_Help,
        )

    def parse(self, arguments: Sequence[str]) -> Namespace:
        """Return the arguments; raises SystemExit where they are wrong.

        An unknown option is told first: with it, others may only seem to be missing.
        """
        known = [name for action in self._actions for name in action.option_strings]
        for argument in arguments:
            if argument == "--":
                break
            name = argument.partition("=")[0]
            if _OPTION.fullmatch(name) and name not in known:
                self.error(f"unknown option {name!r}{meant(name, known)}")
        return self.parse_args(arguments)

    def error(self, message: str) -> NoReturn:
        """Print the usage and a message, and end with exit code 2."""
        super().error(printable(message))


def meant(word: str, choices: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` with what was probably meant, or ''."""
    # Loaded for who makes a mistake.
    from difflib import get_close_matches

    found = get_close_matches(word, [*choices], 1)
    return f"; did you mean {found[0]!r}?" if found else ""
