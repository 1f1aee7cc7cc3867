"""What libyaml says of a file that is no YAML → what an editor has usually done, and where."""

import re

import yaml

from feeds.catalogue.source import Excerpt
from feeds.errors import Problem

# libyaml's words, and what an editor has usually done.
_HINTS = {
    "mapping values are not allowed in this context": "a text with ': ' in it must stand in quotes",
    "could not find expected ':'": (
        "a ':' after the key is missing, a quote is not closed, or the line is indented too little"
    ),
    "found unexpected end of stream": "the quote that opens here is not closed",
    "did not find expected ','": "the bracket that opens here is not closed, or a ',' is missing",
    "did not find expected comment or line break": (
        "a text that starts with > or | must stand in quotes"
    ),
    "block sequence entries are not allowed": (
        "a text that starts with '- ' must stand in quotes; a list begins in a line of its own"
    ),
    "mapping keys are not allowed": "a text that starts with '? ' must stand in quotes",
    "found character that cannot start any token": (
        "indent with spaces, not tabs; a text that starts with @, ` or % must stand in quotes"
    ),
    "did not find expected alphabetic": "a text that starts with & or * must stand in quotes",
    "found a tab character": "indent with spaces",
    "did not find expected key": (
        "the line is indented differently from its neighbours,"
        " or a quote inside a quoted text is not doubled"
    ),
    "did not find expected '-' indicator": (
        "an item of a list starts with '- ', indented like the items before it"
    ),
}
# Of these libyaml tells where it lost patience, and apart from that where it all began.
_BEGUN = (
    *("end of stream", "could not find expected ':'"),
    *("did not find expected ','", "did not find expected comment or line break"),
)
# Words, what stands where it began, and what that tells.
_SIGNS = (
    (
        "could not find expected ':'",
        re.compile(r"""(["']?)[\w-]+\1:(?!//)[^\s:]"""),
        "a space after the ':' is missing",
    ),
    (
        "did not find expected ','",
        re.compile(r"[^\r\n'\"]*?[ \t\[{,]#"),
        "the bracket that opens here is not closed: what stands behind ' #' is a comment",
    ),
)
# They look like a space, or like nothing, and end a line (YAML 1.1 §5.4).
_SEPARATOR = re.compile("[\x85\u2028\u2029]")


def syntax_problem(excerpt: Excerpt, error: yaml.MarkedYAMLError) -> Problem:
    """Give what makes a file no YAML, at the place where it was done."""
    said = error.problem or error.context or "the parser gave up"
    at = _index(error)
    separator = _separator(excerpt.text, at)
    if separator is not None:
        name = f"the invisible character U+{ord(excerpt.text[separator]):04X}"
        return excerpt.problem(separator, "", f"is not YAML: {name} ends the line here; remove it")
    if error.context_mark and any(words in said for words in _BEGUN):
        at = error.context_mark.index
    hint = _hint(said, excerpt.text, at)
    message = f"is not YAML: {said}"
    return excerpt.problem(at, "", f"{message}: {hint}" if hint else message)


def _index(error: yaml.MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.index if mark else 0


def _separator(text: str, at: int) -> int | None:
    """Find the line separator before a mistake that would be none without it."""
    before = [found.start() for found in _SEPARATOR.finditer(text, 0, at)]
    if not before or _first_mistake(_SEPARATOR.sub(" ", text)) == at:
        return None
    return before[-1]


def _first_mistake(text: str) -> int | None:
    try:
        for _ in yaml.parse(text, Loader=yaml.CBaseLoader):
            pass
    except yaml.MarkedYAMLError as error:
        return _index(error)
    except yaml.reader.ReaderError as error:
        return int(error.position)
    return None


def _hint(said: str, text: str, at: int) -> str:
    for words, sign, hint in _SIGNS:
        if words in said and sign.match(text, at):
            return hint
    return next((hint for words, hint in _HINTS.items() if words in said), "")
