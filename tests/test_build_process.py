"""A site is built in a separate process, and serving survives the end of that process."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest
from conftest import PATIENCE, ROOT, Server, running, shortened, wait_until
from processes import build_processes, children, tell_all
from stores import asked

TEXT = shortened("actuary-or-actor", "indonesia-journalists-unemployment-benefit")
SOON = "\n- {{id: soon, title: Soon, date: {}, summary: S}}\n"


def edited(word: str) -> str:
    return TEXT.replace("Actuary or actor?", f"Actuary or {word}?")


def test_an_edit_is_served_though_the_build_process_was_killed(tmp_path: Path) -> None:
    """When the build process is killed, the site stays served, and a new process builds the next edit."""
    file = tmp_path / "entries.yaml"
    file.write_text(TEXT)
    with running("feeds serve", file, tmp_path / "server") as server:
        [builder] = build_processes(file)
        os.kill(builder, signal.SIGKILL)
        assert b"Actuary or actor?" in feed(server)
        write(file, edited("actress"))
        wait_until(lambda: b"Actuary or actress?" in feed(server))
        assert server.log().count("event=build-process-ended code=-9") == 1
        [another] = build_processes(file)
        assert another != builder


@pytest.mark.heavy
def test_what_is_changed_is_changed_and_what_is_gone_is_gone(tmp_path: Path) -> None:
    """After an entry is added, edited and removed, every document equals that of a fresh start."""
    file = tmp_path / "entries.yaml"
    added = "\n- {id: new, title: New, date: 2022-01-02, summary: S, countries: [Kenya]}\n"
    file.write_text(TEXT)
    with running("feeds serve", file, tmp_path / "server") as server:
        for wanted, shown in (
            (TEXT + added, b"<title>New</title>"),
            (TEXT + added.replace("title: New", "title: Newer"), b"<title>Newer</title>"),
            (TEXT, b"404 Not Found"),
        ):
            write(file, wanted)
            wait_until(lambda shown=shown: shown in get(server, "countries/ke/atom.xml")[1])  # type: ignore[misc]
            folder = tmp_path / str(len(shown))
            with running("feeds serve", file, folder, url=server.url) as other:
                for path in ("atom.xml", "index.html", "countries/ke/atom.xml", "countries/id/"):
                    assert get(server, path) == get(other, path)


@pytest.mark.heavy
def test_no_build_process_outlives_its_server(tmp_path: Path) -> None:
    """A server that is stopped or killed leaves no process running."""
    file = tmp_path / "entries.yaml"
    file.write_text(TEXT)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        with running("feeds serve", file, tmp_path / number.name) as server:
            assert len(build_processes(file)) == 1
            server.process.send_signal(number)
            server.process.wait(PATIENCE)
        wait_until(lambda: not build_processes(file))
        assert "Traceback" not in server.log()


@pytest.mark.heavy
def test_a_signal_to_the_whole_group_is_an_ordinary_stop(tmp_path: Path) -> None:
    """If all processes get SIGTERM at once, the log has no error and the exit code is 0."""
    file = tmp_path / "entries.yaml"
    file.write_text(TEXT)
    for number in (signal.SIGTERM, signal.SIGINT):
        with running("feeds serve", file, tmp_path / number.name) as server:
            tell_all(server, file, number)
            assert server.process.wait(PATIENCE) == 0
            wait_until(lambda: not build_processes(file))
            assert "level=error" not in server.log()
            assert "Traceback" not in server.log()


@pytest.mark.heavy
def test_a_build_process_at_work_ends_with_its_server(tmp_path: Path) -> None:
    """On SIGTERM the build process waits only for the workers to end, even during a build."""
    file = tmp_path / "entries.yaml"
    file.write_text(TEXT)
    lock_file = tmp_path / "server" / "state" / "history.lock"
    with (
        running("feeds serve", file, tmp_path / "server") as server,
        lock_file.open("a") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        write(file, TEXT.replace("Actuary or actor?", "Actuary or actress?"))
        time.sleep(1)
        tell_all(server, file, signal.SIGTERM)
        wait_until(lambda: not build_processes(file))


@pytest.mark.heavy
def test_a_build_process_that_is_stopped_is_replaced(tmp_path: Path) -> None:
    """If only the build process gets SIGTERM, it ends without an error, and the next edit is served."""
    file = tmp_path / "entries.yaml"
    file.write_text(TEXT)
    with running("feeds serve", file, tmp_path / "server") as server:
        [builder] = build_processes(file)
        os.kill(builder, signal.SIGTERM)
        wait_until(lambda: builder not in build_processes(file))
        write(file, edited("actress"))
        wait_until(lambda: b"Actuary or actress?" in feed(server))
        assert "level=error" not in server.log()


def test_workers_share_one_build_process_whichever_dies(tmp_path: Path) -> None:
    """Two workers share one build process, also after the worker that started it was killed."""
    file = tmp_path / "entries.yaml"
    file.write_text(TEXT)
    with running("feeds serve", file, tmp_path / "server", workers=2) as server:
        [builder] = build_processes(file)
        workers = children(server.process.pid)
        assert len(workers) == 2
        [parent] = {*workers} & {parent_of(builder)}
        os.kill(parent, signal.SIGKILL)
        wait_until(lambda: len(children(server.process.pid)) == 2)
        write(file, edited("actress"))
        wait_until(lambda: all(b"Actuary or actress?" in feed(server) for _ in range(10)))
        assert build_processes(file) == [builder]
        assert server.log().count("event=published") == 2


FORKED = """
import os, sys, threading, time
from pathlib import Path
from feeds import create_app
spawn, begun = os.posix_spawn, threading.Event()
def slowly(*arguments, **settings):
    begun.set()
    time.sleep(0.5)
    return spawn(*arguments, **settings)
