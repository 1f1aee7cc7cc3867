"""YAML text → a valid Catalogue, or every Problem with its place."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from yaml.nodes import MappingNode, Node

from feeds.catalogue.addresses import site_address
from feeds.catalogue.countries import Countries
from feeds.catalogue.entries import EntryReader, Vocabulary, check_ids
from feeds.catalogue.moves import live_paths, read_moves
from feeds.catalogue.nearest import Nearest
from feeds.catalogue.reading import Fault, Reading
from feeds.catalogue.site import NO_SITE, open_site, read_country_names, read_site, read_topics
from feeds.catalogue.source import Source, control_characters, decode
from feeds.catalogue.strict_yaml import compose
from feeds.errors import CatalogueError, FeedsError, Problem
from feeds.model import Catalogue, Entry

__all__ = ["catalogue_files", "load_catalogue", "read_catalogue"]

_SECTIONS = ("site", "topics", "countries", "entries")

Section = tuple[Reading, Node]


def load_catalogue(path: str | Path, *, url: str | None = None) -> Catalogue:
    """Read the catalogue at a path: one YAML file, or a folder of them.

    `site` stands in one of a folder's files. `url` takes the place of `site.url`.

    Raises CatalogueError with all Problems, or FeedsError where there is nothing
    to read or `url` is no site's address.
    """
    path = Path(path)
    try:
        texts = [(str(file), file.read_bytes()) for file in catalogue_files(path)]
    except OSError as error:
        raise FeedsError(
            f"{error.filename or path}: {error.strerror or 'cannot be read'}"
        ) from None
    except ValueError:
        raise FeedsError(f"{str(path)!r} is no file name") from None
    if not texts:
        raise FeedsError(f"{path}: the folder has no .yaml or .yml file")
    catalogue = read_catalogue(texts)
    if url is None:
        return catalogue
    try:
        return replace(catalogue, site=replace(catalogue.site, url=site_address(url)))
    except Fault as fault:
        raise FeedsError(f"the URL {url!r} {fault}") from None


def catalogue_files(path: Path) -> list[Path]:
    """Give the files that a catalogue is read from, in order; raises OSError.

    Those of a folder are its `*.yaml` and `*.yml` files, by name.
    """
    return sorted(filter(_is_yaml, path.iterdir())) if path.is_dir() else [path]


def _is_yaml(file: Path) -> bool:
    # An editor's own lock and swap files begin with a dot.
    return file.suffix in {".yaml", ".yml"} and not file.name.startswith(".")


def read_catalogue(texts: Iterable[tuple[str, bytes]]) -> Catalogue:
    """Read a catalogue from its files' names and bytes.

    Raises CatalogueError with all Problems, in the order of the files.
    """
    problems: list[Problem] = []
    catalogue = _read(list(texts), problems)
    faults = [problem for problem in problems if not problem.note]
    if catalogue is None or faults:
        raise CatalogueError(faults)
    return replace(catalogue, notes=tuple(problems))


def _read(texts: list[tuple[str, bytes]], problems: list[Problem]) -> Catalogue | None:
    nearest = Nearest()
    sections: dict[str, list[Section]] = {name: [] for name in _SECTIONS}
    composed = 0
    for name, data in texts:
        source = decode(name, data)
        if isinstance(source, Problem):
            problems.append(source)
            continue
        node = _root(source, problems)
        if node is not None:
            composed += 1
            _sort_into(sections, Reading(source, problems, nearest), node)
    if composed < len(texts):
        # What other files say may rest on what could not be read.
        return None
    first = Source(texts[0][0], "")
    missing = [name for name in ("site", "entries") if not sections[name]]
    problems += [first.problem(0, name, "is missing") for name in missing]
    order = {name: number for number, (name, _) in enumerate(texts)}
    catalogue = _catalogue(sections, nearest, problems)
    problems.sort(key=lambda problem: (order[problem.file], problem.line, problem.column))
    return catalogue


def _root(source: Source, problems: list[Problem]) -> Node | None:
    before = len(problems)
    problems += control_characters(source)
    if len(problems) > before:
        return None
    node = compose(source, problems)
    if node is None and len(problems) == before:
        problems.append(source.problem(0, "", "is empty: it needs 'site' and 'entries'"))
    return node


def _sort_into(sections: dict[str, list[Section]], reading: Reading, node: Node) -> None:
    for name, key, value in reading.pairs(node, ""):
        if name not in sections:
            hint = reading.nearest.hint(name, _SECTIONS)
            reading.problem(key, name, f"no such key is known here{hint}")
            continue
        if name != "entries" and sections[name]:
            other, first = sections[name][0]
            reading.problem(key, name, f"stands in another file too, at {other.place(first)}")
            continue
        sections[name].append((reading, value))


def _catalogue(
    sections: dict[str, list[Section]], nearest: Nearest, problems: list[Problem]
) -> Catalogue:
    mastheads = [open_site(reading, node) for reading, node in sections["site"]]
    site = read_site(mastheads[0]) if mastheads else NO_SITE
    scheme = f"{site.id}:topics"
    topics = None
    for reading, node in sections["topics"]:
        topics = read_topics(reading, node, scheme)
    names: dict[str, str] = {}
    for reading, node in sections["countries"]:
        names = read_country_names(reading, node)
    reader = EntryReader(site, Vocabulary(topics, scheme), Countries(site.language, names, nearest))
    entries = _entries(sections["entries"], reader)
    # What is published is known once everything else is right.
    faulty = any(not problem.note for problem in problems)
    for fields in mastheads:
        if "moved" in fields or "retired" in fields:
            live = frozenset() if faulty else live_paths(topics or (), entries)
            moved, retired = read_moves(fields, live)
            site = replace(site, moved=moved, retired=retired)
    return Catalogue(site=site, topics=topics, entries=entries)


def _entries(sections: list[Section], reader: EntryReader) -> tuple[Entry, ...]:
    found = [
        (reading, path, node)
        for reading, section in sections
        for path, node in _entry_nodes(reading, section)
    ]
    check_ids(found)
    entries = [reader.read(reading, node, path) for reading, path, node in reversed(found)]
    return tuple(reversed(entries))


def _entry_nodes(reading: Reading, section: Node) -> Iterator[tuple[str, MappingNode]]:
    for path, node in reading.items(section, "entries"):
        if isinstance(node, MappingNode):
            yield path, node
        else:
            reading.problem(node, path, "an entry is a mapping: 'id: …', 'title: …', 'date: …'")
