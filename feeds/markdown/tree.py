"""HTML ↔ a tree of elements and texts, which is never deep."""

from collections.abc import Collection, Iterable, Iterator
from html import escape
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

PHRASING = frozenset(
    "a abbr b bdi bdo br cite code del dfn em i img ins kbd mark q rp rt ruby s samp small span"
    " strong sub sup time u var wbr".split()
)
VOID = frozenset("br hr img wbr".split())
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))

# Deeper than people write, and far from the end of Python's stack.
_MAX_DEPTH = 400
_DOCTYPE = "<!doctype html><body>"


class Element:
    """An element; `has_block` is true where a block is anywhere in it."""

    __slots__ = ("attributes", "children", "has_block", "name")

    def __init__(
        self,
        name: str,
        attributes: dict[str, str] | None = None,
        children: Iterable["Element | str"] = (),
    ) -> None:
        self.name = name
        self.attributes = attributes or {}
        self.children = list(children)
        self.has_block = False
        for child in self.children:
            if not isinstance(child, str) and (child.has_block or child.name not in PHRASING):
                self.has_block = True
                break

    def walk(self) -> Iterator["Element | str"]:
        """Return the element, and all elements and texts in it, in their order."""
        stack: list[Element | str] = [self]
        while stack:
            node = stack.pop()
            yield node
            if not isinstance(node, str):
                stack.extend(reversed(node.children))

    def shows(self) -> bool:
        """Return whether a letter, a digit, another sign or a picture can be seen in it."""
        return any(
            _can_be_seen(node) if isinstance(node, str) else node.name == "img"
            for node in self.walk()
        )


def show(nodes: Iterable["Element | str"]) -> bool:
    """Return whether something can be seen in any of some nodes."""
    return any(_can_be_seen(node) if isinstance(node, str) else node.shows() for node in nodes)


def _can_be_seen(text: str) -> bool:
    return any(sign.isprintable() and not sign.isspace() for sign in text)


class _Open(NamedTuple):
    """An element whose children are not yet all read; a skipped one adds to those of its parent."""

    name: str
    attributes: dict[str, str]
    children: list["Element | str"]
    skipped: bool
    following: LexborNode | None


def parse(html: str, leaves: Collection[str]) -> Element:
    """Return the `body` that a browser makes of some HTML, its comments left out.

    Beyond a depth, an element becomes its content, unless its name is in `leaves`.
    """
    body: list[Element | str] = []
    levels = [_Open("body", {}, body, skipped=False, following=None)]
    node: LexborNode | None = _first(LexborHTMLParser(_DOCTYPE + html).body)
    depth = 0
    while True:
        if node is None:
            done = levels.pop()
            if not levels:
                return Element("body", {}, body)
            if not done.skipped:
                depth -= 1
                levels[-1].children.append(Element(done.name, done.attributes, done.children))
            node = done.following
        elif node.is_element_node:
            opened = _opened(node, depth, levels[-1].children, leaves)
            depth += not opened.skipped
            levels.append(opened)
            node = node.first_child
        else:
            if node.is_text_node and (text := node.text_content):
                levels[-1].children.append(text)
            node = node.next


def _first(node: LexborNode | None) -> LexborNode | None:
    return node.first_child if node else None


def _opened(
    node: LexborNode, depth: int, siblings: list["Element | str"], leaves: Collection[str]
) -> _Open:
    name = node.tag or ""
    attributes = {name: value or "" for name, value in node.attributes.items()}
    skipped = depth >= _MAX_DEPTH and name not in leaves
    return _Open(name, attributes, siblings if skipped else [], skipped, node.next)


def serialised(nodes: Iterable["Element | str"]) -> str:
    """Return nodes as HTML."""
    parts: list[str] = []
    _write(nodes, parts)
    return "".join(parts)


def _write(nodes: Iterable["Element | str"], parts: list[str]) -> None:
    for node in nodes:
        if isinstance(node, str):
            parts.append(escape(node, quote=False))
            continue
        parts.append(f"<{node.name}")
        parts += [f' {name}="{escape(value)}"' for name, value in node.attributes.items()]
        parts.append(">")
        if node.name in VOID:
            continue
        first = node.children[0] if node.children else ""
        if node.name == "pre" and isinstance(first, str) and first.startswith("\n"):
            # A parser takes the first line end in `pre` for none.
            parts.append("\n")
        _write(node.children, parts)
        parts.append(f"</{node.name}>")
