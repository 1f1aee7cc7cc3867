"""No page runs what an editor writes: real Chromium, with payloads that are known to work."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from browser import chromium
from conftest import AS_OF, running, wait_until
from payloads import PAYLOADS, hostile_entries
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request

from feeds import Catalogue, build_release, load_catalogue
from feeds.urls import INDEX

SITE = """site:
  title: {text}
  description: {text}
  rights: {text}
  author: {text}
  url: https://news.example.org/
  id: tag:news.example.org,2021:t
"""
HEAD = SITE.format(text=json.dumps(" ".join(PAYLOADS)))
# Of each page, what could run: handlers, addresses with code, scripts, foreign documents.
_ACTIVE = """() => [...document.querySelectorAll('*')].flatMap(found => [
  ...[...found.attributes]
    .filter(a => /^on/i.test(a.name) || /^\\s*(javascript|vbscript|data):/i.test(a.value)
      || ['style', 'srcdoc', 'formaction'].includes(a.name))
    .filter(a => !['content', 'alt', 'title', 'aria-label'].includes(a.name))
    .map(a => `${found.localName} ${a.name}=${a.value}`),
  ...(/^(iframe|object|embed|base|style|template|form|animate|video|audio)$/.test(found.localName)
      && !found.closest('.choice') ? [found.localName] : []),
  ...(found.localName === 'script' && found.type !== 'application/ld+json' ? ['script'] : []),
])"""
_WATCH = """
for (const name of ['alert', 'msgbox']) window[name] = text => console.error('ran: ' + text);
document.addEventListener('securitypolicyviolation',
  found => console.error('refused: ' + found.violatedDirective + ' ' + found.blockedURI));
"""


def hostile(folder: Path) -> tuple[Path, Catalogue]:
    """Write a catalogue of payloads."""
    countries = f"countries: {{JO: {json.dumps(' '.join(PAYLOADS))}}}\n"
    file = folder / "entries.yaml"
    file.write_text(HEAD + countries + hostile_entries(HEAD), "utf-8")
    return file, load_catalogue(file)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Catalogue]]:
    """Serve the payloads; return the server's URL and the catalogue."""
    folder = tmp_path_factory.mktemp("hostile")
    file, catalogue = hostile(folder)
    with running("feeds serve", file, folder) as server:
        yield server.url, catalogue


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@contextmanager
def watched(browser: Browser, url: str, *, policy: bool) -> Iterator[tuple[Page, list[str]]]:
    """Return a page, and a list of its events: what ran, was refused, logged an error or was fetched."""
    noise: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # A picture may be missing; that it was asked for is heard below.
        if not message.text.startswith("Failed to load resource"):
            noise.append(message.text)

    def dismiss(dialog: Dialog) -> None:
        noise.append(f"a dialog says {dialog.message}")
        dialog.dismiss()

    def fetched(request: Request) -> None:
        ours = request.url.startswith(url) and request.resource_type in {"document", "stylesheet"}
        if not ours and request.resource_type != "image":
            noise.append(f"fetched {request.resource_type} {request.url}")

    with browser.new_context(bypass_csp=not policy) as context:
        context.add_init_script(_WATCH)
        context.route(lambda asked: not asked.startswith(url), lambda route: route.abort())
        page = context.new_page()
        page.on("console", hear)
        page.on("dialog", dismiss)
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("request", fetched)
        yield page, noise


def visit(browser: Browser, url: str, paths: Iterable[str], *, policy: bool) -> None:
    """Open each page; nothing may run or be refused, and only pictures may be fetched from elsewhere."""
    with watched(browser, url, policy=policy) as (page, noise):
        for path in paths:
            found = page.goto(url + quote(path.removesuffix(INDEX)))
            assert found is not None
            assert found.status == 200
            assert page.evaluate(_ACTIVE) == [], path
            assert page.evaluate("document.querySelectorAll('main').length") == 1
        page.wait_for_timeout(200)
        assert noise == []


def pages(catalogue: Catalogue) -> list[str]:
    release = build_release(catalogue, as_of=AS_OF)
    return [path for path in release if path.endswith(".html")]


@pytest.mark.heavy
@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(True, id="under the policy"),
        pytest.param(False, id="without a policy", marks=pytest.mark.heavy),
    ],
)
def test_payloads_leave_pages_inert(
    published: tuple[str, Catalogue], browser: Browser, *, policy: bool
) -> None:
    """A page of each kind is inert without its policy, and the policy refuses nothing."""
    url, catalogue = published
    kinds: dict[str, str] = {}
    for path in pages(catalogue):
        kinds.setdefault(path.split("/")[0], path)
    assert {*kinds} == {
        *("index.html", "404.html", "410.html", "subscribe", "entries"),
        *("topics", "countries", "archive"),
    }
    lists = [path for path in pages(catalogue) if path.startswith("archive/")]
    visit(browser, url, [*kinds.values(), *lists, "entries/bodies/index.html"], policy=policy)


@pytest.mark.heavy
@pytest.mark.parametrize("policy", [True, False], ids=["under the policy", "without a policy"])
def test_payloads_leave_every_page_inert(
    published: tuple[str, Catalogue], browser: Browser, *, policy: bool
) -> None:
    """The same for every page: of each payload, its topic, and its topic in a country."""
    url, catalogue = published
    visit(browser, url, pages(catalogue), policy=policy)


def test_payloads_are_where_they_are_looked_for(published: tuple[str, Catalogue]) -> None:
    """Every payload is in titles, summaries, names and credits, and most are in bodies."""
    _, catalogue = published
    entries = catalogue.entries[:-1]
    assert [entry.title for entry in entries] == [payload.strip() for payload in PAYLOADS]
    assert all(entry.photo and entry.photo.credit and entry.authors for entry in entries)
    assert sum(bool(entry.body) for entry in entries) > 60
    assert sum(bool(entry.link) for entry in entries) >= 6


def test_what_runs_is_noticed(browser: Browser) -> None:
    """Unescaped in a page, many of the payloads run, and each run is detected."""
    with watched(browser, "https://example.org/", policy=True) as (page, noise):
        for payload in PAYLOADS:
            page.set_content(f"<p>{payload}</p>", wait_until="commit")

        def many_ran() -> bool:
            page.wait_for_timeout(50)
            return sum(text.startswith("ran: ") for text in noise) > 15

        wait_until(many_ran)


def test_what_is_refused_is_noticed(published: tuple[str, Catalogue], browser: Browser) -> None:
    """The policy refuses a script and a style that are inserted into a page, with an event each."""
    url, _ = published
    with watched(browser, url, policy=True) as (page, noise):
        page.goto(url)
        page.evaluate("document.body.innerHTML = '<img src=x onerror=alert(1) style=color:red>'")
        page.evaluate("document.body.append(document.createElement('iframe'))")

        def refused() -> set[str]:
            page.wait_for_timeout(50)
            return {text.split()[1] for text in noise if text.startswith("refused: ")}

        wait_until(lambda: refused() >= {"script-src-attr", "style-src-attr"})
        assert not any(text.startswith("ran: ") for text in noise)
