"""JSON → nodes: the standard library's reader does not tell the line of a value."""

import re
from json import JSONDecodeError, JSONDecoder
from typing import NoReturn

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
)

_SPACE = re.compile("[ \t\r\n]*")
# Half a pair, as of an emoji that was cut into two.
_SURROGATE = re.compile("[\ud800-\udfff]")
_COMMENTS = ("//", "/*", "#")


def read_json(name: str, text: str) -> Node:
    """Return what JSON has; raises FeedsError."""
    reader = _Reader(name, text)
    node, end = reader.value(0)
    end = reader.after_space(end)
    if end < len(text):
        reader.fail(end, "there is more after its end; several values belong in one list, […, …]")
    return node


def read_json_before(name: str, text: str) -> tuple[Node, str]:
    """Return the JSON value that a text begins with, and the rest of the text."""
    node, end = _Reader(name, text).value(0)
    return node, text[end:]


class _Reader:
    """Reads values, each from an index of the text on; the other result is the index behind it."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._text = text
        self._lines = Lines(text)
        self._scan = JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).raw_decode
        self._count = 0

    def value(self, index: int, depth: int = 0) -> tuple[Node, int]:
        index = self.after_space(index)
        self._count += 1
        if depth > MAX_DEPTH:
            self.fail(index, TOO_DEEP)
        if self._count > MAX_NODES:
            self.fail(index, TOO_MANY)
        if self._text.startswith("{", index):
            return self._object(index, depth)
        if self._text.startswith("[", index):
            return self._array(index, depth)
        found, end = self._scalar(index)
        written = "" if found is None else _SURROGATE.sub("\ufffd", str(found))
        value = written.lower() if isinstance(found, bool) else written
        return Text(self._lines.at(index), value), end

    def after_space(self, index: int) -> int:
        found = _SPACE.match(self._text, index)
        return found.end() if found else index

    def fail(self, index: int, message: str) -> NoReturn:
        if self._text.startswith(_COMMENTS, index):
            message = "JSON has no comments; remove this one"
        raise SyntaxFault(self._name, self._lines.at(index), f"is not valid JSON: {message}")

    def _object(self, start: int, depth: int) -> tuple[Node, int]:
        pairs = Pairs(self._name)
        index = self.after_space(start + 1)
        is_end = self._text.startswith("}", index)
        while not is_end:
            if not self._text.startswith('"', index):
                self.fail(index, "a key in double quotes is missing")
            name, end = self._scalar(index)
            colon = self.after_space(end)
            if not self._text.startswith(":", colon):
                self.fail(colon, "a ':' is missing after the key")
            value, end = self.value(colon + 1, depth + 1)
            key = Text(self._lines.at(index), _SURROGATE.sub("\ufffd", str(name)))
            pairs.add(key, value)
            index, is_end = self._next(end, "}")
        return Fields(self._lines.at(start), pairs.values), index + 1

    def _array(self, start: int, depth: int) -> tuple[Node, int]:
        values: list[Node] = []
        index = self.after_space(start + 1)
        is_end = self._text.startswith("]", index)
        while not is_end:
            value, end = self.value(index, depth + 1)
            values.append(value)
            index, is_end = self._next(end, "]")
        return Items(self._lines.at(start), tuple(values)), index + 1

    def _next(self, end: int, sign: str) -> tuple[int, bool]:
        """Return the index of the next value, or that of the closing sign, and whether it is that."""
        index = self.after_space(end)
        if self._text.startswith(sign, index):
            return index, True
        if not self._text.startswith(",", index):
            self.fail(index, f"a ',' or a '{sign}' is missing")
        following = self.after_space(index + 1)
        if self._text.startswith(sign, following):
            self.fail(index, f"remove the ',' before the '{sign}'")
        return following, False

    def _scalar(self, index: int) -> tuple[object, int]:
        try:
            return self._scan(self._text, index)
        except JSONDecodeError as error:
            self.fail(error.pos, error.msg)
