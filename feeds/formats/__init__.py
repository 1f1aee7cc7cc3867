"""The wire formats: one row each here, one module each beside this one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feeds.formats import feedgen_xml, json_feed
from feeds.model import Entry, Feed, Site

__all__ = ["FORMATS", "Format"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A wire syntax: what it is called, where its documents lie, and how they are made.

    `render_entry` gives an entry's piece from its body's HTML; the piece does
    not depend on the feed that carries it. `join` gives a feed's document from
    the pieces of its latest entries and the document's own address.
    """

    name: str
    filename: str
    media_type: str
    render_entry: Callable[[Entry, str, Site], bytes]
    join: Callable[[Feed, Sequence[bytes], Site, str], bytes]


FORMATS = (
    Format(
        name="Atom",
        filename="atom.xml",
        media_type="application/atom+xml; charset=utf-8",
        render_entry=feedgen_xml.atom_entry,
        join=feedgen_xml.atom_feed,
    ),
    Format(
        name="RSS",
        filename="rss.xml",
        media_type="application/rss+xml; charset=utf-8",
        render_entry=feedgen_xml.rss_item,
        join=feedgen_xml.rss_feed,
    ),
    Format(
        name="JSON Feed",
        filename="feed.json",
        media_type="application/feed+json",
        render_entry=json_feed.item,
        join=json_feed.feed,
    ),
)
