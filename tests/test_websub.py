"""The hub is told of the feeds that have changed, when they can be read, and nobody waits for it."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import pytest
from conftest import PATIENCE, ROOT, SHIPPED, Server, free_port, running, wait_for, wait_until
from hostile import hostile
from hub import listening

from feeds.model import etag_of

ADDED = """
- id: new
  title: Kenya has news
  date: 2022-01-02
  summary: Summary
  topics: [covid-19-response]
  countries: [Kenya]
"""
CHANGED = sorted(
    folder + name
    for folder in ("", "topics/covid-19-response/", "countries/ke/")
    for name in ("atom.xml", "rss.xml", "feed.json")
) + [
    f"topics/covid-19-response/countries/ke/{name}" for name in ("atom.xml", "feed.json", "rss.xml")
]


def text(hub: str, more: str = "") -> str:
    return SHIPPED.read_text().replace("\n  language:", f"\n  hub: {hub}\n  language:", 1) + more


def write(file: Path, words: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(words)
    new.replace(file)


def settle(server: Server, count: int) -> None:
    wait_until(lambda: server.log().count("event=hub-told") == count)


def test_a_reload_tells_the_hub_of_what_changed_alone(tmp_path: Path) -> None:
    """The hub hears of each changed feed once, and reads it as it is now."""
    file = tmp_path / "entries.yaml"
    with listening() as hub:
        write(file, text(hub.url))
        with running("feeds serve", file, tmp_path / "server") as server:
            settle(server, 1)
            assert len(hub.told()) == len({*hub.told()})
            hub.pings.clear()
            write(file, text(hub.url, ADDED))
            settle(server, 2)
            assert hub.told() == sorted(server.url + path for path in CHANGED)
            assert all(b"Kenya has news" in ping.body for ping in hub.pings)


@pytest.mark.heavy
def test_under_gunicorn_the_hub_hears_of_a_change_once(tmp_path: Path) -> None:
    """Four workers publish the same release, and one of them notifies."""
    file = tmp_path / "entries.yaml"
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with listening() as hub:
        write(file, text(hub.url))
        with running(
            "gunicorn", file, tmp_path / "server", url=url, port=port, workers=4
        ) as server:
            settle(server, 1)
            hub.pings.clear()
            write(file, text(hub.url, ADDED))
            settle(server, 2)
            time.sleep(0.5)
            assert hub.told() == sorted(url + path for path in CHANGED)


@pytest.mark.heavy
@pytest.mark.parametrize("silent", [False, True], ids=["refuses", "is silent"])
def test_a_dead_hub_keeps_nobody_waiting_and_is_told_later(tmp_path: Path, *, silent: bool) -> None:
    """Edits are served as soon as without a hub; each is logged once, and told when it is back."""
    file = tmp_path / "entries.yaml"
    with ExitStack() as stack:
        dead = stack.enter_context(socket.socket())
        dead.bind(("127.0.0.1", 0))
        if silent:
            dead.listen()
        port = dead.getsockname()[1]
        address = f"http://127.0.0.1:{port}/hub"
        write(file, text(address))
        server = stack.enter_context(running("feeds serve", file, tmp_path / "server"))
        for number in range(3):
            title = f"Kenya {number}"
            begun = time.monotonic()
            write(file, text(address, ADDED.replace("Kenya has news", title)))
            wait_until(lambda title=title: title.encode() in get(server, "atom.xml"))  # type: ignore[misc]
            assert time.monotonic() - begun < 2
        wait_until(lambda: "event=hub-not-told" in server.log())
        assert server.log().count("event=hub-not-told") <= 4
        dead.close()
        with listening(port) as hub:
            wait_until(lambda: "event=hub-told" in server.log())
            assert server.url + "countries/ke/atom.xml" in hub.told()
            assert all(b"Kenya 2" in ping.body for ping in hub.pings if "/ke/" in ping.address)


@pytest.mark.heavy
def test_nobody_goes_on_telling_for_a_server_that_is_gone(tmp_path: Path) -> None:
    """A server that was killed leaves no process behind that waits for a dead hub."""
    file = tmp_path / "entries.yaml"
    write(file, text(f"http://127.0.0.1:{free_port()}/hub"))
    with running("feeds serve", file, tmp_path / "server") as server:
        wait_until(lambda: "event=hub-not-told" in server.log())
        assert len(tellers(tmp_path)) == 1
        server.process.kill()
    wait_until(lambda: not tellers(tmp_path))


def dripping() -> Iterator[bytes]:
    """Return an answer whose head never ends."""
    return repeat(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.heavy
def test_nobody_waits_for_a_hub_when_the_server_is_gone(tmp_path: Path) -> None:
    """A request that never ends keeps no process alive, nor does a client that never reads."""
    file = tmp_path / "entries.yaml"
    with hostile(dripping) as hub:
        write(file, text(hub.url))
        with running("feeds serve", file, tmp_path / "server") as server:
            wait_until(lambda: hub.requests)
            assert len(tellers(tmp_path)) == 1
            server.process.kill()
            wait_until(lambda: not tellers(tmp_path))


@pytest.mark.heavy
@pytest.mark.parametrize("end", ["input", "parent"])
def test_a_notifier_ends_with_who_started_it(end: str, tmp_path: Path) -> None:
    """Its input ends, or the process is gone while somebody else holds that input open."""
    with hostile(dripping) as hub, ThreadingHTTPServer(("127.0.0.1", 0), Feed) as site:
        thread = threading.Thread(target=site.serve_forever, args=(0.05,))
        thread.start()
        feed = f"http://127.0.0.1:{site.server_port}/atom.xml"
        message = json.dumps({"hub": hub.url, "feeds": {feed: etag_of(Feed.body)}})
        telling = [sys.executable, "-m", "feeds.notify.telling", str(tmp_path)]
        code = f"import subprocess; subprocess.run({telling!r})"
        with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
            assert process.stdin
            process.stdin.write(message.encode() + b"\n")
            process.stdin.flush()
            wait_until(lambda: hub.requests)
            assert tellers(tmp_path)
            if end == "input":
                process.stdin.close()
            else:
                process.kill()
            wait_until(lambda: not tellers(tmp_path))
        site.shutdown()
        thread.join()


class Feed(BaseHTTPRequestHandler):
    """Gives a feed at each path."""

    body = b"feed"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Be silent."""


