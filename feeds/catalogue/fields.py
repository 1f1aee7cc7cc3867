"""The values of one mapping, read field by field."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Protocol, TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode

from feeds.catalogue.key_mistakes import key_mistake
from feeds.catalogue.known_keys import Keys
from feeds.catalogue.nearest import Nearest
from feeds.catalogue.reader import Fault, Reading, join
from feeds.catalogue.wrong_values import COMMA, MAPPING, is_bare, is_blank, is_plain, quoted

T = TypeVar("T")


def open_fields(
    reading: Reading, node: Node, path: str, keys: Keys, wanted: str = MAPPING
) -> "Fields":
    """Open a mapping whose keys are known: an unknown or a missing one is a Problem.

    A key without a value counts as absent, unless it is required. `wanted`
    describes the mapping in the Problem for a node that is not one.
    """
    values: dict[str, Node] = {}
    for name, key, value in reading.pairs(node, path, wanted):
        here = join(path, name)
        if name in keys.known:
            if name in keys.required or not is_blank(value):
                values[name] = value
            elif is_bare(value):
                reading.bare_key(value, here)
        elif getattr(node, "flow_style", False) and is_bare(value):
            reading.problem(key, here, f"has no value: {COMMA}")
        else:
            hint = keys.remedy(name) or reading.nearest.hint(name, keys.known)
            message = key_mistake(name, keys.known) or f"unknown key{hint}"
            reading.problem(key, here, message, cause=name)
    reading.check_keys(values, path, keys.known)
    if isinstance(node, MappingNode):
        given = {key.value for key, _ in node.value if isinstance(key, ScalarNode)}
        for name in keys.required:
            if name not in given:
                reading.problem(node, path or name, f"has no {name!r}" if path else "is missing")
    return Fields(reading, node, path, values)


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
        return open_fields(self.reading, self._values[name], join(self.path, name), keys)

    def problem(self, name: str, message: str, *, note: bool = False) -> None:
        """Report something wrong with a field that is there, or with the mapping itself for ''."""
        node = self._values[name] if name else self._node
        self.reading.problem(node, join(self.path, name), message, note=note)
