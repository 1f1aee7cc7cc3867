"""What the server answers and logs when its own code fails."""

import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
from conftest import AS_OF, SHIPPED, running, wait_until
from served import Served
from test_serving import ask, body, lines

from feeds import SiteApp, build_release, create_app, load_catalogue
from feeds.log import log_to
from feeds.server.site_store import Index


class Broken(Served):
    """A site that fails in two places: at each request, and once a document is found."""

    fails_at_once = True

    @property
    def index(self) -> Index | None:
        if self.fails_at_once:
            raise KeyError("secret")
        return self._index

    @index.setter
    def index(self, index: Index | None) -> None:
        self._index = index

    def clock(self) -> datetime:
        raise ValueError("secret")


def test_an_exception_is_a_plain_500_and_logged_once_for_each_place() -> None:
    """The answer shows no details; the log has the traceback, once for each place."""
    log = io.StringIO()
    log_to(log)
    release = build_release(load_catalogue(SHIPPED), as_of=AS_OF)
    site = Broken(release, release.site)
    client = SiteApp(cast("Any", site)).test_client()
    for site.fails_at_once, paths in (
        (True, ("/b\n", "/" + "c" * 5000, "/b\n")),
        (False, ("/atom.xml", "/", "/atom.xml")),
    ):
        for path in paths * 20:
            answer = client.get("/", environ_overrides={"PATH_INFO": path})
            assert answer.status == "500 Internal Server Error"
            assert answer.data == b"500 Internal Server Error\n"
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
            assert answer.headers["Cache-Control"] == "no-store"
    assert client.head("/").data == b""
    logged = log.getvalue().splitlines()
    assert [" ".join(line.split()[1:4]) for line in logged] == [
        r'level=error event=bug path="/b\n"',
        "level=error event=bug path=/atom.xml",
    ]
    assert all("Traceback" in line for line in logged)
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
