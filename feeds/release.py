"""Catalogue → every Document, addressed and hashed; pure and deterministic."""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from feeds.content import render_body
from feeds.formats import FORMATS, Format
from feeds.model import Catalogue, Document, Entry, Feed, Site
from feeds.pages import render_pages
from feeds.selection import next_change, select


class Release(Mapping[str, Document]):
    """All Documents of one Catalogue at one moment, by path; immutable.

    A path is what stands behind the site's URL, such as `topics/x/atom.xml`.
    `feeds` are the feeds that the documents show, `as_of` is the moment, and
    `until` the next one at which the same catalogue gives other documents; it is
    None where no entry is dated later.
    """

    def __init__(
        self, catalogue: Catalogue, *, as_of: datetime, formats: Sequence[Format] = FORMATS
    ) -> None:
        """Build the release of a catalogue as it stands at `as_of`, an aware datetime.

        The same catalogue at the same moment gives the same bytes everywhere.
        """
        self.site = catalogue.site
        self.as_of = as_of
        self.until = next_change(catalogue, as_of)
        self.feeds = select(catalogue, as_of)
        self.formats = tuple(formats)
        found = sorted(_documents(self.site, self.feeds, self.formats))
        self._documents = {
            path: _document(path, media_type, body) for path, media_type, body in found
        }
        self.id = sha256(
            "".join(f"{path}\n{self[path].etag}\n" for path in self).encode()
        ).hexdigest()[:16]

    def dated(self, dates: Mapping[str, datetime]) -> "Release":
        """Give the same release with each document's `modified`, by path."""
        release = copy(self)
        release._documents = {  # noqa: SLF001  # its own
            path: replace(document, modified=dates.get(path)) for path, document in self.items()
        }
        return release

    def __getitem__(self, path: str) -> Document:
        return self._documents[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)


def _documents(
    site: Site, feeds: Sequence[Feed], formats: Sequence[Format]
) -> Iterator[tuple[str, str, bytes]]:
    everything = feeds[0].entries
    bodies = {entry.id: render_body(entry, site) for entry in everything}
    for form in formats:
        pieces: dict[str, bytes] = {}
        for feed in feeds:
            path = feed.path + form.filename
            rendered = [_piece(pieces, form, entry, bodies, site) for entry in feed.latest]
            body = form.join(feed, rendered, site, site.address(path))
            yield path, form.media_type, body
    links = [(form.name, form.filename, form.media_type.partition(";")[0]) for form in formats]
    for path, media_type, text in render_pages(site, feeds, bodies, links):
        yield path, media_type, text.encode()


def _piece(
    pieces: dict[str, bytes], form: Format, entry: Entry, bodies: Mapping[str, str], site: Site
) -> bytes:
    """Render an entry once per format, however many feeds carry it."""
    if entry.id not in pieces:
        pieces[entry.id] = form.render_entry(entry, bodies[entry.id], site)
    return pieces[entry.id]


def _document(path: str, media_type: str, body: bytes) -> Document:
    etag = sha256(body).hexdigest()[:32]
    return Document(path=path, body=body, media_type=media_type, etag=etag)
