"""Moved and retired addresses: which are allowed, and where they lead."""

from datetime import UTC, datetime

import pytest

from feeds import Catalogue, build_release
from feeds.catalogue.site import live_paths
from feeds.urls import HEALTH, covering_rule, moved_to

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


def test_the_path_grammar_names_every_document(catalogue: Catalogue) -> None:
    """The paths that cannot be moved are those of a release of the catalogue, and its folders."""
    release = build_release(catalogue, as_of=datetime(9999, 1, 1, tzinfo=UTC))
    live = live_paths(catalogue.site, catalogue.topics or (), catalogue.entries)
    assert {path for path in live if not path.endswith("/")} == {*release, HEALTH}
    folders = {path.rpartition("/")[0] + "/" for path in release if "/" in path}
    assert {path for path in live if path.endswith("/")} == folders


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
