"""HTML in plain text, as content management systems export it."""

import re
from html import unescape

from feeds.truncation import truncated

_BLOCKS = (
    "address article aside blockquote br caption center dd details div dl dt figcaption figure footer"
    " form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tbody td tfoot th thead"
    " tr ul"
)
_INLINE = (
    "a abbr acronym audio b bdi bdo big button cite code del dfn em embed font i iframe img input"
    " ins kbd label mark noscript object q s samp script small span strike strong style sub sup svg"
    " tt u var video wbr o:p"
)
_NAMES = "|".join((*_BLOCKS.split(), *_INLINE.split()))
_TAG = re.compile(
    rf"</?(?P<name>{_NAMES})(?:\s[^<>]*)?/?>|<!--.*?-->|<!\[CDATA\[|\]\]>", re.IGNORECASE
)
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][0-9A-Za-z]{1,31});")
# Some systems escape what is escaped already.
_MAX_ROUNDS = 3
_SHOWN = 200


def markup_in(text: str) -> str:
    """Return a tag or a character reference of HTML in a text; '' if there is none.

    `AT&T`, `a < b` and `<https://…>` are text.
    """
    found = _TAG.search(text)
    if found:
        return found[0]
    references = (reference[0] for reference in _REFERENCE.finditer(text))
    return next((found for found in references if unescape(found) != found), "")


def without_markup(text: str) -> str:
    """Return the text that was probably meant by some HTML."""
    for _ in range(_MAX_ROUNDS):
        text = unescape(_TAG.sub(_replacement, text))
        if not markup_in(text):
            break
    return truncated(re.sub(" {2,}", " ", text).strip(), _SHOWN)


def _replacement(tag: re.Match[str]) -> str:
    return " " if (tag["name"] or "").lower() in _BLOCKS.split() else ""
