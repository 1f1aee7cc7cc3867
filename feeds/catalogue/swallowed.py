"""Lines that are part of a text by their indentation, though they look like a key or an item."""

import re
from collections.abc import Collection
from typing import NamedTuple

from yaml.nodes import Node

_ITEM = re.compile(r"\n[ \t]*(?=- )")
_KEY = re.compile(r"^[ \t]*(?P<key>[a-z_]+):(?=\s|\Z)", re.MULTILINE)
# How many lines at the end of a text may belong to a key.
_LINES = 6


class Swallowed(NamedTuple):
    """A line within a text: the index of its first sign, and the key that it begins with."""

    place: int
    key: str = ""


def swallowed_item(text: str, node: Node) -> Swallowed | None:
    """Return the first line of a text without quotes that looks like an item of a list, or None."""
    if getattr(node, "style", "") or node.start_mark.line == node.end_mark.line:
        return None
    found = _ITEM.search(text, node.start_mark.index, node.end_mark.index)
    return Swallowed(found.end()) if found else None


def swallowed_key(text: str, node: Node, missing: Collection[str]) -> Swallowed | None:
    """Return a missing key at the end of a text that is introduced by `|` or `>`, or None."""
    if getattr(node, "style", "") not in {"|", ">"}:
        return None
    begin = node.start_mark.index
    block = text[begin : node.end_mark.index].rstrip()
    end_lines = block.split("\n")[1:][-_LINES:]
    for found in _KEY.finditer(block, len(block) - len("\n".join(end_lines))):
        if found["key"] in missing:
            return Swallowed(begin + found.start("key"), found["key"])
    return None
