"""What feedgen leaves out of the documents, as extensions of it."""

from collections.abc import Mapping, Sequence

from feedgen.ext.base import BaseEntryExtension, BaseExtension
from lxml import etree

from feeds.formats.media_rss import MEDIA, add_photo
from feeds.formats.plain_text import DCTERMS, Plain, add_plain
from feeds.model import Photo

ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
XML = "http://www.w3.org/XML/1998/namespace"


class Namespaces(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """Declares the namespaces of what feedgen leaves out."""

    names: Mapping[str, str] = {"dc": DC, "dcterms": DCTERMS, "media": MEDIA}

    def extend_ns(self) -> Mapping[str, str]:
        """Give the namespaces by their prefixes."""
        return self.names


class _Shell(Namespaces):
    """Names the style sheet; feedgen knows of none."""

    style = ""

    def _add_style(self, root: etree._Element) -> etree._Element:
        root.addprevious(
            etree.ProcessingInstruction("xml-stylesheet", f'type="text/css" href="{self.style}"')
        )
        return root


class AtomShell(_Shell):
    """What feedgen leaves out of an Atom feed."""

    def extend_atom(self, feed: etree._Element) -> etree._Element:
        """Name the style sheet."""
        return self._add_style(feed)


class RssShell(_Shell):
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


class _Extra(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """What feedgen leaves out of an entry in both formats."""

    creator = ""
    updated = ""
    links: Sequence[dict[str, str]] = ()
    photo: Photo | None = None
    plain = Plain()


class AtomExtra(_Extra):
    """What feedgen leaves out of an Atom entry."""

    def extend_atom(self, entry: etree._Element) -> etree._Element:
        """Mend the links, and add the photo and plain text."""
        # feedgen's loop over the links rebinds its variable, and so loses every
        # attribute but href.
        for element, link in zip(entry.findall("link"), self.links, strict=True):
            for name in ("rel", "type", "length"):
                if link.get(name):
                    element.set(name, link[name])
        add_photo(entry, self.photo)
        add_plain(entry, self.plain)
        return entry


class RssExtra(_Extra):
    """What feedgen leaves out of an RSS item."""

    def extend_rss(self, item: etree._Element) -> etree._Element:
        """Add the author's name, the last change, the photo and plain text."""
        # An author without an e-mail address has no place in RSS's own element.
        etree.SubElement(item, f"{{{DC}}}creator").text = self.creator
        etree.SubElement(item, f"{{{ATOM}}}updated").text = self.updated
        add_photo(item, self.photo)
        add_plain(item, self.plain)
        return item
