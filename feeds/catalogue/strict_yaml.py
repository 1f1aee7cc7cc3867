"""YAML text → nodes whose scalars are all still text, or Problems.

A catalogue has no anchors, aliases, tags or second document, and little depth.
That is checked over the parser's events, before anything is composed: composing
is where an alias multiplies and where libyaml's recursion meets its stack.
"""

from collections.abc import Iterator

import yaml

from feeds.catalogue.source import Source
from feeds.errors import Problem

Node = yaml.nodes.Node

_DEPTH = 16

# libyaml's words, and what an editor has usually done.
_HINTS = {
    "mapping values are not allowed in this context": "a text with ': ' in it must stand in quotes",
    "could not find expected ':'": "a ':' after the key is missing, or a quote is not closed",
    "found unexpected end of stream": "the quote that opens here is not closed",
    "found character that cannot start any token": (
        "indent with spaces, not tabs; a text that starts with @, ` or % must stand in quotes"
    ),
    "did not find expected key": (
        "the line is indented differently from its neighbours,"
        " or a quote inside a quoted text is not doubled"
    ),
    "did not find expected '-' indicator": (
        "an item of a list starts with '- ', indented like the items before it"
    ),
}


def compose(source: Source, problems: list[Problem]) -> Node | None:
    """Give the root node of a file, or None when Problems made that impossible."""
    before = len(problems)
    try:
        problems += _refused(source)
        if len(problems) > before:
            return None
        return yaml.compose(source.text, Loader=yaml.CBaseLoader)
    except yaml.MarkedYAMLError as error:
        problems.append(_syntax_problem(source, error))
    except yaml.reader.ReaderError as error:
        problems.append(source.problem(error.position, "", f"is not YAML: {error.reason}"))
    return None


def _refused(source: Source) -> Iterator[Problem]:
    depth = documents = 0
    for event in yaml.parse(source.text, Loader=yaml.CBaseLoader):
        kind = type(event)
        if kind is yaml.ScalarEvent:
            if event.tag is None and event.anchor is None:
                continue
        elif kind is yaml.SequenceStartEvent or kind is yaml.MappingStartEvent:
            depth += 1
        elif kind is yaml.SequenceEndEvent or kind is yaml.MappingEndEvent:
            depth -= 1
            continue
        elif kind is yaml.DocumentStartEvent:
            documents += 1
        index = event.start_mark.index
        if depth > _DEPTH:
            yield source.problem(index, "", f"is nested more than {_DEPTH} deep")
            return
        if documents > 1:
            yield source.problem(index, "", "a second document starts here; a file has one")
            return
        if kind is yaml.AliasEvent:
            yield source.problem(
                index, "", f"the alias *{event.anchor}: write out what it stands for"
            )
        elif getattr(event, "anchor", None) is not None:
            yield source.problem(
                index, "", f"the anchor &{event.anchor}: a catalogue has none; quote text with &"
            )
        elif getattr(event, "tag", None) is not None:
            yield source.problem(
                index, "", f"the tag {event.tag}: a catalogue has none; quote text with !"
            )


def _syntax_problem(source: Source, error: yaml.MarkedYAMLError) -> Problem:
    said = error.problem or error.context or "the parser gave up"
    mark = error.problem_mark or error.context_mark
    if "end of stream" in said:
        # Where the quote was opened, not the end of the file.
        mark = error.context_mark or mark
    hint = next((hint for words, hint in _HINTS.items() if words in said), None)
    message = f"is not YAML: {said}"
    return source.problem(mark.index if mark else 0, "", f"{message}: {hint}" if hint else message)
