"""What the commands print: results on stdout, messages and a progress bar on stderr."""

import sys
import time
from collections.abc import Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING, Self, TextIO

from feeds.errors import FeedsError, printable

if TYPE_CHECKING:
    from feeds.model import Catalogue

# Shorter work shows no bar.
_DELAY_SECONDS = 1.0
_WIDTH = 30


def counted(things: Collection[object], one: str, many: str) -> str:
    """Return a number of things in words."""
    return f"{len(things)} {one if len(things) == 1 else many}"


def print_result(result: object) -> None:
    """Print a result on stdout; raises FeedsError if it cannot be written."""
    try:
        print(result)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FeedsError(f"the output cannot be written: {error.strerror}") from None


def print_message(text: str) -> None:
    """Print a line on stderr."""
    print(printable(text), file=sys.stderr)


def notes(catalogue: "Catalogue", as_of: datetime) -> list[str]:
    """Return a line for each note, and one for the entries that are held back."""
    from feeds.selection import held_back_summary

    lines = list(map(str, catalogue.notes))
    later = held_back_summary(catalogue, as_of)
    if later:
        count = counted(range(later.entries), "entry", "entries")
        lines.append(f"{count} held back; the next, {later.next!r}, on {later.due}")
    return lines


class Progress:
    """A progress bar on a stream; shown only on a terminal, and only if the work takes long.

    At the end of a `with` statement the bar is erased, and not drawn any more.
    """

    def __init__(
        self, stream: TextIO, *, enabled: bool = True, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._enabled = enabled and stream.isatty()
        self._clock = clock
        self._started = clock()
        self._drawn = False

    def __call__(self, stage: str, part: float) -> None:
        """Show which part of a stage is done, from 0 to 1."""
        if self._enabled and self._clock() - self._started > _DELAY_SECONDS:
            filled = round(part * _WIDTH)
            bar = "#" * filled + "." * (_WIDTH - filled)
            self._stream.write(f"\r[{bar}] {part:4.0%} {stage:<12}")
            self._stream.flush()
            self._drawn = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._enabled = False
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
