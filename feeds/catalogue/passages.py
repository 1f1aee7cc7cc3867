"""The lines around a mistake in YAML, few enough to be parsed again and again."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import yaml

# How much is looked at above and below the place that libyaml reports.
_LINES_ABOVE = 400
_LINES_BELOW = 40
_CHARACTERS = 150_000
# Items above the mistake, where its section begins too far above.
_ITEMS_ABOVE = 3
_SECTION = re.compile(r"(?:site|topics|countries|entries)[ \t]*:")
_DASH = re.compile("( *)- ")
_ENTRIES = "entries:"
# Of these libyaml reports where it gave up, and separately where the mistake began.
_BEGUN = (
    *("end of stream", "could not find expected ':'"),
    *("did not find expected ','", "did not find expected comment or line break"),
)


class ParserError(NamedTuple):
    """A message of libyaml, and the index of the character at fault."""

    message: str
    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Some lines of a file in which libyaml finds the same first mistake as in the file.

    `lines` are without their ends. The first `added` ones are not lines of the
    file, but the section that the others belong to. `first` is the number of
    `lines[0]` in the file, as if the added ones replaced those above. Lines and
    columns are counted from 0. `at` and `column` are where libyaml reports the
    mistake, within the passage.
    """

    lines: list[str]
    added: int
    first: int
    at: int
    column: int
    message: str

    def parses_with(self, changed: Mapping[int, str]) -> bool | None:
        """Return True if changed lines leave no mistake, None if one further below, else False."""
        lines = [changed.get(number, line) for number, line in enumerate(self.lines)]
        text = "\n".join(lines)
        error = first_error(text)
        if error is None:
            return True
        return None if text.count("\n", 0, error.place) > self.at else False


def first_error(text: str) -> ParserError | None:
    """Return the first mistake that libyaml finds in a text, or None."""
    try:
        for _ in yaml.parse(text, Loader=yaml.CBaseLoader):
            pass
    except yaml.MarkedYAMLError as error:
        return parser_error(error)
    except yaml.reader.ReaderError as error:
        return ParserError(error.reason, error.position)
    return None


def parser_error(error: yaml.MarkedYAMLError) -> ParserError:
    """Return the message of an error, with the place where the mistake begins."""
    message = error.problem or error.context or "the parser gave up"
    mark = error.problem_mark or error.context_mark
    if error.context_mark and any(words in message for words in _BEGUN):
        mark = error.context_mark
    return ParserError(message, mark.index if mark else 0)


def passage_around(text: str, error: yaml.MarkedYAMLError) -> Passage | None:
    """Return a passage with the file's first mistake, or None if it depends on lines far away."""
    message, index = parser_error(error)
    at = text.count("\n", 0, index)
    column = index - (text.rfind("\n", 0, index) + 1)
    marks = [mark for mark in (error.context_mark, error.problem_mark) if mark]
    places = [text.count("\n", 0, mark.index) for mark in marks]
    top = min((place for place in places if at - place < _LINES_ABOVE), default=at)
    end = max((place for place in places if place - at < _LINES_BELOW), default=at)
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    below = lines[top : end + _LINES_BELOW]
    for first, above in _beginnings(lines, min(top, at)):
        found = [*above, *lines[first:top], *below]
        passage = Passage(
            lines=found,
            added=len(above),
            first=first - len(above),
            at=at - first + len(above),
            column=column,
            message=message,
        )
        start = sum(map(len, found[: passage.at])) + passage.at
        if sum(map(len, found)) < _CHARACTERS and first_error("\n".join(found)) == (
            message,
            start + column,
        ):
            return passage
    return None


def _beginnings(lines: list[str], top: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines at which a passage may begin, with what to put before each."""
    low = max(top - _LINES_ABOVE, 0)
    if not low:
        yield 0, []
    sections = [number for number in range(low, top + 1) if _SECTION.match(lines[number])]
    yield from ((number, []) for number in sections[-1:])
    dashes = {
        number: len(found[1])
        for number in range(low, top + 1)
        if (found := _DASH.match(lines[number]))
    }
    least = min(dashes.values(), default=0)
    items = [number for number, indentation in dashes.items() if indentation == least]
    yield from ((number, [_ENTRIES]) for number in items[-_ITEMS_ABOVE:])
