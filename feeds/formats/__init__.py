"""The formats of feeds: one row each here, and one module each beside this one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from feeds.formats import atom, json_feed, rss
from feeds.model import Entry, Feed, Site
from feeds.urls import FEED_STYLE, FEEDS

__all__ = ["FORMATS", "MEDIA_TYPES", "Format", "feed_style"]

# Of every kind of document, but for pictures and static files.
MEDIA_TYPES = {
    "atom": "application/atom+xml; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/feed+json",
    "opml": "text/x-opml; charset=utf-8",
    "rss": "application/rss+xml; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    # Under this one a browser applies a style sheet to a feed (RFC 7303).
    "xml": "application/xml; charset=utf-8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format of feeds: its names, and how its documents are made.

    `key` is its name in `site.formats`, `filename` that of its documents.
    `render_entries` returns a piece for each entry, which is given with its body's HTML;
    the piece does not depend on the feed. `join` returns a feed's document from the
    pieces of its latest entries and the document's own address. `shown_as` is the media type under which a browser shows the
    document in the style of `feed_style`; empty if it has no style.
    """

    key: str
    name: str
    filename: str
    media_type: str
    render_entries: Callable[[Sequence[tuple[Entry, str]], Site], list[bytes]]
    join: Callable[[Feed, Sequence[bytes], Site, str], bytes]
    shown_as: str = ""


def feed_style() -> tuple[str, str, bytes]:
    """Return the path, media type and bytes of the style sheet for Atom and RSS."""
    css = files("feeds.formats").joinpath(FEED_STYLE).read_bytes()
    return FEED_STYLE, MEDIA_TYPES["css"], css


FORMATS = tuple(
    Format(
        key=key,
        name=name,
        filename=FEEDS[key],
        media_type=MEDIA_TYPES[key],
        render_entries=module.render_entries,
        join=module.join,
        shown_as=shown_as,
    )
    for key, name, module, shown_as in (
        ("atom", "Atom", atom.FORMAT, MEDIA_TYPES["xml"]),
        ("rss", "RSS", rss.FORMAT, MEDIA_TYPES["xml"]),
        ("json", "JSON Feed", json_feed, ""),
    )
)
