"""Atom 1.0 (RFC 4287) and RSS 2.0 through feedgen, which these modules alone know.

feedgen 1.0.0 has traps; each one met here is named where it is stepped over,
and has its test. An entry's element does not depend on the feed that carries
it: feedgen lays it out once for all entries that have the same fields, and a
feed is feedgen's own shell with the finished elements in it, byte for byte what
feedgen writes by itself.
"""

import html
from collections.abc import Callable, Mapping, Sequence
from email.utils import format_datetime
from functools import lru_cache, partial
from operator import attrgetter
from urllib.parse import quote

import feedgen.entry
import feedgen.feed
from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator

from feeds.formats.content import content
from feeds.formats.feedgen_gaps import DC, AtomExtra, AtomShell, Namespaces, RssExtra, RssShell
from feeds.formats.layouts import LabelText, Layouts, Text
from feeds.formats.media_rss import MEDIA
from feeds.formats.plain_text import DCTERMS, Plain, as_html, excerpt
from feeds.formats.shells import Shells
from feeds.model import Country, Entry, Feed, Person, Photo, Site, Topic
from feeds.paths import FEED_STYLE

# RFC 5141.
COUNTRY_SCHEME = "urn:iso:std:iso:3166:-1"

# feedgen formats a date by setting the process's locale twice: slow, and not
# safe in threads. The standard library writes the same text.
feedgen.feed.formatRFC2822 = feedgen.entry.formatRFC2822 = format_datetime


def atom_entries(entries: Sequence[tuple[Entry, str]], site: Site) -> list[bytes]:
    """Give each entry's Atom element, as it stands in a document."""
    return Layouts(partial(atom_entry, site), ATOM_TEXTS, LABEL_TEXTS).elements(entries)


def atom_feed(feed: Feed, pieces: Sequence[bytes], site: Site, address: str) -> bytes:
    """Give a feed's Atom document from its entries' elements."""
    return _spliced(_atom_shells(site).shell(feed, address), "</feed>\n", pieces)


def rss_items(entries: Sequence[tuple[Entry, str]], site: Site) -> list[bytes]:
    """Give each entry's RSS item, as it stands in a document."""
    return Layouts(partial(rss_item, site), RSS_TEXTS, LABEL_TEXTS).elements(entries)


def rss_feed(feed: Feed, pieces: Sequence[bytes], site: Site, address: str) -> bytes:
    """Give a feed's RSS document from its entries' items."""
    return _spliced(_rss_shells(site).shell(feed, address), "  </channel>\n</rss>\n", pieces)


def atom_shell(feed: Feed, site: Site, address: str) -> FeedGenerator:
    """Give feedgen's generator for a feed's Atom document, still without entries."""
    generator = FeedGenerator()
    generator.register_extension("extra", AtomShell, AtomExtra, rss=False)
    generator.extra.names = _needed(feed, {})
    generator.extra.style = _style_of(feed)
    generator.id(feed.id)
    generator.title(feed.title)
    if feed.description:
        generator.subtitle(feed.description)
    generator.author(_author(site.author))
    _links(generator, feed, site, address, "application/atom+xml")
    if site.hub:
        generator.link(href=site.hub, rel="hub")
    _masthead(generator, feed, site)
    if site.icon:
        generator.icon(site.icon)
    return generator


