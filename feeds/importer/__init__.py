"""Make a catalogue of what another publisher has: a feed, a WordPress export, a data file, Markdown.

A source is read as items, which are converted to entries. What the catalogue's own reader
refuses is left out, and reported with its place in the source, so that the result is valid.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from feeds.catalogue import ReadOptions, load_catalogue, read_catalogue
from feeds.catalogue.additions import Texts, file_for_entries
from feeds.catalogue.yaml_text import catalogue_text, with_entries, with_pairs
from feeds.errors import FeedsError
from feeds.importer.conversion import Candidate, Converted, convert
from feeds.importer.items import Remark, Source
from feeds.importer.site_section import site_section, taken_over
from feeds.importer.sources import DataOptions, read_source
from feeds.importer.validity import Additions, make_valid
from feeds.storage import create_file, media_folder, read_files, rewrite_file
from feeds.urls import ENTRIES, entry_folder

__all__ = ["DataOptions", "Report", "import_into", "import_new", "read_source"]

_TOPICS = re.compile("^topics:", re.MULTILINE)
_SITE = re.compile("^site:", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an import did.

    `written` has the entries made of items, and `known` is the number of items that the
    catalogue had already. `missing` are older items that it does not have. `remarks` are
    on all that is left out.
    """

    written: Sequence[Candidate]
    known: int
    missing: Sequence[Candidate]
    remarks: Sequence[Remark]


def import_new(source: Source, path: Path, *, url: str | None, now: datetime) -> Report:
    """Write a new catalogue at a path, with all items of a source, if any can be imported.

    `url` is the address that the site gets, if it is not that of the source. Raises
    FeedsError if there is something at the path.
    """
    remarks = [*source.remarks]
    section = site_section(source, url, now.year, remarks)
    additions = Additions(
        file=str(path), source=source.name, sections={"site": section}, remarks=remarks
    )

    def texts() -> Texts:
        _forget_pages(section, additions.candidates)
        entries = [candidate.fields for candidate in additions.candidates]
        return [(additions.file, catalogue_text(additions.sections, entries).encode())]

    options: ReadOptions = {"media": media_folder(path)}
    found = read_catalogue(make_valid(additions, texts, options), **options)
    converted = convert(source.items, replace(found, topics=()), now=now)
    taken = taken_over(source, section, remarks)
    section.update(taken)
    if moved := taken.get("moved", {}) | converted.moved:
        section["moved"] = moved
    additions.sections.update(topics=converted.topics, countries={**converted.countries})
    additions.candidates.extend(converted.new)
    remarks += [*converted.remarks, *_date_remarks(source, converted, section)]
    [(_, data)] = make_valid(additions, texts, options)
    if additions.candidates:
        create_file(path, data)
    return Report(written=additions.candidates, known=0, missing=(), remarks=remarks)


def import_into(
    source: Source, path: Path, *, url: str | None, every: bool, now: datetime
) -> Report:
    """Insert items into the catalogue at a path that are newer than all that it has of a source.

    With `every`, all items are inserted that it does not have. Nothing else in its
    files is changed, but for topics and moved pages that are added. Raises FeedsError if
    the catalogue is not valid, or has nothing of the source, unless `every`.
    """
    catalogue = load_catalogue(path, url=url)
    converted = convert(source.items, catalogue, now=now)
    inserted, missing = converted.new, converted.missing
    if every:
        inserted, missing = [*inserted, *missing], []
    elif inserted and not converted.known:
        raise FeedsError(
            f"{path} has none of the items of {source.name}; nothing is written."
            " With --all, they are all inserted"
        )
    before = read_files(path)
    additions = Additions(
        file=file_for_entries(before, catalogue),
        source=source.name,
        sections={
            "topics": _needed(converted.topics, inserted),
            "site": {"moved": converted.moved},
        },
        candidates=[*inserted],
        remarks=[
            *source.remarks,
            *converted.remarks,
            *_date_remarks(source, converted, {"language": catalogue.site.language}),
        ],
    )

    def texts() -> Texts:
        _forget_pages(additions.sections["site"], additions.candidates)
        return [(name, _with(additions, name, data)) for name, data in before]

    after = make_valid(additions, texts, {"url": url, "media": media_folder(path)})
    if additions.candidates:
        # The entries last: they may need the topics.
        changes = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        for (name, expected), (_, data) in sorted(
            changes, key=lambda pair: pair[0][0] == additions.file
        ):
            rewrite_file(Path(name), data, expected=expected)
    return Report(
        written=additions.candidates,
        known=len(converted.known),
        missing=missing,
        remarks=additions.remarks,
    )


def _date_remarks(
    source: Source, converted: Converted, site: Mapping[str, object]
) -> Iterator[Remark]:
    """Yield what can be done about dates that are not read."""
    has_words = any(map(str.isalpha, "".join(item.date for item in converted.unread)))
    is_unnamed = has_words and not site.get("language")
    language = "the language of dates with --language, such as fr" if is_unnamed else ""
    remedies = [*filter(None, (source.date_remedy, language))]
    if converted.unread and remedies:
        count = len(converted.unread)
        dates = f"{count} date{'s are' if count > 1 else ' is'} not read"
        yield Remark(source.name, f"{dates}; name {', or '.join(remedies)}")


def _with(additions: Additions, name: str, data: bytes) -> bytes:
    """Return a file's bytes with what is added to it."""
    text = data.decode()
    if name == additions.file:
        entries = [candidate.fields for candidate in additions.candidates]
        text = with_entries(text, entries, file=name)
    topics, moved = additions.sections["topics"], additions.sections["site"].get("moved")
    if topics and _TOPICS.search(text):
        text = with_pairs(text, "topics", topics, file=name)
    if moved and _SITE.search(text):
        text = with_pairs(text, "moved", moved, "site", file=name)
    return text.encode()


def _needed(topics: Mapping[str, object], candidates: Iterable[Candidate]) -> dict[str, Any]:
    """Return the new topics that entries have."""
    used = {slug for candidate in candidates for slug in _list(candidate.fields.get("topics"))}
    return {slug: topic for slug, topic in topics.items() if slug in used}


def _list(value: object) -> Sequence[str]:
    return value if isinstance(value, list) else []


def _forget_pages(site: dict[str, Any], candidates: Iterable[Candidate]) -> None:
    """Remove the moves of pages to entries that are not imported."""
    own = {entry_folder(str(candidate.fields["id"])) for candidate in candidates}
    pairs = site.get("moved", {})
    for old in [old for old, new in pairs.items() if new.startswith(ENTRIES) and new not in own]:
        del pairs[old]
    if not pairs:
        site.pop("moved", None)
