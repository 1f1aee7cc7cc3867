"""The server of `feeds serve`: granian, which buffers requests and answers in Rust threads.

Clients that send half a request, or read slowly, hold no Python thread.
"""

import socket
from collections.abc import Callable
from functools import partial

from granian import Granian
from granian.constants import Interfaces

from feeds.errors import FeedsError
from feeds.release import Release
from feeds.web import create_app


def serve(release: Release, host: str, port: int, *, started: Callable[[], None]) -> None:
    """Serve a release until SIGINT or SIGTERM; `started` is called once it listens.

    Raises FeedsError where the address cannot be listened on.
    """
    _check_free(host, port)
    server = Granian(
        "feeds",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        websockets=False,
        log_enabled=False,
    )
    server.on_startup(started)
    server.serve(target_loader=partial(create_app, release), wrap_loader=False)


def _check_free(host: str, port: int) -> None:
    """Say plainly what granian would only log."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        raise FeedsError(f"cannot listen on {host} port {port}: {error.strerror}") from None
