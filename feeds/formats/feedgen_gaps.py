"""What feedgen leaves out of the documents, as extensions of it."""

from collections.abc import Mapping, Sequence

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from lxml import etree

from feeds.model import Photo

ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
MEDIA = "http://search.yahoo.com/mrss/"


class Namespaces(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """Declares the namespaces of what feedgen leaves out."""

    names: Mapping[str, str] = {"dc": DC, "media": MEDIA}

    def extend_ns(self) -> Mapping[str, str]:
        """Give the namespaces by their prefixes."""
        return self.names


class Hub(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """feedgen writes no rel=hub into RSS."""

    address = ""

    def extend_rss(self, rss: etree._Element) -> etree._Element:
        """Add the hub to the channel."""
        if self.address:
            etree.SubElement(rss[0], f"{{{ATOM}}}link", rel="hub", href=self.address)
        return rss


def _media_attributes(photo: Photo) -> dict[str, str]:
    attributes = {
        "medium": "image",
        "type": photo.media_type,
        "fileSize": photo.length,
        "width": photo.width,
        "height": photo.height,
    }
    return {name: str(value) for name, value in attributes.items() if value}


class _Extra(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """What feedgen leaves out of an entry in both formats."""

    creator = ""
    updated = ""
    links: Sequence[dict[str, str]] = ()
    photo: Photo | None = None

    def _add_photo(self, element: etree._Element) -> None:
        photo = self.photo
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


class AtomExtra(_Extra):
    """What feedgen leaves out of an Atom entry."""

    def extend_atom(self, entry: etree._Element) -> etree._Element:
        """Mend the links, and add the photo."""
        # feedgen's loop over the links rebinds its variable, and so loses every
        # attribute but href.
        for element, link in zip(entry.findall("link"), self.links, strict=True):
            for name in ("rel", "type", "length"):
                if link.get(name):
                    element.set(name, link[name])
        self._add_photo(entry)
        return entry


class RssExtra(_Extra):
    """What feedgen leaves out of an RSS item."""

    def extend_rss(self, item: etree._Element) -> etree._Element:
        """Add the author's name, the last change and the photo."""
        # An author without an e-mail address has no place in RSS's own element.
        etree.SubElement(item, f"{{{DC}}}creator").text = self.creator
        etree.SubElement(item, f"{{{ATOM}}}updated").text = self.updated
        self._add_photo(item)
        return item
