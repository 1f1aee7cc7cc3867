"""Notes on bodies: what of them is not published, and links to entries and pictures that are not."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from yaml.error import Mark
from yaml.nodes import Node, ScalarNode

from feeds.catalogue.drafts import Drafts
from feeds.catalogue.entries import Draft, listed
from feeds.errors import Problem
from feeds.model import Entry, Site
from feeds.selection import public_from
from feeds.urls import ENTRIES, INDEX, MEDIA, covering_rule, entry_folder, moved_to

# Of the broken links in one body.
_MAX_LINKS = 20
_NEWLINE = re.compile(r"(?:\r\n|\n|\r) *")


class _Broken(NamedTuple):
    """A link as it is written, what is wrong with it, and the paths that may be meant.

    It is reported at its own line, or at the beginning of the body.
    """

    link: str
    message: str
    path: str = ""
    choices: Sequence[str] = ()
    at_line: bool = True


def note_bodies(
    drafts: Drafts,
    site: Site,
    entries: Sequence[Entry],
    as_of: datetime | None,
    problems: list[Problem],
) -> None:
    """Report what of the bodies is not published, and their links to what is not.

    Without `as_of`, nothing is held back. All drafts must be sound.
    """
    found = [draft for draft in drafts.found if draft]
    if not any(draft.links or draft.notes for draft in found):
        return
    links = _BodyLinks(site, found, entries, as_of)
    for number, draft in enumerate(found):
        if not (draft.links or draft.notes):
            continue
        place = drafts.place(number)
        reading, item = place.open(problems)
        body = next(node for key, node in item.value if key.value == "body")
        path = f"{place.path}.body"
        for note in listed(draft.notes):
            line, _, message = note.partition(" ")
            reading.problem(_on_line(body, int(line), reading.text), path, message, note=True)
        found_broken = list(links.broken(draft))
        more = len(found_broken[_MAX_LINKS:])
        for broken in found_broken[:_MAX_LINKS]:
            hint = reading.nearest.hint(broken.path, broken.choices) if broken.choices else ""
            rest = f" (and {more} more links)" if more and broken is found_broken[-1 - more] else ""
            node = _at_link(body, draft.body, broken, reading.text)
            reading.problem(node, path, broken.message + hint + rest, note=True)


def _at_link(node: Node, body: str, broken: _Broken, text: str) -> Node:
    if not broken.at_line:
        return node
    # Loaded where there is something to report.
    from feeds.markdown import line_of_link  # noqa: PLC0415

    return _on_line(node, line_of_link(body, broken.link), text)


def _on_line(node: Node, line: int, text: str) -> Node:
    """Return a node at a line, from 0, of a block's text; of any other text, the node itself."""
    if not isinstance(node, ScalarNode) or node.style != "|":
        return node
    # A body begins with the first line that is not blank.
    blank = len(node.value) - len(node.value.lstrip("\n"))
    *_, start = islice(_NEWLINE.finditer(text, node.start_mark.index), 1 + blank + line)
    return ScalarNode(node.tag, node.value, Mark("", start.end(), 0, 0, None, 0))


class _BodyLinks:
    """What a catalogue publishes, and from when, as the links in its bodies need it."""

    def __init__(
        self, site: Site, drafts: Sequence[Draft], entries: Sequence[Entry], as_of: datetime | None
    ) -> None:
        self._site = site
        self._as_of = as_of
        self._entries = {entry.id: entry for entry in entries}
        # By path, the first entry that publishes a picture.
        self._pictures: dict[str, Entry] = {}
        for draft, entry in zip(drafts, entries, strict=True):
            path = listed(draft.photo)[0] if draft.photo else ""
            first = self._pictures.get(path, entry)
            if path.startswith(MEDIA) and public_from(entry) <= public_from(first):
                self._pictures[path] = entry

    def broken(self, draft: Draft) -> Iterator[_Broken]:
        """Return the links in a body that lead to what is not published, each path once."""
        entry = self._entries[draft.id]
        paths: dict[str, str] = {}
        for link in listed(draft.links):
            paths.setdefault(_path_in(self._site.url, link), link)
        for path, link in paths.items():
            if path.startswith(MEDIA):
                yield from self._broken_picture(link, path, entry)
            elif path.removeprefix(ENTRIES) not in {path, "", INDEX}:
                yield from self._broken_entry(link, path, entry)

    def _broken_picture(self, link: str, path: str, entry: Entry) -> Iterator[_Broken]:
        owner = self._pictures.get(path)
        if owner is None:
            message = f"leads to {path!r}, which is not published: no photo names it"
            yield _Broken(link, message, at_line=False)
        elif until := self._held_back(owner, entry):
            message = f"shows {path!r}, which is held back with the entry {owner.id!r}{until}"
            yield _Broken(link, message)

    def _broken_entry(self, link: str, path: str, entry: Entry) -> Iterator[_Broken]:
        name, _, rest = path.removeprefix(ENTRIES).partition("/")
        target = self._entries.get(name)
        folder = entry_folder(name)
        if target and rest in {"", INDEX}:
            if until := self._held_back(target, entry):
                yield _Broken(link, f"leads to the entry {name!r}, which is held back{until}")
        elif target or moved_to(folder, self._site.moved) is None:
            if covering_rule(folder, self._site.retired):
                yield _Broken(link, f"leads to {folder!r}, which is retired")
                return
            choices = [entry_folder(other) for other in self._entries]
            yield _Broken(link, f"leads to {path!r}, where nothing is published", folder, choices)

    def _held_back(self, target: Entry, entry: Entry) -> str:
        """Return ` until …` where the target of a link is not yet public when its entry is."""
        until = public_from(target)
        if self._as_of is None or until <= max(self._as_of, public_from(entry)):
            return ""
        return f" until {until.isoformat()}"


def _path_in(site_url: str, link: str) -> str:
    """Return the path under the site that a link leads to, decoded; '' where it leads elsewhere."""
    try:
        found, site = urlsplit(urljoin(site_url, link)), urlsplit(site_url)
    except ValueError:
        return ""
    if found.netloc.lower() != site.netloc.lower() or not found.path.startswith(site.path):
        return ""
    return unquote(found.path[len(site.path) :])
