"""The sitemap: every page, its last change, and news."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from conftest import AS_OF, SHIPPED
from lxml import etree

from feeds import Entry, Release, build_release, load_catalogue
from feeds.catalogue import read_catalogue
from feeds.plans import plan_site
from feeds.urls import INDEX, SITEMAP, entry_folder

NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"
MAPS = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
HEAD = """site:
  title: A & B
  url: https://news.example.org/some/prefix/
  id: tag:news.example.org,2021:t
"""


def located(document: bytes) -> dict[str, etree._Element]:
    rows = list(etree.fromstring(document))
    found = {str(row.findtext(f"{MAPS}loc")): row for row in rows}
    assert len(found) == len(rows)
    return found


def test_the_sitemap_has_every_page(release: Release) -> None:
    """Each page is in the sitemap once, with its last change, and nothing else is."""
    rows = located(release[SITEMAP].body)
    pages = [path.removesuffix(INDEX) for path in release if path.endswith(INDEX)]
    assert sorted(rows) == sorted(map(release.site.address, pages))
    dated = {feed.path: feed.updated for feed in release.feeds}
    dated |= {entry.path: entry.updated for entry in release.feeds[0].entries}
    for path, moment in dated.items():
        changed = str(rows[release.site.address(path)].findtext(f"{MAPS}lastmod"))
        assert datetime.fromisoformat(changed) == moment


def test_the_sitemap_tells_the_news() -> None:
    """Entries of the newest two days have Google's news elements; older ones do not."""
    dates = {"a": "2022-05-24T12:00Z", "b": "2022-05-22T12:00:01Z", "c": "2022-05-22T12:00Z"}
    items = "".join(
        f"- {{id: {name}, title: <{name}> & more, date: '{date}', summary: S.}}\n"
        for name, date in dates.items()
    )
    text = f"{HEAD}  language: fr-CH\nentries:\n{items}"
    release = build_release(read_catalogue([("f", text.encode())]), as_of=AS_OF)
    found = located(release[SITEMAP].body)
    rows = {name: found[release.site.address(entry_folder(name))] for name in dates}
    assert rows["c"].find(f"{NEWS}news") is None
    for name in "ab":
        news = rows[name].find(f"{NEWS}news")
        assert news is not None
        assert [
            (element.tag.removeprefix(NEWS), element.text)
            for element in news.iter()
            if not len(element)
        ] == [
            ("name", "A & B"),
            ("language", "fr"),
            ("publication_date", datetime.fromisoformat(dates[name]).isoformat()),
            ("title", f"<{name}> & more"),
        ]


@pytest.mark.parametrize(
    ("tag", "named"),
    [
        ("en-GB", "en"),
        ("zh", "zh-cn"),
        ("zh-Hans-SG", "zh-cn"),
        ("zh-Hant", "zh-tw"),
        ("zh-HK", "zh-tw"),
    ],
)
def test_the_sitemap_names_languages_as_google_does(tag: str, named: str) -> None:
    """Languages are ISO 639 codes, except for the two scripts of Chinese."""
    text = (
        f"{HEAD}  language: {tag}\nentries:\n- {{id: a, title: A, date: 2022-05-24, summary: S.}}\n"
    )
    release = build_release(read_catalogue([("f", text.encode())]), as_of=AS_OF)
    assert f"<news:language>{named}<".encode() in release[SITEMAP].body


def test_news_are_in_the_language_of_their_entry() -> None:
    """An entry in another language than the site's is news in that language."""
    item = "- {{id: {0}, title: A, date: 2022-05-24, summary: S.{1}}}\n"
    items = item.format("a", "") + item.format("b", ", language: ar")
    release = build_release(
        read_catalogue([("f", f"{HEAD}  language: fr\nentries:\n{items}".encode())]), as_of=AS_OF
    )
    found = release[SITEMAP].body
    assert found.count(b"<news:language>fr<") == found.count(b"<news:language>ar<") == 1


def sitemaps(entries: int, apart: timedelta) -> dict[str, bytes]:
    """Return the sitemaps of a site with so many entries, each later by some time, and nothing else."""
    moment = datetime(1850, 5, 24, tzinfo=UTC)
    catalogue = replace(
        load_catalogue(SHIPPED),
        entries=tuple(
            Entry(id=f"e{number}", title="T", published=at, updated=at)
            for number, at in ((n, moment + n * apart) for n in range(entries))
        ),
        topics=None,
        media=(),
    )
    planned = plan_site(catalogue, as_of=AS_OF)
    return {plan.path: plan.render([]) for plan in planned.plans if "sitemap" in plan.path}


def test_at_most_a_thousand_entries_are_news() -> None:
    """A sitemap has at most the number of news that Google accepts."""
    assert sitemaps(1200, timedelta(minutes=1))[SITEMAP].count(b"<news:news>") == 1000


@pytest.mark.heavy
def test_a_long_sitemap_is_in_parts() -> None:
    """Over fifty thousand pages there is an index, and a new page changes only the last part."""
    before, after = (sitemaps(count, timedelta(hours=12)) for count in (100_010, 100_011))
    paths = ["sitemap-1.xml", "sitemap-2.xml", "sitemap-3.xml"]
    assert sorted(before) == [*paths, SITEMAP]
    assert etree.fromstring(before[SITEMAP]).tag == f"{MAPS}sitemapindex"
    site = load_catalogue(SHIPPED).site
    assert list(located(before[SITEMAP])) == [site.address(path) for path in paths]
    parts = [list(located(before[path])) for path in paths]
    assert [len(part) for part in parts[:2]] == [50_000, 50_000]
    entries = [site.address(entry_folder(f"e{number}")) for number in range(100_010)]
    listed = [address for part in parts for address in part]
    assert listed[:100_010] == entries
    assert site.address("") in listed[100_010:]
    assert {path for path in after if after[path] != before[path]} == {paths[2]}
