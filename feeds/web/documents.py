"""The WSGI layer that answers for documents, straight from the current Release.

It stands before Flask's own WSGI application, which gets whatever is asked for
and is no document. In a request there is no routing, no rendering and, but for
the first one, no compression: an answer is looked up and sent.
"""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import unquote, urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from feeds.compression import compress, pays
from feeds.headers import cache_control
from feeds.model import Document, Site
from feeds.paths import INDEX, is_folder
from feeds.release import Release
from feeds.standing import Standing
from feeds.web.headers import (
    IDENTITY,
    Headers,
    document_headers,
    names_tag,
    preferred_coding,
    unmodified_since,
    validators,
)

# Where whoever comes next in a request finds the release that it is answered from.
RELEASE = "feeds.release"
# For each document, as many compressed ones are kept as there are codings, and as many of those gone.
_ROOM = 4


class Documents:
    """Answers GET and HEAD for the documents of the current release, and hands on the rest."""

    def __init__(self, standing: Standing, rest: WSGIApplication) -> None:
        self._standing = standing
        self._rest = rest
        self._shelf: _Shelf | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        release = environ[RELEASE] = self._standing.current
        if release is None or environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return self._hand_on(environ, start_response)
        shelf = self._shelf
        if shelf is None or shelf.release is not release:
            shelf = self._shelf = _Shelf(release, shelf)
        answer = shelf.find(
            environ["PATH_INFO"],
            environ.get("HTTP_ACCEPT_ENCODING", ""),
            # Of a browser that goes there, and not of a script in its page (Fetch Metadata §2.1).
            to_show=environ.get("HTTP_SEC_FETCH_DEST") == "document",
        )
        if answer is None:
            return self._hand_on(environ, start_response)
        fresh = shelf.lasting if release.until is None else self._fresh(release)
        if self._is_known(answer, environ):
            start_response("304 Not Modified", [*answer.validators, fresh])
            return []
        # A server may change the list that it is given.
        start_response("200 OK", [*answer.headers, fresh])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _hand_on(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # No answer depends on it, and Flask refuses some.
        environ["HTTP_HOST"] = "localhost"
        return self._rest(environ, start_response)

    def _fresh(self, release: Release) -> tuple[str, str]:
        return freshness(release, self._standing.clock())

    def _is_known(self, answer: "_Answer", environ: WSGIEnvironment) -> bool:
        """Tell whether the client has this document already; If-None-Match counts first."""
        tags = environ.get("HTTP_IF_NONE_MATCH")
        if tags is not None:
            return tags == answer.tag or names_tag(tags, answer.document.etag)
        since = environ.get("HTTP_IF_MODIFIED_SINCE")
        modified = answer.document.modified
        if since is None or modified is None:
            return False
        return unmodified_since(since, modified, self._standing.clock())


def freshness(release: Release, now: datetime) -> tuple[str, str]:
    """Give the header that tells how long an answer of this release may be kept."""
    return "Cache-Control", cache_control(release.site.max_age, release.until, now)


def requested_path(path_info: str) -> str | None:
    """Give the path under the site that a request asks for; None where it is no UTF-8.

    `path_info` is as PEP 3333 has it: bytes, as Latin-1.
    """
    try:
        return path_info.encode("latin-1").decode("utf-8").removeprefix("/")
    except UnicodeError:
        return None


def possible_paths(path: str, site: Site) -> list[str]:
    """Return the paths under the site that a request's path may mean.

    A proxy hands on the path of `site.url`, or takes it away.
    """
    prefix = unquote(urlsplit(site.url).path).removeprefix("/")
    stripped = path.removeprefix(prefix)
    return [path] if stripped == path else [path, stripped]


def page_of(path: str) -> str:
    """Give the document that answers for a path: in a folder, its page."""
    return path + INDEX if is_folder(path) else path


class _Answer:
    """A document under one coding, with its prepared headers."""

    __slots__ = ("body", "document", "headers", "tag", "validators")

    def __init__(self, document: Document, coding: str, body: bytes, headers: Headers) -> None:
        self.document = document
        self.body = body
        self.validators = validators(document, coding)
        self.tag = self.validators[0][1]
        coded = [] if coding == IDENTITY else [("Content-Encoding", coding)]
        length = ("Content-Length", str(len(body)))
        self.headers = [*headers, *coded, length, *self.validators]


class _Shelf:
    """The answers for one release, each prepared when it is first asked for.

    For a document that has not changed, compressed bytes are taken over from
    the shelf before.
    """

    def __init__(self, release: Release, before: "_Shelf | None") -> None:
        self.release = release
        self.lasting = freshness(release, release.as_of)
        self._answers: dict[tuple[str, str, bool], _Answer] = {}
        # By path and coding, with the ETag that they belong to.
        self._smaller: dict[tuple[str, str], tuple[str, bytes | None]] = {}
        # Looking for what is gone would keep requests waiting at each reload.
        if before and len(before._smaller) < _ROOM * len(release):  # noqa: SLF001  # its own
            self._smaller = before._smaller  # noqa: SLF001
        self._feeds = {form.media_type: form.shown_as for form in release.formats}

    def find(self, path_info: str, accepted: str, *, to_show: bool) -> _Answer | None:
        """Give the answer for a request's path, under the coding that its client likes best.

        `to_show` tells that a browser is to show it to a person.
        """
        coding = preferred_coding(accepted)
        answer = self._answers.get((path_info, coding, to_show))
        return answer or self._prepare(path_info, coding, to_show=to_show)

    def _prepare(self, path_info: str, coding: str, *, to_show: bool) -> _Answer | None:
        path = requested_path(path_info)
        paths = [] if path is None else possible_paths(path, self.release.site)
        pages = map(page_of, paths)
        document = next((self.release[page] for page in pages if page in self.release), None)
        if document is None:
            return None
        hub = document.media_type in self._feeds
        shown_as = self._feeds.get(document.media_type, "") if to_show else ""
        headers = document_headers(document, self.release.site, hub=hub, shown_as=shown_as)
        as_it_is = coding == IDENTITY or not pays(document.media_type)
        body = None if as_it_is else self._compressed(document, coding)
        if body is None:
            answer = _Answer(document, IDENTITY, document.body, headers)
        else:
            answer = _Answer(document, coding, body, headers)
        self._answers[path_info, coding, to_show] = answer
        return answer

    def _compressed(self, document: Document, coding: str) -> bytes | None:
        etag, body = self._smaller.get((document.path, coding), ("", None))
        if etag != document.etag:
            body = compress(document.body, coding)
            self._smaller[document.path, coding] = document.etag, body
        return body
