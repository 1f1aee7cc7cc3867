"""The files of a catalogue: bytes → text with lines and columns → YAML nodes, or Problems.

All scalars of the nodes are still text. A catalogue has no anchors, aliases, tags or
second document, and little depth. Of a whole file that is checked in the parser's events
before composing, because libyaml composes recursively and could overflow the stack. Of a
part that is too small for that, it is checked in the nodes.
"""

import operator
import re
from bisect import bisect_right
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain
from unicodedata import name

import yaml
from yaml._yaml import CParser
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.errors import Problem

_NEWLINE = re.compile(r"\r\n|\n|\r")
_NEWLINE_BYTES = re.compile(_NEWLINE.pattern.encode())

# The characters that XML 1.0 (§2.2) does not allow, and the C1 controls, which
# feed validators take for wrongly decoded Windows-1252.
_FORBIDDEN = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff"
forbidden_character = re.compile(f"[{_FORBIDDEN}]")
# Spaces other than the ordinary one, and ends of lines that no editor shows.
_SPACES = "\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# What Unicode calls default ignorable, except code points that are not assigned.
_IGNORABLE = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)
SIGNS = _SPACES + _IGNORABLE
SPACE = re.compile(f"[{_SPACES}]")
INVISIBLE = re.compile(f"[{SIGNS}]")

CONFLICT = (
    "a merge conflict is not resolved: keep one of the versions,"
    " and remove the lines that begin with <<<<<<<, |||||||, ======= or >>>>>>>"
)
_CONFLICT_LINE = re.compile("^<{7}(?![^ \r\n])", re.MULTILINE)

# What YAML reads as null unless it is quoted (YAML 1.1, "null").
NULLS = frozenset(("null", "Null", "NULL", "~"))

_MAX_DEPTH = 16
_DOCUMENT = re.compile("(?:^|\n)(?:---|\\.\\.\\.)")
# With at most so many characters that can nest, and less indentation, the stack suffices.
_MAX_UNCHECKED_NESTING = 400
_NESTING = "[{-?"
_DEEP_INDENTATION = "\n" + " " * _MAX_UNCHECKED_NESTING
# How JSON writes a character beyond U+FFFF (RFC 8259 §7), which libyaml refuses.
_SURROGATE_PAIR = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u([Dd])([89ABab][0-9A-Fa-f]{2})\\u([Dd])([C-Fc-f][0-9A-Fa-f]{2})"
)
# The private-use characters that replace surrogates while a text is parsed.
_PRIVATE = re.compile("[\ue800-\uefff]|\\\\u[Ee][89A-Fa-f]")
_PRIVATE_PAIR = re.compile("([\ue800-\uebff])([\uec00-\uefff])")
_PRIVATE_ESCAPE = re.compile(r"(?<=\\u)[Ee](?=[89A-Fa-f])")
# A tab, or a character at which only YAML ends a line.
_UNUSUAL_SPACE = re.compile("[\t\r\x85\u2028\u2029](?!(?<=\r)\n)")


class Source:
    """A file's name and UTF-8 bytes.

    `data` is without a byte order mark, whose length is `mark`.
    """

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.data = data.removeprefix(BOM_UTF8)
        self.mark = len(data) - len(self.data)

    @cached_property
    def excerpt(self) -> "Excerpt":
        """The whole file; raises UnicodeDecodeError."""
        return Excerpt(self, self.data.decode())

    @property
    def may_have_conflict(self) -> bool:
        """Whether the file may have the lines with which git marks a merge conflict."""
        return self.data.startswith(b"<<<<<<<") or b"\n<<<<<<<" in self.data

    def line(self, offset: int) -> int:
        """Return the number, from 1, of the line that a byte is in."""
        return bisect_right(self._line_starts, offset)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _NEWLINE_BYTES.finditer(self.data))]


