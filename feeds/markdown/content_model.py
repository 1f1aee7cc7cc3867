"""A tree of HTML elements, and how they may be in one another: the content models of HTML §4.

A parser accepts anything, and programs differ in what they show of `<h2><div>`, of text
directly in a list, or of a cell that spans rows which do not exist.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import chain, groupby
from typing import NamedTuple, TypeAlias

PHRASING = frozenset(
    "a abbr b bdi bdo br cite code del dfn em i img ins kbd mark q rp rt ruby s samp small span"
    " strong sub sup time u var wbr".split()
)
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_VOID = frozenset("br hr img wbr".split())
_SECTIONS = frozenset("article aside footer header nav".split())
# A block may be in one of these where it may be around it.
_TRANSPARENT = frozenset(("a", "del", "ins"))
_NONE: frozenset[str] = frozenset()
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
_TEXT_ONLY = PHRASING | HEADINGS | {"p", "pre", "summary"}
_LISTS = frozenset(("ol", "ul"))
# What is only in a list, and that list.
_ITEMS = {"li": "ul", "dt": "dl", "dd": "dl"}
_GROUPS = frozenset(("thead", "tbody", "tfoot"))
_CELLS = frozenset(("td", "th"))
# What is only in other elements.
_PARTS = _GROUPS | _CELLS | {"caption", "figcaption", "summary", "tr"}
# In these are elements of certain names only.
_SKELETONS = _GROUPS | _LISTS | {"dl", "table", "tr"}
# Elements that are nested deeper stay as they are.
_MAX_DEPTH = 100
_MAX_SPAN = 100

Nodes: TypeAlias = "Sequence[Element | str]"


@dataclass(slots=True, eq=False)
class Element:
    """An element; `has_block` is true if a block is anywhere in it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)
    has_block: bool = field(init=False)

    def __post_init__(self) -> None:
        self.has_block = any(map(_is_or_has_block, self.children))


def to_html(nodes: Nodes) -> str:
    """Return nodes as HTML."""
    parts = []
    for node in nodes:
        if isinstance(node, str):
            parts.append(escape(node, quote=False))
            continue
        attributes = [f' {name}="{escape(value)}"' for name, value in node.attributes.items()]
        parts += [f"<{node.name}", *attributes, ">"]
        if node.name == "pre":
            # A parser drops the first line break.
            parts.append("\n")
        if node.name not in _VOID:
            parts += [to_html(node.children), f"</{node.name}>"]
    return "".join(parts)


def is_visible(nodes: Nodes) -> bool:
    """Return whether a letter, a digit, another sign or a picture can be seen in nodes."""
    stack = [*nodes]
    while stack:
        node = stack.pop()
        if not isinstance(node, str):
            if node.name == "img":
                return True
            stack += node.children
        elif any(sign.isprintable() and not sign.isspace() for sign in node):
            return True
    return False


class ContentModel(NamedTuple):
    """What may be in a place: not the elements in `forbidden`; `depth` is that of the place."""

    forbidden: frozenset[str] = _NONE
    depth: int = 0

    def flow(self, nodes: Nodes) -> list[Element | str]:
        """Return nodes as they may be where blocks may be."""
        if self.depth >= _MAX_DEPTH:
            return list(nodes)
        inner = self._replace(depth=self.depth + 1)
        found: list[Element | str] = []
        for node in _with_lists(nodes):
            if isinstance(node, str):
                found.append(node)
            elif node.name in PHRASING:
                found += inner.inline(node, text_only=False)
            else:
                found += inner.block(node)
        return found

    def text(self, nodes: Nodes) -> list[Element | str]:
        """Return nodes as they may be where no block may be: a block is then a line."""
        if self.depth >= _MAX_DEPTH:
            return list(nodes)
        inner = self._replace(depth=self.depth + 1)
        found: list[Element | str] = []
        after_block = False
        for node in nodes:
            is_block = not isinstance(node, str) and node.name not in PHRASING
            if isinstance(node, str):
                some: Nodes = [node]
            else:
                some = inner.text(node.children) if is_block else inner.inline(node, text_only=True)
            shows = (after_block or is_block) and is_visible(some)
            if shows and (not is_block or is_visible(found)):
                found.append(Element("br"))
            after_block = is_block or (after_block and not shows)
            found += some
        return found

    def inside(self, name: str) -> "ContentModel":
        """Return the model inside of an element."""
        return self._replace(forbidden=self.forbidden | _FORBIDDEN.get(name, _NONE))

    def within(self, name: str, nodes: Nodes) -> list[Element | str]:
        """Return nodes as they may be in an element with a certain name."""
        inner = self.inside(name)
        return inner.text(nodes) if name in _TEXT_ONLY else inner.flow(nodes)

    def element(self, node: Element | str, name: str = "") -> Element | str:
        """Return a text, or an element, maybe under another name, with its children as they may be."""
        if isinstance(node, str):
            return node
        name = name or node.name
        return Element(name, node.attributes, self.within(name, node.children))

    def inline(self, element: Element, *, text_only: bool) -> Nodes:
        """Return an element of phrasing content as what it may be."""
        name, children = element.name, element.children
        if name in self.forbidden or name in {"rp", "rt"}:
            return self.text(children) if text_only else self.flow(children)
        if name == "ruby":
            return _ruby(element, self)
        if text_only or not element.has_block:
            return [self.element(element)]
        if name not in _TRANSPARENT and name != "span":
            return self.flow(list(_pushed(element, children)))
        name = "div" if name == "span" else name
        return [Element(name, element.attributes, self.inside(name).flow(children))]

    def block(self, element: Element) -> Nodes:
        """Return a block as what it may be where blocks may be."""
        name, children = element.name, element.children
        if name in self.forbidden:
            if name == "table":
                return self.text(children)
            name = "p" if name in HEADINGS else "div"
        if name in HEADINGS and not is_visible(children):
            return self.flow(children)
        if name in _STRUCTURES:
            return _STRUCTURES[name](element, self)
        return [self.element(element, "div" if name in _PARTS else name)]


