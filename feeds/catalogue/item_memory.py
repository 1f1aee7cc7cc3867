"""What items were read as, from one reading to the next, by their bytes: for speed alone."""

import os
from contextlib import suppress
from hashlib import blake2b

from feeds.catalogue.entries import Draft
from feeds.inputs import digest, program_digest, zones_stamp
from feeds.storage import StateFolder

# Without it, each item is read, and says the same.
ENABLED = True
_FILE, _UNFINISHED = "items", "items.new"
# No text of a catalogue has these characters.
_FIELD, _ITEM = "\x1f", "\x1c"


def item_key(item: bytes) -> str:
    """Return the key of an item, by its bytes."""
    return blake2b(item, digest_size=16).hexdigest()


class ItemMemory:
    """Remembers the items of the last reading; with a folder, from one run to the next.

    An item with a Problem or a note is read each time, because it is reported
    with its place. The file names its own inode: a copy, which may be somebody
    else's, is not believed.
    """

    def __init__(self, folder: StateFolder | None = None) -> None:
        self._folder = folder
        self._context = ""
        self._before: dict[str, str] = {}
        self._now: dict[str, str] = {}

    def begin(self, context: str) -> None:
        """Begin a reading; what was read in another context is forgotten."""
        if context != self._context:
            self._context, self._before = context, self._load(context)
        self._now = {}

    def get(self, key: str) -> Draft | None:
        """Return what an item was read as; None if it was not in the last reading."""
        found = self._before.get(key) if ENABLED else None
        if found is None:
            return None
        self._now[key] = found
        return Draft._make(found.split(_FIELD))

    def put(self, key: str, draft: Draft) -> None:
        """Remember what an item was read as."""
        self._now[key] = _FIELD.join(draft)

    def end(self) -> None:
        """End a reading, and write what is new; what was not in it is forgotten."""
        changed = self._now.keys() != self._before.keys()
        self._before, self._now = self._now, {}
        if changed and self._folder:
            # What cannot be written costs time, and nothing else.
            with suppress(OSError):
                self._write(self._folder)

    def _write(self, folder: StateFolder) -> None:
        folder.make()
        folder.unlink(_UNFINISHED)
        with folder.create(_UNFINISHED) as file:
            rows = (f"{key}{_FIELD}{text}" for key, text in self._before.items())
            text = _ITEM.join([_heading(file.fileno(), self._context), *rows])
            file.write(text.encode(errors="surrogateescape"))
        folder.rename(_UNFINISHED, _FILE)

    def _load(self, context: str) -> dict[str, str]:
        if self._folder is None:
            return {}
        with suppress(OSError), os.fdopen(self._folder.open(_FILE), "rb") as file:
            text = file.read().decode(errors="surrogateescape")
            heading, *rows = text.split(_ITEM)
            if heading == _heading(file.fileno(), context):
                return {row[:32]: row[33:] for row in rows}
        return {}


def _heading(fd: int, context: str) -> str:
    """Return what a file of ours begins with, in a context."""
    found = os.fstat(fd)
    inputs = digest(program_digest(), repr(zones_stamp()), context)
    return f"# feeds items 1 {found.st_dev}:{found.st_ino} {inputs}"
