"""Hints for files that are not YAML: the usual cause of an error of libyaml, and its place.

The rules here are for lines that begin in the wrong column, or without a dash.
"""

import re
from collections.abc import Iterator

import yaml

from feeds.catalogue import known_keys
from feeds.catalogue.known_keys import ALL_KEYS, SECTION_NAMES
from feeds.catalogue.source import Excerpt
from feeds.catalogue.syntax_repairs import (
    CHARACTER_RULES,
    ITEM,
    KEY_LINE,
    KNOWN_KEY_LINE,
    Passage,
    Repair,
    Rule,
    find_repair,
    indentation,
    merge_conflict,
    missing_colon,
    other_text,
    parser_error,
    passage_around,
)
from feeds.errors import Problem

# By words of libyaml, for files that no rule repairs.
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
# A bracket before a comment.
_COMMENT_IN_BRACKETS = re.compile(r"[^\r\n'\"]*?[ \t\[{,]#")
_BLOCK = re.compile(r"(?P<before> *(?:- +)?)[\w-]+ *: +[|>][+-]?[0-9]?[+-]?\s*\Z")
_INDENTATION = 2
# The keys of the mappings in which all keys are known.
_CHILDREN = {
    "site": known_keys.SITE.known,
    "entries": known_keys.ENTRY.known,
    "photo": known_keys.PHOTO.known,
    "author": known_keys.PERSON.known,
}
_CONTINUES = "the line does not begin with a key: if it continues the text above, begin it {spaces}"
_MISPLACED = "the line must begin {spaces}, not with {has}, like the others at its level"
_MISPLACED_OR_TEXT = (
    "if this is a key, the line must begin {spaces}, not with {has};"
    " if it continues the text above, put the whole text in quotes"
)


def syntax_problem(excerpt: Excerpt, error: yaml.MarkedYAMLError) -> Problem:
    """Return the Problem of a file that is not YAML, at the place that an editor has to change."""
    text = excerpt.text
    passage = passage_around(text, error)
    repair = find_repair(passage, _RULES) if passage else None
    if passage and repair:
        above = text.split("\n")[: passage.first + repair.line]
        at = sum(len(line) + 1 for line in above) + repair.column
        return excerpt.problem(at, "", f"is not YAML: {repair.message}")
    said, at = parser_error(error)
    hint = _hint(said, text, at)
    message = f"is not YAML: {said}"
    return excerpt.problem(at, "", f"{message}: {hint}" if hint else message)


def _hint(said: str, text: str, at: int) -> str:
    if "did not find expected ','" in said and _COMMENT_IN_BRACKETS.match(text, at):
        return "the bracket that opens here is not closed: the text after ' #' is a comment"
    return next((hint for words, hint in _HINTS.items() if words in said), "")


def _missing_dash(passage: Passage, number: int) -> Iterator[Repair]:
    """Propose a dash before the key that other items begin with, or before a text among items."""
    line = passage.lines[number]
    key = KNOWN_KEY_LINE.match(line)
    if key and not key["dash"]:
        found = [KNOWN_KEY_LINE.match(text) for text in passage.lines]
        items = [item for item in found if item and item["dash"]]
        least = min((len(item[1]) for item in items), default=0)
        for item in items:
            if len(item[1]) == least and item["key"] == key["key"]:
                changed = item[1] + item["dash"] + line.lstrip(" ")
                message = f"a new item begins here: write '- ' before '{key['key']}:'"
                yield Repair(number, key.start("key"), message, {number: changed})
                return
    elif line.strip() and not ITEM.match(line) and not KEY_LINE.match(line):
        for other in passage.lines[max(number - 1, 0) : number + 2]:
            if (dash := ITEM.match(other)) and not KEY_LINE.match(other):
                changed = f"{dash[1]}- {line.lstrip(' ')}"
                message = "write '- ' before this item of a list"
                yield Repair(number, indentation(line), message, {number: changed})
                return


def _block_text(passage: Passage, number: int) -> Iterator[Repair]:
    """Propose other indentation for a line of a text that is introduced by `|` or `>`."""
    line = passage.lines[number]
    header, content = _block_above(passage, number)
    if not content or not line.strip() or KNOWN_KEY_LINE.match(line):
        return
    own = indentation(line)
    below = next((text for text in passage.lines[number + 1 :] if text.strip()), "")
    if number == content[0]:
        # YAML takes the column of the first line for that of all.
        inside = [passage.lines[other] for other in content]
        wanted = min(indentation(text) for text in inside if not KNOWN_KEY_LINE.match(text))
    else:
        wanted = indentation(passage.lines[content[0]])
    is_inside = own > header or indentation(below) >= wanted
    if is_inside and own not in {wanted, header + _INDENTATION}:
        yield _indented(passage, number, wanted, _CONTINUES)


def _block_above(passage: Passage, number: int) -> tuple[int, list[int]]:
    """Return the column of the key before a block's text, and the numbers of the text's lines.

    There are none if a line neither is in such a text nor interrupts it.
    """
    lines = passage.lines
    for above in range(number - 1, -1, -1):
        header = _BLOCK.match(lines[above])
        if header:
            column = indentation(header["before"])
            content = []
            for other in range(above + 1, len(lines)):
                if lines[other].strip():
                    if other != number and indentation(lines[other]) <= column:
                        break
                    content.append(other)
            return column, content if number in content else []
    return 0, []


