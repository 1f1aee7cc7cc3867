"""Atom 1.0 (RFC 4287) through feedgen: what a feed and an entry look like in it."""

from collections.abc import Sequence
from functools import lru_cache, partial

from feedgen.feed import FeedGenerator

from feeds.formats.content import content, excerpt
from feeds.formats.feedgen_ext import category, feed_generator, single_entry_generator
from feeds.formats.sampling import SampledWriter
from feeds.model import Entry, Feed, Person, Site

_END = b"</feed>\n"


def generator_of(feed: Feed, site: Site, address: str) -> FeedGenerator:
    """Return feedgen's generator for a feed's document at an address, without entries yet."""
    generator = feed_generator(feed, site, address, "application/atom+xml", {})
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


def render_entries(entries: Sequence[tuple[Entry, str]], site: Site) -> list[bytes]:
    """Return each entry's element, which is the same in every document."""
    return _writer(site).entries(entries)


def join(feed: Feed, elements: Sequence[bytes], site: Site, address: str) -> bytes:
    """Return a feed's document with its entries' elements in it."""
    document: bytes = generator_of(feed, site, address).atom_str(pretty=True)
    return b"".join([document.removesuffix(_END), *elements, _END])


def render_entry(site: Site, entry: Entry, body: str) -> str:
    """Return an entry's element as feedgen writes it."""
    generator = single_entry_generator(site)
    add_entry(generator, entry, body, site)
    document: bytes = generator.atom_str(pretty=True)
    # In texts, what begins a tag is escaped.
    return document[document.index(b"  <entry>\n") :].removesuffix(_END).decode()


def _author(person: Person) -> dict[str, str]:
    parts = {"name": person.name, "email": person.email, "uri": person.uri}
    return {name: text for name, text in parts.items() if text}


@lru_cache(maxsize=4)
def _writer(site: Site) -> SampledWriter:
    return SampledWriter(partial(render_entry, site))
