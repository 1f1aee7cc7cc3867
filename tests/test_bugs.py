"""What the server answers and logs when its own code fails."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from conftest import SHIPPED, running, wait_until
from test_serving import ask, body, lines

from feeds import SiteApp, create_app
from feeds.log import log_to
from feeds.server.middleware import LogBugs


def broken(environ: WSGIEnvironment, _start: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/a":
        raise KeyError("secret")
    raise ValueError("secret")


def ask_app(app: LogBugs, path: str, method: str = "GET") -> tuple[str, dict[str, str], bytes]:
    """Send a request to an application that fails; return status, headers and body."""
    found: list[tuple[str, dict[str, str]]] = []
    environ: WSGIEnvironment = {"REQUEST_METHOD": method, "PATH_INFO": path}
    answer = app(environ, lambda status, headers: found.append((status, dict(headers))))  # type: ignore[arg-type]
    return *found[0], b"".join(answer)


def test_an_exception_is_a_plain_500_and_logged_once_for_each_place() -> None:
    """The answer shows no details; the log has the traceback, once for each place."""
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
def app(tmp_path: Path) -> Iterator[SiteApp]:
    found = create_app(SHIPPED, state=tmp_path)
    yield found
    found.close()


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/atom.xml"])
def test_a_bug_anywhere_in_the_application_is_logged(path: str, app: SiteApp) -> None:
    """An exception in Flask or the middleware is one log event and a plain 500."""
    log = io.StringIO()
    log_to(log)
    client = app.test_client()
    wait_until(lambda: client.get("/healthz").status_code == 200)
    # An index of a wrong type fails in each use.
    app.site.index = object()  # type: ignore[assignment]
    answer = client.get(path)
    assert (answer.status_code, answer.data) == (500, b"500 Internal Server Error\n")
    assert answer.headers["Cache-Control"] == "no-store"
    bugs = [line for line in log.getvalue().splitlines() if " event=serving " not in line]
    assert len(bugs) == log.getvalue().count("event=bug") == 1


def test_another_offset_in_the_history_is_served(tmp_path: Path) -> None:
    """A moment in the history with another UTC offset gives a valid Last-Modified."""
    state = tmp_path / "server" / "state"
    with running("feeds serve", SHIPPED, tmp_path / "server") as server:
        dated = ask(server, "/atom.xml").getheader("Last-Modified")
    file = state / "history.tsv"
    file.write_text(file.read_text().replace("+00:00\n", ".250000+00:00:30\n"))
    with running("feeds serve", SHIPPED, tmp_path / "server", port=server.port) as server:
        # What was served before is served at first.
        wait_until(lambda: ask(server, "/atom.xml").getheader("Last-Modified") != dated)
        answer = ask(server, "/atom.xml")
        assert answer.status == 200
        assert body(answer)
        assert str(answer.getheader("Last-Modified")).endswith(" GMT")
        assert not lines(server, "bug")
