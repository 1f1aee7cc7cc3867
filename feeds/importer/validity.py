"""What the catalogue's reader refuses is taken out of an import, until the rest is valid."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from feeds.catalogue import ReadOptions, read_catalogue
from feeds.catalogue.additions import Texts
from feeds.errors import CatalogueError, Problem
from feeds.importer.conversion import Candidate
from feeds.importer.items import Remark

# Each round takes out at least one thing, and most take out all.
_MAX_ROUNDS = 100
_ENTRY = re.compile(r"entries\[(\d+)\](?:\.(.+))?")
# The keys of these mappings are paths, with dots in them.
_PAIRS = re.compile(r"(site\.moved|site\.feed_ids|topics|countries)\.(.+)")
_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_REQUIRED = frozenset(("id", "title", "date"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Additions:
    """What an import adds to a catalogue: sections by name, and entries. Both get smaller.

    `file` is the one that gets the entries. `source` is the name for remarks on sections.
    """

    file: str
    source: str
    sections: dict[str, dict[str, Any]]
    candidates: list[Candidate] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def make_valid(additions: Additions, write: Callable[[], Texts], options: ReadOptions) -> Texts:
    """Return the files of the catalogue that `write` returns, once they are valid.

    What is refused is taken out of `additions`, with a remark. Raises CatalogueError if
    something else is wrong.
    """
    for _ in range(_MAX_ROUNDS):
        texts = write()
        try:
            read_catalogue(texts, **options)
        except CatalogueError as error:
            if not _take_out(additions, error.problems):
                raise
        else:
            return texts
    raise CatalogueError([Problem(additions.source, 1, 1, "", "has too many faults to import it")])


def _take_out(additions: Additions, problems: Sequence[Problem]) -> bool:
    """Take out what problems are about; return False if something else is."""
    gone: set[int] = set()
    done = True
    # The last first: what is before it in a list keeps its number.
    for problem in reversed(problems):
        found = _ENTRY.fullmatch(problem.path)
        if found and problem.file == additions.file and int(found[1]) < len(additions.candidates):
            number = int(found[1])
            candidate = additions.candidates[number]
            is_whole = not found[2] or not _remove(candidate.fields, found[2], _REQUIRED)
            if is_whole:
                gone.add(number)
            message = f"{found[2]}: {problem.message}" if found[2] else problem.message
            additions.remarks.append(Remark(candidate.item.place, message, left_out=is_whole))
        elif _remove_from_sections(additions, problem.path):
            message = f"{problem.path}: {problem.message}"
            additions.remarks.append(Remark(additions.source, message))
        else:
            done = False
    additions.candidates[:] = [
        candidate for number, candidate in enumerate(additions.candidates) if number not in gone
    ]
    return done


def _remove_from_sections(additions: Additions, path: str) -> bool:
    if found := _PAIRS.fullmatch(path):
        section, _, name = found[1].partition(".")
        pairs: dict[str, Any] = additions.sections.get(section, {})
        pairs = pairs.get(name, {}) if name else pairs
        # In `topics.x.scheme`, the key is before a dot.
        for key in (found[2], found[2].partition(".")[0]):
            if key in pairs:
                del pairs[key]
                return True
        return False
    # The three keys that `site` must have are valid.
    return "." in path and _remove(additions.sections, path, frozenset())


def _remove(fields: dict[str, Any], path: str, required: frozenset[str]) -> bool:
    """Remove what is at a key path, or what contains it; return False if it is required, or absent.

    A list or a mapping in which nothing is left is removed, too.
    """
    names = [name or int(number) for name, number in _PART.findall(path)]
    if not names or names[0] in required:
        return False
    places: list[tuple[Any, Any]] = [(fields, names[0])]
    for name in names[1:]:
        following = _at(*places[-1])
        if not isinstance(following, dict | list):
            break
        places.append((following, name))
    if _at(*places[-1]) is None:
        return fields.pop(str(names[0]), None) is not None
    for container, name in reversed(places):
        del container[name]
        if container:
            break
    return True


def _at(container: Mapping[str, Any] | Sequence[Any], name: str | int) -> Any:  # noqa: ANN401  # as in YAML
    if isinstance(container, Mapping):
        return container.get(str(name))
    return container[name] if isinstance(name, int) and name < len(container) else None
