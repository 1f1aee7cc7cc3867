"""A file that is still being written is not published incomplete, with any modification times."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import MEDIA, SHIPPED
from stores import Published

from feeds.build import wait_until_stable
from feeds.storage import fingerprint

HOUR = 3600
AGES = [-24 * HOUR, -HOUR, -0.05, 0, 0.05, HOUR, 40 * 365 * 24 * HOUR]


class Time:
    """A clock that runs a function at each sleep."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self.seconds = 0.0
        self._happens = happens

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self._happens()


def written_slowly(file: Path, body: bytes, age: float, steps: int) -> Iterator[None]:
    """Write a part of a file at each step, and set its modification time to some seconds ago."""
    for step in range(1, steps + 1):
        with file.open("ab" if step > 1 else "wb") as opened:
            opened.write(body[len(body) * (step - 1) // steps : len(body) * step // steps])
        moment = time.time() - age
        os.utime(file, (moment, moment))
        yield


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("name", ["entries.yaml", "media/market.png"])
def test_a_half_written_file_is_waited_for(
    name: str, age: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fingerprint is that of a file that has stopped changing."""
    (tmp_path / "media").mkdir()
    file = tmp_path / "entries.yaml"
    body = SHIPPED.read_bytes() if name == "entries.yaml" else (MEDIA / "market.png").read_bytes()
    file.write_bytes(SHIPPED.read_bytes())
    writing = written_slowly(tmp_path / name, body, age, 8)
    next(writing)
    clock = Time(lambda: next(writing, None))
    monkeypatch.setattr(time, "sleep", clock.sleep)
    monkeypatch.setattr(time, "monotonic", clock.monotonic)
    found = wait_until_stable(file)
    assert (tmp_path / name).read_bytes() == body
    assert found == fingerprint(file)


def test_a_file_that_is_written_for_ever_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting ends after two seconds."""
    file = tmp_path / "entries.yaml"
    file.write_bytes(SHIPPED.read_bytes())

    def write() -> None:
        file.write_bytes(file.read_bytes() + b"\n")
        # So that it seems new, however long this test is kept waiting.
        os.utime(file, (time.time() + HOUR, time.time() + HOUR))

    write()
    clock = Time(write)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    monkeypatch.setattr(time, "monotonic", clock.monotonic)
    assert wait_until_stable(file) == fingerprint(file)
    assert 1.9 < clock.seconds < 2.2


def test_a_time_in_the_future_does_not_publish_half_a_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release has the last entry of a catalogue that was still being written when the change was detected."""
    file = tmp_path / "entries.yaml"
    text = SHIPPED.read_text()
    half = text.rindex("\n- id:") + 1
    last = text[half:].split()[2]
    writing = iter([text[:half], text])

    def write() -> None:
        if part := next(writing, None):
            file.write_text(part)
            os.utime(file, (time.time() + HOUR, time.time() + HOUR))

    write()
    monkeypatch.setattr(time, "sleep", Time(write).sleep)
    publisher = Published(file, state=tmp_path / "state")
    publisher.refresh()
    assert f"entries/{last}/index.html" in publisher.shown()
