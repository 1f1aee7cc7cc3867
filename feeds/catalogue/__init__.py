"""YAML text → a valid Catalogue, or every Problem with its place."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from yaml.nodes import MappingNode

from feeds.catalogue.addresses import site_address
from feeds.catalogue.bodies import note_bodies
from feeds.catalogue.countries import Countries
from feeds.catalogue.drafts import Drafts
from feeds.catalogue.entries import EntryReader
from feeds.catalogue.entry_checks import (
    Assembly,
    check_ids,
    check_topics,
    note_far_dates,
    note_slugs,
)
from feeds.catalogue.gone import note_gone
from feeds.catalogue.item_memory import ItemMemory
from feeds.catalogue.items import Miscut
from feeds.catalogue.moves import live_paths, read_moves
from feeds.catalogue.nearest import Nearest
from feeds.catalogue.pictures import read_pictures
from feeds.catalogue.reader import Fault
from feeds.catalogue.sections import NO_ENTRIES, Opened
from feeds.catalogue.site import NO_SITE, open_site, read_country_names, read_site, read_topics
from feeds.catalogue.source import Source
from feeds.catalogue.vocabulary import Vocabulary
from feeds.errors import CatalogueError, Problem, UsageError
from feeds.files import media_folder, read_files
from feeds.inputs import source_digest
from feeds.model import Catalogue
from feeds.parallel import gc_paused

__all__ = ["ItemMemory", "load_catalogue", "read_catalogue"]

# In a key path.
_NUMBER = re.compile(r"\[\d+\]")


class _Options(NamedTuple):
    """The arguments of `read_catalogue` beside the files."""

    address: str | None
    media: Path | None
    as_of: datetime | None
    published: Collection[str]
    memory: ItemMemory
    processes: int


def load_catalogue(  # noqa: PLR0913  # all but the path are keywords with defaults
    path: str | Path,
    *,
    url: str | None = None,
    as_of: datetime | None = None,
    published: Collection[str] = (),
    strict: bool = False,
    memory: ItemMemory | None = None,
    processes: int = 1,
) -> Catalogue:
    """Read the catalogue at a path: one YAML file, or a folder of them.

    One of a folder's files has `site`. `url` replaces `site.url`. For the others
    see `read_catalogue`.

    Raises CatalogueError with all Problems, or FeedsError if there is nothing to
    read or `url` is not a valid address of a site.
    """
    path = Path(path)
    texts = read_files(path)
    found = read_catalogue(
        texts,
        url=url,
        media=media_folder(path),
        as_of=as_of,
        published=published,
        strict=strict,
        memory=memory,
        processes=processes,
    )
    return replace(found, beside=media_folder(path).parent, source=source_digest(texts))


def read_catalogue(  # noqa: PLR0913  # all but the texts are keywords with defaults
    texts: Iterable[tuple[str, bytes]],
    *,
    url: str | None = None,
    media: Path | None = None,
    as_of: datetime | None = None,
    published: Collection[str] = (),
    strict: bool = False,
    memory: ItemMemory | None = None,
    processes: int = 1,
) -> Catalogue:
    """Read a catalogue from its files' names and bytes, and its pictures from the folder `media`.

    `as_of` is the aware datetime for notes that depend on the time, such as on
    entries dated far ahead; without it there are no such notes. `published` are
    the absolute addresses that were public before; an address of the site that
    is among them and no longer published is a note.

    Raises CatalogueError with all Problems, in the order of the files, or
    FeedsError if `url` is not a valid address of a site.
    """
    sources = [Source(name, data) for name, data in texts]
    address = None if url is None else checked_url(url)
    options = _Options(address, media, as_of, published, memory or ItemMemory(), processes)
    problems: list[Problem] = []
    with gc_paused():
        catalogue = _read(sources, problems, options)
    faults = [problem for problem in problems if strict or not problem.note]
    if catalogue is None or faults:
        raise CatalogueError(faults)
    return replace(catalogue, notes=tuple(problems))


def checked_url(url: str) -> str:
    """Return a URL that takes the place of `site.url`; raises UsageError where it cannot."""
    try:
        return site_address(url)
    except Fault as fault:
        raise UsageError(f"the URL {url!r} {fault}") from None


def _read(sources: list[Source], problems: list[Problem], options: _Options) -> Catalogue | None:
    found: list[Problem] = []
    opened = Opened(found, Nearest())
    try:
        sound = [opened.open(source, whole=False) for source in sources]
        catalogue = _catalogue(opened, found, options) if all(sound) else None
    except Miscut:
        catalogue = None
    if catalogue is None:
        # What is no YAML is told file by file; what files say may rest on what could not be read.
        found = []
        opened = Opened(found, Nearest())
        sound = [opened.open(source, whole=True) for source in sources]
        catalogue = _catalogue(opened, found, options) if all(sound) else None
    if catalogue:
        first = Source(sources[0].name, b"").excerpt
        missing = {"site": "is missing", "entries": f"is missing; {NO_ENTRIES}"}
        found += [
            first.problem(0, name, message)
            for name, message in missing.items()
            if not opened.sections[name]
        ]
        order = {source.name: number for number, source in enumerate(sources)}
        found.sort(key=lambda problem: (order[problem.file], problem.line, problem.column))
    problems += _with_causes_once(found)
    return catalogue


def _with_causes_once(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems with those of one cause as one, at the first place, with their number."""
    problems = list(problems)
    same = Counter(map(_cause, problems))
    found = {_cause(problem): problem for problem in reversed(problems)}
    return [
        problem._replace(message=f"{problem.message} ({same[cause] - 1} more like this)")
        if problem.cause and same[cause] > 1
        else problem
        for problem in problems
        if problem is found[cause := _cause(problem)] or not problem.cause
    ]


