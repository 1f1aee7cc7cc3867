"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

import json
from collections.abc import Sequence
from typing import Any

from feeds.formats.content import content
from feeds.model import Entry, Feed, Person, Photo, Site


def render_entries(entries: Sequence[tuple[Entry, str]], site: Site) -> list[bytes]:
    """Return each entry as an item, on one line."""
    return [_item(entry, body, site) for entry, body in entries]


def _item(entry: Entry, body: str, site: Site) -> bytes:
    photo = entry.photo
    html = content(entry, body)
    text = {"content_html": html} if html else {"content_text": entry.summary or entry.title}
    return _dump(
        {
            "id": site.tag(entry.id),
            "url": site.link(entry),
            "title": entry.title,
            **text,
            "summary": entry.summary,
            "image": photo.url if photo else "",
            "date_published": entry.published.isoformat(),
            "date_modified": entry.updated.isoformat(),
            "authors": [_author(entry.author)] if entry.author else [],
            "tags": [label.name for label in entry.labels],
            "attachments": _attachments(photo),
            "_photo": _photo(photo),
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
    return {"name": person.name, "url": url} if url else {"name": person.name}


def _attachments(photo: Photo | None) -> list[dict[str, Any]]:
    if not (photo and photo.url and photo.length and photo.media_type):
        return []
    return [{"url": photo.url, "mime_type": photo.media_type, "size_in_bytes": photo.length}]


def _photo(photo: Photo | None) -> dict[str, str]:
    """Return the members of our extension `_photo`, which JSON Feed itself lacks."""
    if not photo:
        return {}
    return {name: text for name, text in (("credit", photo.credit), ("alt", photo.alt)) if text}


def _dump(members: dict[str, Any]) -> bytes:
    """Return an object as JSON, without its empty members."""
    kept = {name: value for name, value in members.items() if value not in ("", [], {})}
    return json.dumps(kept, ensure_ascii=False).encode()
