"""Real feed readers, over a real socket, get every entry of the catalogue."""

import sqlite3
from calendar import timegm
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import feedparser
import pytest
from conftest import SHIPPED, program, run
from reader import make_reader

from feeds import Entry, load_catalogue

FEEDS = ("", "topics/unemployment-protection/", "countries/id/")
FORMATS = ("atom.xml", "rss.xml")
Seen = set[tuple[str, str, int]]

pytestmark = pytest.mark.parametrize("path", [feed + form for feed in FEEDS for form in FORMATS])


@pytest.fixture
def expected(path: str) -> Seen:
    """Return title, id and instant of each entry that belongs to the feed."""
    catalogue = load_catalogue(SHIPPED)
    chosen = [entry for entry in catalogue.entries if _belongs(entry, path)]
    assert len(chosen) > 1
    return {
        (entry.title, catalogue.site.tag(entry.id), int(entry.published.timestamp()))
        for entry in chosen
    }


def _belongs(entry: Entry, path: str) -> bool:
    if path.startswith("topics/"):
        return any(path.split("/")[1] == topic.slug for topic in entry.topics)
    if path.startswith("countries/"):
        return any(path.split("/")[1] == country.slug for country in entry.countries)
    return True


def test_feedparser_sees_the_catalogue(
    path: str, expected: Seen, served: Callable[..., str]
) -> None:
    """feedparser returns every title, id and date, and reports no malformed feed."""
    with urlopen(served(SHIPPED) + path) as answer:
        parsed = feedparser.parse(answer.read(), response_headers=dict(answer.headers))
    assert not parsed.bozo
    seen = {(entry.title, entry.id, timegm(entry.published_parsed)) for entry in parsed.entries}
    assert seen == expected
    assert len(parsed.entries) == len(expected)


def test_reader_sees_the_catalogue(path: str, expected: Seen, served: Callable[..., str]) -> None:
    """The reader library, subscribed over HTTP, stores every title, id and date."""
    url = served(SHIPPED) + path
    with make_reader(":memory:") as reader:
        reader.add_feed(url)
        reader.update_feed(url)
        seen = {
            (entry.title or "", entry.id, int(entry.published.timestamp()))
            for entry in reader.get_entries()
            if entry.published
        }
    assert seen == expected


def test_newsboat_sees_the_catalogue(
    path: str, expected: Seen, served: Callable[..., str], tmp_path: Path
) -> None:
    """newsboat, subscribed over HTTP, stores every title, id and date."""
    newsboat = program("newsboat")
    (tmp_path / "urls").write_text(served(SHIPPED) + path + "\n")
    (tmp_path / "config").write_text("")
    cache = tmp_path / "cache.db"
    done = run(
        newsboat,
        "-u",
        tmp_path / "urls",
        "-c",
        cache,
        "-C",
        tmp_path / "config",
        "-x",
        "reload",
        env={"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(cache) as database:
        rows = database.execute("select title, guid, pubDate from rss_item").fetchall()
    database.close()
    assert {(title, guid, date) for title, guid, date in rows} == expected


def test_sfeed_sees_the_catalogue(path: str, expected: Seen, served: Callable[..., str]) -> None:
    """sfeed prints every title, id and date of the served bytes."""
    sfeed = program("sfeed")
    with urlopen(served(SHIPPED) + path) as answer:
        done = run(sfeed, text=answer.read().decode())
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    seen = {(row[1], row[5], int(row[0])) for row in rows}
    assert seen == expected
