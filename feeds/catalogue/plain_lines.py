"""Items in plain lines → their values, several times as fast as the YAML parser.

Nearly every item is written in a few forms: `key: value` on one line, the value
being a text, or a list or mapping of texts in brackets; and a key with an indented
block below. What these mean can be read from the lines (YAML 1.1 §4.2, §4.6, §9).
Any other item raises Unsupported and is left to the parser. The result is always
that of the parser.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import NoReturn, TypeVar

from yaml.nodes import MappingNode

from feeds.catalogue.known_keys import SILENT, Keys
from feeds.catalogue.reader import PLACEHOLDER, MappingReader, NodeReader
from feeds.catalogue.source import NULLS, Excerpt, Source, forbidden_character

# If False, the parser reads all items, with the same results.
ENABLED = True
Value = str | tuple[str, ...] | dict[str, "Value"]
T = TypeVar("T")

# Some of these could begin a text in some places; and all can be within one.
_FIRST = r"""[^\s?:,\[\]{}#&*!|>'"%@`-]"""
_TEXT = rf"{_FIRST}[^:#\n]*+(?:(?::(?=[^ \n])|(?<! )#)[^:#\n]*+)*+"
# Within brackets more characters begin, end or separate something.
_SIGNS = r":#,?\[\]{}\n"
_PART = rf"{_FIRST}[^{_SIGNS}]*+(?::(?=[^ {_SIGNS}])[^{_SIGNS}]*+)*+"
_QUOTED = r"""'(?:[^'\n]|'')*+'|"[^"\\\n]*+\""""
unquoted = re.compile(_TEXT)
unquoted_in_brackets = re.compile(_PART)
_quoted = re.compile(_QUOTED)
# Whatever nothing else matches is matched as a whole: searching it place by place would be slow.
_REST = "((?s:.++))"
# Each with its key, if it has one, and the text without or within quotes; or the rest.
_parts = re.compile(rf"(?:([a-z]++): ++)?+(?:({_PART})|({_QUOTED}) *+)(?:, *+|\Z)|{_REST}")
# Near the end of a block, such a line may be meant as a key.
_like_a_key = re.compile("\n *[a-z]+:[ \n]")
_END_LENGTH = 300
_ORDINARY = b"\n" + bytes(range(0x20, 0x7F))
# To YAML these are spaces, or end a line, or are not there.
_SPECIAL = "\t\r\x85\u2028\u2029\ufeff"
_PLACEHOLDER = PLACEHOLDER.encode()
_CACHED_LISTS = 10_000
# Farther to the right, blocks are nested in blocks.
_MAX_COLUMN = 40
# The groups for each line: the text before it, which is empty; its key; a text without
# quotes, or any other value, or a block's sign and its lines; or the rest, which is not a line.
_GROUPS = 7


class Unsupported(Exception):
    """An item is not written in plain lines, or there is something to report."""


class PlainMapping(MappingReader):
    """Reads the values of a mapping in plain lines.

    Their places are not known. If there is anything to report, Unsupported,
    InvalidValue or ValueWarning is raised.
    """

    def __init__(self, plain: Mapping[str, Value], keys: Keys) -> None:
        if not (keys.known.issuperset(plain) and all(name in plain for name in keys.required)):
            raise Unsupported
        self._plain = plain
        super().__init__(_NO_READER, _NO_NODE, "", {})

    def __contains__(self, name: str) -> bool:
        return name in self._plain

    def __len__(self) -> int:
        return len(self._plain)

    def is_text(self, name: str) -> bool:
        """Check whether a field has a value that is a text."""
        return isinstance(self._plain.get(name), str)

    def value(self, name: str, convert: Callable[[str], T], blank: T) -> T:
        """Return a field as a function converts it; `blank` if it is absent."""
        text = self._plain.get(name)
        if text is None:
            return blank
        if not isinstance(text, str):
            raise Unsupported
        return convert(text)

    def list(self, name: str, convert: Callable[[str], T | None]) -> tuple[T, ...]:
        """Return a field that is a list of different texts."""
        texts = self._plain.get(name, ())
        if not isinstance(texts, tuple):
            raise Unsupported
        found = {item: None for text in texts if (item := convert(text)) is not None}
        if len(found) < len(texts):
            raise Unsupported
        return tuple(found)

    def items(self, name: str) -> NoReturn:
        """Raise Unsupported: items have no nodes here."""
        raise Unsupported(name)

    def each(self, name: str, convert: Callable[[str], str], _: Keys) -> Iterator[str]:
        """Yield the items of a field that is a list of texts."""
        texts = self._plain.get(name, ())
        if not isinstance(texts, tuple):
            raise Unsupported
        yield from map(convert, texts)

    def inner(self, name: str, keys: Keys) -> "PlainMapping":
        """Return a reader of a field that is a mapping."""
        values = self._plain[name]
        if not isinstance(values, dict):
            raise Unsupported
        return PlainMapping(values, keys)

    def problem(self, name: str, message: str, *, note: bool = False) -> NoReturn:
        """Raise Unsupported: without a place, nothing can be reported."""
        raise Unsupported(name, message, note)


_NO_READER = NodeReader(Excerpt(Source("", b""), ""), [], SILENT)
_NO_NODE = MappingNode("", [])


def plain_lines(data: bytes, column: int) -> dict[str, Value]:
    """Return the values of an item whose first key is in a column, from 0.

    The item is UTF-8, and begins with a dash before that key. No text in the result
    is empty or white space alone. Raises Unsupported.
    """
    if not ENABLED or _PLACEHOLDER in data:
        raise Unsupported
    try:
        text = data[column:].decode()
    except UnicodeDecodeError:
        raise Unsupported from None
    others = data.translate(None, _ORDINARY).decode()
    if not others.isprintable() and (
        forbidden_character.search(others) or any(special in others for special in _SPECIAL)
    ):
        raise Unsupported
    return _mapping(" " * column + text, column)


def _mapping(text: str, column: int) -> dict[str, Value]:
    if column > _MAX_COLUMN:
        raise Unsupported
    parts = _lines(column).split(text)
    _, keys, *values, rest = (parts[number::_GROUPS] for number in range(_GROUPS))
    if any(rest):
        raise Unsupported
    found: dict[str, Value] = {}
    for key, plain, other, sign, block in zip(keys, *values, strict=True):
        if plain:
            value: Value = _unquoted_text(plain)
        elif other:
            value = _value(other.rstrip(" "))
        elif sign and _may_end_in_a_key(block):
            raise Unsupported
        else:
            value = _block(sign, block.rstrip("\n").split("\n"), column)
        found[key] = value
    if len(found) < len(keys):
        raise Unsupported
    return found


def _may_end_in_a_key(block: str) -> bool:
    end = block[-_END_LENGTH:]
    return (": " in end or ":\n" in end) and bool(_like_a_key.search(end))


@cache
def _lines(column: int) -> re.Pattern[str]:
    """Return the pattern of lines with a key in a column."""
    margin = " " * column
    value = rf" ++(?:({_TEXT})|([\[{{\"'].*+))\n++"
    block = rf"(?: ++([|>]-?))?+ *+\n((?:(?:{margin}(?: |- ).*+)?\n)++)"
    return re.compile(rf"{margin}([a-z_]++):(?:{value}|{block})|{_REST}")


def _value(text: str) -> Value:
    """Return a value in brackets or quotes."""
    if text[0] == "[":
        return _list(text)
    if text[0] == "{":
        keys, values = _in_brackets(text, "}")
        found: dict[str, Value] = dict(zip(keys, values, strict=True))
        if not all(found) or len(found) < len(keys):
            raise Unsupported
        return found
    return _text(text)


@lru_cache(_CACHED_LISTS)
def _list(text: str) -> tuple[str, ...]:
    keys, values = _in_brackets(text, "]")
    if any(keys):
        raise Unsupported
    return tuple(values)


def _in_brackets(text: str, closing: str) -> tuple[list[str], list[str]]:
    """Return the keys, empty if there is none, and the texts of a value in brackets."""
    parts = _parts.split(text[1:-1].strip(" "))
    keys, plains, quotes, rest = (parts[number::5] for number in range(1, 5))
    if any(rest) or text[-1] != closing:
        raise Unsupported
    texts = zip(plains, quotes, strict=True)
    return keys, [_unquoted_text(plain) if plain else _unquote(quoted) for plain, quoted in texts]


def _text(text: str) -> str:
    """Return the text that is on one line, within quotes or without."""
    if unquoted.fullmatch(text):
        return _unquoted_text(text)
    if not _quoted.fullmatch(text):
        raise Unsupported
    return _unquote(text)


def _unquoted_text(text: str) -> str:
    text = text.rstrip(" ")
    if text in NULLS:
        raise Unsupported
    return text


def _unquote(text: str) -> str:
    return _visible(text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1])


