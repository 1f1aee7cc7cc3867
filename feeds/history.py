"""The history: since when each document's bytes have been public, for Last-Modified.

It is one text file, `history.tsv`, with a line for each address: the ETag of its
document, and the moment from which it has had this ETag. All processes that
publish share it: servers and exports. An address that is no longer published
keeps its line in case it comes back.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import MAXYEAR, UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from feeds.storage import StateFolder, held

_FILE = "history.tsv"
_LOCK = "history.lock"
_HEADING = "# feeds history 1: address, ETag, when these bytes first appeared there\n"
_SECOND = timedelta(seconds=1)
# A process holds the lock for milliseconds, or for the rest of a second. If it takes
# longer, the process is stopped; an edit has to be public within two seconds even so.
LOCK_TIMEOUT_SECONDS = 1.2
# Moments at most this far ahead of the clock are waited for. If they are further ahead,
# the clock is wrong, or was wrong when they were recorded.
_MAX_WAIT = timedelta(seconds=5)
# A moment further ahead than this, or before the first feeds, is ignored.
_MAX_AHEAD = timedelta(days=1)
_FIRST_YEAR = 1990

_Record = tuple[str, datetime]


class Outdated(Exception):
    """What was to be recorded is no longer what is to be published."""


class History:
    """The history in a folder, which is created when there is something to record.

    `timeout` is how many seconds to wait for another process that is recording.
    """

    def __init__(self, folder: Path, timeout: float = LOCK_TIMEOUT_SECONDS) -> None:
        self.file = folder / _FILE
        self._folder = StateFolder(folder)
        self._timeout = timeout
        # Whether the last attempt to take the lock timed out: then the next one does not wait.
        self._timed_out = False
        # The records as they were last read or written here, and the stamp of the file then.
        self._records: dict[str, _Record] = {}
        self._stamp: tuple[int, ...] | None = None

    def record(
        self,
        etags: Mapping[str, str],
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        current: Callable[[], bool],
    ) -> dict[str, datetime]:
        """Record the ETags of documents, and return since when each document has had its ETag.

        Args:
            etags: by absolute address. A new ETag begins now, in whole seconds, and at
                least one second after the one before it (RFC 9110 §8.8.2).
            clock: returns the present as an aware datetime.
            sleep: waits for so many seconds. A beginning up to five seconds ahead is
                waited for; only if the clock is behind the history can the result
                have moments that lie in the future.
            current: called after the wait, while no other process can record.
                If it returns False, nothing is recorded and Outdated is raised: so the
                order of moments is the order in which the catalogue had these contents.

        Raises OSError if the history cannot be read or written.
        """
        self._folder.make()
        with self._locked():
            now = clock().replace(microsecond=0)
            latest = now + _MAX_AHEAD
            found = self._read().items()
            records = {address: known for address, known in found if known[1] < latest}
            changed = {
                address: (etag, _begin(records.get(address), now))
                for address, etag in etags.items()
                if address not in records or records[address][0] != etag
            }
            since = {address: (changed.get(address) or records[address])[1] for address in etags}
            _wait(since.values(), clock, sleep)
            if not current():
                raise Outdated
            if changed:
                self._write(records | changed)
        return since

    def addresses(self) -> Collection[str]:
        """Return the absolute addresses that were ever public; none if they cannot be read."""
        try:
            return self._read().keys()
        except OSError:
            return ()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            lock = self._folder.lock(_LOCK, 0 if self._timed_out else self._timeout)
        except TimeoutError:
            self._timed_out = True
            raise
        self._timed_out = False
        with held(lock):
            yield

    def _read(self) -> dict[str, _Record]:
        """Return the records; a damaged line costs only its own record."""
        stamp = self._file_stamp()
        if stamp is None:
            return {}
        if stamp != self._stamp:
            lines = self._folder.read(_FILE).decode(errors="replace").splitlines()
            self._records = dict(record for line in lines if (record := _parse(line)))
            self._stamp = stamp
        return self._records

    def _file_stamp(self) -> tuple[int, ...] | None:
        """Return what differs whenever the file does; None if there is no file."""
        try:
            found = self._folder.stat(_FILE)
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def _write(self, records: Mapping[str, _Record]) -> None:
        lines = [
            f"{address}\t{etag}\t{_moment_text(moment)}\n"
            for address, (etag, moment) in sorted(records.items())
        ]
        self._folder.replace(_FILE, "".join([_HEADING, *lines]).encode())
        self._records, self._stamp = dict(records), self._file_stamp()


def _begin(before: _Record | None, now: datetime) -> datetime:
    return max(now, before[1] + _SECOND) if before else now


def _wait(
    moments: Iterable[datetime], clock: Callable[[], datetime], sleep: Callable[[float], None]
) -> None:
    now = clock()
    ahead = max((at - now for at in {*moments} if at - now <= _MAX_WAIT), default=timedelta())
    if ahead > timedelta():
        sleep(ahead.total_seconds())


def _parse(line: str) -> tuple[str, _Record] | None:
    try:
        address, etag, text = line.split("\t")
        return address, (etag, _moment(text))
    except (ValueError, OverflowError):
        return None


# Documents that appeared together have the same moment, so there are few different ones.
_moment_text = lru_cache(maxsize=10_000)(datetime.isoformat)


@lru_cache(maxsize=10_000)
def _moment(text: str) -> datetime:
    """Return a moment as Last-Modified has it: in whole seconds, in UTC; raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not _FIRST_YEAR <= moment.year < MAXYEAR:
        raise ValueError(text)
    return moment.astimezone(UTC).replace(microsecond=0)
