"""A served site over time: edits, embargoes, signals, slow clients, and the log."""

import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from conftest import (
    PATIENCE,
    ROOT,
    SHIPPED,
    Server,
    free_port,
    run_feeds,
    running,
    wait_for,
    wait_until,
)
from processes import children

BROKEN = "entries: [\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write(tmp_path / "entries.yaml", SHIPPED.read_text())
    return tmp_path / "entries.yaml"


@pytest.fixture(
    params=[
        ("feeds serve", 1),
        pytest.param(("feeds serve", 2), marks=pytest.mark.heavy),
        pytest.param(("gunicorn", 2), marks=pytest.mark.heavy),
    ],
    ids=lambda param: f"{param[0]} {param[1]}",
)
def server(request: pytest.FixtureRequest, file: Path, tmp_path: Path) -> Iterator[Server]:
    kind, workers = request.param
    with running(kind, file, tmp_path / "server", workers=workers) as found:
        yield found


def everywhere(server: Server, before: int) -> None:
    """Wait until each worker serves the last release; `before` is the earlier length of the log.

    Each worker logs each release that it takes over.
    """
    published = re.compile(r"event=published (release=\S+)")
    wait_until(lambda: published.search(server.log(), before))
    release = published.findall(server.log(), before)[-1]
    serving = re.compile(f"event=serving {release}\n")
    wait_until(lambda: len(serving.findall(server.log(), before)) >= server.workers)


