"""Walks the nodes of one file, and turns what is wrong into Problems with their place."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Protocol, TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.catalogue.known_keys import Keys
from feeds.catalogue.nearest import Nearest
from feeds.catalogue.source import Excerpt, describe, forbidden_character
from feeds.catalogue.wrong_values import (
    COMMA,
    LIST,
    MAPPING,
    TEXT,
    comment_behind,
    empty,
    is_bare,
    is_blank,
    is_plain,
    misfit,
    quoted,
)
from feeds.errors import Problem

T = TypeVar("T")

# `Project #5` loses its number in silence, and `in F #` its sign; `# a comment` has a space.
_LIKELY_TEXT = re.compile(r"[ \t]+#(?:\w|[ \t]*(?:[\r\n]|\Z))")


class Fault(Exception):
    """What is wrong with a value, in the words of its Problem; its place is added here.

    `cause` is what faults with one cause share, such as a word that is unknown.
    """

    def __init__(self, message: str, *, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause


class Remark(Exception):
    """A value that is right but worth a note: carries both."""

    def __init__(self, value: object, message: str) -> None:
        super().__init__(message)
        self.value = value


class Reading:
    """The Problems met so far in one file, or in an excerpt of one.

    `entry` is the id of the entry that the excerpt consists of, or empty.
    """

    def __init__(
        self, excerpt: Excerpt, problems: list[Problem], nearest: Nearest, entry: str = ""
    ) -> None:
        self.problems = problems
        self.nearest = nearest
        self.text = excerpt.text
        self._entry = entry
        self._excerpt = excerpt
        # Without these there is no comment that could have been meant as text.
        self._comments = " #" in excerpt.text or "\t#" in excerpt.text

    def problem(
        self, node: Node, path: str, message: str, *, note: bool = False, cause: str = ""
    ) -> None:
        """Report something wrong at a node."""
        problem = self._excerpt.problem(node.start_mark.index, path, message, note=note)
        self.problems.append(problem._replace(entry=self._entry, cause=cause))

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
            self.problem(node, join(path, name), str(fault), cause=fault.cause)
        except Remark as remark:
            self.problem(node, join(path, name), str(remark), note=True)
            return remark.value  # type: ignore[return-value]  # what convert would have returned
        return blank

    def _scalar(self, node: Node) -> str:
        if type(node) is not ScalarNode:
            raise Fault(misfit(self._excerpt.text, node, TEXT))
        text: str = node.value
        # Raw characters were looked at when the file was read; an escape can
        # only stand in double quotes.
        bad = forbidden_character.search(text) if node.style == '"' else None
        if bad:
            raise Fault(f"{describe(bad[0])} cannot be published")
        if is_blank(node):
            raise Fault(empty(self._excerpt.text, node))
        return text

    def _loses_text(self, node: Node) -> bool:
        return not getattr(node, "style", "") and bool(
            _LIKELY_TEXT.match(self._excerpt.text, node.end_mark.index)
        )

    def items(self, node: Node, path: str) -> Iterator[tuple[str, Node]]:
        """Give a list's items, each with its key path."""
        if not isinstance(node, SequenceNode):
            self.problem(node, path, misfit(self._excerpt.text, node, LIST))
            return
        for number, item in enumerate(node.value):
            yield f"{path}[{number}]", item

    def pairs(
        self, node: Node, path: str, wanted: str = MAPPING
    ) -> Iterator[tuple[str, ScalarNode, Node]]:
        """Give a mapping's keys with their nodes and values; a key given twice is a Problem.

        `wanted` describes the mapping in the Problem for a node that is not one.
        """
        if not isinstance(node, MappingNode):
            self.problem(node, path, misfit(self._excerpt.text, node, wanted))
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

    def fields(self, node: Node, path: str, keys: Keys, wanted: str = MAPPING) -> "Fields":
        """Open a mapping whose keys are known: an unknown or a missing one is a Problem.

        A key without a value counts as absent, unless it is required.
        """
        values: dict[str, Node] = {}
        for name, key, value in self.pairs(node, path, wanted):
            if name in keys.known:
                if name in keys.required or not self._is_absent(value, join(path, name)):
                    values[name] = value
            elif getattr(node, "flow_style", False) and is_bare(value):
                self.problem(key, join(path, name), f"has no value: {COMMA}")
            else:
                hint = keys.remedy(name) or self.nearest.hint(name, keys.known)
                self.problem(key, join(path, name), f"unknown key{hint}", cause=name)
        if isinstance(node, MappingNode):
            given = {key.value for key, _ in node.value if isinstance(key, ScalarNode)}
            for name in keys.required:
                if name not in given:
                    self.problem(node, path or name, f"has no {name!r}" if path else "is missing")
        return Fields(self, node, path, values)

    def _is_absent(self, node: Node, path: str) -> bool:
        """Return whether an optional field has no value.

        A bare `key:` is noted; it is a Problem if a comment follows in its line,
        which may have been meant as the value.
        """
        if is_bare(node):
            note = not comment_behind(self._excerpt.text, node)
            self.problem(node, path, empty(self._excerpt.text, node), note=note)
        return is_blank(node)


