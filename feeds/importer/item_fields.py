"""The fields of records, as data files and front matter have them → items."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urljoin

from feeds.catalogue.known_keys import DOCUMENT, PERSON, PHOTO, without_separators
from feeds.errors import FeedsError
from feeds.importer.documents import Document, merged
from feeds.importer.field_names import (
    Chosen,
    Found,
    beside_text,
    check_paths,
    choose,
    date_in_parts,
    date_of,
    has_publication_date,
    picked,
    text_of,
    withheld,
)
from feeds.importer.item_texts import distinct
from feeds.importer.items import Item, Label, Remark
from feeds.importer.markdown_texts import (
    as_markdown,
    body_of,
    is_text_of_its_own,
    shown,
    title_of,
)
from feeds.importer.nodes import Fields, Items, Node, Text
from feeds.media_types import FILE_TYPES, ending_of
from feeds.urls import to_uri, web_host

_SEPARATORS = re.compile("[,;]")
_SLUG = re.compile(r"[^\W_]+(?:[-_.][^\W_]+)*")
_RELATIVE_LINK = re.compile(
    r"\]\((?!https?:|mailto:|tel:|#)[^)\s]|\b(?:src|href)=[\"'](?!https?:|mailto:|tel:|#)"
)
# Seconds or milliseconds since 1970.
_TIMESTAMP = re.compile(r"(\d{10})(\d{3})?(?:\.\d+)?")
_DIRECTIVES = frozenset("aAwdbBmyYHIMSfzZjpcxXGuUVW%")
_YEAR_DIRECTIVES = frozenset("yYcxG")
_TIME_DIRECTIVES = frozenset("HIMScX")
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*:")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_YEAR = re.compile(r"\d{4}")
# A day and a month, with or without their names.
_DAY_OF_YEAR = re.compile(r"(?!\D*$)(?:\D*(?<!\d)\d{1,2}(?!\d)){1,2}\D*")
# Between addresses in one text.
_ADDRESSES = re.compile(r"[\s,;|]+(?=https?://)")
_PHOTO_KEYS = ("credit", "alt", "width", "height")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How fields are read.

    `paths` has the path of each field that the user names. `date_format` is one of
    strptime, or ''. Links are relative to `site_url`, if that is known. With
    `has_words` a text of topics is divided at spaces, as Jekyll does.
    """

    paths: Mapping[str, str]
    date_format: str = ""
    site_url: str = ""
    has_words: bool = False


class Record(NamedTuple):
    """An item before its fields are read.

    What its place says, such as the name of its file, is used where the fields do not say
    it: `slug`, `title`, `date` and `text`. `name` is its key in a mapping, which is a slug
    or a title. `fault` is why it is left out. `is_markdown` is whether its text is Markdown,
    whatever HTML it has.
    """

    place: str
    fields: Mapping[str, Node]
    name: str = ""
    slug: str = ""
    title: str = ""
    date: str = ""
    text: str = ""
    fault: str = ""
    is_markdown: bool = False


def read_records(records: Sequence[Record], options: Options) -> tuple[list[Item], list[Remark]]:
    """Return the items of records, and a remark on each other one and on what is not imported.

    Raises FeedsError if the user names a field that no item has.
    """
    _check_date_format(options.date_format)
    check_paths((record.fields for record in records), options.paths)
    chosen = [choose(record.fields, options.paths) for record in records]
    names_are_titles = _names_are_titles(records, chosen)
    items: list[Item] = []
    remarks: list[Remark] = []
    unused: Counter[str] = Counter()
    places: dict[str, str] = {}
    are_dated = any(has_publication_date(record.fields) for record in records)
    for record, values in zip(records, chosen, strict=True):
        reason = withheld(record.fields, are_dated=are_dated)
        fault = record.fault or (f"is not published: {reason}" if reason else "")
        if fault:
            remarks.append(Remark(record.place, fault, left_out=True))
            continue
        named = _named(record, is_title=names_are_titles)
        reader = _Reader(named, values, options)
        items.append(reader.item())
        for key in dict.fromkeys(reader.unused):
            unused[key] += 1
            places.setdefault(key, record.place)
    remarks += [
        Remark(places[key], f"the key {key!r} is not imported (in {_number(count)})")
        for key, count in unused.items()
    ]
    return items, [*remarks, *_link_remarks(items, options)]


