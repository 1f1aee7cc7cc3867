"""What came of a catalogue's very bytes before: then nothing need be built to say it again."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256

from feeds.cache import Cache, key

_FOREVER = "for ever"


def contents_of(texts: Iterable[tuple[str, bytes]]) -> bytes:
    """Give a hash of a catalogue's files, by their names and bytes."""
    # Of many bytes, few hashes are as quick.
    return key(*(part for name, data in texts for part in (name, sha256(data).digest())))


class Outcome:
    """What came of the files of a catalogue, under a name and with the options that it hangs on."""

    def __init__(
        self,
        cache: Cache,
        name: str,
        contents: bytes,
        options: Iterable[object] = (),
    ) -> None:
        """Look for what came of `contents`, which `contents_of` gives."""
        self._shelf = cache.shelf("outcomes")
        self._key = key(name, repr([*options]), contents)

    def text(self) -> str | None:
        """Give the text that was kept; None where there is none."""
        found = self._shelf.get(self._key)
        return None if found is None else found.decode(errors="surrogateescape")

    def keep_text(self, text: str) -> None:
        """Keep a text."""
        self._shelf.put(self._key, text.encode(errors="surrogateescape"))

    def etags(self, now: datetime) -> dict[str, str] | None:
        """Give the ETag of each document by its path; None where none are known for this moment."""
        text = self.text()
        if text is None:
            return None
        head, *lines = text.split("\n")
        begin, end = head.split("\t")
        if now < datetime.fromisoformat(begin):
            return None
        if end != _FOREVER and now >= datetime.fromisoformat(end):
            return None
        return dict(line.split("\t") for line in lines)

    def keep_etags(
        self, etags: Mapping[str, str], *, as_of: datetime, until: datetime | None
    ) -> None:
        """Keep the ETags of the documents from `as_of` until something else is to be published."""
        end = until.isoformat() if until else _FOREVER
        lines = [f"{as_of.isoformat()}\t{end}", *map("\t".join, etags.items())]
        self.keep_text("\n".join(lines))
