"""An exported folder behind real nginx, Apache and Caddy, told by the files that the export wrote."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote, unquote

import brotli
import feedparser
import pytest
from conftest import SHIPPED, free_port, program, run, run_feeds
from hosts import HOSTS, ask, hosted
from reader import make_reader

from feeds import Publisher
from feeds.model import Document

MOVES = """
  moved:
    topics/pandemic/: topics/covid-19-response/
    topics/sars "2"/: topics/pandemic/
    topics/توسيع $1/: topics/covid-19-response/
    topics/covid-19-response/old/: topics/covid-19-response/
    news.rss: rss.xml
  retired:
    - topics/elections-2019/
    - topics/covid-19-response/countries/xx/
    - gone.xml
"""
TOPIC = "topics/covid-19-response/"


class Site:
    """A catalogue, its exported folder below a server's root, and the server's address."""

    def __init__(self, name: str, folder: Path, path: str) -> None:
        self.name = name
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/{path}"
        self.out = folder / "www" / path
        self.file = folder / "entries.yaml"
        self.text = SHIPPED.read_text().replace("\n  language:", f"{MOVES}\n  language:", 1)
        self.out.mkdir(parents=True)

    def export(self, text: str = "") -> dict[str, Document]:
        """Export a catalogue's text, and give its documents."""
        self.file.write_text(text or self.text)
        options = ("--catalogue", self.file, "--state", self.folder / "state", "--url", self.url)
        done = run_feeds("export", *options, self.out, "--host", self.name, "--compress")
        assert done.returncode == 0, done.stderr
        return dict(Publisher(self.file, url=self.url, state=self.folder / "state").load())

    def edited(self) -> str:
        return self.text.replace("Actuary or actor?", "Actor or actuary?")

    def statuses(self, path: str) -> list[int]:
        """Give the status of each request for a path, in order."""
        time.sleep(0.1)
        if self.name == "caddy":
            lines = (self.folder / "access.json").read_text().splitlines()
            told = [(row["status"], row["request"]["uri"]) for row in map(json.loads, lines)]
        else:
            lines = (self.folder / "access.log").read_text().splitlines()
            told = [(int(line.split()[0]), line.split()[1]) for line in lines]
        return [status for status, uri in told if f"http://127.0.0.1:{self.port}{uri}" == path]


@pytest.fixture(params=[(name, path) for name in HOSTS for path in ("news/", "")], ids="-".join)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Each server, with the site in a folder of its root, and as the root itself."""
    name, path = request.param
    found = Site(name, tmp_path, path)
    found.export()
    with hosted(name, tmp_path, found.out, found.port):
        yield found


def test_every_document_is_served_with_its_type(site: Site) -> None:
    """Media types have their charset; validators, freshness and leave for browsers are there."""
    for path, document in site.export().items():
        answer = ask(site.url + quote(path))
        assert (answer.status, answer.body) == (200, document.body), path
        headers = answer.headers
        assert headers["content-type"] == document.media_type
        assert headers["cache-control"].startswith("public, max-age=900, ")
        assert headers["access-control-allow-origin"] == "*"
        assert headers["x-content-type-options"] == "nosniff"
        page = document.media_type.startswith("text/html")
        assert ("content-security-policy" in headers) == page, path
        assert document.modified
        assert headers["last-modified"] == format_datetime(document.modified, usegmt=True)
        again = ask(site.url + quote(path), If_None_Match=headers["etag"])
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == headers["etag"]
        assert again.headers["cache-control"] == headers["cache-control"]
        assert ask(site.url + quote(path), If_Modified_Since=headers["last-modified"]).status == 304


def test_a_folder_shows_its_page(site: Site) -> None:
    """An address that ends in a slash is the page of that folder, as a page."""
    for folder in ("", TOPIC, "entries/jordan-ilo-agreement/"):
        answer = ask(site.url + folder)
        assert answer.status == 200
        assert answer.body == (site.out / folder / "index.html").read_bytes()
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("gzip, deflate", "gzip"),
        ("br", "br"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=0", None),
        ("br;q=0, gzip", "gzip"),
    ],
)
@pytest.mark.parametrize("name", HOSTS)
def test_compressed_files_are_sent(
    name: str, accepted: str, coding: str | None, tmp_path: Path
) -> None:
    """What lies beside a document is sent to who takes it, as the document, with a tag of its own."""
    site = Site(name, tmp_path, "news/")
    documents = site.export()
    if name == "nginx" and coding == "br":
        # Debian's has no module for it.
        coding = "gzip" if "gzip" in accepted else None
    with hosted(name, tmp_path, site.out, site.port):
        plain = ask(site.url + "atom.xml")
        for path in ("atom.xml", "feed.json", "index.html"):
            answer = ask(site.url + path, Accept_Encoding=accepted)
            assert answer.headers.get("content-encoding") == coding
            assert answer.headers["content-type"] == documents[path].media_type
            decode = {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}[coding]
            assert decode(answer.body) == documents[path].body
            if coding:
                ending = {"gzip": ".gz", "br": ".br"}[coding]
                assert answer.body == (site.out / f"{path}{ending}").read_bytes()
                assert "accept-encoding" in answer.headers["vary"].lower()
                assert answer.headers["etag"] != plain.headers["etag"]
            tag = answer.headers["etag"]
            again = ask(site.url + path, Accept_Encoding=accepted, If_None_Match=tag)
            assert again.status == 304


def test_given_up_addresses_answer_301_and_410(site: Site) -> None:
    """A moved address leads to its last new one in one step; a retired one is gone."""
    for old, new in {
        "news.rss": "rss.xml",
        "topics/pandemic/": TOPIC,
        "topics/pandemic": TOPIC,
        "topics/pandemic/atom.xml": f"{TOPIC}atom.xml",
        "topics/pandemic/countries/id/rss.xml": f"{TOPIC}countries/id/rss.xml",
        'topics/sars "2"/atom.xml': f"{TOPIC}atom.xml",
        "topics/توسيع $1/atom.xml": f"{TOPIC}atom.xml",
        "topics/covid-19-response/old/feed.json": f"{TOPIC}feed.json",
        "topics/pandemic/a b/ä.xml": f"{TOPIC}a b/ä.xml",
    }.items():
        answer = ask(site.url + quote(old))
        assert answer.status == 301, old
        assert answer.headers["location"].isascii()
        assert unquote(answer.headers["location"]) == site.url + new, old
        assert answer.headers["access-control-allow-origin"] == "*"
    for old in (
        *("gone.xml", "topics/elections-2019/", "topics/elections-2019/atom.xml"),
        *("topics/elections-2019", "topics/pandemic/countries/xx/atom.xml"),
        'topics/sars "2"/countries/xx/rss.xml',
    ):
        answer = ask(site.url + quote(old))
        assert answer.status == 410, old
        assert answer.headers["access-control-allow-origin"] == "*"


def test_what_is_no_document_is_not_there(site: Site) -> None:
    """404 is kept by no cache for long, and what the export has for itself is not shown."""
    paths = ("nothing.xml", "topics/nothing/", ".feeds-export/manifest.tsv", ".htaccess")
    for path in paths:
        answer = ask(site.url + path)
        assert answer.status == 404, path
        assert "max-age" not in answer.headers.get("cache-control", "")


def test_an_unchanged_feed_keeps_its_validators(site: Site) -> None:
    """Over an export in which another changed, its pair is the same; the changed one's is new."""
    paths = ("atom.xml", "countries/id/atom.xml")
    for coding in ("", "gzip"):
        site.export()
        before = [ask(site.url + path, Accept_Encoding=coding).headers for path in paths]
        site.export(site.edited())
        after = [ask(site.url + path, Accept_Encoding=coding).headers for path in paths]
        # Apache takes W/ away when a file is over a second old: to a poller that is the same tag.
        pairs = [
            [(headers["etag"].removeprefix("W/"), headers["last-modified"]) for headers in found]
            for found in (before, after)
        ]
        assert not set(pairs[0][0]) & set(pairs[1][0])
        assert pairs[0][1] == pairs[1][1]
        changed = ask(site.url + paths[0], Accept_Encoding=coding, If_None_Match=before[0]["etag"])
        assert changed.status == 200


