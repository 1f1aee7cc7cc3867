"""Lists of feeds to import contain every feed, for real importers."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import urlopen

import listparser
import pytest
from conftest import AS_OF, SHIPPED, program, run
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree
from reading import entries, quoted, read, site

from feeds import Release, build_release, load_catalogue
from feeds.catalogue import read_catalogue
from feeds.urls import ALL_OPML, OPML

SITE = load_catalogue(SHIPPED).site
# What a catalogue lets through: no control characters (XML 1.0 §2.2), no surrogates.
TEXT = st.text(
    st.sampled_from("&<>\"' ]") | st.characters(exclude_categories=("Cs", "Cc", "Cn")), min_size=1
)
HEAD = """site:
  title: News
  url: https://news.example.org/
  id: tag:news.example.org,2021:t
  author: {name: Somebody, email: somebody@example.org, uri: https://example.org/}
"""
ENTRY = """entries:
- {id: a, title: A, date: 2022-05-24, summary: S., topics: [Water], countries: [Jordan]}
"""


def outlines(document: bytes) -> list[etree._Element]:
    return etree.fromstring(document).findall(".//outline[@type]")


def attribute(outline: etree._Element, name: str) -> str:
    return str(outline.attrib[name])


def test_all_feeds_are_in_the_full_list(release: Release) -> None:
    """The list of all names each feed once, and those of topics and of countries name theirs."""
    filename = release.formats[0].filename
    path = {release.site.address(feed.path + filename): feed.path for feed in release.feeds}
    chosen = {
        ALL_OPML: release.feeds,
        OPML["topics"]: [feed for feed in release.feeds if feed.topic and not feed.country],
        OPML["countries"]: [feed for feed in release.feeds if feed.country and not feed.topic],
    }
    for name, feeds in chosen.items():
        if not feeds:
            assert name not in release
            continue
        found = [path[attribute(outline, "xmlUrl")] for outline in outlines(release[name].body)]
        assert sorted(found) == sorted(feed.path for feed in feeds)


def test_a_list_is_opml_2(release: Release) -> None:
    """A list has the elements and attributes of the specification, in its order."""
    for name in {ALL_OPML, *OPML.values()} & {*release}:
        assert release[name].media_type == "text/x-opml; charset=utf-8"
        root = etree.fromstring(release[name].body)
        assert (root.tag, root.attrib.items()) == ("opml", [("version", "2.0")])
        head, body = root
        assert (head.tag, body.tag) == ("head", "body")
        known = {"title", "ownerName", "ownerEmail", "ownerId", "docs"}
        assert {"title", "ownerName", "docs"} <= {element.tag for element in head} <= known
        assert len(body) > 0
        for outline in body.iter("outline"):
            assert attribute(outline, "text") == attribute(outline, "title") != ""
            if "type" in outline.attrib:
                assert attribute(outline, "type") == "rss"
                assert len(outline) == 0
                assert urljoin(attribute(outline, "xmlUrl"), ".") == attribute(outline, "htmlUrl")
                assert {*outline.attrib} <= {
                    *("type", "text", "title", "xmlUrl", "htmlUrl", "description")
                }
            else:
                assert {*outline.attrib} == {"text", "title"}
                assert len(outline) > 0


def test_feeds_are_in_groups() -> None:
    """The feed of everything is in no group; topics, countries, and each topic's countries are in groups."""
    body = etree.fromstring(build_release(load_catalogue(SHIPPED), as_of=AS_OF)[ALL_OPML].body)[1]
    first, *groups = body
    assert attribute(first, "xmlUrl") == SITE.address("atom.xml")
    assert [attribute(group, "text") for group in groups] == [
        "Topics",
        "Countries",
        "Topics by country",
    ]
    topics, countries, both = groups
    assert [attribute(outline, "text").partition(" – ")[0] for outline in countries] == [
        *("Argentina", "Armenia", "Ethiopia", "Indonesia", "Jordan", "Morocco", "Paraguay"),
        *("Portugal", "Timor-Leste", "United Kingdom", "Uzbekistan"),
    ]
    assert all("type" in outline.attrib for outline in topics)
    last = both[-1]
    assert attribute(last, "text") == "Unemployment protection"
    inner = SITE.address("topics/unemployment-protection/countries/")
    assert attribute(last[0], "xmlUrl").startswith(inner)


@pytest.mark.parametrize(
    ("formats", "filename"), [("[rss, json]", "rss.xml"), ("[json]", "feed.json")]
)
def test_a_list_leads_to_what_is_published(formats: str, filename: str) -> None:
    """Without Atom, a list names documents of the next format that the site has."""
    text = f"{HEAD}  formats: {formats}\n{ENTRY}"
    release = build_release(read_catalogue([("f", text.encode())]), as_of=AS_OF)
    found = outlines(release[ALL_OPML].body)
    assert len(found) == 4
    for outline in found:
        address = attribute(outline, "xmlUrl")
        assert address.endswith(f"/{filename}")
        assert address.removeprefix(release.site.url) in release


def test_a_site_without_labels_has_one_list() -> None:
    """A site with only the feed of everything has one list, without empty groups."""
    text = f"{HEAD}entries: []\n"
    release = build_release(read_catalogue([("f", text.encode())]), as_of=AS_OF)
    assert [path for path in release if path.endswith(".opml")] == [ALL_OPML]
    assert len(etree.fromstring(release[ALL_OPML].body)[1]) == 1


def test_a_list_names_its_owner() -> None:
    """The author's name, e-mail and page are in the head of a list."""
    text = f"{HEAD}{ENTRY}"
    release = build_release(read_catalogue([("f", text.encode())]), as_of=AS_OF)
    head = etree.fromstring(release[ALL_OPML].body)[0]
    assert {element.tag: element.text for element in head} == {
        "title": "All feeds – News",
        "ownerName": "Somebody",
        "ownerEmail": "somebody@example.org",
        "ownerId": "https://example.org/",
        "docs": "https://opml.org/spec2.opml",
    }


@settings(max_examples=20)
@given(title=TEXT, topics=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=10))
@example("&<>\"' ]]>", [("R&D <b>", "&amp; ]]>")])
def test_any_text_survives(title: str, topics: list[tuple[str, str]]) -> None:
    """An XML parser returns titles, names and descriptions unchanged."""
    # No two topics may have the same name.
    named = {
        f"t{number}": {"name": f"{number} {name}", "description": f"a{description}"}
        for number, (name, description) in enumerate(topics)
    }
    text = f"{site(title=f'A{title}')}topics: {quoted(named)}\n{entries({})}"
    catalogue = read(text)
    release = build_release(catalogue, as_of=AS_OF)
    document = release[OPML["topics"]].body
    assert etree.fromstring(document).findtext("head/title") == f"Topics – {catalogue.site.title}"
    assert [
        (attribute(outline, "text"), attribute(outline, "description"))
        for outline in outlines(document)
    ] == [
        (f"{topic.name} – {catalogue.site.title}", topic.description)
        for topic in catalogue.topics or ()
    ]


