"""Atom 1.0 (RFC 4287) through feedgen: what a feed and an entry look like in it."""

from dataclasses import asdict

from feedgen.feed import FeedGenerator

from feeds.formats.content import content, excerpt
from feeds.formats.feedgen_ext import FeedgenFormat, category, feed_generator
from feeds.model import Entry, Feed, Person, Site


def generator_of(feed: Feed, site: Site, address: str) -> FeedGenerator:
    """Return feedgen's generator for a feed's document at an address, without entries yet."""
    generator = feed_generator(feed, site, address, "application/atom+xml")
    generator.id(feed.id)
    generator.title(feed.title)
    if feed.description:
        generator.subtitle(feed.description)
    generator.author(_author(site.author))
    if site.hub:
        generator.link(href=site.hub, rel="hub")
    if site.icon:
        generator.icon(site.icon)
    return generator


def add_entry(generator: FeedGenerator, entry: Entry, body: str, site: Site) -> None:
    """Append an entry, which comes with its body's HTML, to a generator."""
    # feedgen's default is to put each before the others.
    element = generator.add_entry(order="append")
    element.id(site.tag(entry.id))
    element.title(entry.title)
    element.published(entry.published)
    element.updated(entry.updated)
    element.category([category(label) for label in entry.labels])
    photo = entry.photo
    if photo and photo.url and photo.length and photo.media_type:
        element.enclosure(photo.url, str(photo.length), photo.media_type)
    own_page = {} if entry.link else {"type": "text/html"}
    element.link(href=site.link(entry), rel="alternate", **own_page)
    html_content = content(entry, body)
    if html_content:
        element.content(html_content, type="html")
    if entry.summary or not body:
        # An entry without content must have a summary (RFC 4287 §4.1.2).
        element.summary(entry.summary or entry.title)
    else:
        element.extra.abstract = excerpt(body) or entry.title
    if entry.author:
        element.author(_author(entry.author))
    element.extra.photo = photo
    element.extra.links = element.link()


def _author(person: Person) -> dict[str, str]:
    return {name: text for name, text in asdict(person).items() if text}


FORMAT = FeedgenFormat(
    generator_of, add_entry, FeedGenerator.atom_str, b"  <entry>\n", b"</feed>\n"
)
