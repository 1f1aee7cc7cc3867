"""Remembers what a hub was told: a small file beside the history, shared by all that publish."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from feeds.storage import StateFolder, take_lock

_FILE = "told.tsv"
_LOCK = "told.lock"
_HEADING = "# feeds told 1: hub, address, the ETag that the hub was last told of\n"
# Between two looks at a lock that another process holds, in seconds.
_LOOK = 0.5


class Busy(Exception):
    """Another process is telling the hub, and is not done."""


class Ledger:
    """What each hub was last told of each address, in a folder; raises OSError where it cannot be."""

    def __init__(self, folder: Path) -> None:
        self._folder = StateFolder(folder)

    def untold(self, hub: str, etags: Mapping[str, str]) -> dict[str, str]:
        """Give those addresses, with their ETags, that the hub was not told of as they are now."""
        told = self._read()
        return {
            address: etag for address, etag in etags.items() if told.get((hub, address)) != etag
        }

    def note(self, hub: str, etags: Mapping[str, str]) -> None:
        """Remember that a hub was told; only for who holds the lock."""
        if not etags:
            return
        told = self._read() | {(hub, address): etag for address, etag in etags.items()}
        lines = [f"{hub}\t{address}\t{etag}\n" for (hub, address), etag in sorted(told.items())]
        self._folder.replace(_FILE, "".join([_HEADING, *lines]).encode())

    @contextmanager
    def locked(self, wait: Callable[[float], bool]) -> Iterator[None]:
        """Keep others from telling at the same time; raises Busy where `wait` gives up waiting."""
        self._folder.make()
        lock = self._folder.lock_file(_LOCK)
        try:
            while not take_lock(lock):
                if not wait(_LOOK):
                    raise Busy
            yield
        finally:
            os.close(lock)

    def _read(self) -> dict[tuple[str, str], str]:
        """Read what can be read: a damaged line costs one more call to the hub."""
        try:
            lines = self._folder.read(_FILE).decode(errors="replace").splitlines()
        except FileNotFoundError:
            return {}
        rows = (line.split("\t") for line in lines if line.count("\t") == 2)  # noqa: PLR2004  # columns
        return {(hub, address): etag for hub, address, etag in rows}
