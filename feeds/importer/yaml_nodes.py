"""YAML → nodes, of the parser's events.

What a value shares with others, by an alias or a merge key, counts once for each of them:
a small file cannot become a large one.
"""

from itertools import chain
from typing import NamedTuple, NoReturn

import yaml

from feeds.catalogue.source import NULLS
from feeds.importer.nodes import (
    MAX_DEPTH,
    MAX_NODES,
    TOO_DEEP,
    TOO_MANY,
    Fields,
    Items,
    Lines,
    Node,
    Pairs,
    SyntaxFault,
    Text,
    is_blank,
)

_MERGE_KEY = "<<"


def read_yaml(name: str, text: str, first_line: int = 1) -> Node:
    """Return what YAML has; several documents are read as one list.

    `first_line` is the line of the text in its file. Raises FeedsError.
    """
    lines = Lines(text, first_line)
    builder = _Builder(name, lines)
    try:
        for event in yaml.parse(text, Loader=yaml.CBaseLoader):
            builder.add(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = lines.at(mark.index if mark else 0)
        raise SyntaxFault(name, line, f"is not valid YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        line = lines.at(error.position)
        raise SyntaxFault(name, line, f"is not valid YAML: {error.reason}") from None
    return _joined(builder.documents, first_line)


def _joined(documents: list[Node], first_line: int) -> Node:
    """Return the only document, or the items of all lists, or a list of all documents."""
    found = [node for node in documents if not is_blank(node)] or documents[:1]
    if len(found) == 1:
        return found[0]
    lists = [node for node in found if isinstance(node, Items)]
    if len(lists) < len(found):
        return Items(first_line, tuple(found))
    return Items(first_line, tuple(chain.from_iterable(node.values for node in lists)))


class _Open(NamedTuple):
    """A list or a mapping that has not ended; a mapping has its keys and values in turn.

    With each value comes whether it is a text without quotes.
    """

    event: yaml.CollectionStartEvent
    values: list[tuple[Node, bool]]
    count_before: int


class _Builder:
    """Makes nodes of events, without recursion."""

    def __init__(self, name: str, lines: Lines) -> None:
        self.documents: list[Node] = []
        self._name = name
        self._lines = lines
        self._open: list[_Open] = []
        # Each node that has an anchor, and how many nodes it consists of.
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0

    def add(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._anchors.clear()
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                self._fail(self._line(event), f"the alias *{event.anchor} has no anchor before it")
            node, size = self._anchors[event.anchor]
            self._put(node._replace(line=self._line(event)), size)
        elif tag := getattr(event, "tag", None):
            self._fail(self._line(event), f"the tag {tag} is not read; remove it")
        elif isinstance(event, yaml.ScalarEvent):
            plain = not event.style
            value = "" if plain and event.value in NULLS else event.value
            self._finish(event, Text(self._line(event), value), 1, plain=plain)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(self._open) >= MAX_DEPTH:
                self._fail(self._line(event), TOO_DEEP)
            self._open.append(_Open(event, [], self._count))
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = self._open.pop()
            is_list = isinstance(closed.event, yaml.SequenceStartEvent)
            node = self._list(closed) if is_list else self._mapping(closed)
            size = self._count - closed.count_before + 1
            self._count = closed.count_before
            self._finish(closed.event, node, size)

    def _finish(self, event: yaml.NodeEvent, node: Node, size: int, *, plain: bool = False) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = node, size
        self._put(node, size, plain=plain)

    def _put(self, node: Node, size: int, *, plain: bool = False) -> None:
        self._count += size
        if self._count > MAX_NODES:
            self._fail(node.line, TOO_MANY)
        if self._open:
            self._open[-1].values.append((node, plain))
        else:
            self.documents.append(node)

    def _list(self, closed: _Open) -> Node:
        return Items(self._line(closed.event), tuple(node for node, _ in closed.values))

    def _mapping(self, closed: _Open) -> Node:
        pairs = Pairs(self._name)
        merged: list[Fields] = []
        keys, values = closed.values[::2], closed.values[1::2]
        for (key, plain), (value, _) in zip(keys, values, strict=True):
            if not isinstance(key, Text):
                self._fail(key.line, "a key must be a text")
            if plain and key.value == _MERGE_KEY:
                merged += self._merged(value)
            else:
                pairs.add(key, value)
        for fields in merged:
            for name, value in fields.values.items():
                pairs.values.setdefault(name, value)
        return Fields(self._line(closed.event), pairs.values)

    def _merged(self, value: Node) -> list[Fields]:
        nodes = value.values if isinstance(value, Items) else (value,)
        found = [node for node in nodes if isinstance(node, Fields)]
        if len(found) < len(nodes):
            self._fail(value.line, "'<<' needs a mapping, or a list of mappings")
        return found

    def _line(self, event: yaml.Event) -> int:
        return self._lines.at(event.start_mark.index if event.start_mark else 0)

    def _fail(self, line: int, message: str) -> NoReturn:
        raise SyntaxFault(self._name, line, message)
