"""Bare addresses in a text: `https://…` becomes a link to itself."""

import re
from collections.abc import Sequence
from html import unescape

from feeds.markdown.content_model import Element, to_html
from feeds.markdown.links import LINK, absolute, fault_in

# In scripts without spaces between words, text follows an address directly.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef"
)
_NEVER = r'\s<>"“”«»'
_ADDRESS = re.compile(
    # Not in a word, another address, or a link that Markdown printed as it is.
    rf"(?<![A-Za-z0-9_/:=@.-])(?<!\]\()https?://"
    rf"(?:(?=[{_UNSPACED}])[^{_NEVER}]+|[^{_NEVER}{_UNSPACED}]+)",
    re.IGNORECASE,
)
_WITH_HOST = re.compile(r"https?://[^/?#]*[^/?#.]\.[^/?#.]", re.IGNORECASE)
# What ends a sentence, or encloses an address, is not part of it.
_TRAILING = "?!.,:;*_~'’‘…·|"
_PAIRS = {")": "(", "]": "[", "}": "{", "）": "（"}


# In HTML that cmark made of Markdown alone: elements in which nothing is linked, and tags.
_MARKUP = re.compile(r"(<a .*?</a>|<code.*?</code>|<[^>]+>)", re.DOTALL)
_EMPHASIS = ("<em", "<strong", "<del")


def with_links(html: str) -> str:
    """Return HTML that cmark made of Markdown alone, with a link for each address in its texts."""
    parts = _MARKUP.split(html)
    for number in range(0, len(parts), 2):
        if "://" in parts[number]:
            joined = parts[number + 1].startswith(_EMPHASIS) if number + 1 < len(parts) else False
            parts[number] = to_html(linked(unescape(parts[number]), joined=joined))
    return "".join(parts)


def linked(text: str, *, joined: bool) -> Sequence[Element | str]:
    """Return a text with a link for each http or https address in it.

    `joined` tells that emphasis follows directly: then an address at the text's end
    is left as it is, because Markdown took some of its characters for signs.
    """
    found: list[Element | str] = []
    end = 0
    for match in _ADDRESS.finditer(text):
        address = _without_trailing(match[0])
        cut = joined and match.end() == len(text)
        if cut or not _WITH_HOST.match(address) or fault_in(address, LINK):
            continue
        found += [
            text[end : match.start()],
            Element("a", {"href": absolute(address, "")}, [address]),
        ]
        end = match.start() + len(address)
    return [node for node in (*found, text[end:]) if node]


def _without_trailing(address: str) -> str:
    while True:
        last = address[-1]
        opening = _PAIRS.get(last, "")
        if last not in _TRAILING and not (opening and address.count(last) > address.count(opening)):
            return address
        address = address[:-1]
