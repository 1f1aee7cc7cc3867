"""Catalogue → a plan of each document: where it is, what its bytes depend on, and how they are made."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from feeds.errors import FeedsError
from feeds.files import Stamp, read_media, static_files
from feeds.formats import FORMATS, Format, feed_style
from feeds.formats.sitemap import SITEMAP_TYPE, sitemap
from feeds.inputs import digest, entry_digest, site_digest
from feeds.model import Catalogue, Entry, Feed, Site
from feeds.selection import RelatedFeeds, next_change, related_feeds, select
from feeds.urls import HEALTH, INDEX, SITEMAP, STATIC, TEMPLATES, covering_rule, sitemap_parts

if TYPE_CHECKING:
    from feeds.pages import Pages
    from feeds.pages.archive import Listing
    from feeds.pages.discovery import DiscoveryDocument

_PAGE = "text/html"
# At the end of the names of compressed files.
_COMPRESSED = {"br", "gz"}
# An entry with its body's HTML.
Shown = tuple[Entry, str]
Pieces = Sequence[bytes]
# The kinds of pieces of an entry, beside those of the formats, which have the formats' keys.
BODY, ITEM = "body", "item"


class Plan(NamedTuple):
    """One document to be: its path and media type, a digest of its inputs, and what makes it.

    `render` is given a piece of each of the `entries`, of the kind `piece`. It may
    raise FeedsError.
    """

    path: str
    media_type: str
    inputs: str
    render: Callable[[Pieces], bytes]
    piece: str = ""
    entries: Sequence[Entry] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSite:
    """Every document that a catalogue has at a moment, feeds before pages.

    `feeds` are what the documents show, and first that of everything. `until` is
    the next moment at which the same catalogue gives other documents, None for
    never. `renderers` give, for each kind of pieces, those of some entries.
    `host_plans` are files that configure a host, which are not documents.
    """

    catalogue: Catalogue
    feeds: Sequence[Feed]
    formats: Sequence[Format]
    as_of: datetime
    until: datetime | None
    plans: Sequence[Plan]
    renderers: Mapping[str, Callable[[Sequence[Shown]], list[bytes]]]
    host_plans: Sequence[Plan] = ()

    @property
    def site(self) -> Site:
        """The catalogue's site."""
        return self.catalogue.site


def plan_site(
    catalogue: Catalogue,
    *,
    as_of: datetime,
    formats: Sequence[Format] = FORMATS,
    pages: bool = True,
) -> PlannedSite:
    """Return the plan of a catalogue's documents at an aware datetime.

    Of the formats those count that the site has; without `pages` there are the
    feeds alone. Raises FeedsError where a file in `static/` takes a document's
    place, or a template is not valid.
    """
    site = catalogue.site
    feeds = select(catalogue, as_of)
    formats = tuple(form for form in formats if form.key in site.formats)
    planner = _Planner(catalogue, feeds, formats)
    plans = [*planner.feeds(), *planner.pictures()]
    renderers: dict[str, Callable[[Sequence[Shown]], list[bytes]]] = {
        form.key: partial(_pieces, form, site) for form in formats
    }
    if pages:
        plans += planner.pages()
        renderers |= {BODY: _bodies, ITEM: planner.items}
    plans += planner.static({plan.path for plan in plans})
    plans.sort(key=lambda plan: plan.media_type.startswith(_PAGE))
    return PlannedSite(
        catalogue=catalogue,
        feeds=feeds,
        formats=formats,
        as_of=as_of,
        until=next_change(catalogue, as_of),
        plans=plans,
        renderers=renderers,
    )


