"""A feed's documents that lie where a release is to be put, and would be made the same."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from feeds.cache import key
from feeds.formats import Format
from feeds.model import Document, Feed, Site, etag_of
from feeds.workshop import Workshop

_SHELF = "documents"


class Reuse:
    """Knows each document by what goes into it, and finds its bytes where it lies already.

    What is remembered is its ETag, so that bytes that are others by now are not
    taken for it. Where nothing can lie, nothing is looked for.
    """

    def __init__(self, site: Site, revisions: Mapping[str, bytes], workshop: Workshop) -> None:
        """Look for documents of entries whose `revisions` are known, by their ids."""
        # What was given up is in no feed.
        self._site = key(repr(replace(site, moved={}, retired=frozenset())))
        self._revisions = revisions
        self._lying = workshop.lying if revisions else None
        self._shelf = workshop.shelf(_SHELF)
        self._names: dict[str, bytes] = {}
        # The feeds of the documents that were found.
        self.found: list[Feed] = []

    def find(self, feed: Feed, form: Format) -> Document | None:
        """Give a feed's document in a format; None where it must be made."""
        name = self._name(feed, form)
        etag = self._shelf.get(name) if name else None
        path = feed.path + form.filename
        body = self._lying(path) if etag and self._lying else None
        if body is None or etag != etag_of(body).encode():
            return None
        self.found.append(feed)
        return Document(path=path, body=body, media_type=form.media_type, etag=etag.decode())

    def keep(self, feed: Feed, form: Format, etag: str) -> None:
        """Remember which ETag a document has."""
        name = self._name(feed, form)
        if name:
            self._shelf.put(name, etag.encode())

    def _name(self, feed: Feed, form: Format) -> bytes:
        """Tell all that goes into a document; nothing where that is not known."""
        if self._lying is None:
            return b""
        if feed.path not in self._names:
            self._names[feed.path] = self._name_of(feed)
        name = self._names[feed.path]
        return name + form.key.encode() if name else b""

    def _name_of(self, feed: Feed) -> bytes:
        revisions = [self._revisions.get(entry.id, b"") for entry in feed.latest]
        # All are of one length: joined, they are taken for no others. Whether an `updated` that
        # was dated later is told by now needs no part in it: the feed's own tells that.
        return key(self._site, *_about(feed), b"".join(revisions)) if all(revisions) else b""


def _about(feed: Feed) -> Sequence[str]:
    """Give what a document says of its feed."""
    return (
        *(feed.id, feed.path, feed.title, feed.description, feed.updated.isoformat()),
        *map(repr, (feed.topic, feed.country)),
    )
