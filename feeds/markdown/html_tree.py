"""HTML → a tree of elements and texts, which is never deep."""

from collections.abc import Collection
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from feeds.markdown.content_model import Element

# Deeper than people write, and far from the end of Python's stack.
_MAX_DEPTH = 400
_DOCTYPE = "<!doctype html><body>"


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
