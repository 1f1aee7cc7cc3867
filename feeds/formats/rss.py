"""RSS 2.0 (https://www.rssboard.org/rss-specification) through feedgen: a feed and an item in it.

RSS's description is HTML. It does not say whether a title is text or HTML, and
most readers take it for HTML: see `as_html`.
"""

from html import escape

from feedgen.feed import FeedGenerator

from feeds.formats.content import as_html, excerpt
from feeds.formats.enclosures import enclosures
from feeds.formats.feedgen_ext import (
    CREATIVE_COMMONS,
    DC,
    DCTERMS,
    MEDIA,
    FeedgenFormat,
    feed_entry,
    feed_generator,
)
from feeds.model import Entry, Feed, Site


def generator_of(feed: Feed, site: Site, address: str) -> FeedGenerator:
    """Return feedgen's generator for a feed's document at an address, without items yet."""
    generator = feed_generator(feed, site, address, "application/rss+xml")
    generator.extra.names = {"dc": DC, "dcterms": DCTERMS, **generator.extra.names}
    if any(entry.documents for entry in feed.latest):
        generator.extra.names["media"] = MEDIA
    if site.license or any(entry.license for entry in feed.latest):
        generator.extra.names["creativeCommons"] = CREATIVE_COMMONS
    generator.extra.hub = site.hub
    generator.extra.language = site.language
    generator.extra.license = site.license
    title, description = feed.title, feed.description or feed.title
    generator.title(as_html(title))
    generator.description(as_html(description))
    generator.extra.alternative = title if as_html(title) != title else ""
    generator.extra.abstract = description if as_html(description) != description else ""
    if site.author.email:
        generator.managingEditor(f"{site.author.email} ({site.author.name})")
    generator.ttl(max(site.max_age // 60, 1))  # minutes
    return generator


def add_entry(generator: FeedGenerator, entry: Entry, body: str, site: Site) -> None:
    """Append an entry, which comes with its body's HTML, to a generator."""
    # An item may have one.
    item = feed_entry(generator, entry, body, site, enclosures(entry)[:1])
    title, summary = as_html(entry.title), escape(entry.summary, quote=False)
    item.title(title)
    if summary:
        item.summary(summary)
    item.guid(site.entry_id(entry, "rss"), permalink=entry.guid.permalink)
    item.extra.creators = [person.name for person in site.authors(entry)]
    item.extra.updated = entry.updated.isoformat()
    item.extra.alternative = entry.title if title != entry.title else ""
    abstract = entry.summary if summary else excerpt(body) or entry.title
    item.extra.abstract = abstract if abstract != summary else ""


FORMAT = FeedgenFormat(
    generator_of, add_entry, FeedGenerator.rss_str, b"    <item", b"  </channel>\n</rss>\n"
)
