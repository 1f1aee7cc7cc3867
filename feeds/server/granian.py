"""The HTTP server of `feeds serve`, and its access log.

granian buffers requests and answers in Rust threads: clients that send half a
request, or read slowly, occupy no Python thread.
"""

import logging
import multiprocessing
import os
import resource
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TextIO
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

from feeds.errors import FeedsError
from feeds.log import log_event, log_to
from feeds.server import SiteApp
from feeds.server.metrics import require_library, with_metrics
from feeds.server.middleware import answer_plainly
from feeds.server.served_site import ServedSite, Settings

# Large answers that are sent at the same time. Each occupies a thread until its client
# has read it, or is too slow.
_MAX_STREAMS = 128
# Python runs one thread at a time: while one of two answers, the other receives its next
# request. More threads would only wait for each other.
_THREADS = 2
# The memory that clients can make a server hold is, for each connection, the head of a
# request and an answer that is sent whole, and for each stream a few chunks: 200 MB.
_MAX_CONNECTIONS = 1024
# Open files that the process needs beside its connections.
_OTHER_FILES = 48
# How long a client may take to acknowledge what was sent.
_WRITE_TIMEOUT_MILLISECONDS = 30_000
# How much of an answer the kernel buffers beyond what is in flight.
_MAX_UNSENT_BYTES = 65_536
# Systems other than Linux lack one or the other.
_TCP_OPTIONS = {
    "TCP_USER_TIMEOUT": _WRITE_TIMEOUT_MILLISECONDS,
    "TCP_NOTSENT_LOWAT": _MAX_UNSENT_BYTES,
}
# How long answers in progress may take when the server is stopped.
_STOP_TIMEOUT_SECONDS = 3
# Limits for the head of a request.
_HEAD_TIMEOUT_MILLISECONDS = 15_000
_MAX_HEAD_BYTES = 65_536

# Smaller answers are copied whole, and occupy no thread.
MAX_WHOLE_BODY_BYTES = 65_536
_CHUNK_BYTES = 16_384
# After its grace period a client must have read this fast on average.
_GRACE_SECONDS = 60
_MIN_BYTES_PER_SECOND = 8_192
# When a client that was refused should try again.
_RETRY_AFTER_SECONDS = 30

# Characters of a path that are not escaped.
_SAFE_CHARACTERS = "/:@!$&'()*+,;=~"
# Characters that are logged of each value that a client sends.
_MAX_FIELD_LENGTH = 1000
# Characters of lines that wait for the reader of the log; more lines are dropped.
_MAX_WAITING_LENGTH = 1_000_000


def serve(  # noqa: PLR0913  # all but the first are keywords
    settings: Settings,
    *,
    host: str,
    port: int,
    workers: int,
    access_log: bool,
    started: Callable[[], None],
) -> None:
    """Serve a site until SIGINT or SIGTERM; SIGHUP makes it read the catalogue again.

    `started` is called when the server listens. Raises FeedsError if it cannot listen, or
    lacks a library.
    """
    if settings.metrics:
        require_library()
    load = partial(_application, settings, access_log=access_log)
    run(load, _free_address(host, port), port, workers=workers, started=started)


