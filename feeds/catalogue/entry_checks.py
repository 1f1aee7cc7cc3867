"""Checks of all entries together: ids, topics, dates, and the links and losses of bodies."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from operator import attrgetter
from typing import NamedTuple
from unicodedata import normalize

from yaml.nodes import MappingNode, Node, ScalarNode

from feeds.catalogue.attachments import unpublished_type
from feeds.catalogue.media import Media, Records
from feeds.catalogue.reader import NodeReader
from feeds.catalogue.sections import Item
from feeds.catalogue.source import forbidden_character, is_blank
from feeds.catalogue.text_fields import folded, slug_of, slug_or_blank, slug_rules, slug_warnings
from feeds.catalogue.web_addresses import path_under
from feeds.errors import Problem
from feeds.model import Entry, Site
from feeds.selection import public_from
from feeds.urls import ENTRIES, FEEDS, INDEX, MEDIA, covering_rule, entry_folder, moved_to

_YEAR = timedelta(days=366)
# Of the broken links in one body.
_MAX_LINKS = 20
_NEWLINE = re.compile(r"(?:\r\n|\n|\r) *")


def note_far_dates(records: Records, as_of: datetime, problems: list[Problem]) -> None:
    """Note each `date` and `updated` that is more than a year ahead of a moment."""
    limit = as_of + _YEAR
    for item, record in records:
        if record is None or record.entry.updated <= limit:
            continue
        dates = {"date": record.entry.published, "updated": record.entry.updated}
        reader, node = item.open(problems)
        for key, value in node.value:
            if key.value in dates and dates[key.value] > limit and not is_blank(value):
                message = "is more than a year ahead; is the year right?"
                reader.problem(value, f"{item.path}.{key.value}", message, note=True)


def id_problems(records: Records) -> list[Problem]:
    """Return a Problem for each entry without a valid id, with a proposal, and each duplicate id."""
    problems: list[Problem] = []
    ids = {record.entry.id.casefold() for _, record in records if record}
    if len(ids) == len(records):
        return problems
    first: dict[str, Item] = {}
    nameless = []
    for item, record in records:
        texts = {"id": record.entry.id} if record else _texts(item.open([])[1])
        if texts is None:
            continue
        if "id" not in texts or not (record or slug_or_blank(texts["id"])):
            nameless.append((item, texts))
            continue
        name = texts["id"].casefold()
        if name in first:
            reader, at = item.field("id", problems)
            other, there = first[name].field("id", problems)
            message = f"the id {texts['id']!r} is taken, at {other.place(there)}"
            reader.problem(at, f"{item.path}.id", message)
        first.setdefault(name, item)
    _propose_ids(nameless, set(first), problems)
    return problems


def check_guids(records: Records, site: Site, problems: list[Problem]) -> None:
    """Report each entry that would have the same id in a feed as another one."""
    known = [(item, record.entry) for item, record in records if record]
    if not any(any(entry.guid) for _, entry in known):
        return
    clashes: dict[tuple[int, int], list[str]] = {}
    for form in FEEDS:
        first: dict[str, int] = {}
        for number, (_, entry) in enumerate(known):
            other = first.setdefault(site.entry_id(entry, form), number)
            if other != number:
                clashes.setdefault((number, other), []).append(form)
    for pair, forms in clashes.items():
        # One of the two has the key: the ids of all entries differ.
        one, other = sorted(pair, key=lambda number: not any(known[number][1].guid))
        item, entry = known[one]
        reader, at = item.field("guid", problems)
        other_reader, there = known[other][0].open([])
        kept = site.entry_id(entry, forms[0])
        message = (
            f"the id {kept!r} (in {', '.join(forms)}) is also that of the entry at"
            f" {other_reader.place(there)}"
        )
        reader.problem(at, f"{item.path}.guid", message)


def _propose_ids(
    nameless: Iterable[tuple[Item, dict[str, str]]], taken: set[str], problems: list[Problem]
) -> None:
    numbers: Counter[str] = Counter()

    def free(base: str) -> str:
        proposal = base
        while not proposal or proposal in taken:
            numbers[base] += 1
            proposal = f"{base or 'entry'}-{numbers[base] + 1}"
        taken.add(proposal)
        return proposal

    for item, texts in nameless:
        reader, node = item.open(problems)
        written = [value for key, value in node.value if key.value == "id"]
        if not any(value for value in written if not is_blank(value)):
            base = slug_of(texts.get("title", "")) or slug_of(texts.get("date", "entry"))
            message = f"has no 'id'; write a permanent one: 'id: {free(base)}'"
            reader.problem(node, item.path, message)
        elif "id" in texts and not forbidden_character.search(texts["id"]):
            # Any other value that is not a text is reported already.
            base = slug_of(texts["id"], words=None)
            reader.problem(written[0], f"{item.path}.id", slug_rules(base and free(base)))


def _texts(item: Node) -> dict[str, str] | None:
    if not isinstance(item, MappingNode):
        return None
    return {
        key.value: value.value
        for key, value in reversed(item.value)
        if isinstance(key, ScalarNode) and isinstance(value, ScalarNode) and not is_blank(value)
    }


def check_open_topics(records: Records, problems: list[Problem]) -> None:
    """Report topics of an open vocabulary whose names have the same slug."""
    seen: set[str] = set()
    first: dict[str, tuple[str, Item]] = {}
    for item, record in reversed(records):
        for topic in record.entry.topics if record else ():
            if topic.name in seen:
                continue
            if topic.slug not in first:
                seen.add(topic.name)
                first[topic.slug] = topic.name, item
                continue
            other, before = first[topic.slug]
            reader, node, path = _topic(item, topic.name, problems)
            at, there, _ = _topic(before, other, problems)
            message = f"{topic.name!r} and {other!r}, at {at.place(there)}, have the same slug"
            reader.problem(node, path, f"{message} {topic.slug!r}")


def note_slugs(records: Records, problems: list[Problem], *, closed: bool) -> None:
    """Note ids and topics that cannot name a folder on Windows or look like another one.

    The topics of a closed vocabulary are checked where it is read.
    """
    of_ids = slug_warnings(record.entry.id for _, record in records if record)
    labels = dict.fromkeys(record.entry.topics for _, record in records if record and not closed)
    # Each topic at the first entry that has it.
    of_topics = dict(slug_warnings(topic.slug for topics in labels for topic in topics))
    for item, record in records if of_ids or of_topics else ():
        for message in of_ids.get(record.entry.id, ()) if record else ():
            reader, node = item.field("id", problems)
            reader.problem(node, f"{item.path}.id", message, note=True)
        for topic in record.entry.topics if record and not closed else ():
            for message in of_topics.pop(topic.slug, ()):
                reader, node, path = _topic(item, topic.name, problems)
                reader.problem(node, path, message, note=True)


def _topic(item: Item, name: str, problems: list[Problem]) -> tuple[NodeReader, Node, str]:
    """Return the node at which an item names a topic of an open vocabulary."""
    reader, topics = item.field("topics", problems)
    number = [folded(node.value) for node in topics.value].index(name)
    return reader, topics.value[number], f"{item.path}.topics[{number}]"


def note_bodies(
    records: Records, entries: Sequence[Entry], links: "BodyLinks", problems: list[Problem]
) -> None:
    """Note what of the bodies is not published, and their links to what is not published.

    A link to a damaged file is a Problem. All records must be valid.
    """
    found = [(item, record) for item, record in records if record]
    if not any(record.links or record.notes for _, record in found):
        return
    from feeds.markdown import line_of_link  # noqa: PLC0415  # only few bodies need it

    for (item, record), entry in zip(found, entries, strict=True):
        if not (record.links or record.notes):
            continue
        reader, body = item.field("body", problems)
        path = f"{item.path}.body"
        for number, message in record.notes:
            reader.problem(_index_of_line(body, number, reader.text), path, message, note=True)
        # What prevents publishing comes first.
        broken = sorted(links.broken(record.links, entry), key=attrgetter("note"))
        more = len(broken[_MAX_LINKS:])
        for number, link in enumerate(broken[:_MAX_LINKS], 1):
            hint = reader.suggester.hint(link.path, link.choices) if link.choices else ""
            rest = f" (and {more} more links)" if more and number == _MAX_LINKS else ""
            line = line_of_link(entry.body, link.link)
            at = _index_of_line(body, line, reader.text)
            reader.problem(at, path, link.message + hint + rest, note=link.note)


def _index_of_line(body: Node, line: int | None, text: str) -> int:
    """Return the index of a line, from 0, of a block's text; of any other text, its beginning."""
    start: int = body.start_mark.index
    if line is None or not isinstance(body, ScalarNode) or body.style != "|":
        return start
    # A body begins with the first line that is not blank.
    blank = len(body.value) - len(body.value.lstrip("\n"))
    *_, newline = islice(_NEWLINE.finditer(text, start), 1 + blank + line)
    return newline.end()


