"""Links from bodies to entries and pictures of the site that are not published."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from feeds.catalogue.drafts import Drafts
from feeds.catalogue.entries import Draft, listed
from feeds.errors import Problem
from feeds.model import Entry, Site
from feeds.paths import ENTRIES, INDEX, MEDIA, entry_folder, moved_to, standing_for


class _Broken(NamedTuple):
    """A link as it is written, what is wrong with it, and the paths that may be meant.

    It is reported at its own line, or at the beginning of the body.
    """

    link: str
    message: str
    path: str = ""
    choices: Sequence[str] = ()
    at_line: bool = True


def check_body_links(
    drafts: Drafts,
    site: Site,
    entries: Sequence[Entry],
    as_of: datetime | None,
    problems: list[Problem],
) -> None:
    """Report each link in a body to an entry or a picture that is not published.

    Without `as_of`, nothing is held back. All drafts must be sound.
    """
    found = [draft for draft in drafts.found if draft]
    if not any(draft.links for draft in found):
        return
    # Loaded where bodies were rendered anyway.
    from feeds.markdown import line_of_link  # noqa: PLC0415

    links = _BodyLinks(site, found, entries, as_of)
    for number, draft in enumerate(found):
        place = drafts.place(number)
        for broken in links.broken(draft) if draft.links else ():
            reading, item = place.open(problems)
            body = next(node for key, node in item.value if key.value == "body")
            hint = reading.nearest.hint(broken.path, broken.choices) if broken.choices else ""
            line = line_of_link(draft.body, broken.link) if broken.at_line else None
            message = broken.message + hint
            reading.problem(body, f"{place.path}.body", message, note=True, line=line)


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
            if path.startswith(MEDIA) and _public_from(entry) <= _public_from(first):
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
            if standing_for(folder, self._site.retired):
                yield _Broken(link, f"leads to {folder!r}, which is retired")
                return
            choices = [entry_folder(other) for other in self._entries]
            yield _Broken(link, f"leads to {path!r}, where nothing is published", folder, choices)

    def _held_back(self, target: Entry, entry: Entry) -> str:
        """Return ` until …` where the target of a link is not yet public when its entry is."""
        until = _public_from(target)
        if self._as_of is None or until <= max(self._as_of, _public_from(entry)):
            return ""
        return f" until {until.isoformat()}"


def _public_from(entry: Entry) -> datetime:
    """Return from when an entry is public."""
    return entry.published


def _path_in(site_url: str, link: str) -> str:
    """Return the path under the site that a link leads to, decoded; '' where it leads elsewhere."""
    try:
        found, site = urlsplit(urljoin(site_url, link)), urlsplit(site_url)
    except ValueError:
        return ""
    if found.netloc.lower() != site.netloc.lower() or not found.path.startswith(site.path):
        return ""
    return unquote(found.path[len(site.path) :])
