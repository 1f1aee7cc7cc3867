"""A tree of any HTML → one of HTML that is safe to publish, and what that leaves out."""

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import zip_longest
from typing import NamedTuple
from urllib.parse import unquote

from feeds.markdown.autolinks import linked
from feeds.markdown.content_model import Element, is_visible
from feeds.markdown.elements import (
    ATTRIBUTES,
    CITED,
    DIRECTIONS,
    FORMATTING,
    KEPT,
    KNOWN,
    LEFT_OUT,
    RENAMED,
    SILENT,
    UNWRAPPED,
)
from feeds.markdown.lang import is_language, way_back
from feeds.markdown.links import LINK, PICTURE, Kind, absolute, cleaned, fault_in, shown
from feeds.markdown.losses import Loss

_CODE = frozenset("code kbd listing pre samp tt".split())
_SIGNS = frozenset("del em strong".split())
# `[text](address)` that Markdown does not take for a link, and prints.
_PRINTED_LINK = re.compile(
    r"\]\(\s*<?(?:https?:|www\.|mailto:|ftp:|file:|\.{0,2}/|[\w-]+/|[^\s()]+\.[a-z])[^()\n]*\)?"
    r"|\]\s+\((?:https?://|www\.|mailto:)[^()\s]*\)",
    re.IGNORECASE,
)
_FOOTNOTE = re.compile(r"\[\^[^\]\s\[^]+\]")
_FOR_NUMBERS = frozenset(("meter", "output", "progress"))
_LAZY = ("data-src", "data-lazy-src", "data-original", "srcset", "data-srcset")


class Base(NamedTuple):
    """What a body's addresses and ids are made absolute with.

    `site` is the address that relative ones are relative to, `page` that of the
    entry's own page, and `prefix` what its ids begin with.
    """

    site: str
    page: str
    prefix: str
    language: str = "en"


