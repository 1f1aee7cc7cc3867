"""What libyaml says of a file that is no YAML → what an editor has usually done, and where."""

import re

import yaml

from feeds.catalogue.indentation_rules import (
    block_text,
    continuing_text,
    misplaced,
    misplaced_lines,
    misplaced_usually,
    missing_dash,
)
from feeds.catalogue.passages import parser_error, passage_around
from feeds.catalogue.repairs import Rule, find_repair
from feeds.catalogue.source import Excerpt
from feeds.catalogue.syntax_rules import SIGN_RULES, merge_conflict, missing_colon, other_text
from feeds.errors import Problem

# libyaml's words, and what an editor has usually done.
_HINTS = {
    "mapping values are not allowed in this context": "a text with ': ' in it must be in quotes",
    "could not find expected ':'": (
        "a ':' after the key is missing, a quote is not closed, or the line is indented too little"
    ),
    "found unexpected end of stream": "the quote that opens here is not closed",
    "did not find expected ','": "the bracket that opens here is not closed, or a ',' is missing",
    "did not find expected <document start>": (
        "a section such as 'site:' is missing above, or a line above begins in another column"
    ),
    "did not find expected node content": (
        "a bracket above is not closed, or there is one ',' too many"
    ),
    "did not find expected comment or line break": (
        "a text that starts with > or | must be in quotes"
    ),
    "block sequence entries are not allowed": (
        "a text that starts with '- ' must be in quotes; a list begins in a line of its own"
    ),
    "mapping keys are not allowed": "a text that starts with '? ' must be in quotes",
    "found character that cannot start any token": (
        "indent with spaces, not tabs; a text that starts with @, ` or % must be in quotes"
    ),
    "did not find expected alphabetic": "a text that starts with & or * must be in quotes",
    "found a tab character": "indent with spaces",
    "did not find expected key": (
        "the line is indented differently from its neighbours,"
        " or a quote inside a quoted text is not doubled"
    ),
    "did not find expected '-' indicator": (
        "an item of a list starts with '- ', indented like the items before it"
    ),
}
# Words, what stands where it began, and what that tells.
_SIGNS = (
    (
        "did not find expected ','",
        re.compile(r"[^\r\n'\"]*?[ \t\[{,]#"),
        "the bracket that opens here is not closed: the text after ' #' is a comment",
    ),
)

# In groups; those that are surest come first.
_RULES: tuple[tuple[Rule, ...], ...] = (
    (merge_conflict,),
    (block_text,),
    *((rule,) for rule in SIGN_RULES),
    (missing_dash,),
    (continuing_text,),
    (misplaced, misplaced_usually, misplaced_lines),
    (missing_colon,),
    (other_text,),
)


def syntax_problem(excerpt: Excerpt, error: yaml.MarkedYAMLError) -> Problem:
    """Return what makes a file no YAML, at the place that an editor has to change."""
    text = excerpt.text
    passage = passage_around(text, error)
    repair = find_repair(passage, _RULES) if passage else None
    if passage and repair:
        line = passage.first + repair.line
        at = _line_start(text, line) + repair.column
        return excerpt.problem(at, "", f"is not YAML: {repair.message}")
    said, at = parser_error(error)
    hint = _hint(said, text, at)
    message = f"is not YAML: {said}"
    return excerpt.problem(at, "", f"{message}: {hint}" if hint else message)


def _line_start(text: str, number: int) -> int:
    """Return the index at which a line begins; lines are counted from 0."""
    at = 0
    for _ in range(number):
        at = text.index("\n", at) + 1
    return at


def _hint(said: str, text: str, at: int) -> str:
    for words, sign, hint in _SIGNS:
        if words in said and sign.match(text, at):
            return hint
    return next((hint for words, hint in _HINTS.items() if words in said), "")
