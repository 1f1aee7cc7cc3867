"""Remembers when each document's bytes first appeared, so that Last-Modified can be true.

The memory is one text file, `history.tsv`: a line for each address, with the
ETag that its document has now and the moment since when. It is shared by every
process that publishes: servers, their workers, exports. An address that is no
longer published keeps its line, should it come back.
"""

import errno
import fcntl
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import MAXYEAR, UTC, datetime, timedelta
from pathlib import Path

from feeds.storage import StateFolder, take_lock

_FILE = "history.tsv"
_LOCK = "history.lock"
_HEADING = "# feeds history 1: address, ETag, when these bytes first appeared there\n"
_SECOND = timedelta(seconds=1)
# Who holds the lock needs milliseconds, or waits for its own second. For longer, it is
# stopped, and an edit is to be public within two seconds all the same.
PATIENCE_SECONDS = 1.2
# How far ahead of the clock a moment may lie and be waited for. Further ahead,
# the clock is wrong, or was when the moment was remembered.
_WAIT = timedelta(seconds=5)
# A moment further ahead, or before the first feeds, was never written by this program.
_FAR = timedelta(days=1)
_FIRST_YEAR = 1990

_Record = tuple[str, datetime]


class Outdated(Exception):
    """What was to be remembered is no longer what is to be published."""


class History:
    """The memory in a folder, which is made when there is something to remember.

    Another process that records is waited for during `patience` seconds.
    """

    def __init__(self, folder: Path, patience: float = PATIENCE_SECONDS) -> None:
        self.file = folder / _FILE
        self._folder = StateFolder(folder)
        self._patience = patience
        # Whether another process held the lock for too long when it was last wanted.
        self._stuck = False
        # What the file held when it was last read or written here, and which file that was.
        self._records: dict[str, _Record] = {}
        self._which: tuple[int, ...] | None = None

    def record(
        self,
        etags: Mapping[str, str],
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        current: Callable[[], bool],
    ) -> dict[str, datetime]:
        """Give, for each address, since when its document has had this ETag.

        `etags` are by absolute address. A new ETag begins now, to the second,
        and at least one second after the one before (RFC 9110 §8.8.2). What
        begins up to five seconds ahead is waited for; only where the clock is
        behind the history do moments remain that have not come.

        `current` is asked when all has come, while no other process can record
        anything; where it denies, nothing is remembered and Outdated is raised.
        So the order of moments is the order in which the catalogue had these
        contents. Raises OSError where there can be no memory.
        """
        self._folder.make()
        with self._locked():
            now = clock().replace(microsecond=0)
            found = self._read().items()
            records = {address: known for address, known in found if known[1] - now < _FAR}
            changed = {
                address: (etag, _begin(records.get(address), now))
                for address, etag in etags.items()
                if address not in records or records[address][0] != etag
            }
            since = {address: (changed.get(address) or records[address])[1] for address in etags}
            _await(since.values(), clock, sleep)
            if not current():
                raise Outdated
            if changed:
                self._write(records | changed)
        return since

    def addresses(self) -> Collection[str]:
        """Return the absolute addresses that were ever public; none if that cannot be read."""
        try:
            return self._read().keys()
        except OSError:
            return ()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = self._folder.lock_file(_LOCK)
        try:
            # One wait is enough to learn that the lock is stuck.
            end = time.monotonic() + (0 if self._stuck else self._patience)
            while not take_lock(lock):
                if time.monotonic() > end:
                    self._stuck = True
                    where = str(self.file.with_name(_LOCK))
                    raise OSError(errno.ETIMEDOUT, "another process holds the lock", where)
                time.sleep(0.01)
            self._stuck = False
            try:
                yield
            finally:
                # Closing would not do where a process was forked meanwhile.
                fcntl.flock(lock, fcntl.LOCK_UN)
        finally:
            os.close(lock)

    def _read(self) -> dict[str, _Record]:
        """Read what can be read: a damaged line costs its own memory alone."""
        which = self._found()
        if which is None:
            return {}
        if which != self._which:
            lines = self._folder.read(_FILE).decode(errors="replace").splitlines()
            self._records = dict(record for line in lines if (record := _parsed(line)))
            self._which = which
        return self._records

    def _found(self) -> tuple[int, ...] | None:
        """Tell the file from any other; None where there is none."""
        try:
            found = self._folder.stat(_FILE)
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def _write(self, records: Mapping[str, _Record]) -> None:
        lines = [
            f"{address}\t{etag}\t{moment.isoformat()}\n"
            for address, (etag, moment) in sorted(records.items())
        ]
        self._folder.replace(_FILE, "".join([_HEADING, *lines]).encode())
        self._records, self._which = dict(records), self._found()


def _begin(before: _Record | None, now: datetime) -> datetime:
    return max(now, before[1] + _SECOND) if before else now


def _await(
    moments: Iterable[datetime], clock: Callable[[], datetime], sleep: Callable[[float], None]
) -> None:
    now = clock()
    ahead = max((at - now for at in moments if at - now <= _WAIT), default=timedelta())
    if ahead > timedelta():
        sleep(ahead.total_seconds())


def _parsed(line: str) -> tuple[str, _Record] | None:
    try:
        address, etag, text = line.split("\t")
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None or not _FIRST_YEAR <= moment.year < MAXYEAR:
            return None
        # As it is written here; a Last-Modified has no other offset, and whole seconds.
        return address, (etag, moment.astimezone(UTC).replace(microsecond=0))
    except (ValueError, OverflowError):
        return None
