"""Plan each document of a catalogue: its path, a digest of what its bytes depend on, how to render it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, cached_property, partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from feeds.errors import FeedsError
from feeds.formats import FORMATS, MEDIA_TYPES, Format, feed_style
from feeds.formats.sitemap import sitemap
from feeds.headers import is_page
from feeds.inputs import digest, entry_digest, site_digest
from feeds.media_types import with_charset
from feeds.model import Catalogue, Entry, Feed, Site
from feeds.pictures import DamagedPicture, without_metadata
from feeds.selection import next_change, related_feeds, select
from feeds.storage import Stamp, read_media, static_files
from feeds.urls import (
    HEALTH,
    INDEX,
    METRICS,
    SITEMAP,
    STATIC,
    TEMPLATES,
    covering_rule,
    sitemap_parts,
)

if TYPE_CHECKING:
    from feeds.pages import Pages
    from feeds.pages.discovery import DiscoveryDocument

# Not in any text of a catalogue.
_SEPARATOR = "\x1f"
_ID_OF = attrgetter("id")
# The suffixes of compressed files.
_COMPRESSED = {"br", "gz"}
# An entry with its body's HTML.
Shown = tuple[Entry, str]
Pieces = Sequence[bytes]
# The kinds of pieces of an entry, beside those of the formats, which have the formats' keys.
BODY, ITEM = "body", "item"


class Plan(NamedTuple):
    """A document to be rendered: its path, its media type, and a digest of its inputs.

    `render` gets a piece of each of the `entries`, of the kind `piece`, and returns the
    document's bytes. It may raise FeedsError.
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

    `feeds` are the feeds that the documents show; the first has all entries. `until` is
    the next moment at which the same catalogue has other documents, None for never.
    `renderers` return, for each kind of pieces, those of some entries. `host_plans`
    are files that configure a host, which are not documents.
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

    Formats that the site does not have are left out; without `pages` there are the
    feeds alone. Raises FeedsError if a file in `static/` conflicts with a document, or
    a template is not valid.
    """
    site = catalogue.site
    feeds = select(catalogue, as_of)
    formats = tuple(form for form in formats if form.key in site.formats)
    planner = _Planner(catalogue, feeds, formats)
    plans = [*planner.feeds(), *planner.media(as_of)]
    renderers: dict[str, Callable[[Sequence[Shown]], list[bytes]]] = {
        form.key: partial(_pieces, form, site) for form in formats
    }
    if pages:
        plans += planner.pages()
        renderers[BODY] = lambda shown: [body.encode() for _, body in shown]
        renderers[ITEM] = planner.items
    plans += planner.static(plans)
    plans.sort(key=lambda plan: is_page(plan.media_type))
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
        self._known: dict[str, bytes] = {}

    def feeds(self) -> Iterator[Plan]:
        """Yield each feed's document in each format, and the style sheet that they refer to."""
        site = self._site
        for feed in self._feeds:
            inputs = digest(self._digest, _about(feed), self._digests(feed.latest))
            for form in self._formats:
                render = partial(_join, form, feed, site)
                path, key = feed.path + form.filename, form.key
                yield Plan(path, form.media_type, inputs + key, render, key, feed.latest)
        if any(form.shown_as for form in self._formats):
            path, media_type, body = feed_style()
            yield Plan(path, media_type, self._digest, lambda _: body)

    def media(self, as_of: datetime) -> Iterator[Plan]:
        """Yield each file in `media/` that an entry uses which is public."""
        for found in self._catalogue.media:
            if found.public_from and found.public_from <= as_of:
                inputs = digest(self._digest, repr(found.stamp))
                # It must still be as it was when it was measured.
                render = partial(_file, found.file, found.stamp)
                yield Plan(found.path, with_charset(found.media_type), inputs, render)

    def static(self, plans: Iterable[Plan]) -> Iterator[Plan]:
        """Yield each file in `static/`.

        Raises FeedsError if one conflicts with a document or its folder, with the
        server's own addresses, with the compressed form of a file, or with an address
        that has moved or is gone.
        """
        beside = self._catalogue.beside
        files = static_files(beside / STATIC) if beside else {}
        if not files:
            return
        redirected = {*self._site.moved, *self._site.retired}
        taken = {HEALTH, METRICS, *(plan.path for plan in plans)}
        folders = {folder for path in taken for folder in _folders(path)}
        for path, found in files.items():
            base, _, ending = path.rpartition(".")
            others = (
                *(other for other in (path, *_folders(path)) if other in taken),
                *([f"{path}/"] if path in folders else []),
                # It would be sent as the compressed form of that file.
                *([base] if ending in _COMPRESSED and base in taken | files.keys() else []),
                *filter(None, [covering_rule(path, redirected)]),
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
        path, media_type, style = pages.style()
        yield Plan(path, media_type, self._of_pages, lambda _: style)
        found = [*pages.discovery.of(self._feeds)]
        for document in found:
            inputs = digest(self._of_pages, repr(document.shows))
            yield Plan(document.path, document.media_type, inputs, partial(_discovery, document))
        yield from self._sitemap(
            [*(plan.path for plan in listed), *(document.path for document in found)]
        )

    def items(self, shown: Sequence[Shown]) -> list[bytes]:
        """Return entries as they appear in every page that lists them."""
        return [self._pages.entries.item(entry) for entry, _ in shown]

    def _listings(self) -> Iterator[Plan]:
        listings, media_type = self._pages.listings, self._pages.media_type
        related = related_feeds(self._feeds)
        self._digests(self._feeds[0].entries)
        for feed in self._feeds:
            about = _SEPARATOR.join((feed.path, feed.title, feed.description))
            around = repr(related[feed.path])
            more = ""
            if self._templates:
                # The publication's own may show more of a feed than ours do, on each page.
                more = digest(_about(feed), self._digests(feed.entries), around)
            for listing in listings.of(feed):
                # Pages of the archive name no other feeds. Their path implies their period.
                shown = (
                    repr((listing.periods, listing.newer, listing.older)) + more
                    if listing.wider
                    else repr(listing.periods) + around + more
                )
                path = listings.path(feed, listing)
                entries = self._digests(listing.entries)
                inputs = digest(self._of_pages, about, shown, entries)
                render = partial(listings.page, feed, listing, related[feed.path])
                yield Plan(path, media_type, inputs, render, ITEM, listing.entries)

    def _entry_pages(self) -> Iterator[Plan]:
        pages, media_type = self._pages.entries, self._pages.media_type
        entries = self._feeds[0].entries
        around = zip((None, *entries), entries, (*entries[1:], None), strict=False)
        digests = [b"", *(self._digests([entry]) for entry in entries), b""]
        for at, (newer, entry, older) in enumerate(around):
            inputs = digest(self._of_pages, digests[at], digests[at + 2], digests[at + 1])
            render = partial(pages.page, entry, newer, older)
            yield Plan(pages.path(entry), media_type, inputs, render, BODY, (entry,))

    def _sitemap(self, paths: Sequence[str]) -> Iterator[Plan]:
        site, feeds = self._site, self._feeds
        documents = cache(lambda: dict(sitemap(site, feeds, paths)))
        changed = [feed.updated.isoformat() for feed in feeds]
        entries = self._digests(feeds[0].entries)
        inputs = digest(self._of_pages, "\n".join(sorted(paths)), repr(changed), entries)
        pages = sum(path.endswith(INDEX) for path in paths)
        for path in (SITEMAP, *sitemap_parts(pages)):
            yield Plan(path, MEDIA_TYPES["xml"], inputs, partial(_member, documents, path))

    def _digests(self, entries: Sequence[Entry]) -> bytes:
        """Return the concatenated digests of entries, each computed when it is first needed."""
        try:
            return b"".join(map(self._known.__getitem__, map(_ID_OF, entries)))
        except KeyError:
            missing = [entry for entry in entries if entry.id not in self._known]
            self._known |= {entry.id: entry_digest(entry) for entry in missing}
            return self._digests(entries)

    @cached_property
    def _templates(self) -> str:
        """A digest of the publication's own templates; empty if it has none."""
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
        # Feeds alone do not need Jinja.
        from feeds.pages import Pages  # noqa: PLC0415

        beside = self._catalogue.beside
        # Without what the digests leave out.
        site = replace(self._site, moved={}, retired=frozenset())
        return Pages(site, self._formats, templates=beside and beside / TEMPLATES)


def _folders(path: str) -> Iterator[str]:
    """Yield the folders around a path, without a final slash."""
    while path := path.rpartition("/")[0]:
        yield path


def _about(feed: Feed) -> str:
    """Return everything that a feed's documents show of the feed itself."""
    texts = (feed.id, feed.path, feed.title, feed.description, feed.updated.isoformat())
    return f"{_SEPARATOR.join(texts)}{feed.topic!r}{feed.country!r}"


def _pieces(form: Format, site: Site, shown: Sequence[Shown]) -> list[bytes]:
    return form.render_entries(shown, site)


def _join(form: Format, feed: Feed, site: Site, pieces: Pieces) -> bytes:
    return form.join(feed, pieces, site, site.address(feed.path + form.filename))


def _file(file: Path, stamp: Stamp, _: Pieces) -> bytes:
    body = read_media(file, stamp)
    try:
        return without_metadata(body)
    except DamagedPicture as fault:
        raise FeedsError(f"{file}: {fault}") from None


def _discovery(document: "DiscoveryDocument", _: Pieces) -> bytes:
    return document.render()


def _member(documents: Callable[[], Mapping[str, bytes]], path: str, _: Pieces) -> bytes:
    return documents()[path]
