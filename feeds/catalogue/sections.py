"""Files → their sections, and the items of `entries:`, each composed only when it is read.

A catalogue has no aliases, so an item means the same wherever it is. A file is split
at each line that can begin an item. Composing an item proves whether one does: a
split within quotes or brackets leaves a part that is not YAML, and raises SplitError.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.catalogue import known_keys
from feeds.catalogue.known_keys import SECTION_NAMES, Suggester, key_mistake
from feeds.catalogue.reader import NodeReader
from feeds.catalogue.source import (
    Excerpt,
    Source,
    SplitError,
    compose,
    compose_part,
    is_blank,
    is_plain,
    text_problems,
)
from feeds.catalogue.text_fields import slug_or_blank
from feeds.errors import Problem

NO_ENTRIES = "a catalogue without entries has the line 'entries: []'"
_ENTRIES = re.compile(rb"entries:(?: +#[^\n]*| *)\r?\n(?: *(?:#[^\n]*)?\r?\n)*( *- )")
_OTHER_SECTIONS = tuple(f"\n{name}:".encode() for name in SECTION_NAMES if name != "entries")


class Split(NamedTuple):
    """A file split at the items of `entries:`.

    The parts before and after the items, and each item with the `dash` that begins it,
    are given with their offset in the file.
    """

    dash: bytes
    head: tuple[int, bytes]
    tail: tuple[int, bytes]
    items: list[tuple[int, bytes]]


class Item(NamedTuple):
    """An item of `entries:`: its bytes, or the node of a file that was composed as a whole.

    `data` begins at the offset `start`, with a dash; its first key is in `column`, from 0.
    """

    source: Source
    suggester: Suggester
    number: int
    start: int = 0
    data: bytes = b""
    column: int = 0
    node: Node | None = None

    @property
    def path(self) -> str:
        """The item's key path."""
        return f"entries[{self.number}]"

    def open(self, problems: list[Problem]) -> tuple[NodeReader, Node]:
        """Return the item's node, with a reader that reports to `problems`; raises SplitError."""
        node, excerpt = self.node, None
        if node is None:
            try:
                excerpt = Excerpt(self.source, self.data.decode(), self.start)
            except UnicodeDecodeError:
                raise SplitError from None
            root = compose_part(excerpt.text, within=1)
            if type(root) is not SequenceNode or len(root.value) != 1:
                raise SplitError
            [node] = root.value
        entry = id_of(node)
        excerpt = excerpt or self.source.excerpt
        return NodeReader(excerpt, problems, self.suggester, entry), node

    def field(self, name: str, problems: list[Problem]) -> tuple[NodeReader, Node]:
        """Return the node of a field that the item has, with a reader."""
        reader, node = self.open(problems)
        return reader, next(value for key, value in node.value if key.value == name)


def id_of(item: Node) -> str:
    """Return the id of an item; '' if it has none, or one that is not valid."""
    for key, value in item.value if isinstance(item, MappingNode) else ():
        if isinstance(key, ScalarNode) and key.value == "id":
            is_text = isinstance(value, ScalarNode) and not is_blank(value)
            return slug_or_blank(value.value) if is_text else ""
    return ""


