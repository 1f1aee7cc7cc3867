"""Entries → their pieces in each format, each made once, on all cores."""

from collections.abc import Callable, Sequence
from functools import partial

from feeds.cache import key, keys
from feeds.markdown import render_body
from feeds.model import Entry, Site
from feeds.workshop import Workshop

_SHELF = "bodies"
# An entry with its body's HTML.
Shown = tuple[Entry, str]
# Takes entries and gives a piece of each.
Renderer = Callable[[Sequence[Shown], Site], list[bytes]]


def show(entries: Sequence[Entry], site: Site, workshop: Workshop) -> list[Shown]:
    """Give entries with their bodies as HTML; what was made of a body before is remembered."""
    long, names = _bodied(entries, site)

    def make(missing: Sequence[int]) -> list[bytes]:
        bodies = [long[number] for number in missing]
        return workshop.spread("render", partial(_bodies, site), bodies)

    made = workshop.remembered(_SHELF, names, make)
    html = {entry.id: body.decode() for entry, body in zip(long, made, strict=True)}
    return [(entry, html.get(entry.id, "")) for entry in entries]


def keep_shown(entries: Sequence[Entry], site: Site, workshop: Workshop) -> None:
    """Go on remembering what was made of the bodies of entries that need not be shown again."""
    shelf = workshop.shelf(_SHELF)
    for name in _bodied(entries, site)[1]:
        shelf.get(name)


def _bodied(entries: Sequence[Entry], site: Site) -> tuple[list[Entry], list[bytes]]:
    """Give the entries that have a body, and the names under which these are remembered."""
    found = [entry for entry in entries if entry.body]
    texts = (f"{entry.id}\x1f{entry.body}".encode() for entry in found)
    return found, keys(key(site.url), texts)


def render(
    shown: Sequence[Shown], site: Site, renderers: Sequence[Renderer], workshop: Workshop
) -> dict[str, list[bytes]]:
    """Give, for each entry's id, its piece by each renderer, in the order of these."""
    made = iter(workshop.spread("render", partial(_pieces, site, renderers), shown))
    return {entry.id: [next(made) for _ in renderers] for entry, _ in shown}


def _bodies(site: Site, entries: Sequence[Entry]) -> list[bytes]:
    return [render_body(entry, site).encode() for entry in entries]


def _pieces(site: Site, renderers: Sequence[Renderer], shown: Sequence[Shown]) -> list[bytes]:
    """Give the pieces of one entry after those of the other."""
    made = zip(*(render(shown, site) for render in renderers), strict=True)
    return [piece for pieces in made for piece in pieces]
