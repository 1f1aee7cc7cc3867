"""The front matter of Markdown files: YAML, TOML, JSON, and the lines of Pelican and Nikola."""

import re
import tomllib
from collections.abc import Mapping
from typing import NamedTuple

from feeds.importer.json_nodes import read_json_before
from feeds.importer.nodes import Fields, Items, Node, SyntaxFault, Text
from feeds.importer.site_config import nodes_of
from feeds.importer.yaml_nodes import read_yaml

_FENCED = re.compile(
    r"(?P<fence>---|\+\+\+)[ \t]*(?:yaml|toml|json)?[ \t]*\n(?P<matter>.*?)^(?P=fence)[ \t]*(?:\n|\Z)",
    re.MULTILINE | re.DOTALL,
)
_JSON_OBJECT = re.compile(r'\{\s*"')
# `.. title: …`, by itself or in a comment, as in Nikola.
_NIKOLA_BLOCK = re.compile(r"\s*(?:<!--\s*)?(?P<matter>(?:\.\. [\w-]+:.*(?:\n|\Z))+)\s*(?:-->)?")
_NIKOLA_LINE = re.compile(r"\.\. ([\w-]+):[ \t]*(.*)")
# Nikola writes `UTC+02:00` for what is two hours before UTC.
_NIKOLA_OFFSET = re.compile(r" UTC([+-]\d\d:?\d\d)$")
# `Title: …`, as in Pelican; further lines of a value are indented.
_PELICAN_BLOCK = re.compile(r"(?P<matter>(?:[A-Za-z][\w-]*:(?: .*)?\n(?: {4,}\S.*\n)*)+)")
_PELICAN_LINE = re.compile(r"([A-Za-z][\w-]*):(.*(?:\n {4,}.*)*)")


class Page(NamedTuple):
    """A file's fields and its text, which begins on the line `line` of the file."""

    fields: Mapping[str, Node]
    text: str
    line: int = 1


def read_page(name: str, text: str) -> Page | None:
    """Return the front matter and the text of a file, or None if it has none. Raises FeedsError."""
    text = text.replace("\r\n", "\n")
    if found := _FENCED.match(text):
        read = _fields_in_yaml if found["fence"] == "---" else _fields_in_toml
        return _page(text, found.end(), read(name, found["matter"]))
    if _JSON_OBJECT.match(text):
        node, rest = read_json_before(name, text)
        return _page(text, len(text) - len(rest), _mapping(name, node))
    if found := _NIKOLA_BLOCK.match(text):
        return _page(text, found.end(), nikola_fields(found["matter"]))
    found = _PELICAN_BLOCK.match(f"{text}\n")
    fields = pelican_fields(found["matter"]) if found else {}
    if found and not {"title", "date"}.isdisjoint(key.lower() for key in fields):
        return _page(text, min(found.end(), len(text)), fields)
    return None


def nikola_fields(text: str) -> Mapping[str, Node]:
    """Return the fields of lines such as `.. title: …`."""
    found: dict[str, Node] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if pair := _NIKOLA_LINE.match(line):
            found[pair[1]] = Text(number, _NIKOLA_OFFSET.sub(r" \1", pair[2].strip()))
    return found


def pelican_fields(text: str) -> Mapping[str, Node]:
    """Return the fields of lines such as `Title: …`."""
    found: dict[str, Node] = {}
    for pair in _PELICAN_LINE.finditer(text):
        line, value = text.count("\n", 0, pair.start()) + 1, " ".join(pair[2].split())
        found[pair[1]] = Text(line, value)
        if pair[1].lower() == "authors":
            names = value.split(";" if ";" in value else ",")
            found[pair[1]] = Items(line, tuple(Text(line, name) for name in names))
    return found


def _page(text: str, end: int, fields: Mapping[str, Node]) -> Page:
    rest = text[end:]
    blank = len(rest) - len(rest.lstrip("\n"))
    return Page(fields, rest[blank:], text.count("\n", 0, end + blank) + 1)


def _fields_in_yaml(name: str, matter: str) -> Mapping[str, Node]:
    return _mapping(name, read_yaml(name, matter, first_line=2))


def _fields_in_toml(name: str, matter: str) -> Mapping[str, Node]:
    try:
        return _mapping(name, nodes_of(tomllib.loads(matter)))
    except (ValueError, RecursionError) as error:
        raise SyntaxFault(name, 1, f"is not valid TOML: {error}") from None


def _mapping(name: str, node: Node) -> Mapping[str, Node]:
    if isinstance(node, Fields):
        return node.values
    if isinstance(node, Text) and not node.value.strip():
        return {}
    raise SyntaxFault(name, node.line, "the front matter is not a mapping ('key: value' lines)")
