"""What can go wrong for a user, as types."""

import re
from collections.abc import Iterable
from typing import NamedTuple

# No other space is printable to Python, but these do no harm.
_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_UNPRINTABLE = re.compile(rf"[^{_SPACES}]")


def printable(text: str) -> str:
    r"""Return a text for a line of a terminal or a log: what would act on it is escaped.

    That is line ends and other controls, invisible and bidirectional format
    characters, and bytes of a file name that are not UTF-8; written as Python
    writes them, such as `\x1b` or `\u202e`.
    """
    return text if text.isprintable() else _UNPRINTABLE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return character if character.isprintable() else character.encode("unicode_escape").decode()


class FeedsError(Exception):
    """An error the user can fix: its text, which is one line, is shown without a traceback."""

    def __str__(self) -> str:
        return printable(super().__str__())


class UsageError(FeedsError):
    """An error in the arguments of a command, before anything is done."""


class MissingCatalogueError(FeedsError):
    """There is no file at a catalogue's path, or no catalogue file in a folder."""


class Problem(NamedTuple):
    """One thing wrong in a catalogue, at its place.

    `line` and `column` count characters from 1. `path` is the key path, such
    as `entries[3].countries[0]`; it is empty where the text is no YAML at all.
    A `note` is worth an editor's look, but keeps no catalogue from being valid.
    `entry` is the id of the entry that has it, empty if there is none. `cause` is
    the same for problems that one mistake causes in several places, such as an
    unknown word; empty for any other.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    note: bool = False
    entry: str = ""
    cause: str = ""

    def __str__(self) -> str:
        """Return `file:line:column: path (entry): message`, which editors and CI can click."""
        parts = [f"{self.file}:{self.line}:{self.column}"]
        parts += ["note"] * self.note
        if self.path:
            parts.append(f"{self.path} ({self.entry})" if self.entry else self.path)
        return printable(": ".join([*parts, self.message]))


class CatalogueError(FeedsError):
    """Everything that is wrong in a catalogue, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))
