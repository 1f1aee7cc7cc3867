"""Feeds → Documents: those that would be as before are taken over, the others are made."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from operator import is_
from typing import TYPE_CHECKING, Protocol

from feeds.files import read_media
from feeds.formats import Format, feed_style
from feeds.model import Document, Entry, Feed, Picture, Site, etag_of
from feeds.rendering import keep_shown, render, show
from feeds.reuse import Reuse
from feeds.workshop import Workshop

if TYPE_CHECKING:
    from feeds.pages import Pages
    from feeds.pages.listings import Listing


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
        """Make what shows these feeds; what would be as it was `before` is taken from there."""
        self.documents: dict[str, Document] = {}
        self._site = site
        self._feeds = feeds
        self._before = before
        self._workshop = workshop
        self._earlier = earlier = {feed.path: feed for feed in before.feeds} if before else {}
        self._unchanged = {
            feed.path for feed in feeds if feed.path in earlier and _alike(feed, earlier[feed.path])
        }

    def make_feeds(self, formats: Sequence[Format], reuse: Reuse) -> None:
        """Make each feed's documents from its entries' pieces, where there are none to reuse."""
        with self._workshop.stage("compare"):
            todo = [
                (feed, number)
                for number, form in enumerate(formats)
                for feed in self._feeds
                if not self._taken_over(
                    feed.path + form.filename, same=feed.path in self._unchanged
                )
                and not self._reused(reuse.find(feed, form))
            ]
            found = _distinct(entry for feed in reuse.found for entry in feed.latest)
            keep_shown(found, self._site, self._workshop)
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
                reuse.keep(feed, form, self.documents[path].etag)
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
        """Make the pages of each feed, each entry's own, and their style sheet."""
        with self._workshop.stage("pages"):
            self._make_feed_pages(pages)
            self._make_entry_pages(pages)
            self._add(*pages.style())
            self._make_guides(pages)

    def _make_guides(self, pages: "Pages") -> None:
        """Make what leads to the feeds, and to the pages made before."""
        then = pages.guides.of(self._before.feeds) if self._before else ()
        earlier = {guide.path: guide for guide in then}
        for guide in pages.guides.of(self._feeds):
            old = earlier.get(guide.path)
            if not self._taken_over(guide.path, same=bool(old and old.shows == guide.shows)):
                self._add(guide.path, guide.media_type, guide.make(guide.shows))
        for path, body in pages.guides.sitemap(self._feeds, self.documents):
            self._add(path, pages.guides.sitemap_type, body)

    def _make_feed_pages(self, pages: "Pages") -> None:
        near = pages.listings.neighbours(self._feeds)
        near_before = pages.listings.neighbours(self._before.feeds) if self._before else {}
        todo = [
            (feed, listing)
            for feed in self._feeds
            for listing, same in self._listings(feed, pages)
            if not self._taken_over(
                pages.listings.path(feed, listing),
                same=same and (bool(listing.wider) or near[feed.path] == near_before[feed.path]),
            )
        ]
        entries = _distinct(entry for _, page in todo for entry in page.entries)
        items = self._workshop.in_turn("pages", pages.entries.items, entries)
        pieces = {entry.id: piece for entry, piece in zip(entries, items, strict=True)}
        inputs = [(feed, listing, near[feed.path]) for feed, listing in todo]
        make = partial(pages.listings.pages, pieces)
        bodies = self._workshop.in_turn("pages", make, inputs)
        for (feed, listing), body in zip(todo, bodies, strict=True):
            self._add(pages.listings.path(feed, listing), pages.media_type, body)

    def _listings(self, feed: Feed, pages: "Pages") -> Iterator[tuple["Listing", bool]]:
        """Give each page that lists entries of a feed, and whether it listed the same before."""
        now = pages.listings.of(feed)
        if feed.path in self._unchanged:
            yield from ((listing, True) for listing in now)
            return
        earlier = self._earlier.get(feed.path)
        renamed = not earlier or _names(feed) != _names(earlier)
        then = (
            {}
            if not earlier or renamed
            else {listing.period: listing for listing in pages.listings.of(earlier)}
        )
        yield from ((listing, listing.is_like(then.get(listing.period))) for listing in now)

    def _make_entry_pages(self, pages: "Pages") -> None:
        earlier = _with_those_around(self._before.feeds[0].entries) if self._before else {}
        around = _with_those_around(self._feeds[0].entries)
        todo = [
            entry
            for entry in self._feeds[0].entries
            if not self._taken_over(
                pages.path(entry),
                same=entry.id in earlier and all(map(is_, around[entry.id], earlier[entry.id])),
            )
        ]
        inputs = [
            (entry, body, around[entry.id][0], around[entry.id][2])
            for entry, body in show(todo, self._site, self._workshop)
        ]
        bodies = self._workshop.in_turn("pages", pages.entries.pages, inputs)
        for entry, body in zip(todo, bodies, strict=True):
            self._add(pages.path(entry), pages.media_type, body)

    def _taken_over(self, path: str, *, same: bool) -> bool:
        """Take a document from before where it would be the same; tell whether there was one."""
        old = self._before.get(path) if same and self._before else None
        if old:
            self.documents[path] = old
        return old is not None

    def _reused(self, document: Document | None) -> bool:
        if document:
            self.documents[document.path] = document
        return document is not None

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
        and feed.id == other.id
        and _names(feed) == _names(other)
        and feed.updated.isoformat() == other.updated.isoformat()
    )


def _names(feed: Feed) -> tuple[str, str]:
    return feed.title, feed.description


def _with_those_around(
    entries: Sequence[Entry],
) -> dict[str, tuple[Entry | None, Entry, Entry | None]]:
    """Give each entry between the one before it and the one after it, by its id."""
    around = zip((None, *entries), entries, (*entries[1:], None), strict=False)
    return {found[1].id: found for found in around}


def _distinct(entries: Iterable[Entry]) -> list[Entry]:
    return list({entry.id: entry for entry in entries}.values())
