"""YAML text → a valid Catalogue, or every Problem with its place."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from yaml.nodes import MappingNode, Node

from feeds.catalogue.addresses import site_address
from feeds.catalogue.countries import Countries
from feeds.catalogue.entries import EntryReader, Vocabulary, check_ids
from feeds.catalogue.nearest import Nearest
from feeds.catalogue.reading import Fault, Reading
from feeds.catalogue.site import NO_SITE, read_country_names, read_site, read_topics
from feeds.catalogue.source import Source, control_characters, decode
from feeds.catalogue.strict_yaml import compose
from feeds.errors import CatalogueError, FeedsError, Problem
from feeds.model import Catalogue, Entry

__all__ = ["load_catalogue", "read_catalogue"]

_SECTIONS = ("site", "topics", "countries", "entries")

Section = tuple[Reading, Node]


def load_catalogue(path: str | Path, *, url: str | None = None) -> Catalogue:
    """Read the catalogue at a path: one YAML file, or a folder of them.

    A folder's `*.yaml` and `*.yml` files are read in the order of their names;
    `site` stands in one of them. `url` takes the place of `site.url`.

    Raises CatalogueError with all Problems, or FeedsError where there is nothing
    to read or `url` is no site's address.
    """
    path = Path(path)
    try:
        files = sorted(filter(_is_yaml, path.iterdir())) if path.is_dir() else [path]
        texts = [(str(file), file.read_bytes()) for file in files]
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
    catalogue = _catalogue(sections, nearest)
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


def _catalogue(sections: dict[str, list[Section]], nearest: Nearest) -> Catalogue:
    site = NO_SITE
    for reading, node in sections["site"]:
        site = read_site(reading, node)
    scheme = f"{site.id}:topics"
    topics = None
    for reading, node in sections["topics"]:
        topics = read_topics(reading, node, scheme)
    names: dict[str, str] = {}
    for reading, node in sections["countries"]:
        names = read_country_names(reading, node)
    reader = EntryReader(site, Vocabulary(topics, scheme), Countries(site.language, names, nearest))
    return Catalogue(site=site, topics=topics, entries=_entries(sections["entries"], reader))


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
