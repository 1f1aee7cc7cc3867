"""A file → its sections, and the items of its `entries:`."""

from functools import partial

from yaml.nodes import MappingNode, Node

from feeds.catalogue import known_keys
from feeds.catalogue.cutting import SECTIONS, Cut, Part, cut
from feeds.catalogue.items import Items
from feeds.catalogue.key_mistakes import key_mistake
from feeds.catalogue.nearest import Nearest
from feeds.catalogue.reader import Reading
from feeds.catalogue.source import (
    Excerpt,
    Source,
    control_characters,
    has_conflict,
    merge_conflicts,
    undecodable,
)
from feeds.catalogue.wrong_values import is_blank
from feeds.catalogue.yaml_nodes import Refused, compose, compose_part, is_deep
from feeds.errors import Problem

NO_ENTRIES = "a catalogue without entries has the line 'entries: []'"
Section = tuple[Reading, Node]


class Opened:
    """The sections of all files, by name, but for `entries`: those are items, by file."""

    def __init__(self, problems: list[Problem], nearest: Nearest) -> None:
        self.sections: dict[str, list[Section]] = {name: [] for name in SECTIONS}
        self.items: list[Items] = []
        self._keys: dict[str, Section] = {}
        self._problems = problems
        self._nearest = nearest

    def open(self, source: Source, *, whole: bool) -> bool:
        """Take up a file, cut into its items unless `whole`; tell whether it could be read at all."""
        found = None if whole or has_conflict(source) else cut(source.data)
        parts = self._parts(source, found) if found else None
        if parts is None:
            node = self._compose(source)
            if node is None:
                return False
            found, parts = None, [(Reading(source.excerpt, self._problems, self._nearest), node)]
        for reading, node in parts:
            self._sort(source, reading, node)
        if found:
            self.sections["entries"].append(parts[0])
            self.items.append(Items(source, self._nearest, cut=found))
        return True

    def _parts(self, source: Source, found: Cut) -> list[Section] | None:
        """Compose what stands around the items; None where that must be done as a whole."""
        try:
            parts = [self._part(source, part) for part in (found.head, found.tail)]
        except (UnicodeDecodeError, Refused):
            return None
        names = ["entries", *(str(key.value) for _, node in parts for key, _ in node.value)]
        return parts if len(set(names)) == len(names) else None

    def _part(self, source: Source, part: Part) -> Section:
        text = part.data.decode()
        node = compose_part(text)
        if is_deep(node):
            raise Refused
        if node is None:
            node = MappingNode("", [])
        elif not isinstance(node, MappingNode) or node.flow_style or node.start_mark.column:
            # With `entries:` below or above it, it is no YAML, or means something else.
            raise Refused
        excerpt = Excerpt(source, text, partial(int, part.start))
        return Reading(excerpt, self._problems, self._nearest), node

    def _compose(self, source: Source) -> Node | None:
        wrong = undecodable(source)
        found = [wrong] if wrong else list(control_characters(source.excerpt))
        if not wrong and has_conflict(source):
            found += merge_conflicts(source.excerpt)
        if found:
            self._problems += found
            return None
        before = len(self._problems)
        node = compose(source.excerpt, self._problems)
        if node is None and len(self._problems) == before:
            # What a catalogue needs may stand in another file.
            return MappingNode("", [])
        return node

    def _sort(self, source: Source, reading: Reading, node: Node) -> None:
        is_after_entries = False
        for name, key, value in reading.pairs(node, ""):
            if name not in self.sections:
                mistake = key_mistake(name, SECTIONS) or _misplaced_key(
                    name, is_after_entries=is_after_entries
                )
                hint = known_keys.SECTIONS.remedy(name) or reading.nearest.hint(name, SECTIONS)
                reading.problem(key, name, mistake or f"unknown key{hint}")
            elif name == "entries":
                self.sections[name].append((reading, value))
                is_after_entries = True
                if isinstance(value, MappingNode):
                    reading.problem(value, name, "must be a list: each entry begins with '- '")
                    continue
                if is_blank(value):
                    reading.problem(value, name, f"is empty; {NO_ENTRIES}")
                    continue
                nodes = [item for _, item in reading.items(value, name)]
                self.items.append(Items(source, self._nearest, nodes=nodes))
            elif name in self._keys:
                other, first = self._keys[name]
                reading.problem(key, name, f"stands in another file too, at {other.place(first)}")
            else:
                self._keys[name] = reading, key
                self.sections[name].append((reading, value))


def _misplaced_key(name: str, *, is_after_entries: bool) -> str:
    """Return what is wrong with a key that belongs to an entry or to `site`, or ''."""
    is_of_site, is_of_entry = name in known_keys.SITE.known, name in known_keys.ENTRY.known
    if is_of_entry and (is_after_entries or not is_of_site):
        return "belongs to an entry: begin the entry with '- ', and its other lines with two spaces"
    return "belongs to 'site': the line must begin with two spaces" if is_of_site else ""