def run(
    load: Callable[[], WSGIApplication],
    host: str,
    port: int,
    *,
    workers: int = 1,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Run a WSGI application, which is loaded in each worker process."""
    # A worker that is started again must inherit the socket too.
    multiprocessing.set_start_method("fork", force=True)
    server = _Server(
        "feeds",
        address=host,
        port=port,
        workers=workers,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
        blocking_threads=_THREADS + _MAX_STREAMS,
        backpressure=_possible_connections(),
        http1_settings=HTTP1Settings(
            header_read_timeout=_HEAD_TIMEOUT_MILLISECONDS, max_buffer_size=_MAX_HEAD_BYTES
        ),
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_TIMEOUT_SECONDS,
    )
    server.on_startup(started)
    try:
        server.serve(target_loader=load, wrap_loader=False)
    except SystemExit as end:
        # granian gives up, without a message, if a process ends twice within a few seconds.
        if end.code:
            raise FeedsError("a worker process ends again and again; see the log") from None
        raise


def _possible_connections() -> int:
    """Raise the soft limit of open files, and return how many connections it allows.

    Beyond the limit, granian would try to accept in a busy loop.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most == resource.RLIM_INFINITY:
        return _MAX_CONNECTIONS
    return max(min(_MAX_CONNECTIONS, most - _OTHER_FILES), 1)


class _Server(MPServer):
    def _init_shared_socket(self) -> None:
        """Listen with options that end connections whose clients do not read.

        A connection inherits the options of the socket that accepts it.
        """
        super()._init_shared_socket()  # type: ignore[no-untyped-call]  # granian's
        spec: Any = self._ssp
        holder: Any = spec.build() if spec else self._shd
        self._ssp, self._shd = None, holder
        with socket.socket(fileno=os.dup(holder.get_fd())) as listener:
            for name, value in _TCP_OPTIONS.items():
                if hasattr(socket, name):
                    listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def signal_handler_reload(self, *_args: Any, **_kwargs: Any) -> None:  # noqa: ANN401  # granian's
        """Pass SIGHUP on to the workers, which read the catalogue again, and restart none."""
        for worker in self.wrks:
            os.kill(worker.inner.pid, signal.SIGHUP)


def _application(settings: Settings, *, access_log: bool) -> WSGIApplication:
    """Return the application of one worker process."""
    # The handler of the parent process is not for this one.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    log_to(sys.stderr)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    site = ServedSite(settings)
    signal.signal(signal.SIGHUP, lambda *_: site.request_reload())
    site.start()
    app = with_metrics(ChunkLargeBodies(SiteApp(site), _MAX_STREAMS), site)
    return AccessLog(app, sys.stdout) if access_log else app


def _end_with_parent() -> None:
    """End this process when its parent has been killed: it would occupy the port for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        # As the parent would do.
        time.sleep(_STOP_TIMEOUT_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)


def _free_address(host: str, port: int) -> str:
    """Return a host's numeric address; raises FeedsError where granian would only log the error."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
        return str(address[0])
    except OSError as error:
        raise FeedsError(f"cannot listen on {host} port {port}: {error.strerror}") from None


class ChunkLargeBodies:
    """Sends the large answers of an application in chunks, at most `streams` at a time.

    granian copies a body that it gets whole, and keeps the copy until the client has
    read it. Of a body in chunks it takes a few, and then blocks the thread until the
    client has read some of them. When all streams are in use, another large answer is
    refused with 503; smaller ones are sent.
    """

    def __init__(self, app: WSGIApplication, streams: int) -> None:
        self._app = app
        self._slots = threading.BoundedSemaphore(streams)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        begun: list[Any] = []
        body = self._app(environ, lambda *arguments: begun.append(arguments))  # type: ignore[arg-type]  # nothing is written through it
        if not isinstance(body, list) or sum(map(len, body)) <= MAX_WHOLE_BODY_BYTES:
            start_response(*begun[-1])
            return body
        if not self._slots.acquire(blocking=False):
            status = "503 Service Unavailable"
            return answer_plainly(environ, start_response, status, retry_after=_RETRY_AFTER_SECONDS)
        start_response(*begun[-1])
        return _Stream(b"".join(body), self._slots)


class _Stream:
    """The chunks of a body; its slot is released when it is closed."""

    def __init__(self, body: bytes, slots: threading.BoundedSemaphore) -> None:
        self._body = body
        self._slots = slots

    def __iter__(self) -> Iterator[bytes]:
        end = time.monotonic() + _GRACE_SECONDS
        for first in range(0, len(self._body), _CHUNK_BYTES):
            if time.monotonic() > end + first / _MIN_BYTES_PER_SECOND:
                # The body is shorter than announced, so the server closes the connection.
                return
            yield self._body[first : first + _CHUNK_BYTES]

    def close(self) -> None:
        """Release the slot; the server calls this once (PEP 3333)."""
        self._slots.release()


class AccessLog:
    """Writes a line for each request that an application answers, in the combined format.

    Queries are left out, of the referring address too: no answer depends on them, and
    they may contain secrets.
    """

    def __init__(self, app: WSGIApplication, stream: TextIO) -> None:
        self._app = app
        self._lines = _Lines(stream)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""

        def start(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: Any = None,  # noqa: ANN401  # passed on (PEP 3333)
        ) -> Callable[[bytes], object]:
            is_head = environ["REQUEST_METHOD"] == "HEAD"
            length = "0" if is_head else dict(headers).get("Content-Length", "0")
            self._lines.put(_line(environ, status[:3], length))
            return start_response(status, headers, exc_info)

        return self._app(environ, start)


class _Lines:
    """The queue of lines to a stream; a full disk or pipe loses lines, but delays no answer.

    The stream may block, so a thread writes to it. The number of lost lines is logged
    when a line can be written again.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: list[str] = []
        self._length = 0
        self._changed = threading.Condition()
        self._dropped = 0
        self._failed = False
        threading.Thread(target=self._run, name="feeds-access-log", daemon=True).start()

    def put(self, line: str) -> None:
        """Write a line soon, or drop it if too many are waiting."""
        with self._changed:
            if self._length + len(line) <= _MAX_WAITING_LENGTH:
                self._waiting.append(line)
                self._length += len(line)
                self._changed.notify()
            else:
                self._dropped += 1

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                lines, self._waiting, self._length = self._waiting, [], 0
            self._write(lines)

    def _write(self, lines: Sequence[str]) -> None:
        try:
            # Not through the stream: the process could not end while a write blocks.
            _write_all(self._stream.fileno(), "".join(lines).encode())
        except (OSError, ValueError) as error:
            with self._changed:
                self._dropped += len(lines)
            if not self._failed:
                log_event("no-access-log", logging.WARNING, error=error)
            self._failed = True
            return
        self._failed = False
        with self._changed:
            dropped, self._dropped = self._dropped, 0
        if dropped:
            log_event("access-log-dropped", logging.WARNING, lines=dropped)


def _write_all(descriptor: int, text: bytes) -> None:
    left = memoryview(text)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:
            # Another process has made the descriptor non-blocking.
            select.select([], [descriptor], [])


def _line(environ: WSGIEnvironment, status: str, length: str) -> str:
    now = datetime.now().astimezone()
    path = environ["PATH_INFO"][:_MAX_FIELD_LENGTH].encode("latin-1")
    protocol = environ["SERVER_PROTOCOL"]
    # granian leaves out a minor version of 0 (RFC 9112 §2.3).
    protocol += ".0" * (protocol == "HTTP/1")
    method = environ["REQUEST_METHOD"][:_MAX_FIELD_LENGTH]
    request = f"{method} {quote(path, safe=_SAFE_CHARACTERS)} {protocol}"
    return (
        f"{environ.get('REMOTE_ADDR') or '-'} - - [{now:%d/%b/%Y:%H:%M:%S %z}]"
        f' "{_escaped(request)}" {status} {length}'
        f' "{_escaped(environ.get("HTTP_REFERER", "-").partition("?")[0][:_MAX_FIELD_LENGTH])}"'
        f' "{_escaped(environ.get("HTTP_USER_AGENT", "-")[:_MAX_FIELD_LENGTH])}"\n'
    )


def _escaped(text: str) -> str:
    """Return a text with non-ASCII characters, quotes and backslashes in hexadecimal."""
    plain = (c if " " <= c <= "~" and c not in '"\\' else f"\\x{ord(c):02x}" for c in text)
    return "".join(plain)
