"""Misbehaving object stores: endless lists, and redirects to other hosts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from buckets import environment
from conftest import run_feeds

from feeds import FeedsError
from feeds.export.object_store import ObjectStore, Version

OBJECT = (
    "<Contents><Key>x/{}</Key><Size>1</Size><ETag>&quot;a&quot;</ETag>"
    "<LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
)
LIST = (
    '<?xml version="1.0"?><ListBucketResult><Name>b</Name><Prefix>x/</Prefix>'
    "<KeyCount>1</KeyCount><IsTruncated>true</IsTruncated>"
    "<NextContinuationToken>{}</NextContinuationToken>{}</ListBucketResult>"
)

# What a request is answered with: status, headers, body.
Reply = tuple[int, dict[str, str], bytes]


class Fake(ThreadingHTTPServer):
    """A store that answers with the result of a function of method, path and request number."""

    daemon_threads = True

    def __init__(self, reply: Callable[[str, str, int], Reply]) -> None:
        self.requests: list[tuple[str, str]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fake.requests.append((self.command, self.path))
                status, headers, body = reply(self.command, self.path, len(fake.requests))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815  # http.server's

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        super().__init__(("127.0.0.1", 0), Handler)


@contextmanager
def fake(reply: Callable[[str, str, int], Reply]) -> Iterator[Fake]:
    server = Fake(reply)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def missing(_method: str, _path: str, _number: int) -> Reply:
    return 404, {}, b"<Error><Code>NoSuchKey</Code></Error>"


def listing(objects: Callable[[int], str]) -> Callable[[str, str, int], Reply]:
    """Return a handler that answers each list with some objects, and says that there are more."""

    def reply(method: str, path: str, number: int) -> Reply:
        if "list-type" not in path:
            return missing(method, path, number)
        return 200, {}, LIST.format(number, objects(number)).encode()

    return reply


LISTS: dict[str, Callable[[int], str]] = {
    "pages without objects": lambda _: "",
    "the same object": lambda _: OBJECT.format("a"),
    "the same thousand": lambda _: "".join(map(OBJECT.format, range(1000))),
    "two thousand in a circle": lambda number: "".join(
        OBJECT.format(f"{number % 2}-{one}") for one in range(1000)
    ),
}


def store(port: int) -> ObjectStore:
    there = environment(port)
    # obstore reads the environment by itself.
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "ENDPOINT_URL", "ALLOW_HTTP", "REGION"):
            patch.setenv(f"AWS_{name}", there[f"AWS_{name}"])
        return ObjectStore("s3://b/x", there, 0.3)


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_without_end_is_refused(kind: str) -> None:
    """A list of endless empty pages, or of repeated objects, ends with a message."""
    with (
        fake(listing(LISTS[kind])) as server,
        pytest.raises(FeedsError, match=r"^s3://b/x at http://127\.0\.0\.1:\d+: the store lists"),
    ):
        store(server.server_port).list()


@pytest.mark.heavy
@pytest.mark.parametrize("kind", [*LISTS, "new objects for ever"])
def test_a_publish_ends_however_long_a_list_is(kind: str, tmp_path: Path) -> None:
    """A publish to a store with an endless list fails in bounded time with one message, and writes nothing."""
    new = {
        "new objects for ever": lambda number: "".join(
            OBJECT.format(f"{number}-{one}") for one in range(1000)
        )
    }
    with fake(listing((LISTS | new)[kind])) as server:
        done = run_feeds(
            *("publish", "s3://b/x", "--timeout", "1"),
            env=environment(server.server_port, FEEDS_STATE=str(tmp_path)),
        )
        assert done.returncode == 1
        assert "the store lists objects without end; check its address" in done.stderr
        assert done.stderr.count("\n") == 1
        assert {method for method, _ in server.requests} == {"GET"}


READS: dict[str, Callable[[ObjectStore], object]] = {
    "read": lambda store: store.read("a"),
    "version": lambda store: store.version("a"),
    "list": lambda store: store.list(),
}
WRITES: dict[str, Callable[[ObjectStore], object]] = {
    "create": lambda store: store.swap("a", b"body", {}, None),
    "replace": lambda store: store.swap("a", b"body", {}, Version("etag")),
    "delete": lambda store: store.delete(["a", "b"]),
}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("what", [*READS, *WRITES])
def test_a_redirect_to_another_host_is_refused(what: str, status: int) -> None:
    """A redirect to another host is never followed, for any request."""
    with fake(missing) as other:
        # Another name is another host.
        location = f"http://localhost:{other.server_port}/b/x/a"
        with fake(lambda *_: (status, {"Location": location}, b"")) as server:
            there = store(server.server_port)
            with pytest.raises(FeedsError, match=r"the store redirects to another address, which"):
                (READS | WRITES)[what](there)
        assert not other.requests


def test_a_redirect_into_the_cloud_is_refused() -> None:
    """A redirect to the cloud's metadata address is not followed either."""
    location = "http://169.254.169.254/latest/meta-data/"
    with (
        fake(lambda *_: (302, {"Location": location}, b"")) as server,
        pytest.raises(FeedsError, match=r"the store redirects to another address"),
    ):
        store(server.server_port).read("a")


def test_a_manifest_without_end_is_refused() -> None:
    """A manifest with too large a Content-Length is not read."""

    def reply(_method: str, _path: str, _number: int) -> Reply:
        return (
            200,
            {"ETag": '"a"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"},
            b"a" * 100_000_001,
        )

    with fake(reply) as server, pytest.raises(FeedsError, match=r"is too large \(a\)"):
        store(server.server_port).read("a")
