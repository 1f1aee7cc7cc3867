"""Addresses that were public and are no longer published are noted."""

from pathlib import Path

import pytest
from conftest import run_feeds

SITE = """site:
  title: T
  url: https://news.example.org/
  id: tag:news.example.org,2021:t
{more}topics: {{floors: Floors, walls: Walls}}
entries:
"""
ENTRIES = """- {id: kenya-law, title: A, date: 2022-05-24, summary: S, topics: [floors], countries: [Kenya]}
- {id: b, title: B, date: 2022-05-25, summary: S, topics: [floors, walls], countries: [Togo]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a catalogue that has been exported."""
    file = tmp_path / "entries.yaml"
    file.write_text(SITE.format(more="") + ENTRIES)
    done = run_feeds("export", tmp_path / "out", "--catalogue", file, "--state", tmp_path / "state")
    assert done.returncode == 0, done.stderr
    return file


def notes(file: Path, *options: str) -> list[str]:
    """Return what `feeds check` notes on addresses."""
    state = file.parent / "state"
    done = run_feeds("check", *options, "--catalogue", file, "--state", state)
    assert done.returncode == 0, done.stderr
    return [line.partition("note: ")[2] for line in done.stderr.splitlines()]


def edit(file: Path, *changes: tuple[str, str], more: str = "") -> None:
    text = SITE.format(more=more) + ENTRIES
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


def test_nothing_is_noted_of_an_unchanged_catalogue(file: Path) -> None:
    """An address that is still published has no note."""
    assert notes(file) == []


def test_a_changed_id_is_noted_with_the_line_to_add(file: Path) -> None:
    """A changed id is noted with the id that replaces it."""
    edit(file, ("id: kenya-law", "id: kenya-laws"))
    [note] = notes(file)
    assert note == (
        "site: 'entries/kenya-law/' was public and is gone: restore the id 'kenya-law', add"
        " 'entries/kenya-law/: entries/kenya-laws/' under 'moved', or add '- entries/kenya-law/'"
        " under 'retired'"
    )
    edit(
        file,
        ("id: kenya-law", "id: kenya-laws"),
        more="  moved: {entries/kenya-law/: entries/kenya-laws/}\n",
    )
    assert notes(file) == []


def test_a_removed_entry_is_noted_until_it_is_retired(file: Path) -> None:
    """A removed entry, and a country that only it had, are noted unless they are retired."""
    removed = (ENTRIES.splitlines(keepends=True)[0], "")
    edit(file, removed)
    gone = ["countries/ke/", "entries/kenya-law/"]
    assert [note.split("'")[1] for note in notes(file)] == gone
    edit(file, removed, more=f"  retired: [{', '.join(gone)}]\n")
    assert notes(file) == []


def test_a_topic_whose_slug_changed_is_noted_once(file: Path) -> None:
    """A topic's feeds and its feeds in countries are one note."""
    edit(file, ("walls: Walls", "roofs: Roofs"), ("walls]", "roofs]"))
    [note] = notes(file)
    assert note == (
        "site: 'topics/walls/' was public and is gone: restore 'walls', add"
        " 'topics/walls/: topics/roofs/' under 'moved', or add '- topics/walls/' under 'retired'"
    )


def test_an_emptied_combination_is_not_noted(file: Path) -> None:
    """A topic in a country that has no entry any more is not noted."""
    edit(file, ("[floors, walls]", "[walls]"))
    assert notes(file) == []


def test_what_is_held_back_is_not_gone(file: Path) -> None:
    """An entry whose date is moved to the future has no note."""
    edit(file, ("2022-05-24", "2036-05-24"))
    state = file.parent / "state"
    done = run_feeds("check", "--catalogue", file, "--state", state)
    assert "was public" not in done.stderr


def test_addresses_of_another_url_do_not_count(file: Path) -> None:
    """Addresses under another site URL are not compared."""
    edit(file, ("id: kenya-law", "id: kenya-laws"))
    assert notes(file, "--url", "http://127.0.0.1:8000/") == []


def test_strict_refuses_notes_and_writes_nothing(file: Path) -> None:
    """With `--strict`, a note is an error of `check` and `export`, and nothing is written."""
    edit(file, ("id: kenya-law", "id: kenya-laws"))
    options = ("--strict", "--catalogue", file, "--state", file.parent / "state")
    history = (file.parent / "state" / "history.tsv").read_bytes()
    for verb in (["check"], ["export", file.parent / "out"], ["export", file.parent / "new"]):
        done = run_feeds(*verb, *options)
        assert done.returncode == 1
        assert done.stderr.endswith("1 note (refused by --strict)\n")
    assert not (file.parent / "out" / "entries" / "kenya-laws").exists()
    assert not (file.parent / "new" / "index.html").exists()
    assert (file.parent / "state" / "history.tsv").read_bytes() == history
    edit(file)
    assert run_feeds("export", file.parent / "out", *options).returncode == 0


def test_a_problem_is_told_without_the_notes_unless_strict(file: Path) -> None:
    """With a Problem, `check --strict` counts both."""
    edit(file, ("countries: [Togo]", "countries: [Togoland]"), more="  footer:\n")
    options = ("--catalogue", file, "--state", file.parent / "state")
    assert run_feeds("check", *options).stderr.endswith("\n1 problem\n")
    done = run_feeds("check", "--strict", *options)
    assert done.stderr.endswith("\n1 problem, 1 note (refused by --strict)\n")
