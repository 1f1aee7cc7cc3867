"""Elements whose children have certain names, in a certain order (HTML §4.4, §4.9, §4.11)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from feeds.markdown.tables import fit_spans
from feeds.markdown.tree import Element

Nodes = Sequence[Element | str]
# Returns nodes as they may be in an element with a certain name.
Nest = Callable[[str, Nodes], list[Element | str]]
_Part = tuple[str, dict[str, str], list[Element | str]]

_LISTS = frozenset(("ol", "ul"))
_GROUPS = frozenset(("thead", "tbody", "tfoot"))


def named(node: Element | str) -> str:
    """Return the name of an element, and '' for a text."""
    return "" if isinstance(node, str) else node.name


def is_blank(node: Element | str) -> bool:
    """Return whether a node is a text of nothing but white space."""
    return isinstance(node, str) and not node.strip()


def items(element: Element, nest: Nest) -> Nodes:
    """Return a list of items only: anything else becomes one, or part of the one before."""
    parts: list[_Part | str] = []
    for name, group in groupby(element.children, named):
        nodes = list(group)
        if name == "li":
            parts += [("li", node.attributes, node.children) for node in _elements(nodes)]
        elif all(map(is_blank, nodes)):
            parts += [node for node in nodes if isinstance(node, str)]
        elif name in _LISTS and (items := [part for part in parts if not isinstance(part, str)]):
            items[-1][2].extend(nodes)
        else:
            parts.append(("li", {}, nodes))
    return [Element(element.name, element.attributes, _made(parts, nest))]


def definitions(element: Element, nest: Nest) -> Nodes:
    """Return a list of terms, each with a definition."""
    parts: list[_Part | str] = []
    last = ""
    for node in _ungrouped(element.children):
        if isinstance(node, str) and is_blank(node):
            parts.append(node)
            continue
        if isinstance(node, Element) and node.name in {"dt", "dd"}:
            part: _Part = (node.name, node.attributes, node.children)
        else:
            part = ("dd", {}, [node])
        if part[0] == "dd" and not last:
            parts.append(("dt", {}, []))
        parts.append(part)
        last = part[0]
    if last == "dt":
        parts.append(("dd", {}, []))
    return [Element("dl", element.attributes, _made(parts, nest))]


def details(element: Element, nest: Nest) -> Nodes:
    """Return details whose summary comes first; without a summary, nothing is to be opened."""
    summary = next((node for node in _elements(element.children) if node.name == "summary"), None)
    rest = [node for node in element.children if node is not summary]
    if summary is None:
        return [Element("div", element.attributes, nest("div", rest))]
    head = Element("summary", summary.attributes, nest("summary", summary.children))
    return [Element("details", element.attributes, [head, *nest("details", rest)])]


def figure(element: Element, nest: Nest) -> Nodes:
    """Return a figure, whose caption is first or last in it."""
    solid = [node for node in element.children if not is_blank(node)]
    ends = _elements((*solid[:1], *solid[-1:]))
    caption = next((node for node in ends if node.name == "figcaption"), None)
    if caption is None:
        return [Element("figure", element.attributes, nest("figure", element.children))]
    place = element.children.index(caption)
    before, after = element.children[:place], element.children[place + 1 :]
    made = Element("figcaption", caption.attributes, nest("figcaption", caption.children))
    content = [*nest("figure", before), made, *nest("figure", after)]
    return [Element("figure", element.attributes, content)]


def ruby(element: Element, nest: Nest) -> Nodes:
    """Return a text with readings above it; text behind the last reading is behind the element."""
    inside: list[Element | str] = []
    rest: list[Element | str] = []
    marks = ["".join(_texts(node)) for node in _elements(element.children) if node.name == "rp"]
    for node in element.children:
        if isinstance(node, str) or node.name not in {"rp", "rt"}:
            rest += nest("ruby", [node])
        elif node.name == "rt":
            reading = Element("rt", node.attributes, nest("rt", node.children))
            around = (
                [Element("rp", {}, [marks[0]]), Element("rp", {}, [marks[-1]])] if marks else []
            )
            inside += [*rest, *around[:1], reading, *around[1:]]
            rest = []
    return [Element("ruby", element.attributes, inside), *rest] if inside else rest


def table(element: Element, nest: Nest) -> Nodes:
    """Return a table: a caption, a head, bodies and a foot; anything else is before it."""
    strays: list[Element | str] = []
    found: list[Element | str] = []
    foot: list[Element | str] = []
    seen: set[str] = set()
    for node in element.children:
        if isinstance(node, str) or node.name not in _GROUPS | {"caption"}:
            (found if is_blank(node) else strays).append(node)
            continue
        name = node.name
        if name == "caption" and not seen:
            found.append(Element(name, node.attributes, nest(name, node.children)))
        elif name == "caption":
            strays += node.children
        else:
            if name in seen or (name == "thead" and seen & _GROUPS):
                name = "tbody"
            group = Element(name, node.attributes, list(_rows(node, nest)))
            (foot if name == "tfoot" else found).append(group)
        seen.add(name)
    groups = _elements((*found, *foot))
    fit_spans(
        [
            [list(_elements(row.children)) for row in _elements(group.children)]
            for group in groups
            if group.name != "caption"
        ]
    )
    return [*nest("div", strays), Element("table", element.attributes, [*found, *foot])]


def _rows(group: Element, nest: Nest) -> Iterator[Element | str]:
    """Return the rows that have a cell, with the white space between them."""
    for row in group.children:
        if isinstance(row, str):
            if is_blank(row):
                yield row
        elif any(cell.name in {"td", "th"} for cell in _elements(row.children)):
            cells: list[Element | str] = [
                cell
                if isinstance(cell, str)
                else Element(cell.name, cell.attributes, nest(cell.name, cell.children))
                for cell in row.children
                if is_blank(cell) or named(cell) in {"td", "th"}
            ]
            yield Element("tr", row.attributes, cells)


def _elements(nodes: Iterable[Element | str]) -> Iterator[Element]:
    return (node for node in nodes if isinstance(node, Element))


def _texts(element: Element) -> Iterator[str]:
    return (node for node in element.walk() if isinstance(node, str))


def _ungrouped(nodes: Nodes) -> Iterator[Element | str]:
    """Return nodes, with those of `div` in place of it."""
    for node in nodes:
        if isinstance(node, Element) and node.name == "div":
            yield from node.children
        else:
            yield node


def _made(parts: Iterable[_Part | str], nest: Nest) -> Iterator[Element | str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        else:
            name, attributes, children = part
            yield Element(name, attributes, nest(name, children))
