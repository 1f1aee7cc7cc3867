"""A small WebSub hub: it accepts notifications, and reads each feed that it is notified of."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs
from urllib.request import urlopen

from conftest import PATIENCE


class Ping(NamedTuple):
    """A notification, and what the hub read from the feed's URL at that moment."""

    address: str
    body: bytes
    answered: int


class Hub:
    """A hub on this machine, which waits before each answer.

    `answers` are its next statuses, before it answers everything with 202.
    """

    def __init__(self, port: int = 0, answers: Sequence[int] = (), wait: float = 0) -> None:
        self.pings: list[Ping] = []
        self.answers = list(answers)
        self.moments: list[float] = []
        self.wait = wait
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                form = parse_qs(self.rfile.read(length).decode(), strict_parsing=True)
                assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
                self.send_response(hub.take(form))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port: int = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hub"

    def take(self, form: dict[str, list[str]]) -> int:
        """Accept a form, and return the status of the response."""
        self.moments.append(time.monotonic())
        time.sleep(self.wait)
        status = self.answers.pop(0) if self.answers else 202
        [mode], [address] = form["hub.mode"], form["hub.url"]
        if mode != "publish" or form["hub.topic"] != [address]:
            return 400
        with urlopen(address, timeout=PATIENCE) as feed:
            assert f'<{self.url}>; rel="hub"' in feed.headers["Link"]
            assert f'<{address}>; rel="self"' in feed.headers["Link"]
            self.pings.append(Ping(address, feed.read(), status))
        return status

    def notified(self) -> list[str]:
        """Return the URLs that were accepted, in alphabetical order."""
        return sorted(ping.address for ping in self.pings if ping.answered < 300)


@contextmanager
def listening(port: int = 0, answers: Sequence[int] = (), wait: float = 0) -> Iterator[Hub]:
    """Run a hub until the end."""
    hub = Hub(port, answers, wait)
    thread = threading.Thread(target=hub.server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield hub
    finally:
        hub.server.shutdown()
        thread.join()
        hub.server.server_close()
