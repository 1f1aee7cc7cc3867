"""Addresses that were public and that a catalogue no longer publishes → notes."""

import re
from collections.abc import Collection, Iterable
from urllib.parse import unquote

from feeds.catalogue.reader import MappingReader as Fields
from feeds.model import Site
from feeds.paths import standing_for

# The folder of an entry, of a topic or of a country; not that of a topic in a country.
_FOLDER = re.compile(r"(entries|topics|countries)/([^/]+)/(?!countries/)")
_TOPICS = "topics"


def note_gone(
    fields: Fields, site: Site, live: Collection[str], published: Collection[str]
) -> None:
    """Note each entry, topic and country that had a public address and has none now.

    `published` are absolute addresses; those of other sites do not count. `live`
    are the paths that the catalogue publishes or will publish. An address under
    `moved` or `retired` is not gone.
    """
    before = _folders(
        unquote(address.removeprefix(site.url))
        for address in published
        if address.startswith(site.url)
    )
    given_up = {*site.moved, *site.retired}
    gone = {
        folder: kind
        for folder, kind in before.items()
        if folder not in live and not standing_for(folder, given_up)
    }
    new = {
        folder: kind
        for folder, kind in _folders(live if gone else ()).items()
        if folder not in before
    }
    for folder in sorted(gone):
        others = {_name(other): other for other in new if new[other] == gone[folder]}
        # A new topic beside one that is gone is the same; a new entry may be any.
        alone = gone[folder] == _TOPICS and len(others) == list(gone.values()).count(_TOPICS) == 1
        successor = (
            next(iter(others.values())) if alone else fields.nearest.find(_name(folder), others)
        )
        place = "moved" if "moved" in fields else ""
        message = f"{folder!r} was public and is gone{_advice(folder, successor)}"
        fields.problem(place, message, note=True)


def _folders(paths: Iterable[str]) -> dict[str, str]:
    """Return the folders of entries, topics and countries among paths, with their kind."""
    found = map(_FOLDER.match, paths)
    return {match[0]: match[1] for match in found if match}


def _name(folder: str) -> str:
    return folder.split("/")[1]


def _advice(folder: str, successor: str) -> str:
    """Return what to do about an address that is gone, with the lines to add to `site`."""
    name = _name(folder)
    restore = f"restore the id {name!r}" if folder.startswith("entries/") else f"restore {name!r}"
    moved = f", add '{folder}: {successor}' under 'moved'" if successor else ""
    return f": {restore}{moved}, or add '- {folder}' under 'retired'"
