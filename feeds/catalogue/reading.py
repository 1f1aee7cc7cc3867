"""Walks the nodes of one file, and turns what is wrong into Problems with their place."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.catalogue.nearest import Nearest
from feeds.catalogue.source import Excerpt, describe, forbidden_character
from feeds.errors import Problem

T = TypeVar("T")

# `Project #5` loses its number in silence, and `in F #` its sign; `# a comment` has a space.
_LIKELY_TEXT = re.compile(r"[ \t]+#(?:\w|[ \t]*(?:[\r\n]|\Z))")

_EMPTY = "is empty: give it a value, or remove the line"


class Fault(Exception):
    """What is wrong with a value, in the words of its Problem; its place is added here."""


class Remark(Exception):
    """A value that is right but worth a note: carries both."""

    def __init__(self, value: object, message: str) -> None:
        super().__init__(message)
        self.value = value


class Reading:
    """The Problems met so far in one file, or in an excerpt of one."""

    def __init__(self, excerpt: Excerpt, problems: list[Problem], nearest: Nearest) -> None:
        self.problems = problems
        self.nearest = nearest
        self._excerpt = excerpt
        # Without these there is no comment that could have been meant as text.
        self._comments = " #" in excerpt.text or "\t#" in excerpt.text

    def problem(
        self, node: Node, path: str, message: str, *, note: bool = False, line: int | None = None
    ) -> None:
        """Report something wrong at a node, or on a line of its text, from 0, if that is a block."""
        index = node.start_mark.index
        if line is not None and getattr(node, "style", "") == "|":
            # A field's own lines begin with the first that is not blank.
            blank = len(node.value) - len(node.value.lstrip("\n"))
            index = self._excerpt.below(index, 1 + blank + line)
        self.problems.append(self._excerpt.problem(index, path, message, note=note))

    def place(self, node: Node) -> str:
        """Give `file:line:column` of a node, to name a second place in a message."""
        at = self._excerpt.problem(node.start_mark.index, "", "")
        return f"{at.file}:{at.line}:{at.column}"

    def value(
        self, node: Node, path: str, convert: Callable[[str], T], blank: T, name: str = ""
    ) -> T:
        """Read a scalar with a field's own function; a Problem leaves `blank`.

        `path`, with `name` where there is one, is the key path.
        """
        try:
            text = self._scalar(node)
            if self._comments and self._loses_text(node):
                message = "to YAML, what stands behind ' #' is a comment; quote the text to keep it"
                self.problem(node, join(path, name), message, note=True)
            return convert(text)
        except Fault as fault:
            self.problem(node, join(path, name), str(fault))
        except Remark as remark:
            self.problem(node, join(path, name), str(remark), note=True)
            return remark.value  # type: ignore[return-value]  # what convert would have returned
        return blank

    def _scalar(self, node: Node) -> str:
        if type(node) is not ScalarNode:
            raise Fault(_misfit(node, "a text belongs here"))
        text: str = node.value
        # Raw characters were looked at when the file was read; an escape can
        # only stand in double quotes.
        bad = forbidden_character.search(text) if node.style == '"' else None
        if bad:
            raise Fault(f"{describe(bad[0])} cannot be published")
        if not text or text.isspace():
            raise Fault(_EMPTY)
        return text

    def _loses_text(self, node: Node) -> bool:
        return not getattr(node, "style", "") and bool(
            _LIKELY_TEXT.match(self._excerpt.text, node.end_mark.index)
        )

    def items(self, node: Node, path: str) -> Iterator[tuple[str, Node]]:
        """Give a list's items, each with its key path."""
        if not isinstance(node, SequenceNode):
            self.problem(node, path, _misfit(node, "a list belongs here"))
            return
        for number, item in enumerate(node.value):
            yield f"{path}[{number}]", item

    def pairs(self, node: Node, path: str) -> Iterator[tuple[str, ScalarNode, Node]]:
        """Give a mapping's keys with their nodes and values; a key given twice is a Problem."""
        if not isinstance(node, MappingNode):
            self.problem(node, path, _misfit(node, "'key: value' lines belong here"))
            return
        seen: dict[str, ScalarNode] = {}
        for key, value in node.value:
            name = self.value(key, path, str, "")
            if not name:
                continue
            if name in seen:
                message = f"the key stands here a second time, after {self.place(seen[name])}"
                self.problem(key, join(path, name), message)
                continue
            seen[name] = key
            yield name, key, value

    def fields(
        self,
        node: Node,
        path: str,
        *,
        known: frozenset[str],
        required: tuple[str, ...] = (),
    ) -> "Fields":
        """Open a mapping whose keys are known: an unknown or a missing one is a Problem."""
        plain = _plain_fields(node, known)
        values: dict[str, Node] = plain or {}
        for name, key, value in () if plain else self.pairs(node, path):
            if name in known:
                values[name] = value
            else:
                hint = self.nearest.hint(name, known)
                self.problem(key, join(path, name), f"no such key is known here{hint}")
        if isinstance(node, MappingNode):
            for name in required:
                if name not in values:
                    self.problem(node, path or name, f"has no {name!r}" if path else "is missing")
        return Fields(self, node, path, values)


