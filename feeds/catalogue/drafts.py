"""Items → Drafts: those remembered from before, and the others read, on all cores."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from yaml.nodes import MappingNode, Node

from feeds.catalogue.entries import Draft, EntryReader
from feeds.catalogue.fields import open_fields
from feeds.catalogue.item_memory import ItemMemory, item_key
from feeds.catalogue.items import Items, Miscut
from feeds.catalogue.known_keys import ENTRY
from feeds.catalogue.nearest import SILENT, Nearest
from feeds.catalogue.plain_fields import PlainFields
from feeds.catalogue.plain_lines import NotPlain, plain_lines
from feeds.catalogue.reader import Fault, Reading, Remark
from feeds.catalogue.yaml_nodes import is_deep
from feeds.errors import Problem
from feeds.parallel import dealt, in_processes, usable_processes


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an item stands: in which file's items, with which number, under which key path."""

    items: Items
    number: int

    @property
    def path(self) -> str:
        """The item's key path."""
        return f"entries[{self.number}]"

    def open(self, problems: list[Problem]) -> tuple[Reading, Node]:
        """Give the item's node, and what takes up the Problems in it."""
        return self.items.open(self.number, problems)


class Drafts:
    """The drafts of all items, in order; None for an item with a Problem."""

    def __init__(self, files: Sequence[Items]) -> None:
        self._files = files
        self._ends = list(accumulate(map(len, files)))
        self.found: list[Draft | None] = []

    def place(self, number: int) -> Place:
        """Give where the item of a draft stands, by the draft's number."""
        file = bisect_right(self._ends, number)
        before = self._ends[file - 1] if file else 0
        return Place(items=self._files[file], number=number - before)

    def read(
        self,
        reader: EntryReader,
        problems: list[Problem],
        context: str,
        memory: ItemMemory,
        processes: int,
    ) -> None:
        """Read all items; `context` is all that decides, beside an item's text, what it says."""
        memory.begin(context)
        for items in self._files:
            drafts = _read_alone(reader, items, memory, processes)
            self.found += [
                draft or _read(reader, items, number, problems)
                for number, draft in enumerate(drafts or [None] * len(items))
            ]
        memory.end()


def _read_alone(
    reader: EntryReader, items: Items, memory: ItemMemory, processes: int
) -> list[Draft | None]:
    """Read items; None for one with a Problem or a note, which is to be read where it is reported."""
    keys = [item_key(items.dash + text) for text in items.texts]
    drafts = [memory.get(key) for key in keys]
    missing = [number for number, draft in enumerate(drafts) if draft is None]
    count = usable_processes(len(missing), processes)

    def work(share: int) -> list[tuple[str, ...] | None]:
        found = (_read_one(reader, items, number) for number in dealt(missing, share, count))
        return [draft and tuple(draft) for draft in found]

    for share, found in enumerate(in_processes(work, count)):
        for number, fields in zip(dealt(missing, share, count), found, strict=True):
            if fields:
                draft = drafts[number] = Draft._make(fields)
                memory.put(keys[number], draft)
    return drafts


def _read_one(reader: EntryReader, items: Items, number: int) -> Draft | None:
    return _read_lines(reader, items, number) or _read_silently(reader, items, number)


def _read_lines(reader: EntryReader, items: Items, number: int) -> Draft | None:
    """Read an item by its lines alone, where that can be done."""
    try:
        values = plain_lines(items.texts[number], len(items.dash))
        draft = reader.read(PlainFields(values, ENTRY))
    except (NotPlain, Fault, Remark):
        return None
    return draft if draft.id else None


def _read_silently(reader: EntryReader, items: Items, number: int) -> Draft | None:
    problems: list[Problem] = []
    try:
        draft = _read(reader, items, number, problems, SILENT)
    except Miscut:
        return None
    return None if problems else draft


def _read(
    reader: EntryReader,
    items: Items,
    number: int,
    problems: list[Problem],
    nearest: Nearest | None = None,
) -> Draft | None:
    own: list[Problem] = []
    reading, node = items.open(number, own, nearest)
    path = f"entries[{number}]"
    draft = None
    if isinstance(node, MappingNode):
        fields = open_fields(reading, node, path, ENTRY)
        draft = reader.read(fields)
    else:
        reading.problem(node, path, "an entry is a mapping: 'id: …', 'title: …', 'date: …'")
    faulty = any(not problem.note for problem in own)
    # Nothing that is right is deep.
    if faulty and is_deep(node, within=2):
        raise Miscut
    problems += own
    return draft if draft and draft.id and not faulty else None
