"""YAML text → nodes whose scalars are all still text, or Problems.

A catalogue has no anchors, aliases, tags or second document, and little depth.
Of a whole file that is checked over the parser's events, before anything is
composed: composing is where libyaml's recursion meets its stack. Of a part that
is too small for that, it is seen by its nodes.
"""

import operator
import re
from collections.abc import Iterable, Iterator
from itertools import chain

import yaml
from yaml._yaml import CParser
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.catalogue.source import Excerpt, Source
from feeds.errors import Problem

# What YAML reads as no value, where it is not quoted (YAML 1.1, "null").
NULLS = frozenset(("null", "Null", "NULL", "~"))

_DEPTH = 16
_DOCUMENT = re.compile("(?:^|\n)(?:---|\\.\\.\\.)")
# With so few characters that nest, and so little indentation, composing has stack to spare.
_SPARE = 400
_NESTING = "[{-?"
_INDENTED = "\n" + " " * _SPARE
# How JSON writes a character beyond U+FFFF (RFC 8259 §7), which libyaml refuses.
_SURROGATE_PAIR = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u([Dd])([89ABab][0-9A-Fa-f]{2})\\u([Dd])([C-Fc-f][0-9A-Fa-f]{2})"
)
# The private-use characters that stand for surrogates while a text is parsed.
_PRIVATE = re.compile("[\ue800-\uefff]|\\\\u[Ee][89A-Fa-f]")
_PRIVATE_PAIR = re.compile("([\ue800-\uebff])([\uec00-\uefff])")
_PRIVATE_ESCAPE = re.compile(r"(?<=\\u)[Ee](?=[89A-Fa-f])")
# A line that ends so is a line to YAML alone.
_LONE_RETURN = re.compile("\r(?!\n)")
_STEPS = {
    yaml.SequenceStartEvent: 1,
    yaml.MappingStartEvent: 1,
    yaml.SequenceEndEvent: -1,
    yaml.MappingEndEvent: -1,
}


class _Loader(CParser):
    """Composes nodes without resolving tags.

    The parser calls these for each node. They are functions in C that do nothing
    here, because calling into Python takes as long as all the rest.
    """

    resolve = staticmethod(slice)
    descend_resolver = staticmethod(operator.is_)
    ascend_resolver = staticmethod(tuple)


class Refused(Exception):
    """A part of a file that cannot be composed by itself."""


def compose_part(text: str, *, within: int = 0) -> Node | None:
    """Give the root node of a part of a file, so deep `within` it; raises Refused.

    Why it was refused is told by composing the whole file. Of raw characters
    libyaml takes none that cannot be published (YAML 1.1 §5.1). How deep the
    part is in itself is left to be seen.
    """
    try:
        if _unusual(text) and any(_refused(Excerpt(Source("", b""), text, int), within)):
            raise Refused
        # Behind other parts it would be a second one.
        if ("---" in text or "..." in text) and _DOCUMENT.search(text):
            raise Refused
        node = _root(text)
    except (yaml.MarkedYAMLError, yaml.reader.ReaderError):
        raise Refused from None
    if ("&" in text or "!" in text) and _has_properties(node, text):
        raise Refused
    return node


def is_deep(node: Node | None, *, within: int = 0) -> bool:
    """Tell whether lists and mappings in a part are nested deeper than in a catalogue."""
    depth = within
    nodes = [node] if node else []
    while nodes := [found for found in nodes if type(found) is not ScalarNode]:
        depth += 1
        if depth > _DEPTH:
            return True
        nodes = [child for found in nodes for child in _children(found)]
    return False


def compose(excerpt: Excerpt, problems: list[Problem]) -> Node | None:
    """Give the root node of a file, or None when Problems made that impossible."""
    before = len(problems)
    try:
        problems += _refused(excerpt)
        if len(problems) > before:
            return None
        return _root(excerpt.text)
    except yaml.MarkedYAMLError as error:
        # Loaded for the few files that need it.
        from feeds.catalogue.syntax_hints import syntax_problem  # noqa: PLC0415

        problems.append(syntax_problem(excerpt, error))
    except yaml.reader.ReaderError as error:
        problems.append(excerpt.problem(error.position, "", f"is not YAML: {error.reason}"))
    return None