def _items(element: Element, model: ContentModel) -> Nodes:
    """Return a list of items only: anything else becomes one, or part of the one before."""
    children: list[Element | str] = []
    for name, group in groupby(element.children, _name):
        nodes = list(group)
        if name == "li" or all(map(_is_blank, nodes)):
            children += nodes
        elif name in _LISTS and (items := list(_elements(children))):
            items[-1].children.extend(nodes)
        else:
            children.append(Element("li", {}, nodes))
    return [Element(element.name, element.attributes, [*map(model.element, children)])]


def _definitions(element: Element, model: ContentModel) -> Nodes:
    """Return a list of terms, each with a definition."""
    children: list[Element | str] = []
    last = ""
    nodes = (
        node.children if isinstance(node, Element) and node.name == "div" else [node]
        for node in element.children
    )
    for node in chain.from_iterable(nodes):
        if _is_blank(node):
            children.append(node)
            continue
        name = "dt" if _name(node) == "dt" else "dd"
        if name == "dd" and not last:
            children.append(Element("dt"))
        children.append(node if _name(node) == name else Element("dd", {}, [node]))
        last = name
    if last == "dt":
        children.append(Element("dd"))
    return [Element("dl", element.attributes, [*map(model.element, children)])]


def _details(element: Element, model: ContentModel) -> Nodes:
    """Return details whose summary comes first; without a summary, they are shown open."""
    summary = next((node for node in _elements(element.children) if node.name == "summary"), None)
    if summary is None:
        return [model.element(element, "div")]
    rest = [node for node in element.children if node is not summary]
    content = [model.element(summary), *model.within("details", rest)]
    return [Element("details", element.attributes, content)]


def _figure(element: Element, model: ContentModel) -> Nodes:
    """Return a figure, whose caption is first or last in it."""
    solid = [node for node in element.children if not _is_blank(node)]
    ends = _elements((*solid[:1], *solid[-1:]))
    caption = next((node for node in ends if node.name == "figcaption"), None)
    if caption is None:
        return [model.element(element)]
    place = element.children.index(caption)
    before, after = element.children[:place], element.children[place + 1 :]
    content = [*model.within("figure", before), model.element(caption)]
    return [Element("figure", element.attributes, [*content, *model.within("figure", after)])]


def _ruby(element: Element, model: ContentModel) -> Nodes:
    """Return a text with readings above it; text after the last reading is after the element."""
    inside: list[Element | str] = []
    rest: list[Element | str] = []
    marks = [
        Element("rp", {}, [_text_of(node.children)])
        for node in _elements(element.children)
        if node.name == "rp"
    ]
    for node in element.children:
        if isinstance(node, str) or node.name not in {"rp", "rt"}:
            rest += model.within("ruby", [node])
        elif node.name == "rt":
            inside += [*rest, *marks[:1], model.element(node), *marks[-1:]]
            rest = []
    return [Element("ruby", element.attributes, inside), *rest] if inside else rest


def _table(element: Element, model: ContentModel) -> Nodes:
    """Return a table: a caption, a head, bodies and a foot; anything else is before it."""
    strays: list[Element | str] = []
    found: list[Element | str] = []
    foot: list[Element | str] = []
    seen: set[str] = set()
    for node in element.children:
        if isinstance(node, str) or node.name not in _GROUPS | {"caption"}:
            (found if _is_blank(node) else strays).append(node)
            continue
        name = node.name
        if name == "caption" and not seen:
            found.append(model.element(node))
        elif name == "caption":
            strays += node.children
        else:
            if name in seen or (name == "thead" and seen & _GROUPS):
                name = "tbody"
            group = Element(name, node.attributes, [*_rows(node, model)])
            (foot if name == "tfoot" else found).append(group)
        seen.add(name)
    _fit_spans(
        [list(_elements(row.children)) for row in _elements(group.children)]
        for group in _elements((*found, *foot))
        if group.name != "caption"
    )
    return [*model.within("div", strays), Element("table", element.attributes, [*found, *foot])]