class _Planner:
    """Plans the documents of one site."""

    def __init__(
        self, catalogue: Catalogue, feeds: Sequence[Feed], formats: Sequence[Format]
    ) -> None:
        self._catalogue = catalogue
        self._site = catalogue.site
        self._feeds = feeds
        self._formats = tuple(formats)
        self._digest = site_digest(catalogue.site)
        self._entries = _Digests()

    def feeds(self) -> Iterator[Plan]:
        """Yield each feed's document in each format, and the style sheet that they name."""
        for feed in self._feeds:
            inputs = digest(self._digest, *_about(feed), self._entries.of(feed.latest))
            for form in self._formats:
                path = feed.path + form.filename
                yield Plan(
                    path,
                    form.media_type,
                    f"{inputs}{form.key}",
                    partial(_join, form, feed, self._site),
                    form.key,
                    feed.latest,
                )
        if any(form.shown_as for form in self._formats):
            path, media_type, body = feed_style()
            yield Plan(path, media_type, self._digest, partial(_fixed, body))

    def pictures(self) -> Iterator[Plan]:
        """Yield each picture that an entry shows, which is read as it was when it was measured."""
        shown = {entry.photo.url for entry in self._feeds[0].entries if entry.photo}
        for picture in self._catalogue.pictures:
            if self._site.address(picture.path) in shown:
                inputs = digest(self._digest, repr(picture.stamp))
                render = partial(_file, picture.file, picture.stamp)
                yield Plan(picture.path, picture.media_type, inputs, render)

    def static(self, taken: set[str]) -> Iterator[Plan]:
        """Yield each file in `static/`.

        Raises FeedsError where one is in the way of a document or its folder, of the
        server's own address, of the compressed form of a file, or of an address that
        was given up.
        """
        beside = self._catalogue.beside
        if beside is None:
            return
        files = static_files(beside / STATIC)
        given_up = {*self._site.moved, *self._site.retired}
        taken |= {HEALTH}
        folders = {folder for path in taken for folder in _folders(path)}
        for path, found in files.items():
            leader, _, ending = path.rpartition(".")
            others = (
                *(other for other in (path, *_folders(path)) if other in taken),
                *([f"{path}/"] if path in folders else []),
                # It would be sent as the compressed form of that file.
                *([leader] if ending in _COMPRESSED and leader in taken | files.keys() else []),
                *filter(None, [covering_rule(path, given_up)]),
            )
            if others:
                raise FeedsError(f"{found.file}: would take the place of {others[0]!r}; rename it")
            inputs = digest(self._digest, repr(found.stamp))
            yield Plan(path, found.media_type, inputs, partial(_file, found.file, found.stamp))

    def pages(self) -> Iterator[Plan]:
        """Yield the pages that list entries, each entry's own, and what leads to the feeds."""
        pages = self._pages
        listed = [*self._listings(), *self._entry_pages()]
        yield from listed
        path, media_type, _ = pages.style()
        yield Plan(path, media_type, self._of_pages, lambda _: pages.style()[2])
        found = [*pages.discovery.of(self._feeds)]
        for document in found:
            inputs = digest(self._of_pages, repr(document.shows))
            yield Plan(document.path, document.media_type, inputs, partial(_discovery, document))
        yield from self._sitemap(
            [*(plan.path for plan in listed), *(document.path for document in found)]
        )

    def items(self, shown: Sequence[Shown]) -> list[bytes]:
        """Return some entries as they stand in every page that lists them."""
        return [self._pages.entries.item(entry) for entry, _ in shown]

    def _listings(self) -> Iterator[Plan]:
        listings = self._pages.listings
        related = related_feeds(self._feeds)
        for feed in self._feeds:
            about = digest(
                self._of_pages, feed.path, feed.title, feed.description, *self._all(feed)
            )
            for listing in listings.of(feed):
                # Pages of the archive name no other feeds.
                around = "" if listing.wider else repr(related[feed.path])
                periods = (listing.period, listing.periods, listing.wider)
                turns = repr((periods, listing.newer, listing.older))
                inputs = digest(about, turns, around, self._entries.of(listing.entries))
                render = partial(self._listing, feed, listing, related[feed.path])
                path = listings.path(feed, listing)
                yield Plan(path, self._pages.media_type, inputs, render, ITEM, listing.entries)

    def _all(self, feed: Feed) -> Sequence[str | bytes]:
        """Return what templates of the publication's own may show of a feed, and ours do not."""
        return (*_about(feed), self._entries.of(feed.entries)) if self._templates else ()

    def _listing(
        self, feed: Feed, listing: "Listing", related: RelatedFeeds, pieces: Pieces
    ) -> bytes:
        return self._pages.listings.page(feed, listing, related, pieces)

    def _entry_pages(self) -> Iterator[Plan]:
        entries = self._feeds[0].entries
        around = zip((None, *entries), entries, (*entries[1:], None), strict=False)
        for newer, entry, older in around:
            if entry:
                known = [found for found in (newer, entry, older) if found]
                at_the_end = f"{newer is None}{older is None}"
                inputs = digest(self._of_pages, at_the_end, self._entries.of(known))
                render = partial(self._entry_page, entry, newer, older)
                path = self._pages.entries.path(entry)
                yield Plan(path, self._pages.media_type, inputs, render, BODY, (entry,))

    def _entry_page(
        self, entry: Entry, newer: Entry | None, older: Entry | None, pieces: Pieces
    ) -> bytes:
        [body] = pieces
        return self._pages.entries.page(entry, body.decode(), newer, older)

    def _sitemap(self, paths: Sequence[str]) -> Iterator[Plan]:
        site, feeds = self._site, self._feeds

        @lru_cache(maxsize=1)
        def documents() -> Mapping[str, bytes]:
            return dict(sitemap(site, feeds, paths))

        changed = [feed.updated.isoformat() for feed in feeds]
        entries = self._entries.of(feeds[0].entries)
        inputs = digest(self._of_pages, repr(sorted(paths)), repr(changed), entries)
        pages = sum(path.endswith(INDEX) for path in paths)
        for path in (SITEMAP, *sitemap_parts(pages)):
            yield Plan(path, SITEMAP_TYPE, inputs, partial(_member, documents, path))

    @cached_property
    def _templates(self) -> str:
        """A digest of the publication's own templates; empty if there are none."""
        from feeds.pages.templating import template_files  # noqa: PLC0415

        beside = self._catalogue.beside
        found = template_files(beside / TEMPLATES) if beside else {}
        return digest(repr(found)) if found else ""

    @cached_property
    def _of_pages(self) -> str:
        """A digest of what every page depends on."""
        keys = repr([form.key for form in self._formats])
        return digest(self._digest, keys, self._templates)

    @cached_property
    def _pages(self) -> "Pages":
        return _site_pages(
            replace(self._site, moved={}, retired=frozenset()),
            self._formats,
            self._catalogue.beside,
            self._templates,
        )


