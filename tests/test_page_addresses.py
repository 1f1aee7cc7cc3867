"""Addresses inside pages are relative, so that a site works under any host, port and prefix."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urljoin

import pytest
from conftest import AS_OF
from lxml import html

from feeds import Release, build_release
from feeds.catalogue import read_catalogue
from feeds.urls import ERROR_PAGES, INDEX, SUBSCRIBE

ELSEWHERE = "http://127.0.0.1:8123/another/prefix/"
# Programs read these, and expect the public address.
PUBLIC = {"canonical", "alternate"}
HEAD = """site:
  title: News
  url: {url}
  id: tag:news.example.org,2021:t
entries:
- id: أ
  title: T
  date: 2022-05-24
"""


def page_of(document: bytes) -> Any:
    """Return a page; lxml's type stubs are too narrow for elements and attributes."""
    return html.fromstring(document)


def addresses(document: bytes) -> Iterator[tuple[str, str]]:
    """Return each address in a page that a browser loads or follows, with its link's type."""
    for element in page_of(document).iter("a", "img", "link"):
        for name in ("href", "src"):
            if name in element.attrib:
                yield element.attrib.get("rel", ""), element.attrib[name]


def body(text: str, url: str = "https://news.example.org/some/prefix/") -> str:
    """Return the HTML of a body on the entry's page."""
    entry = HEAD.format(url=url) + "  body: |\n" + "".join(f"    {line}\n" for line in [text])
    release = build_release(read_catalogue([("f", entry.encode())]), as_of=AS_OF)
    [found] = page_of(release["entries/أ/" + INDEX].body).find_class("body")
    return str(html.tostring(found, encoding="unicode"))


def test_no_page_leads_to_the_public_address(release: Release) -> None:
    """Shown under another host and prefix, a page's links, style and pictures are that copy's own."""
    documents = {*release} | {path.removesuffix(INDEX) for path in release}
    for path, document in release.items():
        if not path.endswith(INDEX):
            continue
        for kind, address in addresses(document.body):
            if kind in PUBLIC:
                assert address.startswith(release.site.url)
                continue
            assert not address.startswith((release.site.url, "/")), path
            found = urljoin(ELSEWHERE + path, address).partition("?")[0]
            if found.startswith(ELSEWHERE) and 'class="body"' not in document.body.decode():
                assert unquote(found.removeprefix(ELSEWHERE).partition("#")[0]) in documents, path


def test_links_to_folders_end_in_a_slash(release: Release) -> None:
    """A link to a page names its folder: not `index.html`, nor the folder without its slash."""
    for path, document in release.items():
        if path.endswith(INDEX):
            inside = [found for _, found in addresses(document.body) if "://" not in found]
            assert inside
            for address in inside:
                last = PurePosixPath(unquote(urljoin(ELSEWHERE, address)))
                assert last.name != INDEX
                assert last.suffix or address.endswith("/") or "#" in address, path


def test_error_pages_have_absolute_addresses(release: Release) -> None:
    """An error page, which is shown at any depth, has no relative address."""
    for path in ERROR_PAGES.values():
        found = [address for _, address in addresses(release[path].body)]
        assert {release.site.url, release.site.address(SUBSCRIBE)} < {*found}
        assert all(address.startswith(("https://", "/", "#")) for address in found)


def test_error_pages_name_any_url_as_html_does() -> None:
    """Characters of a site's URL with a meaning in HTML are escaped."""
    text = HEAD.format(url="https://news.example.org/a&lt;b/") + "  summary: S.\n"
    release = build_release(read_catalogue([("f", text.encode())]), as_of=AS_OF)
    for path in ERROR_PAGES.values():
        assert b'<a href="https://news.example.org/a&amp;lt;b/">' in release[path].body


