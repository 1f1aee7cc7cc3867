"""Large answers go out in pieces, so that a client that does not read costs little memory.

granian copies an answer that it is given whole, and keeps the copy until the
client has read it. Of one that it is given in pieces it takes a few, and waits
in the thread that answers until the client has read some of them.
"""

import time
from collections.abc import Iterable, Iterator
from threading import BoundedSemaphore
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from feeds.server.plain import answer_plainly

# In bytes. Smaller answers are copied whole, and keep no thread.
MAX_WHOLE_BODY = 65_536
_PIECE = 16_384
# A client must read this fast on average after its grace, in seconds and bytes a second.
_GRACE_SECONDS = 60
_MIN_RATE = 8_192
# What a client that was refused is told to wait, in seconds.
_RETRY_AFTER = 30


class InPieces:
    """Sends large answers of an application in pieces, at most `streams` of them at a time.

    Where as many are under way, another one is refused with 503, and smaller
    answers are sent all the same.
    """

    def __init__(self, app: WSGIApplication, streams: int) -> None:
        self._app = app
        self._slots = BoundedSemaphore(streams)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        begun: list[Any] = []
        body = self._app(environ, lambda *arguments: begun.append(arguments))  # type: ignore[arg-type]  # nothing is written through it
        if not isinstance(body, list) or sum(map(len, body)) <= MAX_WHOLE_BODY:
            start_response(*begun[-1])
            return body
        if not self._slots.acquire(blocking=False):
            return answer_plainly(
                environ, start_response, "503 Service Unavailable", retry_after=_RETRY_AFTER
            )
        start_response(*begun[-1])
        return _Stream(b"".join(body), self._slots)


class _Stream:
    """The pieces of a body; its slot is free again when it is closed."""

    def __init__(self, body: bytes, slots: BoundedSemaphore) -> None:
        self._body = body
        self._slots = slots

    def __iter__(self) -> Iterator[bytes]:
        end = time.monotonic() + _GRACE_SECONDS
        for first in range(0, len(self._body), _PIECE):
            if time.monotonic() > end + first / _MIN_RATE:
                # The server closes the connection: the answer is shorter than it said.
                return
            yield self._body[first : first + _PIECE]

    def close(self) -> None:
        """Free the slot; the server calls this once (PEP 3333)."""
        self._slots.release()