def is_lock(fd):
    try:
        return os.path.samestat(os.fstat(fd), lock)
    except OSError:
        return False
os.posix_spawn = slowly
# It ends the new process before the site starts a thread there.
os.register_at_fork(after_in_child=lambda: os._exit(any(map(is_lock, range(3, 100)))))
file = Path(sys.argv[1])
app = create_app(file)
begun.wait()
[lock] = [path.stat() for path in file.parent.glob(".feeds/site-*/build.lock")]
found = os.waitstatus_to_exitcode(os.waitpid(os.fork(), 0)[1])
app.close()
sys.exit(found)
"""


def test_a_worker_that_is_forked_while_a_build_process_starts_does_not_keep_its_lock(
    tmp_path: Path,
) -> None:
    """If it did, no other build process could start when that one ends."""
    file = tmp_path / "entries.yaml"
    file.write_text(TEXT)
    command = [sys.executable, "-W", "ignore", "-c", FORKED, str(file)]
    done = subprocess.run(command, cwd=ROOT, timeout=PATIENCE, check=False)
    assert done.returncode == 0


def test_an_app_follows_its_catalogue_by_itself(tmp_path: Path) -> None:
    """An edit, a reload request and the end of an embargo are published; closing ends all processes."""
    file = tmp_path / "entries.yaml"
    file.write_text(TEXT)
    with asked(file, tmp_path / "state") as client:
        soon = datetime.now(UTC) + timedelta(seconds=3)
        write(file, TEXT + SOON.format(soon.isoformat(timespec="milliseconds")))
        wait_until(lambda: client.get("/entries/soon/").status_code == 200)
        assert datetime.now(UTC) >= soon.replace(microsecond=0)
        write(file, edited("actress"))
        wait_until(lambda: b"actress" in client.get("/atom.xml").data)
        assert len(build_processes(file)) == 1
    assert not build_processes(file)
    assert not [thread for thread in threading.enumerate() if thread.name == "feeds-site"]


def test_a_forked_process_follows_the_catalogue_too(tmp_path: Path) -> None:
    """After a preloading server forks, every process serves the newest release, and one process builds."""
    file = tmp_path / "entries.yaml"
    file.write_text(TEXT)
    code = (
        "import os, sys, time\n"
        "from feeds import create_app\n"
        "app = create_app(sys.argv[1]); client = app.test_client()\n"
        "end = time.monotonic() + 60\n"
        "while client.get('/healthz').status_code != 200: assert time.monotonic() < end\n"
        "child = os.fork()\n"
        "if child: sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "print('ready', flush=True)\n"
        "while b'actress' not in client.get('/atom.xml').data:\n"
        "    assert time.monotonic() < end\n"
        "    time.sleep(0.02)\n"
        "os._exit(7)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, file],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        write(file, edited("actress"))
        wait_until(lambda: process.poll() is not None)
        assert process.returncode == 7
        assert len(build_processes(file)) <= 1
    wait_until(lambda: not build_processes(file))


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


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


def feed(server: Server) -> bytes:
    return get(server, "atom.xml")[1]
