"""`feeds ping` notifies the hub once what was uploaded is public."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess
from typing import ClassVar

import pytest
from conftest import SHIPPED, free_port, run_feeds, shortened
from hub import listening

from feeds.notify.http import RequestError, request
from feeds.notify.websub import can_read, notifiable_feeds

HUB = "https://hub.example.org/"
OLD = "Actuary or actor?"


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder as a static host does; its responses have a link to the hub."""

    hub = ""

    def end_headers(self) -> None:
        url = f"http://127.0.0.1:{self.server.server_port}{self.path}"  # type: ignore[attr-defined]
        self.send_header("Link", f'<{url}>; rel="self", <{self.hub}>; rel="hub"')
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class Packed(Quiet):
    """Sends everything as gzip, like a store that has only compressed objects."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        body = gzip.compress(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


FEW = shortened("actuary-or-actor", "jordan-ilo-agreement", "indonesia-maternity-rights")


class Site:
    """A catalogue that is exported to a folder, and a host that serves the folder."""

    def __init__(self, folder: Path, hub: str, port: int) -> None:
        self.file = folder / "entries.yaml"
        self.out = folder / "out"
        self.url = f"http://127.0.0.1:{port}/"
        self.state = folder / "state"
        self.text = FEW.replace("\n  language:", f"\n  hub: {hub}\n  language:", 1)
        self.file.write_text(self.text)

    def feeds(self, *words: str | Path) -> CompletedProcess[str]:
        verb, *rest = words
        common = ("--catalogue", self.file, "--state", self.state, "--url", self.url)
        return run_feeds(verb, *common, *rest)

    def export(self, *options: str) -> CompletedProcess[str]:
        return self.feeds("export", *options, self.out)


@contextmanager
def hosted(folder: Path, hub: str, kind: type[Quiet] = Quiet) -> Iterator[Site]:
    folder.joinpath("out").mkdir()
    handler = type("Handler", (kind,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder / "out")))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Site(folder, hub, server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_ping_notifies_of_what_the_hub_does_not_know(tmp_path: Path) -> None:
    """The hub is notified first of all feeds, then of none, after an edit of changed feeds, with --all of all."""
    with listening() as hub, hosted(tmp_path, hub.url) as site:
        assert site.export("--ping").returncode == 0
        count = len(hub.notified())
        assert count == len({*hub.notified()}) > 20
        hub.pings.clear()
        assert site.feeds("ping").stdout == f"notified 0, already up to date {count}\n"
        assert not hub.pings
        site.file.write_text(site.text.replace(OLD, "Actuary or actress?"))
        site.export()
        changed = site.feeds("ping")
        notified = [ping for ping in hub.pings if b"Actuary or actress?" in ping.body]
        assert len(notified) == len(hub.pings) < 20
        assert (
            changed.stdout
            == f"notified {len(notified)}, already up to date {count - len(notified)}\n"
        )
        assert site.feeds("ping", "--all").stdout == f"notified {count}, already up to date 0\n"


@pytest.mark.heavy
def test_the_hub_is_not_notified_of_a_feed_before_it_is_uploaded(tmp_path: Path) -> None:
    """The hub is not notified of a feed whose public URL has old bytes; after the wait, this is reported."""
    with listening() as hub, hosted(tmp_path, hub.url) as site:
        site.export("--ping")
        hub.pings.clear()
        site.file.write_text(site.text.replace(OLD, "Actuary or actress?"))
        done = site.feeds("ping", "--wait", "1")
        assert done.returncode == 1
        assert "does not give the published bytes yet (HTTP 200)" in done.stderr
        assert not hub.pings
        waiting = threading.Timer(1, site.export)
        waiting.start()
        assert site.feeds("ping", "--wait", "15").returncode == 0
        waiting.join()
        assert hub.pings
        assert all(b"Actuary or actress?" in ping.body for ping in hub.pings)


def test_without_waiting_each_feed_is_tried_once(tmp_path: Path) -> None:
    """With `--wait 0`, the hub is notified of every feed, but nothing is tried again."""
    with listening(answers=[500]) as hub, hosted(tmp_path, hub.url) as site:
        site.export()
        done = site.feeds("ping", "--wait", "0")
        assert "1 of 78 feeds were not notified: " in done.stderr
        assert len(hub.pings) == len({*(ping.address for ping in hub.pings)}) == 78


def test_no_feed_is_tried_after_the_time_is_over(tmp_path: Path) -> None:
    """A slow hub is not notified of feeds beyond the time limit; the next ping continues."""
    with listening(wait=0.5) as hub, hosted(tmp_path, hub.url) as site:
        site.export()
        done = site.feeds("ping", "--wait", "1")
        assert done.returncode == 1
        assert "feeds were not notified: the time is over" in done.stderr
        first = hub.notified()
        assert first
        hub.wait = 0
        assert site.feeds("ping").returncode == 0
        assert len(hub.notified()) == len({*hub.notified()}) > len(first)


@pytest.mark.heavy
def test_a_hub_that_is_down_or_refuses_is_reported(tmp_path: Path) -> None:
    """If the hub fails, the export is complete and the exit code is 1; later the hub is notified of all."""
    port = free_port()
    with hosted(tmp_path, f"http://127.0.0.1:{port}/hub") as site:
        site.export()
        dead = site.feeds("ping", "--wait", "1")
        assert dead.returncode == 1
        assert (
            f"http://127.0.0.1:{port}: Connection refused; run feeds ping to try again"
            in dead.stderr
        )
        with listening(port, answers=[500] * 10000) as hub:
            refused = site.feeds("ping", "--wait", "1")
            assert hub.pings
            # Those that were tried, and those for which the time was over.
            assert "78 of 78 feeds were not notified" in refused.stderr
            assert f"http://127.0.0.1:{port} responds with 500" in refused.stderr
        with listening(port) as hub:
            assert site.feeds("ping").returncode == 0
            assert hub.notified()


def test_a_host_may_give_everything_as_gzip(tmp_path: Path) -> None:
    """Published bytes are recognised under a coding that was not requested."""
    with listening() as hub, hosted(tmp_path, hub.url, Packed) as site:
        assert site.export("--no-pages", "--ping").returncode == 0
        assert len(hub.notified()) > 10


def test_no_hub_elsewhere_is_notified_of_this_machine(tmp_path: Path) -> None:
    """A trial on this machine notifies no public hub, and a site without a hub none at all."""
    with hosted(tmp_path, "https://hub.example.org/") as site:
        done = site.feeds("ping")
        assert done.returncode == 1
        assert f"the hub cannot read {site.url}" in done.stderr
        site.file.write_text(SHIPPED.read_text())
        assert "the catalogue has no 'site.hub' to notify" in site.feeds("ping").stderr


@pytest.mark.parametrize(
    ("url", "hub", "notified"),
    [
        ("http://127.0.0.2:8000/", HUB, False),
        ("http://127.0.0.2:8000/", "http://192.168.1.9/hub", False),
        ("http://127.0.0.2:8000/", "http://127.0.0.1/hub", True),
        ("http://[::ffff:127.0.0.1]:8000/", HUB, False),
        ("http://news.localhost/", HUB, False),
        ("http://192.168.1.7:8000/", HUB, False),
        ("http://192.168.1.7:8000/", "http://192.168.1.9/hub", True),
        ("http://192.168.1.7:8000/", "http://127.0.0.1/hub", True),
        ("http://[fe80::1]:8000/", HUB, False),
        ("http://[fd00::1]:8000/", HUB, False),
        ("http://laptop:8000/", HUB, False),
        ("http://laptop.local:8000/", HUB, False),
        ("http://laptop.local:8000/", "http://hub/", True),
        ("http://news.internal/", HUB, False),
        ("https://news.example.org/feeds/", HUB, True),
        ("https://local.example.org/", HUB, True),
        ("https://93.184.216.34/", HUB, True),
        ("https://[2606:2800:220:1::1]/", HUB, True),
        ("https://news.example.org/", "http://127.0.0.1/hub", True),
        ("https://news.example.org/", "http://hub.local/", True),
    ],
)
def test_a_hub_is_notified_of_what_it_can_read(url: str, hub: str, *, notified: bool) -> None:
    """A trial on a machine or in its network notifies no hub on the internet; a public site does."""
    assert can_read(hub, url) == notified


def test_feeds_alone_are_notified() -> None:
    """A hub is notified of the feeds by their public URLs, and of no page or file."""
    etags = {"a b/atom.xml": "1", "rss.xml": "2", "feed.json": "3", "index.html": "4", "x.xml": "5"}
    url = "https://news.example.org/"
    wanted = {f"{url}a%20b/atom.xml": "1", f"{url}rss.xml": "2", f"{url}feed.json": "3"}
    assert notifiable_feeds(url, etags) == wanted
    assert not can_read("", url)


class Misleading(Quiet):
    """Redirects everything to an invalid URL."""

    location: ClassVar = "http://[::1"

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.location)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.mark.parametrize(
    "location",
    ["http://[::1", "//[", "http://127.0.0.1:99999/", "http://x:y/", "http://a b/", "\xe9"],
)
def test_an_invalid_redirect_is_reported(location: str, tmp_path: Path) -> None:
    """An invalid redirect of the hub is reported with the host that sent it."""
    kind = type("Handler", (Misleading,), {"location": location})
    with hosted(tmp_path, HUB, kind) as site, pytest.raises(RequestError, match=r"^http://"):
        request("GET", site.url)


def test_an_invalid_redirect_of_the_public_url_is_one_line(tmp_path: Path) -> None:
    """An invalid redirect of the public URL is one line, and the feeds stay pending."""
    with listening() as hub, hosted(tmp_path, hub.url, Misleading) as site:
        done = site.feeds("ping", "--wait", "1")
        assert done.returncode == 1
        wrong = f"{site.url.removesuffix('/')} redirects to an invalid URL"
        assert f"{wrong}; run feeds ping to try again" in done.stderr
        assert "Traceback" not in done.stderr