def _named(record: Record, *, is_title: bool) -> Record:
    if is_title:
        return record._replace(title=record.title or record.name)
    return record._replace(slug=record.slug or record.name)


def _names_are_titles(records: Sequence[Record], chosen: Sequence[Chosen]) -> bool:
    """Check whether the keys of items are their titles: they have no other, and some are no slugs."""
    pairs = [
        (record, values) for record, values in zip(records, chosen, strict=True) if record.name
    ]
    return not any(values.text("title") for _, values in pairs) and any(
        not _SLUG.fullmatch(record.name) or not (values.text("body") or values.text("summary"))
        for record, values in pairs
    )


def _link_remarks(items: Sequence[Item], options: Options) -> list[Remark]:
    found = [item for item in items if _RELATIVE_LINK.search(item.body)]
    if not found:
        return []
    base = options.site_url or "the address of the new site"
    message = f"has relative links or pictures, which lead below {base} (in {_number(len(found))})"
    return [Remark(found[0].place, message)]


def _number(count: int) -> str:
    return f"{count} item{'s' * (count != 1)}"


def _check_date_format(date_format: str) -> None:
    used = {found[1] for found in re.findall("%.?", f"{date_format} ") if found != "%%"}
    if unknown := sorted(used - _DIRECTIVES):
        raise FeedsError(f"--date-format {date_format}: '%{unknown[0].strip()}' is not known")
    if date_format and not used & _YEAR_DIRECTIVES:
        raise FeedsError(f"--date-format {date_format}: has no year, such as %Y")


