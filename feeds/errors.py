"""The errors that a user can fix."""

from collections.abc import Iterable
from typing import NamedTuple
from unicodedata import category


def printable(text: str) -> str:
    r"""Return a text with everything escaped that would affect a terminal or end a line of a log.

    That is line ends and other control characters, invisible and bidirectional
    format characters, and bytes of a file name that are not UTF-8. They are
    written as Python writes them, such as `\x1b` or `\u202e`.
    """
    if text.isprintable():
        return text
    # Spaces (Zs) are harmless, though Python calls only ' ' printable.
    return "".join(
        c if c.isprintable() or category(c) == "Zs" else c.encode("unicode_escape").decode()
        for c in text
    )


class FeedsError(Exception):
    """An error the user can fix. The message is one line, shown without a traceback."""

    def __str__(self) -> str:
        return printable(super().__str__())


class UsageError(FeedsError):
    """An error in the arguments of a command, raised before anything is done."""


class MissingCatalogueError(FeedsError):
    """There is no file at a catalogue's path, or no catalogue file in a folder."""


class Problem(NamedTuple):
    """One mistake in a catalogue, and where it is.

    Attributes:
        file: the path of the catalogue's file.
        line: its line, from 1.
        column: its column in characters, from 1.
        path: the key path, such as `entries[3].countries[0]`; empty where the text
            is not valid YAML.
        message: what is wrong, and how to fix it.
        note: True for a remark that does not make the catalogue invalid.
        entry: the id of the entry; empty if there is none.
        cause: the same text for problems with the same cause in several places,
            such as an unknown word; else empty.
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
        """Return `file:line:column: path (entry): message`, which editors and CI can link."""
        parts = [f"{self.file}:{self.line}:{self.column}"]
        parts += ["note"] * self.note
        if self.path:
            parts.append(f"{self.path} ({self.entry})" if self.entry else self.path)
        return printable(": ".join([*parts, self.message]))


class CatalogueError(FeedsError):
    """A catalogue is not valid. `problems` are all its Problems, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))