def _cause(problem: Problem) -> tuple[str, str]:
    """Return what problems of one cause share: the key path without numbers, and the cause."""
    return _NUMBER.sub("", problem.path), problem.cause


def _catalogue(opened: Opened, problems: list[Problem], options: _Options) -> Catalogue:
    sections = opened.sections
    mastheads = [open_site(reading, node) for reading, node in sections["site"]]
    site = read_site(mastheads[0]) if mastheads else NO_SITE
    if options.address is not None:
        site = replace(site, url=options.address)
    scheme = f"{site.id}:topics"
    topics = None
    for reading, node in sections["topics"]:
        topics = read_topics(reading, node, scheme)
    # Without a list that can be read, every topic would be unknown.
    closed = all(isinstance(node, MappingNode) for _, node in sections["topics"])
    names: dict[str, str] = {}
    for reading, node in sections["countries"]:
        names = read_country_names(reading, node, site.language)
    vocabulary = Vocabulary(topics if closed else None, scheme)
    countries = Countries(site.language, names)
    reader = EntryReader(
        zone=site.timezone, language=site.language, vocabulary=vocabulary, countries=countries
    )
    context = repr((site.timezone.key, scheme, topics, site.language, names, closed))
    drafts = Drafts(opened.items)
    drafts.read(reader, problems, context, options.memory, options.processes)
    problems[:0] = check_ids(drafts)
    if topics is None:
        check_topics(drafts, problems)
    note_slugs(drafts, problems, closed=topics is not None)
    if options.as_of:
        note_far_dates(drafts, options.as_of, problems)
    pictures = read_pictures(drafts, options.media, problems, options.processes)
    sound = [draft for draft in drafts.found if draft]
    faulty = any(not problem.note for problem in problems)
    assembly = Assembly(vocabulary, countries, pictures, site)
    entries = () if faulty else assembly.entries(sound)
    for fields in mastheads:
        if "moved" in fields or "retired" in fields or options.published:
            # What is published is known if everything else is right.
            live = (
                frozenset() if faulty else live_paths(site, topics or (), entries) | pictures.keys()
            )
            moved, retired = read_moves(fields, live)
            site = replace(site, moved=moved, retired=retired)
            if live:
                note_gone(fields, site, live, options.published)
    if not faulty:
        note_bodies(drafts, site, entries, options.as_of, problems)
    return Catalogue(
        site=site,
        topics=topics,
        entries=entries,
        pictures=tuple(pictures.values()),
    )
