"""Repairs of lines that are not YAML, each proved by parsing them again.

A rule looks at one line of a passage, and proposes repairs. Only one after which
libyaml finds nothing wrong, or something further below, is reported: so a message
never names what is not the cause.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from feeds.catalogue import known_keys
from feeds.catalogue.passages import Passage

# Each repair that is tried costs a parse of the passage.
_CHARACTERS_PARSED = 1_500_000
_TRIALS = 120
_TRIALS_OF_A_RULE = 40

KEYS = known_keys.ALL_KEYS
ANY_OF_KEYS = "|".join(sorted(KEYS))
KEY_LINE = re.compile(
    r"""( *)(?P<dash>- +)?(?P<quote>["']?)(?P<key>[\w-]+)(?P=quote) *:(?=[ \t]|\Z)"""
)
KNOWN_KEY_LINE = re.compile(rf"( *)(?P<dash>- +)?(?P<key>{ANY_OF_KEYS}) *:(?=[ \t]|\Z)")
ITEM = re.compile("( *)- +")
BEFORE_VALUE = r"(?P<before> *(?:- +)?(?:[\w-]+ *: +)?)"


class Repair(NamedTuple):
    """What is to be changed: lines by their numbers, a place in one of them, and the message."""

    line: int
    column: int
    message: str
    changed: Mapping[int, str]


Rule = Callable[[Passage, int], Iterator[Repair]]


def find_repair(passage: Passage, groups: Sequence[Sequence[Rule]]) -> Repair | None:
    """Return the first repair that is proved, or None.

    Rules are tried in their order, each at the lines nearest to the reported place
    first. Within a group, a repair that leaves nothing wrong is preferred to one
    that leaves something further below.
    """
    trials = min(_TRIALS, _CHARACTERS_PARSED // max(sum(map(len, passage.lines)), 1))
    for group in groups:
        later = None
        for rule in group:
            for repair in islice(_repairs(rule, passage), min(_TRIALS_OF_A_RULE, trials)):
                trials -= 1
                parses = passage.parses_with(repair.changed)
                if parses:
                    return repair
                if parses is None:
                    later = later or repair
        if later:
            return later
    return None


def _repairs(rule: Rule, passage: Passage) -> Iterator[Repair]:
    for number in range(passage.at, passage.added - 1, -1):
        yield from rule(passage, number)


def rewriting(pattern: str, replacement: str, message: str) -> Rule:
    """Return a rule for one line: its match is replaced, and the message is for its group `here`."""
    compiled = re.compile(pattern)

    def rule(passage: Passage, number: int) -> Iterator[Repair]:
        found = compiled.match(passage.lines[number])
        if found:
            changed = found.expand(replacement) + found.string[found.end() :]
            text = message.format_map(found.groupdict())
            yield Repair(number, found.start("here"), text, {number: changed})

    return rule


def quoting(pattern: str, message: str) -> Rule:
    """Return a rule for a value that must be in quotes: the group `here`."""
    compiled = re.compile(BEFORE_VALUE + pattern)

    def rule(passage: Passage, number: int) -> Iterator[Repair]:
        found = compiled.fullmatch(passage.lines[number])
        if found:
            text = message.format_map(found.groupdict())
            changed = found["before"] + quoted(found["here"])
            yield Repair(number, found.start("here"), text, {number: changed})

    return rule


def quoted(text: str) -> str:
    """Return a text as a scalar in single quotes."""
    return "'" + text.strip().replace("'", "''") + "'"


def indentation(line: str) -> int:
    """Return how many spaces a line begins with."""
    return len(line) - len(line.lstrip(" "))


def indented(passage: Passage, number: int, column: int, message: str) -> Repair:
    """Return the repair that makes a line begin in a column; the message may say `{spaces}`."""
    line = passage.lines[number]
    spaces = f"with {column} space{'s' * (column > 1)}" if column else "without spaces"
    text = message.format(has=indentation(line), spaces=spaces)
    changed = {number: shifted(line, column - indentation(line))}
    return Repair(number, indentation(line), text, changed)


def shifted(line: str, by: int) -> str:
    """Return a line with more spaces before it, or fewer."""
    return " " * by + line if by > 0 else line[min(-by, indentation(line)) :]


def key_columns(passage: Passage, number: int, *, of_items: bool = False) -> list[int]:
    """Return the columns in which the nearest lines have their keys, or begin as items."""
    found = []
    for other in (*range(number - 1, -1, -1), *range(number + 1, len(passage.lines))):
        line = passage.lines[other]
        if of_items:
            found += [len(item[1])] if (item := ITEM.match(line)) else []
        else:
            found += [key.start("key")] if (key := KNOWN_KEY_LINE.match(line)) else []
    return [*dict.fromkeys(found)][:_COLUMNS]


_COLUMNS = 3
