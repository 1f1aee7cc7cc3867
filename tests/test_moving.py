"""A site that has moved to another URL: the old host redirects every address, and no reader notices."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote

import feedparser
import pytest
from conftest import SHIPPED, free_port, run_feeds, tree
from hosts import HOSTS, ask, hosted
from reader import Reader, make_reader

from feeds import build_release, load_catalogue
from feeds.headers import CORS, PREFLIGHT

MOVES = """
  moved:
    topics/pandemic/: topics/covid-19-response/
    topics/sars "2"/: topics/pandemic/
    topics/توسيع $1/: topics/covid-19-response/
    news.rss: rss.xml
    feed: atom.xml
    feed/: topics/covid-19-response/
    journal/: ./
  retired:
    - topics/elections-2019/
    - topics/covid-19-response/countries/xx/
    - gone.xml
"""
TEXT = SHIPPED.read_text().replace("\n  language:", f"{MOVES}\n  language:", 1)
TOPIC = "topics/covid-19-response/"
FEEDS = ("atom.xml", "rss.xml", f"{TOPIC}atom.xml", "countries/id/feed.json")
# What each request of a challenge gets, which the old host still needs for its certificate.
CHALLENGE = ".well-known/acme-challenge/token"


@dataclass(frozen=True, slots=True)
class Move:
    """An old and a new host, and a reader that has read the feeds at the old one before the move."""

    old: str
    new: str
    reader: Reader
    before: dict[str, list[str]]
    folder: Path


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            (name, path),
            id=f"{name}-{'path' if path else 'root'}",
            marks=[] if (name, path) == ("nginx", "öld/") else pytest.mark.heavy,
        )
        for path in ("öld/", "")
        for name in HOSTS
    ],
)
def move(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Move]:
    """Each server with the site, from which it moves to an nginx."""
    name, path = request.param
    folder = tmp_path_factory.mktemp("moving")
    file = folder / "entries.yaml"
    file.write_text(TEXT)
    ports = free_port(), free_port()
    old = f"http://127.0.0.1:{ports[0]}/{quote(path)}"
    new = f"http://127.0.0.1:{ports[1]}/news/{quote('néw')}/"
    served, other = folder / "old" / "www" / path, folder / "new" / "www" / "news" / "néw"
    challenge = folder / "old" / "acme" / CHALLENGE
    challenge.parent.mkdir(parents=True)
    challenge.write_text("answer")
    common = ("--catalogue", file, "--state", folder / "state")
    export(served, *common, "--url", old, "--host", name)
    with ExitStack() as stack:
        reader = stack.enter_context(make_reader(":memory:"))
        with hosted(name, folder / "old", served, ports[0]):
            for feed in FEEDS:
                reader.add_feed(old + feed)
            reader.update_feeds()
            before = {feed: ids(old + feed) for feed in FEEDS}
        export(other, *common, "--url", new, "--host", "nginx")
        export(served, *common, "--url", old, "--host", name, "--redirect-to", new)
        stack.enter_context(hosted("nginx", folder / "new", other, ports[1]))
        stack.enter_context(hosted(name, folder / "old", served, ports[0]))
        yield Move(old=old, new=new, reader=reader, before=before, folder=served)


def export(*words: str | Path) -> None:
    done = run_feeds("export", *words)
    assert done.returncode == 0, done.stderr


def ids(url: str) -> list[str]:
    """Return the ids of a feed's entries, as a program reads them that follows redirects."""
    if url.endswith(".json"):
        answer = ask(url)
        if answer.status == 301:
            answer = ask(answer.headers["location"])
        return [item["id"] for item in json.loads(answer.body)["items"]]
    return [entry.id for entry in feedparser.parse(url).entries]


def test_every_address_leads_to_the_new_one(move: Move) -> None:
    """Each address of the old site, published or not, leads permanently to the same path at the new URL."""
    release = build_release(load_catalogue(SHIPPED), as_of=datetime.now(UTC))
    folders = {path.removesuffix("index.html") for path in release}
    others = ("nothing.xml", "a/b c/ä.xml", f"{TOPIC}countries", "x$1{y}\\.xml", ".feeds-export/x")
    for path in sorted({*release, *folders, *others}):
        for method in ("GET", "HEAD"):
            answer = ask(move.old + quote(path), method=method)
            assert answer.status == 301, path
        assert answer.headers["location"].isascii()
        assert unquote(answer.headers["location"]) == unquote(move.new) + path
        assert answer.headers["access-control-allow-origin"] == "*"
        if path in release:
            there = ask(answer.headers["location"])
            assert (there.status, there.headers.get("location")) == (200, None), path


