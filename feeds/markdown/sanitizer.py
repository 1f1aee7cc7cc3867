"""A body's HTML → a tree of elements that are safe to publish, and what is left out.

Left out without a note is what a paste from a word processor or a website brings and
people never see: comments, `class`, `style`, `data-*`, `<font>`, `<o:p>`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import zip_longest
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from feeds.markdown.content_model import HEADINGS, PHRASING, Element, is_visible
from feeds.markdown.links import (
    LINK,
    PICTURE,
    Kind,
    absolute,
    cleaned,
    fault_in,
    linked,
    possible_texts,
    shown,
)

PUBLISHED = (
    PHRASING
    | HEADINGS
    | frozenset(
        "article aside blockquote caption dd details div dl dt figcaption figure footer header hr"
        " li nav ol p pre summary table tbody td tfoot th thead tr ul".split()
    )
)
# Obsolete elements, and those that mean nothing within an entry.
_RENAMED = {
    old: new
    for new, names in {
        "abbr": "acronym",
        "code": "tt",
        "div": "address center dialog fieldset form hgroup legend main search section",
        "pre": "listing",
        "s": "strike",
        "ul": "dir menu",
    }.items()
    for old in names.split()
}
# These have no content, or none that people see.
_SILENT = frozenset("basefont col colgroup link meta param source track".split())
# Their content is published, and they themselves say nothing.
_TRANSPARENT = frozenset(
    "big blink data font label map marquee nobr noscript optgroup option picture rb rtc slot spacer"
    " title".split()
)
# What is left out with its content, and the message on it.
_LEFT_OUT = {
    name: f"<{{name}}> is not published{reason}"
    for names, reason in {
        "applet embed iframe object": "; write a link to what it shows: [text]({address})",
        "audio bgsound video": "; write a link to the file: [text]({address})",
        "canvas": "; show what it draws as a picture",
        "datalist input select": "; link to a page that has the form",
        "math": "; write the formula as text, or show it as a picture",
        "noembed noframes template textarea": "; write its content outside of it",
        "plaintext xmp": "; write code between two lines of ```",
        "script": ": feed readers run no scripts; remove it, or link to a page that has it",
        "style": ": pages and feed readers have styles of their own; remove it",
        "svg": "; save it as a file, and show it with ![description](address)",
    }.items()
    for name in names.split()
}
# What is left out, and its content is not.
_UNWRAPPED = {
    "area": "the links in a picture's <map> are not published; write each as [text](address)",
    "button": "<button> is not published, only its text; write a link: [text](address)",
    "form": "<form> is not published, only its text; link to a page that has the form",
}
_KNOWN = PUBLISHED | _TRANSPARENT | _RENAMED.keys() | _UNWRAPPED.keys()
# These are never skipped, however deep they are.
_LEAVES = frozenset(("a", "area", "br", "img", *_LEFT_OUT))
# Attributes that say nothing about content, of an unknown element.
_FORMATTING = frozenset("align class dir height id lang size style title width".split())
_FOR_NUMBERS = frozenset(("meter", "output", "progress"))
_CODE = frozenset("code kbd listing pre samp tt".split())
_EMPHASIS = frozenset("del em strong".split())
_LAZY = ("data-src", "data-lazy-src", "data-original", "srcset", "data-srcset")
# Deeper than people write, and far from the end of Python's stack.
_MAX_DEPTH = 400
# `[text](address)` that Markdown does not take for a link, and prints.
_PRINTED_LINK = re.compile(
    r"\]\(\s*<?(?:https?:|www\.|mailto:|ftp:|file:|\.{0,2}/|[\w-]+/|[^\s()]+\.[a-z])[^()\n]*\)?"
    r"|\]\s+\((?:https?://|www\.|mailto:)[^()\s]*\)",
    re.IGNORECASE,
)
FOOTNOTE = re.compile(r"\[\^[^\]\s\[^]+\]")
_LANGUAGE_TAG = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|\d{3}))?")
# The name of the link from a footnote back to the text.
_BACK = {
    "ar": "العودة إلى المرجع {}",
    "en": "Back to reference {}",
    "es": "Volver a la referencia {}",
    "fr": "Retour à l’appel de note {}",
    "pt": "Voltar à referência {}",
    "ru": "Назад к сноске {}",
    "zh": "返回引用处 {}",
}
_DATE = r"\s*\d{4}-\d\d-\d\d"
_TIME = r"[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,3})?)?"
_ZONE = r"(?:Z|[+-][01]\d:[0-5]\d)"

# Returns the value of an attribute as it is published, '' for an invalid one.
_Read = Callable[[str], str]


def _matching(pattern: str, convert: _Read = str.strip) -> _Read:
    return lambda text: convert(text) if re.fullmatch(pattern, text) else ""


def _valid_date(text: str) -> str:
    try:
        date.fromisoformat(text.strip()[:10])
    except ValueError:
        return ""
    return text.strip()


_TIME_WITH_ZONE = _matching(rf"{_DATE}(?:{_TIME}{_ZONE})?\s*", _valid_date)
_SIZE = _matching(r"\s*\d{1,5}\s*")
_NUMBER = _matching(r"\s*-?\d{1,9}\s*")
_CELL = {
    "colspan": _matching(r"\s*0*[1-9]\d{0,3}\s*"),
    "rowspan": _matching(r"\s*0*[1-9]\d{0,3}\s*"),
    "align": _matching("(?ai:left|center|right)", str.lower),
}
_ATTRIBUTES: Mapping[str, Mapping[str, _Read]] = {
    "del": {"datetime": _TIME_WITH_ZONE},
    "ins": {"datetime": _TIME_WITH_ZONE},
    "img": {"width": _SIZE, "height": _SIZE},
    "li": {"value": _NUMBER},
    "ol": {
        "start": _NUMBER,
        "type": _matching("[1aAiI]"),
        "reversed": lambda _: "reversed",
    },
    "td": _CELL,
    "th": {**_CELL, "scope": _matching("(?ai:(?:row|col)(?:group)?)", str.lower)},
    "time": {"datetime": _matching(rf"{_DATE}(?:{_TIME}{_ZONE}?)?\s*", _valid_date)},
}
# Attributes that are addresses, beside those of links and pictures.
_CITED = {"blockquote": "cite", "del": "cite", "ins": "cite", "q": "cite"}


class Loss(NamedTuple):
    """Something that is not published as it is written.

    `kind` is what losses are counted by, `message` the text of the note, and `texts`
    are how the thing, or its beginning, may be written in the body.
    """

    kind: str
    message: str
    texts: tuple[str, ...]


@dataclass
class Sanitizer:
    """Sanitizes the HTML of one body, and remembers what of it is not published.

    `site` is the URL that relative addresses are relative to, `page` that of the entry's
    own page, to which fragments belong; `prefix` is put before each `id`. `losses` are
    what is not published, `links` the addresses that are, as they are written, and
    `footnotes` what looks in the text like a reference to a footnote.
    """

    site: str
    page: str
    prefix: str
    language: str = "en"
    losses: list[Loss] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    footnotes: list[str] = field(default_factory=list)
    _ids: set[str] = field(default_factory=set)

    def sanitize(self, html: str) -> list[Element | str]:
        """Return what of some HTML is published: elements in PUBLISHED, and texts."""
        body = LexborHTMLParser(f"<!doctype html><body>{html}").body
        return self._content(body, 0, in_link=False, in_code=False) if body else []

    def _content(
        self, parent: LexborNode, depth: int, *, in_link: bool, in_code: bool
    ) -> list[Element | str]:
        """Return what of an element's content is published."""
        found: list[Element | str] = []
        nodes = list(_children(parent, depth))
        for node, following in zip_longest(nodes, nodes[1:]):
            name = node.tag or ""
            if node.is_text_node:
                text = node.text_content or ""
                joined = following is not None and following.tag in _EMPHASIS
                found += [text] if in_code else self._text(text, in_link=in_link, joined=joined)
            elif name in _LEFT_OUT:
                self._leave_out(node)
            elif name not in _SILENT:
                raw = {key: value or "" for key, value in node.attributes.items()}
                published, attributes = self._element(name, raw, in_link=in_link)
                children = self._content(
                    node,
                    depth + 1,
                    in_link=in_link or published == "a",
                    in_code=in_code or name in _CODE,
                )
                if published == "div" and "data-footnotes" in raw:
                    attributes["role"] = "doc-endnotes"
                    children[:0] = ["\n", Element("hr")]
                if published == "p" and _is_emptied(node, children):
                    continue
                if published:
                    found.append(Element(published, attributes, children))
                else:
                    self._note_unknown(name, raw, children)
                    found += [Element("span", attributes, children)] if attributes else children
        return found

    def _lose(self, kind: str, message: str, *texts: str) -> None:
        self.losses.append(Loss(kind, message, texts))

    def _leave_out(self, node: LexborNode) -> None:
        name = node.tag or ""
        if name == "input" and (node.attributes.get("type") or "").lower() == "hidden":
            return
        message = _LEFT_OUT[name].format(name=name, address=_source_of(node))
        self._lose(name, message, f"<{name}")

    def _element(
        self, written: str, raw: Mapping[str, str], *, in_link: bool
    ) -> tuple[str, dict[str, str]]:
        """Return the name under which an element is published, or '', and its attributes."""
        name = _RENAMED.get(written, written)
        attributes = self._attributes(name, raw) if raw else {}
        if written in _UNWRAPPED and (written != "area" or "href" in raw):
            self._lose(written, _UNWRAPPED[written], f"<{written}")
        if name == "a":
            name = self._link(raw, attributes, in_link=in_link)
        elif name == "img":
            name = self._picture(raw, attributes)
        elif (name == "time" and "datetime" not in attributes) or (
            name == "bdo" and "dir" not in attributes
        ):
            name = ""
        return (name if name in PUBLISHED else ""), attributes

    def _attributes(self, name: str, raw: Mapping[str, str]) -> dict[str, str]:
        """Return the attributes that are published of an element, but for `href` and `src`."""
        found = {
            key: value
            for key, read in _ATTRIBUTES.get(name, {}).items()
            if key in raw and (value := read(raw[key]))
        }
        cited = raw.get(_CITED.get(name, ""), "")
        if cited and not fault_in(cited, PICTURE):
            found[_CITED[name]] = absolute(cited, self.site)
        self._add_language(raw, found)
        if raw.get("title", "").strip():
            found["title"] = raw["title"]
        identity = "-".join((raw.get("id") or (name == "a" and raw.get("name")) or "").split())
        if identity and identity not in self._ids:
            self._ids.add(identity)
            found["id"] = self.prefix + identity
        for key in raw:
            if key.startswith("on") and key != "on":
                message = f"'{key}' is not published: feed readers run no scripts; remove it"
                self._lose("event handler", message, f"{key}=", key)
        return found

    def _add_language(self, raw: Mapping[str, str], found: dict[str, str]) -> None:
        """Add the language and the direction of an element's text to its attributes."""
        language = (raw.get("lang") or raw.get("xml:lang") or "").strip()
        if _is_language(language):
            found["lang"] = language
        elif language:
            message = (
                f"the language '{language}' is not known; write a tag like en, pt-BR or zh-Hant"
            )
            self._lose("lang", message, f'lang="{language}"', f"lang='{language}'", language)
        direction = raw.get("dir", "").strip().lower()
        if direction in {"ltr", "rtl", "auto"}:
            found["dir"] = direction
        elif direction:
            message = f"the direction '{direction}' is not published; write ltr, rtl or auto"
            self._lose("dir", message, f'dir="{raw["dir"]}"', f"dir='{raw['dir']}'")

    def _link(self, raw: Mapping[str, str], attributes: dict[str, str], *, in_link: bool) -> str:
        """Add its address to the attributes of a link; return '' if it has none to publish."""
        address = raw.get("href")
        if address is None:
            return ""
        if in_link:
            message = f"the link {shown(address)} is not published: it is in another link"
            self._lose("nested link", message, *possible_texts(address))
            return ""
        if cleaned(address).startswith("#"):
            fragment = cleaned(address)[1:]
            attributes["href"] = absolute(
                f"{self.page}#{self.prefix}{fragment}" if fragment else self.page,
                self.site,
            )
        elif self._is_sound(address, LINK):
            attributes["href"] = absolute(address, self.site)
            if _is_language(raw.get("hreflang", "")):
                attributes["hreflang"] = raw["hreflang"]
        else:
            return ""
        if "data-footnote-ref" in raw:
            attributes["role"] = "doc-noteref"
        if number := raw.get("data-footnote-backref-idx"):
            attributes["role"] = "doc-backlink"
            back = _BACK.get(self.language.partition("-")[0], "↩ {}")
            attributes["aria-label"] = back.format(number)
        return "a"

    def _picture(self, raw: Mapping[str, str], attributes: dict[str, str]) -> str:
        """Add its address to the attributes of a picture; return '' if it has none to publish."""
        address = raw.get("src", "")
        later = next((raw[name] for name in _LAZY if raw.get(name)), "")
        if later and (not address.strip() or address.startswith("data:")):
            message = (
                f"a picture without its address in 'src' is not published; write src={shown(later)}"
            )
            self._lose("lazy picture", message, "<img")
        elif self._is_sound(address, PICTURE):
            attributes["src"] = absolute(address, self.site)
            attributes["alt"] = raw.get("alt", "")
            return "img"
        attributes.clear()
        return ""

    def _is_sound(self, address: str, kind: Kind) -> bool:
        """Return whether an address can be published; what is wrong with it is a loss."""
        text = cleaned(address)
        fault = fault_in(address, kind)
        what = f"the {kind.noun} {shown(text)}" if text else f"a {kind.noun} without an address"
        texts = possible_texts(address) if text else (f"<{kind.element}", "]()", "](<>)")
        if fault:
            message = f"{what} is not published{kind.consequence}: {fault}"
            self._lose(f"{kind.noun} {text.partition(':')[0]}", message, *texts)
            return False
        if text != address.strip():
            sign = next(sign for sign in address if sign not in text)
            message = f"{what} has an invisible character at its end, U+{ord(sign):04X}; remove it"
            self._lose("invisible character", message, *texts)
        if " " in text and text.lower().startswith("http"):
            self._lose("space", f"{what} has a space in it; write %20 for it", *texts)
        self.links.append(text)
        return True

    def _note_unknown(
        self, name: str, raw: Mapping[str, str], children: Sequence[Element | str]
    ) -> None:
        """Report an element that HTML does not have, or that shows nothing without a script."""
        if name in _KNOWN:
            return
        if name.startswith("http") or not (":" in name or "-" in name or name in _FOR_NUMBERS):
            message = f"'<{name}…>' is not published: it is read as HTML; write &lt; instead of <"
            self._lose("not HTML", message, f"<{name}")
            return
        says = {key for key in raw if ":" not in key} - _FORMATTING
        if says and not is_visible(children):
            message = f"<{name}> is not published; write what it shows, or link to it"
            self._lose(name, message, f"<{name}")

    def _text(self, text: str, *, in_link: bool, joined: bool) -> Sequence[Element | str]:
        if "[^" in text:
            self.footnotes += FOOTNOTE.findall(text)
        found = _PRINTED_LINK.search(text) if "]" in text else None
        if found:
            message = (
                f"'[…{found[0]}' is printed as it is, not as a link: write %20 for each space"
                " in the address, none before the bracket, and leave a blank line after HTML"
            )
            self._lose("printed link", message, found[0])
        return [text] if in_link or "://" not in text else linked(text, joined=joined)


