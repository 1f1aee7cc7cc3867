"""RSS 2.0 (https://www.rssboard.org/rss-specification) through feedgen: a feed and an item in it.

RSS's description is HTML. It does not say whether a title is text or HTML, and
most readers take it for HTML: see `as_html`.
"""

import html
from collections.abc import Sequence
from email.utils import format_datetime
from functools import lru_cache, partial

from feedgen.feed import FeedGenerator

from feeds.formats.content import content
from feeds.formats.feedgen_ext import DC, Namespaces, RssFeed, RssItem, namespaces
from feeds.formats.labels import category
from feeds.formats.plain_text import DCTERMS, Plain, as_html, excerpt
from feeds.formats.sampling import ENTRY_TEXTS, Layouts, Text, cut
from feeds.formats.shells import Shells, feed_texts
from feeds.model import Entry, Feed, Site

# How an item has texts of an entry, beside the ways in which Atom has them.
TEXTS: tuple[Text, ...] = (
    *ENTRY_TEXTS,
    lambda entry, _: as_html(entry.title),
    lambda entry, _: html.escape(entry.summary, quote=False),
    lambda entry, _: format_datetime(entry.published),
)


def generator_of(feed: Feed, site: Site, address: str) -> FeedGenerator:
    """Return feedgen's generator for a feed's document at an address, still without items."""
    generator = FeedGenerator()
    generator.register_extension("extra", RssFeed, RssItem, atom=False)
    generator.extra.names = namespaces(feed, {"dc": DC, "dcterms": DCTERMS})
    generator.extra.path = feed.path
    generator.extra.hub = site.hub
    generator.extra.language = site.language
    title, description = feed.title, feed.description or feed.title
    generator.title(as_html(title))
    generator.description(as_html(description))
    generator.extra.plain = Plain(
        title if as_html(title) != title else "",
        description if as_html(description) != description else "",
    )
    if site.author.email:
        generator.managingEditor(f"{site.author.email} ({site.author.name})")
    # feedgen takes the last link for RSS's own: the page is that.
    generator.link(href=address, rel="self", type="application/rss+xml")
    generator.link(href=site.address(feed.path), rel="alternate", type="text/html")
    generator.generator("feeds")
    generator.language(site.language)
    # feedgen's default is now.
    generator.updated(feed.updated)
    if site.rights:
        generator.rights(site.rights)
    if site.logo:
        generator.logo(site.logo)
    # In minutes.
    generator.ttl(max(site.max_age // 60, 1))
    return generator


def add_item(generator: FeedGenerator, entry: Entry, body: str, site: Site) -> None:
    """Append an entry, which comes with its body's HTML, to a generator."""
    # feedgen's default is to put each before the others.
    item = generator.add_entry(order="append")
    title, summary = as_html(entry.title), html.escape(entry.summary, quote=False)
    item.title(title)
    item.published(entry.published)
    # feedgen's default is now; `extra` writes it.
    item.updated(entry.updated)
    item.category([category(label) for label in entry.labels])
    photo = entry.photo
    if photo and photo.url and photo.length and photo.media_type:
        item.enclosure(photo.url, str(photo.length), photo.media_type)
    item.link(href=site.link(entry), rel="alternate")
    if summary:
        item.summary(summary)
    html_content = content(entry, body)
    if html_content:
        item.content(html_content, type="html")
    item.guid(site.tag(entry.id), permalink=False)
    item.extra.creator = (entry.author or site.author).name
    item.extra.updated = entry.updated.isoformat()
    item.extra.photo = photo
    abstract = entry.summary if summary else excerpt(body) or entry.title
    item.extra.plain = Plain(
        entry.title if title != entry.title else "",
        abstract if abstract != summary else "",
    )


def render_items(entries: Sequence[tuple[Entry, str]], site: Site) -> list[bytes]:
    """Return each entry's item, as it stands in every document."""
    return _layouts(site).elements(entries)


def render_item(site: Site, entry: Entry, body: str) -> str:
    """Return an entry's item as feedgen writes it."""
    generator = FeedGenerator()
    generator.title(site.title)
    generator.description(site.title)
    generator.link(href=site.url)
    generator.register_extension("extra", Namespaces, RssItem, atom=False)
    add_item(generator, entry, body, site)
    return cut(generator.rss_str(pretty=True), "    <item>\n", "    </item>\n")


def join(feed: Feed, items: Sequence[bytes], site: Site, address: str) -> bytes:
    """Return a feed's document with its entries' items in it."""
    return _shells(site).document(feed, address, items)


@lru_cache(maxsize=4)
def _layouts(site: Site) -> Layouts:
    return Layouts(partial(render_item, site), TEXTS)


@lru_cache(maxsize=4)
def _shells(site: Site) -> Shells:
    def write(feed: Feed, address: str) -> str:
        return str(generator_of(feed, site, address).rss_str(pretty=True).decode())

    texts = (
        *feed_texts(site),
        lambda feed, _: as_html(feed.title),
        lambda feed, _: as_html(feed.description),
        lambda feed, _: format_datetime(feed.updated),
    )
    end = "  </channel>\n</rss>\n"
    return Shells(write, texts, end, lambda feed: tuple(namespaces(feed, {})))
