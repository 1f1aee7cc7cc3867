"""A mistake in the YAML is reported at its line, by name."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds import CatalogueError, Problem
from feeds.catalogue import read_catalogue

HEAD = """site:
  title: News
  url: https://news.example.org/
  id: tag:news.example.org,2021:t
"""
ENTRIES = """entries:
- id: a
  title: A title
  date: 24 May 2022
  summary: A summary of it
  link: https://www.example.org/a
  photo:
    url: https://example.org/a.jpg
    credit: Somebody
  body: |
    A paragraph.

    - a list
    - of things

    Another paragraph
- id: b
  title: It’s “quoted”
  date: 2022-05-23
  summary: >-
    A folded
    summary
  topics:
    - health
    - coverage
- id: c
  title: Another title
  date: 2022-05-22
  summary: Text that
    goes on here
"""
LINES = (HEAD + ENTRIES).splitlines()
KEY = re.compile(r"(?P<margin> +|- )(?P<key>[a-z]+): (?P<value>[^|>].*)")


def with_value(value: str) -> Callable[[re.Match[str]], str]:
    return lambda line: line.expand(rf"\g<margin>\g<key>: {value}")


# What is written for a line with a key and a text, and words of the message.
MISTAKES: dict[str, tuple[Callable[[re.Match[str]], str], str]] = {
    "one space more": (lambda line: f" {line[0]}", "the line must begin"),
    "three spaces more": (lambda line: f"   {line[0]}", "the line must begin"),
    "no-break spaces": (lambda line: line[0].replace(" ", "\xa0", 2), "U+00A0 NO-BREAK SPACE"),
    "no colon": (lambda line: line[0].replace(":", "", 1), "the ':' after"),
    "no space": (lambda line: line[0].replace(": ", ":", 1), "a space after the ':' is missing"),
    "another colon": (lambda line: line[0].replace(": ", "：", 1), "instead of '：'"),
    "curly quotes": (with_value(r"“Kenya: \g<value>”"), "“ ” are not quotes to YAML"),
    "brackets": (with_value(r"[New] \g<value>"), "put the whole text in quotes"),
    "a quote that ends": (with_value(r'"New" \g<value>'), "put the whole text in quotes"),
    "an apostrophe": (with_value(r"'It's \g<value>'"), "write '' for each '"),
    "an open quote": (with_value(r'"\g<value>'), "the quote that opens here is not closed"),
    "a comma": (with_value(r'"\g<value>",'), "remove the ','"),
}


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(CatalogueError) as raised:
        read_catalogue([("f", text.encode())])
    return raised.value.problems


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_reported_at_its_line(mistake: str) -> None:
    """For each kind of mistake, the message names the line and the mistake."""
    change, words = MISTAKES[mistake]
    tried = 0
    for number, line in enumerate(LINES):
        found = KEY.fullmatch(line)
        if found:
            text = "\n".join([*LINES[:number], change(found), *LINES[number + 1 :], ""])
            named = [problem.line for problem in problems(text) if words in problem.message]
            assert named == [number + 1], problems(text)
            tried += 1
    assert tried > 10


@pytest.mark.parametrize("mistake", MISTAKES)
def test_far_mistake_is_reported_as_a_near_one(mistake: str) -> None:
    """The message is the same for any number of entries before and after the mistake."""
    change, _ = MISTAKES[mistake]
    entry = "- id: c\n  title: Another title\n  date: 2022-05-22\n  summary: S\n"
    line = "  title: Another title"
    found = KEY.fullmatch(line)
    assert found
    wrong = entry.replace(line, change(found))
    near, *_ = problems(HEAD + "entries:\n" + entry + wrong + entry)
    far, *_ = problems(HEAD + "entries:\n" + entry * 1000 + wrong + entry * 1000)
    assert (far.line, far.column, far.message) == (near.line + 3996, near.column, near.message)


@given(st.text(alphabet="'\"“”[]{}:,-#|>&*!%@` \n\t\xa0ax", max_size=30), st.integers(0, 400))
def test_any_mistake_ends_in_a_problem_within_the_file(text: str, place: int) -> None:
    """For any text in any place, a message has a line and a column of the file."""
    whole = HEAD + ENTRIES
    whole = whole[:place] + text + whole[place:]
    try:
        read_catalogue([("f", whole.encode())])
    except CatalogueError as error:
        lines = whole.split("\n")
        for problem in error.problems:
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
