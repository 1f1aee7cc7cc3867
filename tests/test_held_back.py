"""Entries with a later date: when they become public, and where that is shown."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import run_feeds

from feeds import build_release
from feeds.catalogue import read_catalogue

SITE = """site:
  title: T
  url: https://news.example.org/
  id: tag:news.example.org,2021:t
  timezone: {zone}
entries:
"""


def items(text: str, as_of: datetime, zone: str = "Europe/Zurich") -> list[tuple[str, str, str]]:
    """Return the id, published and updated of each public entry of a catalogue at a moment."""
    catalogue = read_catalogue([("f", (SITE.format(zone=zone) + text).encode())])
    entries = build_release(catalogue, as_of=as_of, pages=False).feeds[0].entries
    return [(e.id, e.published.isoformat(), e.updated.isoformat()) for e in entries]


@pytest.mark.parametrize(
    ("zone", "begins", "noon"),
    [
        ("Europe/Zurich", "2026-11-27T23:00:00+00:00", "2026-11-28T12:00:00+01:00"),
        ("Asia/Tokyo", "2026-11-27T15:00:00+00:00", "2026-11-28T12:00:00+09:00"),
        ("America/Los_Angeles", "2026-11-28T08:00:00+00:00", "2026-11-28T12:00:00-08:00"),
    ],
)
def test_a_day_without_a_time_is_public_from_its_beginning(
    zone: str, begins: str, noon: str
) -> None:
    """Dated today, an entry is public in the morning of the site's zone; its timestamp is noon."""
    text = "- {id: a, title: A, date: 2026-11-28, summary: S}\n"
    begin = datetime.fromisoformat(begins)
    assert items(text, begin - timedelta(seconds=1), zone) == []
    assert items(text, begin, zone) == [("a", noon, noon)]


def test_a_day_begins_where_the_clocks_skip_midnight() -> None:
    """In a zone where a day begins at one o'clock, the entry is public from then on."""
    text = "- {id: a, title: A, date: 2018-11-04, summary: S}\n"
    begin = datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert items(text, begin - timedelta(seconds=1), "America/Sao_Paulo") == []
    assert len(items(text, begin, "America/Sao_Paulo")) == 1


def test_a_time_holds_an_entry_back_until_then() -> None:
    """An entry with a time is public from that time, not from the beginning of its day."""
    text = "- {id: a, title: A, date: 2026-11-28T12:00+01:00, summary: S}\n"
    moment = datetime(2026, 11, 28, 11, tzinfo=UTC)
    assert items(text, moment - timedelta(seconds=1)) == []
    assert len(items(text, moment)) == 1


def test_an_update_without_a_time_applies_from_the_beginning_of_its_day() -> None:
    """`updated` without a time applies from the beginning of its day."""
    text = "- {id: a, title: A, date: 2026-11-01, updated: 2026-11-28, summary: S}\n"
    begin = datetime(2026, 11, 27, 23, tzinfo=UTC)
    [(_, _, before)] = items(text, begin - timedelta(seconds=1))
    [(_, _, after)] = items(text, begin)
    assert (before[:10], after[:10]) == ("2026-11-01", "2026-11-28")


def test_the_next_release_is_due_at_the_beginning_of_the_day() -> None:
    """A release is valid until the beginning of the next entry's day."""
    text = "- {id: a, title: A, date: 2026-12-01, summary: S}\n"
    catalogue = read_catalogue([("f", (SITE.format(zone="Asia/Tokyo") + text).encode())])
    until = build_release(catalogue, as_of=datetime(2026, 11, 28, tzinfo=UTC), pages=False).until
    assert until == datetime(2026, 11, 30, 15, tzinfo=UTC)


AS_OF = datetime(2026, 11, 28, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "notes"),
    [
        ("date: 2 November 2062", ["f:7:27: note: entries[0].date (a): {}"]),
        ("date: 2027-11-30T00:00Z", ["f:7:27: note: entries[0].date (a): {}"]),
        ("date: 2027-11-27", []),
        ("date: 2022-05-24, updated: 2122-05-24", ["f:7:48: note: entries[0].updated (a): {}"]),
    ],
)
def test_a_date_more_than_a_year_ahead_is_a_note(fields: str, notes: list[str]) -> None:
    """A date more than a year ahead is noted with its line."""
    text = f"{SITE.format(zone='UTC')}- {{id: a, title: A, {fields}, summary: S}}\n"
    message = "is more than a year ahead; is the year right?"
    found = read_catalogue([("f", text.encode())], as_of=AS_OF).notes
    assert [str(note) for note in found] == [note.format(message) for note in notes]
    assert not read_catalogue([("f", text.encode())]).notes, "without a moment, nothing is ahead"


def write(folder: Path, *entries: str) -> Path:
    file = folder / "entries.yaml"
    file.write_text(SITE.format(zone="Asia/Tokyo") + "".join(entries))
    return file


def later(days: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}"


def test_every_command_reports_what_is_held_back(tmp_path: Path) -> None:
    """`check`, `list` and `export` say how many entries are held back, and when the next is due."""
    file = write(
        tmp_path,
        "- {id: old, title: A, date: 2022-05-24, summary: S}\n",
        f"- {{id: x, title: X, date: {later(3)}, summary: S}}\n",
        f"- {{id: y, title: Y, date: '{later(9)}T10:00+01:00', summary: S}}\n",
    )
    options = ("--catalogue", file, "--state", tmp_path / "state")
    line = f"2 entries held back; the next, 'x', on {later(3)}T00:00+09:00\n"
    for verb in (["list"], ["export", tmp_path / "out"], ["export", tmp_path / "out"]):
        assert run_feeds(*verb, *options).stderr == line
    assert run_feeds("check", *options).stderr == (
        f"{line}'x' becomes public at the beginning of {later(3)}, because its date has no time;"
        " for a press embargo write one\n"
    )
    write(
        tmp_path,
        "- {id: old, title: A, date: 2022-05-24, summary: S}\n",
        f"- {{id: y, title: Y, date: '{later(9)}T10:00+01:00', summary: S}}\n",
    )
    line = f"1 entry held back; the next, 'y', on {later(9)}T10:00+01:00\n"
    assert run_feeds("check", *options).stderr == line