class Values(Protocol):
    """The values of one mapping, read field by field, in whichever way it is written.

    It has the length of the fields that have a value.
    """

    @property
    def nearest(self) -> Nearest:
        """What makes proposals."""

    def __contains__(self, name: str, /) -> bool: ...

    def __len__(self) -> int: ...

    def is_text(self, name: str, /) -> bool:
        """Return whether a field has a value that is a text."""

    def value(self, name: str, convert: Callable[[str], T], blank: T, /) -> T:
        """Read a field; where it is absent or wrong, give `blank`."""

    def list(self, name: str, convert: Callable[[str], T | None], /) -> tuple[T, ...]:
        """Read a field that is a list of texts, each only once."""

    def inner(self, name: str, keys: Keys, /) -> "Values":
        """Open a field that is a mapping whose keys are known."""

    def problem(self, name: str, message: str, /, *, note: bool = False) -> None:
        """Report something wrong with a field that is there, or with the mapping itself for ''."""


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

    def __len__(self) -> int:
        return len(self._values)

    def is_text(self, name: str) -> bool:
        """Return whether a field has a value that is a text."""
        return isinstance(self._values.get(name), ScalarNode)

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
        problems = self.reading.problems
        before: tuple[str, Node, int] | None = None
        for path, node in self.items(name):
            start = len(problems)
            item = self.reading.value(node, path, convert, None)
            if before and problems and len(problems) > start and problems[-1].cause:
                self._report_comma(before, node, convert)
            before = path, node, start
            if item is None:
                continue
            if item in found:
                self.reading.problem(node, path, f"says the same as {found[item]}")
            found.setdefault(item, path)
        return tuple(found)

    def _report_comma(
        self, before: tuple[str, Node, int], node: Node, convert: Callable[[str], object]
    ) -> None:
        """Replace the Problems of two items of a list that are one text with a comma in it."""
        path, first, start = before
        if not (is_plain(first) and is_plain(node)):
            return
        text = f"{first.value}, {node.value}"
        with suppress(Fault):
            convert(text)
            del self.reading.problems[start:]
            self.reading.problem(first, path, f"{COMMA}: {quoted(text)}")

    def items(self, name: str) -> Iterator[tuple[str, Node]]:
        """Give the items of a field that is a list; none where it is absent."""
        if name in self._values:
            yield from self.reading.items(self._values[name], join(self.path, name))

    def inner(self, name: str, keys: Keys) -> "Fields":
        """Open a field that is a mapping whose keys are known."""
        return self.reading.fields(self._values[name], join(self.path, name), keys)

    def problem(self, name: str, message: str, *, note: bool = False) -> None:
        """Report something wrong with a field that is there, or with the mapping itself for ''."""
        node = self._values[name] if name else self._node
        self.reading.problem(node, join(self.path, name), message, note=note)


def join(path: str, name: str) -> str:
    """Give the key path of a key inside another, or of the value itself where there is none."""
    return f"{path}.{name}" if path and name else path or name
