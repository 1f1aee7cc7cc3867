"""The wire formats: one row each here, one module each beside this one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feeds.formats import feedgen_xml, json_feed
from feeds.model import Entry, Feed, Site
from feeds.paths import FEEDS

__all__ = ["FORMATS", "Format"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A wire syntax: what it is called, where its documents lie, and how they are made.

    `key` is what `site.formats` calls it. `render_entries` gives a piece of each
    entry, which comes with its body's HTML; the piece does not depend on the
    feed that carries it. `join` gives a feed's document from the pieces of its
    latest entries and the document's own address.
    """

    key: str
    name: str
    filename: str
    media_type: str
    render_entries: Callable[[Sequence[tuple[Entry, str]], Site], list[bytes]]
    join: Callable[[Feed, Sequence[bytes], Site, str], bytes]


FORMATS = (
    Format(
        key="atom",
        name="Atom",
        filename=FEEDS["atom"],
        media_type="application/atom+xml; charset=utf-8",
        render_entries=feedgen_xml.atom_entries,
        join=feedgen_xml.atom_feed,
    ),
    Format(
        key="rss",
        name="RSS",
        filename=FEEDS["rss"],
        media_type="application/rss+xml; charset=utf-8",
        render_entries=feedgen_xml.rss_items,
        join=feedgen_xml.rss_feed,
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
