"""Errors as a plain line of text, and exceptions that no other layer has caught."""

import sys
from collections.abc import Iterable
from threading import Lock
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from feeds.headers import CORS, NOSNIFF
from feeds.log import log_exception

# So many places in the code are logged when they first fail.
_MAX_PLACES = 100
# Of a request's path, so much is logged, in characters.
_MAX_PATH = 200


def answer_plainly(
    environ: WSGIEnvironment,
    start_response: StartResponse,
    status: str,
    *,
    retry_after: int | None = None,
) -> Iterable[bytes]:
    """Answer with the status alone, which no cache keeps; `retry_after` is in seconds."""
    body = f"{status}\n".encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        NOSNIFF,
        *CORS,
    ]
    if retry_after is not None:
        headers.append(("Retry-After", str(retry_after)))
    start_response(status, headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


class LogBugs:
    """Logs an exception that an application raises, and answers 500 without details.

    The same line of code is logged once in a process, however often it fails.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._lock = Lock()
        self._places: set[tuple[str, int]] = set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        try:
            return self._app(environ, start_response)
        except Exception:  # noqa: BLE001  # a bug costs one answer, and not the server
            if self._is_new():
                log_exception("bug", path=environ.get("PATH_INFO", "")[:_MAX_PATH])
            return answer_plainly(environ, start_response, "500 Internal Server Error")

    def _is_new(self) -> bool:
        """Return whether the exception being handled comes from a line that was not logged yet."""
        trace = sys.exc_info()[2]
        while trace and trace.tb_next:
            trace = trace.tb_next
        place = (trace.tb_frame.f_code.co_filename, trace.tb_lineno) if trace else ("", 0)
        with self._lock:
            if place in self._places or len(self._places) >= _MAX_PLACES:
                return False
            self._places.add(place)
            return True
