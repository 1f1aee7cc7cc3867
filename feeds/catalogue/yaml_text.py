"""Values → the YAML of entries and sections, and the text of a file with more of them in it.

What is written is read as exactly the same texts, without a note. Inserting keeps every
other character of a file: comments, line ends, and how its values are written.
"""

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.catalogue.known_keys import ALL_KEYS
from feeds.catalogue.plain_lines import unquoted, unquoted_in_brackets
from feeds.catalogue.reader import KEY_LINE, MAX_KEY_LINES, join, quoted
from feeds.catalogue.source import NULLS, Source, compose, forbidden_character, is_bare
from feeds.errors import CatalogueError, FeedsError, Problem
from feeds.parallel import gc_paused

# A value is a text, a number, a bool, or a list or mapping of values.
Fields = Mapping[str, object]

_STEP = 2
# A longer text is folded into lines that end before a column.
_MAX_LINE_LENGTH, _FOLDED_LENGTH = 120, 88
# A longer list or mapping has a line for each item.
_MAX_BRACKETS_LENGTH = 100
# To YAML these end a line, or are not there.
_SPECIAL = re.compile("[\r\x85\u2028\u2029\ufeff]")
_ESCAPES = {"\n": r"\n", "\t": r"\t", "\r": r"\r", '"': r"\"", "\\": r"\\"}


def entry_text(fields: Fields) -> str:
    """Return an item of `entries:`, with its dash at the left margin; the keys keep their order."""
    return f"- {_pairs(fields, _STEP)[_STEP:]}"


def section_text(name: str, fields: Fields, column: int = 0) -> str:
    """Return a mapping such as `site` or `topics`, with a line for each key, in a column from 0."""
    return f"{' ' * column}{_line(name)}:\n{_pairs(fields, column + _STEP)}"


def catalogue_text(sections: Mapping[str, Fields], entries: Sequence[Fields]) -> str:
    """Return a whole catalogue: its sections that are not empty, and then its entries."""
    parts = [section_text(name, fields) for name, fields in sections.items() if fields]
    items = "\n".join(map(entry_text, entries))
    return "\n".join([*parts, f"entries:\n{items}" if items else "entries: []\n"])


@gc_paused()
def with_entries(text: str, entries: Sequence[Fields], *, file: str) -> str:
    """Return the text of a file with entries inserted above its other entries.

    `file` is its name for messages. Raises CatalogueError if the file is not YAML, or
    is written in another form, and FeedsError if the result would be read differently.
    """
    old = _File(text, file)
    values = _values(old.root)
    values["entries"] = [*map(_written, entries), *(values.get("entries") or ())]
    items = [*map(entry_text, entries)]
    return _checked(old, _with_entries(old, items) if items else old.text, values)


@gc_paused()
def with_pairs(text: str, section: str, pairs: Fields, parent: str = "", *, file: str) -> str:
    """Return the text of a file with pairs inserted at the end of a section that is a mapping.

    The section may be in another one, its `parent`; what is missing is created. It
    must not have any of the keys. `file` and the exceptions are those of `with_entries`.
    """
    old = _File(text, file)
    names = [*filter(None, (parent, section))]
    values = inner = _values(old.root)
    for name in names:
        found = inner.get(name)
        inner[name] = {**found} if isinstance(found, dict) else {}
        inner = inner[name]
    inner.update({key: _written(value) for key, value in pairs.items()})
    return _checked(old, _with_pairs(old, names, pairs) if pairs else old.text, values)


