"""Documents by feedgen 1.0.0, with extensions for what it leaves out or gets wrong."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from email.utils import format_datetime
from functools import lru_cache, partial
from typing import NamedTuple

import feedgen.entry
import feedgen.feed
from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feeds.formats.content import as_html, content
from feeds.formats.enclosures import medium_of
from feeds.formats.sampling import sampled
from feeds.model import Attachment, Country, Entry, Feed, Photo, Site, Topic
from feeds.urls import FEED_STYLE

ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
DCTERMS = "http://purl.org/dc/terms/"
CREATIVE_COMMONS = "http://backend.userland.com/creativeCommonsRssModule"
# https://www.rssboard.org/media-rss
MEDIA = "http://search.yahoo.com/mrss/"
XML = "http://www.w3.org/XML/1998/namespace"
# RFC 5141.
COUNTRY_SCHEME = "urn:iso:std:iso:3166:-1"

# feedgen formats a date by setting the process's locale twice: slow, and not
# safe in threads. The standard library writes the same text.
feedgen.feed.formatRFC2822 = feedgen.entry.formatRFC2822 = format_datetime


class FeedgenFormat(NamedTuple):
    """A format that feedgen writes.

    `generator_of` returns a generator for a feed's document at an address, without entries
    yet; `add_entry` appends an entry, which comes with its body's HTML, to one; `write`
    returns a generator's document. `start` is how the first entry's tag begins, and
    `end` what follows the last entry.
    """

    generator_of: Callable[[Feed, Site, str], FeedGenerator]
    add_entry: Callable[[FeedGenerator, Entry, str, Site], None]
    write: Callable[..., bytes]
    start: bytes
    end: bytes

    def render_entries(self, entries: Iterable[tuple[Entry, str]], site: Site) -> list[bytes]:
        """Return each entry's element, which is the same in every document."""
        write = _sampled_entry(self, site)
        return [write(entry, body).encode() for entry, body in entries]

    def render_entry(self, site: Site, entry: Entry, body: str) -> str:
        """Return an entry's element as feedgen writes it."""
        generator = FeedGenerator()
        generator.register_extension("extra", FeedExtension, EntryExtension)
        # What feedgen requires of a document.
        generator.id(site.id)
        generator.title(site.title)
        generator.description(site.title)
        generator.link(href=site.url)
        self.add_entry(generator, entry, body, site)
        document = self.write(generator, pretty=True)
        # In texts, what begins a tag is escaped.
        return document[document.index(self.start) :].removesuffix(self.end).decode()

    def join(self, feed: Feed, elements: Iterable[bytes], site: Site, address: str) -> bytes:
        """Return a feed's document with its entries' elements in it."""
        document = self.write(self.generator_of(feed, site, address), pretty=True)
        return b"".join([document.removesuffix(self.end), *elements, self.end])


@lru_cache(maxsize=8)
def _sampled_entry(form: FeedgenFormat, site: Site) -> Callable[[Entry, str], str]:
    return sampled(partial(form.render_entry, site), site.language)


def feed_generator(feed: Feed, site: Site, address: str, media_type: str) -> FeedGenerator:
    """Return a generator for a feed's document at an address, with what all formats have of it."""
    generator = FeedGenerator()
    generator.register_extension("extra", FeedExtension, EntryExtension)
    generator.extra.names = _needed_namespaces(feed)
    generator.extra.path = feed.path
    # feedgen takes the last link for RSS's own: that must be the page.
    generator.link(href=address, rel="self", type=media_type)
    generator.link(href=site.address(feed.path), rel="alternate", type="text/html")
    generator.generator("feeds")
    generator.language(site.language)
    # feedgen's default is now.
    generator.updated(feed.updated)
    if site.rights:
        generator.rights(site.rights)
    if site.logo:
        generator.logo(site.logo)
    return generator


def feed_entry(
    generator: FeedGenerator,
    entry: Entry,
    body: str,
    site: Site,
    enclosed: Sequence[Attachment],
) -> FeedEntry:
    """Append an entry, which comes with its body's HTML, with what all formats have of it."""
    # feedgen's default is to put each before the others.
    element = generator.add_entry(order="append")
    element.published(entry.published)
    # feedgen's default is now.
    element.updated(entry.updated)
    element.category([_category(label) for label in entry.labels])
    element.extra.photo = entry.photo
    element.extra.documents = entry.documents
    element.extra.language = entry.language
    element.extra.license = entry.license or site.license
    own_page = {} if entry.link else {"type": "text/html"}
    alternate = {"href": site.link(entry), "rel": "alternate", **own_page}
    # All at once: for each call, feedgen goes through all links.
    element.link([*map(_enclosure, enclosed), alternate])
    html = content(entry, body, site.language)
    if html:
        element.content(html, type="html")
    return element


def _category(label: Topic | Country) -> dict[str, str]:
    """Return the `term`, `scheme` and `label` of a topic or a country (RFC 4287 §4.2.2)."""
    if isinstance(label, Country):
        return {"term": label.code, "scheme": COUNTRY_SCHEME, "label": label.name}
    return {"term": label.slug, "scheme": label.scheme, "label": label.name}


def _enclosure(file: Attachment) -> dict[str, str]:
    """Return the attributes of the link to a file (RFC 4287 §4.2.7)."""
    described = {"title": file.title, "hreflang": file.language}
    return {
        "href": file.url,
        "rel": "enclosure",
        "type": file.media_type,
        "length": str(file.length),
        **{name: text for name, text in described.items() if text},
    }


