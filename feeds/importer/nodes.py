"""What a data file has, in any syntax: texts, lists and mappings, with their lines.

All values are texts as they are written: `NO`, `012` and `2022-05-24` stay so. A null is
an empty text.
"""

import re
from bisect import bisect_right
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, lookup
from typing import NamedTuple, TypeAlias

from feeds.errors import FeedsError

MAX_DEPTH = 32
MAX_NODES = 2_000_000
TOO_DEEP = f"is nested more than {MAX_DEPTH} deep"
TOO_MANY = f"the file has more than {MAX_NODES:,} values"
_MAX_BYTES = 20_000_000
_LINE_END = re.compile("\r\n|\n|\r")
_UTF8_REMEDY = "save it with the encoding UTF-8"
_OPTION_REMEDY = f"add --encoding cp1252 if it is from Windows, or {_UTF8_REMEDY}"
# As in browsers: of the two, only Windows's has dashes, quotes and the euro.
_WINDOWS = {"iso8859-1": "cp1252"}


class SyntaxFault(FeedsError):
    """What is wrong in a file, and where."""

    def __init__(self, name: str, line: int, fault: str) -> None:
        super().__init__(f"{name}:{line}: {fault}")
        self.place = f"{name}:{line}"
        self.line = line
        self.fault = fault


class Text(NamedTuple):
    """A text, a number or a null; `line` is its line in the file, from 1."""

    line: int
    value: str


class Items(NamedTuple):
    """A list."""

    line: int
    values: "tuple[Node, ...]"


class Fields(NamedTuple):
    """A mapping. `fault` is why it cannot be an item, if its values may be in the wrong places."""

    line: int
    values: "dict[str, Node]"
    fault: str = ""


Node: TypeAlias = Text | Items | Fields


class Lines:
    """The lines of a text, of which the first one has the number `first`."""

    def __init__(self, text: str, first: int = 1) -> None:
        self._starts = [0, *(end.end() for end in _LINE_END.finditer(text))]
        self._before = first - 1

    def at(self, index: int) -> int:
        """Return the number of the line that a character is in."""
        return bisect_right(self._starts, index) + self._before


class Pairs:
    """Collects the pairs of a mapping; a value gets the line of its key."""

    def __init__(self, name: str) -> None:
        self.values: dict[str, Node] = {}
        self._name = name
        self._lines: dict[str, int] = {}

    def add(self, key: Text, value: Node) -> None:
        """Add a pair; raises FeedsError if the key is there."""
        first = self._lines.setdefault(key.value, key.line)
        if key.value in self.values:
            message = f"duplicate key {key.value!r}; first used at {self._name}:{first}"
            raise SyntaxFault(self._name, key.line, message)
        self.values[key.value] = value._replace(line=key.line)


def is_blank(node: Node) -> bool:
    """Check whether a node is a null, a text of white space alone, or empty."""
    return not (node.value.strip() if isinstance(node, Text) else node.values)


def decoded(name: str, data: bytes, encoding: str = "") -> str:
    """Return the text of a file; a byte order mark counts more than `encoding`. Raises FeedsError.

    `encoding` is '' for UTF-8 if the user cannot choose another.
    """
    is_fixed, encoding = not encoding, encoding or "utf-8"
    if len(data) > _MAX_BYTES:
        raise FeedsError(f"{name} has {len(data):,} bytes; at most {_MAX_BYTES:,} are read")
    if data.startswith(BOM_UTF8):
        encoding = "utf-8-sig"
    elif data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        return data.decode(_WINDOWS.get(lookup(encoding).name, encoding))
    except LookupError:
        raise FeedsError(f"the encoding {encoding!r} is not known") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        is_utf8 = encoding.lower().startswith("utf-8")
        other = _OPTION_REMEDY if is_utf8 else "name another encoding with --encoding"
        remedy = _UTF8_REMEDY if is_fixed else other
        message = f"is not {'UTF-8' if is_utf8 else encoding}; {remedy}"
        raise SyntaxFault(name, line, message) from None
    except UnicodeError as error:
        raise FeedsError(f"{name} is not {encoding}: {error}") from None