def test_an_edit_of_an_entry_changes_no_list() -> None:
    """A list depends on which feeds there are, not on their entries."""
    before, after = (
        build_release(read_catalogue([("f", f"{HEAD}{text}".encode())]), as_of=AS_OF)
        for text in (ENTRY, ENTRY.replace("title: A", "title: B").replace("05-24", "05-25"))
    )
    assert before["atom.xml"].body != after["atom.xml"].body
    assert before[ALL_OPML].body == after[ALL_OPML].body


def test_listparser_reads_each_list(release: Release) -> None:
    """listparser finds every feed with its title, and reports no error."""
    for name in {ALL_OPML, *OPML.values()} & {*release}:
        parsed = listparser.parse(release[name].body)
        assert not parsed.bozo, parsed.get("bozo_exception")
        seen = [(feed.url, feed.title) for feed in parsed.feeds]
        expected = [
            (attribute(outline, "xmlUrl"), attribute(outline, "title"))
            for outline in outlines(release[name].body)
        ]
        assert seen == expected
        assert not parsed.lists


@pytest.mark.heavy
def test_newsboat_imports_every_feed(served: Callable[..., str], tmp_path: Path) -> None:
    """newsboat imports the list of all feeds, and gets the entries of each."""
    newsboat = program("newsboat")
    url = served(SHIPPED)
    with urlopen(url + ALL_OPML) as answer:
        (tmp_path / "feeds.opml").write_bytes(answer.read())
    (tmp_path / "urls").write_text("")
    (tmp_path / "config").write_text("")
    options: list[str | Path] = [
        "-u",
        tmp_path / "urls",
        "-c",
        tmp_path / "cache.db",
        "-C",
        tmp_path / "config",
    ]
    env = {"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    done = run(newsboat, *options, "-i", tmp_path / "feeds.opml", env=env)
    assert done.returncode == 0, done.stderr
    feeds = build_release(load_catalogue(SHIPPED), as_of=AS_OF).feeds
    expected = sorted(f"{url}{feed.path}atom.xml" for feed in feeds)
    lines = (tmp_path / "urls").read_text().splitlines()
    assert sorted(line.split()[0] for line in lines) == expected
    done = run(newsboat, *options, "-x", "reload", env=env)
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(tmp_path / "cache.db") as database:
        titles = dict(database.execute("select rssurl, title from rss_feed"))
        (items,) = database.execute("select count(*) from rss_item").fetchone()
    database.close()
    assert titles == {f"{url}{feed.path}atom.xml": feed.title for feed in feeds}
    # newsboat keeps an entry once, however many feeds carry it.
    assert items == len(feeds[0].entries)
