"""A server of documents at the addresses that a test chooses, as another publisher has them."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

_TYPES = {"json": "application/feed+json", "atom": "application/atom+xml"}


class Answer(NamedTuple):
    """What is sent for a path."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


class FeedServer(NamedTuple):
    """A running server: its address, and the paths that were requested."""

    url: str
    requested: list[str]


@contextmanager
def serving(pages: Mapping[str, bytes | Answer], port: int = 0) -> Iterator[FeedServer]:
    """Serve documents by their paths, without the first `/`; more can be added while it runs."""
    requested: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path[1:]
            requested.append(path)
            page = pages.get(path, Answer(b"", 404))
            answer = page if isinstance(page, Answer) else Answer(page)
            self.send_response(answer.status)
            self.send_header(
                "Content-Type", _TYPES.get(path.rpartition(".")[2], "application/rss+xml")
            )
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield FeedServer(f"http://127.0.0.1:{server.server_address[1]}/", requested)
        finally:
            server.shutdown()
            thread.join()
