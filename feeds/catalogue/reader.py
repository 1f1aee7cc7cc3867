"""Walks the nodes of one file, and turns what is wrong into Problems with their place."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.catalogue.key_mistakes import invisible_in_key
from feeds.catalogue.nearest import Nearest
from feeds.catalogue.source import Excerpt, describe, forbidden_character
from feeds.catalogue.swallowed import swallowed_item, swallowed_key
from feeds.catalogue.wrong_values import (
    LIST,
    MAPPING,
    TEXT,
    comment_behind,
    empty,
    is_blank,
    misfit,
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
            self._check_items(node, path, name)
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

    def _check_items(self, node: Node, path: str, name: str) -> None:
        found = swallowed_item(self._excerpt.text, node)
        if found and path.endswith("]") and not name:
            raise Fault("the next line begins with '- ' in another column: it must be the same one")
        if found:
            message = "the line continues the text above; if that is meant, put the text in quotes"
            self._note(found.place, join(path, name), message)

    def check_keys(self, values: Mapping[str, Node], path: str, known: frozenset[str]) -> None:
        """Note each key of a mapping that is part of a text, because of its indentation."""
        for name, node in values.items():
            found = swallowed_key(self._excerpt.text, node, known.difference(values))
            if found:
                message = (
                    f"'{found.key}:' is part of this text;"
                    f" if it is a key, begin its line in the column of '{name}:'"
                )
                self._note(found.place, join(path, name), message)

    def bare_key(self, node: Node, path: str) -> None:
        """Note a key without a value; it is a Problem if a comment follows, maybe meant as one."""
        note = not comment_behind(self._excerpt.text, node)
        self.problem(node, path, empty(self._excerpt.text, node), note=note)

    def _note(self, index: int, path: str, message: str) -> None:
        problem = self._excerpt.problem(index, path, message, note=True)
        self.problems.append(problem._replace(entry=self._entry))

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
        again: list[tuple[str, ScalarNode]] = []
        for key, value in node.value:
            name = self.value(key, path, str, "")
            if name in seen:
                again.append((name, key))
            elif name and not (name[0] + name[-1]).isprintable():
                sign = name[-1] if name[0].isprintable() else name[0]
                self.problem(key, join(path, name), invisible_in_key(sign))
            elif name:
                seen[name] = key
                yield name, key, value
        self._report_duplicates(path, seen, again)

    def _report_duplicates(
        self,
        path: str,
        seen: Mapping[str, ScalarNode],
        again: Sequence[tuple[str, ScalarNode]],
    ) -> None:
        first = again[0][0] if again else ""
        # An item that has several keys twice, from its first one on, is two items.
        merged = len(again) > 1 and path.endswith("]") and first == next(iter(seen))
        for name, key in again:
            if not merged:
                message = f"the key stands here a second time, after {self.place(seen[name])}"
                self.problem(key, join(path, name), message)
            elif name == first:
                message = f"a new item begins here: write '- ' before '{name}:'"
                self.problem(key, path, message)


def join(path: str, name: str) -> str:
    """Give the key path of a key inside another, or of the value itself where there is none."""
    return f"{path}.{name}" if path and name else path or name