def _continuing_text(passage: Passage, number: int) -> Iterator[Repair]:
    """Propose more indentation for a line that does not begin with a key."""
    line = passage.lines[number]
    if not line.strip() or KEY_LINE.match(line) or ITEM.match(line):
        return
    for above in range(number - 1, -1, -1):
        key = KNOWN_KEY_LINE.match(passage.lines[above])
        if key:
            wanted = key.start("key") + _INDENTATION
            if _BLOCK.match(passage.lines[above]) and above + 1 < number:
                wanted = max(wanted, indentation(passage.lines[above + 1]))
            if wanted > indentation(line):
                yield _indented(passage, number, wanted, _CONTINUES)
            return


def _misplaced(passage: Passage, number: int) -> Iterator[Repair]:
    """Propose the usual column for a line with a key, or an item, that is not in a usual one."""
    if not _is_usual(passage, number, indentation(passage.lines[number])):
        for column in _other_columns(passage, number):
            if _is_usual(passage, number, column):
                yield from _moved(passage, number, column)


def _misplaced_lines(passage: Passage, number: int) -> Iterator[Repair]:
    """Propose any column of other lines, also together with the deeper or equal lines below."""
    for column in _other_columns(passage, number):
        yield from _moved(passage, number, column)
        yield _moved_with(passage, number, column, least=indentation(passage.lines[number]))


def _other_columns(passage: Passage, number: int) -> Iterator[int]:
    """Yield the columns of other lines in which the key or the item of this one could begin."""
    line = passage.lines[number]
    key = KEY_LINE.match(line)
    if not key and not ITEM.match(line):
        return
    if not key or key["dash"]:
        columns = passage.key_columns(number, of_items=True)
    elif _is_section(passage, number):
        columns = [0]
    else:
        columns = [column for column in passage.key_columns(number) if column]
    for column in columns:
        if column != indentation(line) and not _is_swallowed(passage, number, column):
            yield column


def _is_section(passage: Passage, number: int) -> bool:
    """Check whether a line begins a section; `topics` and `countries` are also an entry's."""
    key = KEY_LINE.match(passage.lines[number])
    if not key or key["dash"] or key["key"] not in SECTION_NAMES:
        return False
    below = next((line for line in passage.lines[number + 1 :] if line.strip()), "")
    is_mapping = indentation(below) > 0 and not ITEM.match(below)
    return key["key"] in {"site", "entries"} or (is_mapping and not key["value"].strip())


def _is_usual(passage: Passage, number: int, column: int) -> bool:
    """Check whether a line in this column would be two spaces deeper than its parent."""
    if _is_section(passage, number):
        return column == 0
    item = ITEM.match(passage.lines[number])
    own = KEY_LINE.match(passage.lines[number])
    for above in range(number - 1, -1, -1):
        line = passage.lines[above]
        # An item may begin below the key that its list belongs to.
        reach = column + bool(item and not ITEM.match(line))
        if line.strip() and indentation(line) < reach:
            parent = KEY_LINE.match(line)
            if not parent:
                return False
            if parent["dash"] and not item:
                return column == parent.start("key") and _suits(own, "entries")
            usual = {0, _INDENTATION} if item else {_INDENTATION}
            if column - indentation(line) not in usual or parent["value"].strip():
                return False
            return bool(item) or _suits(own, parent["key"])
    return column == 0 and bool(item)


def _suits(own: re.Match[str] | None, parent: str) -> bool:
    """Check whether a mapping may have a key; it may have any that no mapping knows."""
    known = _CHILDREN.get(parent)
    return not own or not known or own["key"] in known or own["key"] not in ALL_KEYS


def _is_swallowed(passage: Passage, number: int, column: int) -> bool:
    """Check whether a line that began in a column would continue the text of one above."""
    for above in range(number - 1, -1, -1):
        line = passage.lines[above]
        if line.strip() and indentation(line) < column:
            key = KEY_LINE.match(line)
            return not key or (column > key.start("key") and bool(key["value"].strip()))
    return False


def _moved(passage: Passage, number: int, column: int) -> Iterator[Repair]:
    """Yield the repairs that move a line: an item with its deeper lines, then any line alone."""
    line = passage.lines[number]
    if ITEM.match(line):
        yield _moved_with(passage, number, column, least=indentation(line) + 1)
    yield _moved_with(passage, number, column, least=len(line))


def _moved_with(passage: Passage, number: int, column: int, *, least: int) -> Repair:
    """Return the repair that moves a line with those below that are at least so deep."""
    line = passage.lines[number]
    is_sure = ITEM.match(line) or KNOWN_KEY_LINE.match(line)
    changed = {}
    for below in range(number + 1, len(passage.lines)):
        other = passage.lines[below]
        if other.strip() and indentation(other) < least:
            break
        changed[below] = _shifted(other, column - indentation(line))
    repair = _indented(passage, number, column, _MISPLACED if is_sure else _MISPLACED_OR_TEXT)
    return repair._replace(changed={**changed, **repair.changed})


def _indented(passage: Passage, number: int, column: int, message: str) -> Repair:
    """Return the repair that makes a line begin in a column; the message may say `{spaces}`."""
    line = passage.lines[number]
    spaces = f"with {column} space{'s' * (column > 1)}" if column else "without spaces"
    text = message.format(has=indentation(line), spaces=spaces)
    changed = {number: _shifted(line, column - indentation(line))}
    return Repair(number, indentation(line), text, changed)


def _shifted(line: str, by: int) -> str:
    """Return a line with more spaces before it, or fewer."""
    return " " * by + line if by > 0 else line[min(-by, indentation(line)) :]


# Those that are surest come first.
_RULES: tuple[Rule, ...] = (
    merge_conflict,
    _block_text,
    *CHARACTER_RULES,
    _missing_dash,
    _continuing_text,
    _misplaced,
    _misplaced_lines,
    missing_colon,
    other_text,
)