class Sanitiser:
    """Sanitises the tree of one body, and remembers what of it is not published.

    `losses` are that; `links` the addresses that are published, as they are written;
    and `footnotes` what looks in the text like a reference to a footnote.
    """

    def __init__(self, base: Base) -> None:
        self.losses: list[Loss] = []
        self.links: list[str] = []
        self.footnotes: list[str] = []
        self._base = base
        self._ids: set[str] = set()

    def sanitised(
        self, nodes: Sequence[Element | str], *, in_link: bool = False, in_code: bool = False
    ) -> list[Element | str]:
        """Return what of some nodes is published: elements in KEPT, and texts."""
        found: list[Element | str] = []
        for node, following in zip_longest(nodes, nodes[1:], fillvalue=""):
            if isinstance(node, str):
                joined = not isinstance(following, str) and following.name in _SIGNS
                found += [node] if in_code else self._text(node, in_link=in_link, joined=joined)
            elif node.name in LEFT_OUT:
                self._leave_out(node)
            elif node.name not in SILENT:
                name, attributes = self._element(node, in_link=in_link)
                children = self.sanitised(
                    node.children,
                    in_link=in_link or name == "a",
                    in_code=in_code or node.name in _CODE,
                )
                if "data-footnotes" in node.attributes:
                    attributes["role"] = "doc-endnotes"
                    children[:0] = ["\n", Element("hr")]
                if name == "p" and _is_emptied(node, children):
                    continue
                if name:
                    found.append(Element(name, attributes, children))
                else:
                    self._note_unknown(node, children)
                    found += [Element("span", attributes, children)] if attributes else children
        return found

    def _lose(self, kind: str, message: str, *texts: str) -> None:
        self.losses.append(Loss(kind, message, texts))

    def _leave_out(self, element: Element) -> None:
        name = element.name
        if name == "input" and element.attributes.get("type", "").lower() == "hidden":
            return
        message = LEFT_OUT[name].format(name=name, address=_source_of(element))
        self._lose(name, message, f"<{name}")

    def _element(self, element: Element, *, in_link: bool) -> tuple[str, dict[str, str]]:
        """Return the name under which an element is published, or '', and its attributes."""
        name = RENAMED.get(element.name, element.name)
        attributes = self._attributes(element, name)
        if element.name in UNWRAPPED and (element.name != "area" or "href" in element.attributes):
            self._lose(element.name, UNWRAPPED[element.name], f"<{element.name}")
        if name == "a":
            name = self._link(element, attributes, in_link=in_link)
        elif name == "img":
            name = self._picture(element, attributes)
        elif (name == "time" and "datetime" not in attributes) or (
            name == "bdo" and "dir" not in attributes
        ):
            name = ""
        return (name if name in KEPT else ""), attributes

    def _attributes(self, element: Element, name: str) -> dict[str, str]:
        """Return the attributes that are published of any element, but for addresses."""
        given = element.attributes
        if not given:
            return {}
        found = {
            key: value
            for key, read in ATTRIBUTES.get(name, {}).items()
            if key in given and (value := read(given[key]))
        }
        cited = given.get(CITED.get(name, ""), "")
        if cited and not fault_in(cited, PICTURE):
            found[CITED[name]] = absolute(cited, self._base.site)
        self._add_language(given, found)
        if given.get("title", "").strip():
            found["title"] = given["title"]
        identity = "-".join((given.get("id") or (name == "a" and given.get("name")) or "").split())
        if identity and identity not in self._ids:
            self._ids.add(identity)
            found["id"] = self._base.prefix + identity
        for key in given:
            if key.startswith("on") and key != "on":
                message = f"'{key}' is not published: feed readers run no scripts; remove it"
                self._lose("event handler", message, f"{key}=", key)
        return found

    def _add_language(self, given: dict[str, str], found: dict[str, str]) -> None:
        """Add the language and the direction of an element's text to its attributes."""
        language = (given.get("lang") or given.get("xml:lang") or "").strip()
        if is_language(language):
            found["lang"] = language
        elif language:
            message = (
                f"the language '{language}' is not known; write a tag like en, pt-BR or zh-Hant"
            )
            self._lose("lang", message, f'lang="{language}"', f"lang='{language}'", language)
        direction = given.get("dir", "").strip().lower()
        if direction in DIRECTIONS:
            found["dir"] = direction
        elif direction:
            message = f"the direction '{direction}' is not published; write ltr, rtl or auto"
            self._lose("dir", message, f'dir="{given["dir"]}"', f"dir='{given['dir']}'")

    def _link(self, element: Element, attributes: dict[str, str], *, in_link: bool) -> str:
        """Add an address to the attributes of a link; return '' where it has none."""
        given = element.attributes
        if "href" not in given:
            return ""
        address = given["href"]
        if in_link:
            message = f"the link {shown(address)} is not published: it is in another link"
            self._lose("nested link", message, *written(address))
            return ""
        if cleaned(address).startswith("#"):
            fragment = cleaned(address)[1:]
            attributes["href"] = absolute(
                f"{self._base.page}#{self._base.prefix}{fragment}" if fragment else self._base.page,
                self._base.site,
            )
        elif self._is_sound(address, LINK, element):
            attributes["href"] = absolute(address, self._base.site)
            if is_language(given.get("hreflang", "")):
                attributes["hreflang"] = given["hreflang"]
        else:
            return ""
        if "data-footnote-ref" in given:
            attributes["role"] = "doc-noteref"
        if number := given.get("data-footnote-backref-idx"):
            attributes["role"] = "doc-backlink"
            attributes["aria-label"] = way_back(self._base.language, number)
        return "a"

    def _picture(self, element: Element, attributes: dict[str, str]) -> str:
        """Add what a picture needs to its attributes; return '' where it has no address."""
        given = element.attributes
        address = given.get("src", "")
        later = next((given[name] for name in _LAZY if given.get(name)), "")
        if later and (not address.strip() or address.startswith("data:")):
            message = (
                f"a picture without its address in 'src' is not published; write src={shown(later)}"
            )
            self._lose("lazy picture", message, "<img")
        elif self._is_sound(address, PICTURE, element):
            attributes["src"] = absolute(address, self._base.site)
            attributes["alt"] = given.get("alt", "")
            return "img"
        attributes.clear()
        return ""

    def _is_sound(self, address: str, kind: Kind, element: Element) -> bool:
        """Return whether an address can be published; what is wrong with it is a loss."""
        text = cleaned(address)
        fault = fault_in(address, kind)
        what = f"the {kind.noun} {shown(text)}" if text else f"a {kind.noun} without an address"
        texts = written(address) if text else (f"<{element.name}", "]()", "](<>)")
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

    def _note_unknown(self, element: Element, children: Sequence[Element | str]) -> None:
        """Report an element that HTML does not have, or that shows nothing without a script."""
        name = element.name
        if name in KNOWN:
            return
        if name.startswith("http") or not (":" in name or "-" in name or name in _FOR_NUMBERS):
            message = f"'<{name}…>' is not published: it is taken for HTML; write &lt; for <"
            self._lose("not HTML", message, f"<{name}")
            return
        says = {key for key in element.attributes if ":" not in key} - FORMATTING
        if says and not is_visible(children):
            message = f"<{name}> is not published; write what it shows, or link to it"
            self._lose(name, message, f"<{name}")

    def _text(self, text: str, *, in_link: bool, joined: bool) -> Sequence[Element | str]:
        if "[^" in text:
            self.footnotes += _FOOTNOTE.findall(text)
        found = _PRINTED_LINK.search(text) if "]" in text else None
        if found:
            message = (
                f"'[…{found[0]}' is printed as it is, not as a link: write %20 for each space"
                " in the address, none before the bracket, and leave a line blank behind HTML"
            )
            self._lose("printed link", message, found[0])
        return [text] if in_link or "://" not in text else linked(text, joined=joined)


def _is_emptied(before: Element, children: Sequence[Element | str]) -> bool:
    """Return whether nothing is left of an element, and something was in it."""
    return any(isinstance(child, Element) for child in before.children) and not any(
        isinstance(child, Element) or child.strip() for child in children
    )


def _source_of(element: Element) -> str:
    """Return where an embedded element takes its content from."""
    for node in _walk(element):
        if not isinstance(node, str):
            for name in ("src", "data", "data-src", "href"):
                address = node.attributes.get(name, "")
                if address and not fault_in(address, PICTURE):
                    return f"https:{address}" if address.startswith("//") else address
    return "https://…"


def written(address: str) -> tuple[str, ...]:
    """Return how an address may be written in a body."""
    return (address, escape(address, quote=False), unquote(address))


def _walk(element: Element) -> "Iterator[Element | str]":
    stack: list[Element | str] = [element]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, str):
            stack.extend(reversed(node.children))