class _Reader:
    """Reads the fields of one record; collects the keys and the values that are not imported."""

    def __init__(self, record: Record, chosen: Chosen, options: Options) -> None:
        self.unused = [*chosen.unused]
        self._record = record
        self._chosen = chosen
        self._options = options
        self._remarks: list[str] = []

    def item(self) -> Item:
        title, summary, body, only_link = self._texts()
        slug, page = self._page()
        guid = self._text("guid")
        authors = distinct(self._authors())
        return Item(
            place=self._record.place,
            slug=slug,
            title=title,
            date=self._whole_date(),
            updated=self._date("updated"),
            summary=summary,
            body=body,
            link=self._link(only_link),
            page=page,
            labels=self._labels(),
            countries=tuple(label.name for label in self._label_list("countries")),
            photo=self._photo(),
            authors=authors,
            guid={"id": guid} if guid else {},
            documents=merged(self._documents()),
            language=self._text("language"),
            license=self._text("license"),
            remarks=tuple(self._remarks),
        )

    def _text(self, field: str, joiner: str = " ") -> str:
        found = self._chosen.first(field)
        if found is None:
            return ""
        beside, text = beside_text(found), text_of(found.node, joiner)
        self.unused += beside if text or beside else [found.key]
        return text

    def _texts(self) -> tuple[str, str, str, str]:
        """Return the title, the summary, the body, and the link that the title is."""
        written = self._text("title") or self._record.title
        text = self._record.text or self._text("body", "\n\n")
        if self._record.text and (other := self._chosen.first("body")):
            self.unused.append(other.key)
        summary = self._text("summary", "\n\n")
        if not text and summary and (not written or is_text_of_its_own(summary)):
            text, summary = summary, ""
        title = shown(written)
        if not title.text:
            title = shown(text)._replace(text=title_of(text))
            whole = shown(text)
            if title.text == whole.text and (whole.address or not whole.has_markup):
                text = ""
        elif title.has_link and not title.address:
            text = text or written
        return title.text, shown(summary).text, self._body(text), title.address

    def _body(self, text: str) -> str:
        if self._record.is_markdown and text == self._record.text:
            return as_markdown(text)
        body = body_of(text, self._options.site_url)
        if body.fault:
            self._remarks.append(f"the text is not imported: it {body.fault}")
        return body.text

    def _whole_date(self) -> str:
        """Return the date, to which the year around the item belongs if it has none."""
        around = self._record.date
        date = self._date("date") or self._date_in_parts()
        if _YEAR.fullmatch(around) and _DAY_OF_YEAR.fullmatch(date):
            return f"{date}{around}" if date.endswith((".", "/", "-")) else f"{date} {around}"
        return date or around

    def _date(self, field: str) -> str:
        found = self._chosen.first(field)
        if found is None:
            return ""
        text, unused = date_of(found)
        self.unused += unused
        return _iso_date(shown(text).text if "<" in text else text, self._options.date_format)

    def _date_in_parts(self) -> str:
        return date_in_parts(*(self._text(part) for part in ("year", "month", "day")))

    def _link(self, only_link: str) -> str:
        written = self._text("link") or only_link
        address = self._absolute(written)
        if written and not address:
            self._remarks.append(f"the link {written!r} is not imported: {self._fault_of(written)}")
        return address

    def _page(self) -> tuple[str, str]:
        """Return what the id is made of, and the address of the earlier page if it is known."""
        written = self._text("page")
        names = [*filter(None, (self._text("id"), self._record.slug, written))]
        # A number says less than a name, and so does a UUID.
        slug = next((name for name in names if not _is_code(name)), "".join(names[:1]))
        return slug, self._absolute(written)

    def _fault_of(self, link: str) -> str:
        """Return why a link has no absolute address."""
        is_below = not self._options.site_url and _is_path(link)
        remedy = "; name its site with --url" if is_below else ""
        return f"it is not an absolute web address{remedy}"

    def _absolute(self, link: str) -> str:
        """Return an absolute address, or ''."""
        base = self._options.site_url
        try:
            if base and _is_path(link):
                link = urljoin(base, link if link.startswith("//") else link.lstrip("/"))
            address = to_uri(link)
        except ValueError:
            return ""
        return address if web_host(address) else ""

    def _photo(self) -> Mapping[str, str]:
        found = self._first_picture()
        values: dict[str, Node] = {"url": found.node} if found else {}
        if found and isinstance(found.node, Fields):
            values, unused = picked(found, PHOTO)
            self.unused += unused
        photo = {key: shown(text_of(values[key])).text for key in _PHOTO_KEYS if key in values}
        written = text_of(values["url"]) if "url" in values else ""
        photo["url"] = self._absolute(written)
        if written and not photo["url"]:
            message = f"the picture {written!r} is not imported: {self._fault_of(written)}"
            self._remarks.append(message)
        for key in ("credit", "alt"):
            photo.setdefault(key, shown(self._text(key)).text)
        if not (photo["url"] or photo["credit"]):
            return {}
        return {key: photo[key] for key in ("url", *_PHOTO_KEYS) if photo.get(key)}

    def _authors(self) -> Iterator[Mapping[str, str]]:
        for key, node in self._each("author"):
            values, unused = picked(Found(key, node), PERSON)
            self.unused += unused
            person = {name: shown(text_of(value)).text for name, value in values.items()}
            if not web_host(person.get("uri", "")):
                person.pop("uri", None)
            if isinstance(node, Fields):
                if not person.get("name"):
                    self._remarks.append("the author is not imported: it has no name")
                yield {name: text for name, text in person.items() if text}
                continue
            # A comma may also be between the two names of one person.
            for name in map(str.strip, shown(text_of(node)).text.split(";")):
                if name.isdecimal():
                    self._remarks.append(f"the author {name!r} is not imported: it is a number")
                else:
                    yield {"name": name}

    def _documents(self) -> Iterator[Document]:
        for key, node in self._each("documents"):
            values, unused = picked(Found(key, node), DOCUMENT)
            self.unused += unused
            document = {name: shown(text_of(value)).text for name, value in values.items()}
            written = text_of(values["url"]) if "url" in values else ""
            is_text = not isinstance(node, Fields)
            for part in _ADDRESSES.split(text_of(node)) if is_text else [written]:
                # By itself, a text may be anything else: a page with a video, its number.
                if is_text and ending_of(part) not in FILE_TYPES:
                    self.unused.append(key)
                elif not part:
                    self._remarks.append("a document is not imported: it has no address")
                elif address := self._absolute(part):
                    yield document | {"url": address}
                else:
                    message = f"the document {part!r} is not imported: {self._fault_of(part)}"
                    self._remarks.append(message)

    def _each(self, field: str) -> Iterator[tuple[str, Node]]:
        """Yield the values of a field, and those in lists, each with its key."""
        for key, node in self._chosen.values.get(field, ()):
            yield from ((key, one) for one in (node.values if isinstance(node, Items) else (node,)))

    def _first_picture(self) -> Found | None:
        found = self._chosen.first("photo")
        if found is None or not isinstance(found.node, Items):
            return found
        first, *others = found.node.values
        if others:
            names = ", ".join(filter(None, map(text_of, others)))
            named = f"; not imported: {names}" if names else ""
            self._remarks.append(f"has {len(others) + 1} pictures{named}")
        return Found(found.key, first)

    def _labels(self) -> tuple[Label, ...]:
        return self._label_list("topics")

    def _label_list(self, field: str) -> tuple[Label, ...]:
        found: dict[str, Label] = {}
        for value in self._chosen.values.get(field, []):
            labels = _labels_of(value.node, has_words=self._options.has_words)
            if not any(label.name for label in labels):
                self.unused.append(value.key)
            for label in labels:
                found.setdefault(label.name.casefold(), label)
        found.pop("", None)
        numbers = [name for name in found if name.isdecimal() and not _YEAR.fullmatch(name)]
        for name in numbers:
            self._remarks.append(f"{field}: {name!r} is a number, and not a name")
        return tuple(label for name, label in found.items() if name not in numbers)


