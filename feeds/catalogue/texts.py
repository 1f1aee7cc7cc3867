"""Plain text and Markdown as an editor writes them."""

import re

from feeds.catalogue.markup import markup_in, without_markup
from feeds.catalogue.reader import Fault, Remark
from feeds.catalogue.source import describe, forbidden_character

# No-break spaces are typography, and stay.
_FOLDED = re.compile("[ \t\r\n\x85\u2028\u2029]+")
_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")

_DEPTH = 100
# A long report has as many. Some bodies take cmark a time that grows with their square.
_MAX_BODY_LENGTH = 100_000
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_VOID = frozenset("area br col embed hr img input link meta source track wbr".split())
_NESTED_MARKERS = re.compile(r"^(?:[ \t]*(?:[>*+-]|[0-9]{1,9}[.)])){100}", re.MULTILINE)
# Text that surely is seen: behind signs and harmless tags, a letter. Links, code and
# characters by their names could be all that there is, and show nothing.
_SEEN = re.compile(
    r"(?:[^<\[&`~\w]++|[\d_]++"
    r'|<(?:a|b|blockquote|div|em|h[1-6]|i|li|ol|p|span|strong|ul)(?: [a-z]+="[^"<>]*")*>'
    r")*+[^\W\d_]"
)
# Links and pictures as nearly all are written.
_PATH = r"[A-Za-z0-9\-._~!$*+,;=:@/?&]*+"
_WEB = (
    rf"https?://[a-z0-9-]++(?:\.[a-z0-9-]++)++(?:/{_PATH}(?:%[0-9A-F]{{2}}{_PATH})*+)?+"
    "(?<!%[0-9A-F][0-9A-F])"
)
_LINK = re.compile(rf'\[(?<!\\\[)[^\[\]\\`<>\n]*\]\({_WEB}(?: "[^"\n\\]*")?\)')
# Beside these, what needs a closer look: raw HTML, footnotes, definitions, tables, other links.
_UNSURE = ("[^", "]:", "|", "](")
_UNSURE_PATTERNS = (re.compile("<[A-Za-z/!?]"), re.compile(r"\]\s+\("))
_REFERENCE = re.compile(r"&#(?:[xX]0*([0-9A-Fa-f]{1,8})|0*([0-9]{1,8}))")
_NO_CHARACTER = 0x110000


def line(text: str) -> str:
    """Read plain text, its white space folded; raises Fault where none of it can be seen.

    Raises Remark where it looks like HTML.
    """
    found = folded(text)
    if ("&" in found or "<" in found) and (markup := markup_in(found)):
        meant = without_markup(found)
        remedy = f"write '{meant}'" if meant else "write a text without it"
        raise Remark(found, f"HTML such as '{markup}' is shown here as it is written; {remedy}")
    return found


def folded(text: str) -> str:
    """Return a text with its white space folded; raises Fault where none of it can be seen."""
    if text.isprintable() and "  " not in text:
        return text.strip(" ")
    found = _FOLDED.sub(" ", text).strip()
    if found and not (found[0].isprintable() or any(map(str.isprintable, found.replace(" ", "")))):
        raise Fault(f"shows nothing: U+{ord(found[0]):04X} cannot be seen")
    return found


def markdown(text: str) -> str:
    """Read a body; raises Fault for what could be rendered by no reader.

    Blocks or HTML elements nested very deep cost any parser quadratic time, and
    a character reference can name what XML cannot carry.
    """
    text = _LINE_ENDS.sub("\n", text).strip("\n")
    if len(text) > _MAX_BODY_LENGTH:
        raise Fault(f"has {len(text):,} characters; a body has at most {_MAX_BODY_LENGTH:,}")
    for hexadecimal, decimal in _REFERENCE.findall(text):
        code = int(hexadecimal, 16) if hexadecimal else int(decimal)
        if code and code < _NO_CHARACTER and forbidden_character.match(chr(code)):
            raise Fault(f"refers to {describe(chr(code))}, which cannot be published")
    if _NESTED_MARKERS.search(text):
        raise Fault(f"quotes or lists are nested {_DEPTH} deep")
    depth = 0
    for closing, tag in _TAG.findall(text):
        if tag.lower() in _VOID:
            continue
        depth = max(depth - 1, 0) if closing else depth + 1
        if depth > _DEPTH:
            raise Fault(f"opens {_DEPTH} HTML elements without closing them")
    return text


def surely_shows(body: str) -> bool:
    """Tell at once, of nearly every body, that there is text to be seen in it."""
    return bool(_SEEN.match(body))


def surely_published(body: str) -> bool:
    """Return whether it is plain, as of nearly every body, that nothing of it gets lost."""
    text = _LINK.sub("x", body) if "](" in body else body
    return not (
        any(sign in text for sign in _UNSURE)
        or any(pattern.search(text) for pattern in _UNSURE_PATTERNS)
    )


def whole_number(low: int, high: int, text: str) -> int:
    """Read a number between two bounds."""
    if not (text.isascii() and text.isdigit() and low <= int(text[:12]) <= high):
        raise Fault(f"is a whole number from {low} to {high}")
    return int(text)


def colour(text: str) -> str:
    """Read a colour, and give it as `#rrggbb`."""
    if not re.fullmatch("#?[0-9A-Fa-f]{6}", text):
        raise Fault("is no colour; write its red, green and blue like '#00558c', in quotes")
    return f"#{text.removeprefix('#').lower()}"


def media_type(text: str) -> str:
    """Read an image's media type (RFC 6838)."""
    if not re.fullmatch(r"image/[a-z0-9][a-z0-9.+-]{0,60}", text):
        raise Fault("is an image's media type, such as image/jpeg")
    return text
