"""Lists of feeds to import: OPML 2.0 (https://opml.org/spec2.opml).

A list has no date of its own: it changes when feeds are added or removed, not with the
news. `Last-Modified` says since when its bytes have been the same.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lxml import etree

from feeds.model import Site


class Subscription(NamedTuple):
    """A feed in a list; `path` is that of its folder."""

    title: str
    path: str
    description: str = ""


class Group(NamedTuple):
    """Feeds under a name, and groups within it; without a name they are at the top level."""

    name: str = ""
    feeds: tuple[Subscription, ...] = ()
    groups: "tuple[Group, ...]" = ()


def opml_list(site: Site, title: str, groups: Iterable[Group], filename: str) -> bytes:
    """Return a list of feeds, each with the URL of its document named `filename`.

    A feed is an outline of type `rss`, whatever its format: importers know only that
    one (OPML 2.0, “Subscription lists”).
    """
    root = etree.Element("opml", {"version": "2.0"})
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = title
    etree.SubElement(head, "ownerName").text = site.author.name
    if site.author.email:
        etree.SubElement(head, "ownerEmail").text = site.author.email
    etree.SubElement(head, "ownerId").text = site.author.uri or site.url
    etree.SubElement(head, "docs").text = "https://opml.org/spec2.opml"
    body = etree.SubElement(root, "body")
    for group in groups:
        _add(body, group, site, filename)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)


def _add(parent: etree._Element, group: Group, site: Site, filename: str) -> None:
    if group.name:
        parent = etree.SubElement(parent, "outline", {"text": group.name, "title": group.name})
    for feed in group.feeds:
        attributes = {
            "type": "rss",
            "text": feed.title,
            "title": feed.title,
            "xmlUrl": site.address(feed.path + filename),
            "htmlUrl": site.address(feed.path),
        }
        if feed.description:
            attributes["description"] = feed.description
        etree.SubElement(parent, "outline", attributes)
    for inner in group.groups:
        _add(parent, inner, site, filename)
