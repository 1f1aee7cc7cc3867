"""Real feed readers poll: one 200, then 304, and after an edit exactly one 200."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import feedparser
import pytest
from conftest import PATIENCE, SHIPPED, Server, program, run, running, wait_until
from reader import make_reader

FORMATS = ("atom.xml", "rss.xml")
TITLE = "Actuary or actor?"

pytestmark = pytest.mark.parametrize("path", FORMATS)


class News:
    """A served site whose first entry gets another title at each edit."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._file = server.folder.parent / "entries.yaml"
        self._edits = 0
        self._known = 0
        self._marks = 0
        self.url = server.url

    @property
    def title(self) -> str:
        return f"Edition {self._edits}" if self._edits else TITLE

    def edit(self) -> None:
        """Change the title, and wait until the server has it."""
        self._edits += 1
        new = self._file.with_suffix(".new")
        new.write_text(SHIPPED.read_text().replace(TITLE, self.title))
        new.replace(self._file)
        wait_until(lambda: self._server.log().count("event=serving") > self._edits)

    def statuses(self, path: str) -> list[int]:
        """Return the status of each request for a path since the last call, in order."""
        self._marks += 1
        # Requests are logged in their order: once this one is, those before it are.
        mark = f"mark-{self._marks}"
        with pytest.raises(HTTPError, match="404"):
            urlopen(self.url + mark, timeout=PATIENCE)
        wait_until(lambda: f"/{mark} " in self._server.access_log())
        lines = [line.split('"') for line in self._server.access_log().splitlines()]
        new, self._known = lines[self._known :], len(lines)
        return [int(line[2].split()[0]) for line in new if line[1].split()[1] == f"/{path}"]


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Iterator[News]:
    """One site for all readers; each makes an edit of its own."""
    folder = tmp_path_factory.mktemp("news")
    (folder / "entries.yaml").write_text(SHIPPED.read_text())
    with running("feeds serve", folder / "entries.yaml", folder / "server") as server:
        yield News(server)


def check(news: News, path: str, poll: Callable[[], list[str]], *earlier: int) -> None:
    """Poll twice, edit, poll twice; return what the reader has, and the statuses."""
    old, before = news.title, [poll(), poll()]
    news.edit()
    new, after = news.title, [poll(), poll()]
    assert news.statuses(path) == [*earlier, 200, 304, 200, 304]
    assert all(len(found) == 20 for found in before + after)
    assert all(old in found and new not in found for found in before)
    assert all(new in found and old not in found for found in after)


@pytest.mark.parametrize(
    "validator", ["etag", "modified", pytest.param("both", marks=pytest.mark.heavy)]
)
def test_feedparser_polls_again(path: str, validator: str, news: News) -> None:
    """feedparser sends back the ETag, the date, or both, and fetches each version once."""
    known: dict[str, str] = {}
    titles: list[str] = []

    def poll() -> list[str]:
        parsed = feedparser.parse(news.url + path, **known)
        if parsed.status == 200:
            titles[:] = [entry.title for entry in parsed.entries]
            names = ("etag", "modified") if validator == "both" else (validator,)
            known.update({name: parsed[name] for name in names})
        return list(titles)

    check(news, path, poll)


def test_reader_polls_again(path: str, news: News) -> None:
    """The reader library fetches each version once."""
    with make_reader(":memory:") as reader:
        reader.add_feed(news.url + path)

        def poll() -> list[str]:
            reader.update_feed(news.url + path)
            return [entry.title or "" for entry in reader.get_entries()]

        check(news, path, poll)


def test_newsboat_polls_again(path: str, news: News, tmp_path: Path) -> None:
    """newsboat fetches each version once."""
    newsboat = program("newsboat")
    (tmp_path / "urls").write_text(news.url + path + "\n")
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
    check(news, path, poll, 200)


def titles(cache: Path) -> list[str]:
    with sqlite3.connect(cache) as database:
        rows = database.execute("select title from rss_item").fetchall()
    database.close()
    return [title for (title,) in rows]
