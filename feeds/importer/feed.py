"""A feed as the source of an import: RSS, Atom or JSON Feed, with its further pages."""

from collections.abc import Callable
from urllib.parse import urljoin

from feeds.importer.fetch import Fetched
from feeds.importer.items import Document, Item, Remark, Source
from feeds.importer.json_document import read_json
from feeds.importer.xml_document import read_xml

_MAX_PAGES = 500
_MAX_ITEMS = 100_000

# Returns the page at a link from a page, or None.
Follow = Callable[[str, Fetched], Fetched | None]


def read_feed(page: Fetched, follow: Follow | None) -> Source:
    """Return the items of a feed, with those of the further pages that it links to.

    Without `follow`, as for a file, nothing is fetched.
    An item without an id keeps its link as one, as feed readers do. Raises FeedsError.
    """
    first = _read(page)
    items = {_key(item): item for item in first.source.items}
    remarks = [*first.source.remarks]
    feeds = {**first.source.feeds}
    document, seen = first, {page.url}
    for _ in range(_MAX_PAGES):
        link = document.more
        address = urljoin(page.url, link) if link else ""
        if not address or address in seen or len(items) >= _MAX_ITEMS:
            break
        seen.add(address)
        following = follow(link, page) if follow else None
        if following is None:
            remarks.append(Remark(page.name, f"links to more at {address}, which is not fetched"))
            break
        page, document = following, _read(following)
        remarks += document.source.remarks
        for item in document.source.items:
            items.setdefault(_key(item), item)
    site = dict(first.source.site)
    if document is not first:
        # Readers of the first page have not seen the others.
        site["items"] = str(len(first.source.items))
    return Source(
        name=first.source.name,
        items=tuple(items.values()),
        site=site,
        feeds=feeds,
        feed_id=first.source.feed_id,
        remarks=tuple(remarks),
    )


def _key(item: Item) -> object:
    """Return what a further page repeats if it has the same item again."""
    return tuple(item.guid.items()) or item.place


def _read(page: Fetched) -> Document:
    return read_json(page) if page.start.startswith(b"{") else read_xml(page)
