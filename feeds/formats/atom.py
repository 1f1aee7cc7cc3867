"""Atom 1.0 (RFC 4287) through feedgen: what a feed and an entry look like in it."""

from dataclasses import asdict

from feedgen.feed import FeedGenerator

from feeds.formats.content import excerpt
from feeds.formats.enclosures import enclosures
from feeds.formats.feedgen_ext import FeedgenFormat, feed_entry, feed_generator
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
    if site.license:
        generator.link(href=site.license, rel="license")
    if site.icon:
        generator.icon(site.icon)
    return generator


def add_entry(generator: FeedGenerator, entry: Entry, body: str, site: Site) -> None:
    """Append an entry, which comes with its body's HTML, to a generator."""
    element = feed_entry(generator, entry, body, site, enclosures(entry))
    element.id(site.entry_id(entry, "atom"))
    element.title(entry.title)
    if entry.summary or not body:
        # An entry without content must have a summary (RFC 4287 §4.1.2).
        element.summary(entry.summary or entry.title)
    else:
        element.extra.abstract = excerpt(body) or entry.title
    element.author([_author(person) for person in entry.authors])
    element.extra.links = element.link()


def _author(person: Person) -> dict[str, str]:
    return {name: text for name, text in asdict(person).items() if text}


FORMAT = FeedgenFormat(generator_of, add_entry, FeedGenerator.atom_str, b"  <entry", b"</feed>\n")
