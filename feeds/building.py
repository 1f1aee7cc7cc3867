"""Feeds → Documents: those that would be as before are taken over, the others are made."""

from collections.abc import Iterable, Mapping, Sequence
from operator import is_
from typing import TYPE_CHECKING, Protocol

from feeds.files import read_media
from feeds.formats import Format, feed_style
from feeds.model import Document, Entry, Feed, Picture, Site, etag_of
from feeds.rendering import Renderer, render, render_remembered, show
from feeds.workshop import Workshop

if TYPE_CHECKING:
    from feeds.pages import Pages


class Before(Protocol):
    """An earlier release of the same site in the same formats."""

    @property
    def feeds(self) -> Sequence[Feed]:
        """The feeds that its documents show, and first that of everything."""

    @property
    def pictures(self) -> Sequence[Picture]:
        """The pictures of its catalogue."""

    def get(self, path: str, /) -> Document | None:
        """Give a document."""


class Build:
    """The making of a release's documents, by path."""

    def __init__(
        self, site: Site, feeds: Sequence[Feed], before: Before | None, workshop: Workshop
    ) -> None:
        self.documents: dict[str, Document] = {}
        self._site = site
        self._feeds = feeds
        self._before = before
        self._workshop = workshop
        earlier = {feed.path: feed for feed in before.feeds} if before else {}
        self._unchanged = {
            feed.path for feed in feeds if feed.path in earlier and _alike(feed, earlier[feed.path])
        }

    def make_feeds(self, formats: Sequence[Format]) -> None:
        """Make each feed's documents from its entries' pieces."""
        todo = [
            (feed, number)
            for number, form in enumerate(formats)
            for feed in self._feeds
            if not self._taken_over(feed.path + form.filename, same=feed.path in self._unchanged)
        ]
        renderers = [form.render_entries for form in formats]
        with self._workshop.stage("render"):
            entries = _distinct(entry for feed, _ in todo for entry in feed.latest)
            shown = show(entries, self._site, self._workshop)
            pieces = render(shown, self._site, renderers, self._workshop)
        with self._workshop.stage("join"):
            for feed, number in todo:
                form = formats[number]
                path = feed.path + form.filename
                rendered = [pieces[entry.id][number] for entry in feed.latest]
                body = form.join(feed, rendered, self._site, self._site.address(path))
                self._add(path, form.media_type, body)
        if any(form.shown_as for form in formats):
            self._add(*feed_style())

    def make_pictures(self, pictures: Sequence[Picture]) -> None:
        """Read each picture that an entry shows; raises FeedsError where one is as it was no more."""
        earlier = (
            {picture.path: picture for picture in self._before.pictures} if self._before else {}
        )
        shown = {entry.photo.url for entry in self._feeds[0].entries if entry.photo}
        with self._workshop.stage("pictures"):
            for picture in pictures:
                path = picture.path
                if self._site.address(path) not in shown:
                    continue
                if not self._taken_over(path, same=earlier.get(path) == picture):
                    self._add(path, picture.media_type, read_media(picture.file, picture.stamp))

    def make_pages(self, pages: "Pages") -> None:
        """Make each feed's page, each entry's own, and their style sheet."""
        with self._workshop.stage("pages"):
            self._make_feed_pages(pages)
            self._make_entry_pages(pages)
            self._add(*pages.style())

    def _make_feed_pages(self, pages: "Pages") -> None:
        near = pages.neighbours(self._feeds)
        near_before = pages.neighbours(self._before.feeds) if self._before else {}
        todo = [
            feed
            for feed in self._feeds
            if not self._taken_over(
                pages.path(feed.path),
                same=feed.path in self._unchanged and near[feed.path] == near_before.get(feed.path),
            )
        ]
        items = self._render(
            "items", pages.items, _distinct(entry for feed in todo for entry in feed.entries)
        )
        texts = {entry: piece.decode() for entry, piece in items.items()}
        for feed in todo:
            self._add(*pages.feed_page(feed, near[feed.path], texts))

    def _make_entry_pages(self, pages: "Pages") -> None:
        earlier = (
            {entry.id: entry for entry in self._before.feeds[0].entries} if self._before else {}
        )
        todo = [
            entry
            for entry in self._feeds[0].entries
            if not self._taken_over(pages.path(entry.path), same=earlier.get(entry.id) is entry)
        ]
        rendered = self._render("entry-pages", pages.entry_pages, todo)
        for entry in todo:
            self._add(pages.path(entry.path), pages.media_type, rendered[entry.id])

    def _render(
        self, name: str, renderer: Renderer, entries: Sequence[Entry]
    ) -> Mapping[str, bytes]:
        return render_remembered(entries, self._site, name, renderer, self._workshop)

    def _taken_over(self, path: str, *, same: bool) -> bool:
        """Take a document from before where it would be the same; tell whether there was one."""
        old = self._before.get(path) if same and self._before else None
        if old:
            self.documents[path] = old
        return old is not None

    def _add(self, path: str, media_type: str, body: bytes) -> None:
        self.documents[path] = Document(
            path=path, body=body, media_type=media_type, etag=etag_of(body)
        )


def _alike(feed: Feed, other: Feed) -> bool:
    """Tell whether two feeds of a site have the same documents.

    Moments that are equal can be written with different offsets, so entries are
    the same only where they are the very same.
    """
    return (
        len(feed.entries) == len(other.entries)
        and all(map(is_, feed.entries, other.entries))
        and (feed.id, feed.title, feed.description) == (other.id, other.title, other.description)
        and feed.updated.isoformat() == other.updated.isoformat()
    )


def _distinct(entries: Iterable[Entry]) -> list[Entry]:
    return list({entry.id: entry for entry in entries}.values())
