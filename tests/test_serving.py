"""A served site over time: edits, embargoes, signals, slow clients, and what the log says."""

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

BROKEN = "entries: [\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write(tmp_path / "entries.yaml", SHIPPED.read_text())
    return tmp_path / "entries.yaml"


@pytest.fixture(params=["feeds serve", pytest.param("gunicorn", marks=pytest.mark.heavy)])
def server(request: pytest.FixtureRequest, file: Path, tmp_path: Path) -> Iterator[Server]:
    with running(request.param, file, tmp_path / "server") as found:
        loaded(found)
        yield found


def loaded(server: Server) -> None:
    """Wait until each worker has a release."""
    everywhere(server, "published", 0)


def everywhere(server: Server, event: str, before: int) -> None:
    """Wait until each worker has logged an event, of which there were so many before."""
    wait_until(lambda: len(lines(server, event)) >= before + server.workers)


def write(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def edited(word: str) -> str:
    return SHIPPED.read_text().replace("Actuary or actor?", f"Actuary or {word}?")


def ask(server: Server, path: str, headers: dict[str, str] | None = None) -> HTTPResponse:
    """Ask once, on a connection of its own; the body stands in `body`."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", path, headers=headers or {})
    response = connection.getresponse()
    response.body = response.read()  # type: ignore[attr-defined]
    connection.close()
    return response


def health(server: Server) -> dict[str, object]:
    told: dict[str, object] = json.loads(body(ask(server, "/healthz")))
    return told


def body(response: HTTPResponse) -> bytes:
    found: bytes = response.body  # type: ignore[attr-defined]
    return found


def lines(server: Server, event: str) -> list[str]:
    return [line for line in server.log().splitlines() if f" event={event} " in line]


def test_an_edit_is_served(server: Server, file: Path) -> None:
    """Editors save the file, and that is all: every worker serves it."""
    before = ask(server, "/atom.xml")
    published = len(lines(server, "published"))
    write(file, edited("actress"))
    everywhere(server, "published", published)
    assert b"actress" in body(ask(server, "/atom.xml"))
    after = ask(server, "/atom.xml")
    assert after.getheader("ETag") != before.getheader("ETag")
    assert after.getheader("Last-Modified") != before.getheader("Last-Modified")
    unchanged = ask(server, "/countries/id/atom.xml", {"If-None-Match": "*"})
    assert unchanged.getheader("Last-Modified") == before.getheader("Last-Modified")


@pytest.mark.heavy
def test_an_edit_is_served_within_two_seconds(server: Server, file: Path) -> None:
    """Every worker serves it so soon, where the machine has nothing else to do."""
    published = len(lines(server, "published"))
    write(file, edited("actress"))
    begun = time.monotonic()
    everywhere(server, "published", published)
    assert time.monotonic() - begun < 2


def test_a_broken_catalogue_is_told_and_not_served(server: Server, file: Path) -> None:
    """What is served stays; the log and `/healthz` say what is wrong; mending is noticed."""
    before = ask(server, "/atom.xml")
    write(file, edited("actress").replace("date: 24 May 2022", "date: 32 May 2022"))
    everywhere(server, "broken", 0)
    assert health(server)["status"] == "degraded"
    assert ask(server, "/healthz").status == 200
    failure = health(server)["failure"]
    assert isinstance(failure, dict)
    assert datetime.fromisoformat(failure.pop("at")) <= datetime.now(UTC)
    assert failure == {"problems": 1, "place": "entries.yaml:37:9"}
    assert re.fullmatch(
        rf'time=\S+ level=error event=broken problems=1 first="{file}:37:9: entries\[0\]\.date \(jordan-ilo-agreement\): .+"'
        r" serving=[0-9a-f]{16}",
        lines(server, "broken")[0],
    )
    again = ask(server, "/atom.xml", {"If-None-Match": str(before.getheader("ETag"))})
    assert again.status == 304
    published = len(lines(server, "published"))
    write(file, edited("actress"))
    everywhere(server, "published", published)
    assert b"actress" in body(ask(server, "/atom.xml"))
    assert health(server)["status"] == "ok"


def test_an_embargo_ends_in_every_worker(server: Server, file: Path) -> None:
    """Without a touch of the file: not before its moment, and then everywhere."""
    moment, paths = embargoed(server, file)
    wait_until(lambda: datetime.now(UTC) > moment)
    for path in paths:
        # Each worker in its turn: so many answers in a row come from all of them.
        wait_until(lambda path=path: all(public(server, path) for _ in range(10)))  # type: ignore[misc]


@pytest.mark.heavy
def test_an_embargo_ends_within_a_second(server: Server, file: Path) -> None:
    """In every worker, where the machine has nothing else to do."""
    moment, paths = embargoed(server, file)
    time.sleep(max((moment - datetime.now(UTC)).total_seconds(), 0) + 1)
    assert all(public(server, path) for _ in range(10) for path in paths)


def public(server: Server, path: str) -> bool:
    """Tell whether an answer has what was under embargo, and may be kept as long as any other."""
    answer = ask(server, path)
    return b"A secret" in body(answer) and max_age(answer) == 900


def embargoed(server: Server, file: Path) -> tuple[datetime, tuple[str, ...]]:
    """Add an entry under embargo; return when that ends, and where the entry appears.

    Until then no answer has the entry, or may be kept for longer.
    """
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=6)
    secret = (
        f"- id: the-secret\n  title: A secret\n  date: {moment.isoformat()}\n"
        "  summary: Hush.\n  topics: [financing]\n  countries: [Togo]\n\n"
    )
    paths = ("/atom.xml", "/topics/financing/rss.xml", "/index.html", "/topics/financing/")
    etags = {path: ask(server, path).getheader("ETag") for path in paths}
    published = len(lines(server, "published"))
    write(file, SHIPPED.read_text().replace("entries:\n", "entries:\n" + secret, 1))
    everywhere(server, "published", published)
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
    """After an edit that all workers have, 2,000 conditional polls: one 200 each, then 304."""
    with running("gunicorn", file, tmp_path / "server", workers=4) as server:
        loaded(server)
        first = [ask(server, "/atom.xml") for _ in range(20)]
        published = len(lines(server, "published"))
        write(file, edited("actress"))
        everywhere(server, "published", published)

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
    """8 clients over many reloads, every third one broken: each body hashes to its ETag."""
    with running(kind, file, tmp_path / "server") as server:
        loaded(server)
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
                    event = "broken" if number % 3 == 2 else "published"
                    told = len(lines(server, event))
                    write(file, BROKEN if number % 3 == 2 else edited(f"actress {number}"))
                    if kind == "feeds serve":
                        server.process.send_signal(signal.SIGHUP)
                    everywhere(server, event, told)
            finally:
                over.set()
            counts = [client.result(PATIENCE) for client in clients]
        assert len(lines(server, "broken")) >= reloads // 3
        assert all(seen[200] > 2 for seen in counts)
        assert sum(seen[304] for seen in counts) > reloads
        assert not lines(server, "bug")
        assert "Traceback" not in server.log()


def test_cold_and_broken_serve_ends_with_the_problems(file: Path) -> None:
    """`feeds serve` does not begin with a broken catalogue: exit code 1, and every problem."""
    write(file, edited("actress").replace("date: 24 May 2022", "date: 32 May 2022"))
    done = run_feeds("serve", "--catalogue", file, "--port", str(free_port()))
    assert done.returncode == 1
    assert done.stderr.startswith(f"{file}:37:9: entries[0].date (jordan-ilo-agreement): ")
    assert done.stderr.endswith("1 problem\n")


@pytest.mark.parametrize(
    "text",
    [pytest.param(BROKEN, id="broken"), pytest.param(None, id="missing", marks=pytest.mark.heavy)],
)
def test_cold_and_broken_under_wsgi_is_503_until_mended(
    text: str | None, file: Path, tmp_path: Path
) -> None:
    """With nothing to serve, other servers answer 503 with Retry-After, and notice the mending."""
    whole = file.read_text()
    file.unlink() if text is None else write(file, text)
    with running("gunicorn", file, tmp_path / "server") as server:
        for path in ("/atom.xml", "/", "/nowhere"):
            answer = ask(server, path)
            assert answer.status == 503
            assert 0 < int(str(answer.getheader("Retry-After"))) <= 60
            assert body(answer) == b"503 Service Unavailable\n"
        answer = ask(server, "/healthz")
        assert answer.status == 503
        assert json.loads(body(answer))["status"] == "unavailable"
        write(file, whole)
        everywhere(server, "published", 0)
        assert ask(server, "/atom.xml").status == 200
        assert health(server)["status"] == "ok"


def children(server: Server) -> list[int]:
    found = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return [int(pid) for pid in found.split()]


def test_hup_reads_the_catalogue_anew(file: Path, tmp_path: Path) -> None:
    """SIGHUP to `feeds serve` reloads at once, keeps the process, and survives a broken file."""
    with running("feeds serve", file, tmp_path / "server") as server:
        workers = children(server)
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
        assert children(server) == workers


@pytest.mark.heavy
def test_hup_does_not_end_a_server_that_starts() -> None:
    """From the first look at the catalogue until there is an answer, SIGHUP does no harm."""
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
    """New workers with nothing to serve answer 503, the master lives, and mending is noticed."""
    with running("gunicorn", file, tmp_path / "server") as server:
        loaded(server)
        write(file, BROKEN)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: ask(server, "/atom.xml").status == 503)
        published = len(lines(server, "published"))
        write(file, edited("actress"))
        everywhere(server, "published", published)
        assert b"actress" in body(ask(server, "/atom.xml"))
        assert server.process.poll() is None


@pytest.mark.heavy
def test_term_does_not_wait_for_half_open_clients(file: Path, tmp_path: Path) -> None:
    """`feeds serve` ends in a few seconds though a request is under way that never ends."""
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
    """TERM and INT end a server with exit code 0, though clients keep connections open."""
    with running(kind, file, tmp_path / "server") as server:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        connection.request("GET", "/atom.xml")
        connection.getresponse().read()
        # A worker of gunicorn that is interrupted amid an answer logs its traceback.
        wait_until(lambda: '"GET /atom.xml HTTP/1.1" 200' in server.access_log())
        server.process.send_signal(ending)
        assert server.process.wait(PATIENCE) == 0
        connection.close()
        assert "Traceback" not in server.log()


def test_a_worker_that_dies_is_replaced(file: Path, tmp_path: Path) -> None:
    """`feeds serve` goes on though its worker is killed."""
    with running("feeds serve", file, tmp_path / "server") as server:
        workers = children(server)
        for worker in workers:
            os.kill(worker, signal.SIGKILL)

        def again() -> bool:
            try:
                return ask(server, "/atom.xml").status == 200
            except OSError:
                return False

        wait_until(again)
        assert children(server) != workers


def test_a_worker_does_not_outlive_its_parent(file: Path, tmp_path: Path) -> None:
    """`feeds serve` can be started anew after it was killed: nobody keeps its address."""
    with running("feeds serve", file, tmp_path / "server") as server:
        server.process.kill()
        server.process.wait()

        def refused() -> bool:
            with socket.socket() as trial:
                return trial.connect_ex(("127.0.0.1", server.port)) != 0

        wait_until(refused)


@pytest.mark.heavy
def test_a_name_may_be_listened_on(file: Path) -> None:
    """`--host localhost` is an address like any other."""
    port = free_port()
    command = [sys.executable, "-m", "feeds", "serve", "--catalogue", str(file)]
    with subprocess.Popen([*command, "--host", "localhost", "--port", str(port)]) as process:
        try:
            wait_for(f"http://localhost:{port}/healthz", process)
        finally:
            process.terminate()


@pytest.mark.heavy
def test_silent_clients_are_shown_the_door(file: Path, tmp_path: Path) -> None:
    """Who connects and says nothing is let go: connections cannot be used up for ever."""
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
    """A line for each request, as analysers read it: no query, no control character, no secret."""
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
