"""A site is built in a process of its own: what is served follows it, whatever becomes of it."""

import fcntl
import os
import signal
import time
from http.client import HTTPConnection
from multiprocessing import Pipe
from pathlib import Path

import pytest
from conftest import PATIENCE, SHIPPED, Server, running, wait_until

from feeds.builder import Handover
from feeds.publisher import Publisher


def test_an_edit_is_served_though_the_builder_was_killed(tmp_path: Path) -> None:
    """What was built is served all the while, and another builder takes up the next edit."""
    file = tmp_path / "entries.yaml"
    file.write_text(SHIPPED.read_text())
    with running("feeds serve", file, tmp_path / "server") as server:
        [builder] = builders(file)
        os.kill(builder, signal.SIGKILL)
        assert b"Actuary or actor?" in asked(server)
        write(file, SHIPPED.read_text().replace("Actuary or actor?", "Actuary or actress?"))
        wait_until(lambda: b"Actuary or actress?" in asked(server))
        assert "event=builder-ended" in server.log()
        assert builders(file) != [builder]


@pytest.mark.heavy
def test_only_what_changed_is_handed_over_and_what_is_gone_is_gone(tmp_path: Path) -> None:
    """An entry is added, edited and taken away: every document is that of a new start."""
    file = tmp_path / "entries.yaml"
    text = SHIPPED.read_text()
    added = "\n- {id: new, title: New, date: 2022-01-02, summary: S, countries: [Kenya]}\n"
    file.write_text(text)
    with running("feeds serve", file, tmp_path / "server") as server:
        for wanted, present in (
            (text + added, True),
            (text + added.replace("title: New", "title: Newer"), True),
            (text, False),
        ):
            write(file, wanted)
            wait_for_status(server, "countries/ke/atom.xml", 200 if present else 404)
            with running("feeds serve", file, tmp_path / "other", url=server.url) as other:
                for path in ("atom.xml", "index.html", "countries/ke/atom.xml", "countries/id/"):
                    assert get(server, path) == get(other, path)


@pytest.mark.heavy
def test_no_builder_outlives_its_server(tmp_path: Path) -> None:
    """A server that is told to end, or is killed, leaves no process behind."""
    file = tmp_path / "entries.yaml"
    file.write_text(SHIPPED.read_text())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        with running("feeds serve", file, tmp_path / number.name) as server:
            assert len(builders(file)) == 1
            server.process.send_signal(number)
            server.process.wait(PATIENCE)
        wait_until(lambda: not builders(file))
        assert "Traceback" not in server.log()


@pytest.mark.heavy
def test_a_signal_to_the_whole_group_is_an_ordinary_stop(tmp_path: Path) -> None:
    """A service manager tells all processes to end at once: the log has no error, the code is 0."""
    file = tmp_path / "entries.yaml"
    file.write_text(SHIPPED.read_text())
    for number in (signal.SIGTERM, signal.SIGINT):
        with running("feeds serve", file, tmp_path / number.name) as server:
            tell_all(server, file, number)
            assert server.process.wait(PATIENCE) == 0
            wait_until(lambda: not builders(file))
            assert "level=error" not in server.log()
            assert "Traceback" not in server.log()


@pytest.mark.heavy
def test_a_builder_at_work_ends_with_its_follower(tmp_path: Path) -> None:
    """Told to end with all others, it waits for nothing but them, whatever it is about."""
    file = tmp_path / "entries.yaml"
    file.write_text(SHIPPED.read_text())
    lock_file = tmp_path / "server" / "state" / "history.lock"
    with (
        running("feeds serve", file, tmp_path / "server") as server,
        lock_file.open("a") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        write(file, SHIPPED.read_text().replace("Actuary or actor?", "Actuary or actress?"))
        time.sleep(1)
        tell_all(server, file, signal.SIGTERM)
        wait_until(lambda: not builders(file))


def test_a_builder_that_nobody_follows_ends_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that ends while a release is built leaves no bug in the log."""
    file = tmp_path / "entries.yaml"
    file.write_text(SHIPPED.read_text())
    ours, theirs = Pipe()
    ours.close()
    publisher = Publisher(file, stands=Handover(theirs).tell)
    with pytest.raises(SystemExit):
        publisher.refresh()
    theirs.close()
    assert "bug" not in caplog.text


def tell_all(server: Server, file: Path, number: signal.Signals) -> None:
    """Send a signal to each process of a server, to the builder a little before the others."""
    tasks = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    workers = map(int, tasks.read_text().split())
    for builder in builders(file):
        os.kill(builder, number)
    time.sleep(0.2)
    for process in (*workers, server.process.pid):
        os.kill(process, number)


def builders(file: Path) -> list[int]:
    """Give the processes that build a catalogue."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"feeds.builder" in words and os.fsencode(file) in words:
            found.append(int(process.name))
    return found


def write(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def get(server: Server, path: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        connection.request("GET", f"/{path}")
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def wait_for_status(server: Server, path: str, status: int) -> None:
    wait_until(lambda: get(server, path)[0] == status)


def asked(server: Server) -> bytes:
    return get(server, "atom.xml")[1]
