"""A real S3 server on this machine, and a proxy that counts, cuts, delays and kills."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread, get_ident
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
from conftest import PATIENCE, free_port, program
from obstore.exceptions import BaseError
from obstore.store import S3Store

KEY, SECRET = "AKEXAMPLE", "rEaLlYsEcReT+/0123456789"  # of a server of the test's own
BUCKET = "feeds"
# weed's gRPC ports are so much higher.
_GRPC = 10_000
_HIGHEST = 65_535 - _GRPC
_given: set[int] = set()


class Object(NamedTuple):
    """An object as a public request returns it."""

    body: bytes
    attributes: Mapping[str, str]


class Server(NamedTuple):
    """The address of an S3 server."""

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
        """Return all objects below a prefix, except the publish's own."""
        store = self.store(prefix)
        paths = [meta["path"] for page in store.list() for meta in page]
        found = {path: store.get(path) for path in paths if not path.startswith(".feeds-publish")}
        return {path: Object(bytes(one.bytes()), {**one.attributes}) for path, one in found.items()}

    def bodies(self, prefix: str) -> dict[str, bytes]:
        return {path: one.body for path, one in self.objects(prefix).items()}


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
    """Write the permissions of each identity."""
    file = folder / "s3.json"
    folder.mkdir(parents=True, exist_ok=True)
    actions = ["Admin", "Read", "Write", "List"]
    credentials = [{"accessKey": KEY, "secretKey": SECRET}]
    known = {"name": "publisher", "credentials": credentials, "actions": actions}
    anybody = {"name": "anonymous", "actions": ["Read"]}
    file.write_text(json.dumps({"identities": [known, anybody]}))
    return file


def wait_for_bucket(server: Server, process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until objects can be put; the first put creates the bucket."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            # With bytes in it: then there are volumes for the next ones.
            server.store("").put("ready", b"ready")
        except BaseError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"weed does not serve S3: {(folder / 'log').read_text('utf-8')[-2000:]}")


def weed_port() -> int:
    """Return a free port whose gRPC port is free too; each is returned once."""
    for _ in range(100):
        port = free_port()
        if port <= _HIGHEST and not {port, port + _GRPC} & _given:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port + _GRPC)):
                    _given.update((port, port + _GRPC))
                    return port
    pytest.fail("no port is free")


def wait_for_port(port: int) -> None:
    """Wait until a server listens on a port."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with socket.socket() as trial:
            if not trial.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.05)
    pytest.fail(f"no server listens at port {port}")


class Handler(BaseHTTPRequestHandler):
    """Passes a request on, unless the proxy disturbs it."""

    protocol_version = "HTTP/1.1"
    server: "Proxy"

    def log_message(self, *_: object) -> None:
        pass

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            # The publisher was killed, or the connection cut.
            self.close_connection = True

    def do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path).removeprefix(f"/{BUCKET}").lstrip("/")
        with self.server.busy():
            done = self.server.record(self.command, path)
            if done == "hang":
                self.server.over.wait()
            self.close_connection = done is not None
            if done not in {"cut", "hang"}:
                self.forward(body, silent=done == "deaf")

    def forward(self, body: bytes, *, silent: bool) -> None:
        connection = HTTPConnection("127.0.0.1", self.server.behind, timeout=PATIENCE)
        try:
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if silent:
            return
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do  # noqa: N815  # http.server's


class Proxy(ThreadingHTTPServer):
    """A proxy between publisher and store: each request is recorded, and may be disturbed.

    `disturb` is given a request's number, from 1, its method and path, and
    returns "cut" to break the connection before the store gets the request, "deaf"
    to break it afterwards, "hang" to never answer, or None to pass it on.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, behind: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind = behind
        self.requests: list[tuple[str, str]] = []
        self.disturb: Disturb = _let_through
        self.over = Event()
        self._lock = Lock()
        self._under_way: set[int] = set()
        self._thread = Thread(target=self.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self.over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def record(self, method: str, path: str) -> str | None:
        with self._lock:
            self.requests.append((method, path))
            number = len(self.requests)
        return self.disturb(number, method, path)

    @contextmanager
    def busy(self) -> Iterator[None]:
        self._under_way.add(get_ident())
        try:
            yield
        finally:
            self._under_way.remove(get_ident())

    def idle(self) -> bool:
        """Return whether no request is under way."""
        return not self._under_way

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold all requests for a while."""
        with self._lock:
            yield

    def begin(self, disturb: "Disturb | None" = None) -> None:
        """Clear the recorded requests, and disturb the next ones with a function."""
        self.requests.clear()
        self.disturb = disturb or _let_through

    def uploaded(self) -> list[str]:
        """Return the path of each object that was put, except the publish's own."""
        return [path for method, path in self.requests if method == "PUT" and "/.feeds" not in path]


Disturb = Callable[[int, str, str], str | None]


def _let_through(_number: int, _method: str, _path: str) -> None:
    return None


class Cluster:
    """A store that keeps each object on two volume servers, either of which can be killed."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._master, filer, s3 = (weed_port() for _ in range(3))
        self._volumes = [weed_port(), weed_port()]
        at = f"127.0.0.1:{self._master}"
        self._weed(
            *("master", f"-port={self._master}", "-defaultReplication=001", f"-mdir={folder}"),
            *("-volumeSizeLimitMB=64", "-telemetry=false"),
        )
        wait_for_port(self._master + _GRPC)
        self.volumes = [self.start(number) for number in range(2)]
        self._weed(
            *("filer", f"-port={filer}", f"-master={at}", "-defaultReplicaPlacement=001"),
            f"-defaultStoreDir={folder}",
        )
        wait_for_port(filer + _GRPC)
        process = self._weed(
            *("s3", f"-port={s3}", f"-filer=127.0.0.1:{filer}", f"-config={identities(folder)}"),
            *("-port.iceberg=0", "-port.lance=0"),
        )
        self.server = Server(s3)
        wait_for_bucket(self.server, process, folder / "s3")

    def start(self, number: int) -> subprocess.Popen[bytes]:
        """Start a volume server with its earlier data."""
        port = self._volumes[number]
        folder = self._folder / f"volume-{port}"
        folder.mkdir(exist_ok=True)
        process = self._weed(
            *("volume", f"-port={port}", f"-dir={folder}", "-max=8"),
            f"-master=127.0.0.1:{self._master}",
            folder=folder,
        )
        wait_for_port(port)
        return process

    def _weed(
        self, kind: str, *arguments: str, folder: Path | None = None
    ) -> subprocess.Popen[bytes]:
        here = () if kind == "s3" else ("-ip=127.0.0.1",)
        command = (kind, *here, "-ip.bind=127.0.0.1", *arguments)
        return self._stack.enter_context(weed(folder or self._folder / kind, *command))