def rss_shell(feed: Feed, site: Site, address: str) -> FeedGenerator:
    """Give feedgen's generator for a feed's RSS document, still without items."""
    generator = FeedGenerator()
    generator.register_extension("extra", RssShell, RssExtra, atom=False)
    generator.extra.names = _needed(feed, {"dc": DC, "dcterms": DCTERMS})
    generator.extra.style = _style_of(feed)
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
    _links(generator, feed, site, address, "application/rss+xml")
    _masthead(generator, feed, site)
    # In minutes.
    generator.ttl(max(site.max_age // 60, 1))
    return generator


def add_atom_entry(generator: FeedGenerator, entry: Entry, body: str, site: Site) -> None:
    """Append an entry to a generator of Atom."""
    element = _add_entry(generator, entry, site)
    element.title(entry.title)
    html_content = content(entry, body)
    if html_content:
        element.content(html_content, type="html")
    if entry.summary or not body:
        # An entry without content must have a summary (RFC 4287 §4.1.2).
        element.summary(entry.summary or entry.title)
    else:
        element.extra.plain = Plain(abstract=excerpt(body) or entry.title)
    if entry.author:
        element.author(_author(entry.author))


def add_rss_item(generator: FeedGenerator, entry: Entry, body: str, site: Site) -> None:
    """Append an entry to a generator of RSS.

    RSS's description is HTML. It does not say whether a title is text or HTML,
    and most readers take it for HTML: see `as_html`.
    """
    item = _add_entry(generator, entry, site)
    title, summary = as_html(entry.title), html.escape(entry.summary, quote=False)
    item.title(title)
    if summary:
        item.summary(summary)
    html_content = content(entry, body)
    if html_content:
        item.content(html_content, type="html")
    item.guid(site.tag(entry.id), permalink=False)
    item.extra.creator = (entry.author or site.author).name
    abstract = entry.summary if summary else excerpt(body) or entry.title
    item.extra.plain = Plain(
        entry.title if title != entry.title else "",
        abstract if abstract != summary else "",
    )


def _add_entry(generator: FeedGenerator, entry: Entry, site: Site) -> FeedEntry:
    element = generator.add_entry(order="append")
    element.id(site.tag(entry.id))
    element.published(entry.published)
    element.updated(entry.updated)
    element.category([_category(label) for label in entry.labels])
    photo = entry.photo
    if photo and photo.url and photo.length and photo.media_type:
        element.enclosure(photo.url, str(photo.length), photo.media_type)
    own_page = {} if entry.link else {"type": "text/html"}
    element.link(href=site.link(entry), rel="alternate", **own_page)
    element.extra.updated = entry.updated.isoformat()
    element.extra.photo = photo
    element.extra.links = element.link()
    return element


def atom_entry(site: Site, entry: Entry, body: str) -> str:
    """Give an entry's Atom element as feedgen writes it."""
    generator = _shell(site)
    generator.register_extension("extra", Namespaces, AtomExtra, rss=False)
    add_atom_entry(generator, entry, body, site)
    return _element(generator.atom_str(pretty=True), "  <entry>\n", "  </entry>\n")


def rss_item(site: Site, entry: Entry, body: str) -> str:
    """Give an entry's RSS item as feedgen writes it."""
    generator = _shell(site)
    generator.register_extension("extra", Namespaces, RssExtra, atom=False)
    add_rss_item(generator, entry, body, site)
    return _element(generator.rss_str(pretty=True), "    <item>\n", "    </item>\n")


def _shell(site: Site) -> FeedGenerator:
    """Give the least generator in which entries can be rendered."""
    generator = FeedGenerator()
    generator.id(site.id)
    generator.title(site.title)
    generator.description(site.title)
    generator.link(href=site.url)
    return generator


def _masthead(generator: FeedGenerator, feed: Feed, site: Site) -> None:
    generator.generator("feeds")
    generator.language(site.language)
    # feedgen's default is now.
    generator.updated(feed.updated)
    if site.rights:
        generator.rights(site.rights)
    if site.logo:
        generator.logo(site.logo)


def _links(generator: FeedGenerator, feed: Feed, site: Site, address: str, kind: str) -> None:
    # RSS takes the last link added for its own: the page is that.
    generator.link(href=address, rel="self", type=kind)
    generator.link(href=site.address(feed.path), rel="alternate", type="text/html")


def _author(person: Person) -> dict[str, str]:
    parts = {"name": person.name, "email": person.email, "uri": person.uri}
    return {name: text for name, text in parts.items() if text}


def _category(label: Topic | Country) -> dict[str, str]:
    if isinstance(label, Country):
        return {"term": label.code, "scheme": COUNTRY_SCHEME, "label": label.name}
    return {"term": label.slug, "scheme": label.scheme, "label": label.name}


def _field(path: str) -> Text:
    """Give what an entry has in a field, as text."""
    get = attrgetter(path)
    return lambda entry, _: str(get(entry))


# All that an element takes from an entry as it stands there, and from a label.
_TEXTS: tuple[Text, ...] = (
    *map(_field, ("link", "title", "summary", "author.name", "author.email", "author.uri")),
    *(_field(f"photo.{name}") for name in Photo._fields),
    content,
    lambda entry, body: excerpt(body) or entry.title,
    lambda entry, _: quote(entry.id),
    lambda entry, _: entry.published.isoformat(),
    lambda entry, _: entry.updated.isoformat(),
)
ATOM_TEXTS = _TEXTS
RSS_TEXTS: tuple[Text, ...] = (
    *_TEXTS,
    lambda entry, _: as_html(entry.title),
    lambda entry, _: html.escape(entry.summary, quote=False),
    lambda entry, _: format_datetime(entry.published),
)
LABEL_TEXTS: tuple[LabelText, ...] = (
    lambda label, _: _category(label)["term"],
    lambda label, _: _category(label)["scheme"],
    lambda label, _: _category(label)["label"],
)


def _element(document: bytes, start: str, end: str) -> str:
    """Cut an element out of a document; in texts, what begins a tag is escaped."""
    text = document.decode()
    return text[text.index(start) : text.index(end)] + end


def _spliced(shell: str, end: str, pieces: Sequence[bytes]) -> bytes:
    return b"".join([shell.removesuffix(end).encode(), *pieces, end.encode()])


@lru_cache(maxsize=4)
def _atom_shells(site: Site) -> Shells:
    def write(feed: Feed, address: str) -> str:
        return str(atom_shell(feed, site, address).atom_str(pretty=True).decode())

    texts = _shell_texts(site)
    return Shells(write, texts, lambda feed: tuple(_needed(feed, {})))


@lru_cache(maxsize=4)
def _rss_shells(site: Site) -> Shells:
    def write(feed: Feed, address: str) -> str:
        return str(rss_shell(feed, site, address).rss_str(pretty=True).decode())

    texts = (
        *_shell_texts(site),
        lambda feed, _: as_html(feed.title),
        lambda feed, _: as_html(feed.description),
        lambda feed, _: format_datetime(feed.updated),
    )
    return Shells(write, texts, lambda feed: tuple(_needed(feed, {})))


def _shell_texts(site: Site) -> tuple[Callable[[Feed, str], str], ...]:
    return (
        lambda feed, _: feed.id,
        lambda feed, _: feed.title,
        lambda feed, _: feed.description,
        lambda feed, _: feed.updated.isoformat(),
        lambda feed, _: site.address(feed.path),
        lambda _, address: address,
    )


def _style_of(feed: Feed) -> str:
    """Give the style sheet's address relative to a feed's folder, wherever the site lies."""
    return "../" * feed.path.count("/") + FEED_STYLE


def _needed(feed: Feed, names: Mapping[str, str]) -> Mapping[str, str]:
    """Add the namespaces that not every document needs."""
    needed = dict(names)
    if any(entry.body and not entry.summary for entry in feed.latest):
        needed["dcterms"] = DCTERMS
    if any(entry.photo for entry in feed.latest):
        needed["media"] = MEDIA
    return needed
