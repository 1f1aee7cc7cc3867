"""Real feed readers get titles, languages, authors and documents of entries in three languages."""

import io
import json
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import feedparser
import podcastparser
import pytest
from conftest import AS_OF, CATALOGUES, ROOT, program, run
from lxml import html
from reader import make_reader

from feeds import Entry, Release, build_release, load_catalogue

AGENCY = CATALOGUES / "agency.yaml"
FORMATS = ("atom.xml", "rss.xml", "feed.json")
FEEDSMITH = ROOT / "tests" / "feedsmith"


@pytest.fixture(scope="module")
def url(served: Callable[..., str]) -> str:
    """Return the address of the catalogue on a real server."""
    return served(AGENCY)


@pytest.fixture(scope="module")
def release(url: str) -> Release:
    """Return what that server serves."""
    return build_release(load_catalogue(AGENCY, url=url), as_of=AS_OF)


@pytest.fixture(scope="module")
def entries(release: Release) -> tuple[Entry, ...]:
    return release.feeds[0].latest


def titles(entries: tuple[Entry, ...]) -> list[str]:
    return [entry.title for entry in entries]


def authors(entries: tuple[Entry, ...], release: Release) -> list[list[str]]:
    return [[one.name for one in release.site.authors(entry)] for entry in entries]


def languages(entries: tuple[Entry, ...]) -> list[str]:
    return [entry.language or "en" for entry in entries]


def first_documents(entries: tuple[Entry, ...]) -> list[str]:
    return [entry.documents[0].url if entry.documents else "" for entry in entries]


def links(content: str) -> list[str]:
    """Return the links of a content to documents."""
    found = html.fromstring(content or "<p>").iterfind(".//ul/li/a")
    return [link.get("href", "") for link in found]


def all_documents(entries: tuple[Entry, ...]) -> list[list[str]]:
    return [[document.url for document in entry.documents] for entry in entries]


@pytest.mark.parametrize("name", ["atom.xml", "rss.xml"])
def test_feedparser(name: str, url: str, release: Release, entries: tuple[Entry, ...]) -> None:
    """feedparser gives all titles, languages and authors, and the documents in their order."""
    with urlopen(url + name) as answer:
        found = feedparser.parse(answer.read(), response_headers=dict(answer.headers))
    assert not found.bozo
    assert [entry.title for entry in found.entries] == titles(entries)
    assert [entry.title_detail.language for entry in found.entries] == languages(entries)
    for entry, names in zip(found.entries, authors(entries, release), strict=True):
        # In Atom an entry without an author has that of the feed.
        assert [one["name"] for one in entry.get("authors", [found.feed.author_detail])] == names
    enclosed = [entry.enclosures[0].href if entry.enclosures else "" for entry in found.entries]
    assert enclosed == first_documents(entries)
    contents = [entry.content[0].value if "content" in entry else "" for entry in found.entries]
    assert [links(content) for content in contents] == all_documents(entries)
    licences = [entry.license for entry in found.entries]
    assert licences == [entry.license or release.site.license for entry in entries]


@pytest.mark.parametrize("name", FORMATS)
def test_reader(name: str, url: str, release: Release, entries: tuple[Entry, ...]) -> None:
    """The reader library stores titles, languages, an author or all, and the documents."""
    with make_reader(":memory:") as reader:
        reader.add_feed(url + name)
        reader.update_feed(url + name)
        found = sorted(
            reader.get_entries(), key=lambda entry: titles(entries).index(entry.title or "")
        )
    assert [entry.title for entry in found] == titles(entries)
    for got, entry, names in zip(found, entries, authors(entries, release), strict=True):
        assert (got.authors_str or "Press office").split(", ")[-1] == names[-1]
        if entry.documents:
            assert got.content[0].language == (entry.language or "en")
            assert got.enclosures[0].href == entry.documents[0].url
            assert links(got.content[0].value) == [document.url for document in entry.documents]


@pytest.mark.parametrize("name", ["atom.xml", "rss.xml"])
def test_newsboat(name: str, url: str, entries: tuple[Entry, ...], tmp_path: Path) -> None:
    """newsboat shows titles and authors, plays audio, and lists the links to all documents."""
    newsboat = program("newsboat")
    (tmp_path / "urls").write_text(f"{url}{name}\n")
    (tmp_path / "config").write_text("")
    files = ("-u", "urls", "-c", "cache.db", "-C", "config")
    settings = {"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    done = run(newsboat, *files, "-x", "reload", cwd=tmp_path, env=settings)
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(tmp_path / "cache.db") as database:
        rows = database.execute(
            "select title, author, enclosure_url, content from rss_item order by pubDate desc"
        ).fetchall()
    database.close()
    assert [row[0] for row in rows] == titles(entries)
    assert [row[1].split(", ")[-1] for row in rows[:3]] == [
        entry.authors[-1].name for entry in entries[:3]
    ]
    # It keeps one file, if it is audio or video: in Atom the last, in RSS the enclosure.
    played = 0 if name == "rss.xml" else -1
    assert [row[2] for row in rows] == ["", entries[1].documents[played].url, "", ""]
    assert [links(row[3]) for row in rows] == all_documents(entries)


@pytest.mark.parametrize("name", FORMATS)
def test_feedsmith(name: str, release: Release, entries: tuple[Entry, ...]) -> None:
    """feedsmith parses titles, languages, authors and documents of each format."""
    if not (FEEDSMITH / "node_modules").exists():
        program("feedsmith (npm ci --prefix tests/feedsmith)")
    command = [program("node"), str(FEEDSMITH / "parse.mjs")]
    done = subprocess.run(
        command, input=release[name].body, capture_output=True, timeout=60, check=True
    )
    feed: dict[str, Any] = json.loads(done.stdout)["feed"]
    found = feed.get("entries") or feed["items"]
    given = [entry["title"] for entry in found]
    assert [one if isinstance(one, str) else one["value"] for one in given] == titles(entries)
    people = [
        [one["name"] for one in entry.get("authors", [])] or entry.get("dc", {}).get("creators")
        for entry in found
    ]
    expected = authors(entries, release)
    assert people == expected[:3] + ([None] if name != "rss.xml" else expected[3:])
    shown = [
        entry.get("language")
        or entry.get("xml", {}).get("lang")
        or entry.get("dc", {}).get("languages", [None])[0]
        for entry in found
    ]
    assert shown == [entry.language or None for entry in entries]
    files = [
        [link["href"] for link in entry.get("links", []) if link["rel"] == "enclosure"]
        or [one["url"] for one in entry.get("attachments", entry.get("enclosures", []))]
        for entry in found
    ]
    assert [one[0] if one else "" for one in files] == first_documents(entries)


@pytest.mark.parametrize("name", ["atom.xml", "rss.xml"])
def test_podcastparser(name: str, release: Release, entries: tuple[Entry, ...]) -> None:
    """podcastparser gives titles, and each document as a file of its episode, the first one first."""
    found = podcastparser.parse(f"{release.site.url}{name}", io.BytesIO(release[name].body))
    episodes = sorted(found["episodes"], key=lambda one: titles(entries).index(one["title"]))
    assert [one["title"] for one in episodes] == titles(entries)
    assert found.get("language", "en") == "en"
    files = [[one["url"] for one in episode["enclosures"]] for episode in episodes]
    # An image is not the first of what it finds in Media RSS.
    audible = [[url for url in urls if not url.endswith(".jpg")] for urls in files]
    assert [urls[0] if urls else "" for urls in audible] == first_documents(entries)
    shown = [links(one.get("description_html", "")) for one in episodes]
    assert shown == all_documents(entries)
