"""YAML text → a valid Catalogue, or every Problem with its place."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypedDict, Unpack

from yaml.nodes import MappingNode

from feeds.catalogue import known_keys
from feeds.catalogue.countries import Countries
from feeds.catalogue.entries import EntryReader, EntryRecord, Vocabulary
from feeds.catalogue.entry_checks import (
    BodyLinks,
    check_guids,
    check_open_topics,
    id_problems,
    note_bodies,
    note_far_dates,
    note_slugs,
)
from feeds.catalogue.item_memory import ItemMemory, read_items
from feeds.catalogue.media import read_media
from feeds.catalogue.reader import InvalidValue
from feeds.catalogue.sections import NO_ENTRIES, Sections
from feeds.catalogue.site import (
    NO_SITE,
    live_paths,
    note_gone,
    read_country_names,
    read_feed_ids,
    read_moves,
    read_site,
    read_topics,
)
from feeds.catalogue.source import Source, SplitError
from feeds.catalogue.web_addresses import site_address
from feeds.errors import CatalogueError, Problem, UsageError
from feeds.inputs import source_digest
from feeds.model import Attachment, Catalogue, Entry, MediaFile, Photo, Site
from feeds.parallel import gc_paused
from feeds.storage import media_folder, read_files

__all__ = ["ItemMemory", "load_catalogue", "read_catalogue"]

# In a key path.
_NUMBER = re.compile(r"\[\d+\]")


class ReadOptions(TypedDict, total=False):
    """How a catalogue is read.

    `url` replaces `site.url`. `as_of` is the aware datetime for notes that depend on
    the time, such as on entries dated far ahead; without it there are no such notes.
    `published` are the absolute addresses that were public before: a note reports each
    address of the site that is no longer published. With `strict`, notes are problems.
    `media` is the folder with the files of entries; `load_catalogue` sets it. `memory` has items
    that were read before.
    """

    url: str | None
    media: Path | None
    as_of: datetime | None
    published: Collection[str]
    strict: bool
    memory: ItemMemory | None


def load_catalogue(path: str | Path, **options: Unpack[ReadOptions]) -> Catalogue:
    """Read the catalogue at a path: one YAML file, or a folder of them, one of which has `site`.

    Raises CatalogueError with all Problems, or FeedsError if there is nothing to
    read or `url` is not a valid address of a site.
    """
    texts = read_files(Path(path))
    media = options["media"] = media_folder(Path(path))
    found = read_catalogue(texts, **options)
    return replace(found, beside=media.parent, source=source_digest(texts))


def read_catalogue(texts: Iterable[tuple[str, bytes]], **options: Unpack[ReadOptions]) -> Catalogue:
    """Read a catalogue from its files' names and bytes.

    Raises CatalogueError with all Problems, in the order of the files, or
    FeedsError if `url` is not a valid address of a site.
    """
    sources = [Source(name, data) for name, data in texts]
    url = options.get("url")
    options["url"] = None if url is None else checked_url(url)
    with gc_paused():
        try:
            catalogue, problems = _read_files(sources, options, whole=False)
        except SplitError:
            catalogue = None
        if catalogue is None:
            # Now each file that is not YAML is reported.
            catalogue, problems = _read_files(sources, options, whole=True)
    problems = _with_causes_once(problems)
    faults = [problem for problem in problems if options.get("strict") or not problem.note]
    if catalogue is None or faults:
        raise CatalogueError(faults)
    return replace(catalogue, notes=tuple(problems))


def checked_url(url: str) -> str:
    """Return a URL that is to replace `site.url`; raises UsageError if it is not valid."""
    try:
        return site_address(url)
    except InvalidValue as fault:
        raise UsageError(f"the URL {url!r} {fault}") from None


def _read_files(
    sources: Sequence[Source], options: ReadOptions, *, whole: bool
) -> tuple[Catalogue | None, list[Problem]]:
    """Return the catalogue, or None, and all Problems; raises SplitError unless `whole`."""
    problems: list[Problem] = []
    sections = Sections(problems)
    readable = [sections.add(source, whole=whole) for source in sources]
    # What files say may depend on what could not be read.
    if not all(readable):
        return None, problems
    catalogue = _read_sections(sections, problems, options)
    first = Source(sources[0].name, b"").excerpt
    for name, message in {"site": "is missing", "entries": f"is missing; {NO_ENTRIES}"}.items():
        if not sections.nodes[name]:
            problems.append(first.problem(0, name, message))
    order = {source.name: number for number, source in enumerate(sources)}
    problems.sort(key=lambda problem: (order[problem.file], problem.line, problem.column))
    return catalogue, problems


def _with_causes_once(problems: Sequence[Problem]) -> list[Problem]:
    """Return one Problem for all with the same cause: the first, with the number of the others."""
    same = Counter(map(_cause, problems))
    first = {_cause(problem): problem for problem in reversed(problems)}
    found = []
    for problem in problems:
        cause = _cause(problem)
        if not problem.cause or same[cause] == 1:
            found.append(problem)
        elif problem is first[cause]:
            message = f"{problem.message} ({same[cause] - 1} more like this)"
            found.append(problem._replace(message=message))
    return found


def _cause(problem: Problem) -> tuple[str, str]:
    """Return what Problems with one cause share: the key path without numbers, and the cause."""
    return _NUMBER.sub("", problem.path), problem.cause


def _read_sections(sections: Sections, problems: list[Problem], options: ReadOptions) -> Catalogue:
    nodes = sections.nodes
    site_fields = [reader.mapping(node, "site", known_keys.SITE) for reader, node in nodes["site"]]
    site = read_site(site_fields[0]) if site_fields else NO_SITE
    site = replace(site, url=options.get("url") or site.url)
    scheme = f"{site.id}:topics"
    topics = None
    for reader, node in nodes["topics"]:
        topics = read_topics(reader, node, scheme)
    # Without a list that can be read, every topic would be unknown.
    closed = all(isinstance(node, MappingNode) for _, node in nodes["topics"])
    names: dict[str, str] = {}
    for reader, node in nodes["countries"]:
        names = read_country_names(reader, node, site)
    entry_reader = EntryReader(
        zone=site.timezone,
        language=site.language,
        vocabulary=Vocabulary(topics if closed else None, scheme),
        countries=Countries(site.language, names, site.country_names),
    )
    # Everything else that records depend on.
    naming = site.language, site.country_names, names
    context = repr((site.timezone.key, scheme, topics, *naming, closed))
    memory = options.get("memory") or ItemMemory()
    memory.begin(context)
    found = read_items(sections.items, entry_reader, problems, memory)
    records = list(zip(sections.items, found, strict=True))
    problems[:0] = id_problems(records)
    check_guids(records, site, problems)
    if topics is None:
        check_open_topics(records, problems)
    note_slugs(records, problems, closed=topics is not None)
    as_of, published = options.get("as_of"), options.get("published", ())
    if as_of:
        note_far_dates(records, as_of, problems)
    media = read_media(records, options.get("media"), site.url, problems)
    faulty = any(not problem.note for problem in problems)
    entries = () if faulty else _entries(filter(None, found), media.used, site)
    for fields in site_fields:
        if published or any(name in fields for name in ("moved", "retired", "feed_ids")):
            # What is published is known if there is no Problem.
            live = (
                frozenset()
                if faulty
                else live_paths(site, topics or (), entries) | media.used.keys()
            )
            moved, retired = read_moves(fields, live)
            feed_ids = read_feed_ids(fields, site, live)
            site = replace(site, moved=moved, retired=retired, feed_ids=feed_ids)
            if live:
                note_gone(fields, site, live, published)
    if not faulty:
        links = BodyLinks(site, media, entries, as_of)
        note_bodies(records, entries, links, problems)
    return Catalogue(site=site, topics=topics, entries=entries, media=tuple(media.used.values()))


def _entries(
    records: Iterable[EntryRecord], media: Mapping[str, MediaFile], site: Site
) -> tuple[Entry, ...]:
    """Return the entries of records, with what depends on other entries and on files.

    Entries that give a day without a time are noon, and one second later for each
    entry below on the same day: an entry added above changes no other.
    """
    same_day: Counter[date] = Counter()
    entries = []
    for record in reversed(list(records)):
        entry = record.entry
        if entry.public_from:
            day = entry.published.date()
            published = entry.published + timedelta(seconds=same_day[day])
            same_day[day] += 1
            entry = entry._replace(published=published, updated=max(entry.updated, published))
        if entry.photo and entry.photo.url in media:
            entry = entry._replace(photo=_photo(entry.photo, media[entry.photo.url], site))
        if any(document.url in media for document in entry.documents):
            documents = [_document(document, media, site) for document in entry.documents]
            entry = entry._replace(documents=tuple(documents))
        entries.append(entry)
    return tuple(reversed(entries))


def _photo(photo: Photo, file: MediaFile, site: Site) -> Photo:
    return photo._replace(
        url=site.address(file.path),
        media_type=file.media_type,
        width=file.width,
        height=file.height,
        length=file.length,
    )


def _document(document: Attachment, media: Mapping[str, MediaFile], site: Site) -> Attachment:
    file = media.get(document.url)
    if file is None:
        return document
    return document._replace(
        url=site.address(file.path),
        media_type=file.media_type,
        length=file.length,
        pages=file.pages,
    )