def write(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def edited(word: str) -> str:
    return SHIPPED.read_text().replace("Actuary or actor?", f"Actuary or {word}?")


def ask(server: Server, path: str, headers: dict[str, str] | None = None) -> HTTPResponse:
    """Request once, on a new connection; the body is in `body`."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", path, headers=headers or {})
    response = connection.getresponse()
    response.body = response.read()  # type: ignore[attr-defined]
    connection.close()
    return response


def health(server: Server) -> dict[str, object]:
    reported: dict[str, object] = json.loads(body(ask(server, "/healthz")))
    return reported


def body(response: HTTPResponse) -> bytes:
    found: bytes = response.body  # type: ignore[attr-defined]
    return found


def lines(server: Server, event: str) -> list[str]:
    return [line for line in server.log().splitlines() if f" event={event} " in line]


def test_an_edit_is_served(server: Server, file: Path) -> None:
    """After an edit of the file, every worker serves it."""
    old = ask(server, "/atom.xml")
    before = len(server.log())
    write(file, edited("actress"))
    everywhere(server, before)
    assert b"actress" in body(ask(server, "/atom.xml"))
    new = ask(server, "/atom.xml")
    assert new.getheader("ETag") != old.getheader("ETag")
    assert new.getheader("Last-Modified") != old.getheader("Last-Modified")
    unchanged = ask(server, "/countries/id/atom.xml", {"If-None-Match": "*"})
    assert unchanged.getheader("Last-Modified") == old.getheader("Last-Modified")


@pytest.mark.heavy
def test_an_edit_is_served_within_two_seconds(server: Server, file: Path) -> None:
    """Every worker serves an edit within two seconds on an idle machine."""
    before = len(server.log())
    write(file, edited("actress"))
    begun = time.monotonic()
    everywhere(server, before)
    assert time.monotonic() - begun < 2


def test_a_broken_catalogue_is_reported_and_not_served(server: Server, file: Path) -> None:
    """A broken catalogue leaves the site served; the log and `/healthz` report it; a correction is served."""
    old = ask(server, "/atom.xml")
    write(file, edited("actress").replace("date: 24 May 2022", "date: 32 May 2022"))
    wait_until(lambda: lines(server, "broken"))
    assert health(server)["status"] == "degraded"
    assert ask(server, "/healthz").status == 200
    failure = health(server)["failure"]
    assert isinstance(failure, dict)
    assert datetime.fromisoformat(failure.pop("at")) <= datetime.now(UTC)
    assert failure == {"problems": 1, "place": "entries.yaml:37:9"}
    [line] = lines(server, "broken")
    assert re.fullmatch(
        rf'time=\S+ level=error event=broken problems=1 first="{file}:37:9: entries\[0\]\.date \(jordan-ilo-agreement\): .+"'
        r" serving=[0-9a-f]{16}",
        line,
    )
    again = ask(server, "/atom.xml", {"If-None-Match": str(old.getheader("ETag"))})
    assert again.status == 304
    before = len(server.log())
    write(file, edited("actress"))
    everywhere(server, before)
    assert b"actress" in body(ask(server, "/atom.xml"))
    assert health(server)["status"] == "ok"


def test_an_embargo_ends_in_every_worker(server: Server, file: Path) -> None:
    """An entry under embargo is served by every worker at its time, not before, without an edit."""
    moment, paths = embargoed(server, file)
    wait_until(lambda: datetime.now(UTC) > moment)
    for path in paths:
        # Each worker in its turn: so many answers in a row come from all of them.
        wait_until(lambda path=path: all(public(server, path) for _ in range(10)))  # type: ignore[misc]


@pytest.mark.heavy
def test_an_embargo_ends_within_a_second(server: Server, file: Path) -> None:
    """An embargo ends in every worker within a second on an idle machine."""
    moment, paths = embargoed(server, file)
    time.sleep(max((moment - datetime.now(UTC)).total_seconds(), 0) + 1)
    assert all(public(server, path) for _ in range(10) for path in paths)


def public(server: Server, path: str) -> bool:
    """Check whether an answer has the entry and the ordinary max-age."""
    answer = ask(server, path)
    return b"A secret" in body(answer) and max_age(answer) == 900


def embargoed(server: Server, file: Path) -> tuple[datetime, tuple[str, ...]]:
    """Add an entry under embargo; return the end of the embargo, and a path with the entry.

    Until then no answer has the entry, or may be kept for longer.
    """
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=6)
    secret = (
        f"- id: the-secret\n  title: A secret\n  date: {moment.isoformat()}\n"
        "  summary: Hush.\n  topics: [financing]\n  countries: [Togo]\n\n"
    )
    paths = ("/atom.xml", "/topics/financing/rss.xml", "/index.html", "/topics/financing/")
    etags = {path: ask(server, path).getheader("ETag") for path in paths}
    before = len(server.log())
    write(file, SHIPPED.read_text().replace("entries:\n", "entries:\n" + secret, 1))
    everywhere(server, before)
    new = ("/countries/tg/atom.xml", "/entries/the-secret/")
    while (left := (moment - datetime.now(UTC)).total_seconds()) > 1:
        answers = {path: ask(server, path) for path in (*paths, *new)}
        if datetime.now(UTC) >= moment:
            break
        for path, etag in etags.items():
            assert answers[path].getheader("ETag") == etag
            assert max_age(answers[path]) <= left + 1
        assert [answers[path].status for path in new] == [404, 404]
        time.sleep(0.1)
    return moment, (*paths, *new)


def max_age(answer: HTTPResponse) -> int:
    found = re.search(r"max-age=(\d+)", answer.getheader("Cache-Control", ""))
    assert found
    return int(found[1])


@pytest.mark.heavy
def test_four_workers_agree(file: Path, tmp_path: Path) -> None:
    """After an edit, each of many polling clients gets one 200, then 304, from any of four workers."""
    with running("gunicorn", file, tmp_path / "server", workers=4) as server:
        first = [ask(server, "/atom.xml") for _ in range(20)]
        before = len(server.log())
        write(file, edited("actress"))
        everywhere(server, before)

        def poll(known: HTTPResponse) -> list[HTTPResponse]:
            """Poll a hundred times."""
            answers = []
            for _ in range(100):
                headers = {"If-None-Match": str(known.getheader("ETag"))}
                answers.append(ask(server, "/atom.xml", headers))
                known = answers[-1] if answers[-1].status == 200 else known
            return answers

        with ThreadPoolExecutor(len(first)) as pool:
            clients = list(pool.map(poll, first))
        assert len({a.getheader("ETag") for answers in clients for a in answers}) == 1
        assert len({a.getheader("Last-Modified") for answers in clients for a in answers}) == 1
        for answers in clients:
            assert [answer.status for answer in answers] == [200] + [304] * 99
        assert b"actress" in body(ask(server, "/atom.xml"))


@pytest.mark.heavy
@pytest.mark.parametrize(("kind", "reloads"), [("feeds serve", 100), ("gunicorn", 30)])
def test_nothing_is_torn_while_reloading(
    kind: str, reloads: int, file: Path, tmp_path: Path
) -> None:
    """During many reloads, every third of them broken, each body matches its ETag."""
    with running(kind, file, tmp_path / "server") as server:
        over = threading.Event()

        def poll(number: int) -> dict[int, int]:
            connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
            seen = {200: 0, 304: 0}
            etag = ""
            while not over.is_set():
                path = ("/atom.xml", "/topics/actuarial-practice/rss.xml")[number % 2]
                accepted = ("gzip", "identity")[number // 2 % 2]
                headers = {"Accept-Encoding": accepted, "If-None-Match": etag}
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                found = answer.read()
                assert answer.status in seen, answer.status
                seen[answer.status] += 1
                if answer.status == 200:
                    assert len(found) == int(str(answer.getheader("Content-Length")))
                    if answer.getheader("Content-Encoding") == "gzip":
                        found = gzip.decompress(found)
                    etag = str(answer.getheader("ETag"))
                    assert etag.removeprefix("W/") == f'"{sha256(found).hexdigest()[:32]}"'
            connection.close()
            return seen

        with ThreadPoolExecutor(8) as pool:
            clients = [pool.submit(poll, number) for number in range(8)]
            try:
                for number in range(reloads):
                    before, broken = len(server.log()), len(lines(server, "broken"))
                    write(file, BROKEN if number % 3 == 2 else edited(f"actress {number}"))
                    if kind == "feeds serve":
                        server.process.send_signal(signal.SIGHUP)
                    if number % 3 == 2:
                        wait_until(lambda broken=broken: len(lines(server, "broken")) > broken)  # type: ignore[misc]
                    else:
                        everywhere(server, before)
            finally:
                over.set()
            counts = [client.result(PATIENCE) for client in clients]
        assert len(lines(server, "broken")) >= reloads // 3
        assert all(seen[200] > 2 for seen in counts)
        assert sum(seen[304] for seen in counts) > reloads
        assert not lines(server, "bug")
        assert "Traceback" not in server.log()


def test_cold_and_broken_serve_ends_with_the_problems(file: Path) -> None:
    """`feeds serve` with nothing to serve and a broken catalogue: exit code 1, and every problem."""
    write(file, edited("actress").replace("date: 24 May 2022", "date: 32 May 2022"))
    done = run_feeds("serve", "--catalogue", file, "--port", str(free_port()))
    assert done.returncode == 1
    assert done.stderr.startswith(f"{file}:37:9: entries[0].date (jordan-ilo-agreement): ")
    assert done.stderr.endswith("1 problem\n")


@pytest.mark.parametrize(
    "text",
    [pytest.param(BROKEN, id="broken"), pytest.param(None, id="missing", marks=pytest.mark.heavy)],
)
def test_cold_and_broken_under_wsgi_is_503_until_corrected(
    text: str | None, file: Path, tmp_path: Path
) -> None:
    """With nothing to serve, other servers answer 503 with Retry-After, and notice a correction."""
    whole = file.read_text()
    file.unlink() if text is None else write(file, text)
    with running("gunicorn", file, tmp_path / "server", built=False) as server:
        for path in ("/atom.xml", "/", "/nowhere"):
            answer = ask(server, path)
            assert answer.status == 503
            assert 0 < int(str(answer.getheader("Retry-After"))) <= 60
            assert body(answer) == b"503 Service Unavailable\n"
        answer = ask(server, "/healthz")
        assert answer.status == 503
        assert json.loads(body(answer))["status"] == "unavailable"
        write(file, whole)
        everywhere(server, 0)
        assert ask(server, "/atom.xml").status == 200
        assert health(server)["status"] == "ok"


def test_hup_reads_the_catalogue_again(file: Path, tmp_path: Path) -> None:
    """SIGHUP to `feeds serve` reloads at once, keeps the process, and survives a broken file."""
    with running("feeds serve", file, tmp_path / "server") as server:
        workers = children(server.process.pid)
        # A second change in one second would wait for the next one.
        time.sleep(1)
        write(file, edited("actress"))
        time.sleep(0.1)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: b"actress" in body(ask(server, "/atom.xml")))
        write(file, BROKEN)
        for _ in range(3):
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.1)
        wait_until(lambda: health(server)["status"] == "degraded")
        assert b"actress" in body(ask(server, "/atom.xml"))
        assert children(server.process.pid) == workers


@pytest.mark.heavy
def test_hup_does_not_end_a_server_that_starts() -> None:
    """SIGHUP during the start of `feeds serve` does not end it."""
    port = free_port()
    file = ROOT / "tests" / "cases" / "repeated-time.yaml"
    command = [sys.executable, "-m", "feeds", "serve", "--catalogue", str(file)]
    with subprocess.Popen([*command, "--port", str(port)], stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr
            assert b": note: " in process.stderr.readline()
            process.send_signal(signal.SIGHUP)
            over = threading.Event()

            def hang_up() -> None:
                while not over.wait(0.01):
                    process.send_signal(signal.SIGHUP)

            with ThreadPoolExecutor(1) as pool:
                hanging_up = pool.submit(hang_up)
                try:
                    wait_for(f"http://127.0.0.1:{port}/healthz", process)
                finally:
                    over.set()
                    hanging_up.result(PATIENCE)
        finally:
            process.terminate()
        assert b"Traceback" not in process.stderr.read()
        assert process.wait(PATIENCE) == 0


@pytest.mark.heavy
def test_hup_with_a_broken_catalogue_does_not_end_gunicorn(file: Path, tmp_path: Path) -> None:
    """New workers serve the last good release, and never 503; a correction is noticed."""
    with running("gunicorn", file, tmp_path / "server") as server:
        etag = ask(server, "/atom.xml").getheader("ETag")
        write(file, BROKEN)
        wait_until(lambda: lines(server, "broken"))
        workers = children(server.process.pid)
        server.process.send_signal(signal.SIGHUP)
        while {*workers} & {*children(server.process.pid)}:
            assert ask(server, "/atom.xml").getheader("ETag") == etag
        for _ in range(20):
            assert ask(server, "/atom.xml").getheader("ETag") == etag
        assert health(server)["status"] == "degraded"
        before = len(server.log())
        write(file, edited("actress"))
        everywhere(server, before)
        assert b"actress" in body(ask(server, "/atom.xml"))
        assert server.process.poll() is None


@pytest.mark.heavy
def test_term_does_not_wait_for_half_open_clients(file: Path, tmp_path: Path) -> None:
    """`feeds serve` ends within a few seconds despite incomplete requests."""
    with (
        running("feeds serve", file, tmp_path / "server") as server,
        socket.create_connection(("127.0.0.1", server.port)) as half,
    ):
        half.sendall(b"GET /atom.xml HTTP/1.1\r\nHost: x\r\n")
        time.sleep(0.1)
        server.process.terminate()
        assert server.process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    "ending", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.heavy)]
)
@pytest.mark.parametrize("kind", ["feeds serve", pytest.param("gunicorn", marks=pytest.mark.heavy)])
def test_a_signal_ends_a_server_soon(
    kind: str, ending: signal.Signals, file: Path, tmp_path: Path
) -> None:
    """SIGTERM and SIGINT end a server with exit code 0 despite open connections."""
    with running(kind, file, tmp_path / "server") as server:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        connection.request("GET", "/atom.xml")
        connection.getresponse().read()
        # A worker of gunicorn that is interrupted during an answer logs its traceback.
        wait_until(lambda: '"GET /atom.xml HTTP/1.1" 200' in server.access_log())
        server.process.send_signal(ending)
        assert server.process.wait(PATIENCE) == 0
        connection.close()
        assert "Traceback" not in server.log()


def test_a_worker_that_dies_is_replaced(file: Path, tmp_path: Path) -> None:
    """`feeds serve` replaces a worker that is killed."""
    with running("feeds serve", file, tmp_path / "server") as server:
        workers = children(server.process.pid)
        for worker in workers:
            os.kill(worker, signal.SIGKILL)

        def again() -> bool:
            try:
                return ask(server, "/atom.xml").status == 200
            except OSError:
                return False

        wait_until(again)
        assert children(server.process.pid) != workers


@pytest.mark.heavy
def test_workers_that_die_again_and_again_end_the_server(file: Path, tmp_path: Path) -> None:
    """If workers die repeatedly, `feeds serve` reports it and exits with code 1."""
    with running("feeds serve", file, tmp_path / "server") as server:
        while server.process.poll() is None:
            with suppress(OSError):
                for worker in children(server.process.pid):
                    os.kill(worker, signal.SIGKILL)
            time.sleep(0.1)
        assert server.process.returncode == 1
        assert server.log().endswith("a worker process ends again and again; see the log\n")


def test_a_worker_does_not_outlive_its_parent(file: Path, tmp_path: Path) -> None:
    """`feeds serve` can be started again after it was killed: no process occupies its port."""
    with running("feeds serve", file, tmp_path / "server") as server:
        server.process.kill()
        server.process.wait()

        def refused() -> bool:
            with socket.socket() as trial:
                return trial.connect_ex(("127.0.0.1", server.port)) != 0

        wait_until(refused)


@pytest.mark.heavy
def test_a_name_may_be_listened_on(file: Path) -> None:
    """`--host` accepts a name such as `localhost`."""
    port = free_port()
    command = [sys.executable, "-m", "feeds", "serve", "--catalogue", str(file)]
    with subprocess.Popen([*command, "--host", "localhost", "--port", str(port)]) as process:
        try:
            wait_for(f"http://localhost:{port}/healthz", process)
        finally:
            process.terminate()


@pytest.mark.heavy
def test_silent_clients_are_disconnected(file: Path, tmp_path: Path) -> None:
    """Connections without a request are closed after a timeout."""
    with running("feeds serve", file, tmp_path / "server") as server:
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=40)
        assert connection.recv(100) == b""
        connection.close()


@pytest.mark.heavy
def test_slow_clients_do_not_stop_others(file: Path, tmp_path: Path) -> None:
    """With 200 half-open clients for ten seconds, another client is answered within a second."""
    with running("feeds serve", file, tmp_path / "server") as server:
        slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
        try:
            end = time.monotonic() + 10
            longest = 0.0
            while time.monotonic() < end:
                for connection in slow[::20]:
                    connection.sendall(b"GET /atom.xml HTTP/1.1\r\nX-Slow: ")
                begun = time.monotonic()
                assert ask(server, "/atom.xml").status == 200
                longest = max(longest, time.monotonic() - begun)
                time.sleep(0.1)
            assert longest < 1
        finally:
            for connection in slow:
                connection.close()


def test_the_access_log_is_in_the_combined_format(file: Path, tmp_path: Path) -> None:
    """The access log has a line for each request in the combined format, without queries and control characters."""
    with running("feeds serve", file, tmp_path / "server") as server:
        ask(
            server,
            "/atom.xml?token=secret",
            {"User-Agent": 'a "reader" \\', "Referer": "https://x.example/?key=secret"},
        )
        ask(server, "/topics/%0a%22%d8%a3", {"Authorization": "Basic secret"})
        whole = ask(server, "/atom.xml")
        ask(server, "/atom.xml", {"If-None-Match": str(whole.getheader("ETag"))})
        with socket.create_connection(("127.0.0.1", server.port)) as old:
            old.sendall(b"HEAD /atom.xml HTTP/1.0\r\n\r\n")
            assert old.recv(100).startswith(b"HTTP/1.0 200 ")
        wait_until(lambda: '"HEAD /atom.xml HTTP/1.0" 200' in server.access_log())
        log = server.access_log()
    stamp = r"\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]"
    for line in log.splitlines():
        assert re.fullmatch(rf'127\.0\.0\.1 - - {stamp} "[^"]+" \d{{3}} \d+ "[^"]*" "[^"]*"', line)
    said = [re.sub(stamp, "", line).partition("- -  ")[2] for line in log.splitlines()]
    length = whole.getheader("Content-Length")
    assert said[-5:] == [
        rf'"GET /atom.xml HTTP/1.1" 200 {length} "https://x.example/" "a \x22reader\x22 \x5c"',
        '"GET /topics/%0A%22%D8%A3 HTTP/1.1" 404 14 "-" "-"',
        f'"GET /atom.xml HTTP/1.1" 200 {length} "-" "-"',
        '"GET /atom.xml HTTP/1.1" 304 0 "-" "-"',
        '"HEAD /atom.xml HTTP/1.0" 200 0 "-" "-"',
    ]
    assert "secret" not in log
    assert "secret" not in server.log()
