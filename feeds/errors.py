"""What can go wrong for a user, as types."""

from collections.abc import Iterable
from typing import NamedTuple


class FeedsError(Exception):
    """A mistake that the user can mend: its text is all there is to show."""


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
        return ": ".join([*parts, self.message])


class CatalogueError(FeedsError):
    """Everything that is wrong in a catalogue, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
