"""Which HTML is published, and what is said of the rest.

What a paste from a word processor or a website brings and people never see is
left out silently: comments, `class`, `style`, `data-*`, `<font>`, `<o:p>`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date

from feeds.markdown.content_model import HEADINGS, PHRASING

_BLOCKS = HEADINGS | frozenset(
    "article aside blockquote caption dd details div dl dt figcaption figure footer header hr li"
    " nav ol p pre summary table tbody td tfoot th thead tr ul".split()
)
KEPT = PHRASING | _BLOCKS
# Obsolete elements, and those that mean nothing within an entry.
RENAMED = {
    "acronym": "abbr",
    "address": "div",
    "center": "div",
    "dialog": "div",
    "dir": "ul",
    "fieldset": "div",
    "form": "div",
    "hgroup": "div",
    "legend": "div",
    "listing": "pre",
    "main": "div",
    "menu": "ul",
    "search": "div",
    "section": "div",
    "strike": "s",
    "tt": "code",
}
# These have no content, or none that people see.
SILENT = frozenset("basefont col colgroup link meta param source track".split())
# Their content is published, and they themselves say nothing.
TRANSPARENT = frozenset(
    "big blink data font label map marquee nobr noscript optgroup option picture rb rtc slot spacer"
    " title".split()
)
_EMBED = "<{name}> is not published; write a link to what it shows: [text]({address})"
_MEDIA = "<{name}> is not published; write a link to the file: [text]({address})"
_FORM = "<{name}> is not published; link to a page that has the form"
# What is left out with its content.
LEFT_OUT = {
    "applet": _EMBED,
    "audio": _MEDIA,
    "bgsound": _MEDIA,
    "canvas": "<canvas> is not published; show what it draws as a picture",
    "datalist": _FORM,
    "embed": _EMBED,
    "iframe": _EMBED,
    "input": _FORM,
    "math": "<math> is not published; write the formula as text, or show it as a picture",
    "noembed": "<noembed> is not published; write its content outside of it",
    "noframes": "<noframes> is not published; write its content outside of it",
    "object": _EMBED,
    "plaintext": "<plaintext> is not published; write code between two lines of ```",
    "script": "<script> is not published: feed readers run no scripts; remove it,"
    " or link to a page that has it",
    "select": _FORM,
    "style": "<style> is not published: pages and feed readers have styles of their own; remove it",
    "svg": "<svg> is not published; save it as a file, and show it with ![description](address)",
    "template": "<template> is not published; write its content outside of it",
    "textarea": "<textarea> is not published; write its content outside of it",
    "video": _MEDIA,
    "xmp": "<xmp> is not published; write code between two lines of ```",
}
# What is left out, and its content is not.
UNWRAPPED = {
    "area": "the links in a picture's <map> are not published; write each as [text](address)",
    "button": "<button> is not published, only its text; write a link: [text](address)",
    "form": "<form> is not published, only its text; link to a page that has the form",
}
KNOWN = KEPT | TRANSPARENT | RENAMED.keys() | UNWRAPPED.keys()
# These are never skipped, however deep they are.
LEAVES = frozenset(("a", "area", "br", "img", *LEFT_OUT))
# Attributes that say nothing about content, of an element that is not known.
FORMATTING = frozenset("align class dir height id lang size style title width".split())

_TIME = r"([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,3})?)?"
_DATE = re.compile(rf"(\d{{4}}-\d\d-\d\d)(?:[T ]{_TIME}(Z|[+-][01]\d:[0-5]\d)?)?")
_COUNT = re.compile(r"0*[1-9]\d{0,3}")


def _one_of(*values: str) -> Callable[[str], str]:
    return lambda text: text.lower() if text.lower() in values else ""


def _number(text: str) -> str:
    return text.strip() if re.fullmatch(r"\s*-?\d{1,9}\s*", text) else ""


def _size(text: str) -> str:
    return text.strip() if re.fullmatch(r"\s*\d{1,5}\s*", text) else ""


def _span(text: str) -> str:
    return text.strip() if _COUNT.fullmatch(text.strip()) else ""


def _moment(text: str) -> str:
    found = _DATE.fullmatch(text.strip())
    try:
        return f"{date.fromisoformat(found[1])}{found[0][len(found[1]) :]}" if found else ""
    except ValueError:
        return ""


def _moment_with_zone(text: str) -> str:
    found = _DATE.fullmatch(text.strip())
    return _moment(text) if found and bool(found[2]) == bool(found[3]) else ""


def _list_type(text: str) -> str:
    return text if text in {*"1aAiI"} else ""


_ALIGNED = _one_of("left", "center", "right")
# What reads the value of an attribute of an element, and returns '' for an invalid one.
ATTRIBUTES: Mapping[str, Mapping[str, Callable[[str], str]]] = {
    "del": {"datetime": _moment_with_zone},
    "ins": {"datetime": _moment_with_zone},
    "img": {"width": _size, "height": _size},
    "li": {"value": _number},
    "ol": {"start": _number, "type": _list_type, "reversed": lambda _: "reversed"},
    "td": {"colspan": _span, "rowspan": _span, "align": _ALIGNED},
    "th": {
        "colspan": _span,
        "rowspan": _span,
        "align": _ALIGNED,
        "scope": _one_of("row", "col", "rowgroup", "colgroup"),
    },
    "time": {"datetime": _moment},
}
DIRECTIONS = frozenset(("ltr", "rtl", "auto"))
# Attributes that are addresses, beside those of links and pictures.
CITED = {"blockquote": "cite", "del": "cite", "ins": "cite", "q": "cite"}
