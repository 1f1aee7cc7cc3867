"""Moved and retired addresses: which are allowed, and where they lead."""

import json
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from feeds import Catalogue, CatalogueError, build_release
from feeds.catalogue import read_catalogue
from feeds.urls import FEEDS, HEALTH, INDEX, METRICS, OPML, covering_rule, feed_folder, moved_to

MOVED = {
    "topics/old/": "topics/older/",
    "topics/older/": "topics/new/",
    "topics/old/gone.xml": "rss.xml",
    "a/": "b/a/",
    "b/": "a/",
    "feed/": "news.rss",
    "news.rss": "rss.xml",
    "blog/": "",
}


def messages_with(source: Path, lines: str) -> list[str]:
    """Return the messages of a catalogue with other lines at the beginning of its `site`."""
    text = source.read_text("utf-8").replace("\nsite:\n", f"\nsite:\n{lines}", 1)
    with pytest.raises(CatalogueError) as raised:
        read_catalogue([(source.name, text.encode())], media=source.parent / "media")
    return [problem.message for problem in raised.value.problems]


def test_the_path_grammar_names_every_document(source: Path, catalogue: Catalogue) -> None:
    """The paths that cannot be retired, and can be moved to, are those of a release, and its folders."""
    release = build_release(catalogue, as_of=datetime(9999, 1, 1, tzinfo=UTC))
    # The folder of files has no page.
    folders = {path.rpartition("/")[0] + "/" for path in release if "/" in path} - {"media/"}
    live = {*release, *folders, HEALTH, METRICS}
    said = messages_with(source, f"  retired: {json.dumps(sorted(live))}\n")
    assert [one for one in said if one.endswith("still published")] == [
        f"{path!r} is still published" for path in sorted(live)
    ]
    topics = ["", "none", *(topic.slug for topic in catalogue.topics or ())]
    countries = [
        "",
        "aq",
        *(country.slug for entry in catalogue.entries for country in entry.countries),
    ]
    places = {feed_folder(*pair) for pair in product(topics, countries)} | {"entries/none/"}
    files = {place + name for place in places for name in (*FEEDS.values(), INDEX)}
    others = sorted((places | files | {*OPML.values(), "sitemap-1.xml"}) - live - {""})
    moved = {f"gone-{n}.html": path for n, path in enumerate([*sorted(live), *others])}
    said = messages_with(source, f"  moved: {json.dumps(moved)}\n")
    found = [one.partition(";")[0] for one in said if one.startswith("nothing is published")]
    assert found == [f"nothing is published at {path!r}" for path in others]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("topics/old/", "topics/new/"),
        ("topics/old/countries/id/atom.xml", "topics/new/countries/id/atom.xml"),
        ("topics/old/gone.xml", "rss.xml"),
        ("topics/older/rss.xml", "topics/new/rss.xml"),
        ("topics/old", None),
        ("topics/oldest/atom.xml", None),
        ("topics/new/atom.xml", None),
        ("a/x", None),
        ("", None),
        ("feed/", "rss.xml"),
        ("feed/atom/", "rss.xml"),
        ("feed", None),
        ("blog/", ""),
        ("blog/topics/new/atom.xml", "topics/new/atom.xml"),
        ("blog/topics/old/atom.xml", "topics/new/atom.xml"),
        ("blog/feed/", "rss.xml"),
    ],
)
def test_a_path_is_followed_to_its_last_place(path: str, place: str | None) -> None:
    """A path that moved several times has one redirect to its last path; a loop has none."""
    assert moved_to(path, MOVED) == place


def test_the_nearest_folder_counts() -> None:
    """A path is covered by its own rule, or by that of the nearest folder around it."""
    given_up = {"a/", "a/b/", "a/b/c.xml"}
    assert covering_rule("a/b/c.xml", given_up) == "a/b/c.xml"
    assert covering_rule("a/b/d.xml", given_up) == "a/b/"
    assert covering_rule("a/d.xml", given_up) == "a/"
    assert covering_rule("ab/d.xml", given_up) is None
