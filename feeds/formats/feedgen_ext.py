"""What feedgen 1.0.0 leaves out of the documents or gets wrong, as extensions of it."""

from collections.abc import Mapping, Sequence
from email.utils import format_datetime

import feedgen.entry
import feedgen.feed
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from lxml import etree

from feeds.formats.plain_text import DCTERMS, Plain, add_plain
from feeds.model import Feed, Photo
from feeds.urls import FEED_STYLE

ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
# https://www.rssboard.org/media-rss
MEDIA = "http://search.yahoo.com/mrss/"
XML = "http://www.w3.org/XML/1998/namespace"

# feedgen formats a date by setting the process's locale twice: slow, and not
# safe in threads. The standard library writes the same text.
feedgen.feed.formatRFC2822 = feedgen.entry.formatRFC2822 = format_datetime


def namespaces(feed: Feed, always: Mapping[str, str]) -> Mapping[str, str]:
    """Return the namespaces of a document by prefix: feedgen declares them all, needed or not."""
    needed = dict(always)
    if any(entry.body and not entry.summary for entry in feed.latest):
        needed["dcterms"] = DCTERMS
    if any(entry.photo for entry in feed.latest):
        needed["media"] = MEDIA
    return needed


class Namespaces(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """Declares the namespaces that the extensions of entries use."""

    names: Mapping[str, str] = {"dc": DC, "dcterms": DCTERMS, "media": MEDIA}

    def extend_ns(self) -> Mapping[str, str]:
        """Return the namespaces by their prefixes."""
        return self.names


class _FeedExtension(Namespaces):
    """Names the style sheet, relative to the feed's folder; feedgen knows of none."""

    path = ""

    def _add_style(self, root: etree._Element) -> etree._Element:
        style = "../" * self.path.count("/") + FEED_STYLE
        root.addprevious(
            etree.ProcessingInstruction("xml-stylesheet", f'type="text/css" href="{style}"')
        )
        return root


class AtomFeed(_FeedExtension):
    """What feedgen leaves out of an Atom feed."""

    def extend_atom(self, feed: etree._Element) -> etree._Element:
        """Add the style sheet."""
        return self._add_style(feed)


class RssFeed(_FeedExtension):
    """feedgen writes no rel=hub into RSS; and a browser does not know RSS's own language."""

    hub = ""
    language = ""
    plain = Plain()

    def extend_rss(self, rss: etree._Element) -> etree._Element:
        """Add the language, the hub, what is HTML in plain text too, and the style sheet."""
        rss.set(f"{{{XML}}}lang", self.language)
        if self.hub:
            etree.SubElement(rss[0], f"{{{ATOM}}}link", rel="hub", href=self.hub)
        add_plain(rss[0], self.plain)
        return self._add_style(rss)


class AtomEntry(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """What feedgen leaves out of an Atom entry."""

    links: Sequence[dict[str, str]] = ()
    photo: Photo | None = None
    plain = Plain()

    def extend_atom(self, entry: etree._Element) -> etree._Element:
        """Add the links' attributes, the photo and plain text."""
        # feedgen's loop over the links rebinds its variable, and so loses every
        # attribute but href.
        for element, link in zip(entry.findall("link"), self.links, strict=True):
            for name in ("rel", "type", "length"):
                if link.get(name):
                    element.set(name, link[name])
        _add_photo(entry, self.photo)
        add_plain(entry, self.plain)
        return entry


class RssItem(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """What feedgen leaves out of an RSS item."""

    creator = ""
    updated = ""
    photo: Photo | None = None
    plain = Plain()

    def extend_rss(self, item: etree._Element) -> etree._Element:
        """Add the author's name, the last change, the photo and plain text."""
        # An author without an e-mail address has no place in RSS's own element.
        etree.SubElement(item, f"{{{DC}}}creator").text = self.creator
        etree.SubElement(item, f"{{{ATOM}}}updated").text = self.updated
        _add_photo(item, self.photo)
        add_plain(item, self.plain)
        return item


def _add_photo(element: etree._Element, photo: Photo | None) -> None:
    """Append a photo with its credit inside, or a credit alone, in Media RSS."""
    if not photo:
        return
    if photo.url:
        element = etree.SubElement(element, f"{{{MEDIA}}}content", url=photo.url)
        for name, value in _media_attributes(photo).items():
            element.set(name, value)
    if photo.alt:
        etree.SubElement(element, f"{{{MEDIA}}}description", type="plain").text = photo.alt
    if photo.credit:
        etree.SubElement(element, f"{{{MEDIA}}}credit").text = photo.credit


def _media_attributes(photo: Photo) -> dict[str, str]:
    attributes = {
        "medium": "image",
        "type": photo.media_type,
        "fileSize": photo.length,
        "width": photo.width,
        "height": photo.height,
    }
    return {name: str(value) for name, value in attributes.items() if value}
