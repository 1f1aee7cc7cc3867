"""Clients that do not read, or open too many connections."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from conftest import PATIENCE, SHIPPED, Server, free_port, running, wait_for

from feeds.server.granian import MAX_WHOLE_BODY_BYTES, ChunkLargeBodies

FILE = "media/noise.wav"
LARGE = 9_000_000
DOCUMENTS = f"  documents: [{FILE}]\n"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a catalogue with one audio file of nine megabytes."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "media").mkdir()
    head = b"RIFF" + (LARGE - 8).to_bytes(4, "little") + b"WAVE"
    (folder / FILE).write_bytes(head + os.urandom(LARGE - len(head)))
    text = SHIPPED.read_text().replace("entries:\n", "entries:\n" + ENTRY, 1)
    (folder / "entries.yaml").write_text(text)
    return folder / "entries.yaml"


ENTRY = f"""- id: the-market
  title: A market
  date: 2022-01-02
  summary: Summary
  topics: [financing]
  countries: [Togo]
{DOCUMENTS}
"""


@pytest.fixture(scope="module")
def server(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running("feeds serve", file, tmp_path_factory.mktemp("server")) as found:
        yield found


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def memory(server: Server) -> int:
    """Return the memory of a server's processes, in bytes."""
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in family(server.process.pid)]
    return sum(1024 * int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) for text in texts)


def processor(server: Server) -> int:
    """Return how many ticks of a processor the worker has used."""
    worker = family(server.process.pid)[1]
    fields = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def get(server: Server, path: str, **headers: str) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    response.body = response.read()  # type: ignore[attr-defined]
    connection.close()
    return response


@contextmanager
def deaf(server: Server, count: int, path: str = FILE) -> Iterator[list[socket.socket]]:
    """Send a request on many connections, and read nothing."""
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            connection.sendall(f"GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            found.append(connection)
        yield found


def until_quiet(server: Server) -> None:
    """Wait until the worker is idle, with its answers under way."""
    before = -1
    while (now := processor(server)) != before:
        before = now
        time.sleep(0.2)


def test_sixty_clients_that_never_read_cost_little(server: Server) -> None:
    """Sixty clients that never read cost less than 30 MB, others are answered, and the memory is freed later."""
    assert len(get(server, f"/{FILE}").body) == LARGE  # type: ignore[attr-defined]
    before = memory(server)
    with deaf(server, 60):
        until_quiet(server)
        assert memory(server) - before < 30_000_000
        assert get(server, "/atom.xml").status == 200
        whole = get(server, f"/{FILE}")
        assert whole.getheader("Content-Length") == str(LARGE)
        assert len(whole.body) == LARGE  # type: ignore[attr-defined]
    assert get(server, f"/{FILE}").status == 200


@pytest.mark.heavy
def test_more_clients_that_never_read_than_there_are_streams(server: Server) -> None:
    """When all streams are in use, large answers are refused until the deadline, and small ones are sent."""
    before = memory(server)
    with deaf(server, 300) as connections:
        until_quiet(server)
        assert memory(server) - before < 100_000_000
        assert get(server, "/robots.txt").status == 200
        refused = get(server, f"/{FILE}")
        assert (refused.status, refused.getheader("Retry-After")) == (503, "30")
        assert refused.getheader("Cache-Control") == "no-store"
        end = time.monotonic() + 90
        while get(server, f"/{FILE}").status != 200:
            assert time.monotonic() < end
            time.sleep(1)
        # None of them was closed by its client.
        assert all(connection.fileno() >= 0 for connection in connections)


@pytest.mark.heavy
def test_a_server_ends_though_clients_do_not_read(file: Path, tmp_path: Path) -> None:
    """SIGTERM ends `feeds serve` in a few seconds, with large answers under way."""
    with running("feeds serve", file, tmp_path / "server") as server, deaf(server, 20):
        until_quiet(server)
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(15)


def test_a_stream_is_cut_off_when_its_client_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that is too slow is cut off, and its slot is released; small answers need no slot."""
    bodies = iter([b"x" * 10 * MAX_WHOLE_BODY_BYTES] * 3 + [b"x" * MAX_WHOLE_BODY_BYTES])
    statuses: list[str] = []

    def app(_environ: object, start: object) -> list[bytes]:
        start("200 OK", [])  # type: ignore[operator]  # any callable of WSGI
        return [next(bodies)]

    def ask() -> object:
        return pieces({"REQUEST_METHOD": "GET"}, lambda status, *_: statuses.append(status))  # type: ignore[arg-type]

    pieces = ChunkLargeBodies(app, 1)
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    stream = ask()
    sent = iter(stream)  # type: ignore[call-overload]
    first = next(sent)
    assert b"503" in b"".join(ask())  # type: ignore[arg-type]
    now = 1000.0
    assert len(first + b"".join(sent)) < 10 * MAX_WHOLE_BODY_BYTES
    stream.close()  # type: ignore[attr-defined]
    assert len(b"".join(ask())) == 10 * MAX_WHOLE_BODY_BYTES  # type: ignore[arg-type]
    assert len(b"".join(ask())) == MAX_WHOLE_BODY_BYTES  # type: ignore[arg-type]
    assert [status[:3] for status in statuses] == ["200", "503", "200", "200"]


@pytest.mark.heavy
@pytest.mark.parametrize("limit", [64, 100])
def test_no_processor_spins_when_files_run_out(limit: int, file: Path, tmp_path: Path) -> None:
    """Connections beyond the limit of open files wait, without a busy loop, and are served later."""
    port = free_port()
    feeds = [sys.executable, "-m", "feeds", "serve", "--catalogue", str(file), "--port", str(port)]
    command = ["sh", "-c", f'ulimit -n {limit} && exec "$@"', "sh", *feeds]
    with subprocess.Popen(command, env=os.environ | {"FEEDS_STATE": str(tmp_path)}) as process:
        try:
            url = f"http://127.0.0.1:{port}/"
            wait_for(url + "healthz", process)
            server = Server(url=url, port=port, process=process, workers=1, folder=tmp_path)
            with ExitStack() as stack:
                for _ in range(2 * limit):
                    stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                time.sleep(0.5)
                before = processor(server)
                time.sleep(1)
                # A spinning one uses about a hundred.
                assert processor(server) - before < 20
            assert get(server, "/atom.xml").status == 200
        finally:
            process.terminate()
