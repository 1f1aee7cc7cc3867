"""Texts in Markdown, in HTML or in neither: what they show, and titles for them."""

import re
from html import unescape
from typing import NamedTuple

from feeds.catalogue.text_fields import HTML_TAG
from feeds.formats.content import truncated
from feeds.importer.html_to_markdown import Markdown, to_markdown, to_text
from feeds.importer.item_texts import MAX_SUMMARY_LENGTH
from feeds.markdown import to_unsafe_html

_MAX_TITLE_LENGTH = 120
_MIN_SENTENCE_LENGTH = 20
_HTML_BLOCK = re.compile(
    r"\s*<(?:!--|(?:blockquote|div|figure|h[1-6]|ol|p|pre|section|table|ul)[\s>])", re.IGNORECASE
)
_MARKDOWN = re.compile(
    r"\[[^\[\]]++\]\([^()\[\s]++\)|\*\*[^\s*]|(?<![\w*])\*[^\s*][^*\n]*+(?<!\s)\*(?![\w*])"
    r"|^(?:#{1,6}|[-*+>]|\d+[.)]) |^(?:```|~~~)",
    re.MULTILINE,
)
# A text without these signs shows itself.
_MARKUP_SIGNS = re.compile(r"[\\`*_\[<&~]")
_TAG_OR_SIGN = re.compile(
    rf"(?P<kept>(?<!`)`++[^`]++`++|{HTML_TAG.pattern})|<(?!https?://)", re.IGNORECASE
)
_BLOCK_MARKER = re.compile(r"^(?:#{1,6}|[-*+>])[ \t]+")
_MARKUP = re.compile(r"<(?!/?p>)[a-z]", re.IGNORECASE)
_LINK = re.compile(r"<(?:a|img)\s", re.IGNORECASE)
_ONLY_LINK = re.compile(r'<p>x <a [^>]*?href="([^"]+)"[^>]*>(?:(?!</?a\b|<img\b).)+</a></p>\n')
_BLOCK_END = re.compile(r"\n\s*\n|<br\s*/?>|</(?:p|div|li|h[1-6]|tr)>", re.IGNORECASE)
# A full stop after a short word may be that of an abbreviation.
_SENTENCE_END = re.compile(
    r"[。！？]|(?:[!?…]|(?<=[^\W\d_A-Z]{4})\.|(?<=\w{6})\.|(?<=\d\d)\.)[)\"”»]?(?=\s+[^a-z\s])"
)


class Shown(NamedTuple):
    """What a text shows on one line.

    `has_markup` is whether it is more than that, `has_link` whether it has a link or a
    picture. `address` is that of the link that all of it is, or ''.
    """

    text: str
    has_markup: bool = False
    has_link: bool = False
    address: str = ""


def shown(text: str) -> Shown:
    """Return what a text shows, which is Markdown, HTML, both or neither.

    `<` is a sign of HTML only in a known tag, and a number at the beginning makes no list.
    """
    line = " ".join(text.split())
    if not _MARKUP_SIGNS.search(line):
        return Shown(_BLOCK_MARKER.sub("", line))
    line = _BLOCK_MARKER.sub("", line)
    # After a letter, only what is within a line is markup.
    html = to_unsafe_html("x " + _TAG_OR_SIGN.sub(lambda sign: sign["kept"] or "&lt;", line))
    only = _ONLY_LINK.fullmatch(html)
    return Shown(
        to_text(html).removeprefix("x").strip(),
        has_markup=bool(_MARKUP.search(html)),
        has_link=bool(_LINK.search(html)),
        address=unescape(only[1]) if only else "",
    )


def title_of(text: str) -> str:
    """Return a title for a text: its first paragraph, or the first sentences or words of that."""
    found = (shown(block).text for block in _BLOCK_END.split(text))
    first = next(filter(None, found), "")
    if len(first) <= _MAX_TITLE_LENGTH:
        return first
    ends = (end.end() for end in _SENTENCE_END.finditer(first, 0, _MAX_TITLE_LENGTH + 2))
    end = next((end for end in ends if end >= _MIN_SENTENCE_LENGTH), 0)
    return first[:end] if end else truncated(first, _MAX_TITLE_LENGTH)


def is_text_of_its_own(summary: str) -> bool:
    """Check whether a summary is too long for one, or has paragraphs, lists, links or pictures."""
    return (
        len(summary) > MAX_SUMMARY_LENGTH
        or len([block for block in _BLOCK_END.split(summary) if shown(block).text]) > 1
        or shown(summary).has_link
    )


def is_html(text: str) -> bool:
    """Check whether a text is HTML, rather than Markdown that may have some HTML in it."""
    if _HTML_BLOCK.match(text):
        return True
    return bool(HTML_TAG.search(text)) and not _MARKDOWN.search(text)


def body_of(text: str, base: str = "") -> Markdown:
    """Return a text as Markdown; in HTML, links are relative to the address `base`."""
    if is_html(text):
        return to_markdown(text, base)
    return Markdown(as_markdown(text))


def as_markdown(text: str) -> str:
    """Return Markdown without spaces at the ends of lines and empty lines around it."""
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