def test_what_moved_before_is_one_step_away(move: Move) -> None:
    """An address that had moved on the old site leads at once to its last new one."""
    for old, new in {
        "news.rss": "rss.xml",
        "topics/pandemic/": TOPIC,
        "topics/pandemic": TOPIC,
        "topics/pandemic/countries/id/rss.xml": f"{TOPIC}countries/id/rss.xml",
        'topics/sars "2"/atom.xml': f"{TOPIC}atom.xml",
        "topics/توسيع $1/atom.xml": f"{TOPIC}atom.xml",
        "topics/pandemic/a b/ä.xml": f"{TOPIC}a b/ä.xml",
        "feed": "atom.xml",
        "feed/rss.xml": f"{TOPIC}rss.xml",
        "journal/": "",
        "journal": "",
        "journal/news.rss": "rss.xml",
    }.items():
        answer = ask(move.old + quote(old))
        assert answer.status == 301, old
        assert unquote(answer.headers["location"]) == unquote(move.new) + new, old


def test_what_was_gone_is_gone(move: Move) -> None:
    """A retired address is gone on the old host, with the page of the new site, whose links lead there."""
    page = ask(f"{move.new}410.html").body
    for old in (
        *("gone.xml", "topics/elections-2019/", "topics/elections-2019/atom.xml"),
        *("topics/elections-2019", "topics/pandemic/countries/xx/atom.xml"),
    ):
        answer = ask(move.old + quote(old))
        assert (answer.status, answer.body) == (410, page), old
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "max-age" not in answer.headers.get("cache-control", "")
        assert "content-security-policy" in answer.headers
    assert f'href="{move.new}subscribe/"'.encode() in page


def test_readers_see_no_entry_as_new(move: Move) -> None:
    """feedparser and reader follow the redirect, and know every entry."""
    reader = move.reader
    known = {(entry.feed_url, entry.id) for entry in reader.get_entries()}
    assert len(known) > 20
    reader.mark_entry_as_read(next(iter(known)))
    for result in reader.update_feeds_iter():
        assert not isinstance(result.value, Exception), result.url
        assert result.value is None or result.value.new == 0, result.url
    assert {(entry.feed_url, entry.id) for entry in reader.get_entries()} == known
    assert len([*reader.get_entries(read=True)]) == 1
    for feed, before in move.before.items():
        assert before == ids(move.old + feed), feed
    parsed = feedparser.parse(f"{move.old}atom.xml")
    assert (parsed.status, unquote(parsed.href)) == (301, unquote(f"{move.new}atom.xml"))


def test_a_browser_may_follow(move: Move) -> None:
    """A preflight request, which may not be redirected, is answered by the old host."""
    for path in ("atom.xml", "", "feed/x", "nothing", "gone.xml"):
        answer = ask(
            move.old + path,
            method="OPTIONS",
            Origin="https://reader.example",
            Access_Control_Request_Method="GET",
        )
        assert (answer.status, answer.body) == (204, b""), path
        wanted = {name.lower(): value for name, value in (*CORS, *PREFLIGHT)}
        assert wanted.items() <= answer.headers.items(), path


def test_nothing_else_is_left(move: Move) -> None:
    """Of the old folder's files only the configuration and the page for gone addresses are left."""
    assert {*tree(move.folder)} - {".htaccess"} == {"410.html"}


def test_the_old_host_can_renew_its_certificate(move: Move) -> None:
    """The server's own location for ACME challenges has precedence over the redirect."""
    if move.old.endswith("ld/") or move.folder.joinpath(".feeds-export", "Caddyfile").exists():
        # A path of the host that is not the site's, or answered by Caddy itself.
        return
    answer = ask(f"{move.old}{CHALLENGE}")
    assert (answer.status, answer.body) == (200, b"answer")


OLD = "https://old.example.org/"
NEW = "https://new.example.org/news/"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "entries.yaml"
    found.write_text(TEXT)
    return found


