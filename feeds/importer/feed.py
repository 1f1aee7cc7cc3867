"""A feed as the source of an import: RSS, Atom or JSON Feed, with its further pages."""

from collections.abc import Callable, Iterable
from urllib.parse import urljoin

from feeds.importer.fetch import Fetched
from feeds.importer.items import MAX_ITEMS, Document, Item, Remark, Source
from feeds.importer.json_document import read_json
from feeds.importer.xml_document import read_xml

_MAX_PAGES = 500

# Returns the page at a link from a page, or None.
Follow = Callable[[str, Fetched], Fetched | None]


def read_feed(page: Fetched, follow: Follow | None) -> Source:
    """Return the items of a feed, with those of the further pages that it links to.

    Without `follow`, as for a file, nothing is fetched.
    An item without an id keeps its link as one, as feed readers do. Raises FeedsError.
    """
    first = document = _read(page)
    items, remarks = [*first.source.items], [*first.source.remarks]
    known, seen = _ids(items), {page.url}
    while document.more:
        address = _joined(page.url, document.more)
        if address in seen:
            break
        seen.add(address)
        is_enough = len(seen) > _MAX_PAGES or len(items) >= MAX_ITEMS
        following = follow(document.more, page) if follow and not is_enough else None
        if following is None:
            message = (
                f"links to more items at {address}, which is not fetched;"
                " import that address, too, with --all"
            )
            remarks.append(Remark(page.name, message))
            break
        page, document = following, _read(following)
        remarks += document.source.remarks
        # A further page may have some items again.
        new = [item for item in document.source.items if item.guid.get("id") not in known]
        known |= _ids(new)
        items += new
    site = dict(first.source.site)
    if document is not first:
        # Readers of the first page have not seen the others.
        site["items"] = str(len(first.source.items))
    return Source(
        name=first.source.name,
        items=tuple(items),
        site=site,
        feeds=first.source.feeds,
        feed_id=first.source.feed_id,
        remarks=tuple(remarks),
    )


def _ids(items: Iterable[Item]) -> set[str]:
    return {item.guid["id"] for item in items if "id" in item.guid}


def _joined(base: str, link: str) -> str:
    """Return the address of a link, or the link itself if it is not valid."""
    try:
        return urljoin(base, link)
    except ValueError:
        return link


def _read(page: Fetched) -> Document:
    return read_json(page) if page.start.startswith(b"{") else read_xml(page)