class Excerpt:
    """The text of some whole lines of a file; `start` is the offset of its first byte."""

    def __init__(self, source: Source, text: str, start: int = 0) -> None:
        self.text = text
        self._source = source
        self._start = start

    def problem(self, index: int, path: str, message: str, *, note: bool = False) -> Problem:
        """Return a Problem at the character with this index in the text."""
        line = bisect_right(self._line_starts, index)
        return Problem(
            file=self._source.name,
            line=self._source.line(self._start) + line - 1,
            column=index - self._line_starts[line - 1] + 1,
            path=path,
            message=message,
            note=note,
        )

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _NEWLINE.finditer(self.text))]


def text_problems(source: Source) -> Iterator[Problem]:
    """Yield the Problems of a file's text: its encoding, its characters, and merge conflicts.

    YAML allows the lines of a merge conflict within quotes.
    """
    try:
        excerpt = source.excerpt
    except UnicodeDecodeError as error:
        before = Source(source.name, source.data[: error.start]).excerpt
        yield before.problem(
            len(before.text),
            "",
            f"is not UTF-8: byte 0x{source.data[error.start]:02x}"
            f" at offset {error.start + source.mark}; save the file with the encoding UTF-8",
        )
        return
    for match in forbidden_character.finditer(excerpt.text):
        yield excerpt.problem(match.start(), "", f"{describe(match[0])} cannot be published")
    for match in _CONFLICT_LINE.finditer(excerpt.text) if source.may_have_conflict else ():
        yield excerpt.problem(match.start(), "", CONFLICT)


def describe(character: str) -> str:
    """Return the name of a character that cannot be shown."""
    return f"the control character U+{ord(character):04X}"


def named(character: str) -> str:
    """Return a character's code point and Unicode name, such as `U+00A0 NO-BREAK SPACE`."""
    return f"U+{ord(character):04X} {name(character, '')}".rstrip()


class _Loader(CParser):
    """Composes nodes without resolving tags.

    The parser calls these methods for each node. Here they are C functions without
    effect: calling Python functions would double the time.
    """

    resolve = staticmethod(slice)
    descend_resolver = staticmethod(operator.is_)
    ascend_resolver = staticmethod(tuple)


class SplitError(Exception):
    """A part of a file cannot be read by itself: the whole file is to be composed."""


def compose_part(text: str, *, within: int = 0) -> Node | None:
    """Return the root node of a part of a file that is nested `within` so many nodes.

    libyaml accepts no raw character that cannot be published (YAML 1.1 §5.1).

    Raises SplitError; composing the whole file then reports why.
    """
    try:
        if _needs_events(text) and any(_event_problems(text, within)):
            raise SplitError
        # After other parts of the file it would be a second document.
        if ("---" in text or "..." in text) and _DOCUMENT.search(text):
            raise SplitError
        root = _root(text)
    except (yaml.MarkedYAMLError, yaml.reader.ReaderError):
        raise SplitError from None
    if root and _is_deep(root, within):
        raise SplitError
    if ("&" in text or "!" in text) and any(_has_property(node, text) for node in _nodes(root)):
        raise SplitError
    return root


def compose(excerpt: Excerpt, problems: list[Problem]) -> Node | None:
    """Return the root node of a file, or None if Problems prevent that."""
    before = len(problems)
    try:
        for index, message in _event_problems(excerpt.text):
            problems.append(excerpt.problem(index, "", message))
        return None if len(problems) > before else _root(excerpt.text)
    except yaml.MarkedYAMLError as error:
        # Only files with a mistake need it.
        from feeds.catalogue.syntax_hints import syntax_problem  # noqa: PLC0415

        problems.append(syntax_problem(excerpt, error))
    except yaml.reader.ReaderError as error:
        problems.append(excerpt.problem(error.position, "", f"is not YAML: {error.reason}"))
    return None


def is_null(node: Node) -> bool:
    """Check whether a node is an unquoted null; an empty node is not."""
    return type(node) is ScalarNode and node.value in NULLS and not node.style


def is_plain(node: Node) -> bool:
    """Check whether a node is a text without quotes, on one line or several."""
    return type(node) is ScalarNode and not node.style


