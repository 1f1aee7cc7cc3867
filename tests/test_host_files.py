"""Configurations for hosts agree with the server on each address, or are refused."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

import pytest
from builds import bodies
from conftest import AS_OF
from hypothesis import assume, example, given
from hypothesis import strategies as st

from feeds import FeedsError, Site, SiteApp, build_release, load_catalogue
from feeds.export.hosts import ServingRules, host_plans
from feeds.headers import IDENTITY
from feeds.plans import Plan, plan_site
from feeds.server.served_site import ServedSite
from feeds.server.site_store import Head, Index, Record, Status
from feeds.storage import StateFolder
from feeds.urls import INDEX, is_folder, moved_to

CATALOGUE = load_catalogue(Path(__file__).parent / "golden-hosts" / "moved.yaml")
RELEASE = build_release(CATALOGUE, as_of=AS_OF)
PLANNED = plan_site(CATALOGUE, as_of=AS_OF)
PLANS = {plan.path: plan for plan in PLANNED.plans}
SITE = replace(RELEASE.site, url="https://news.example.org/", moved={}, retired=frozenset())
TOPIC = "topics/floors/"
OLD = ("a", "a/", "a/b", "a/b/", "b", "b/", "b/a", "b/a/", "style.css/")
NEW = ("atom.xml", "", TOPIC, "countries/jo/", "a/", "b/", "b/a/")


class Served(ServedSite):
    """A served site of the release, which nothing changes."""

    def __init__(self, site: Site) -> None:
        head = Head(
            release=RELEASE.id,
            since=AS_OF,
            until=None,
            url=site.url,
            max_age=site.max_age,
            hub=site.hub,
            moved=site.moved,
            retired=site.retired,
        )
        rows = {
            path: f"{document.media_type}\t{document.etag}\t\t{len(document.body)}"
            for path, document in RELEASE.items()
        }
        self.index: Index | None = Index(head, rows, StateFolder(Path("nowhere")))
        self.bodies = {document.etag: document.body for document in RELEASE.values()}

    def clock(self) -> datetime:
        return AS_OF

    def status(self) -> Status:
        return Status(failure=None, degraded=False)

    def body(self, index: Index, record: Record, coding: str) -> bytes | None:
        assert index is self.index
        return self.bodies[record.etag] if coding == IDENTITY else None


@given(st.dictionaries(st.sampled_from(OLD), st.sampled_from(NEW)), st.sets(st.sampled_from(OLD)))
@example({"a": "atom.xml", "a/": TOPIC}, set())
@example({"a": "atom.xml"}, {"a/"})
@example({"a/": TOPIC}, {"a"})
@example({"a/b/": TOPIC}, {"a/"})
@example({"style.css/": TOPIC}, set())
def test_hosts_answer_as_the_server_does(moved: dict[str, str], retired: set[str]) -> None:
    """For any moved and retired paths, each address has the same answer on hosts as on the server."""
    assume(all(_allowed(old, moved) for old in moved))
    site = replace(
        SITE,
        moved={old: new for old, new in moved.items() if old not in retired},
        retired=frozenset(retired),
    )
    assume(all(_allowed(old, site.moved) for old in site.moved))
    rules = ServingRules(PLANS, site, compressed=False)
    client = SiteApp(Served(site)).test_client()
    for path in (*OLD, "style.css", *(f"{old}atom.xml" for old in OLD if old.endswith("/"))):
        answer = client.get(f"/{path}")
        here = answer.headers.get("Location", "").removeprefix(SITE.url)
        assert (answer.status_code, unquote(here)) == _fate(path, rules), path


def _allowed(old: str, moved: Mapping[str, str]) -> bool:
    """Return whether a catalogue may have this move, which must not lead into a folder around or below it."""
    new, last = moved[old], moved_to(old, moved)
    within = old.endswith("/") and (new.startswith(old) or old.startswith(new))
    return not within and last is not None and _page(last) in RELEASE


def _fate(path: str, rules: ServingRules) -> tuple[int, str]:
    """Return the status of a path, and where it leads at last, by the rules for hosts."""
    if _page(path) in rules.documents:
        # It has no redirect.
        assert not [move for move in rules.redirects if move.old == path]
        assert not [
            move for move in rules.redirects if move.without_slash and move.old == f"{path}/"
        ]
        return 200, ""
    for move in rules.redirects:
        if move.old == path or (move.without_slash and move.old == f"{path}/"):
            return (301, move.new) if move.new is not None else (410, "")
    for move in rules.redirects:
        if move.is_folder and path.startswith(move.old):
            return _target(path, move.old, move.new, rules)
    return 404, ""


def _target(path: str, old: str, new: str | None, rules: ServingRules) -> tuple[int, str]:
    if new is None:
        return 410, ""
    target = new + path.removeprefix(old) if is_folder(new) else new
    # Where nothing is, the server says so at once, and knows of a lacking slash.
    found = [there for there in (target, f"{target}/") if _page(there) in rules.documents]
    return (301, found[0]) if found else (404, "")


def _page(path: str) -> str:
    return path + INDEX if is_folder(path) else path


def files(host: str, site: Site, plans: Mapping[str, Plan] = PLANS) -> Mapping[str, bytes]:
    """Return the files for a host of a site with these documents."""
    found = host_plans(host, plans.values(), site, compressed=False)
    return bodies(replace(PLANNED, plans=(), host_plans=found))


@pytest.mark.parametrize(
    ("moved", "named"),
    [
        ({"feed": "atom.xml", "feed/": TOPIC}, ("'feed'", "'feed/'")),
        ({"feed": "atom.xml", "feed/old/": TOPIC}, ("'feed'", "'feed/old/'")),
        ({"topics": "atom.xml"}, ("'topics'", "'topics/floors/")),
        ({"style.css/": TOPIC}, ("'style.css'", "'style.css/'")),
    ],
)
def test_a_file_cannot_be_in_a_file(moved: dict[str, str], named: tuple[str, str]) -> None:
    """For GitHub Pages, a file and a folder of the same name are refused, and both are named."""
    with pytest.raises(FeedsError, match="a file and a folder") as caught:
        files("github-pages", replace(SITE, moved=moved))
    assert all(name in str(caught.value) for name in named)


def test_a_folder_that_was_retired_makes_no_file() -> None:
    """A retired folder does not conflict with a moved file."""
    site = replace(SITE, moved={"feed": "atom.xml"}, retired=frozenset({"feed/"}))
    assert files("github-pages", site)["feed"] == RELEASE["atom.xml"].body


@pytest.mark.parametrize("host", ["netlify", "cloudflare-pages"])
def test_a_folder_becomes_the_top_of_a_site(host: str) -> None:
    """A host that publishes at the root of a domain refuses a site's URL with a path."""
    with pytest.raises(FeedsError, match="--url"):
        files(host, replace(SITE, url="https://news.example.org/news/"))


def picture(path: str, media_type: str) -> dict[str, Plan]:
    return {path: Plan(path, media_type, "", lambda _: b"")}


def test_cloudflare_has_one_rule_for_each_extension() -> None:
    """Cloudflare's rules for pictures are one for each extension; more than its limit are refused."""
    plans = dict(PLANS)
    for number in range(150):
        plans |= picture(f"media/{number}.jpg", "image/jpeg")
    headers = files("cloudflare-pages", SITE, plans)["_headers"].decode()
    assert "/*.jpg\n  Content-Type: image/jpeg\n" in headers
    assert sum(line.startswith("/") for line in headers.splitlines()) < 15
    plans |= picture("media/other.jpg", "image/png")
    with pytest.raises(FeedsError, match="100 rules"):
        files("cloudflare-pages", SITE, plans)


@pytest.mark.parametrize("path", ["{y}", "%7By%7D", "{", "}"])
def test_caddy_takes_no_braces_in_the_path_of_a_site(path: str) -> None:
    """Caddy's configuration is refused for a site's path with braces."""
    with pytest.raises(FeedsError, match="Caddy"):
        files("caddy", replace(SITE, url=f"https://news.example.org/{path}/"))
