"""The WSGI layer that answers for documents, from the index of a served site.

It comes before Flask's own WSGI application, which gets whatever is asked for
and is not a document. In a request there is no routing, no rendering and, but for
the first one, no compression: an answer is looked up and sent.
"""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote, unquote, urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from feeds.compression import pays
from feeds.formats import FORMATS
from feeds.headers import cache_control
from feeds.server.conditional import (
    IDENTITY,
    Headers,
    document_headers,
    names_tag,
    preferred_coding,
    unmodified_since,
    validators,
)
from feeds.server.plain import answer_plainly
from feeds.server.site import DamagedBody, ServedSite
from feeds.server.store import Head, Index, Record
from feeds.urls import INDEX, is_folder

# Where whoever comes next in a request finds the index that it is answered from.
SITE_INDEX = "feeds.index"
# So many answers have their headers prepared.
_MAX_ANSWERS = 4096
# What a client is told to wait for a body that is being built again, in seconds.
_RETRY_AFTER = 2
_SHOWN_AS = {form.media_type: form.shown_as for form in FORMATS}


class DocumentMiddleware:
    """Answers GET and HEAD for the documents of a site, and passes on the rest."""

    def __init__(self, site: ServedSite, rest: WSGIApplication) -> None:
        self._site = site
        self._rest = rest
        self._answers: _Answers | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        while True:
            index = environ[SITE_INDEX] = self._site.index
            if index is None or environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
                return self._pass_on(environ, start_response)
            try:
                return self._answer(index, environ, start_response)
            except DamagedBody:
                if self._site.index is index:
                    status = "503 Service Unavailable"
                    return answer_plainly(environ, start_response, status, retry_after=_RETRY_AFTER)

    def _answer(
        self, index: Index, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer from an index; raises DamagedBody before anything is sent."""
        answers = self._answers
        if answers is None or answers.index is not index:
            answers = self._answers = _Answers(index, self._site)
        answer = answers.find(
            environ["PATH_INFO"],
            environ.get("HTTP_ACCEPT_ENCODING", ""),
            # Of a browser that goes there, and not of a script in its page (Fetch Metadata §2.1).
            to_show=environ.get("HTTP_SEC_FETCH_DEST") == "document",
        )
        if answer is None:
            return self._pass_on(environ, start_response)
        until = index.head.until
        fresh = answers.lasting if until is None else freshness(index.head, self._site.clock())
        if self._is_known(answer, environ):
            start_response("304 Not Modified", [*answer.validators, fresh])
            return []
        body = answers.body(answer)
        # A server may change the list that it is given.
        start_response("200 OK", [*answer.headers, fresh])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _pass_on(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # No answer depends on it, and Flask refuses some.
        environ["HTTP_HOST"] = "localhost"
        return self._rest(environ, start_response)

    def _is_known(self, answer: "_Answer", environ: WSGIEnvironment) -> bool:
        """Return whether the client has this document already; If-None-Match counts first."""
        tags = environ.get("HTTP_IF_NONE_MATCH")
        if tags is not None:
            return tags == answer.tag or names_tag(tags, answer.record.etag)
        since = environ.get("HTTP_IF_MODIFIED_SINCE")
        modified = answer.record.modified
        if since is None or modified is None:
            return False
        return unmodified_since(since, modified, self._site.clock())


def address(head: Head, path: str) -> str:
    """Return the absolute address of a path under a site."""
    return head.url + quote(path)


def freshness(head: Head, now: datetime) -> tuple[str, str]:
    """Return the header that says how long an answer may be kept."""
    return "Cache-Control", cache_control(head.max_age, head.until, now)


def requested_path(path_info: str) -> str | None:
    """Give the path under the site that a request asks for; None where it is no UTF-8.

    `path_info` is as PEP 3333 has it: bytes, as Latin-1.
    """
    try:
        return path_info.encode("latin-1").decode("utf-8").removeprefix("/")
    except UnicodeError:
        return None


def possible_paths(path: str, url: str) -> list[str]:
    """Return the paths under the site that a request's path may mean.

    A proxy passes on the path of the site's URL, or takes it away.
    """
    prefix = unquote(urlsplit(url).path).removeprefix("/")
    stripped = path.removeprefix(prefix)
    return [path] if stripped == path else [path, stripped]


def page_of(path: str) -> str:
    """Give the document that answers for a path: in a folder, its page."""
    return path + INDEX if is_folder(path) else path


class _Answer:
    """A document under one coding, with its prepared headers."""

    __slots__ = ("coding", "headers", "record", "tag", "validators")

    def __init__(self, record: Record, coding: str, length: int, headers: Headers) -> None:
        self.record = record
        self.coding = coding
        self.validators = validators(record, coding)
        self.tag = self.validators[0][1]
        coded = [] if coding == IDENTITY else [("Content-Encoding", coding)]
        self.headers = [*headers, *coded, ("Content-Length", str(length)), *self.validators]


class _Answers:
    """The answers for one index, each prepared when it is first asked for."""

    def __init__(self, index: Index, site: ServedSite) -> None:
        self.index = index
        self.lasting = freshness(index.head, index.head.since)
        self._site = site
        self._found: dict[tuple[str, str, bool], _Answer] = {}

    def find(self, path_info: str, accepted: str, *, to_show: bool) -> _Answer | None:
        """Return the answer for a request's path, under the coding that its client likes best.

        `to_show` is whether a browser is to show it to a person. Raises DamagedBody.
        """
        coding = preferred_coding(accepted)
        answer = self._found.get((path_info, coding, to_show))
        return answer or self._prepare(path_info, coding, to_show=to_show)

    def body(self, answer: _Answer) -> bytes:
        """Return the body of an answer; raises DamagedBody."""
        return self._site.body(self.index, answer.record, answer.coding) or b""

    def _prepare(self, path_info: str, coding: str, *, to_show: bool) -> _Answer | None:
        path = requested_path(path_info)
        head = self.index.head
        paths = [] if path is None else map(page_of, possible_paths(path, head.url))
        found = next((page for page in paths if page in self.index), None)
        record = None if found is None else self.index.get(found)
        if found is None or record is None:
            return None
        hub = head.hub if record.media_type in _SHOWN_AS else ""
        shown_as = _SHOWN_AS.get(record.media_type, "") if to_show else ""
        link = address(head, found.removesuffix(INDEX))
        headers = document_headers(found, record.media_type, link, hub=hub, shown_as=shown_as)
        body = None
        if coding != IDENTITY and pays(record.media_type):
            body = self._site.body(self.index, record, coding)
        if body is None:
            answer = _Answer(record, IDENTITY, record.length, headers)
        else:
            answer = _Answer(record, coding, len(body), headers)
        if len(self._found) >= _MAX_ANSWERS:
            self._found.clear()
        self._found[path_info, coding, to_show] = answer
        return answer
