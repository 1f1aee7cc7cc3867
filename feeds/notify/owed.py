"""What caches are to forget and have not yet: small files beside the history.

A publish writes down what it is about to change before it changes anything, and
holds that file locked. A file that is not locked belongs to a publish that has
ended, and the next one takes over what is owed there.
"""

import os
import re
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex
from typing import IO
from urllib.parse import unquote

from feeds.errors import FeedsError
from feeds.notify.purge import Purge, Stale
from feeds.storage import StateFolder, take_lock

# An earlier version had one file, without a mark of its own for each publish.
_FILES = re.compile(r"unpurged.*\.tsv")
_HEADING = "# feeds unpurged 1: an address, or a key"
# What paths and keys consist of, as `Site.address` and `keys_of` make them.
_PATH = re.compile(r"[\w.~/%-]*", re.ASCII)
_KEY = re.compile(r"(?:topic|country|entry)-[\w.~-]+|front", re.ASCII)


class Owed:
    """What is owed to caches by one publish, and by those that ended before they had settled it."""

    def __init__(self, folder: Path) -> None:
        self._folder = StateFolder(folder)
        self._held: IO[bytes] | None = None
        self._name = ""

    def owe(self, stale: Stale) -> None:
        """Write down what is about to change, beyond a loss of power; raises FeedsError."""
        if stale.addresses:
            try:
                self._hold(stale)
            except OSError as error:
                raise _refused(error) from None

    def settle(self, purge: Purge, url: str) -> int:
        """Purge what this publish owes, and others that have ended; return how many addresses.

        Only addresses of the site count, whatever the files say: they may be another
        user's. What cannot be purged stays owed, and FeedsError is raised.
        """
        try:
            if not any(_FILES.fullmatch(name) for name in self._folder.names()):
                return 0
            stale = self._taken_over(url)
            if stale.addresses:
                purge(stale)
            if self._held:
                self._folder.unlink(self._name)
        except OSError as error:
            raise _refused(error) from None
        except FeedsError as error:
            raise FeedsError(
                f"{error}; what was published stays, and --purge tries again"
            ) from None
        finally:
            self._let_go()
        return len(stale.addresses)

    def _taken_over(self, url: str) -> Stale:
        """Return all that is owed to a site; it is held in one file then."""
        with ExitStack() as stack:
            debts = dict(self._debts(stack))
            if self._held:
                self._held.seek(0)
                debts[self._name] = self._held.read()
            found = {name: stale for name, data in debts.items() if (stale := _parsed(data, url))}
            together = _together(found.values())
            if [*found] != [self._name]:
                self._let_go()
                if found:
                    self._hold(together)
                for name in found:
                    self._folder.unlink(name)
        return together

    def _hold(self, stale: Stale) -> None:
        """Write a file, and hold it locked: under the name of a debt only when it is."""
        rows = [f"address\t{thing}" for thing in stale.addresses]
        rows += [f"key\t{thing}" for thing in stale.keys]
        mark = token_hex(8)
        file = self._folder.create(f"unpurged-{mark}.new")
        try:
            take_lock(file.fileno())
            file.write("\n".join([_HEADING, *rows, ""]).encode())
            file.flush()
            os.fsync(file.fileno())
            self._folder.rename(f"unpurged-{mark}.new", f"unpurged-{mark}.tsv")
            self._folder.sync()
        except BaseException:
            file.close()
            raise
        self._held, self._name = file, f"unpurged-{mark}.tsv"

    def _debts(self, stack: ExitStack) -> Iterator[tuple[str, bytes]]:
        """Take each file that no process holds, for as long as the stack is open."""
        for name in self._folder.names():
            if not _FILES.fullmatch(name):
                continue
            try:
                file = stack.enter_context(os.fdopen(self._folder.open(name, os.O_RDWR), "r+b"))
            except OSError:
                # A link, a pipe, or gone meanwhile: in any case not what a publish wrote.
                continue
            # Another process may have settled it between the opening and the lock.
            if take_lock(file.fileno()) and os.fstat(file.fileno()).st_nlink:
                yield name, file.read()

    def _let_go(self) -> None:
        if self._held:
            self._held.close()
            self._held = None


def _parsed(data: bytes, url: str) -> Stale | None:
    """Return what is owed to the site at a URL; None where that is nothing.

    A publish that was killed within a line had not changed anything.
    """
    rows = [line.partition("\t") for line in data.decode(errors="replace").split("\n")[:-1]]
    addresses = [thing for kind, _, thing in rows if kind == "address" and _is_of(thing, url)]
    keys = [thing for kind, _, thing in rows if kind == "key" and _KEY.fullmatch(thing)]
    return Stale(addresses, keys) if addresses else None


def _is_of(address: str, url: str) -> bool:
    """Return whether an address is one that a site at this URL can have."""
    path = address.removeprefix(url)
    outside = {".", ".."} & {*unquote(path).split("/")}
    return address.startswith(url) and bool(_PATH.fullmatch(path)) and not outside


def _together(debts: Collection[Stale]) -> Stale:
    addresses = dict.fromkeys(address for debt in debts for address in debt.addresses)
    keys = dict.fromkeys(key for debt in debts for key in debt.keys)
    return Stale([*addresses], [*keys])


def _refused(error: OSError) -> FeedsError:
    return FeedsError(f"{error.filename}: {error.strerror or error}")
