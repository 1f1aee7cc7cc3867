"""The history: since when the bytes at an address have been public."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import PATIENCE

from feeds.history import History, Outdated

A, B = "https://news.example.org/atom.xml", "https://news.example.org/rss.xml"
START = datetime(2026, 11, 1, 12, 0, 0, 400_000, tzinfo=UTC)


def record(folder: Path, seconds: float, etags: dict[str, str]) -> dict[str, float]:
    """Record so many seconds after the start; return moments in seconds after the start."""
    found = History(folder, timeout=PATIENCE).record(
        etags,
        clock=lambda: START + timedelta(seconds=seconds),
        sleep=lambda _: None,
        current=lambda: True,
    )
    whole = START.replace(microsecond=0)
    return {address: (moment - whole).total_seconds() for address, moment in found.items()}


def never(seconds: float) -> None:
    """Fail: this test must not sleep."""
    raise AssertionError(seconds)


def test_a_moment_is_when_these_bytes_first_appeared(tmp_path: Path) -> None:
    """New bytes get the current second; unchanged bytes keep their moment, in any process."""
    assert record(tmp_path, 0, {A: "1", B: "1"}) == {A: 0, B: 0}
    assert record(tmp_path, 10, {A: "2", B: "1"}) == {A: 10, B: 0}
    assert record(tmp_path, 99, {A: "2", B: "1"}) == {A: 10, B: 0}
    assert record(tmp_path, 99, {A: "1", B: "1"}) == {A: 99, B: 0}


def test_each_change_is_at_least_a_second_later(tmp_path: Path) -> None:
    """Changes within one second, or after the clock was set back, get later moments."""
    assert record(tmp_path, 0, {A: "1"}) == {A: 0}
    assert record(tmp_path, 0.1, {A: "2"}) == {A: 1}
    assert record(tmp_path, 0.2, {A: "3"}) == {A: 2}
    assert record(tmp_path, -3600, {A: "4"}) == {A: 3}


def test_what_comes_back_unchanged_has_its_old_moment(tmp_path: Path) -> None:
    """An address that was withdrawn and returns unchanged keeps its moment."""
    record(tmp_path, 0, {A: "1", B: "1"})
    record(tmp_path, 10, {A: "2"})
    assert record(tmp_path, 20, {A: "2", B: "1"}) == {A: 10, B: 0}


def test_what_is_no_longer_current_is_not_remembered(tmp_path: Path) -> None:
    """A process with outdated bytes does not record them after the new ones."""
    record(tmp_path, 0, {A: "1"})
    late = START + timedelta(seconds=10)
    with pytest.raises(Outdated):
        History(tmp_path).record({A: "0"}, clock=lambda: late, sleep=never, current=lambda: False)
    assert record(tmp_path, 20, {A: "1"}) == {A: 0}


def test_what_is_about_to_begin_is_waited_for(tmp_path: Path) -> None:
    """A second change within one second waits for the next, and is recorded if it is still current."""
    record(tmp_path, 0, {A: "1"})
    begun = START + timedelta(seconds=0.1)
    moments = [begun]

    def sleep(seconds: float) -> None:
        moments.append(moments[-1] + timedelta(seconds=seconds))

    def current() -> bool:
        return moments[-1] < START + timedelta(seconds=3)

    def change(etag: str) -> datetime:
        return History(tmp_path).record(
            {A: etag}, clock=lambda: moments[-1], sleep=sleep, current=current
        )[A]

    assert change("2") == moments[-1] == START.replace(microsecond=0) + timedelta(seconds=1)
    moments.append(START + timedelta(seconds=2.9))
    change("3")
    with pytest.raises(Outdated):
        change("4")
    assert record(tmp_path, 9, {A: "3"}) == {A: 3}


def test_what_is_far_ahead_is_not_waited_for(tmp_path: Path) -> None:
    """If the history is an hour ahead of the clock, recording does not wait."""
    record(tmp_path, 3600, {A: "1"})
    found = History(tmp_path).record(
        {A: "1"}, clock=lambda: START, sleep=never, current=lambda: True
    )
    assert found[A] > START + timedelta(seconds=3590)


def test_a_damaged_line_costs_its_own_memory_alone(tmp_path: Path) -> None:
    """A damaged line of the history loses only its own record."""
    record(tmp_path, 0, {A: "1", B: "1"})
    file = tmp_path / "history.tsv"
    for damage in ("", "nonsense", f"{A}\t1", f"{A}\t1\tnever", f"{A}\t1\t2026-11-01T12:00:00"):
        lines = file.read_bytes().splitlines()[2:]
        file.write_bytes(b"\n".join([damage.encode(), b"\xff\xfe\x00", *lines]) + b"\n")
        assert record(tmp_path, 30, {A: "1", B: "1"})[B] == 0
    file.write_text(f"{A}\t1\t9999-12-31T23:59:59+00:00\n")
    assert record(tmp_path, 30, {A: "2"}) == {A: 30}


def test_the_file_is_for_people_too(tmp_path: Path) -> None:
    """The history has one line for each address, sorted."""
    record(tmp_path, 0, {B: "1", A: "2"})
    assert (tmp_path / "history.tsv").read_text() == (
        "# feeds history 1: address, ETag, when these bytes first appeared there\n"
        f"{A}\t2\t2026-11-01T12:00:00+00:00\n"
        f"{B}\t1\t2026-11-01T12:00:00+00:00\n"
    )


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    """Of changes that are recorded concurrently, each has its own second."""

    def change(number: int) -> float:
        return record(tmp_path, 0, {A: str(number), f"{A}?{number}": "1"})[A]

    with ThreadPoolExecutor(8) as pool:
        moments = list(pool.map(change, range(100)))
    assert sorted(moments) == list(range(100))
    assert len((tmp_path / "history.tsv").read_text().splitlines()) == 1 + 1 + 100
    assert {path.name for path in tmp_path.iterdir()} == {"history.tsv", "history.lock"}


def test_without_a_place_there_is_no_memory(tmp_path: Path) -> None:
    """A folder that cannot be created raises OSError."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        record(tmp_path / "file" / "state", 0, {A: "1"})


