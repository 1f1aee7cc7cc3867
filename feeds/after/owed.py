"""What caches are to forget and have not yet: small files beside the history.

A publish writes down what it is about to change before it changes anything, and
holds that file locked. So whoever finds one that is not locked knows that its
publish has ended, and takes over what is owed there.
"""

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import IO

from feeds.after.purging import Purge, Stale
from feeds.errors import FeedsError

# An earlier version had one file, without a mark of its own for each publish.
_FILES = "unpurged*.tsv"
_LOCK = "unpurged.lock"
_HEADING = "# feeds unpurged 1: an address, or a key"


class Owed:
    """What is owed to caches by one publish, and by those that ended before they had settled it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: IO[str] | None = None

    def owe(self, stale: Stale) -> None:
        """Write down what is about to change, beyond a loss of power; raises FeedsError."""
        if stale.addresses:
            with self._alone():
                self._hold(stale)

    def settle(self, purge: Purge) -> int:
        """Purge all that is owed by nobody at work; give how many addresses that were.

        What cannot be purged stays owed, and FeedsError is raised.
        """
        if not any(self._folder.glob(_FILES)):
            return 0
        with self._alone():
            self._let_go()
            debts = dict(self._debts())
            stale = _together(debts.values())
            self._hold(stale)
            for file in debts:
                file.unlink()
        try:
            if stale.addresses:
                purge(stale)
            with self._alone():
                self._forget()
        except FeedsError as error:
            raise FeedsError(
                f"{error}; what was published stays, and --purge tries again"
            ) from None
        finally:
            self._let_go()
        return len(stale.addresses)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep others from the files for a moment; raises FeedsError where it cannot be."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / _LOCK).open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            name = error.filename or self._folder
            raise FeedsError(f"{name}: {error.strerror or error}") from None

    def _hold(self, stale: Stale) -> None:
        """Write a file, and hold it locked; only for who is alone."""
        rows = [f"address\t{thing}" for thing in stale.addresses]
        rows += [f"key\t{thing}" for thing in stale.keys]
        file = self._folder / f"unpurged-{token_hex(8)}.tsv"
        self._held = file.open("x", encoding="utf-8")
        fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._held.write("\n".join([_HEADING, *rows, ""]))
        self._held.flush()
        os.fsync(self._held.fileno())
        _sync(self._folder)

    def _debts(self) -> Iterator[tuple[Path, Stale]]:
        """Give each file that nobody holds, with what is owed there; only for who is alone."""
        for file in sorted(self._folder.glob(_FILES)):
            with file.open("r+", encoding="utf-8", errors="replace") as opened:
                try:
                    fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield file, _parsed(opened.read())

    def _forget(self) -> None:
        if self._held:
            Path(self._held.name).unlink()

    def _let_go(self) -> None:
        if self._held:
            self._held.close()
            self._held = None


def _parsed(text: str) -> Stale:
    """Read what is owed; whoever was killed within a line had not changed anything."""
    rows = [line.partition("\t") for line in text.split("\n")[:-1]]
    return Stale(
        [thing for kind, _, thing in rows if kind == "address"],
        [thing for kind, _, thing in rows if kind == "key"],
    )


def _together(debts: Collection[Stale]) -> Stale:
    addresses = dict.fromkeys(address for debt in debts for address in debt.addresses)
    keys = dict.fromkeys(key for debt in debts for key in debt.keys)
    return Stale([*addresses], [*keys])


def _sync(folder: Path) -> None:
    """Make the names in a folder last."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
