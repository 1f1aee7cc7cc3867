"""A catalogue that is a folder of files."""

import pytest

from feeds import CatalogueError
from feeds.catalogue import read_catalogue

SITE = "site:\n  title: T\n  url: https://news.example.org/\n  id: tag:news.example.org,2021:t\n"
ENTRIES = "entries:\n- id: a\n  title: A title\n  date: 2022-05-24T09:00Z\n  summary: S.\n"


def problems(**files: str) -> list[str]:
    """Return the Problems of a folder of files."""
    try:
        read_catalogue([(name, text.encode()) for name, text in files.items()])
    except CatalogueError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_what_stands_once_is_named_by_its_key() -> None:
    """A section in a second file is a Problem that names the line and column of the first."""
    assert problems(a=f"\n# ours\n{SITE}", b=ENTRIES, c=SITE) == [
        "c:1:1: site: is also in another file, at a:3:1"
    ]


@pytest.mark.parametrize("empty", ["", "\n", "# nothing yet\n", "\ufeff"])
def test_an_empty_file_needs_nothing_beside_others(empty: str) -> None:
    """An empty file is accepted if the other files are complete."""
    assert not problems(a=empty, b=SITE + ENTRIES, c=empty)
    assert problems(a=empty, b=ENTRIES) == ["a:1:1: site: is missing"]


def test_empty_files_alone_lack_everything() -> None:
    """A folder of empty files lacks the required sections."""
    assert problems(a="", b="# nothing\n") == [
        "a:1:1: site: is missing",
        "a:1:1: entries: is missing; a catalogue without entries has the line 'entries: []'",
    ]
