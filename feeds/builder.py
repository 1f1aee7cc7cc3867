"""`python -m feeds.builder`: builds releases for the process that started it, its follower."""

import gc
import os
import pickle
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from feeds.after.herald import Herald
from feeds.cache import Cache
from feeds.follower import TAKEN, News
from feeds.logs import log_to
from feeds.parallel import cores
from feeds.publisher import Publisher
from feeds.release import Release
from feeds.workshop import Workshop

if TYPE_CHECKING:
    from feeds.model import Document

# How long until it is looked again whether the follower has ended, in seconds.
_LOOK = 0.1


class Handover:
    """Tells a follower how a publisher stands, each time that it stands otherwise."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._release: Release | None = None
        self._told: object = None
        self._woken = False

    def tell(self, publisher: Publisher) -> None:
        """Hand over what is new, and wait until it is taken; ends where nobody follows any more."""
        standing = publisher.current, publisher.since, publisher.failure, publisher.degraded
        if standing == self._told:
            return
        try:
            self._connection.send_bytes(pickle.dumps(_news(publisher, self._release)))
            while self._connection.recv_bytes() != TAKEN:
                self._woken = True
        except (EOFError, ConnectionError):
            # To a publisher in the midst of its work, an error would be a bug to tell.
            sys.exit()
        self._told, self._release = standing, publisher.current

    def woken(self, seconds: float) -> bool:
        """Wait for so long at most; tell whether the follower wants the catalogue read anew."""
        if not self._woken and self._connection.poll(seconds):
            self._connection.recv_bytes()
            self._woken = True
        woken, self._woken = self._woken, False
        return woken


def _news(publisher: Publisher, before: Release | None) -> News:
    release = publisher.current
    old: Mapping[str, Document] = before or {}
    new: Mapping[str, Document] = release or {}
    return News(
        release=None if release is None or release is before else release.bare({}),
        changed={path: found for path, found in new.items() if old.get(path) is not found},
        gone=[path for path in old if path not in new],
        whole=before is None,
        since=publisher.since,
        failure=publisher.failure,
        degraded=publisher.degraded,
    )


def main(arguments: Sequence[str]) -> None:
    """Build for whoever holds the other end of a connection, until that is closed."""
    descriptor, path, url, state = arguments
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, partial(_end_with, os.getppid()))
    log_to(sys.stderr)
    handover = Handover(Connection(int(descriptor)))
    folder = Path(state) if state else Path(path).parent / ".feeds"
    workshop = Workshop(cache=Cache(folder / "cache"), processes=cores())
    publisher = Publisher(
        path, url=url or None, state=folder, workshop=workshop, stands=handover.tell
    )
    # Whoever follows no more has closed the connection.
    with suppress(EOFError, ConnectionError):
        _build(publisher, handover, Herald(folder))


def _end_with(follower: int, *_: object) -> None:
    """End as soon as the follower has, and never before: it would take that for a failure.

    Terminals and service managers send their signals to all processes at once.
    """
    if os.getppid() != follower:
        sys.exit()
    signal.setitimer(signal.ITIMER_REAL, _LOOK)


def _build(publisher: Publisher, handover: Handover, herald: Herald) -> None:
    publisher.refresh()
    # What is there now stays: it need not be walked again for what nobody holds.
    gc.collect()
    gc.freeze()
    while True:
        handover.tell(publisher)
        herald.tell(publisher.current)
        publisher.refresh(anew=handover.woken(publisher.pause()))


if __name__ == "__main__":
    main(sys.argv[1:])
