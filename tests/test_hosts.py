"""An exported folder behind real nginx, Apache and Caddy, with the exported configuration."""

import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urljoin

import brotli
import feedparser
import pytest
from builds import dated
from conftest import SHIPPED, free_port, program, run, run_feeds, wait_until
from hosts import HOSTS, Answer, ask, hosted
from reader import make_reader

from feeds.headers import CORS, PAGE_POLICY, PREFLIGHT

if TYPE_CHECKING:
    from builds import DatedDocument

MOVES = """
  moved:
    topics/pandemic/: topics/covid-19-response/
    topics/sars "2"/: topics/pandemic/
    topics/توسيع $1/: topics/covid-19-response/
    topics/covid-19-response/old/: topics/covid-19-response/
    news.rss: rss.xml
    wp/: news.rss
    journal/: ./
    home.html: ./
    feed: atom.xml
    feed/: topics/covid-19-response/
    ünï {1}/: topics/covid-19-response/
    blog: rss.xml
    gone/here/: topics/covid-19-response/
  retired:
    - blog/
    - gone/
    - topics/elections-2019/
    - topics/covid-19-response/countries/xx/
    - gone.xml
"""
TOPIC = "topics/covid-19-response/"
OLD = "COVID-19 strategies must invest in human-centred recovery"
NEW = "Human-centred recovery needs investment"


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
        self.documents: dict[str, DatedDocument] = {}
        self.public = datetime.now(UTC) - timedelta(days=1)

    def export(self, text: str = "") -> None:
        """Export a catalogue's text, which has been public for hours."""
        self.file.write_text(text or self.text)
        # Apache's tag is a weak one as long as a file might change within the second.
        self.public += timedelta(hours=1)
        state = self.folder / "state"
        self.documents = dated(self.file, url=self.url, state=state, clock=lambda: self.public)
        options = ("--catalogue", self.file, "--state", state, "--url", self.url)
        done = run_feeds("export", *options, self.out, "--host", self.name, "--compress")
        assert done.returncode == 0, done.stderr

    def edited(self) -> str:
        return self.text.replace(OLD, NEW)

    def statuses(self, path: str) -> list[int]:
        """Return the status of each logged request for a path, in order."""
        if self.name == "caddy":
            lines = (self.folder / "access.json").read_text().splitlines()
            logged = [(row["status"], row["request"]["uri"]) for row in map(json.loads, lines)]
        else:
            lines = (self.folder / "access.log").read_text().splitlines()
            logged = [(int(line.split()[0]), line.split()[1]) for line in lines]
        return [status for status, uri in logged if f"http://127.0.0.1:{self.port}{uri}" == path]


@pytest.fixture(
    scope="module",
    params=[
        *(pytest.param((name, "news/"), id=f"{name}-news/") for name in HOSTS),
        *(pytest.param((name, ""), id=f"{name}-", marks=pytest.mark.heavy) for name in HOSTS),
    ],
)
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Each server, with the site in a folder of its root, and as the root itself."""
    name, path = request.param
    with running(name, tmp_path_factory.mktemp(name), path) as found:
        yield found


# Under which a browser shows a feed.
XML = "application/xml; charset=utf-8"


@pytest.fixture(
    params=[
        "nginx",
        *(pytest.param(name, marks=pytest.mark.heavy) for name in HOSTS if name != "nginx"),
    ]
)
def news(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Each server, for a test that edits the news."""
    with running(request.param, tmp_path, "news/") as found:
        yield found


@contextmanager
def running(name: str, folder: Path, path: str) -> Iterator[Site]:
    found = Site(name, folder, path)
    found.export()
    with hosted(name, folder, found.out, found.port):
        yield found


def test_every_document_is_served_with_its_type(site: Site) -> None:
    """Documents have their media type with charset, validators, freshness and CORS headers; feeds have the type that browsers show."""
    for path, document in site.documents.items():
        answer = ask(site.url + quote(path))
        assert (answer.status, answer.body) == (200, document.body), path
        headers = answer.headers
        assert headers["content-type"] == (XML if path.endswith(".xml") else document.media_type)
        assert headers["cache-control"].startswith("public, max-age=900, ")
        assert headers["access-control-allow-origin"] == "*"
        assert headers["x-content-type-options"] == "nosniff"
        shown = path.endswith((".html", ".xml"))
        assert ("content-security-policy" in headers) == shown, path
        assert document.modified
        assert headers["last-modified"] == format_datetime(document.modified, usegmt=True)
        again = ask(site.url + quote(path), If_None_Match=headers["etag"])
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == headers["etag"]
        assert again.headers["cache-control"] == headers["cache-control"]
        assert ask(site.url + quote(path), If_Modified_Since=headers["last-modified"]).status == 304


