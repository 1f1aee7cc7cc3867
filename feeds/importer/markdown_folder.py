"""A folder of Markdown with front matter as the source of an import.

Hugo, Jekyll, Eleventy, Pelican and Nikola keep their pages so.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import NamedTuple

from feeds.errors import FeedsError
from feeds.importer.field_names import text_of
from feeds.importer.front_matter import Page, nikola_fields, read_page
from feeds.importer.item_fields import Options, Record, read_records
from feeds.importer.items import Item, Remark, Source
from feeds.importer.markdown_texts import shown
from feeds.importer.nodes import Node, SyntaxFault, decoded
from feeds.importer.site_config import JEKYLL, config_near

_MARKDOWN = frozenset((".md", ".markdown", ".mdown", ".mkd"))
_HTML = frozenset((".html", ".htm"))
_OTHERS = {
    ".adoc": "AsciiDoc",
    ".asciidoc": "AsciiDoc",
    ".ipynb": "a notebook",
    ".mdx": "MDX",
    ".org": "Org",
    ".qmd": "Quarto",
    ".rmarkdown": "R Markdown",
    ".rmd": "R Markdown",
    ".rst": "reStructuredText",
    ".textile": "Textile",
}
# Folders of what generators need, or have made.
_SKIPPED = frozenset(
    "_data _includes _layouts _plugins _sass _site archetypes assets cache layouts node_modules"
    " output public resources static templates themes vendor __pycache__".split()
)
_DRAFTS = "_drafts"
_MAX_FILES = 100_000
_MAX_TOTAL_BYTES = 500_000_000

_INDEX = "index"
_SECTION = "_index"
_DATED_NAME = re.compile(r"(\d{4}-\d{1,2}-\d{1,2})[-_](.+)")
_LANGUAGE = re.compile(r"(.+)\.([a-z]{2}(?:[-_][A-Za-z]{2,4})?)")
# Where an excerpt ends.
_MORE = re.compile(
    r"\n*^[ \t]*<!--\s*(?:more|excerpt|TEASER_END.*?)\s*-->[ \t]*(?:\n+|\Z)",
    re.IGNORECASE | re.MULTILINE,
)
_SHORTCODE = re.compile(r"\{\{.{1,500}?\}\}|\{%.{1,500}?%\}", re.DOTALL)
_MAX_SHOWN = 40
_HEADING = re.compile(r"\s*(?:# +(.+?)(?: +#+)?|(\S.*)\n=+)[ \t]*(?:\n+|\Z)")
# What generators replace in the address of a page.
_PLACEHOLDER = re.compile(r"/:\w|\{\{|\{%")
# Eleventy makes collections of tags; these have all posts. In Nikola, tags may be a status.
_COLLECTION_TAGS = frozenset(("post", "posts"))
_STATUS_TAGS = frozenset(("draft", "private"))


class _File(NamedTuple):
    """A file to read: its path, and its path below the folder."""

    path: Path
    relative: PurePath

    @property
    def name(self) -> str:
        """The name without the language of a translation."""
        found = _LANGUAGE.fullmatch(self.relative.stem)
        return found[1] if found else self.relative.stem

    @property
    def language(self) -> str:
        """The language in the name, or ''."""
        found = _LANGUAGE.fullmatch(self.relative.stem)
        return found[2] if found else ""


def read_markdown(folder: Path, url: str = "") -> Source:
    """Return the pages in a folder and in the folders below; raises FeedsError.

    A page without front matter is left out, as are drafts and translations. `url` is the
    address of the site, if no configuration has one.
    """
    config = config_near(folder)
    remarks = [*config.remarks]
    files = [*_files(folder, remarks)]
    if sum(file.path.stat().st_size for file in files) > _MAX_TOTAL_BYTES:
        raise FeedsError(f"{folder} has more than {_MAX_TOTAL_BYTES:,} bytes of text")
    originals = _originals(files, str(config.site.get("language", "")))
    records = []
    for file in files:
        place = str(file.path)
        original = originals[file.relative.parent, file.name]
        if original != file:
            message = f"is a translation of {original.relative.name}"
            remarks.append(Remark(place, message, left_out=True))
            continue
        try:
            records += _records(file, remarks)
        except SyntaxFault as error:
            remarks.append(Remark(error.place, error.fault, left_out=True))
        except FeedsError as error:
            remarks.append(Remark(place, str(error), left_out=True))
    options = Options(
        paths={},
        site_url=str(config.site.get("url", "")) or url,
        has_words=config.generator == JEKYLL,
    )
    items, more = read_records(records, options)
    kept = [*_without_status_tags(items, remarks)]
    return Source(name=str(folder), items=tuple(kept), site=config.site, remarks=(*remarks, *more))


def _files(folder: Path, remarks: list[Remark]) -> Iterator[_File]:
    """Yield the pages in a folder; links that lead out of it are not followed."""
    root = folder.resolve()
    count = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _SKIPPED and not name.startswith(".")
        )
        for name in sorted(names):
            path = Path(parent, name)
            ending = path.suffix.lower()
            fault = _fault_of(path, root) if ending in _MARKDOWN | _HTML | _OTHERS.keys() else None
            if fault:
                remarks.append(Remark(str(path), fault, left_out=True))
            elif fault is not None and path.stem != _SECTION and not name.startswith("."):
                count += 1
                if count > _MAX_FILES:
                    raise FeedsError(f"{folder} has more than {_MAX_FILES:,} pages")
                yield _File(path, PurePath(path.relative_to(folder)))


def _fault_of(path: Path, root: Path) -> str:
    """Return why a page is left out by its path, or ''."""
    other = _OTHERS.get(path.suffix.lower())
    if other:
        return f"is {other}; convert it to Markdown"
    if _DRAFTS in path.parts:
        return f"is not published: it is in {_DRAFTS}"
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        return "is a symbolic link out of the folder"
    if not path.is_file():
        return "is not a file"
    return ""


def _originals(files: Iterable[_File], language: str) -> Mapping[tuple[PurePath, str], _File]:
    """Return the file to import of those that are translations of each other.

    It is the one without a language in its name, or in the language of the site.
    """
    found: dict[tuple[PurePath, str], _File] = {}
    for file in files:
        first = found.setdefault((file.relative.parent, file.name), file)
        if first.language and file.language in {"", language}:
            found[file.relative.parent, file.name] = file
    return found


def _records(file: _File, remarks: list[Remark]) -> list[Record]:
    """Return the record of a page; none for HTML without front matter, such as a template."""
    place = str(file.path)
    page = _page(file)
    if page is None:
        is_page = file.path.suffix.lower() in _MARKDOWN
        return [Record(place, {}, fault="has no front matter")] if is_page else []
    fields = _with_address(page.fields, place, remarks)
    text = _MORE.sub("\n\n", page.text)
    remarks += _shortcode_remarks(place, page)
    heading = _HEADING.match(text)
    title = shown(heading[1] or heading[2]).text if heading else ""
    written = next((text_of(node) for key, node in fields.items() if key.lower() == "title"), "")
    if heading and title and (not written or shown(written).text == title):
        text = text[heading.end() :]
    name = file.relative.parent.name if file.name == _INDEX else file.name
    dated = _DATED_NAME.fullmatch(name)
    date, slug = dated.groups() if dated else ("", name)
    is_markdown = file.path.suffix.lower() in _MARKDOWN
    return [
        Record(place, fields, slug=slug, title=title, date=date, text=text, is_markdown=is_markdown)
    ]


def _page(file: _File) -> Page | None:
    """Return a page, whose fields may be in a file beside it, as in Nikola."""
    name = str(file.path)
    try:
        text = decoded(name, file.path.read_bytes())
        page = read_page(name, text)
        beside = file.path.with_suffix(".meta")
        if page is None and beside.is_file() and not beside.is_symlink():
            return Page(nikola_fields(decoded(str(beside), beside.read_bytes())), text)
    except OSError as error:
        raise FeedsError(f"cannot be read: {error.strerror}") from None
    return page


def _with_address(
    fields: Mapping[str, Node], place: str, remarks: list[Remark]
) -> Mapping[str, Node]:
    """Return fields in which the page's own address is the `permalink`, as `url` is in Hugo."""
    found = dict(fields)
    if "url" in found and "permalink" not in found:
        found["permalink"] = found.pop("url")
    address = text_of(found["permalink"]) if "permalink" in found else ""
    if _PLACEHOLDER.search(address):
        remarks.append(Remark(place, f"the address {address!r} is not imported"))
        del found["permalink"]
    return found


def _shortcode_remarks(place: str, page: Page) -> Iterator[Remark]:
    found = [*_SHORTCODE.finditer(page.text)]
    if found:
        line = page.line + page.text.count("\n", 0, found[0].start())
        sign = " ".join(found[0][0].split())
        sign = sign if len(sign) <= _MAX_SHOWN else f"{sign[:_MAX_SHOWN]}…"
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        yield Remark(f"{place}:{line}", f"{sign!r}{more} stays as text")


def _without_status_tags(items: Iterable[Item], remarks: list[Remark]) -> Iterator[Item]:
    for item in items:
        tags = {label.name.lower() for label in item.labels}
        if tag := min(tags & _STATUS_TAGS, default=""):
            remarks.append(Remark(item.place, f"is not published: tags: {tag}", left_out=True))
        elif tags & _COLLECTION_TAGS:
            labels = [label for label in item.labels if label.name.lower() not in _COLLECTION_TAGS]
            yield replace(item, labels=tuple(labels))
        else:
            yield item
