"""The access log: a line for each request, in the combined format that log analysers read."""

import logging
import os
import select
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TextIO
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from feeds.log import log_event

# Characters of a path that are not escaped.
_SAFE_CHARACTERS = "/:@!$&'()*+,;=~"
# Characters that are logged of each value that a client sends.
_MAX_FIELD_LENGTH = 1000
# Characters of lines that wait for the reader of the log; more lines are dropped.
_MAX_WAITING_LENGTH = 1_000_000


class AccessLog:
    """Writes a line for each request that an application answers.

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
            length = "0" if environ["REQUEST_METHOD"] == "HEAD" else _length(headers)
            self._lines.put(_line(environ, status[:3], length))
            return start_response(status, headers, exc_info)

        return self._app(environ, start)


class _Lines:
    """The queue of lines to a stream; a full disk or pipe loses lines, but delays no answer.

    A stream with a file descriptor may block, so a thread writes to it. The number of
    lost lines is logged when a line can be written again.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: list[str] = []
        self._length = 0
        self._changed = threading.Condition()
        self._dropped = 0
        self._failed = False
        try:
            self._descriptor: int | None = stream.fileno()
        except (OSError, ValueError):
            self._descriptor = None
        else:
            threading.Thread(target=self._run, name="feeds-access-log", daemon=True).start()

    def put(self, line: str) -> None:
        """Write a line soon, or drop it if too many are waiting."""
        if self._descriptor is None:
            self._write([line])
            return
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
            if self._descriptor is None:
                self._stream.write("".join(lines))
                self._stream.flush()
            else:
                # Not through the stream: the process could not end while a write blocks.
                _write_all(self._descriptor, "".join(lines).encode())
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


def _length(headers: list[tuple[str, str]]) -> str:
    return next((value for name, value in headers if name == "Content-Length"), "0")


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