class _BrokenLink(NamedTuple):
    """What is wrong with a link as it is written, and the paths that may be meant."""

    link: str
    message: str
    path: str = ""
    choices: Sequence[str] = ()
    note: bool = True


class BodyLinks:
    """What a catalogue publishes, and from when, to check the links in its bodies.

    Without `as_of`, nothing is held back.
    """

    def __init__(
        self, site: Site, media: Media, entries: Sequence[Entry], as_of: datetime | None
    ) -> None:
        self._site = site
        self._media = media
        self._as_of = as_of
        self._all = entries

    # Few catalogues have such links.
    @cached_property
    def _entries(self) -> dict[str, Entry]:
        """The entries by their ids."""
        return {entry.id: entry for entry in self._all}

    @cached_property
    def _owners(self) -> dict[str, Entry]:
        """The first entry that has a file as its photo or document, by the file's address."""
        found: dict[str, Entry] = {}
        for entry in sorted(self._all, key=public_from, reverse=True):
            found |= dict.fromkeys(_files(entry), entry)
        return found

    def broken(self, links: Iterable[str], entry: Entry) -> Iterator[_BrokenLink]:
        """Yield the links in an entry's body to what is not published, each path once."""
        paths: dict[str, str] = {}
        for link in links:
            paths.setdefault(path_under(self._site.url, link), link)
        for path, link in paths.items():
            if path.lower().startswith(MEDIA):
                yield from self._broken_file(link, path, entry)
            elif path.removeprefix(ENTRIES) not in {path, "", INDEX}:
                yield from self._broken_entry(link, path, entry)

    def _broken_file(self, link: str, path: str, entry: Entry) -> Iterator[_BrokenLink]:
        if path in self._media.used:
            owner = self._owners.get(self._site.address(path), entry)
            if until := self._held_back(owner, entry):
                message = f"publishes {path!r} before the entry {owner.id!r}, which is held back"
                yield _BrokenLink(link, message + until)
            return
        message = f"leads to {path!r}, which is not published: "
        if fault := self._media.faults.get(path):
            yield _BrokenLink(link, f"leads to {path!r}, which {fault}", note=False)
        elif path in self._media.names:
            yield _BrokenLink(link, message + unpublished_type(path))
        elif normalize("NFC", path) in self._media.names:
            message += "its accents are written apart from their letters; write the name by hand"
            yield _BrokenLink(link, message)
        else:
            message += "there is no such file beside the catalogue"
            yield _BrokenLink(link, message, path, self._media.meant(path))

    def _broken_entry(self, link: str, path: str, entry: Entry) -> Iterator[_BrokenLink]:
        name, _, rest = path.removeprefix(ENTRIES).partition("/")
        target = self._entries.get(name)
        folder = entry_folder(name)
        if target and rest in {"", INDEX}:
            if until := self._held_back(target, entry):
                yield _BrokenLink(link, f"leads to the entry {name!r}, which is held back{until}")
        elif target or moved_to(folder, self._site.moved) is None:
            if covering_rule(folder, self._site.retired):
                yield _BrokenLink(link, f"leads to {folder!r}, which is retired")
                return
            choices = [entry_folder(other) for other in self._entries]
            message = f"leads to {path!r}, which is not published"
            yield _BrokenLink(link, message, folder, choices)

    def _held_back(self, target: Entry, entry: Entry) -> str:
        """Return ` until …` if the target of a link is not yet public when its entry is."""
        until = public_from(target)
        if self._as_of is None or until <= max(self._as_of, public_from(entry)):
            return ""
        return f" until {until.isoformat()}"


def _files(entry: Entry) -> list[str]:
    """Return the addresses of an entry's photo and documents."""
    documents = [document.url for document in entry.documents]
    return [entry.photo.url, *documents] if entry.photo else documents
