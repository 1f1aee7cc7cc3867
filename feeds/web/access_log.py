"""The access log: a line for each request, in the combined format that log analysers read."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TextIO
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from feeds.logs import tell


class AccessLog:
    """Writes a line for each request that an application answers.

    Queries are left out, of the referring address too: no answer depends on
    them, and they are where a client's secrets stand.
    """

    def __init__(self, app: WSGIApplication, stream: TextIO) -> None:
        self._app = app
        self._stream = stream
        self._failed = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""

        def start(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: Any = None,  # noqa: ANN401  # PEP 3333 hands it on
        ) -> Callable[[bytes], object]:
            length = "0" if environ["REQUEST_METHOD"] == "HEAD" else _length(headers)
            self._write(_line(environ, status[:3], length))
            return start_response(status, headers, exc_info)

        return self._app(environ, start)

    def _write(self, line: str) -> None:
        """Write a line; a full disk or a closed pipe costs lines, and no answers."""
        try:
            self._stream.write(line)
            self._stream.flush()
        except (OSError, ValueError) as error:
            if not self._failed:
                tell("no-access-log", logging.WARNING, error=error)
            self._failed = True
        else:
            self._failed = False


def _length(headers: list[tuple[str, str]]) -> str:
    return next((value for name, value in headers if name == "Content-Length"), "0")


def _line(environ: WSGIEnvironment, status: str, length: str) -> str:
    now = datetime.now().astimezone()
    path = quote(environ["PATH_INFO"].encode("latin-1"), safe="/:@!$&'()*+,;=~")
    protocol = environ["SERVER_PROTOCOL"]
    # granian leaves out a minor version of 0 (RFC 9112 §2.3).
    protocol += ".0" * (protocol == "HTTP/1")
    request = f"{environ['REQUEST_METHOD']} {path} {protocol}"
    return (
        f"{environ.get('REMOTE_ADDR') or '-'} - - [{now:%d/%b/%Y:%H:%M:%S %z}]"
        f' "{_escaped(request)}" {status} {length}'
        f' "{_escaped(environ.get("HTTP_REFERER", "-").partition("?")[0])}"'
        f' "{_escaped(environ.get("HTTP_USER_AGENT", "-"))}"\n'
    )


def _escaped(text: str) -> str:
    """Write what is no plain ASCII, and what would end a quoted text, as a byte in hexadecimal."""
    plain = (c if " " <= c <= "~" and c not in '"\\' else f"\\x{ord(c):02x}" for c in text)
    return "".join(plain)
