"""The hub is notified of changed feeds, once they are public, and no request waits for it."""

import errno
import fcntl
import os
import signal
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
from builds import etag_of
from conftest import PATIENCE, ROOT, SHIPPED, Server, free_port, running, wait_for, wait_until
from hostile import hostile
from hub import listening

from feeds.notify import websub
from feeds.notify.websub import BackgroundNotifier, Busy, NotificationLog

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
    wait_until(lambda: server.log().count("event=hub-notified") == count)


def test_a_reload_notifies_the_hub_of_what_changed_alone(tmp_path: Path) -> None:
    """The hub is notified of each changed feed once, and reads the new bytes."""
    file = tmp_path / "entries.yaml"
    with listening() as hub:
        write(file, text(hub.url))
        with running("feeds serve", file, tmp_path / "server") as server:
            settle(server, 1)
            assert len(hub.notified()) == len({*hub.notified()})
            hub.pings.clear()
            write(file, text(hub.url, ADDED))
            settle(server, 2)
            assert hub.notified() == sorted(server.url + path for path in CHANGED)
            assert all(b"Kenya has news" in ping.body for ping in hub.pings)


@pytest.mark.heavy
def test_under_gunicorn_the_hub_is_notified_of_a_change_once(tmp_path: Path) -> None:
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
            assert hub.notified() == sorted(url + path for path in CHANGED)


@pytest.mark.heavy
@pytest.mark.parametrize("silent", [False, True], ids=["refuses", "is silent"])
def test_a_dead_hub_delays_nothing_and_is_notified_later(tmp_path: Path, *, silent: bool) -> None:
    """While the hub is down, edits are served as fast as without one; the failure is logged once, and the hub notified later."""
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
        wait_until(lambda: "event=hub-not-notified" in server.log())
        assert server.log().count("event=hub-not-notified") <= 4
        dead.close()
        with listening(port) as hub:
            wait_until(lambda: "event=hub-notified" in server.log())
            assert server.url + "countries/ke/atom.xml" in hub.notified()
            assert all(b"Kenya 2" in ping.body for ping in hub.pings if "/ke/" in ping.address)


def dripping() -> Iterator[bytes]:
    """Return an answer whose head never ends."""
    return repeat(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.heavy
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("kind", ["feeds serve", "gunicorn"])
def test_no_process_waits_for_a_hub_when_the_server_ends(
    kind: str, number: signal.Signals, tmp_path: Path
) -> None:
    """A request that never ends delays the end of no process."""
    file = tmp_path / "entries.yaml"
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with hostile(dripping) as hub:
        write(file, text(hub.url))
        with running(kind, file, tmp_path / "server", url=url, port=port) as server:
            wait_until(lambda: hub.requests)
            assert processes(tmp_path)
            begun = time.monotonic()
            server.process.send_signal(number)
            server.process.wait(PATIENCE)
            wait_until(lambda: not processes(tmp_path))
            # A request may take 30 seconds; the workers of gunicorn look for their parent every 15.
            assert time.monotonic() - begun < 25


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["feeds serve", "gunicorn", "gunicorn --preload"])
def test_another_process_goes_on_when_one_dies(kind: str, tmp_path: Path) -> None:
    """The lock of a process that was killed is free at once, and the hub is notified of each feed once."""
    file = tmp_path / "entries.yaml"
    port, hub_port = free_port(), free_port()
    url = f"http://127.0.0.1:{port}/"
    write(file, text(f"http://127.0.0.1:{hub_port}/hub"))
    folder = tmp_path / "server"
    with running(kind, file, folder, url=url, port=port, workers=3, built=False) as server:
        wait_until(lambda: "event=hub-not-notified" in server.log())
        holder = lock_holder(folder / "state")
        assert holder in processes(tmp_path)
        workers = [pid for pid in processes(tmp_path) if parent_of(pid) == server.process.pid]
        victim = workers[0] if holder == server.process.pid else holder
        assert victim in workers
        os.kill(victim, signal.SIGKILL)
        with listening(hub_port) as hub:
            begun = time.monotonic()
            settle(server, 1)
            assert time.monotonic() - begun < 15

            def is_done() -> bool:
                pings = len(hub.pings)
                time.sleep(1.5)
                return len(hub.pings) == pings

            wait_until(is_done)
            assert len(hub.notified()) == len({*hub.notified()})
            assert f"{url}atom.xml" in hub.notified()


KILLED = """
import os, sys, time
from pathlib import Path
from feeds.notify.websub import NotificationLog
with NotificationLog(Path(sys.argv[1])).locked():
    if not os.fork():
        print(os.getpid(), flush=True)
    time.sleep(60)
"""


def test_a_forked_process_does_not_keep_the_lock(tmp_path: Path) -> None:
    """A forked child of a killed process does not keep the lock."""
    with subprocess.Popen([sys.executable, "-c", KILLED, tmp_path], stdout=subprocess.PIPE) as one:
        assert one.stdout
        # The child writes this, once it has closed what it inherited.
        child = int(one.stdout.readline())
        one.kill()
        one.wait(PATIENCE)
        try:
            os.kill(child, 0)
            with (
                NotificationLog(tmp_path).locked(),
                pytest.raises(Busy),
                NotificationLog(tmp_path).locked(),
            ):
                pass
        finally:
            os.kill(child, signal.SIGKILL)