def test_a_hub_that_fails_is_asked_again(tmp_path: Path) -> None:
    """After 500s come 202s; what was taken is not told again, and attempts come later and later."""
    file = tmp_path / "entries.yaml"
    with listening(answers=[500] * 9) as hub:
        write(file, text(hub.url))
        with running("feeds serve", file, tmp_path / "server") as server:
            settle(server, 1)
            assert server.log().count("event=hub-not-told") == 1
            assert len(hub.told()) == len({*hub.told()}) == len(hub.pings) - 9


@pytest.mark.heavy
def test_what_was_told_is_known_after_a_restart(tmp_path: Path) -> None:
    """A server that starts again tells of what changed meanwhile, and of nothing else."""
    file = tmp_path / "entries.yaml"
    port = free_port()
    with listening() as hub:
        write(file, text(hub.url))
        with running("feeds serve", file, tmp_path / "server", port=port) as server:
            settle(server, 1)
        hub.pings.clear()
        with running("feeds serve", file, tmp_path / "server", port=port):
            time.sleep(1)
            assert not hub.pings
        write(file, text(hub.url, ADDED))
        with running("feeds serve", file, tmp_path / "server", port=port) as server:
            settle(server, 1)
            assert hub.told() == sorted(server.url + path for path in CHANGED)


class Misleading(BaseHTTPRequestHandler):
    """Redirects all to what is no address."""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "http://[::1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be silent."""


@pytest.mark.heavy
def test_a_public_address_that_leads_nowhere_is_logged_and_waited_for(tmp_path: Path) -> None:
    """What answers before the site with a broken redirect ends nobody's telling."""
    file = tmp_path / "entries.yaml"
    write(file, text(f"http://127.0.0.1:{free_port()}/hub"))
    front = ThreadingHTTPServer(("127.0.0.1", 0), Misleading)
    thread = threading.Thread(target=front.serve_forever, args=(0.05,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{front.server_port}/"
        with running("feeds serve", file, tmp_path / "server", url=url) as server:
            wait_until(lambda: "event=hub-not-told" in server.log())
            assert "redirects to what is no web address" in server.log()
            assert len(tellers(tmp_path)) == 1
            assert "Traceback" not in server.log()
    finally:
        front.shutdown()
        thread.join()
        front.server_close()


def tellers(folder: Path) -> list[bytes]:
    """Give the processes that tell what is published with a state below a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (process / "cmdline").read_bytes()
            if b"feeds.notify.telling" in line and os.fsencode(folder) in line:
                found.append(line)
    return found


class Subscriber(ThreadingHTTPServer):
    """A callback that takes every subscription's challenge, and keeps what the hub sends."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        subscriber = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(parse_qs(urlsplit(self.path).query)["hub.challenge"][0].encode())

            def do_POST(self) -> None:
                subscriber.sent.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.answer(b"")

            def answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Be silent."""

        super().__init__(("127.0.0.1", 0), Handler)


@contextmanager
def subscribing() -> Iterator[Subscriber]:
    subscriber = Subscriber()
    thread = threading.Thread(target=subscriber.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield subscriber
    finally:
        subscriber.shutdown()
        thread.join()
        subscriber.server_close()


@contextmanager
def others_hub(folder: Path) -> Iterator[str]:
    """Run the hub that others wrote, and give its address."""
    port = free_port()
    script = ROOT / "tests" / "others_hub.py"
    command = [sys.executable, str(script), str(port), str(folder / "hub.db")]
    with (
        (folder / "hub.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,
    ):
        try:
            wait_for(f"http://127.0.0.1:{port}/", process)
            yield f"http://127.0.0.1:{port}/hub"
        finally:
            process.terminate()


@pytest.mark.heavy
def test_a_subscriber_of_a_hub_that_others_wrote_gets_each_change(tmp_path: Path) -> None:
    """flask-websub reads the feed that it is told of, and sends its subscriber the new bytes once."""
    file = tmp_path / "entries.yaml"
    with others_hub(tmp_path) as hub, subscribing() as subscriber:
        write(file, text(hub))
        with running("feeds serve", file, tmp_path / "server") as server:
            settle(server, 1)
            topic = server.url + "countries/id/atom.xml"
            form = {
                "hub.mode": "subscribe",
                "hub.topic": topic,
                "hub.callback": f"http://127.0.0.1:{subscriber.server_port}/",
            }
            with urlopen(hub, data=urlencode(form).encode(), timeout=PATIENCE) as answer:
                assert answer.status == 202
            write(file, text(hub, ADDED))
            settle(server, 2)
            assert subscriber.sent == []
            write(file, text(hub, ADDED.replace("Kenya]", "Kenya, Indonesia]")))
            settle(server, 3)
            assert subscriber.sent == [get(server, "countries/id/atom.xml")]
            assert b"Kenya has news" in subscriber.sent[0]


def get(server: Server, path: str) -> bytes:
    with urlopen(server.url + path, timeout=PATIENCE) as answer:
        body: bytes = answer.read()
        return body