def is_bare(node: Node) -> bool:
    """Check whether the value is missing after its key, or a block scalar has no lines."""
    return type(node) is ScalarNode and not node.value.strip() and node.style not in {"'", '"'}


def is_blank(node: Node) -> bool:
    """Check whether a value is null, missing, or a quoted text of white space alone."""
    return type(node) is ScalarNode and (not node.value.strip() or is_null(node))


def _root(text: str) -> Node | None:
    masked = _mask(text)
    root: Node | None = _Loader(masked).get_single_node()
    if masked is not text:
        _unmask(root)
    return root


def _mask(text: str) -> str:
    """Return a text of the same length, with private-use characters for escaped surrogate pairs.

    libyaml accepts these in double quotes. Elsewhere the pairs are plain text; only
    the parser knows where, so `_unmask` restores them.
    """
    if "\\u" not in text or not _SURROGATE_PAIR.search(text) or _PRIVATE.search(text):
        return text
    return _SURROGATE_PAIR.sub(
        lambda pair: (
            f"{pair[1]}\\u{chr(ord(pair[2]) + 1)}{pair[3]}\\u{chr(ord(pair[4]) + 1)}{pair[5]}"
        ),
        text,
    )


def _unmask(root: Node | None) -> None:
    """Replace what `_mask` inserted: by the character of the pair, or by the text before."""
    for node in _nodes(root):
        if type(node) is ScalarNode and node.style == '"':
            node.value = _PRIVATE_PAIR.sub(_character, node.value)
        elif type(node) is ScalarNode:
            node.value = _PRIVATE_ESCAPE.sub(lambda digit: chr(ord(digit[0]) - 1), node.value)


def _character(pair: re.Match[str]) -> str:
    high, low = ord(pair[1]) - 0xE800, ord(pair[2]) - 0xEC00
    return chr(0x10000 + (high << 10) + low)


def _needs_events(text: str) -> bool:
    """Check whether only the parser can find out the depth or the lines of a text."""
    return (
        sum(map(text.count, _NESTING)) > _MAX_UNCHECKED_NESTING
        or _DEEP_INDENTATION in text
        or bool(_UNUSUAL_SPACE.search(text))
    )


def _has_property(node: Node, text: str) -> bool:
    """Check whether a node begins with an anchor or a tag; an alias needs an anchor."""
    return text[node.start_mark.index : node.start_mark.index + 1] in {"&", "!"}


def _is_deep(node: Node, depth: int) -> bool:
    """Check whether lists and mappings are nested deeper than in any catalogue."""
    if type(node) is ScalarNode:
        return False
    return depth >= _MAX_DEPTH or any(_is_deep(child, depth + 1) for child in _children(node))


def _nodes(root: Node | None) -> Iterator[Node]:
    nodes = [root] if root else []
    for node in nodes:
        yield node
        nodes += _children(node)


def _children(node: Node) -> Iterable[Node]:
    if type(node) is MappingNode:
        return chain.from_iterable(node.value)
    return node.value if type(node) is SequenceNode else ()


def _event_problems(text: str, depth: int = 0) -> Iterator[tuple[int, str]]:
    """Yield the index and the message of each Problem that the parser's events show."""
    documents = 0
    for event in yaml.parse(_mask(text), Loader=yaml.CBaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        message = _property_message(event)
        if depth > _MAX_DEPTH:
            message = f"is nested more than {_MAX_DEPTH} deep"
        elif documents > 1:
            sign = "---" if getattr(event, "explicit", False) else "..."
            message = (
                "a second document starts here; a file has one:"
                f" remove the line '{sign}', or put what follows it in another file"
            )
        if message and event.start_mark:
            yield event.start_mark.index, message
        if depth > _MAX_DEPTH or documents > 1:
            return


def _property_message(event: yaml.Event) -> str:
    anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
    if type(event) is yaml.AliasEvent:
        return f"the alias *{anchor} is not allowed; write out what it refers to"
    if anchor is not None:
        return f"the anchor &{anchor} is not allowed; quote a text that starts with &"
    if tag is not None:
        return f"the tag {tag} is not allowed; quote a text that starts with !"
    return ""
