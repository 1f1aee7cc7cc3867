"""WSGI layers around Flask: one answers for documents from the index, one logs exceptions.

`DocumentMiddleware` passes on every request that is not a GET or HEAD of a document. In a
request there is no routing, no rendering and, but for the first request, no
compression: an answer is looked up and sent.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from threading import Lock
from traceback import extract_tb
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.http import parse_accept_header

from feeds.formats import FORMATS, MEDIA_TYPES
from feeds.headers import (
    CODINGS,
    CORS,
    IDENTITY,
    NOSNIFF,
    Header,
    byte_range,
    cache_control,
    document_headers,
    has_ranges,
    is_same,
    names_tag,
    pays,
    unmodified_since,
    validators,
)
from feeds.log import log_exception
from feeds.server.served_site import DamagedBody, ServedSite
from feeds.server.site_store import Head, Index, Record
from feeds.urls import INDEX, is_folder

# The key of a request's environment with the index that the request is answered from.
SITE_INDEX = "feeds.index"
# Answers with prepared headers that are kept.
_MAX_ANSWERS = 4096
# When to request again for a body that is being built again.
_RETRY_AFTER_SECONDS = 2
_SHOWN_AS = {form.media_type: form.shown_as for form in FORMATS}
# Longer lists of what a client accepts are ignored: parsing them takes long.
MAX_ACCEPT_LENGTH = 1000
# Lines of code whose first exception is logged, and the characters logged of a path.
_MAX_LOGGED_PLACES = 100
_MAX_LOGGED_PATH = 200


class _Answer(NamedTuple):
    """A document under one content coding, with its prepared headers."""

    record: Record
    coding: str
    headers: list[Header]
    validators: list[Header]

    @property
    def tag(self) -> str:
        """The value of the ETag header."""
        return self.validators[0][1]


# Path, content coding, and whether a browser is to display the document.
_AnswerKey = tuple[str, str, bool]


class DocumentMiddleware:
    """Answers GET and HEAD for the documents of a site, and passes on all other requests."""

    def __init__(self, site: ServedSite, app: WSGIApplication) -> None:
        self._site = site
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        while True:
            index = environ[SITE_INDEX] = self._site.index
            try:
                answer = None if index is None else self._answer(index, environ, start_response)
            except DamagedBody:
                if self._site.index is index:
                    status = "503 Service Unavailable"
                    return answer_plainly(
                        environ, start_response, status, retry_after=_RETRY_AFTER_SECONDS
                    )
                continue
            if answer is None:
                # No answer depends on it, and Flask refuses some values.
                environ["HTTP_HOST"] = "localhost"
                return self._app(environ, start_response)
            return answer

    def _answer(
        self, index: Index, environ: WSGIEnvironment, start_response: StartResponse
    ) -> list[bytes] | None:
        """Answer from an index; return None if there is no such document.

        Raises DamagedBody before anything is sent.
        """
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return None
        answer = self._find(index, environ)
        if answer is None:
            return None
        fresh = freshness(index.head, self._site.clock())
        if self._is_known(answer, environ):
            start_response("304 Not Modified", [*answer.validators, fresh])
            return []
        body = self._site.body(index, answer.record, answer.coding) or b""
        if part := _requested_part(answer, environ):
            return _answer_part(part, answer, body, fresh, start_response)
        # A copy: a server may change the list that it is given.
        start_response("200 OK", [*answer.headers, fresh])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _find(self, index: Index, environ: WSGIEnvironment) -> _Answer | None:
        """Return the answer to a request, which is prepared once; raises DamagedBody."""
        # With the index, its answers are replaced.
        answers: dict[_AnswerKey, _Answer] = index.answers
        path = environ["PATH_INFO"]
        coding = preferred_coding(environ.get("HTTP_ACCEPT_ENCODING", ""))
        # A navigation of a browser, not a script's request (Fetch Metadata §2.1).
        to_show = environ.get("HTTP_SEC_FETCH_DEST") == "document"
        answer = answers.get((path, coding, to_show))
        if answer is None:
            answer = self._prepare(index, path, coding, to_show=to_show)
            if answer is not None:
                if len(answers) >= _MAX_ANSWERS:
                    answers.clear()
                answers[path, coding, to_show] = answer
        return answer

    def _prepare(
        self, index: Index, path_info: str, coding: str, *, to_show: bool
    ) -> _Answer | None:
        head = index.head
        pages = map(page_of, requested_paths(path_info, head))
        found = next((page for page in pages if page in index), "")
        record = index.get(found)
        if record is None:
            return None
        body = None
        if coding != IDENTITY and pays(record.media_type):
            body = self._site.body(index, record, coding)
        coding, length = (IDENTITY, record.length) if body is None else (coding, len(body))
        checked = validators(record.etag, record.modified, coding)
        headers = document_headers(
            found,
            record.media_type,
            address(head, found.removesuffix(INDEX)),
            hub=head.hub if record.media_type in _SHOWN_AS else "",
            shown_as=_SHOWN_AS.get(record.media_type, "") if to_show else "",
        )
        if has_ranges(record.media_type):
            headers.append(("Accept-Ranges", "bytes"))
        coded = [] if coding == IDENTITY else [("Content-Encoding", coding)]
        headers += [*coded, ("Content-Length", str(length)), *checked]
        return _Answer(record, coding, headers, checked)

    def _is_known(self, answer: _Answer, environ: WSGIEnvironment) -> bool:
        """Check whether the client has this document already; If-None-Match takes precedence."""
        tags = environ.get("HTTP_IF_NONE_MATCH")
        if tags is not None:
            return tags == answer.tag or names_tag(tags, answer.record.etag)
        since = environ.get("HTTP_IF_MODIFIED_SINCE")
        modified = answer.record.modified
        if since is None or modified is None:
            return False
        return unmodified_since(since, modified, self._site.clock())


def _requested_part(answer: _Answer, environ: WSGIEnvironment) -> tuple[int, int] | None:
    """Return the first and the last byte that a request is for; None for the whole document."""
    wanted, record = environ.get("HTTP_RANGE"), answer.record
    if wanted is None or environ["REQUEST_METHOD"] != "GET" or not has_ranges(record.media_type):
        return None
    if not is_same(environ.get("HTTP_IF_RANGE", ""), record.etag, record.modified):
        return None
    return byte_range(wanted, record.length)


def _answer_part(
    part: tuple[int, int],
    answer: _Answer,
    body: bytes,
    fresh: Header,
    start_response: StartResponse,
) -> list[bytes]:
    """Answer with a part of a document, or that there is none (RFC 9110 §15.3.7, §15.5.17)."""
    first, last = part
    length = answer.record.length
    is_there = first <= last
    found = body[first : last + 1] if is_there else b""
    where = f"{first}-{last}" if is_there else "*"
    replaced = {"Content-Length": str(len(found)), "Content-Range": f"bytes {where}/{length}"}
    kept = [header for header in answer.headers if header[0] not in replaced]
    status = "206 Partial Content" if is_there else "416 Range Not Satisfiable"
    start_response(status, [*kept, *replaced.items(), fresh])
    return [found]


def address(head: Head, path: str) -> str:
    """Return the absolute address of a path under a site."""
    return head.url + quote(path)


def freshness(head: Head, now: datetime) -> Header:
    """Return the header that says how long an answer may be kept."""
    return "Cache-Control", cache_control(head.max_age, head.until, now)


def requested_paths(path_info: str, head: Head) -> list[str]:
    """Return the paths under a site that a request may be for; none if it is not valid UTF-8.

    `path_info` consists of bytes, decoded as Latin-1 (PEP 3333). A proxy may pass on the
    path of the site's URL, or remove it.
    """
    try:
        path = path_info.encode("latin-1").decode("utf-8").removeprefix("/")
    except UnicodeError:
        return []
    prefix = unquote(urlsplit(head.url).path).removeprefix("/")
    stripped = path.removeprefix(prefix)
    return [path] if stripped == path else [path, stripped]


def page_of(path: str) -> str:
    """Return the path of the document that answers for a path: for a folder, its page."""
    return path + INDEX if is_folder(path) else path


def preferred_coding(accepted: str) -> str:
    """Return the content coding that a client prefers, by its Accept-Encoding (RFC 9110 §12.5.3).

    Of codings with the same weight the smallest is returned; `identity` if the client
    prefers that, or accepts no other, or its list is too long.
    """
    return _preferred(accepted) if len(accepted) <= MAX_ACCEPT_LENGTH else IDENTITY


@lru_cache(maxsize=256)
def _preferred(accepted: str) -> str:
    weights = {name.lower(): weight for name, weight in parse_accept_header(accepted)}
    weights.setdefault("gzip", weights.get("x-gzip", weights.get("*", 0)))
    best = max(CODINGS, key=lambda coding: weights.get(coding, weights.get("*", 0)))
    weight = weights.get(best, weights.get("*", 0))
    return best if weight > 0 and weight >= weights.get(IDENTITY, 0) else IDENTITY


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
        ("Content-Type", MEDIA_TYPES["txt"]),
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

    An exception from the same line of code is logged once in a process.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._lock = Lock()
        self._places: set[tuple[object, ...]] = set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        try:
            return self._app(environ, start_response)
        except Exception as error:  # noqa: BLE001  # a bug costs one answer, not the server
            [place] = extract_tb(error.__traceback__, limit=-1)
            if self._is_new(place.filename, place.lineno):
                log_exception("bug", path=environ.get("PATH_INFO", "")[:_MAX_LOGGED_PATH])
            return answer_plainly(environ, start_response, "500 Internal Server Error")

    def _is_new(self, *place: object) -> bool:
        with self._lock:
            is_new = place not in self._places and len(self._places) < _MAX_LOGGED_PLACES
            if is_new:
                self._places.add(place)
        return is_new