def test_a_fork_does_not_keep_the_lock(tmp_path: Path) -> None:
    """A process that is forked during a recording does not keep the lock."""
    children = []

    def current() -> bool:
        children.append(os.fork())
        if children[-1] == 0:
            time.sleep(10 * PATIENCE)
            os._exit(0)
        return True

    History(tmp_path).record({A: "1"}, clock=lambda: START, sleep=never, current=current)
    assert record(tmp_path, 5, {A: "2"}) == {A: 5}
    os.kill(children[0], signal.SIGKILL)
    os.waitpid(children[0], 0)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-01T14:00:05+02:00",
        "2026-11-01T12:00:05Z",
        "2026-11-01T06:30:05.999999-05:30",
        "20261101T120005,5+0000",
        "2026-11-01T12:00:15+00:00:10",
    ],
)
def test_a_moment_is_the_same_however_it_is_written(text: str, tmp_path: Path) -> None:
    """Moments with another offset, or a fraction of a second, are read as UTC to the second."""
    (tmp_path / "history.tsv").write_text(f"{A}\t1\t{text}\n")
    found = History(tmp_path).record(
        {A: "1"}, clock=lambda: START + timedelta(days=1), sleep=never, current=lambda: True
    )[A]
    assert (found.isoformat(), found.tzinfo) == ("2026-11-01T12:00:05+00:00", UTC)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9998-12-31T23:59:59-24:00", "x"])
def test_a_moment_that_no_date_has_is_forgotten(text: str, tmp_path: Path) -> None:
    """A line whose moment does not exist in UTC loses only its own record."""
    (tmp_path / "history.tsv").write_text(f"{A}\t1\t{text}\n")
    assert record(tmp_path, 0, {A: "1"}) == {A: 0}
