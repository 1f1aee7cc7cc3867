"""Plain text beside HTML: as HTML in elements that are taken for it, and as it is where people see it.

A browser that shows a feed shows what stands in it: of HTML it would show the
source. So what a document says in HTML alone stands in Dublin Core's terms too.
"""

import html
import re
from typing import NamedTuple

from lxml import etree

from feeds.truncation import truncated

DCTERMS = "http://purl.org/dc/terms/"

# In characters of HTML.
_ENOUGH = 20_000
# Text before and behind these is no one word.
_BLOCK = re.compile(r"<(?=/?(?:blockquote|br|dd|div|dt|h[1-6]|hr|li|p|pre|td|th|tr)\b)")
# A footnote's number would become part of the word before it.
_FOOTNOTE = re.compile(r'<sup><a [^>]*role="doc-noteref"[^>]*>[^<]*</a></sup>')

_MARKUP = re.compile(r"<[A-Za-z/!?]|&#?\w+;")


def as_html(text: str) -> str:
    """Give the shortest HTML that reads as this text: the text itself, unless it looks like markup."""
    if ("&" in text or "<" in text) and (_MARKUP.search(text) or html.unescape(text) != text):
        return html.escape(text, quote=False)
    return text


class Plain(NamedTuple):
    """A title and a description in plain text, each where the document has it in no other form."""

    title: str = ""
    abstract: str = ""


def add_plain(element: etree._Element, plain: Plain) -> None:
    """Append what is there as elements of Dublin Core."""
    for name, text in (("alternative", plain.title), ("abstract", plain.abstract)):
        if text:
            etree.SubElement(element, f"{{{DCTERMS}}}{name}").text = text


def excerpt(body: str) -> str:
    """Give the beginning of what a body's HTML says; nothing where it is too strange for that."""
    parted = _BLOCK.sub(" <", _FOOTNOTE.sub("", body[:_ENOUGH]))
    parts = etree.HTML(f"<div>{parted}</div>").itertext()
    return truncated(" ".join("".join(map(str, parts)).split()))
