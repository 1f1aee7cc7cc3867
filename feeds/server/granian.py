"""The server of `feeds serve`: granian, which buffers requests and answers in Rust threads.

Clients that send half a request, or read slowly, hold no Python thread.
"""

import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from wsgiref.types import WSGIApplication

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

from feeds.errors import FeedsError
from feeds.log import log_to
from feeds.server import SiteApp
from feeds.server.access_log import AccessLog
from feeds.server.pieces import InPieces
from feeds.server.site import ServedSite, Settings

# Large answers that are sent at the same time; each keeps a thread until its client
# has read it, or is too slow.
_STREAMS = 128
# Python answers from memory, one thread at a time: while one of two answers, the
# other takes up its next request; more would only wait for one another.
_THREADS = 2
# Connections at once. The most that clients can make a server hold, in memory, is for
# each connection a request's head and an answer that is sent whole, and for each
# stream a few pieces: 200 MB.
_CONNECTIONS = 1024
# Files that the process needs beside its connections.
_OTHER_FILES = 48
# How long a client may take to acknowledge what was sent, in milliseconds.
_WRITE_TIMEOUT = 30_000
# How much of an answer the system keeps beyond what is on its way, in bytes.
_UNSENT = 65_536
# Systems other than Linux lack one or the other.
_OPTIONS = {"TCP_USER_TIMEOUT": _WRITE_TIMEOUT, "TCP_NOTSENT_LOWAT": _UNSENT}
# How long answers under way may take when the server is told to end, in seconds.
_FAREWELL = 3
# How long a client may take over its request's head, in milliseconds.
_HEAD_TIMEOUT = 15_000
# How large that head may be, in bytes.
_HEAD = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where to listen, in how many processes, and whether to write an access log."""

    host: str
    port: int
    workers: int = 1
    access_log: bool = False


def serve(settings: Settings, listening: Listening, *, started: Callable[[], None]) -> None:
    """Serve a site until SIGINT or SIGTERM; on SIGHUP the catalogue is read again.

    `started` is called once the address is taken. Raises FeedsError where it
    cannot be listened on.
    """
    address = _free_address(listening.host, listening.port)
    load = partial(_application, settings, access_log=listening.access_log)
    run(load, address, listening.port, workers=listening.workers, started=started)


def run(
    load: Callable[[], WSGIApplication],
    host: str,
    port: int,
    *,
    workers: int = 1,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Run a WSGI application, which `load` gives in each process that answers."""
    # A worker that is started again must have the socket too.
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
        blocking_threads=_THREADS + _STREAMS,
        backpressure=_possible_connections(),
        http1_settings=HTTP1Settings(header_read_timeout=_HEAD_TIMEOUT, max_buffer_size=_HEAD),
        respawn_failed_workers=True,
        workers_kill_timeout=_FAREWELL,
    )
    server.on_startup(started)
    try:
        server.serve(target_loader=load, wrap_loader=False)
    except SystemExit as end:
        # granian gives up when a process ends twice within a few seconds, and says nothing.
        if end.code:
            raise FeedsError("a process that answers ends again and again; see the log") from None
        raise


def _possible_connections() -> int:
    """Return how many connections there are files for; raises the soft limit of files first.

    granian would ask for one more again and again, without a pause.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most == resource.RLIM_INFINITY:
        return _CONNECTIONS
    return max(min(_CONNECTIONS, most - _OTHER_FILES), 1)


class _Server(MPServer):
    def _init_shared_socket(self) -> None:
        """Listen on one socket, whose connections end when their clients do not read any more.

        A connection inherits the options of the socket that accepts it.
        """
        super()._init_shared_socket()  # type: ignore[no-untyped-call]  # granian's
        spec: Any = self._ssp
        holder: Any = spec.build() if spec else self._shd
        self._ssp, self._shd = None, holder
        with socket.socket(fileno=os.dup(holder.get_fd())) as listener:
            for name, value in _OPTIONS.items():
                if hasattr(socket, name):
                    listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def signal_handler_reload(self, *_args: Any, **_kwargs: Any) -> None:  # noqa: ANN401  # granian's
        """Pass the signal on: it has the catalogue read again, and starts no process again."""
        for worker in self.wrks:
            os.kill(worker.inner.pid, signal.SIGHUP)


def _application(settings: Settings, *, access_log: bool) -> WSGIApplication:
    """Return the served application; called once in each process that answers."""
    # That of the process before, whose copy this may be, is for it alone.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    log_to(sys.stderr)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    site = ServedSite(settings)
    signal.signal(signal.SIGHUP, lambda *_: site.request_reload())
    site.start()
    app: WSGIApplication = InPieces(SiteApp(site), _STREAMS)
    return AccessLog(app, sys.stdout) if access_log else app


def _end_with_parent() -> None:
    """End when the parent was killed, or this process would keep the address for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        # The parent would do this.
        time.sleep(_FAREWELL)
        os.kill(os.getpid(), signal.SIGKILL)


def _free_address(host: str, port: int) -> str:
    """Give a host's numeric address, and say plainly what granian would only log."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
        return str(address[0])
    except OSError as error:
        raise FeedsError(f"cannot listen on {host} port {port}: {error.strerror}") from None
