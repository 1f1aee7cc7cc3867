"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

import json
from collections.abc import Sequence
from typing import Any

from feeds.formats.content import content
from feeds.formats.enclosures import enclosures
from feeds.model import Attachment, Entry, Feed, Person, Photo, Site


def render_entries(entries: Sequence[tuple[Entry, str]], site: Site) -> list[bytes]:
    """Return each entry as an item, on one line."""
    return [_item(entry, body, site) for entry, body in entries]


def _item(entry: Entry, body: str, site: Site) -> bytes:
    photo = entry.photo or Photo()
    html = content(entry, body, site.language)
    return _dump(
        {
            "id": site.entry_id(entry, "json"),
            "url": site.link(entry),
            "title": entry.title,
            **({"content_html": html} if html else {"content_text": entry.summary or entry.title}),
            "summary": entry.summary,
            "image": photo.url,
            "date_published": entry.published.isoformat(),
            "date_modified": entry.updated.isoformat(),
            "authors": [_author(person) for person in entry.authors],
            "language": entry.language,
            "tags": [label.name for label in entry.labels],
            "attachments": [_attachment(file) for file in enclosures(entry)],
            # Our extension: JSON Feed lacks these.
            "_photo": present({"credit": photo.credit, "alt": photo.alt}),
        }
    )


def _attachment(file: Attachment) -> dict[str, Any]:
    return present(
        {
            "url": file.url,
            "mime_type": file.media_type,
            "title": file.title,
            "size_in_bytes": file.length,
            # Our extension, as for photos.
            "_document": present({"language": file.language, "pages": file.pages}),
        }
    )


def join(feed: Feed, items: Sequence[bytes], site: Site, address: str) -> bytes:
    """Return a feed's document: one line for the feed, and one for each item."""
    head = _dump(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.title,
            "description": feed.description,
            "home_page_url": site.address(feed.path),
            "feed_url": address,
            "icon": site.logo,
            "favicon": site.icon,
            "language": site.language,
            "authors": [_author(site.author)],
            "hubs": [{"type": "WebSub", "url": site.hub}] if site.hub else [],
        }
    )
    return b'%s,\n"items": [\n%s\n]}\n' % (head.removesuffix(b"}"), b",\n".join(items))


def _author(person: Person) -> dict[str, str]:
    url = person.uri or (f"mailto:{person.email}" if person.email else "")
    return present({"name": person.name, "url": url})


def _dump(members: dict[str, Any]) -> bytes:
    return json.dumps(present(members), ensure_ascii=False).encode()


def present(members: dict[str, Any]) -> dict[str, Any]:
    """Return the members that have a value."""
    return {name: value for name, value in members.items() if value}
