"""Catalogues in `cases/`, each with the expected Problems, notes and values at its head.

A line `# Expect: line:column: path: message` is one Problem, `# Expect: valid`
none, and `# Note: …` a note. A line `# Read: expression = 'value'` states what a
valid catalogue then holds, `c` being the Catalogue. Their pictures are in
`media/`.
"""

import re
from pathlib import Path

import pytest
from conftest import MEDIA, ROOT

from feeds import CatalogueError, Problem
from feeds.catalogue import read_catalogue

CASES = sorted((ROOT / "tests" / "cases").iterdir())


def said(problem: Problem) -> str:
    return str(problem).partition(":")[2].replace("note: ", "", int(problem.note))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_case_reads_as_its_head_expects(case: Path) -> None:
    """A catalogue's Problems, notes and values are those at its own head."""
    data = case.read_bytes()
    head = re.findall(
        r"^\W*# (Expect|Note|Read): (.*?)\r?$", data.decode(errors="replace"), re.MULTILINE
    )
    expected = {kind: [text for found, text in head if found == kind] for kind, _ in head}
    assert expected.get("Expect"), "a case has what it expects"
    try:
        catalogue = read_catalogue([(case.name, data)], media=MEDIA)
    except CatalogueError as error:
        assert [said(problem) for problem in error.problems] == expected["Expect"]
        return
    assert expected["Expect"] == ["valid"]
    assert [said(note) for note in catalogue.notes] == expected.get("Note", [])
    for line in expected.get("Read", []):
        expression, _, value = line.partition(" = ")
        assert str(eval(expression, {"c": catalogue})) == value  # noqa: S307  # our own files


def test_each_row_of_the_strictness_table_has_a_case() -> None:
    """Each rule on how strictly YAML is read has a case."""
    named = " ".join(case.stem for case in CASES)
    for row in (
        *("norway", "numbers", "key-twice", "no-such-day", "anchors", "merge-keys", "tags"),
        *("control-characters", "not-utf-8", "byte-order-mark", "line-ends", "day-missing"),
        *("day-or-month", "zone", "skipped-time", "repeated-time", "link", "topic-unknown"),
        *("country-unknown", "country-aliases", "unknown-key", "id-twice", "slug-twice", "depth"),
    ):
        assert row in named
