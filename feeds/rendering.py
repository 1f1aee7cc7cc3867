"""Entries → their pieces in each format: each once, remembered, on all cores."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from feeds.cache import key, keys
from feeds.content import render_body
from feeds.model import Entry, Site
from feeds.workshop import Workshop

# Takes entries, each with its body's HTML, and gives a piece of each.
Renderer = Callable[[Sequence[tuple[Entry, str]], Site], list[bytes]]

# No text of a catalogue, and so no piece, has this character.
_BETWEEN = b"\x1d"


def render_entries(
    entries: Sequence[Entry],
    site: Site,
    renderers: Sequence[Renderer],
    kind: str,
    workshop: Workshop,
) -> dict[str, list[bytes]]:
    """Give, for each entry's id, its piece by each renderer.

    `kind` names the renderers: pieces that are remembered under it are not made
    again.
    """
    shelf = workshop.shelf("pieces")
    # What was given up changes no piece.
    context = key(kind, repr(replace(site, moved={}, retired=frozenset())))
    names = keys(context, _fingerprints(entries))
    known = [shelf.get(name) or b"" for name in names]
    missing = [number for number, text in enumerate(known) if not text]
    work = partial(_render, site, renderers)
    made = workshop.spread("render", work, [entries[number] for number in missing])
    for number, text in zip(missing, made, strict=True):
        known[number] = text
        shelf.put(names[number], text)
    return {entry.id: text.split(_BETWEEN) for entry, text in zip(entries, known, strict=True)}


def _render(site: Site, renderers: Sequence[Renderer], entries: Sequence[Entry]) -> list[bytes]:
    with_bodies = [(entry, render_body(entry, site)) for entry in entries]
    pieces = [render(with_bodies, site) for render in renderers]
    return [_BETWEEN.join(made) for made in zip(*pieces, strict=True)]


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