def _needed_namespaces(feed: Feed) -> Mapping[str, str]:
    """Return the namespaces that a feed's entries need, by prefix."""
    needed = {}
    if any(entry.body and not entry.summary for entry in feed.latest):
        needed["dcterms"] = DCTERMS
    if any(entry.photo for entry in feed.latest):
        needed["media"] = MEDIA
    return needed


class FeedExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """What feedgen leaves out of a feed, and which namespaces to declare: feedgen declares all.

    `path` is the feed's folder, `hub`, `language` and `license` are the site's. `alternative` and
    `abstract` are its title and description as plain text, where RSS has them as HTML.
    """

    names: Mapping[str, str] = {
        "creativeCommons": CREATIVE_COMMONS,
        "dc": DC,
        "dcterms": DCTERMS,
        "media": MEDIA,
    }
    path = hub = language = license = alternative = abstract = ""

    def extend_ns(self) -> Mapping[str, str]:
        """Return the namespaces by their prefixes."""
        return self.names

    def extend_atom(self, feed: etree._Element) -> etree._Element:
        """Add the style sheet, relative to the feed's folder."""
        style = "../" * self.path.count("/") + FEED_STYLE
        feed.addprevious(
            etree.ProcessingInstruction("xml-stylesheet", f'type="text/css" href="{style}"')
        )
        return feed

    def extend_rss(self, rss: etree._Element) -> etree._Element:
        """Add what RSS has no element for: among it the language, which browsers would not find."""
        rss.set(f"{{{XML}}}lang", self.language)
        if self.hub:
            etree.SubElement(rss[0], f"{{{ATOM}}}link", rel="hub", href=self.hub)
        if self.license:
            etree.SubElement(rss[0], f"{{{CREATIVE_COMMONS}}}license").text = self.license
        _add_plain_text(rss[0], self.alternative, self.abstract)
        return self.extend_atom(rss)


class EntryExtension(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """What feedgen leaves out of an entry.

    `links` are the entry's in Atom. `creators` are the authors' names and `updated` the
    date of the last change in RSS. `alternative` and `abstract` are the title and the
    summary as plain text, where the document has them as HTML only: a browser that shows
    the feed would show the markup.
    """

    links: Sequence[dict[str, str]] = ()
    photo: Photo | None = None
    documents: Sequence[Attachment] = ()
    creators: Sequence[str] = ()
    updated = alternative = abstract = language = license = ""

    def extend_atom(self, entry: etree._Element) -> etree._Element:
        """Add the language, the links' attributes, the licence, the files and plain text."""
        if self.language:
            entry.set(f"{{{XML}}}lang", self.language)
        # feedgen's loop over the links rebinds its variable, and so loses every
        # attribute but href.
        for element, link in zip(entry.findall("link"), self.links, strict=True):
            for name in ("rel", "type", "hreflang", "title", "length"):
                if link.get(name):
                    element.set(name, link[name])
        if self.license:
            etree.SubElement(entry, "link", rel="license", href=self.license)
        return self._add_common(entry)

    def extend_rss(self, item: etree._Element) -> etree._Element:
        """Add the authors' names, the last change, the language, the licence, the files and plain text."""
        # RSS's own author element requires an e-mail address.
        for name in self.creators:
            etree.SubElement(item, f"{{{DC}}}creator").text = name
        etree.SubElement(item, f"{{{ATOM}}}updated").text = self.updated
        if self.language:
            # For browsers, and for readers.
            item.set(f"{{{XML}}}lang", self.language)
            etree.SubElement(item, f"{{{DC}}}language").text = self.language
        if self.license:
            etree.SubElement(item, f"{{{CREATIVE_COMMONS}}}license").text = self.license
        self._add_common(item)
        for document in self.documents:
            _add_document(item, document)
        enclosure = item.find("enclosure")
        if self.documents and enclosure is not None:
            # newsboat takes the last file of an item.
            item.append(enclosure)
        return item

    def _add_common(self, element: etree._Element) -> etree._Element:
        if self.photo:
            _add_photo(element, self.photo)
        _add_plain_text(element, self.alternative, self.abstract)
        return element


def _add_plain_text(element: etree._Element, alternative: str, abstract: str) -> None:
    for name, text in (("alternative", alternative), ("abstract", abstract)):
        if text:
            etree.SubElement(element, f"{{{DCTERMS}}}{name}").text = text


def _add_photo(element: etree._Element, photo: Photo) -> None:
    """Append a photo with its credit inside, or a credit alone, in Media RSS."""
    if photo.url:
        element = etree.SubElement(element, f"{{{MEDIA}}}content", url=photo.url, medium="image")
        values = (photo.media_type, photo.length, photo.width, photo.height)
        for name, value in zip(("type", "fileSize", "width", "height"), values, strict=True):
            if value:
                element.set(name, str(value))
    if photo.alt:
        _add_described(element, "description", photo.alt)
    if photo.credit:
        etree.SubElement(element, f"{{{MEDIA}}}credit").text = photo.credit


def _add_document(element: etree._Element, document: Attachment) -> None:
    """Append a document with its title in Media RSS."""
    values = {
        "url": document.url,
        "medium": medium_of(document.media_type),
        "type": document.media_type,
        "fileSize": str(document.length or ""),
        "lang": document.language,
    }
    found = etree.SubElement(
        element, f"{{{MEDIA}}}content", {name: value for name, value in values.items() if value}
    )
    _add_described(found, "title", document.title)


def _add_described(element: etree._Element, name: str, text: str) -> None:
    """Append a text in Media RSS, as HTML if a reader might take it for HTML."""
    html = as_html(text)
    kind = "plain" if html == text else "html"
    etree.SubElement(element, f"{{{MEDIA}}}{name}", type=kind).text = html