class Sections:
    """The sections of all files by name, and the items of `entries`."""

    def __init__(self, problems: list[Problem]) -> None:
        self.nodes: dict[str, list[tuple[NodeReader, Node]]] = {name: [] for name in SECTION_NAMES}
        self.items: list[Item] = []
        self._keys: dict[str, tuple[NodeReader, Node]] = {}
        self._problems = problems
        self._suggester = Suggester()

    def add(self, source: Source, *, whole: bool) -> bool:
        """Add a file, split into its items unless `whole`; return False if it cannot be read."""
        split = None if whole or source.may_have_conflict else split_items(source.data)
        parts = self._parts_around(source, split) if split else None
        if split and parts:
            self.nodes["entries"].append(parts[0])
            self.items += [
                Item(source, self._suggester, number, start, data, len(split.dash))
                for number, (start, data) in enumerate(split.items)
            ]
        else:
            node = self._compose(source)
            if node is None:
                return False
            parts = [(NodeReader(source.excerpt, self._problems, self._suggester), node)]
        for reader, node in parts:
            self._add_sections(source, reader, node)
        return True

    def _parts_around(self, source: Source, split: Split) -> list[tuple[NodeReader, Node]] | None:
        """Compose what is around the items; return None if only the whole can be composed."""
        parts = []
        names: list[str] = []
        try:
            for start, data in (split.head, split.tail):
                excerpt = Excerpt(source, data.decode(), start)
                node = compose_part(excerpt.text) or MappingNode("", [])
                # With `entries:` above it, anything else would not be YAML.
                is_block = isinstance(node, MappingNode) and not node.flow_style
                if not is_block or (node.start_mark and node.start_mark.column):
                    return None
                names += [str(key.value) for key, _ in node.value]
                parts.append((NodeReader(excerpt, self._problems, self._suggester), node))
        except (UnicodeDecodeError, SplitError):
            return None
        # A comment may end where only YAML ends a line, so that a value follows.
        key, items = parts[0][1].value.pop()
        is_split = key.value == "entries" and is_plain(items) and not items.value
        return parts if is_split and len(set(names)) == len(names) else None

    def _compose(self, source: Source) -> Node | None:
        before = len(self._problems)
        self._problems += text_problems(source)
        if len(self._problems) > before:
            return None
        node = compose(source.excerpt, self._problems)
        # Another file may have what a catalogue needs.
        is_empty = node is None and len(self._problems) == before
        return MappingNode("", []) if is_empty else node

    def _add_sections(self, source: Source, reader: NodeReader, node: Node) -> None:
        is_after_entries = False
        for name, key, value in reader.pairs(node, ""):
            if name not in self.nodes:
                mistake = key_mistake(name, SECTION_NAMES) or _misplaced_key(
                    name, is_after_entries=is_after_entries
                )
                hint = known_keys.SECTIONS.remedy(name) or reader.suggester.hint(
                    name, SECTION_NAMES
                )
                reader.problem(key, name, mistake or f"unknown key{hint}")
            elif name == "entries":
                self.nodes[name].append((reader, value))
                is_after_entries = True
                if isinstance(value, MappingNode):
                    reader.problem(value, name, "must be a list: each entry begins with '- '")
                elif is_blank(value):
                    reader.problem(value, name, f"is empty; {NO_ENTRIES}")
                else:
                    self.items += [
                        Item(source, self._suggester, number, node=item)
                        for number, (_, item) in enumerate(reader.items(value, name))
                    ]
            elif name in self._keys:
                other, first = self._keys[name]
                reader.problem(key, name, f"is also in another file, at {other.place(first)}")
            else:
                self._keys[name] = reader, key
                self.nodes[name].append((reader, value))


def split_items(data: bytes) -> Split | None:
    """Split a file; return None if `entries:` is not followed by lines that begin with `- `."""
    begin = 0 if data.startswith(b"entries:") else data.find(b"\nentries:") + 1
    first = _ENTRIES.match(data, begin)
    if not first:
        return None
    head = data[: first.start(1)]
    # A section before the items is a mistake after them, and begins no tail.
    names = [name for name in _OTHER_SECTIONS if name not in b"\n" + head]
    others = [data.find(name, first.end()) for name in names]
    end = min((at + 1 for at in others if at >= 0), default=len(data))
    items = list(_split_at(data, first.start(1), end, b"\n" + first[1]))
    return Split(first[1], (0, head), (end, data[end:]), items)


def _split_at(data: bytes, begin: int, end: int, separator: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the parts of some data, with their offsets; each keeps its line end."""
    while (at := data.find(separator, begin, end)) >= 0:
        yield begin, data[begin : at + 1]
        begin = at + 1
    yield begin, data[begin:end]


def _misplaced_key(name: str, *, is_after_entries: bool) -> str:
    """Return what is wrong with a key that belongs to an entry or to `site`, or ''."""
    is_of_site, is_of_entry = name in known_keys.SITE.known, name in known_keys.ENTRY.known
    if is_of_entry and (is_after_entries or not is_of_site):
        return "belongs to an entry: begin the entry with '- ', and its other lines with two spaces"
    return "belongs to 'site': the line must begin with two spaces" if is_of_site else ""
