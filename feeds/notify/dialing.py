"""Connections that are checked before they are made, and end when their time is over."""

import socket
import threading
import time
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from feeds.notify.reach import Reach, reach_of, reach_of_number

# In seconds, for looking up a name, and for each step of a connection.
_LOOK_UP = 5.0
_STEP = 10.0

_Info = tuple[Any, Any, int, str, tuple[Any, ...]]


class PrivateAddressError(Exception):
    """An address is in a more private network than may be asked."""


class Dialer:
    """Makes the connections of one request, and cuts them off when its time is over.

    A name is looked up once, and the connection is made to what was found and
    checked: a second look might find something else.
    """

    def __init__(self, least: Reach, end: float) -> None:
        """Allow addresses that can be read from as far as `least`, until `end` on the monotonic clock."""
        self._least = least
        self._end = end
        self._guards: list[socket.socket] = []
        self._timer: threading.Timer | None = None

    def connect(
        self, where: tuple[str, int], *_unused: object, checked: bool = True
    ) -> socket.socket:
        """Return a connection to a host and a port; raises OSError, or PrivateAddressError.

        A proxy that the environment names need not be `checked`.
        """
        found = look_up(*where, self._end)
        if checked:
            found = [one for one in found if reach_of_number(str(one[4][0])) >= self._least]
            if not found:
                raise PrivateAddressError
        failure: OSError = OSError("no address")
        for family, kind, protocol, _, address in found:
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(max(min(_STEP, self._end - time.monotonic()), 0.001))
                connection.connect(address)
            except OSError as error:
                connection.close()
                failure = error
            else:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._guard(connection)
                return connection
        raise failure

    def close(self) -> None:
        """Stop looking after the connections."""
        if self._timer:
            self._timer.cancel()
        for guard in self._guards:
            guard.close()

    @property
    def expired(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._end

    def _guard(self, connection: socket.socket) -> None:
        # Whoever reads or writes has its own time at each step, and no end as long as bytes come.
        # TLS takes the connection over, and leaves this one alone.
        self._guards.append(connection.dup())
        if self._timer is None:
            self._timer = threading.Timer(max(self._end - time.monotonic(), 0), self._cut)
            self._timer.daemon = True
            self._timer.start()

    def _cut(self) -> None:
        for guard in self._guards:
            try:
                guard.shutdown(socket.SHUT_RDWR)
            except OSError:
                # It has ended by itself.
                continue


def look_up(host: str, port: int, end: float) -> list[_Info]:
    """Return what a host's name stands for; raises OSError, also where that takes too long."""
    answers: SimpleQueue[list[_Info] | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put([*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
        except OSError as error:
            answers.put(error)
        except UnicodeError:
            answers.put(OSError("is not a host name"))

    # The system's own way to look up names cannot be interrupted.
    threading.Thread(target=ask, daemon=True).start()
    try:
        found = answers.get(timeout=max(min(_LOOK_UP, end - time.monotonic()), 0.001))
    except Empty:
        raise TimeoutError("looking up its name takes too long") from None
    if isinstance(found, OSError):
        raise found
    return found


def reach_at(address: str, end: float) -> Reach:
    """Return from how far an address can be read, by its name and by all that it stands for."""
    named = reach_of(address)
    try:
        found = look_up(urlsplit(address).hostname or "", 0, end)
    except OSError:
        return named
    return min([named, *(reach_of_number(str(one[4][0])) for one in found)])
