"""An exported folder under any address: another prefix, another port, no server; real Chromium."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from browser import chromium, screenshot, style
from conftest import CATALOGUES, MEDIA, SHIPPED, run_feeds
from playwright.sync_api import Browser, Page
from test_static_server import nginx

from feeds.urls import ERROR_PAGES, INDEX

# Another one than that of any catalogue.
PREFIX = "another/prefix/"
TEXT = """site:
  title: News
  url: https://news.example.org/the/public/
  id: tag:news.example.org,2021:t
  logo: https://news.example.org/the/public/media/market.png
entries:
- id: أخبار
  title: A picture and a body
  date: 2022-05-24 10:00
  body: |
    A [topic](topics/floors/), a [country](https://news.example.org/the/public/countries/jo/),
    [the older one](entries/older/), [all](./), a [part](#part), [feeds](subscribe/).

    ![The market](media/market.jpg)

    <h2 id="part">A part</h2>
  topics: [Floors, توسيع]
  countries: [JO, Türkiye]
  photo: {url: media/market.jpg, alt: A market}
- id: older
  title: Another site
  date: 2022-05-23
  summary: S.
  link: https://www.example.org/
  topics: [Floors]
  countries: [JO]
  photo: {url: media/market.png, alt: A market}
"""
# What a page leads to or loads, as the browser resolves it, and what programs read.
_ADDRESSES = """() => [...document.querySelectorAll('a[href], link[href], img[src]')]
  .filter(found => !['canonical', 'alternate'].includes(found.rel))
  .map(found => found.href || found.src)"""
# Pictures that a browser would load later are loaded at once.
_BROKEN = """async () => {
  const broken = []
  for (const found of document.images) {
    if (found.src.startsWith('https://')) continue
    found.loading = 'eager'
    if (!found.complete) await new Promise(end => { found.onload = found.onerror = end })
    if (!found.naturalWidth) broken.push(found.src)
  }
  return broken
}"""


class _Quiet(SimpleHTTPRequestHandler):
    """A plain file server without a log."""

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a page of a browser that can reach only this machine."""
    with browser.new_context(viewport={"width": 1000, "height": 900}) as context:
        context.route(lambda url: ".example.org/" in url, lambda route: route.abort())
        yield context.new_page()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a catalogue with pictures, exported for a public URL of its own."""
    base = tmp_path_factory.mktemp("anywhere")
    (base / "media").mkdir()
    for name in ("market.jpg", "market.png"):
        shutil.copy(MEDIA / name, base / "media")
    (base / "entries.yaml").write_text(TEXT, "utf-8")
    export(base / "entries.yaml", base)
    return base


def export(catalogue: Path, base: Path) -> None:
    """Export a catalogue into the folder that is shown under the prefix."""
    done = run_feeds("export", "--catalogue", catalogue, base / "out" / PREFIX)
    assert done.returncode == 0, done.stderr


@contextmanager
def behind_nginx(base: Path) -> Iterator[str]:
    """Serve what is below `out`, so that the site is under its prefix."""
    with nginx(base) as url:
        yield url + PREFIX


@contextmanager
def behind_a_file_server(base: Path) -> Iterator[str]:
    """Serve the site's folder at the root of a plain file server."""
    handler = partial(_Quiet, directory=base / "out" / PREFIX)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


SERVERS = (behind_nginx, behind_a_file_server)
_Server = Callable[[Path], AbstractContextManager[str]]


def site_folders(base: Path) -> set[str]:
    """Return the folders of the exported site that have a page."""
    out = base / "out" / PREFIX
    pages = (path.parent.relative_to(out).as_posix() for path in out.rglob(INDEX))
    return {"" if path == "." else f"{path}/" for path in pages}


def crawl(page: Page, url: str) -> set[str]:
    """Follow every link of every page inside a site, and return the paths of what was found."""
    todo, found = [url], {url}
    while todo:
        here = todo.pop()
        address = here.partition("#")[0]
        if not address.endswith("/"):
            assert page.request.get(address).status == 200, here
            continue
        answer = page.goto(here)
        # Going to a part of the same page asks for nothing.
        assert answer is None or answer.status == 200, here
        assert page.evaluate(_BROKEN) == []
        fragment = unquote(here.partition("#")[2])
        assert not fragment or page.locator(f"[id='{fragment}']").count() == 1, here
        assert style(page, "body", "max-width") == "1152px"
        led_to = page.evaluate(_ADDRESSES)
        assert not [link for link in led_to if link.startswith("https://news.example.org/")], here
        inside = {link for link in led_to if link.startswith(url)}
        todo += inside - found
        found |= inside
    return {unquote(link.removeprefix(url).partition("#")[0]) for link in found}


@pytest.mark.heavy
@pytest.mark.parametrize("server", SERVERS)
def test_every_link_leads_somewhere(folder: Path, page: Page, server: _Server) -> None:
    """Under another host, port and prefix, every link, style and picture works, and every page is reached."""
    with server(folder) as url:
        found = crawl(page, url)
        screenshot(page, f"anywhere-{server.__name__}")
    assert site_folders(folder) <= found
    assert {"style.css", "media/market.jpg", "media/market.png", "topics/floors/rss.xml"} <= found


@pytest.mark.heavy
@pytest.mark.parametrize("server", SERVERS)
# The other catalogue names files that are not there.
@pytest.mark.parametrize("source", [SHIPPED, CATALOGUES / "arabic.yaml", CATALOGUES / "empty.yaml"])
def test_every_link_of_every_page_leads_somewhere(
    tmp_path: Path, page: Page, server: _Server, source: Path
) -> None:
    """The same for catalogues of the repository."""
    export(source, tmp_path)
    with server(tmp_path) as url:
        assert site_folders(tmp_path) <= crawl(page, url)


def test_pages_have_style_and_pictures_from_disk(folder: Path, page: Page) -> None:
    """Opened as files, pages have their style and pictures, and link to folders that have a page."""
    out = folder / "out" / PREFIX
    for file in out.rglob(INDEX):
        page.goto(file.as_uri())
        assert style(page, "body", "max-width") == "1152px"
        assert page.evaluate(_BROKEN) == []
        for address in page.evaluate(_ADDRESSES):
            if address.startswith("https://www.example.org/"):
                continue
            assert address.startswith(out.as_uri())
            path = Path(unquote(urlsplit(address).path))
            assert (path / INDEX if address.partition("#")[0].endswith("/") else path).is_file()
    page.goto((out / INDEX).as_uri())
    assert page.locator("article img").count() == 2
    screenshot(page, "anywhere-disk")


@pytest.mark.heavy
def test_error_pages_lead_to_the_public_site(folder: Path, page: Page) -> None:
    """An error page links to the public addresses, at any address of its own."""
    with behind_nginx(folder) as url:
        for path in ERROR_PAGES.values():
            page.goto(url + path)
            found = page.evaluate("[...document.querySelectorAll('main a')].map(a => a.href)")
            assert found
            assert all(link.startswith("https://news.example.org/the/public/") for link in found)