def test_github_pages_redirects_what_it_can(file: Path) -> None:
    """On GitHub Pages, each page leads to its new address, and each other document is a copy of the new one."""
    out = file.parent / "out"
    words = ("--catalogue", file, "--host", "github-pages", "--redirect-to", NEW)
    # A page cannot be both `feed` and `feed/`.
    file.write_text(TEXT.replace("    feed: atom.xml\n", ""))
    export(out, *words, "--url", OLD)
    release = build_release(load_catalogue(file, url=NEW), as_of=datetime.now(UTC))
    found = tree(out)
    assert {*release, ".nojekyll"} <= {*found}
    for path, document in release.items():
        if document.media_type.startswith("text/html") and path != "404.html":
            address = NEW + path.removesuffix("index.html")
            assert f'http-equiv="refresh" content="0; url={address}"'.encode() in found[path]
            assert f'rel="canonical" href="{address}"'.encode() in found[path]
        else:
            assert found[path] == document.body, path
    assert found["topics/pandemic/atom.xml"] == release[f"{TOPIC}atom.xml"].body
    assert not [path for path in found if path.startswith("topics/elections-2019/")]


@pytest.mark.parametrize(("host", "status"), [("netlify", "301!"), ("cloudflare-pages", "301")])
def test_other_hosts_redirect_the_rest_last(host: str, status: str, file: Path) -> None:
    """On hosts with a list of redirects, the last line is for all addresses that no other line has."""
    out = file.parent / "out"
    export(out, "--catalogue", file, "--host", host, "--redirect-to", NEW, "--url", OLD)
    assert {*tree(out)} == {"_headers", "_redirects"}
    lines = (out / "_redirects").read_text().splitlines()
    assert lines[-1] == f"/* {NEW}:splat {status}"
    assert f"/news.rss {NEW}rss.xml {status}" in lines
    assert len(lines) == len({line.split()[0] for line in lines})


def test_the_documents_come_back(file: Path) -> None:
    """An export over an earlier one with or without --redirect-to writes all files, and removes all others."""
    out = file.parent / "out"
    words = ("--catalogue", file, "--url", OLD, "--host", "apache")
    export(out, *words)
    before = tree(out)
    export(out, *words, "--redirect-to", NEW)
    moved = tree(out)
    assert {*moved} == {".htaccess", "410.html"}
    export(out, *words, "--redirect-to", NEW)
    assert tree(out) == moved
    export(out, *words, "--redirect-to", f"{NEW}x/")
    assert f"{NEW}x/" in (out / ".htaccess").read_text()
    export(out, *words)
    assert tree(out) == before


def test_only_retired_addresses_need_a_page(file: Path) -> None:
    """Without retired addresses there is no page for 410, and with --no-pages neither."""
    words = ("--catalogue", file, "--url", OLD, "--host", "apache", "--redirect-to", NEW)
    export(file.parent / "feeds", *words, "--no-pages")
    file.write_text(SHIPPED.read_text())
    export(file.parent / "pages", *words)
    for name in ("feeds", "pages"):
        assert {*tree(file.parent / name)} == {".htaccess"}
        assert "ErrorDocument" not in (file.parent / name / ".htaccess").read_text()


def test_the_history_is_that_of_the_new_site(file: Path) -> None:
    """What an old host redirects changes no date of the site at its new address."""
    words = ("--catalogue", file, "--state", file.parent / "state", "--host", "apache")
    export(file.parent / "new", *words, "--url", NEW)
    history = file.parent / "state" / "history.tsv"
    before = history.read_bytes()
    export(file.parent / "out", *words, "--url", OLD, "--redirect-to", NEW)
    assert history.read_bytes() == before


def test_caches_of_the_old_host_are_purged(file: Path) -> None:
    """--purge purges the removed documents, at their old addresses."""
    out, purged = file.parent / "out", file.parent / "purged"
    words = ("--catalogue", file, "--url", OLD, "--host", "apache")
    export(out, *words)
    release = build_release(load_catalogue(file, url=OLD), as_of=datetime.now(UTC))
    export(out, *words, "--redirect-to", NEW, "--purge", f"sh -c 'cat > {purged}'")
    assert {OLD + path for path in release} - {f"{OLD}410.html"} <= {*purged.read_text().split()}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--redirect-to", NEW], "--redirect-to needs --host"),
        (["--redirect-to", "news", "--host", "nginx"], "'news'"),
        (["--redirect-to", OLD, "--host", "nginx"], "is not outside https://old.example.org/"),
        (["--redirect-to", f"{OLD}news/", "--host", "nginx"], "old address of the site with --url"),
        (["--redirect-to", NEW, "--host", "nginx", "--ping"], "remove --ping"),
    ],
)
def test_what_cannot_be_redirected_is_refused(words: list[str], message: str, file: Path) -> None:
    """A mistake in the options ends with exit code 2 and a message, and nothing is written."""
    out = file.parent / "out"
    done = run_feeds("export", out, "--catalogue", file, "--url", OLD, *words)
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr
    assert not out.exists() or not tree(out)
