"""An accelerator: items that have not changed since the last reading are not read again."""

import io
import os
import pickle
from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b

from feeds.catalogue.entries import EntryReader, EntryRecord
from feeds.catalogue.sections import Item
from feeds.errors import Problem
from feeds.inputs import digest, program_digest, zones_stamp
from feeds.model import Entry
from feeds.storage import StateFolder

_FILE, _UNFINISHED = "items", "items.new"
# The part of the records that may differ from the file before it is written again.
_MAX_CHANGED = 0.02
# The types in the file.
_TYPES = {
    *(("datetime", name) for name in ("datetime", "timedelta", "timezone")),
    *(("feeds.model", name) for name in ("Attachment", "Country", "Guid")),
    *(("feeds.model", name) for name in ("Person", "Photo", "Topic")),
}


class ItemMemory:
    """Remembers the items of the last reading; with a folder, also for the next process.

    An item with a Problem or a note is read each time, because that is reported
    with its place. The file contains the number of its own inode: a copy, which
    another user may have made, is ignored.
    """

    def __init__(self, folder: StateFolder | None = None) -> None:
        self._folder = folder
        self._context = ""
        self._before: dict[bytes, EntryRecord] = {}
        self._now: dict[bytes, EntryRecord] = {}
        self._written: frozenset[bytes] = frozenset()

    def begin(self, context: str) -> None:
        """Begin a reading; forget the records of another context.

        `context` describes everything that records depend on beside their items.
        """
        if context != self._context:
            self._context, self._written = context, frozenset()
            self._before = self._load(context)
        self._now = {}

    def get(self, key: bytes) -> EntryRecord | None:
        """Return the record of an item; None if it was not in the last reading."""
        found = self._before.get(key)
        if found is not None:
            self._now[key] = found
        return found

    def put(self, key: bytes, record: EntryRecord) -> None:
        """Remember the record of an item."""
        self._now[key] = record

    def end(self) -> None:
        """End a reading: forget what was not in it, and write the records if many are new."""
        self._before, self._now = self._now, {}
        changed = len(self._before.keys() ^ self._written)
        if self._folder and changed > len(self._before) * _MAX_CHANGED:
            # Without the file, the next process takes longer, with the same result.
            with suppress(OSError):
                self._write(self._folder)
                self._written = frozenset(self._before)

    def _write(self, folder: StateFolder) -> None:
        folder.make()
        folder.unlink(_UNFINISHED)
        # Ordinary tuples are pickled faster.
        rows = {key: (tuple(record[0]), *record[1:]) for key, record in self._before.items()}
        data = pickle.dumps(rows, pickle.HIGHEST_PROTOCOL)
        with folder.create(_UNFINISHED) as file:
            file.write(_heading(file.fileno(), self._context, data))
            file.write(data)
        folder.rename(_UNFINISHED, _FILE)

    def _load(self, context: str) -> dict[bytes, EntryRecord]:
        if self._folder is None:
            return {}
        with suppress(OSError), os.fdopen(self._folder.open(_FILE), "rb") as file:
            heading, data = file.readline(), file.read()
            if heading == _heading(file.fileno(), context, data):
                with suppress(pickle.UnpicklingError):
                    rows = _Unpickler(io.BytesIO(data)).load()
                    self._written = frozenset(rows)
                    return {
                        key: EntryRecord(Entry(*row), *rest) for key, (row, *rest) in rows.items()
                    }
        return {}


class _Unpickler(pickle.Unpickler):
    """Unpickles records alone, so that a file made by another program cannot run code."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in _TYPES:
            raise pickle.UnpicklingError(name)
        return super().find_class(module, name)


def _heading(fd: int, context: str, data: bytes) -> bytes:
    """Return the first line of a file with some data, in a context."""
    found = os.fstat(fd)
    inputs = digest(program_digest(), repr(zones_stamp()), context, data)
    return f"# feeds items 2 {found.st_dev}:{found.st_ino} {inputs}\n".encode()


def read_items(
    items: Sequence[Item],
    reader: EntryReader,
    problems: list[Problem],
    memory: ItemMemory,
) -> list[EntryRecord | None]:
    """Return the record of each item; None for an item with a Problem.

    Raises SplitError.
    """
    records: list[EntryRecord | None] = []
    for item in items:
        key = blake2b(item.data, digest_size=16).digest() if item.data else b""
        before = len(problems)
        record = memory.get(key) if key else None
        if record is None:
            record = reader.read_item(item, problems)
        if record and key and len(problems) == before:
            memory.put(key, record)
        records.append(record)
    memory.end()
    return records
