"""A bar that shows how far long work has come, on a terminal."""

import time
from collections.abc import Callable
from typing import TextIO

# Who waits less than this is told nothing.
_PATIENCE = 1.0
_WIDTH = 30


class Progress:
    """A bar on a stream; nothing where that is no terminal, or the work is short."""

    def __init__(
        self, stream: TextIO, *, shown: bool = True, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._terminal = shown and stream.isatty()
        self._clock = clock
        self._begun = clock()
        self._shown = False

    def __call__(self, stage: str, part: float) -> None:
        """Show that this part of a stage is done, from 0 to 1."""
        if self._terminal and self._clock() - self._begun > _PATIENCE:
            full = round(part * _WIDTH)
            bar = "#" * full + "." * (_WIDTH - full)
            self._stream.write(f"\r[{bar}] {part:4.0%} {stage:<12}")
            self._stream.flush()
            self._shown = True

    def end(self) -> None:
        """Wipe the bar away."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
