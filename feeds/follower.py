"""Follows a builder: a process of its own that builds releases, and hands over what has changed.

In one process Python runs one thread at a time, and requests would wait while a
large catalogue is read.
"""

import gc
import logging
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing import Pipe
from pathlib import Path
from typing import NamedTuple

from feeds.logs import tell
from feeds.model import Document
from feeds.release import Release
from feeds.standing import Failure

# What a builder is told.
WAKE = b"wake"
TAKEN = b"taken"
# In seconds: a builder that ends at once must not be started again and again.
_RESTART = 1.0


class News(NamedTuple):
    """What a builder hands over: how it stands, and what is another document than before.

    `release` comes without documents; `changed` are those, by path, that it has
    beside those of the release before, but for the paths that are `gone`. It has
    these alone where `whole`.
    """

    release: Release | None
    changed: dict[str, Document]
    gone: Sequence[str]
    whole: bool
    since: datetime | None
    failure: Failure | None
    degraded: bool


class Follower:
    """The current Release of the catalogue at a path, as a builder gives it; a Standing."""

    def __init__(self, path: Path, *, url: str | None = None, state: Path | None = None) -> None:
        """Follow what Publisher publishes with these."""
        self.current: Release | None = None
        self.since: datetime | None = None
        self.failure: Failure | None = None
        self.degraded = False
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._documents: dict[str, Document] = {}
        self._arguments = (str(path), url or "", str(state or ""))
        self._begin()

    def start(self) -> None:
        """Wait for what the builder gives first, and take what it gives from now on."""
        with suppress(EOFError):
            self._take()
        # What is there now stays: it need not be walked again for what nobody holds.
        gc.collect()
        gc.freeze()
        threading.Thread(target=self._follow, name="feeds-follower", daemon=True).start()

    def wake(self) -> None:
        """Have the catalogue read anew, without waiting for a change; fit for a signal's handler."""
        with suppress(OSError):
            self._connection.send_bytes(WAKE)

    def _begin(self) -> None:
        self._connection, theirs = Pipe()
        command = [sys.executable, "-P", "-m", "feeds.builder", str(theirs.fileno())]
        self._builder = subprocess.Popen(  # noqa: S603  # this very program
            [*command, *self._arguments], stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
        )
        theirs.close()

    def _follow(self) -> None:
        while True:
            with suppress(EOFError):
                self._take()
                continue
            tell("builder-ended", logging.ERROR, code=self._builder.wait())
            time.sleep(_RESTART)
            self._begin()

    def _take(self) -> None:
        """Take what the builder gives next; raises EOFError where it has ended."""
        try:
            news: News = pickle.loads(self._connection.recv_bytes())  # noqa: S301  # of our own
        except OSError:
            raise EOFError from None
        if news.release is not None:
            documents = news.changed if news.whole else self._documents | news.changed
            for path in news.gone:
                del documents[path]
            self._documents = documents
            self.current = news.release.bare(documents)
        self.since, self.failure, self.degraded = news.since, news.failure, news.degraded
        with suppress(OSError):
            self._connection.send_bytes(TAKEN)
