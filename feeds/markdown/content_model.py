"""Elements in one another as HTML allows it: the content models of HTML §4.

A parser takes anything, and what is then shown of `<h2><div>`, of a text in a list,
or of a cell that spans rows which are not there, differs from program to program.
"""

from collections.abc import Iterator
from functools import partial
from itertools import groupby

from feeds.markdown import structures
from feeds.markdown.html_tree import HEADINGS, PHRASING, VOID, Element, show
from feeds.markdown.structures import Nodes, named

_SECTIONS = frozenset("article aside footer header nav".split())
# A block may be in one of these where it may be around it.
_TRANSPARENT = frozenset(("a", "del", "ins"))
# What must not be anywhere in an element.
_FORBIDDEN = {
    "a": frozenset(("a", "details")),
    "caption": frozenset(("table",)),
    "dfn": frozenset(("dfn",)),
    "dt": HEADINGS | _SECTIONS,
    "footer": frozenset(("footer", "header")),
    "header": frozenset(("footer", "header")),
    "ruby": frozenset(("ruby",)),
    "th": HEADINGS | _SECTIONS,
}
_NONE: frozenset[str] = frozenset()
_MAX_DEPTH = 100
_TEXT_ONLY = HEADINGS | frozenset(("p", "pre", "summary"))
_STRUCTURES = {
    "details": structures.details,
    "dl": structures.definitions,
    "figure": structures.figure,
    "ol": structures.items,
    "table": structures.table,
    "ul": structures.items,
}
# What is only in a list, and that list.
_ITEMS = {"li": "ul", "dt": "dl", "dd": "dl"}
# What is only in other elements.
_PARTS = frozenset("caption figcaption summary tbody td tfoot th thead tr".split())
# In these are elements of certain names only.
_SKELETONS = frozenset("dl ol table tbody tfoot thead tr ul".split())


class Nesting:
    """Nests the elements of one body; what is nested very deep stays as it is."""

    def __init__(self) -> None:
        self._depth = 0

    def flow(self, nodes: Nodes, forbidden: frozenset[str] = _NONE) -> list[Element | str]:
        """Return nodes as they may be where blocks may be."""
        if self._depth >= _MAX_DEPTH:
            return list(nodes)
        self._depth += 1
        found: list[Element | str] = []
        for node in _with_lists(nodes):
            if isinstance(node, str):
                found.append(node)
            elif node.name in PHRASING:
                found += self._inline(node, forbidden, text_only=False)
            else:
                found += self._block(node, forbidden)
        self._depth -= 1
        return found

    def text(self, nodes: Nodes, forbidden: frozenset[str] = _NONE) -> list[Element | str]:
        """Return nodes as they may be where no block may be: a block is then a line."""
        if self._depth >= _MAX_DEPTH:
            return list(nodes)
        self._depth += 1
        found: list[Element | str] = []
        after_block = False
        for node in nodes:
            if isinstance(node, str):
                some: Nodes = [node]
            elif node.name in PHRASING:
                some = self._inline(node, forbidden, text_only=True)
            else:
                some = self.text(node.children, forbidden)
                if show(some) and show(found):
                    found.append(Element("br"))
                after_block = True
                found += some
                continue
            if after_block and show(some):
                found.append(Element("br"))
                after_block = False
            found += some
        self._depth -= 1
        return found

    def _within(self, forbidden: frozenset[str], name: str, nodes: Nodes) -> list[Element | str]:
        """Return nodes as they may be in an element with a certain name."""
        nest = self.text if name in _TEXT_ONLY or name in PHRASING else self.flow
        more = _FORBIDDEN.get(name)
        return nest(nodes, forbidden | more if more else forbidden)

    def _inline(self, element: Element, forbidden: frozenset[str], *, text_only: bool) -> Nodes:
        name, attributes, children = element.name, element.attributes, element.children
        if name in VOID:
            return [element]
        nest = partial(self._within, forbidden)
        if name in forbidden or name in {"rp", "rt"}:
            return (self.text if text_only else self.flow)(children, forbidden)
        if name == "ruby":
            return structures.ruby(element, nest)
        if text_only or not element.has_block:
            return [Element(name, attributes, nest(name, children))]
        if name not in _TRANSPARENT and name != "span":
            return self.flow(list(_pushed(element, children)), forbidden)
        name = "div" if name == "span" else name
        return [
            Element(name, attributes, self.flow(children, forbidden | _FORBIDDEN.get(name, _NONE)))
        ]

    def _block(self, element: Element, forbidden: frozenset[str]) -> Nodes:
        name, attributes, children = element.name, element.attributes, element.children
        if name in VOID:
            return [element]
        if name in forbidden:
            if name == "table":
                return self.text(children, forbidden)
            name = "p" if name in HEADINGS else "div"
        if name in HEADINGS and not element.shows():
            return self.flow(children, forbidden)
        nest = partial(self._within, forbidden)
        if name in _STRUCTURES:
            return _STRUCTURES[name](element, nest)
        name = "div" if name in _PARTS else name
        return [Element(name, attributes, nest(name, children))]


def _with_lists(nodes: Nodes) -> Nodes:
    """Return nodes with a list around items that are in none."""
    if not any(named(node) in _ITEMS for node in nodes):
        return nodes
    found: list[Element | str] = []
    for parent, group in groupby(nodes, lambda node: _ITEMS.get(named(node), "")):
        some = list(group)
        found += [Element(parent, {}, some)] if parent else some
    return found


def _pushed(inline: Element, nodes: Nodes, depth: int = 0) -> Iterator[Element | str]:
    """Return nodes with an inline element around the texts in each block, not around blocks."""
    attributes = dict(inline.attributes)
    if "id" in attributes:
        yield Element("span", {"id": attributes.pop("id")})
    around = Element(inline.name, attributes)
    for has_block, group in groupby(nodes, _is_or_has_block):
        some = list(group)
        if has_block:
            yield from (_with(around, node, depth) for node in some if isinstance(node, Element))
        elif all(map(structures.is_blank, some)):
            yield from some
        else:
            yield Element(around.name, attributes, some)


def _with(inline: Element, block: Element, depth: int) -> Element:
    """Return a block, or what has one, with an inline element around its texts."""
    if block.name in VOID or depth >= _MAX_DEPTH:
        return block
    if block.name in _SKELETONS:
        children: Nodes = [
            child if isinstance(child, str) else _with(inline, child, depth + 1)
            for child in block.children
        ]
    elif block.name == inline.name and not inline.attributes:
        children = block.children
    else:
        children = list(_pushed(inline, block.children, depth + 1))
    return Element(block.name, block.attributes, children)


def _is_or_has_block(node: Element | str) -> bool:
    return not isinstance(node, str) and (node.has_block or node.name not in PHRASING)
