"""What is added to a catalogue: a first entry, a new one, its id, and the file that it belongs to."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count
from operator import attrgetter
from typing import TypeVar, Unpack
from urllib.parse import unquote

from feeds.catalogue import ReadOptions, read_catalogue
from feeds.catalogue.reader import PLACEHOLDER, InvalidValue
from feeds.catalogue.sections import Sections, id_of
from feeds.catalogue.source import Source, describe, forbidden_character
from feeds.catalogue.text_fields import slug_of, slug_or_blank
from feeds.catalogue.yaml_text import catalogue_text
from feeds.model import Catalogue
from feeds.urls import ENTRIES

T = TypeVar("T")
Texts = Sequence[tuple[str, bytes]]

UNWRITTEN_SUMMARY = f"{PLACEHOLDER} what happened, in one sentence"
_FIRST_ENTRY = {
    "id": "our-first-news",
    "title": "Our first news",
    "date": "",
    "summary": "What happened, in one sentence.",
}


def smallest_catalogue(site: Mapping[str, str], date: str) -> str:
    """Return a catalogue with a first entry, dated `date`."""
    return catalogue_text({"site": site}, [{**_FIRST_ENTRY, "date": date}])


def read_unfilled(texts: Texts, **options: Unpack[ReadOptions]) -> Catalogue:
    """Read a catalogue in which texts may still be placeholders; raises CatalogueError."""
    # Any other text of the same length keeps the place of each Problem.
    other = PLACEHOLDER.lower().encode()
    read = [(name, data.replace(PLACEHOLDER.encode(), other)) for name, data in texts]
    return read_catalogue(read, **options)


def checked_text(text: str, convert: Callable[[str], T]) -> T:
    """Return a text as a field's function converts it; raises InvalidValue and ValueWarning."""
    if bad := forbidden_character.search(text):
        raise InvalidValue(f"{describe(bad[0])} cannot be published")
    if not text.strip():
        raise InvalidValue("is empty")
    return convert(text)


def free_id(title: str, date: str, taken: Collection[str]) -> str:
    """Return an id made of a title, or else of a date, with a number if it is taken."""
    base = slug_of(title) or slug_of(date)
    return next(name for name in numbered(base) if name.casefold() not in taken)


def numbered(base: str) -> Iterator[str]:
    """Yield an id, then the same with the numbers 2, 3 and so on."""
    yield base
    for number in count(2):
        yield _numbered(base, number)


def _numbered(base: str, number: int) -> str:
    """Return an id with a number, shortened if it would be too long."""
    while not slug_or_blank(name := f"{base}-{number}"):
        base = base[:-1]
    return name


def taken_ids(catalogue: Catalogue, published: Iterable[str]) -> set[str]:
    """Return the ids of all entries: those there are, those given up, and those at published addresses."""
    site = catalogue.site
    before = (path for path in published if path.startswith(site.url))
    paths = [*site.moved, *site.retired, *(unquote(path.removeprefix(site.url)) for path in before)]
    old = (path.split("/")[1] for path in paths if path.startswith(ENTRIES))
    return {name.casefold() for name in (*old, *(entry.id for entry in catalogue.entries))}


def file_for_entries(texts: Texts, catalogue: Catalogue) -> str:
    """Return the file that new entries belong to: the one with the newest entry."""
    if len(texts) == 1:
        return texts[0][0]
    newest = max(catalogue.entries, key=attrgetter("published"), default=None)
    with_section = []
    for name, data in texts:
        sections = Sections([])
        sections.add(Source(name, data), whole=True)
        if newest and newest.id in {id_of(item.node) for item in sections.items if item.node}:
            return name
        if sections.nodes["entries"]:
            with_section.append(name)
    return with_section[0]