def failing() -> dict[str, str]:
    raise KeyError


def test_a_bug_costs_one_release_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A bug while notifying is logged, and the hub is notified of the next release."""
    caplog.set_level("INFO", "feeds")
    with listening() as hub, ThreadingHTTPServer(("127.0.0.1", 0), Feed) as site:
        Feed.hub = hub.url
        thread = threading.Thread(target=site.serve_forever, args=(0.05,))
        thread.start()
        url = f"http://127.0.0.1:{site.server_port}/"
        notifier = BackgroundNotifier(tmp_path)
        try:
            notifier.update(url, hub.url, failing)
            notifier.start()
            wait_until(lambda: "bug" in caplog.messages)
            notifier.update(url, hub.url, lambda: {"atom.xml": etag_of(Feed.body)})
            wait_until(lambda: "hub-notified" in caplog.messages)
            assert hub.notified() == [f"{url}atom.xml"]
            notifier.update(url, hub.url, lambda: {"atom.xml": etag_of(Feed.body)})
            time.sleep(1)
            assert hub.notified() == [f"{url}atom.xml"]
        finally:
            notifier.stop()
            site.shutdown()
            thread.join()


def test_a_bug_in_a_request_is_not_taken_for_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected exception in a thread that sends requests is raised, not lost with the thread."""

    def fail(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr(websub, "_notify", fail)
    url = "http://127.0.0.1/"
    with pytest.raises(KeyError):
        websub.notify_hub(
            *(url, f"{url}hub", lambda: {"atom.xml": "etag"}, tmp_path),
            deadline=time.monotonic() + PATIENCE,
        )


def test_without_locks_no_descriptor_is_left_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system that does not support locks, each attempt closes what it opened."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    before = len([*Path("/dev/fd").iterdir()])
    with pytest.raises(OSError, match="No locks"), NotificationLog(tmp_path).locked():
        pass
    assert len([*Path("/dev/fd").iterdir()]) == before


class Feed(BaseHTTPRequestHandler):
    """Serves a feed at each path, with a link to the hub."""

    body = b"feed"
    hub = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        url = f"http://{self.headers['Host']}{self.path}"
        self.send_header("Link", f'<{url}>; rel="self", <{self.hub}>; rel="hub"')
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def test_a_hub_that_fails_is_asked_again(tmp_path: Path) -> None:
    """After failures the hub is notified again with back-off; accepted notifications are not repeated."""
    file = tmp_path / "entries.yaml"
    with listening(answers=[500] * 9) as hub:
        write(file, text(hub.url))
        with running("feeds serve", file, tmp_path / "server") as server:
            settle(server, 1)
            assert server.log().count("event=hub-not-notified") == 1
            assert len(hub.notified()) == len({*hub.notified()}) == len(hub.pings) - 9


def test_a_server_without_a_state_folder_notifies_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the state folder cannot be written, what the hub knows is kept in the temporary one."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "state").write_text("")
    file = tmp_path / "entries.yaml"
    with listening() as hub:
        write(file, text(hub.url))
        with running("feeds serve", file, tmp_path / "server") as server:
            settle(server, 1)
            assert hub.notified()


@pytest.mark.heavy
def test_what_the_hub_knows_is_remembered_after_a_restart(tmp_path: Path) -> None:
    """A restarted server notifies the hub only of feeds that changed meanwhile."""
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
            assert hub.notified() == sorted(server.url + path for path in CHANGED)


class Misleading(BaseHTTPRequestHandler):
    """Redirects everything to an invalid URL."""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "http://[::1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.mark.heavy
def test_a_public_url_with_an_invalid_redirect_is_logged_and_tried_again(tmp_path: Path) -> None:
    """An invalid redirect of the public URL does not end the notifier's thread."""
    file = tmp_path / "entries.yaml"
    write(file, text(f"http://127.0.0.1:{free_port()}/hub"))
    front = ThreadingHTTPServer(("127.0.0.1", 0), Misleading)
    thread = threading.Thread(target=front.serve_forever, args=(0.05,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{front.server_port}/"
        with running("feeds serve", file, tmp_path / "server", url=url) as server:
            wait_until(lambda: "event=hub-not-notified" in server.log())
            assert "redirects to an invalid URL" in server.log()
            assert "Traceback" not in server.log()
    finally:
        front.shutdown()
        thread.join()
        front.server_close()


def processes(folder: Path) -> list[int]:
    """Return the processes that serve or build with a state below a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"FEEDS_STATE=" + os.fsencode(folder) in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def lock_holder(state: Path) -> int:
    """Return the process that notifies."""
    inode = (state / "websub.lock").stat().st_ino
    rows = map(str.split, Path("/proc/locks").read_text().splitlines())
    [pid] = {int(row[4]) for row in rows if "->" not in row and row[5].endswith(f":{inode}")}
    return pid


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
                """Log nothing."""

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
    """Run the hub of flask-websub, and return its URL."""
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
    """flask-websub reads the feed that it is notified of, and sends its subscriber the new bytes once."""
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