def _visible(text: str) -> str:
    if not text or text.isspace():
        raise Unsupported
    return text


def _block(sign: str | None, lines: Sequence[str], outside: int) -> Value:
    """Return the value in the lines below a key in a column, after which may be a sign."""
    column = len(lines[0]) - len(lines[0].lstrip(" "))
    margin = " " * column
    dash = f"{margin}- "
    if not sign and lines[0].startswith(dash):
        items = _all(filter(None, lines), dash)
        return tuple(_text(line.removeprefix(dash).strip(" ")) for line in items)
    if column <= outside:
        raise Unsupported
    if not sign:
        return _mapping("\n".join((*lines, "")), column)
    inside = [line[column:] for line in _all(lines, margin, or_empty=True)]
    if sign[0] == ">" and not all(line and line[0] != " " for line in inside):
        raise Unsupported
    text = (" " if sign[0] == ">" else "\n").join(inside)
    return _visible(text if sign[1:] else f"{text}\n")


def _all(lines: Iterable[str], begin: str, *, or_empty: bool = False) -> Iterable[str]:
    """Yield lines, all of which must begin in the same way and not be blank."""
    for line in lines:
        if not ((line.startswith(begin) and line.strip(" ")) or (or_empty and not line)):
            raise Unsupported
        yield line
