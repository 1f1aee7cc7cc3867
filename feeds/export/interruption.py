"""Ctrl-C ends what an export does, and never the way back."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType


@contextmanager
def interrupted_once() -> Iterator[Callable[[], object]]:
    """Let the first ctrl-C interrupt, and no other after it, until this is left.

    Gives what lets none interrupt from now on. Nothing is changed where ctrl-C
    means something else to the program, or comes to another thread.
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or current_thread() is not main_thread():
        yield lambda: None
        return

    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def interrupt(number: int, frame: FrameType | None) -> None:
        # Not later: the next one may have come before anybody handles this one.
        ignore()
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield ignore
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
