"""Items → Drafts: those remembered from before, and the others read, on all cores."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, chain

from yaml.nodes import MappingNode, Node

from feeds.cache import key, keys
from feeds.catalogue.entries import (
    Draft,
    EntryReader,
    draft_text,
    read_draft_text,
)
from feeds.catalogue.fields import open_fields
from feeds.catalogue.items import Items, Miscut
from feeds.catalogue.known_keys import ENTRY
from feeds.catalogue.nearest import SILENT, Nearest
from feeds.catalogue.plain_fields import PlainFields
from feeds.catalogue.plain_lines import NotPlain, plain_lines
from feeds.catalogue.reading import Fault, Reading, Remark
from feeds.catalogue.strict_yaml import is_deep
from feeds.errors import Problem
from feeds.model import Entry
from feeds.paths import MEDIA
from feeds.workshop import Workshop


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
        context: Sequence[bytes | str],
        workshop: Workshop,
    ) -> None:
        """Read all items; `context` is all that decides, beside an item's text, what it says."""
        here = key(*context)
        self.memory = workshop.keep(Memory)
        self.memory.enter(here)
        before = self.memory.drafts()
        self.memory.named = []
        for items in self._files:
            names = keys(key(here, items.dash), items.texts)
            texts = _remembered(reader, items, names, workshop) or [b""] * len(items)
            drafts = [
                before.get(names[number]) or read_draft_text(text.decode())
                if text
                else _read(reader, items, number, problems)
                for number, text in enumerate(texts)
            ]
            self.found += drafts
            self.memory.named.append((names, drafts))


# A draft, how many seconds after noon it is, and the entry that was made of it.
Made = tuple[Draft, int, Entry]


@dataclass
class Memory:
    """The drafts of the last reading, and the entries that were made of them.

    What has not changed is the very same object as before, and so is compared
    at once. It holds in one context. Most programs read once: what is kept is
    put in order when it is asked for.
    """

    context: bytes = b""
    # Of each file, the names of its items, if they have any, and their drafts.
    named: list[tuple[Sequence[bytes], Sequence[Draft | None]]] = field(default_factory=list)
    made: Sequence[Made] = ()

    def enter(self, context: bytes) -> None:
        """Forget everything where it was learned in another context."""
        if context != self.context:
            self.context, self.named, self.made = context, [], ()

    def drafts(self) -> dict[bytes, Draft | None]:
        """Give the drafts of the last reading, by the names of their items."""
        return {
            name: draft
            for names, drafts in self.named
            for name, draft in zip(names, drafts, strict=False)
        }

    def entries(self) -> dict[int, Made]:
        """Give the entries of the last reading, by the identity of their drafts."""
        return {id(made[0]): made for made in self.made}

    def revisions(self) -> Callable[[], Mapping[str, bytes]]:
        """Give what gives the revisions of the last reading's entries, however many come after it."""
        names = [names for names, _ in self.named]
        return partial(_revisions, names, self.made)


def _revisions(names: Sequence[Sequence[bytes]], made: Sequence[Made]) -> Mapping[str, bytes]:
    known = list(chain.from_iterable(names))
    if len(known) < len(made):
        return {}
    return {
        entry.id: key(name, str(seconds), repr(entry.photo))
        if seconds or draft.photo.startswith(MEDIA)
        else name
        for name, (draft, seconds, entry) in zip(known, made, strict=True)
    }


def _remembered(
    reader: EntryReader, items: Items, names: Sequence[bytes], workshop: Workshop
) -> list[bytes]:
    """Give each draft's text, and nothing for an item that is to be read where it is told."""
    shelf = workshop.shelf("entries")
    known = [shelf.get(name) or b"" for name in names]
    missing = [number for number, text in enumerate(known) if not text]
    texts = workshop.spread("read", partial(_read_alone, reader, items), missing)
    for number, text in zip(missing, texts, strict=True):
        if text:
            known[number] = text
            shelf.put(names[number], text)
    return known


def _read_alone(reader: EntryReader, items: Items, numbers: Sequence[int]) -> list[bytes]:
    """Read items; nothing for one with a Problem or a note, which is to be read where it is told."""
    texts = []
    for number in numbers:
        draft = _read_lines(reader, items, number) or _read_silently(reader, items, number)
        texts.append(draft_text(draft).encode() if draft else b"")
    return texts


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
