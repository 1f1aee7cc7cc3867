"""WordPress eXtended RSS, the XML of a WordPress export (WXR 1.0 to 1.2), as records."""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple
from xml.parsers import expat

from feeds.errors import FeedsError
from feeds.importer.items import Remark

# The statuses of what every visitor can read, now or at its date.
PUBLISHED = frozenset(("publish", "future"))
POST, ATTACHMENT = "post", "attachment"

_DECLARED = re.compile(
    rb"xmlns(?::[\w.-]+)?\s*=\s*[\"']https?://(?:www\.)?wordpress\.org/export/\d"
)
_NAMESPACE = re.compile(r"https?://(?:www\.)?wordpress\.org/export/[\d.]+/(excerpt/)?")
_PREFIXES = {
    "": "",
    "http://purl.org/rss/1.0/modules/content/": "content:",
    "http://purl.org/dc/elements/1.1/": "dc:",
}
_XML_DECLARATION = re.compile(r"\A\s*+<\?xml\s[^<>]*\?>")
_ENCODING = re.compile(rb"\s*<\?xml\s[^<>]*?encoding\s*=\s*[\"']([\w.-]+)[\"']")
# Byte order marks, and '<' without one.
_STARTS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    b"<\0\0\0": "utf-32-le",
    b"\0\0\0<": "utf-32-be",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
}
# Python's codecs include some that are no encodings of documents, and slow.
_ENCODINGS = re.compile(
    r"utf-?8|utf-(?:16|32)(?:-[bl]e)?|us-ascii|iso-8859-(?:[1-9]|1[013-6])|windows-125[0-8]|koi8-[ru]"
    r"|big5|gbk|gb2312|gb18030|euc-(?:jp|kr)|shift_jis"
)
# What XML does not allow.
_CONTROLS = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]+")
_ITEM = ["rss", "channel", "item"]


class Category(NamedTuple):
    """A term of a taxonomy, such as `category` or `post_tag`, that a post has."""

    taxonomy: str
    slug: str
    name: str


@dataclass(slots=True)
class ExportItem:
    """An item of an export: a post, a page, a picture, an entry of a menu and so on.

    `texts` has the texts of its elements, by names such as `title` or `wp:post_id`, and
    `meta` its custom fields; of those that are repeated, `enclosures` has all. What is neither published nor a picture keeps no text.
    """

    line: int
    type: str = ""
    status: str = ""
    is_protected: bool = False
    texts: dict[str, str] = field(default_factory=dict)
    categories: list[Category] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    enclosures: list[str] = field(default_factory=list)
    is_permalink: bool = False

    @property
    def is_public(self) -> bool:
        """Check whether everyone can read it, now or at its date."""
        return self.status in PUBLISHED and not self.is_protected

    def text(self, name: str) -> str:
        """Return the text of an element, without the spaces around it."""
        return self.texts.get(name, "").strip()


@dataclass(frozen=True, slots=True)
class Export:
    """An export: the texts of its channel, its authors by their logins, and its items."""

    site: Mapping[str, str]
    authors: Mapping[str, str]
    items: tuple[ExportItem, ...]
    remarks: tuple[Remark, ...]


def is_wordpress(data: bytes) -> bool:
    """Check whether a file is a WordPress export, by the namespace declared before its items."""
    if b"\0" in data[:4]:
        data = data.decode(_encoding_of(data), "ignore").encode()
    return _DECLARED.search(data.partition(b"<item")[0]) is not None


def read_export(name: str, data: bytes) -> Export:
    """Return what an export has; raises FeedsError with the line of what is not readable."""
    if not is_wordpress(data):
        raise FeedsError(f"{name}:1: is not a WordPress export: it has no namespace of WordPress")
    text, remarks = _readable(name, data)
    reader = _Reader()
    try:
        reader.parse(text.encode())
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise FeedsError(
            f"{name}:{error.lineno}: is not valid XML: {reason}; export the site again,"
            " or correct this line"
        ) from None
    except _DoctypeError as error:
        raise FeedsError(
            f"{name}:{error}: has a document type, which no WordPress export has; remove it"
        ) from None
    return Export(reader.site, reader.authors, tuple(reader.items), tuple(remarks))