class _File:
    """A file of a catalogue: its text without the byte order mark, and its root."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._excerpt = Source(name, text.encode()).excerpt
        self.text = self._excerpt.text
        self.mark = text.removesuffix(self.text)
        problems: list[Problem] = []
        root = compose(self._excerpt, problems) or MappingNode("", [])
        if problems:
            raise CatalogueError(problems)
        if not isinstance(root, MappingNode) or root.flow_style:
            raise self.refused(root, "", "the file has no line for each section")
        self.root = root

    def refused(self, node: Node, path: str, message: str) -> CatalogueError:
        """Return the error for a node at which nothing can be inserted."""
        message = f"{message}; without that, nothing can be inserted here"
        return CatalogueError([self._excerpt.problem(node.start_mark.index, path, message)])


def _with_entries(old: _File, items: Sequence[str]) -> str:
    text, found = old.text, _find(old.root, "entries")
    if not found:
        section = _indented("entries:\n" + "\n".join(items), _column(old.root))
        return _inserted(text, len(text), f"\n{section}" if text else section)
    key, node = found
    if isinstance(node, SequenceNode) and node.value and not node.flow_style:
        # There is an empty line between entries, unless the first two have none.
        gap = "\n" if len(node.value) == 1 or _has_gap_above(text, node.value[1]) else ""
        lines = "".join(_indented(item, _column(node)) + gap for item in items)
        return _inserted(text, _block_start(text, node), lines)
    begin, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, SequenceNode) and not text[begin:end].strip("[] \r\n"):
        text = text[:begin].rstrip() + text[end:]
    elif not is_bare(node):
        raise old.refused(node, "entries", "must have a line for each entry, beginning with '- '")
    return _inserted(text, _line_end(text, key), _indented("\n".join(items), _column(key)))


def _with_pairs(old: _File, names: Sequence[str], pairs: Fields) -> str:
    text, path = old.text, ""
    key: Node = old.root
    node: Node = old.root
    while names and isinstance(node, MappingNode) and (found := _find(node, names[0])):
        key, node = found
        path = join(path, names[0])
        names = names[1:]
    if len(names) > 1:
        pairs = {names[1]: pairs}

    def lines(column: int) -> str:
        return section_text(names[0], pairs, column) if names else _pairs(pairs, column)

    if node is old.root:
        new = lines(_column(node))
        if entries := _find(old.root, "entries"):
            return _inserted(text, _block_start(text, entries[0]), f"{new}\n")
        return _inserted(text, len(text), f"\n{new}" if text else new)
    if isinstance(node, MappingNode) and node.flow_style:
        in_line = _in_brackets({names[0]: pairs} if names else pairs)[1:-1]
        at = node.value[-1][1].end_mark.index if node.value else node.start_mark.index + 1
        return f"{text[:at]}{', ' if node.value else ''}{in_line}{text[at:]}"
    if isinstance(node, MappingNode):
        return _inserted(text, _line_end(text, _last(node)), lines(_column(node)))
    if is_bare(node):
        return _inserted(text, _line_end(text, key), lines(_column(key) + _STEP))
    raise old.refused(node, path, "must have a line for each key")


def _checked(old: _File, text: str, values: Mapping[str, Any]) -> str:
    """Return a text with the byte order mark of its file; raises FeedsError if it has other values."""
    text = old.mark + text
    try:
        found = _values(_File(text, old.name).root)
    except CatalogueError:
        found = {}
    if found != values:
        raise FeedsError(
            f"{old.name}: what is inserted would change what the file says; insert it by hand"
        )
    return text


def _values(node: Node) -> Any:  # noqa: ANN401  # a text, or a list or dict of such values
    if isinstance(node, MappingNode):
        return {key.value: _values(value) for key, value in node.value}
    return [*map(_values, node.value)] if isinstance(node, SequenceNode) else node.value


def _written(value: object) -> object:
    """Return a value as `_values` returns it once it is written."""
    if isinstance(value, Mapping):
        return {key: _written(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [*map(_written, value)]
    return _text(value)


def _find(mapping: MappingNode, name: str) -> tuple[Node, Node] | None:
    return next((pair for pair in mapping.value if pair[0].value == name), None)


def _last(node: Node) -> Node:
    """Return the last node in a mapping or list with a line for each item."""
    while isinstance(node, MappingNode | SequenceNode) and not node.flow_style:
        node = node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1]
    return node


def _column(node: Node) -> int:
    column: int = node.start_mark.column if node.start_mark else 0
    return column


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _line_end(text: str, node: Node) -> int:
    """Return where the line after that in which a node ends begins."""
    end = node.end_mark.index
    if isinstance(node, ScalarNode) and node.style in {"|", ">"}:
        # The empty lines below a block are counted as its own.
        end = len(text[:end].rstrip(" \r\n"))
    return text.find("\n", end) + 1 or len(text)


def _block_start(text: str, node: Node) -> int:
    """Return where the line of a node begins, or the comments directly above it."""
    start = _line_start(text, node.start_mark.index)
    line = text[start : node.start_mark.index]
    comment = f"{line[: len(line) - len(line.lstrip(' '))]}#"
    while start and text.startswith(comment, above := _line_start(text, start - 1)):
        start = above
    return start


def _has_gap_above(text: str, node: Node) -> bool:
    """Check for an empty line above a node, or above its comments."""
    start = _block_start(text, node)
    return not text[_line_start(text, start - 1) : start].strip()


def _indented(lines: str, column: int) -> str:
    return textwrap.indent(lines, " " * column, lambda line: line != "\n")


def _inserted(text: str, index: int, lines: str) -> str:
    """Return a text with lines inserted, which get its line ends."""
    before, after = text[:index], text[index:]
    if before and not before.endswith("\n"):
        lines = f"\n{lines}"
    if text.partition("\n")[0].endswith("\r"):
        lines = lines.replace("\n", "\r\n")
    return before + lines + after


def _pairs(fields: Fields, column: int) -> str:
    margin = " " * column
    return "".join(
        f"{margin}{_line(key)}:{_value(value, column)}\n" for key, value in fields.items()
    )


def _value(value: object, column: int) -> str:
    """Return what follows the colon of a key in a column, without the end of its last line."""
    if not isinstance(value, Mapping | Sequence) or isinstance(value, str):
        return f" {_scalar(_text(value), column + _STEP)}"
    # Paths and their like are easier to read below each other.
    is_compact = not isinstance(value, Mapping) or all(map(str.isidentifier, value))
    if is_compact and len(in_line := _in_brackets(value)) <= _MAX_BRACKETS_LENGTH:
        return f" {in_line}"
    column += _STEP
    if isinstance(value, Mapping):
        return f"\n{_pairs(value, column)}".removesuffix("\n")
    return "".join(f"\n{' ' * column}- {_in_brackets(item)}" for item in value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int):
        raise TypeError(f"not a text, nor a list or mapping of texts: {value!r}")
    return str(value)


def _in_brackets(value: object) -> str:
    """Return a value on one line, as it is written within brackets."""
    if isinstance(value, Mapping):
        pairs = (f"{_in_brackets(key)}: {_in_brackets(inner)}" for key, inner in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_in_brackets, value))}]"
    return _line(_text(value), unquoted_in_brackets)


def _scalar(text: str, column: int) -> str:
    """Return a text; its lines begin in a column if there are several."""
    if "\n" in text:
        return _literal(text, column)
    line = _line(text)
    return (_folded(text, column) or line) if len(line) > _MAX_LINE_LENGTH else line


def _literal(text: str, column: int) -> str:
    """Return a text with its lines as they are, or in quotes if that is not possible."""
    lines = text.removesuffix("\n").split("\n")
    # With several line ends at its end, the text would go on to the next key.
    if not lines[-1] or not text.strip() or not _fits_block(text, lines):
        return _double_quoted(text)
    # Only then does the first line not show where the text's margin is.
    indentation = str(_STEP) if text[0].isspace() else ""
    chomping = "" if text.endswith("\n") else "-"
    return _block(f"|{indentation}{chomping}", lines, column)


def _folded(text: str, column: int) -> str:
    """Return a text divided at its spaces, or '' if it cannot be."""
    lines = textwrap.wrap(
        text,
        _FOLDED_LENGTH - column,
        expand_tabs=False,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )
    is_same = " ".join(lines) == text and not text[0].isspace() and "\t" not in text
    return _block(">-", lines, column) if is_same and _fits_block(text, lines) else ""


def _block(sign: str, lines: Sequence[str], column: int) -> str:
    return sign + "".join(f"\n{' ' * column}{line}" if line else "\n" for line in lines)


def _fits_block(text: str, lines: Sequence[str]) -> bool:
    """Check whether a block can have these characters, and no line may be taken for a key."""
    found = map(KEY_LINE.match, lines[-MAX_KEY_LINES:])
    return not (_has_special(text) or any(line and line["key"] in ALL_KEYS for line in found))


def _has_special(text: str) -> bool:
    return bool(_SPECIAL.search(text) or forbidden_character.search(text))


def _line(text: str, plain: re.Pattern[str] = unquoted) -> str:
    """Return a text on one line; in quotes if it does not match `plain`, or has another meaning."""
    if _has_special(text) or "\n" in text or "\t" in text:
        return _double_quoted(text)
    is_plain = plain.fullmatch(text) and text == text.strip() and text not in NULLS
    return text if is_plain else quoted(text)


def _double_quoted(text: str) -> str:
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\u{ord(character):04x}" if _has_special(character) else character
