"""A data file as the source of an import: YAML, JSON or CSV, in any of the usual shapes.

The items may be a list, in a list within mappings, in a mapping by slug, title or date, or
in lists by year and month.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple
from urllib.parse import urlsplit

from feeds.catalogue.dates import MONTHS
from feeds.catalogue.known_keys import without_separators
from feeds.errors import FeedsError
from feeds.importer.csv_nodes import read_csv
from feeds.importer.field_names import (
    at_path,
    is_known,
    is_status,
    keys_in,
    opened,
    text_of,
    word_of,
)
from feeds.importer.item_fields import Options, Record, read_records
from feeds.importer.items import MAX_ITEMS, Item, Remark, Source
from feeds.importer.json_nodes import read_json
from feeds.importer.nodes import Fields, Items, Node, Text, decoded, is_blank
from feeds.importer.site_config import SiteConfig, config_near
from feeds.importer.yaml_nodes import read_yaml

_READERS: Mapping[str, Callable[[str, str], Node]] = {
    ".yaml": read_yaml,
    ".yml": read_yaml,
    ".json": read_json,
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt"), read_csv),
}
# Of the keys in a message.
_MAX_LISTED = 30
# How lists of news are called.
_LIST_NAMES = frozenset(
    "items news posts articles entries events stories announcements updates newsitems".split()
)
# What a mapping around a list may have beside it.
_HEADINGS = frozenset("year month date title name label heading section".split())

_YEAR = r"(?:1[89]|2[01])\d\d"
_MONTH = rf"(?:{'|'.join(f'{name}|{name[:3]}' for name in MONTHS)}|Sept)\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?\.?"
_DATE = re.compile(
    rf"{_YEAR}(?:([-/.])\d{{1,2}}(?:\1\d{{1,2}})?(?:[T ].+)?)?"
    rf"|\d{{1,2}}([-/. ])(?:\d{{1,2}}\2)?{_YEAR}"
    rf"|(?:{_DAY} ?)?{_MONTH},? {_YEAR}|{_MONTH} {_DAY},? {_YEAR}",
    re.IGNORECASE,
)
_MONTH_OF_YEAR = re.compile(rf"{_MONTH}|0?[1-9]|1[0-2]", re.IGNORECASE)


def read_data(  # noqa: PLR0913  # each is an option of the command
    name: str,
    data: bytes,
    paths: Mapping[str, str],
    *,
    encoding: str = "utf-8",
    date_format: str = "",
    url: str = "",
    folder: Path | None = None,
) -> Source:
    """Return the items of a data file.

    `paths` has the path of the list, `items`, and of fields in its items, such as `title`,
    as far as the user gives them. `date_format` is one of strptime. `folder` is where the
    file is: the configuration of its site is read there; `url` is the address of a site
    without one. Raises FeedsError.
    """
    read = _reader(name, data)
    root = read(name, decoded(name, data, encoding))
    config = config_near(folder) if folder else SiteConfig()
    site = config.site
    fields = {field: place for field, place in paths.items() if field != "items"}
    finder = _ItemFinder(name, fields.values())
    records = [*finder.records(finder.items_of(root, paths.get("items", "")))]
    if len(records) > MAX_ITEMS:
        raise FeedsError(f"{name} has more than {MAX_ITEMS:,} items; divide it")
    options = Options(
        paths=fields,
        date_format=date_format,
        site_url=str(site.get("url", "")) or url,
    )
    items, remarks = read_records(records, options)
    remarks += _unnamed_fields(name, records, items)
    return Source(
        name=name,
        items=tuple(items),
        site=site,
        remarks=(*config.remarks, *finder.remarks, *remarks),
        date_remedy=""
        if date_format
        else "the format of dates with --date-format, such as %d/%m/%Y",
    )


def _unnamed_fields(
    name: str, records: Iterable[Record], items: Sequence[Item]
) -> Iterator[Remark]:
    """Yield a remark on what all items need, and none has under a usual name."""
    keys = dict.fromkeys(key for record in records for key in keys_in(record.fields))
    for field in ("title", "date"):
        if items and keys and not any(getattr(item, field) for item in items):
            message = f"no item has a {field}; name its key with --{field}, one of {_listed(keys)}"
            yield Remark(name, message)


def _listed(keys: Iterable[str]) -> str:
    first = [*keys][: _MAX_LISTED + 1]
    return ", ".join(first if len(first) <= _MAX_LISTED else [*first[:-1], "…"])


def _reader(name: str, data: bytes) -> Callable[[str, str], Node]:
    """Return what reads a file, by the end of its name; JSON from an address may have none."""
    path = urlsplit(name).path if "://" in name else name
    reader = _READERS.get(PurePath(path).suffix.lower())
    if reader is None and data.lstrip()[:1] in {b"[", b"{"}:
        return read_json
    if reader is None:
        endings = ", ".join(_READERS)
        raise FeedsError(
            f"{name} is neither a feed nor a data file that can be read, whose name ends in one of"
            f" {endings}; convert its items to YAML, JSON or CSV"
        )
    return reader


class _ItemFinder:
    """Finds the items in a file; `remarks` are on what is beside and around them.

    `paths` are those of fields that the user gives.
    """

    def __init__(self, name: str, paths: Iterable[str]) -> None:
        self.remarks: list[Remark] = []
        self._name = name
        self._keys = {key for path in paths for key in (path, path.partition(".")[0])}

    def items_of(self, root: Node, path: str) -> Items | Fields:
        """Return the list or the mapping of the items; raises FeedsError if it is not certain."""
        if not path:
            return self._descend(root)
        fields = root.values if isinstance(root, Fields) else {}
        found = at_path(fields, path)
        if not isinstance(found, Items | Fields):
            there = f"; there are {', '.join(keys_in(fields))}" if fields else ""
            raise FeedsError(f"--items {path}: {self._name} has no such list{there}")
        return found

    def records(self, node: Items | Fields, date: str = "") -> Iterator[Record]:
        """Yield the items of a list or a mapping; `date` is the year or the date around them."""
        if isinstance(node, Items):
            for value in node.values:
                yield from self._listed(value, date)
            return
        for key, value in node.values.items():
            if isinstance(value, Text) and not _is_date(key, date):
                self._report_beside(key, value)
            else:
                yield from self._named(key, value, date)

    def _descend(self, node: Node) -> Items | Fields:
        if isinstance(node, Items):
            return node
        if is_blank(node):
            return Items(node.line, ())
        if isinstance(node, Text):
            raise FeedsError(f"{self._place(node)}: is a text; a list of items is needed")
        nested = {key: value for key, value in node.values.items() if not isinstance(value, Text)}
        usual = [key for key in nested if without_separators(key) in _LIST_NAMES]
        is_by_date = all(_DATE.fullmatch(key) for key in node.values)
        if not usual and (is_by_date or _are_items(nested.values())):
            return node
        lists = [key for key in nested if _has_items(nested[key])]
        around = [key for key in nested if _is_around_items(nested[key])]
        candidates = usual or lists or around or [*nested]
        if len(candidates) == 1:
            for key, value in node.values.items():
                if key != candidates[0]:
                    self._report_beside(key, value)
            return self._descend(nested[candidates[0]])
        if candidates:
            names = ", ".join(candidates)
            raise FeedsError(f"{self._name} has several lists; choose one with --items: {names}")
        keys = ", ".join(keys_in(node.values))
        raise FeedsError(f"{self._name} has no list of items; its keys are {keys}")

    def _listed(self, node: Node, date: str) -> Iterator[Record]:
        """Yield the item that is in a list, or the items in a group there."""
        if isinstance(node, Text):
            if not is_blank(node):
                yield Record(self._place(node), {}, text=node.value, date=date)
        elif isinstance(node, Items):
            yield Record(self._place(node), {}, fault="is a list, and not an item")
        elif (found := opened(node)) is not node:
            yield Record(self._place(node), found.values, date=date, fault=node.fault)
        elif group := _Group.of(node, date):
            for heading in group.headings:
                self._remark(node, f"the heading {heading!r} is not imported")
            yield from self.records(group.items, group.date)
        elif len(node.values) == 1 and not any(
            self._is_field(*pair) for pair in node.values.items()
        ):
            for key, value in node.values.items():
                yield from self._named(key, value, date)
        else:
            yield Record(self._place(node), node.values, date=date, fault=node.fault)

    def _named(self, key: str, node: Node, date: str) -> Iterator[Record]:
        """Yield the item of a key, or the items of a year or a month."""
        is_date = _is_date(key, date)
        day = _joined(key, date) if is_date else date
        if isinstance(node, Text):
            title = "" if is_date else key
            yield Record(self._place(node), {}, title=title, text=node.value, date=day)
        elif isinstance(node, Items) or (is_date and not _are_items([node])):
            yield from self.records(node, day)
        else:
            name = "" if is_date else key
            fields = opened(node).values
            yield Record(self._place(node), fields, name=name, date=day, fault=node.fault)

    def _is_field(self, key: str, node: Node) -> bool:
        return key in self._keys or is_known(key) or is_status(word_of(key), node)

    def _report_beside(self, key: str, node: Node) -> None:
        if not is_blank(node):
            self._remark(node, f"the key {key!r} beside the items is not imported")

    def _remark(self, node: Node, message: str) -> None:
        self.remarks.append(Remark(self._place(node), message))

    def _place(self, node: Node) -> str:
        return f"{self._name}:{node.line}"


class _Group(NamedTuple):
    """A mapping around a list, such as `{year: 2022, items: […]}`: its date and its headings."""

    items: Items
    date: str
    headings: list[str]

    @classmethod
    def of(cls, node: Fields, date: str) -> "_Group | None":
        """Return the group that a mapping is, or None; `date` is the year around it."""
        words = {without_separators(key): value for key, value in node.values.items()}
        lists = {word: value for word, value in words.items() if word in _LIST_NAMES}
        beside = {word: text_of(value) for word, value in words.items() if word not in lists}
        items = next(iter(lists.values()), None)
        is_item = not beside.keys() <= _HEADINGS or {"date", "title"} <= beside.keys()
        if is_item or len(lists) != 1 or not isinstance(items, Items) or not _has_items(items):
            return None
        headings = []
        # The year before the month.
        for text in sorted(beside.values(), key=lambda text: not _DATE.fullmatch(text)):
            if _is_date(text, date):
                date = _joined(text, date)
            elif text:
                headings.append(text)
        return cls(items, date, headings)


def _has_items(node: Node) -> bool:
    """Check whether a node is a list with a mapping in it."""
    return isinstance(node, Items) and any(isinstance(value, Fields) for value in node.values)


def _is_around_items(node: Node) -> bool:
    """Check whether a mapping has a list of items, under a usual name for one."""
    return isinstance(node, Fields) and any(
        (word_of(key) in _LIST_NAMES and _has_items(value)) or _is_around_items(value)
        for key, value in node.values.items()
    )


def _are_items(nodes: Iterable[Node]) -> bool:
    """Check whether all nodes are mappings, and most of them have usual names of fields."""
    found = [node for node in nodes if not is_blank(node)]
    mappings = [node for node in found if isinstance(node, Fields)]
    known = [node for node in mappings if any(map(is_known, node.values))]
    items = [node for node in known if not _is_around_items(node)]
    return len(mappings) == len(found) < 2 * len(items)


def _is_date(key: str, date: str) -> bool:
    """Check whether a key is a date, a year, or a month of the year around it."""
    return bool(_DATE.fullmatch(key) or (date and _MONTH_OF_YEAR.fullmatch(key)))


def _joined(part: str, date: str) -> str:
    """Return a date, or a month with the year around it."""
    if not date or _DATE.fullmatch(part):
        return part
    return f"{date}-{part:0>2}" if part.isdecimal() else f"{part} {date}"