def _readable(name: str, data: bytes) -> tuple[str, list[Remark]]:
    """Return the text of a file without what an XML parser refuses, and what was changed."""
    remarks: list[Remark] = []
    encoding = _encoding_of(data)
    if not _ENCODINGS.fullmatch(encoding):
        raise FeedsError(
            f"{name}:1: has the encoding '{encoding}', which is not supported; save it as UTF-8"
        )
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        text = data.decode(encoding, "replace")
        line = data[: error.start].decode(encoding, "replace").count("\n") + 1
        message = f"some bytes, the first in this line, are not {encoding}: each is '�'"
        remarks.append(Remark(f"{name}:{line}", message))
    text = text.removeprefix("\ufeff")
    if found := _CONTROLS.search(text):
        line = text.count("\n", 0, found.start()) + 1
        message = "control characters, the first in this line, are left out"
        remarks.append(Remark(f"{name}:{line}", message))
        text = _CONTROLS.sub("", text)
    # The text is no longer in that encoding, and there may be empty lines before.
    return _XML_DECLARATION.sub(lambda found: "\n" * found[0].count("\n"), text, count=1), remarks


def _encoding_of(data: bytes) -> str:
    """Return the encoding that a document begins in, or else declares; UTF-8 by default."""
    for start, encoding in _STARTS.items():
        if data.startswith(start):
            return encoding
    declared = _ENCODING.match(data)
    return declared[1].decode().lower() if declared else "utf-8"


class _DoctypeError(Exception):
    """There is a document type, which could define entities; the message is its line."""


@cache
def _short_name(name: str) -> str:
    """Return a name with the usual prefix of its namespace."""
    namespace, _, local = name.rpartition(" ")
    if found := _NAMESPACE.fullmatch(namespace):
        return f"excerpt:{local}" if found[1] else f"wp:{local}"
    return _PREFIXES.get(namespace, "other:") + local


class _Reader:
    """The handlers of a parser: elements become records when they end, and nothing is kept."""

    def __init__(self) -> None:
        self.site: dict[str, str] = {}
        self.authors: dict[str, str] = {}
        self.items: list[ExportItem] = []
        self._path: list[str] = []
        self._text: list[str] = []
        self._attributes: dict[str, str] = {}
        # The texts of the innermost element that has elements, such as an author.
        self._record: dict[str, str] = {}

    def parse(self, data: bytes) -> None:
        parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser = parser
        parser.Parse(data, True)  # noqa: FBT003  # all at once; it takes no keywords

    def _refuse_doctype(self, *_: object) -> None:
        raise _DoctypeError(self._parser.CurrentLineNumber)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(_short_name(name))
        self._text.clear()
        self._attributes = attributes
        if self._path == _ITEM:
            self.items.append(ExportItem(self._parser.CurrentLineNumber))
        elif len(self._path) == len(_ITEM) or self._path[-1] == "wp:postmeta":
            self._record = {}

    def _end(self, _name: str) -> None:
        text = "".join(self._text)
        self._text.clear()
        path, name = self._path[:-1], self._path.pop()
        if path == _ITEM:
            self._end_of_field(name, text)
        elif self._path == _ITEM[:2]:
            self._end_of_channel_element(name, text)
        elif path[2:] in (["wp:author"], ["item", "wp:postmeta"]):
            self._record[name] = text

    def _end_of_channel_element(self, name: str, text: str) -> None:
        if name == "item":
            _finish(self.items[-1])
        elif name == "wp:author":
            self.authors[self._record.get("wp:author_login", "").strip()] = _name_of(self._record)
        else:
            self.site.setdefault(name, text)

    def _end_of_field(self, name: str, text: str) -> None:
        item = self.items[-1]
        if name == "category":
            domain, slug = (self._attributes.get(key, "") for key in ("domain", "nicename"))
            item.categories.append(Category(domain, slug, text))
        elif name == "wp:postmeta":
            key, value = (self._record.get(f"wp:meta_{part}", "") for part in ("key", "value"))
            item.meta.setdefault(key.strip(), value)
            if key.strip() == "enclosure":
                item.enclosures.append(value)
        else:
            item.texts[name] = text
            if name == "guid":
                item.is_permalink = self._attributes.get("isPermaLink") == "true"


def _finish(item: ExportItem) -> None:
    """Set the type and the status of a complete item, and forget the texts of one that is secret."""
    item.type, item.status = item.text("wp:post_type"), item.text("wp:status")
    item.is_protected = bool(item.texts.get("wp:post_password"))
    is_picture = item.type == ATTACHMENT and not item.is_protected
    if is_picture and item.status in {"inherit", *PUBLISHED}:
        item.texts.pop("content:encoded", None)
    elif item.type != POST or not item.is_public:
        item.texts, item.categories, item.meta, item.enclosures = {}, [], {}, []


def _name_of(author: Mapping[str, str]) -> str:
    """Return the name that readers see; not an e-mail address, which WordPress may use as one."""
    names = (author.get(f"wp:author_{part}", "") for part in ("first_name", "last_name"))
    shown = author.get("wp:author_display_name", "").strip()
    return shown if shown and "@" not in shown else " ".join(" ".join(names).split())
