"""The wire formats: one row each here, one module each beside this one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from feeds.formats import atom, json_feed, rss
from feeds.model import Entry, Feed, Site
from feeds.urls import FEED_STYLE, FEEDS

__all__ = ["FORMATS", "Format", "feed_style"]

# The type under which a browser applies a style sheet to XML (RFC 7303).
_XML = "application/xml; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A wire syntax: what it is called, where its documents lie, and how they are made.

    `key` is what `site.formats` calls it. `render_entries` gives a piece of each
    entry, which comes with its body's HTML; the piece does not depend on the
    feed that carries it. `join` gives a feed's document from the pieces of its
    latest entries and the document's own address. `shown_as` is the media type
    under which a browser shows the document in the style of `feed_style`; empty
    where it has none.
    """

    key: str
    name: str
    filename: str
    media_type: str
    render_entries: Callable[[Sequence[tuple[Entry, str]], Site], list[bytes]]
    join: Callable[[Feed, Sequence[bytes], Site, str], bytes]
    shown_as: str = ""


def feed_style() -> tuple[str, str, bytes]:
    """Give the path, media type and bytes of the style sheet that the feeds name."""
    css = files("feeds.formats").joinpath(FEED_STYLE).read_bytes()
    return FEED_STYLE, "text/css; charset=utf-8", css


FORMATS = (
    Format(
        key="atom",
        name="Atom",
        filename=FEEDS["atom"],
        media_type="application/atom+xml; charset=utf-8",
        render_entries=atom.render_entries,
        join=atom.join,
        shown_as=_XML,
    ),
    Format(
        key="rss",
        name="RSS",
        filename=FEEDS["rss"],
        media_type="application/rss+xml; charset=utf-8",
        render_entries=rss.render_items,
        join=rss.join,
        shown_as=_XML,
    ),
    Format(
        key="json",
        name="JSON Feed",
        filename=FEEDS["json"],
        media_type="application/feed+json",
        render_entries=json_feed.items,
        join=json_feed.feed,
    ),
)