def _children(parent: LexborNode, depth: int) -> Iterator[LexborNode]:
    """Yield the elements and texts in a node; very deep in a body, what is in those elements."""
    stack = [parent.first_child]
    while stack:
        node = stack.pop()
        if node is None:
            continue
        stack.append(node.next)
        if node.is_element_node and depth >= _MAX_DEPTH and node.tag not in _LEAVES:
            stack.append(node.first_child)
        elif node.is_element_node or node.is_text_node:
            yield node


def _is_emptied(before: LexborNode, children: Sequence[Element | str]) -> bool:
    """Return whether nothing is left of an element, and an element was in it."""
    return any(child.is_element_node for child in before.iter()) and not any(
        isinstance(child, Element) or child.strip() for child in children
    )


def _source_of(element: LexborNode) -> str:
    """Return where an embedded element takes its content from."""
    for node in element.css("[src], [data], [data-src], [href]"):
        for name in ("src", "data", "data-src", "href"):
            address = node.attributes.get(name) or ""
            if address and not fault_in(address, PICTURE):
                return f"https:{address}" if address.startswith("//") else address
    return "https://…"


@cache
def _is_language(tag: str) -> bool:
    """Return whether a BCP 47 tag of language, script and region names ones that CLDR knows."""
    found = _LANGUAGE_TAG.fullmatch(tag)
    if not found:
        return False
    # Loaded for bodies that name a language.
    from babel import Locale  # noqa: PLC0415

    names = Locale("en")
    language, script, region = found.groups("")
    return (
        language.lower() in names.languages
        and (not script or script.title() in names.scripts)
        and (not region or region.upper() in names.territories)
    )
