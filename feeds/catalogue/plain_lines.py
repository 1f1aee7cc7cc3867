"""An item in plain lines → what the parser would make of it, in a fraction of the time.

Nearly every item is written in a few forms: `key: value` on one line, the value
being a text, or a list or mapping of texts in brackets; and a key with an indented
block below. What these mean can be told from the lines (YAML 1.1 §4.2, §4.6, §9).
All else is left to the parser, and where this gives anything, it is what that gives.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

from feeds.catalogue.source import forbidden_character
from feeds.catalogue.yaml_nodes import NULLS

# Without it, items are left to the parser, and say the same.
ENABLED = True
Value = str | tuple[str, ...] | dict[str, "Value"]


class NotPlain(Exception):
    """An item is not written in plain lines, or there is something to be told of it."""


# Some could begin a text in some places; and all could stand within.
_FIRST = r"""[^\s?:,\[\]{}#&*!|>'"%@`-]"""
_TEXT = rf"{_FIRST}[^:#\n]*+(?:(?::(?=[^ \n])|(?<! )#)[^:#\n]*+)*+"
# Within brackets more could begin, end or part something.
_SIGNS = r":#,?\[\]{}\n"
_PART = rf"{_FIRST}[^{_SIGNS}]*+(?::(?=[^ {_SIGNS}])[^{_SIGNS}]*+)*+"
_QUOTED = r"""'(?:[^'\n]|'')*+'|"[^"\\\n]*+\""""
_unquoted = re.compile(_TEXT)
_quoted = re.compile(_QUOTED)
# What nothing else matches is taken as a whole: else it would be searched, place by place.
_REST = "((?s:.++))"
# Each with its key, if it has one, and the text without or within quotes; or the rest.
_parts = re.compile(rf"(?:([a-z]++): ++)?+(?:({_PART})|({_QUOTED}) *+)(?:, *+|\Z)|{_REST}")
# Near the end of a block, such a line may have been meant as a key.
_like_a_key = re.compile("\n *[a-z]+:[ \n]")
_END = 300
_ORDINARY = b"\n" + bytes(range(0x20, 0x7F))
# To YAML these are spaces, or end a line, or are not there.
_SPECIAL = "\t\r\x85\u2028\u2029\ufeff"
# Many entries are about the same.
_LISTS = 10_000
# Farther to the right, blocks stand within blocks.
_COLUMNS = 40
# For each line: what lies before it, which is nothing; its key; a text without quotes, or
# any other value, or a block's sign and its lines; or the rest, which is no line.
_LINE = 7


def plain_lines(data: bytes, column: int) -> dict[str, Value]:
    """Give the mapping that some UTF-8 is, the first of whose keys stands in a column, from 0.

    `data` begins behind the spaces before that key. No text in it is empty, or
    all spaces. Raises NotPlain.
    """
    if not ENABLED:
        raise NotPlain
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise NotPlain from None
    others = data.translate(None, _ORDINARY).decode()
    if not others.isprintable() and _are_special(others):
        raise NotPlain
    return _mapping(" " * column + text, column)


def _are_special(characters: str) -> bool:
    """Tell whether some are neither to be published nor what they seem."""
    return bool(forbidden_character.search(characters)) or any(
        special in characters for special in _SPECIAL
    )


def _mapping(text: str, column: int) -> dict[str, Value]:
    if column > _COLUMNS:
        raise NotPlain
    parts = _lines(column).split(text)
    _, keys, *values, rest = (parts[number::_LINE] for number in range(_LINE))
    if any(rest):
        raise NotPlain
    found: dict[str, Value] = {}
    for key, plain, other, sign, block in zip(keys, *values, strict=True):
        if plain:
            value: Value = _unquoted_text(plain)
        elif other:
            value = _value(other.rstrip(" "))
        elif sign and _may_end_in_a_key(block):
            raise NotPlain
        else:
            value = _block(sign, block.rstrip("\n").split("\n"), column)
        found[key] = value
    if len(found) < len(keys):
        raise NotPlain
    return found


def _may_end_in_a_key(block: str) -> bool:
    end = block[-_END:]
    return (": " in end or ":\n" in end) and bool(_like_a_key.search(end))


@cache
def _lines(column: int) -> re.Pattern[str]:
    """Give what a line with a key in a column looks like."""
    margin = " " * column
    value = rf" ++(?:({_TEXT})|([\[{{\"'].*+))\n++"
    block = rf"(?: ++([|>]-?))?+ *+\n((?:(?:{margin}(?: |- ).*+)?\n)++)"
    return re.compile(rf"{margin}([a-z]++):(?:{value}|{block})|{_REST}")


def _value(text: str) -> Value:
    """Give what stands in brackets or quotes."""
    if text[0] == "[":
        return _list(text)
    if text[0] == "{":
        return _in_braces(text)
    return _text(text)


@lru_cache(_LISTS)
def _list(text: str) -> tuple[str, ...]:
    keys, values = _in_brackets(text, "]")
    if any(keys):
        raise NotPlain
    return tuple(values)


def _in_braces(text: str) -> dict[str, Value]:
    keys, values = _in_brackets(text, "}")
    found: dict[str, Value] = dict(zip(keys, values, strict=True))
    if not all(found) or len(found) < len(keys):
        raise NotPlain
    return found


def _in_brackets(text: str, closing: str) -> tuple[list[str], list[str]]:
    """Give the keys, empty where there is none, and the texts of what stands in brackets."""
    parts = _parts.split(text[1:-1].strip(" "))
    keys, plains, quotes, rest = (parts[number::5] for number in range(1, 5))
    if any(rest) or text[-1] != closing:
        raise NotPlain
    texts = zip(plains, quotes, strict=True)
    return keys, [_unquoted_text(plain) if plain else _unquote(quoted) for plain, quoted in texts]


def _text(text: str) -> str:
    """Give what a text on one line says, within quotes or without."""
    if _unquoted.fullmatch(text):
        return _unquoted_text(text)
    if not _quoted.fullmatch(text):
        raise NotPlain
    return _unquote(text)


def _unquoted_text(text: str) -> str:
    text = text.rstrip(" ")
    if text in NULLS:
        raise NotPlain
    return text


def _unquote(text: str) -> str:
    return _something(text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1])


def _something(text: str) -> str:
    if not text or text.isspace():
        raise NotPlain
    return text


def _block(sign: str | None, lines: Sequence[str], outside: int) -> Value:
    """Give what stands in lines below a key in a column, which a sign may have announced."""
    column = len(lines[0]) - len(lines[0].lstrip(" "))
    margin = " " * column
    dash = f"{margin}- "
    if not sign and lines[0].startswith(dash):
        items = _all(filter(None, lines), dash)
        return tuple(_text(line.removeprefix(dash).strip(" ")) for line in items)
    if column <= outside:
        raise NotPlain
    if not sign:
        return _mapping("\n".join((*lines, "")), column)
    inside = [line[column:] for line in _all(lines, margin, or_empty=True)]
    if sign[0] == ">" and not all(line and line[0] != " " for line in inside):
        raise NotPlain
    text = (" " if sign[0] == ">" else "\n").join(inside)
    return _something(text if sign[1:] else f"{text}\n")


def _all(lines: Iterable[str], begin: str, *, or_empty: bool = False) -> Iterable[str]:
    """Give lines that all begin so, and are more than spaces."""
    for line in lines:
        if not ((line.startswith(begin) and line.strip(" ")) or (or_empty and not line)):
            raise NotPlain
        yield line
