"""Texts of entries: their content as HTML, the beginning of it as plain text, and of any long text."""

import html
import re
from html import escape
from itertools import takewhile
from unicodedata import combining

from lxml import etree

from feeds.formats.enclosures import documents_list
from feeds.i18n import language_of
from feeds.model import Entry, Photo

MAX_CHARACTERS = 300
# The part of the limit that a cut at a space must leave; otherwise the cut is within a word.
_MIN_LENGTH_RATIO = 0.85
# The last one separates words in Khmer and Thai, and has no width.
_SPACES = " \u3000\u200b"
# The combining class of signs that join a letter to the next one, as in Khmer.
_VIRAMA = 9
_MAX_EXCERPT_SOURCE = 20_000  # characters of HTML
# A tag of these separates words.
_BLOCK = re.compile(r"<(?=/?(?:blockquote|br|dd|div|dt|h[1-6]|hr|li|p|pre|td|th|tr)\b)")
# A footnote's number would become part of the word before it.
_FOOTNOTE = re.compile(r'<sup><a [^>]*role="doc-noteref"[^>]*>[^<]*</a></sup>')
_MARKUP = re.compile(r"<[A-Za-z/!?]|&#?\w+;")


def content(entry: Entry, body: str, language: str) -> str:
    """Return an entry's content as HTML, from its body's HTML; '' if it has its summary alone.

    Many readers show the content alone, without Media RSS and enclosures, and crediting a
    photo is a legal duty. So a photo comes first, unless the body shows the same picture;
    a credit without a picture, and a list of documents, come last. An entry without a body
    has its summary as text. `language` is the site's.
    """
    around = [*_photo(entry.photo, body)] if entry.photo else ["", ""]
    documents = ""
    if entry.documents:
        documents = documents_list(entry, language_of(entry.language or language))
    if not (any(around) or documents):
        html = body
    else:
        summary = f"<p>{escape(entry.summary, quote=False)}</p>" if entry.summary else ""
        before, after = around
        html = "\n".join(filter(None, (before, body or summary, after, documents)))
    if html and entry.language:
        direction = language_of(entry.language).direction
        return f'<div lang="{entry.language}" dir="{direction}">\n{html}\n</div>'
    return html


def _photo(photo: Photo, body: str) -> tuple[str, str]:
    """Return what a photo adds before and after a body: the picture, or its credit."""
    if photo.url and f'src="{escape(photo.url)}"' not in body:
        return _figure(photo), ""
    credit = escape(photo.credit, quote=False)
    return "", f"<p><small>{credit}</small></p>" if credit and credit not in body else ""


def _figure(photo: Photo) -> str:
    size = {"width": photo.width, "height": photo.height}
    sizes = "".join(f' {name}="{value}"' for name, value in size.items() if value)
    image = f'<img src="{escape(photo.url)}" alt="{escape(photo.alt)}"{sizes}>'
    credit = f"<figcaption>{escape(photo.credit, quote=False)}</figcaption>" if photo.credit else ""
    return f"<figure>{image}{credit}</figure>"


def excerpt(body: str) -> str:
    """Return the beginning of the text in a body's HTML; '' if it cannot be parsed."""
    separated = _BLOCK.sub(" <", _FOOTNOTE.sub("", body[:_MAX_EXCERPT_SOURCE]))
    parts = etree.HTML(f"<div>{separated}</div>").itertext()
    return truncated(" ".join("".join(map(str, parts)).split()))


def truncated(text: str, limit: int = MAX_CHARACTERS) -> str:
    """Return a text, or its beginning of at most `limit` characters and an ellipsis.

    It is cut at a space near the end, where there is one, and else between two
    grapheme clusters (UAX #29): no letter loses its vowel sign, no emoji a part.
    """
    if len(text) <= limit:
        return text
    space = max(text.rfind(space, int(limit * _MIN_LENGTH_RATIO), limit + 1) for space in _SPACES)
    end = space if space > 0 else _end_of_cluster(text, limit)
    return f"{text[:end].rstrip()}…"


def _end_of_cluster(text: str, limit: int) -> int:
    """Return the last place up to a limit where a cluster ends; if none does, the limit."""
    # Loaded for texts that are too long, and have no space where they are cut.
    import regex  # noqa: PLC0415

    clusters = takewhile(lambda found: found.end() <= limit, regex.finditer(r"\X", text))
    ends = [cluster.end() for cluster in clusters]
    return next((end for end in reversed(ends) if combining(text[end - 1]) != _VIRAMA), limit)


def as_html(text: str) -> str:
    """Return the shortest HTML for a text: the text itself, unless it looks like markup."""
    if ("&" in text or "<" in text) and (_MARKUP.search(text) or html.unescape(text) != text):
        return escape(text, quote=False)
    return text