def polled(site: Site, path: str, poll: Callable[[], list[str]], *earlier: int) -> None:
    """Poll twice, edit, poll twice again: what the reader knows, and what the server said."""
    before = [poll(), poll()]
    site.export(site.edited())
    after = [poll(), poll()]
    assert site.statuses(path) == [*earlier, 200, 304, 200, 304]
    assert all("Actuary or actor?" in found for found in before)
    assert all("Actor or actuary?" in found for found in after)


@pytest.fixture(params=HOSTS)
def news(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    found = Site(request.param, tmp_path, "news/")
    found.export()
    with hosted(found.name, tmp_path, found.out, found.port):
        yield found


def test_feedparser_polls_again(news: Site) -> None:
    """feedparser fetches each version once."""
    path = news.url + "atom.xml"
    known: dict[str, str] = {}
    titles: list[str] = []

    def poll() -> list[str]:
        parsed = feedparser.parse(path, **known)
        if parsed.status == 200:
            assert not parsed.bozo
            titles[:] = [entry.title for entry in parsed.entries]
            known.update(etag=parsed.etag, modified=parsed.modified)
        return list(titles)

    polled(news, path, poll)


def test_reader_polls_again(news: Site) -> None:
    """The reader library fetches each version once."""
    path = news.url + "rss.xml"
    with make_reader(":memory:") as reader:
        reader.add_feed(path)

        def poll() -> list[str]:
            reader.update_feed(path)
            return [entry.title or "" for entry in reader.get_entries()]

        polled(news, path, poll)


def test_newsboat_polls_again(news: Site, tmp_path: Path) -> None:
    """newsboat fetches each version once."""
    newsboat = program("newsboat")
    path = news.url + "atom.xml"
    (tmp_path / "urls").write_text(path + "\n")
    (tmp_path / "config").write_text("")
    cache = tmp_path / "cache.db"
    files = ("-u", tmp_path / "urls", "-c", cache, "-C", tmp_path / "config")

    def poll() -> list[str]:
        env = {"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
        done = run(newsboat, *files, "-x", "reload", env=env)
        assert done.returncode == 0, done.stderr
        return newsboat_titles(cache)

    # It keeps validators only of a feed that it knows already.
    poll()
    polled(news, path, poll, 200)


def newsboat_titles(cache: Path) -> list[str]:
    import sqlite3  # noqa: PLC0415

    with sqlite3.connect(cache) as database:
        rows = database.execute("select title from rss_item").fetchall()
    database.close()
    return [title for (title,) in rows]