class Values(Protocol):
    """The values of one mapping, read field by field, in whichever way it is written."""

    @property
    def nearest(self) -> Nearest:
        """What makes proposals."""

    def __contains__(self, name: str, /) -> bool: ...

    def is_mapping(self, name: str, /) -> bool:
        """Tell whether a field is there, and is a mapping."""

    def value(self, name: str, convert: Callable[[str], T], blank: T, /) -> T:
        """Read a field; where it is absent or wrong, give `blank`."""

    def list(self, name: str, convert: Callable[[str], T | None], /) -> tuple[T, ...]:
        """Read a field that is a list of texts, each only once."""

    def inner(
        self, name: str, /, *, known: frozenset[str], required: tuple[str, ...] = ()
    ) -> "Values":
        """Open a field that is a mapping whose keys are known."""

    def problem(
        self, name: str, message: str, /, *, note: bool = False, line: int | None = None
    ) -> None:
        """Report something wrong with a field that is there, or with the mapping itself for ''.

        `line` is the line of the field's text that it is on, counted from 0.
        """


class Fields:
    """The Values of one mapping's node."""

    def __init__(self, reading: Reading, node: Node, path: str, values: Mapping[str, Node]) -> None:
        self.reading = reading
        self.path = path
        self._node = node
        self._values = values

    @property
    def nearest(self) -> Nearest:
        """What makes proposals."""
        return self.reading.nearest

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def is_mapping(self, name: str) -> bool:
        """Tell whether a field is there, and is a mapping."""
        return isinstance(self._values.get(name), MappingNode)

    def node(self, name: str) -> Node:
        """Give the node of a field that is there."""
        return self._values[name]

    def value(self, name: str, convert: Callable[[str], T], blank: T) -> T:
        """Read a field; where it is absent or wrong, give `blank`."""
        node = self._values.get(name)
        if node is None:
            return blank
        return self.reading.value(node, self.path, convert, blank, name)

    def list(self, name: str, convert: Callable[[str], T | None]) -> tuple[T, ...]:
        """Read a field that is a list of texts, each only once."""
        found: dict[T, str] = {}
        for path, node in self.items(name):
            item = self.reading.value(node, path, convert, None)
            if item is None:
                continue
            if item in found:
                self.reading.problem(node, path, f"says the same as {found[item]}")
            found.setdefault(item, path)
        return tuple(found)

    def items(self, name: str) -> Iterator[tuple[str, Node]]:
        """Give the items of a field that is a list; none where it is absent."""
        if name in self._values:
            yield from self.reading.items(self._values[name], join(self.path, name))

    def inner(
        self, name: str, *, known: frozenset[str], required: tuple[str, ...] = ()
    ) -> "Fields":
        """Open a field that is a mapping whose keys are known."""
        path = join(self.path, name)
        return self.reading.fields(self._values[name], path, known=known, required=required)

    def problem(
        self, name: str, message: str, *, note: bool = False, line: int | None = None
    ) -> None:
        """Report something wrong with a field that is there, or with the mapping itself for ''."""
        node = self._values[name] if name else self._node
        self.reading.problem(node, join(self.path, name), message, note=note, line=line)


def join(path: str, name: str) -> str:
    """Give the key path of a key inside another, or of the value itself where there is none."""
    return f"{path}.{name}" if path and name else path or name


def _plain_fields(node: Node, known: frozenset[str]) -> dict[str, Node] | None:
    """Give a mapping's values where nothing is to be said of its keys; else None."""
    if type(node) is not MappingNode:
        return None
    values = {key.value: value for key, value in node.value if type(key) is ScalarNode}
    sound = len(values) == len(node.value) and values.keys() <= known
    return values if sound else None


def _misfit(node: Node, wanted: str) -> str:
    if type(node) is ScalarNode and not node.value.strip():
        return _EMPTY
    kinds = {ScalarNode: "a text", SequenceNode: "a list", MappingNode: "a mapping"}
    return f"is {kinds[type(node)]}; {wanted}"