def _folders(path: str) -> Iterator[str]:
    """Yield the folders that a path is in, without a slash at their end."""
    while path := path.rpartition("/")[0]:
        yield path


class _Digests:
    """The digest of each entry, made when it is first needed."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def of(self, entries: Iterable[Entry]) -> bytes:
        """Return the digests of entries, whose ids differ, one behind the other."""
        return b"".join([self._known.get(entry.id) or self._add(entry) for entry in entries])

    def _add(self, entry: Entry) -> bytes:
        found = self._known[entry.id] = entry_digest(entry)
        return found


@lru_cache(maxsize=1)
def _site_pages(
    site: Site, formats: tuple[Format, ...], beside: Path | None, _templates: str
) -> "Pages":
    """Return the pages of a site, whose templates take their time to compile."""
    # Who wants feeds alone needs no Jinja.
    from feeds.pages import Pages  # noqa: PLC0415

    return Pages(site, formats, templates=beside and beside / TEMPLATES)


def _about(feed: Feed) -> Sequence[str]:
    """Return what a feed's documents say of the feed itself."""
    return (
        *(feed.id, feed.path, feed.title, feed.description, feed.updated.isoformat()),
        *map(repr, (feed.topic, feed.country)),
    )


def _pieces(form: Format, site: Site, shown: Sequence[Shown]) -> list[bytes]:
    return form.render_entries(shown, site)


def _bodies(shown: Sequence[Shown]) -> list[bytes]:
    return [body.encode() for _, body in shown]


def _join(form: Format, feed: Feed, site: Site, pieces: Pieces) -> bytes:
    return form.join(feed, pieces, site, site.address(feed.path + form.filename))


def _fixed(body: bytes, _: Pieces) -> bytes:
    return body


def _file(file: Path, stamp: Stamp, _: Pieces) -> bytes:
    return read_media(file, stamp)


def _discovery(document: "DiscoveryDocument", _: Pieces) -> bytes:
    return document.render()


def _member(documents: Callable[[], Mapping[str, bytes]], path: str, _: Pieces) -> bytes:
    return documents()[path]
