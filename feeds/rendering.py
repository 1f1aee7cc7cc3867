"""Entries → their pieces in each format: each once, remembered, on all cores."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from feeds.cache import key, keys
from feeds.content import render_body
from feeds.model import Entry, Site
from feeds.workshop import Workshop

# Takes entries, each with its body's HTML, and gives a piece of each.
Renderer = Callable[[Sequence[tuple[Entry, str]], Site], list[bytes]]


def render_entries(
    entries: Sequence[Entry], site: Site, renderers: Mapping[str, Renderer], workshop: Workshop
) -> dict[str, list[bytes]]:
    """Give, for each entry's id, its piece by each renderer, in the order of `renderers`.

    These have the names under which pieces are remembered, and then not made
    again.
    """
    shelves = [workshop.shelf(name) for name in renderers]
    # What was given up changes no piece.
    context = key(repr(replace(site, moved={}, retired=frozenset())))
    names = keys(context, _fingerprints(entries))
    known = [[shelf.get(name) for shelf in shelves] for name in names]
    missing = [number for number, pieces in enumerate(known) if None in pieces]
    work = partial(_render, site, list(renderers.values()))
    made = workshop.spread("render", work, [entries[number] for number in missing])
    for at, number in enumerate(missing):
        known[number][:] = made[at * len(shelves) : (at + 1) * len(shelves)]
        for shelf, piece in zip(shelves, known[number], strict=True):
            shelf.put(names[number], piece or b"")
    return {
        entry.id: [piece or b"" for piece in pieces]
        for entry, pieces in zip(entries, known, strict=True)
    }


def _render(site: Site, renderers: Sequence[Renderer], entries: Sequence[Entry]) -> list[bytes]:
    """Give the pieces of one entry after those of the other."""
    with_bodies = [(entry, render_body(entry, site)) for entry in entries]
    made = zip(*(render(with_bodies, site) for render in renderers), strict=True)
    return [piece for pieces in made for piece in pieces]


def _fingerprints(entries: Iterable[Entry]) -> Iterable[bytes]:
    """Give for each entry all that its pieces depend on, but for the site."""
    named: dict[int, str] = {}
    for entry in entries:
        # Entries about the same share their labels, which are alive all the while.
        for labels in (entry.topics, entry.countries):
            if id(labels) not in named:
                named[id(labels)] = repr(labels)
        texts = (
            *(entry.id, entry.title, entry.summary, entry.body, entry.link),
            *(entry.published.isoformat(), entry.updated.isoformat()),
            *(named[id(entry.topics)], named[id(entry.countries)]),
            *(repr(entry.photo and tuple(entry.photo)), repr(entry.author)),
        )
        yield "\x1f".join(texts).encode()