def _rows(group: Element, model: ContentModel) -> Iterator[Element | str]:
    """Yield the rows that have a cell, with the white space between them."""
    for row in group.children:
        if isinstance(row, str):
            if _is_blank(row):
                yield row
        elif any(cell.name in _CELLS for cell in _elements(row.children)):
            cells = [cell for cell in row.children if _is_blank(cell) or _name(cell) in _CELLS]
            yield Element("tr", row.attributes, [*map(model.element, cells)])


def _fit_spans(groups: Iterable[Sequence[Sequence[Element]]]) -> None:
    """Correct the spans of the cells of a table, given by its groups of rows.

    A span ends where its group ends, or another cell begins; a column in which no
    cell begins is not counted.
    """
    placed: list[tuple[Element, range, int]] = []
    for rows in groups:
        # By column, the first row that no cell from above takes.
        free_from: dict[int, int] = {}
        for number, row in enumerate(rows):
            column = 0
            for cell in row:
                while free_from.get(column, 0) > number:
                    column += 1
                end = column + 1
                while end - column < _span(cell, "colspan") and free_from.get(end, 0) <= number:
                    end += 1
                height = min(_span(cell, "rowspan"), len(rows) - number)
                placed.append((cell, range(column, end), height))
                free_from.update(dict.fromkeys(range(column, end), number + height))
                column = end
    starts = {columns.start for _, columns, _ in placed}
    for cell, columns, height in placed:
        width = sum(column in starts for column in columns)
        for name, span in (("colspan", width), ("rowspan", height)):
            if span > 1:
                cell.attributes[name] = str(span)
            else:
                cell.attributes.pop(name, None)


def _span(cell: Element, name: str) -> int:
    return min(int(cell.attributes.get(name, 1)), _MAX_SPAN)


_STRUCTURES: Mapping[str, Callable[[Element, ContentModel], Nodes]] = {
    "details": _details,
    "dl": _definitions,
    "figure": _figure,
    "ol": _items,
    "table": _table,
    "ul": _items,
}


def _with_lists(nodes: Nodes) -> Nodes:
    """Return nodes with a list around items that are in none."""
    if not any(_name(node) in _ITEMS for node in nodes):
        return nodes
    found: list[Element | str] = []
    for parent, group in groupby(nodes, lambda node: _ITEMS.get(_name(node), "")):
        some = list(group)
        found += [Element(parent, {}, some)] if parent else some
    return found


def _pushed(inline: Element, nodes: Nodes, depth: int = 0) -> Iterator[Element | str]:
    """Yield nodes with an inline element around the texts in each block, not around blocks."""
    attributes = dict(inline.attributes)
    if "id" in attributes:
        yield Element("span", {"id": attributes.pop("id")})
    around = Element(inline.name, attributes)
    for has_block, group in groupby(nodes, _is_or_has_block):
        some = list(group)
        if has_block:
            yield from (_with(around, block, depth) for block in _elements(some))
        elif all(map(_is_blank, some)):
            yield from some
        else:
            yield Element(around.name, attributes, some)


def _with(inline: Element, block: Element, depth: int) -> Element:
    """Return a block, or what has one, with an inline element around its texts."""
    if block.name in _VOID or depth >= _MAX_DEPTH:
        return block
    children = block.children
    if block.name in _SKELETONS:
        children = [
            child if isinstance(child, str) else _with(inline, child, depth + 1)
            for child in children
        ]
    elif block.name != inline.name or inline.attributes:
        children = list(_pushed(inline, children, depth + 1))
    return Element(block.name, block.attributes, children)


def _elements(nodes: Iterable[Element | str]) -> Iterator[Element]:
    return (node for node in nodes if isinstance(node, Element))


def _text_of(nodes: Nodes) -> str:
    return "".join(node if isinstance(node, str) else _text_of(node.children) for node in nodes)


def _name(node: Element | str) -> str:
    """Return the name of an element, and '' for a text."""
    return "" if isinstance(node, str) else node.name


def _is_blank(node: Element | str) -> bool:
    """Return whether a node is a text of nothing but white space."""
    return isinstance(node, str) and not node.strip()


def _is_or_has_block(node: Element | str) -> bool:
    return not isinstance(node, str) and (node.has_block or node.name not in PHRASING)
