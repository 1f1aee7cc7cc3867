"""Messages on values that are empty or of the wrong kind, with what to write instead."""

import re

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.catalogue.yaml_nodes import is_null

TEXT = "a text"
LIST = "a list"
MAPPING = "a mapping ('key: value' lines)"

EMPTY = "is empty: give it a value, or remove the line"
COMMA = "a ',' ends a text in brackets; quote the text that contains one"

_KINDS = {ScalarNode: TEXT, SequenceNode: LIST, MappingNode: MAPPING}
# The rest of a line after a key, where it could have been meant as the value.
_COMMENT = re.compile(r"[ \t]*(#[^\r\n]*)")
# A text that YAML reads as the same text within brackets.
_PLAIN = re.compile(r"[^\W_](?:[^\[\]{}#:,]|:(?!\s|$))*")


def is_plain(node: Node) -> bool:
    """Return whether a node is a text without quotes, on one line or several."""
    return type(node) is ScalarNode and not node.style


def is_bare(node: Node) -> bool:
    """Return whether a value is missing behind its key, or a block scalar has no lines."""
    return (
        type(node) is ScalarNode
        and (not node.value or node.value.isspace())
        and node.style not in {"'", '"'}
    )


def is_blank(node: Node) -> bool:
    """Return whether a value is empty in any way: null, missing, or a quoted text without letters."""
    return type(node) is ScalarNode and (not node.value or node.value.isspace() or is_null(node))


def comment_behind(text: str, node: Node) -> str:
    """Return the comment in the line of a key without a value; '' if there is none."""
    found = _COMMENT.match(text, node.end_mark.index) if is_bare(node) else None
    return found[1].rstrip() if found else ""


def empty(text: str, node: Node) -> str:
    """Return the message on a blank value in a text."""
    if is_null(node):
        return f"{node.value!r} means no value in YAML; write a value, or quote it"
    comment = comment_behind(text, node)
    if comment:
        return f"is empty: '#' begins a comment in YAML; quote the value: {quoted(comment)}"
    return EMPTY


def misfit(text: str, node: Node, wanted: str) -> str:
    """Return the message on a node in a text that is not of the kind that is wanted."""
    if is_blank(node):
        return empty(text, node) if wanted == TEXT or is_null(node) else EMPTY
    written = text[node.start_mark.index : node.end_mark.index]
    if wanted == TEXT and getattr(node, "flow_style", False) and "\n" not in written:
        return f"must be a text; quote it: {quoted(written)}"
    items = _items(node) if wanted == LIST else []
    if items:
        return f"must be a list: [{', '.join(items)}]"
    return f"must be {wanted}, not {_KINDS[type(node)]}"


def quoted(text: str) -> str:
    """Return a text in quotes, as YAML reads it."""
    mark = '"' if "'" in text and '"' not in text and "\\" not in text else "'"
    return f'"{text}"' if mark == '"' else "'" + text.replace("'", "''") + "'"


def _items(node: Node) -> list[str]:
    """Return the items of the list that a node was probably meant to be."""
    if type(node) is ScalarNode:
        parts = [part.strip() for part in node.value.split(",")]
    elif (
        type(node) is MappingNode
        and node.flow_style
        and all(is_bare(value) for _, value in node.value)
    ):
        parts = [str(key.value) for key, _ in node.value]
    else:
        parts = []
    return [part if _PLAIN.fullmatch(part) else quoted(part) for part in parts if part]