def test_a_folder_shows_its_page(site: Site) -> None:
    """A folder's address serves its page, with the headers of a page."""
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
def test_compressed_files_are_sent(accepted: str, coding: str | None, site: Site) -> None:
    """A compressed copy is sent to clients that accept its coding, with the document's type and its own ETag."""
    if site.name == "nginx" and coding == "br":
        # Debian's nginx-light has no module for it.
        coding = "gzip" if "gzip" in accepted else None
    plain = ask(site.url + "atom.xml")
    for path in ("atom.xml", "feed.json", "index.html"):
        answer = ask(site.url + path, Accept_Encoding=accepted)
        assert answer.headers.get("content-encoding") == coding
        media_type = site.documents[path].media_type
        assert answer.headers["content-type"] == (XML if path.endswith(".xml") else media_type)
        decode = {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}[coding]
        assert decode(answer.body) == site.documents[path].body
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
        "wp/": "rss.xml",
        "wp": "rss.xml",
        "wp/rss2/": "rss.xml",
        "journal/": "",
        "journal": "",
        "journal/atom.xml": "atom.xml",
        "journal/news.rss": "rss.xml",
        "journal/topics/pandemic/atom.xml": f"{TOPIC}atom.xml",
        "journal/wp/": "rss.xml",
        "home.html": "",
        "feed": "atom.xml",
        "feed/": TOPIC,
        "feed/rss.xml": f"{TOPIC}rss.xml",
        "ünï {1}": TOPIC,
        "ünï {1}/": TOPIC,
        "ünï {1}/ä{b}.xml": f"{TOPIC}ä{{b}}.xml",
        "blog": "rss.xml",
        "gone/here/": TOPIC,
    }.items():
        answer = ask(site.url + quote(old))
        assert answer.status == 301, old
        assert answer.headers["location"].isascii()
        assert unquote(answer.headers["location"]) == site.url + new, old
        assert answer.headers["access-control-allow-origin"] == "*"
    for old in (
        *("gone.xml", "topics/elections-2019/", "topics/elections-2019/atom.xml"),
        *("topics/elections-2019", "topics/pandemic/countries/xx/atom.xml"),
        *("blog/", "blog/feed", "gone/here", "gone/there/"),
        'topics/sars "2"/countries/xx/rss.xml',
    ):
        answer = ask(site.url + quote(old))
        assert answer.status == 410, old
        assert answer.headers["access-control-allow-origin"] == "*"
        assert_page(answer, site.out / "410.html")


def test_what_is_not_a_document_is_404(site: Site) -> None:
    """A 404 is cached briefly, and the export's own files are not served."""
    for path in (
        *("nothing.xml", "topics/nothing/", "atom.xml/", f"{TOPIC}atom.xml/x"),
        *(".feeds-export/manifest.tsv", ".feeds-export/", ".htaccess"),
        *("topics/", "topics", "entries/", f"{TOPIC}countries/", f"{TOPIC}countries"),
    ):
        answer = ask(site.url + path)
        assert answer.status == 404, path
        assert_page(answer, site.out / "404.html")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_name_is_too_long_to_be_missing(site: Site) -> None:
    """A path longer than a file system allows is a 404."""
    for name in ("x" * 300, quote("ä" * 200), f"{'x' * 300}/", "x/" * 3000):
        answer = ask(site.url + name)
        if site.name == "apache":
            # It never comes to look at .htaccess.
            assert answer.status in {403, 404}
        else:
            assert answer.status == 404
            assert_page(answer, site.out / "404.html")


def test_a_folder_lacks_its_slash(site: Site) -> None:
    """A folder without its slash redirects to the site's own URL, whatever the server's name is."""
    # Caddy serves no one under a name that is not configured; its answer has none.
    inner = {} if site.name == "caddy" else {"Host": "inner.example:8080"}
    for folder in (TOPIC, "countries/id/", "subscribe/"):
        answer = ask(site.url + folder.removesuffix("/"), **inner)
        assert answer.status in {301, 308}
        assert urljoin(site.url, answer.headers["location"]) == site.url + folder
        assert answer.headers["access-control-allow-origin"] == "*"


