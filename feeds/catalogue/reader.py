"""Typed access to nodes: turns what is wrong with them into Problems with their place."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.catalogue.known_keys import Keys, Suggester, invisible_in_key, key_mistake
from feeds.catalogue.source import (
    Excerpt,
    describe,
    forbidden_character,
    is_bare,
    is_blank,
    is_null,
    is_plain,
)
from feeds.errors import Problem

T = TypeVar("T")

# The kinds of values, as messages name them.
TEXT = "a text"
LIST = "a list"
MAPPING = "a mapping ('key: value' lines)"
_KINDS = {ScalarNode: TEXT, SequenceNode: LIST, MappingNode: MAPPING}

# In the texts that `feeds new` leaves to the editor.
PLACEHOLDER = "FEEDS-TODO"
_EMPTY = "is empty: give it a value, or remove the line"
_COMMA = "a ',' ends a text in brackets; quote the text that contains one"
# `Project #5` loses its number, and `in F #` its sign; a comment, `# like this`, has a space.
_LOST_TEXT = re.compile(r"[ \t]+#(?:\w|[ \t]*(?:[\r\n]|\Z))")
# The rest of a line after a key, if it may have been meant as the value.
_COMMENT = re.compile(r"[ \t]*(#[^\r\n]*)")
# What YAML reads as the same text within brackets.
_PLAIN_IN_BRACKETS = re.compile(r"[^\W_](?:[^\[\]{}#:,]|:(?!\s|$))*")
_ITEM_LINE = re.compile(r"\n[ \t]*(?=- )")
KEY_LINE = re.compile(r"^[ \t]*(?P<key>[a-z_]+):(?=\s|\Z)", re.MULTILINE)
# How many lines at the end of a text may be meant as keys.
MAX_KEY_LINES = 6


class InvalidValue(Exception):
    """What is wrong with a value, as the message of its Problem; the reader adds the place.

    Problems with the same `cause`, such as an unknown word, are reported once.
    """

    def __init__(self, message: str, *, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause


class ValueWarning(Exception):
    """A value that is valid, and the message of a note on it."""

    def __init__(self, value: object, message: str) -> None:
        super().__init__(message)
        self.value = value


class NodeReader:
    """Reads the nodes of a file or an excerpt of one, and collects the Problems.

    `entry` is the id of the entry that the excerpt consists of, or empty.
    """

    def __init__(
        self, excerpt: Excerpt, problems: list[Problem], suggester: Suggester, entry: str = ""
    ) -> None:
        self.problems = problems
        self.suggester = suggester
        self.text = excerpt.text
        self._entry = entry
        self._excerpt = excerpt
        self._has_comments = " #" in excerpt.text or "\t#" in excerpt.text

    def problem(
        self, at: Node | int, path: str, message: str, *, note: bool = False, cause: str = ""
    ) -> None:
        """Report something wrong at a node, or at an index of the text."""
        index = at if isinstance(at, int) else at.start_mark.index
        problem = self._excerpt.problem(index, path, message, note=note)
        self.problems.append(problem._replace(entry=self._entry, cause=cause))

    def place(self, node: Node) -> str:
        """Return `file:line:column` of a node, to name a second place in a message."""
        at = self._excerpt.problem(node.start_mark.index, "", "")
        return f"{at.file}:{at.line}:{at.column}"

    def value(
        self, node: Node, path: str, convert: Callable[[str], T], blank: T, name: str = ""
    ) -> T:
        """Return a scalar as a field's function converts it; `blank` if there is a Problem.

        `path`, with `name` if there is one, is the key path.
        """
        try:
            text = self._scalar(node)
            self._check_lines(node, path, name)
            end = node.end_mark.index
            if self._has_comments and is_plain(node) and _LOST_TEXT.match(self.text, end):
                message = "to YAML, the text after ' #' is a comment; quote the text to keep it"
                self.problem(node, join(path, name), message, note=True)
            return convert(text)
        except InvalidValue as fault:
            self.problem(node, join(path, name), str(fault), cause=fault.cause)
        except ValueWarning as warning:
            self.problem(node, join(path, name), str(warning), note=True)
            return warning.value  # type: ignore[return-value]  # what convert would have returned
        return blank

    def _scalar(self, node: Node) -> str:
        if type(node) is not ScalarNode:
            raise InvalidValue(self._wrong_kind(node, TEXT))
        text: str = node.value
        # Raw characters are checked before; an escape is possible in double quotes only.
        bad = forbidden_character.search(text) if node.style == '"' else None
        if bad:
            raise InvalidValue(f"{describe(bad[0])} cannot be published")
        if is_blank(node):
            raise InvalidValue(self._empty(node))
        if PLACEHOLDER in text:
            raise InvalidValue("is still a placeholder: write the text instead")
        return text

    def _check_lines(self, node: Node, path: str, name: str) -> None:
        """Report a line of a text without quotes that looks like an item of a list."""
        if node.start_mark.line == node.end_mark.line or not is_plain(node):
            return
        found = _ITEM_LINE.search(self.text, node.start_mark.index, node.end_mark.index)
        if found and path.endswith("]") and not name:
            raise InvalidValue(
                "the next line begins with '- ' in another column: it must be the same one"
            )
        if found:
            message = "the line continues the text above; if that is meant, put the text in quotes"
            self.problem(found.end(), join(path, name), message, note=True)

    def _comment_after(self, node: Node) -> str:
        """Return the comment in the line of a key without a value, or ''."""
        found = _COMMENT.match(self.text, node.end_mark.index) if is_bare(node) else None
        return found[1].rstrip() if found else ""

    def _empty(self, node: Node) -> str:
        """Return the message for a blank value."""
        if is_null(node):
            return f"{node.value!r} means no value in YAML; write a value, or quote it"
        comment = self._comment_after(node)
        if comment:
            return f"is empty: '#' begins a comment in YAML; quote the value: {quoted(comment)}"
        return _EMPTY

    def _wrong_kind(self, node: Node, wanted: str) -> str:
        """Return the message for a node that is not of the kind that is wanted."""
        if is_blank(node):
            return self._empty(node) if wanted == TEXT or is_null(node) else _EMPTY
        written = self.text[node.start_mark.index : node.end_mark.index]
        if wanted == TEXT and getattr(node, "flow_style", False) and "\n" not in written:
            return f"must be a text; quote it: {quoted(written)}"
        items = _items_meant(node) if wanted == LIST else []
        if items:
            return f"must be a list: [{', '.join(items)}]"
        return f"must be {wanted}, not {_KINDS[type(node)]}"

    def items(self, node: Node, path: str) -> Iterator[tuple[str, Node]]:
        """Yield the items of a list, each with its key path."""
        if not isinstance(node, SequenceNode):
            self.problem(node, path, self._wrong_kind(node, LIST))
            return
        for number, item in enumerate(node.value):
            yield f"{path}[{number}]", item

    def pairs(
        self, node: Node, path: str, wanted: str = MAPPING
    ) -> Iterator[tuple[str, ScalarNode, Node]]:
        """Yield the keys of a mapping with their nodes and values; a duplicate is a Problem.

        `wanted` describes the mapping in the Problem for a node that is not one.
        """
        if not isinstance(node, MappingNode):
            self.problem(node, path, self._wrong_kind(node, wanted))
            return
        seen: dict[str, ScalarNode] = {}
        duplicates: list[tuple[str, ScalarNode]] = []
        for key, value in node.value:
            name = self.value(key, path, str, "")
            if name in seen:
                duplicates.append((name, key))
            elif name and not (name[0] + name[-1]).isprintable():
                sign = name[-1] if name[0].isprintable() else name[0]
                self.problem(key, join(path, name), invisible_in_key(sign))
            elif name:
                seen[name] = key
                yield name, key, value
        # An item that has several keys twice, from its first one on, is two items.
        first = duplicates[0][0] if duplicates else ""
        merged = len(duplicates) > 1 and path.endswith("]") and first == next(iter(seen))
        for name, key in duplicates:
            if not merged:
                message = f"duplicate key; first used at {self.place(seen[name])}"
                self.problem(key, join(path, name), message)
            elif name == first:
                self.problem(key, path, f"a new item begins here: write '- ' before '{name}:'")

    def mapping(self, node: Node, path: str, keys: Keys) -> "MappingReader":
        """Return a reader of a mapping; a key that is unknown or missing is a Problem.

        A key without a value counts as absent, unless it is required.
        """
        values: dict[str, Node] = {}
        for name, key, value in self.pairs(node, path):
            here = join(path, name)
            if name in keys.known:
                if name in keys.required or not is_blank(value):
                    values[name] = value
                elif is_bare(value):
                    # A comment may have been meant as the value.
                    note = not self._comment_after(value)
                    self.problem(value, here, self._empty(value), note=note)
            elif getattr(node, "flow_style", False) and is_bare(value):
                self.problem(key, here, f"has no value: {_COMMA}")
            else:
                hint = keys.remedy(name) or self.suggester.hint(name, keys.known)
                message = key_mistake(name, keys.known) or f"unknown key{hint}"
                self.problem(key, here, message, cause=name)
        for name, value in values.items():
            self._check_block(value, join(path, name), name, keys.known.difference(values))
        if isinstance(node, MappingNode):
            present = {key.value for key, _ in node.value if isinstance(key, ScalarNode)}
            for name in keys.required:
                if name not in present:
                    self.problem(node, path or name, f"has no {name!r}" if path else "is missing")
        return MappingReader(self, node, path, values)

    def _check_block(self, node: Node, path: str, name: str, missing: Collection[str]) -> None:
        """Note a missing key at the end of a text that is introduced by `|` or `>`."""
        if getattr(node, "style", "") not in {"|", ">"}:
            return
        begin = node.start_mark.index
        block = self.text[begin : node.end_mark.index].rstrip()
        end = "\n".join(block.split("\n")[1:][-MAX_KEY_LINES:])
        for found in KEY_LINE.finditer(block, len(block) - len(end)):
            if found["key"] in missing:
                message = (
                    f"'{found['key']}:' is part of this text;"
                    f" if it is a key, begin its line in the column of '{name}:'"
                )
                self.problem(begin + found.start("key"), path, message, note=True)
                return


class MappingReader:
    """Reads the values of one mapping, field by field.

    It has the length of the fields that have a value.
    """

    def __init__(
        self, reader: NodeReader, node: Node, path: str, values: Mapping[str, Node]
    ) -> None:
        self.reader = reader
        self.suggester = reader.suggester
        self.path = path
        self._node = node
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __len__(self) -> int:
        return len(self._values)

    def is_text(self, name: str) -> bool:
        """Check whether a field has a value that is a text."""
        return isinstance(self._values.get(name), ScalarNode)

    def node(self, name: str) -> Node:
        """Return the node of a field that is there."""
        return self._values[name]

    def value(self, name: str, convert: Callable[[str], T], blank: T) -> T:
        """Return a field as a function converts it; `blank` if it is absent or wrong."""
        node = self._values.get(name)
        if node is None:
            return blank
        return self.reader.value(node, self.path, convert, blank, name)

    def list(self, name: str, convert: Callable[[str], T | None]) -> tuple[T, ...]:
        """Return a field that is a list of texts; a duplicate is a Problem."""
        found: dict[T, str] = {}
        problems = self.reader.problems
        before: tuple[str, Node, int] | None = None
        for path, node in self.items(name):
            start = len(problems)
            item = self.reader.value(node, path, convert, None)
            if before and len(problems) > start and problems[-1].cause:
                self._report_comma(before, node, convert)
            before = path, node, start
            if item is None:
                continue
            if item in found:
                self.reader.problem(node, path, f"duplicate of {found[item]}")
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
        with suppress(InvalidValue):
            convert(text)
            del self.reader.problems[start:]
            self.reader.problem(first, path, f"{_COMMA}: {quoted(text)}")

    def items(self, name: str) -> Iterator[tuple[str, Node]]:
        """Yield the items of a field that is a list; none if it is absent."""
        if name in self._values:
            yield from self.reader.items(self._values[name], join(self.path, name))

    def each(
        self, name: str, convert: Callable[[str], str], keys: Keys
    ) -> Iterator["str | MappingReader"]:
        """Yield the items of a field that is a list, each a text that is not blank or a mapping."""
        for path, node in self.items(name):
            if not isinstance(node, ScalarNode):
                yield self.reader.mapping(node, path, keys)
            elif text := self.reader.value(node, path, convert, ""):
                yield text

    def inner(self, name: str, keys: Keys) -> "MappingReader":
        """Return a reader of a field that is a mapping."""
        return self.reader.mapping(self._values[name], join(self.path, name), keys)

    def problem(self, name: str, message: str, *, note: bool = False) -> None:
        """Report something wrong with a field that is there, or with the mapping if it is ''."""
        node = self._values[name] if name else self._node
        self.reader.problem(node, join(self.path, name), message, note=note)


def join(path: str, name: str) -> str:
    """Return the key path of a key inside another; either may be empty."""
    return f"{path}.{name}" if path and name else path or name


def quoted(text: str) -> str:
    """Return a text in quotes, as YAML reads it."""
    if "'" in text and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def _items_meant(node: Node) -> list[str]:
    """Return the items of the list that a node was probably meant to be."""
    parts = []
    if type(node) is ScalarNode:
        parts = [part.strip() for part in node.value.split(",")]
    elif (
        type(node) is MappingNode
        and node.flow_style
        and all(is_bare(value) for _, value in node.value)
    ):
        parts = [str(key.value) for key, _ in node.value]
    return [part if _PLAIN_IN_BRACKETS.fullmatch(part) else quoted(part) for part in parts if part]