def is_null(node: Node) -> bool:
    """Return whether a node is an unquoted null; one that is empty is not."""
    return type(node) is ScalarNode and node.value in NULLS and not node.style


def _root(text: str) -> Node | None:
    masked = _mask(text)
    root: Node | None = _Loader(masked).get_single_node()
    if masked is not text:
        _unmask(root)
    return root


def _mask(text: str) -> str:
    """Return a text of the same length whose escaped surrogate pairs are private-use characters.

    In double quotes libyaml reads these as two characters. Anywhere else they are
    plain text; only the parser knows where, so `_unmask` restores that.
    """
    if "\\u" not in text or not _SURROGATE_PAIR.search(text) or _PRIVATE.search(text):
        return text
    return _SURROGATE_PAIR.sub(
        lambda pair: (
            f"{pair[1]}\\u{chr(ord(pair[2]) + 1)}{pair[3]}\\u{chr(ord(pair[4]) + 1)}{pair[5]}"
        ),
        text,
    )


def _unmask(root: Node | None) -> None:
    """Restore what `_mask` replaced, as the characters that the pairs stand for or as it was."""
    nodes = [root] if root else []
    for node in nodes:
        nodes += _children(node)
        if type(node) is not ScalarNode:
            continue
        if node.style == '"':
            node.value = _PRIVATE_PAIR.sub(_character, node.value)
        else:
            node.value = _PRIVATE_ESCAPE.sub(lambda digit: chr(ord(digit[0]) - 1), node.value)


def _character(pair: re.Match[str]) -> str:
    high, low = ord(pair[1]) - 0xE800, ord(pair[2]) - 0xEC00
    return chr(0x10000 + (high << 10) + low)


def _unusual(text: str) -> bool:
    """Tell a text whose depth, or whose lines, only the parser can tell."""
    return (
        sum(map(text.count, _NESTING)) > _SPARE
        or _INDENTED in text
        or "\t" in text
        or ("\r" in text and bool(_LONE_RETURN.search(text)))
        or ("\x85" in text or "\u2028" in text or "\u2029" in text)
    )


def _has_properties(node: Node | None, text: str) -> bool:
    """Tell whether there is an anchor or a tag, with which a node begins; an alias needs an anchor."""
    nodes = [node] if node else []
    for found in nodes:
        if text[found.start_mark.index : found.start_mark.index + 1] in {"&", "!"}:
            return True
        nodes += _children(found)
    return False


def _children(node: Node) -> Iterable[Node]:
    if type(node) is MappingNode:
        return chain.from_iterable(node.value)
    return node.value if type(node) is SequenceNode else ()


def _refused(excerpt: Excerpt, depth: int = 0) -> Iterator[Problem]:
    documents = 0
    for event in yaml.parse(_mask(excerpt.text), Loader=yaml.CBaseLoader):
        kind = type(event)
        depth += _STEPS.get(kind, 0)
        documents += kind is yaml.DocumentStartEvent
        message = _indirection(event)
        if depth > _DEPTH:
            message = f"is nested more than {_DEPTH} deep"
        elif documents > 1:
            sign = "---" if getattr(event, "explicit", False) else "..."
            message = (
                "a second document starts here; a file has one:"
                f" remove the line '{sign}', or put what follows it in another file"
            )
        if message and event.start_mark:
            yield excerpt.problem(event.start_mark.index, "", message)
        if depth > _DEPTH or documents > 1:
            return


def _indirection(event: yaml.Event) -> str:
    anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
    if type(event) is yaml.AliasEvent:
        return f"the alias *{anchor}: write out what it stands for"
    if anchor is not None:
        return f"the anchor &{anchor}: a catalogue has none; quote a text that starts with &"
    if tag is not None:
        return f"the tag {tag}: a catalogue has none; quote a text that starts with !"
    return ""
