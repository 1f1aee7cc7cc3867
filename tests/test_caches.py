"""Real nginx and Varnish as caches in front of `feeds serve`, configured as documented."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import pytest
from caches import FOLDER, caching
from conftest import PATIENCE, SHIPPED, Server, program, run_feeds, running, wait_until
from hosts import ask

from feeds import build_release, load_catalogue

TOPIC = "topics/covid-19-response/"
# What is about to change may be given no longer than until then.
NOT_STALE = "stale-while-revalidate=0"
SOON = """
- id: soon
  title: An embargo has ended
  date: {}
  summary: Summary
"""


@pytest.fixture(params=["nginx", "varnish"])
def name(request: pytest.FixtureRequest) -> str:
    """Each cache, in turn."""
    found: str = request.param
    program("nginx" if found == "nginx" else "varnishd")
    return found


@pytest.fixture(scope="module", params=["nginx", "varnish"])
def fronted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, str]]:
    """Return a server of the shipped catalogue, and its site's URL at each cache in front of it, in turn."""
    folder = tmp_path_factory.mktemp("fronted")
    with (
        running("feeds serve --metrics", SHIPPED, folder / "server") as server,
        caching(request.param, folder, server.port) as url,
    ):
        yield server, url


def test_what_a_cache_gives_is_what_the_server_gives(fronted: tuple[Server, str]) -> None:
    """A cache passes on bytes, validators and freshness, answers a poll with 304, and removes surrogate keys."""
    server, url = fronted
    for coding in ("", "gzip", "br, gzip;q=0.5"):
        for path in ("atom.xml", f"{TOPIC}feed.json", "", "style.css"):
            for query in ("", "?_=1"):
                given = ask(url + path + query, Accept_Encoding=coding)
                wanted = ask(server.url + path, Accept_Encoding=coding)
                assert (given.status, given.body) == (200, wanted.body)
                for header in ("etag", "last-modified", "content-type", "link", "vary"):
                    assert given.headers[header] == wanted.headers[header]
                assert not {"surrogate-key", "cache-tag", "xkey"} & {*given.headers}
                again = ask(url + path, Accept_Encoding=coding, If_None_Match=given.headers["etag"])
                assert (again.status, again.body) == (304, b"")
    assert ask(f"{url}topics/no-such-thing/").status == 404


def test_a_browser_and_a_reader_each_get_their_type(fronted: tuple[Server, str]) -> None:
    """In any order of requests, a browser can show the feed, and a program gets the type of a feed."""
    _, url = fronted
    for _ in range(2):
        shown = ask(f"{url}atom.xml", Sec_Fetch_Dest="document")
        assert shown.headers["content-type"] == "application/xml; charset=utf-8"
        for_program = ask(f"{url}atom.xml", Sec_Fetch_Dest="empty")
        assert for_program.headers["content-type"] == "application/atom+xml; charset=utf-8"
        assert shown.headers["vary"] == for_program.headers["vary"] == "Accept-Encoding"


def test_metrics_are_not_public(fronted: tuple[Server, str]) -> None:
    """A cache does not pass on `/metrics`, however the path is written."""
    server, url = fronted
    assert ask(f"{server.url}metrics").status == 200
    assert ask(f"{server.url}%6Detrics").status == 200
    for path in ("metrics", "%6Detrics", "m%65trics?x", "/metrics", "x/../metrics", "./metrics"):
        answer = ask(url + path)
        assert answer.status == 404, path
        assert b"feeds_degraded" not in answer.body
    assert ask(urljoin(url, "/metrics")).status == 404


@pytest.mark.heavy
def test_feeds_are_given_while_the_server_is_away(name: str, tmp_path: Path) -> None:
    """While the server is down, the cache serves stale answers; afterwards it revalidates them."""
    file = tmp_path / "entries.yaml"
    file.write_text(SHIPPED.read_text())
    with ExitStack() as stack:
        server = stack.enter_context(running("feeds serve", file, tmp_path / "server"))
        ends = datetime.now(UTC) + timedelta(seconds=10)
        file.write_text(SHIPPED.read_text() + SOON.format(ends.isoformat(timespec="seconds")))
        wait_until(lambda: NOT_STALE in ask(f"{server.url}atom.xml").headers["cache-control"])
        url = stack.enter_context(caching(name, tmp_path, server.port))
        before = {path: ask(url + path) for path in ("atom.xml", "rss.xml", TOPIC, "")}
        assert all(answer.status == 200 for answer in before.values())
        assert NOT_STALE in before["atom.xml"].headers["cache-control"]
        kill(server)
        time.sleep(max((ends - datetime.now(UTC)).total_seconds(), 0) + 1.5)
        for _ in range(2):
            for path, answer in before.items():
                assert ask(url + path)[::2] == (200, answer.body)
        with running("feeds serve", file, tmp_path / "server", url=server.url, port=server.port):
            wait_until_told(url + "atom.xml", b"An embargo has ended")


def test_varnish_purges_exactly_what_was_requested(tmp_path: Path) -> None:
    """A purge by a topic's key removes its documents, by a URL one document, by `everything` all."""
    program("varnishd")
    paths = [*build_release(load_catalogue(SHIPPED), as_of=datetime.now(UTC))]
    with (
        running("feeds serve", SHIPPED, tmp_path / "server") as server,
        caching("varnish", tmp_path, server.port) as url,
    ):
        root = (tmp_path / "varnish" / "purge").read_text()
        missing(url, paths)
        assert missing(url, paths) == set()
        purge(f"{root}.keys/topic-covid-19-response")
        gone = missing(url, paths)
        assert gone == {path for path in paths if path.startswith(TOPIC)}
        assert len(gone) > 4
        purge(f"{root}.keys/country-id")
        assert missing(url, paths) == {path for path in paths if "countries/id/" in path}
        for path in ("atom.xml", "entries/x/"):
            purge(f"{root}{FOLDER}{path}")
        assert missing(url, paths) == {"atom.xml"}
        purge(f"{root}.keys/everything")
        assert missing(url, paths) == {*paths}


@pytest.mark.heavy
def test_varnish_takes_no_purge_where_the_world_comes_in(tmp_path: Path) -> None:
    """A purge request through a proxy on the same machine is refused."""
    program("varnishd")
    with (
        running("feeds serve", SHIPPED, tmp_path / "server") as server,
        caching("varnish", tmp_path, server.port) as url,
    ):
        root = url.removesuffix(FOLDER)
        missing(url, ["atom.xml"])
        for template in ("PURGE {url}", f"PURGE {root}.keys/{{key}}"):
            done = run_feeds("export", tmp_path / "out", "--url", url, "--purge", template)
            assert done.returncode == 1
            assert "responds with 403" in done.stderr
        assert missing(url, ["atom.xml"]) == set()


def purge(address: str) -> None:
    with urlopen(Request(address, method="PURGE"), timeout=PATIENCE):
        pass


def missing(url: str, paths: list[str]) -> set[str]:
    """Request all these paths, and return those that the cache requested from the server."""
    # The second number is that of the request for which the answer was fetched.
    return {path for path in paths if " " not in ask(url + path).headers["x-varnish"]}


def kill(server: Server) -> None:
    server.process.kill()
    server.process.wait()

    def silent() -> bool:
        try:
            ask(server.url)
        except OSError:
            return True
        return False

    wait_until(silent)


def wait_until_told(url: str, words: bytes) -> None:
    wait_until(lambda: words in ask(url).body)