def test_a_browser_is_given_leave(site: Site) -> None:
    """A preflight request is answered as `feeds serve` answers it."""
    for path in (
        "atom.xml",
        "",
        TOPIC,
        "topics",
        "topics/",
        "nothing.xml",
        "feed",
        "feed/x",
        "gone.xml",
    ):
        answer = ask(
            site.url + path,
            method="OPTIONS",
            Origin="https://reader.example",
            Access_Control_Request_Method="GET",
            Access_Control_Request_Headers="if-none-match",
        )
        assert (answer.status, answer.body) == (204, b""), path
        wanted = {name.lower(): value for name, value in (*CORS, *PREFLIGHT)}
        assert wanted.items() <= answer.headers.items(), path
    assert "access-control-max-age" not in ask(site.url + "atom.xml").headers


def assert_page(answer: Answer, file: Path) -> None:
    """Check that an error page has the headers of a page, and is not cached."""
    assert answer.body == file.read_bytes()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == PAGE_POLICY[1]
    assert "max-age" not in answer.headers.get("cache-control", "")


def test_an_unchanged_feed_keeps_its_validators(news: Site) -> None:
    """After an export, an unchanged feed keeps its validators, and a changed feed gets new ones."""
    paths = ("atom.xml", "countries/id/atom.xml")
    asked = [(path, coding) for path in paths for coding in ("", "gzip")]

    def pairs() -> list[tuple[str, str]]:
        found = [ask(news.url + path, Accept_Encoding=coding).headers for path, coding in asked]
        # Apache takes W/ away when a file is over a second old: to a poller that is the same tag.
        return [(one["etag"].removeprefix("W/"), one["last-modified"]) for one in found]

    before = pairs()
    news.export(news.edited())
    after = pairs()
    assert before[2:] == after[2:]
    for old, new, (path, coding) in zip(before, after, asked[:2], strict=False):
        assert old[0] != new[0]
        assert old[1] != new[1]
        assert ask(news.url + path, Accept_Encoding=coding, If_None_Match=old[0]).status == 200


def test_readers_poll_again(news: Site, tmp_path: Path) -> None:
    """feedparser, reader and newsboat fetch each version once: one 200, then 304."""
    with ExitStack() as stack:
        polls = {
            "atom.xml": feedparser_poll(f"{news.url}atom.xml"),
            "rss.xml": reader_poll(f"{news.url}rss.xml", stack),
            f"{TOPIC}atom.xml": newsboat_poll(f"{news.url}{TOPIC}atom.xml", tmp_path),
        }
        # newsboat keeps validators only of a feed that it knows already.
        polls[f"{TOPIC}atom.xml"]()
        before = [poll() for _ in range(2) for poll in polls.values()]
        news.export(news.edited())
        after = [poll() for _ in range(2) for poll in polls.values()]
    assert all(OLD in "".join(titles) for titles in before)
    assert all(NEW in "".join(titles) for titles in after)
    for path in polls:
        earlier = [200] if path.startswith(TOPIC) else []
        wanted = [*earlier, 200, 304, 200, 304]
        wait_until(lambda: len(news.statuses(news.url + path)) >= len(wanted))  # noqa: B023  # at once
        assert news.statuses(news.url + path) == wanted, path


def feedparser_poll(url: str) -> Callable[[], list[str]]:
    known: dict[str, str] = {}
    titles: list[str] = []

    def poll() -> list[str]:
        parsed = feedparser.parse(url, **known)
        if parsed.status == 200:
            assert not parsed.bozo
            titles[:] = [entry.title for entry in parsed.entries]
            known.update(etag=parsed.etag, modified=parsed.modified)
        return list(titles)

    return poll


def reader_poll(url: str, stack: ExitStack) -> Callable[[], list[str]]:
    reader = stack.enter_context(make_reader(":memory:"))
    reader.add_feed(url)

    def poll() -> list[str]:
        reader.update_feed(url)
        return [entry.title or "" for entry in reader.get_entries()]

    return poll


def newsboat_poll(url: str, folder: Path) -> Callable[[], list[str]]:
    newsboat = program("newsboat")
    (folder / "urls").write_text(url + "\n")
    (folder / "config").write_text("")
    cache = folder / "cache.db"
    files = ("-u", folder / "urls", "-c", cache, "-C", folder / "config")

    def poll() -> list[str]:
        env = {"HOME": str(folder), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
        done = run(newsboat, *files, "-x", "reload", env=env)
        assert done.returncode == 0, done.stderr
        with sqlite3.connect(cache) as database:
            rows = database.execute("select title from rss_item").fetchall()
        database.close()
        return [title for (title,) in rows]

    return poll