def test_what_others_read_stays_absolute(release: Release) -> None:
    """Canonical addresses, Open Graph and JSON-LD name the public address."""
    for path, document in release.items():
        if path.endswith(INDEX):
            page = page_of(document.body)
            address = release.site.address(path.removesuffix(INDEX))
            assert page.xpath("//link[@rel='canonical']/@href") == [address]
            assert {*page.xpath("//meta[@property='og:url']/@content")} <= {address}
            assert not page.xpath("//meta[starts-with(@content, '.')]")


SITE = "https://news.example.org/some/prefix/"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[a](topics/x/)", '<a href="../../topics/x/">a</a>'),
        (f"[a]({SITE}topics/x/?a=1&b=2#c)", '<a href="../../topics/x/?a=1&amp;b=2#c">a</a>'),
        ("[a](HTTPS://News.Example.ORG/some/prefix/x/)", '<a href="../../x/">a</a>'),
        ("[a](//news.example.org/some/prefix/x/)", '<a href="../../x/">a</a>'),
        (f"[a]({SITE})", '<a href="../../">a</a>'),
        (f"[a]({SITE[:-1]})", '<a href="../../">a</a>'),
        ("![a](media/a.png)", '<img src="../../media/a.png" alt="a">'),
        ('<img alt="> src=" src="x.png">', 'src="../../x.png"'),
        # From disk, the folder of the page would be shown.
        ("[a](#part)", '<a href="#'),
        (f"[a]({SITE}entries/%D8%A3/#part)", '<a href="#part">a</a>'),
    ],
)
def test_a_body_leads_to_its_own_site(written: str, shown: str) -> None:
    """On a page, a body's links and pictures into the site are relative."""
    assert shown in body(written)


@pytest.mark.parametrize(
    "written",
    [
        "[a](https://news.example.org/other/)",
        "[a](https://news.example.org/some/prefixes/)",
        "[a](https://news.example.org/SOME/prefix/x/)",
        "[a](https://news.example.org.evil.example/some/prefix/)",
        "[a](http://news.example.org/some/prefix/)",
        "[a](https://news.example.org:8443/some/prefix/)",
        "[a](https://example.org/?to=https://news.example.org/some/prefix/)",
        f'`<a href="{SITE}x">`',
        'href="news.example.org/some/prefix/x"',
        f'![a src="{SITE}x"](https://example.org/a.png)',
    ],
)
def test_other_links_are_unchanged(written: str) -> None:
    """Other sites, code and texts that look like links are shown as they are written."""
    found = body(written)
    assert ".." not in found
    assert "news.example.org" in found


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example.org/",
        "https://news.example.org:8443/",
        "https://news.example.org/a&b/",
        "https://news.example.org/%D8%A3/",
        "https://news.example.org/a+(b)/",
    ],
)
def test_a_sites_url_is_taken_literally(url: str) -> None:
    """A body's link under a site's URL is relative, with any characters in the URL."""
    assert '<a href="../../topics/x/">a</a>' in body(f"[a](<{url}topics/x/>)", url)


def test_a_link_of_an_entry_into_its_own_site_is_relative() -> None:
    """An entry's link, its photo and the site's logo and icon are relative where they are its site's."""
    url = "https://news.example.org/some/prefix/"
    head = HEAD.format(url=url).replace(
        "entries:", f"  logo: {url}media/l.png\n  icon: {url}i.ico\nentries:"
    )
    entry = f"{head}  link: {url}reports/1.pdf\n  photo: {{url: '{url}media/p.png', alt: P}}\n"
    release = build_release(read_catalogue([("f", entry.encode())]), as_of=AS_OF)
    for path, up in (("", "./"), ("entries/أ/", "../../")):
        found = {address for _, address in addresses(release[path + INDEX].body)}
        names = ("reports/1.pdf", "media/p.png", "media/l.png", "i.ico")
        assert {up + name for name in names} <= found
    assert f"{url}media/l.png".encode() in release["404.html"].body
    assert f"{url}reports/1.pdf".encode() in release["atom.xml"].body