def _is_path(link: str) -> bool:
    """Check for a path, which is below a site. A name or `../` may be in any folder."""
    return "/" in link and not link.startswith(("www.", "../")) and not _SCHEME.match(link)


def _is_code(name: str) -> bool:
    return name.isdecimal() or bool(_UUID.fullmatch(name))


def _labels_of(node: Node, *, has_words: bool) -> list[Label]:
    """Return the labels of a text that lists them, of a list, or of a mapping that is one."""
    if isinstance(node, Text):
        is_words = has_words and not _SEPARATORS.search(node.value)
        parts = node.value.split() if is_words else _SEPARATORS.split(node.value)
        return [_label(part) for part in parts]
    nodes = node.values if isinstance(node, Items) else (node,)
    return [_label(text_of(value), value) for value in nodes]


def _label(text: str, node: Node | None = None) -> Label:
    if not isinstance(node, Fields):
        return Label(shown(text).text)
    inner = {without_separators(key): text_of(value) for key, value in node.values.items()}
    names = (inner.get(key, "") for key in ("name", "title", "label", "slug", "id"))
    return Label(shown(next(filter(None, names), "")).text, inner.get("slug", ""))


def _iso_date(text: str, date_format: str) -> str:
    """Return a date in ISO 8601 if it has the format or is a timestamp, else as it is written."""
    if date_format:
        try:
            moment = datetime.strptime(text, date_format)  # noqa: DTZ007  # the zone is the site's
        except ValueError:
            return text
        used = {found[1] for found in re.findall("%.", date_format)}
        return moment.isoformat() if used & _TIME_DIRECTIVES else moment.date().isoformat()
    if found := _TIMESTAMP.fullmatch(text):
        return datetime.fromtimestamp(int(found[1]), UTC).isoformat()
    return text
