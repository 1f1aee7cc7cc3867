"""What the server answers and logs when its own code fails."""

import io
from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from conftest import SHIPPED, running
from test_serving import ask, body, lines

from feeds import Publisher, create_app
from feeds.logs import log_to
from feeds.web.plain import LogBugs


def broken(environ: WSGIEnvironment, _start: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/a":
        raise KeyError("secret")
    raise ValueError("secret")


def ask_app(app: LogBugs, path: str, method: str = "GET") -> tuple[str, dict[str, str], bytes]:
    """Ask an application that fails; return status, headers and body."""
    found: list[tuple[str, dict[str, str]]] = []
    environ: WSGIEnvironment = {"REQUEST_METHOD": method, "PATH_INFO": path}
    answer = app(environ, lambda status, headers: found.append((status, dict(headers))))  # type: ignore[arg-type]
    return *found[0], b"".join(answer)


def test_an_exception_is_a_plain_500_and_logged_once_for_each_place() -> None:
    """Clients learn nothing of it; the log has the traceback, and does not grow with requests."""
    log = io.StringIO()
    log_to(log)
    app = LogBugs(broken)
    for _ in range(50):
        for path in ("/a", "/b\n", "/" + "c" * 5000):
            status, headers, text = ask_app(app, path)
            assert (status, text) == ("500 Internal Server Error", b"500 Internal Server Error\n")
            assert headers["Content-Type"] == "text/plain; charset=utf-8"
            assert headers["Cache-Control"] == "no-store"
    assert ask_app(app, "/a", "HEAD")[2] == b""
    logged = log.getvalue().splitlines()
    assert [" ".join(line.split()[1:4]) for line in logged] == [
        "level=error event=bug path=/a",
        r'level=error event=bug path="/b\n"',
    ]
    assert "Traceback" in logged[0]
    assert "KeyError" in logged[0]


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    found = Publisher(SHIPPED, state=tmp_path)
    found.load()
    return found


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/atom.xml"])
def test_a_bug_anywhere_in_the_application_is_logged(path: str, publisher: Publisher) -> None:
    """Behind Flask and before it, an exception is one line of the log and a plain 500."""
    log = io.StringIO()
    log_to(log)
    client = create_app(publisher).test_client()
    # A release that is none fails wherever it is used.
    publisher.current = object()  # type: ignore[assignment]
    answer = client.get(path)
    assert (answer.status_code, answer.data) == (500, b"500 Internal Server Error\n")
    assert answer.headers["Cache-Control"] == "no-store"
    assert log.getvalue().count("\n") == log.getvalue().count("event=bug") == 1


def test_another_offset_in_the_history_is_served(tmp_path: Path) -> None:
    """A line of the history with an offset of its own gives a Last-Modified like any other."""
    state = tmp_path / "server" / "state"
    with running("feeds serve", SHIPPED, tmp_path / "server") as server:
        dated = ask(server, "/atom.xml").getheader("Last-Modified")
    file = state / "history.tsv"
    file.write_text(file.read_text().replace("+00:00\n", ".250000+00:00:30\n"))
    with running("feeds serve", SHIPPED, tmp_path / "server", port=server.port) as server:
        answer = ask(server, "/atom.xml")
        assert answer.status == 200
        assert body(answer)
        assert str(answer.getheader("Last-Modified")).endswith(" GMT")
        assert answer.getheader("Last-Modified") != dated
        assert not lines(server, "bug")
