"""Catalogue → every Document, addressed and hashed; pure and deterministic."""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from feeds.formats import FORMATS, Format
from feeds.model import Catalogue, Document, Feed, Site, etag_of
from feeds.parallel import uncollected
from feeds.rendering import render_entries
from feeds.selection import next_change, select
from feeds.workshop import Workshop


class Release(Mapping[str, Document]):
    """All Documents of one Catalogue at one moment, by path; immutable.

    A path is what stands behind the site's URL, such as `topics/x/atom.xml`.
    `feeds` are the feeds that the documents show, `as_of` is the moment, and
    `until` the next one at which the same catalogue gives other documents; it is
    None where no entry is dated later.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        as_of: datetime,
        formats: Sequence[Format] = FORMATS,
        pages: bool = True,
        workshop: Workshop | None = None,
    ) -> None:
        """Build the release of a catalogue as it stands at `as_of`, an aware datetime.

        The same catalogue at the same moment gives the same bytes everywhere.
        Of the formats those count that the site has; without `pages` there are
        documents of the feeds alone. What `workshop` remembers is not rendered again.
        """
        self.site = catalogue.site
        self.as_of = as_of
        self.until = next_change(catalogue, as_of)
        self.formats = tuple(form for form in formats if form.key in self.site.formats)
        workshop = workshop or Workshop()
        with uncollected():
            with workshop.stage("choose"):
                self.feeds = select(catalogue, as_of)
            build = _Build(self.site, self.feeds, self.formats, workshop)
            found = build.feed_documents()
            if pages:
                found += build.pages()
            found.sort(key=lambda document: document.path)
        self._documents = {document.path: document for document in found}
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


class _Build:
    """The documents of one release in the making."""

    def __init__(
        self, site: Site, feeds: Sequence[Feed], formats: Sequence[Format], workshop: Workshop
    ) -> None:
        self._site = site
        self._feeds = feeds
        self._formats = formats
        self._workshop = workshop

    def feed_documents(self) -> list[Document]:
        """Join each feed's documents from its entries' pieces."""
        shown = {entry.id: entry for feed in self._feeds for entry in feed.latest}
        renderers = {form.key: form.render_entries for form in self._formats}
        with self._workshop.stage("render"):
            pieces = render_entries(list(shown.values()), self._site, renderers, self._workshop)
        with self._workshop.stage("join"):
            return [
                self._feed_document(feed, form, [pieces[entry.id][number] for entry in feed.latest])
                for number, form in enumerate(self._formats)
                for feed in self._feeds
            ]

    def _feed_document(self, feed: Feed, form: Format, pieces: Sequence[bytes]) -> Document:
        path = feed.path + form.filename
        body = form.join(feed, pieces, self._site, self._site.address(path))
        return _document(path, form.media_type, body)

    def pages(self) -> list[Document]:
        """Render each page."""
        # Jinja takes its time to load, and who wants feeds alone needs none.
        from feeds.pages import Pages  # noqa: PLC0415

        links = [
            (form.name, form.filename, form.media_type.partition(";")[0]) for form in self._formats
        ]
        pages = Pages(self._site, links)
        entries = self._feeds[0].entries
        with self._workshop.stage("pages"):
            renderers = {"items": pages.items, "entry-pages": pages.entry_pages}
            rendered = render_entries(entries, self._site, renderers, self._workshop)
            items = {entry: pieces[0].decode() for entry, pieces in rendered.items()}
            own = ((*pages.place(entry.path), rendered[entry.id][1]) for entry in entries)
            return [_document(*page) for page in (*own, *pages.feed_pages(self._feeds, items))]


def _document(path: str, media_type: str, body: bytes) -> Document:
    return Document(path=path, body=body, media_type=media_type, etag=etag_of(body))
