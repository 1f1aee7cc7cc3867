"""The documents that items have: files that are no pictures, and the list that repeats them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from html import unescape

from feeds.i18n import in_all_languages
from feeds.media_types import PICTURE_TYPES, ending_of
from feeds.urls import to_uri

# The keys that a document has in a catalogue, as far as the source has them.
Document = Mapping[str, str]

_HEADING = re.compile(r"<p>([^<>]*)</p>\n<ul>\n")
_LIST_END = "\n</ul>"
# feedparser sorts the attributes.
_ITEM = re.compile(r"<li><a (?P<attributes>[^<>]*)>(?P<title>[^<>]*)</a>[^<>]*</li>")
_ATTRIBUTE = re.compile(r'([a-z]+)="([^"<>]*)"')
_WRAPPER = re.compile(
    r'<div (?:dir="(?:ltr|rtl)" )?lang="(?P<language>[\w-]+)"(?: dir="(?:ltr|rtl)")?>\n'
    r"(?P<content>.*)\n</div>",
    re.DOTALL,
)


def is_picture(url: str, media_type: str) -> bool:
    """Check whether a file is a picture: by its type, or by its name if it has none."""
    if media_type:
        return media_type.startswith("image/")
    return ending_of(url) in PICTURE_TYPES


def merged(documents: Iterable[Document]) -> tuple[Document, ...]:
    """Return documents, each address once; of those at the same one, each adds what is missing."""
    found: dict[str, Document] = {}
    for document in documents:
        known = {name: text for name, text in document.items() if text}
        # Of a file of unknown length, some publishers write this.
        if known.get("length") == "0":
            del known["length"]
        if "url" in known:
            with suppress(ValueError):
                known["url"] = to_uri(known["url"])
            found[known["url"]] = {**known, **found.get(known["url"], {})}
    return tuple(found.values())


def without_documents(
    html: str, documents: Sequence[Document], language: str
) -> tuple[str, Sequence[Document]]:
    """Return the content of an item as this program would have it without documents and language.

    The element with the language, and the list of documents, are removed. A document that is
    in the list alone, as no feed encloses a file of unknown length, is one of those that are
    returned.
    """
    wrapper = _WRAPPER.fullmatch(html.strip()) if language else None
    if wrapper and wrapper["language"] == language:
        html = wrapper["content"]
    headings = [*_HEADING.finditer(html)] if documents else []
    if not headings or unescape(headings[-1][1]) not in in_all_languages("documents"):
        return html, documents
    start, end = headings[-1].span()
    lines = html[end:].rstrip().removesuffix(_LIST_END).split("\n")
    items = [item for item in map(_ITEM.fullmatch, lines) if item]
    listed = {found["url"]: found for found in merged(map(_listed, items))}
    enclosed = {found["url"]: found for found in documents}
    if len(items) < len(lines) or not listed.keys() >= enclosed.keys():
        return html, documents
    return html[:start].rstrip(), [*{**listed, **enclosed}.values()]


def _listed(item: re.Match[str]) -> Document:
    values = {name: unescape(text) for name, text in _ATTRIBUTE.findall(item["attributes"])}
    return {
        "url": values.get("href", ""),
        "title": unescape(item["title"]),
        "language": values.get("hreflang", ""),
    }
