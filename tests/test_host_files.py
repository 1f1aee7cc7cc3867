"""Configurations for hosts agree with the server on each address, or are refused."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from conftest import AS_OF
from hypothesis import assume, example, given
from hypothesis import strategies as st
from served import app_of

from feeds import Catalogue, FeedsError, build_release, export_folder, load_catalogue
from feeds.urls import INDEX, is_folder, moved_to

CATALOGUE = load_catalogue(Path(__file__).parent / "golden-hosts" / "moved.yaml")
RELEASE = build_release(CATALOGUE, as_of=AS_OF)
SITE = replace(RELEASE.site, url="https://news.example.org/", moved={}, retired=frozenset())
TOPIC = "topics/floors/"
# A pattern, and the address that it leads to or `-`.
RULE = re.compile(r'^RewriteRule "(.*)" (".*"|-) \[(?:R=301,L,QSD|G)\]$', re.MULTILINE)
OLD = ("a", "a/", "a/b", "a/b/", "b", "b/", "b/a", "b/a/", "style.css/")
NEW = ("atom.xml", "", TOPIC, "countries/jo/", "a/", "b/", "b/a/")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that is exported to again and again, which takes less time."""
    return tmp_path_factory.mktemp("hosted")


def files(host: str, catalogue: Catalogue, out: Path) -> dict[str, bytes]:
    """Return the files that an export for a host writes beside the documents."""
    report = export_folder(catalogue, out, as_of=AS_OF, host=host)
    paths = {*report.written, *report.unchanged} - {*build_release(catalogue, as_of=AS_OF)}
    return {path: (out / path).read_bytes() for path in paths}


def site_with(**values: object) -> Catalogue:
    """Return the catalogue at the top of a site, with other values of its site."""
    return replace(CATALOGUE, site=replace(SITE, **values))  # type: ignore[arg-type]


@given(st.dictionaries(st.sampled_from(OLD), st.sampled_from(NEW)), st.sets(st.sampled_from(OLD)))
@example({"a": "atom.xml", "a/": TOPIC}, set())
@example({"a": "atom.xml"}, {"a/"})
@example({"a/": TOPIC}, {"a"})
@example({"a/b/": TOPIC}, {"a/"})
@example({"style.css/": TOPIC}, set())
def test_hosts_answer_as_the_server_does(
    out: Path, moved: dict[str, str], retired: set[str]
) -> None:
    """For any moved and retired paths, each address has the same answer on hosts as on the server."""
    assume(all(_allowed(old, moved) for old in moved))
    site = replace(
        SITE,
        moved={old: new for old, new in moved.items() if old not in retired},
        retired=frozenset(retired),
    )
    assume(all(_allowed(old, site.moved) for old in site.moved))
    report = export_folder(replace(CATALOGUE, site=site), out, as_of=AS_OF, host="apache")
    assert ".htaccess" in {*report.written, *report.unchanged}
    # What follows is not about addresses that are no longer used.
    rules = RULE.findall((out / ".htaccess").read_text().partition(r'"(^|/)\."')[0])
    client = app_of(RELEASE, site).test_client()
    for path in (*OLD, "style.css", *(f"{old}atom.xml" for old in OLD if old.endswith("/"))):
        answer = client.get(f"/{path}")
        here = answer.headers.get("Location", "").removeprefix(SITE.url)
        assert (answer.status_code, unquote(here)) == _fate(path, rules), path


def _allowed(old: str, moved: Mapping[str, str]) -> bool:
    """Return whether a catalogue may have this move, which must not lead into a folder around or below it."""
    new, last = moved[old], moved_to(old, moved)
    within = old.endswith("/") and (new.startswith(old) or old.startswith(new))
    return not within and last is not None and _page(last) in RELEASE


def _fate(path: str, rules: list[tuple[str, str]]) -> tuple[int, str]:
    """Return the status of a path, and where it leads, by the rules in the configuration of Apache."""
    matching = ((re.search(pattern, path), target) for pattern, target in rules)
    found, target = next(((found, target) for found, target in matching if found), (None, ""))
    if _page(path) in RELEASE:
        # It has no redirect.
        assert not found
        return 200, ""
    if not found or target == "-":
        return (410 if found else 404), ""
    rest = "".join(found.groups(default=""))
    new = target.removeprefix(f'"{SITE.url}').removesuffix('"').replace("$1", rest)
    # Where nothing is, the server says so at once, and knows of a lacking slash.
    leads = [there for there in (new, f"{new}/") if _page(there) in RELEASE]
    return (301, leads[0]) if leads else (404, "")


def _page(path: str) -> str:
    return path + INDEX if is_folder(path) else path


@pytest.mark.parametrize(
    ("moved", "named"),
    [
        ({"feed": "atom.xml", "feed/": TOPIC}, ("'feed'", "'feed/'")),
        ({"feed": "atom.xml", "feed/old/": TOPIC}, ("'feed'", "'feed/old/'")),
        ({"topics": "atom.xml"}, ("'topics'", "'topics/floors/")),
        ({"style.css/": TOPIC}, ("'style.css'", "'style.css/'")),
    ],
)
def test_a_file_cannot_be_in_a_file(
    moved: dict[str, str], named: tuple[str, str], tmp_path: Path
) -> None:
    """For GitHub Pages, a file and a folder of the same name are refused, and both are named."""
    with pytest.raises(FeedsError, match="a file and a folder") as caught:
        files("github-pages", site_with(moved=moved), tmp_path)
    assert all(name in str(caught.value) for name in named)


def test_a_folder_that_was_retired_makes_no_file(tmp_path: Path) -> None:
    """A retired folder does not conflict with a moved file."""
    catalogue = site_with(moved={"feed": "atom.xml"}, retired=frozenset({"feed/"}))
    found = files("github-pages", catalogue, tmp_path)["feed"]
    assert found == build_release(catalogue, as_of=AS_OF)["atom.xml"].body


@pytest.mark.parametrize("host", ["netlify", "cloudflare-pages"])
def test_a_folder_becomes_the_top_of_a_site(host: str, tmp_path: Path) -> None:
    """A host that publishes at the root of a domain refuses a site's URL with a path."""
    with pytest.raises(FeedsError, match="--url"):
        files(host, site_with(url="https://news.example.org/news/"), tmp_path)


def test_cloudflare_has_one_rule_for_each_extension(tmp_path: Path) -> None:
    """Cloudflare's rules for files are one for each extension; more than its limit are refused."""
    catalogue = replace(site_with(), beside=tmp_path)
    (tmp_path / "static").mkdir()
    for number in range(150):
        (tmp_path / "static" / f"{number}.jpg").touch()
    headers = files("cloudflare-pages", catalogue, tmp_path / "out")["_headers"].decode()
    assert "/*.jpg\n  Content-Type: image/jpeg\n" in headers
    assert sum(line.startswith("/") for line in headers.splitlines()) < 15
    for number in range(150):
        (tmp_path / "static" / f"{number}").touch()
    with pytest.raises(FeedsError, match="100 rules"):
        files("cloudflare-pages", catalogue, tmp_path / "out")


@pytest.mark.parametrize("path", ["{y}", "%7By%7D", "{", "}"])
def test_caddy_takes_no_braces_in_the_path_of_a_site(path: str, tmp_path: Path) -> None:
    """Caddy's configuration is refused for a site's path with braces."""
    with pytest.raises(FeedsError, match="Caddy"):
        files("caddy", site_with(url=f"https://news.example.org/{path}/"), tmp_path)
