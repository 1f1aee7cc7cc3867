"""A real S3 server on this machine, and a proxy before it that counts, cuts, delays and kills."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
from conftest import ROOT, free_port, program
from obstore.exceptions import BaseError
from obstore.store import S3Store

KEY, SECRET = "AKEXAMPLE", "rEaLlYsEcReT+/0123456789"  # noqa: S105  # of a server of the test's own
BUCKET = "feeds"
PATIENCE = 30
# weed's gRPC ports are so much higher.
_GRPC = 10_000
_HIGHEST = 65_535 - _GRPC


class Object(NamedTuple):
    """An object as anybody reads it."""

    body: bytes
    attributes: Mapping[str, str]


class Server(NamedTuple):
    """An S3 server: where it listens."""

    port: int

    def store(self, prefix: str) -> S3Store:
        return S3Store(
            BUCKET,
            prefix=prefix,
            endpoint=f"http://127.0.0.1:{self.port}",
            access_key_id=KEY,
            secret_access_key=SECRET,
            region="us-east-1",
            client_options={"allow_http": True, "timeout": timedelta(seconds=5)},
            retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=5)},
        )

    def objects(self, prefix: str) -> dict[str, Object]:
        """Give all that lies below a prefix, but what the publish has for itself."""
        store = self.store(prefix)
        paths = [meta["path"] for page in store.list() for meta in page]
        found = {path: store.get(path) for path in paths if not path.startswith(".feeds-publish")}
        return {path: Object(bytes(one.bytes()), {**one.attributes}) for path, one in found.items()}

    def bodies(self, prefix: str) -> dict[str, bytes]:
        return {path: one.body for path, one in self.objects(prefix).items()}


def environment(port: int, **more: str) -> dict[str, str]:
    """Give what a webmaster sets to publish to the server at a port, or the proxy there."""
    return os.environ | {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        **more,
    }


@contextmanager
def weed(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a weed server of some kind until the end."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program("weed"), *arguments],
            cwd=folder,
            stdout=log,
            stderr=log,
            # It keeps sockets and files where it finds room, and knows a home.
            env=os.environ | {"HOME": str(folder), "TMPDIR": str(folder)},
        )
    try:
        yield process
    finally:
        # It takes ten seconds to end in order, and what it has is thrown away.
        process.kill()
        process.wait()


@contextmanager
def s3_server(folder: Path) -> Iterator[Server]:
    """Run an S3 server with an empty bucket until the end."""
    master, volume, filer, s3 = (weed_port() for _ in range(4))
    with weed(
        folder,
        *("server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *(f"-master.port={master}", "-master.telemetry=false", f"-volume.port={volume}"),
        *("-volume.max=8", "-master.volumeSizeLimitMB=64", "-filer", f"-filer.port={filer}"),
        *("-s3", f"-s3.port={s3}", f"-s3.config={identities(folder)}"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0"),
    ) as process:
        server = Server(s3)
        wait_for_bucket(server, process, folder)
        yield server


def identities(folder: Path) -> Path:
    """Write who may do what."""
    file = folder / "s3.json"
    folder.mkdir(parents=True, exist_ok=True)
    actions = ["Admin", "Read", "Write", "List"]
    credentials = [{"accessKey": KEY, "secretKey": SECRET}]
    known = {"name": "publisher", "credentials": credentials, "actions": actions}
    file.write_text(json.dumps({"identities": [known]}))
    return file


def wait_for_bucket(server: Server, process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until objects can be put; the first makes the bucket."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            server.store("").put("ready", b"")
        except BaseError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"weed does not serve S3: {(folder / 'log').read_text('utf-8')[-2000:]}")


def weed_port() -> int:
    """Give a port that is free with the one that weed takes beside it."""
    for _ in range(100):
        port = free_port()
        if port <= _HIGHEST:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port + _GRPC)):
                    return port
    pytest.fail("no port is free")


class Proxy:
    """What stands between publisher and store: each request is noted, and may be disturbed.

    `disturb` is given a request's number, from 1, its method and path, and
    gives "cut" to break the connection before the store hears of it, "deaf" to
    break it afterwards, "hang" to never answer; nothing lets it through.
    """

    def __init__(self, port: int) -> None:
        self.requests: list[tuple[str, str]] = []
        self.disturb: Callable[[int, str, str], str | None] = lambda _number, _method, _path: None
        self.over = Event()
        lock = Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = unquote(urlsplit(self.path).path).removeprefix(f"/{BUCKET}").lstrip("/")
                with lock:
                    proxy.requests.append((self.command, path))
                    number = len(proxy.requests)
                done = proxy.disturb(number, self.command, path)
                if done == "hang":
                    proxy.over.wait(PATIENCE)
                self.close_connection = done is not None
                if done not in {"cut", "hang"}:
                    self.forward(body, silent=done == "deaf")

            def forward(self, body: bytes, *, silent: bool) -> None:
                connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
                try:
                    connection.request(self.command, self.path, body, dict(self.headers.items()))
                    answer = connection.getresponse()
                    told = answer.read()
                finally:
                    connection.close()
                if silent:
                    return
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do  # noqa: N815  # http.server's

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def begin(self, disturb: Callable[[int, str, str], str | None] | None = None) -> None:
        """Count anew, and disturb as told."""
        self.requests.clear()
        self.disturb = disturb or (lambda _number, _method, _path: None)

    def uploaded(self) -> list[str]:
        """Give the path of each object that was put, but for those of the publish itself."""
        return [path for method, path in self.requests if method == "PUT" and "/.feeds" not in path]


class Publisher(NamedTuple):
    """A process that publishes."""

    process: subprocess.Popen[str]

    def end(self) -> tuple[int, str, str]:
        """Wait for its end; give its exit code, and what it said on stdout and stderr."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err


def publisher(catalogue: Path, address: str, *arguments: str, port: int, **more: str) -> Publisher:
    """Begin to publish in a process of its own."""
    command = [sys.executable, "-m", "feeds", "publish", address, "--catalogue", str(catalogue)]
    env = environment(port, FEEDS_STATE=str(catalogue.parent / "state"), **more)
    kept: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(
        [*command, "--timeout", "1", *arguments], cwd=ROOT, env=env, text=True, **kept
    )
    return Publisher(process)
