"""Real feed readers that poll again: one 200, then 304, and after an edit exactly one 200."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import feedparser
import pytest
from conftest import SHIPPED, Server, program, run, running
from reader import make_reader

FORMATS = ("atom.xml", "rss.xml")

pytestmark = pytest.mark.parametrize("path", FORMATS)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    file = tmp_path / "entries.yaml"
    file.write_text(SHIPPED.read_text())
    with running("feeds serve", file, tmp_path / "server") as found:
        yield found


def edit(server: Server) -> None:
    """Change a title, and wait until the server has it."""
    file = server.folder.parent / "entries.yaml"
    new = file.with_suffix(".new")
    new.write_text(SHIPPED.read_text().replace("Actuary or actor?", "Actor or actuary?"))
    new.replace(file)
    end = time.monotonic() + 5
    while server.log().count("event=published") < 2:
        assert time.monotonic() < end
        time.sleep(0.02)


def statuses(server: Server, path: str) -> list[int]:
    """Give the status of each request for a path, in order."""
    time.sleep(0.05)
    lines = [line.split('"') for line in server.access_log().splitlines()]
    return [int(line[2].split()[0]) for line in lines if line[1].split()[1] == f"/{path}"]


def check(server: Server, path: str, poll: Callable[[], list[str]], *earlier: int) -> None:
    """Poll twice, edit, poll twice again: what the reader knows, and what the server said."""
    before = [poll(), poll()]
    edit(server)
    after = [poll(), poll()]
    assert statuses(server, path) == [*earlier, 200, 304, 200, 304]
    assert all(len(found) == 20 for found in before + after)
    assert all("Actuary or actor?" in found for found in before)
    assert all("Actor or actuary?" in found for found in after)


@pytest.mark.parametrize("validator", ["etag", "modified", "both"])
def test_feedparser_polls_again(path: str, validator: str, server: Server) -> None:
    """feedparser sends back the ETag, the date, or both, and fetches each version once."""
    known: dict[str, str] = {}
    titles: list[str] = []

    def poll() -> list[str]:
        parsed = feedparser.parse(server.url + path, **known)
        if parsed.status == 200:
            titles[:] = [entry.title for entry in parsed.entries]
            names = ("etag", "modified") if validator == "both" else (validator,)
            known.update({name: parsed[name] for name in names})
        return list(titles)

    check(server, path, poll)


def test_reader_polls_again(path: str, server: Server) -> None:
    """The reader library fetches each version once."""
    with make_reader(":memory:") as reader:
        reader.add_feed(server.url + path)

        def poll() -> list[str]:
            reader.update_feed(server.url + path)
            return [entry.title or "" for entry in reader.get_entries()]

        check(server, path, poll)


def test_newsboat_polls_again(path: str, server: Server, tmp_path: Path) -> None:
    """newsboat fetches each version once."""
    newsboat = program("newsboat")
    (tmp_path / "urls").write_text(server.url + path + "\n")
    (tmp_path / "config").write_text("")
    files = ("-u", tmp_path / "urls", "-c", tmp_path / "cache.db", "-C", tmp_path / "config")

    def poll() -> list[str]:
        env = {"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
        done = run(newsboat, *files, "-x", "reload", env=env)
        assert done.returncode == 0, done.stderr
        return titles(tmp_path / "cache.db")

    # It keeps validators only of a feed that it knows already: its very first
    # poll is followed by one more without them.
    poll()
    check(server, path, poll, 200)


def titles(cache: Path) -> list[str]:
    with sqlite3.connect(cache) as database:
        rows = database.execute("select title from rss_item").fetchall()
    database.close()
    return [title for (title,) in rows]
