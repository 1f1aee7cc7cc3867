"""What Flask answers: whatever is asked for and is no document.

Moved and retired addresses, folders without their slash, `/healthz`, and errors
that tell nothing about the machine: a page of the release for people, and a plain
line for programs.
"""

from collections.abc import Iterable

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import Gone, HTTPException, MethodNotAllowed, NotFound, ServiceUnavailable
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as WerkzeugResponse

from feeds.headers import PAGE, PREFLIGHT
from feeds.server.conditional import prefers_html
from feeds.server.middleware import (
    SITE_INDEX,
    address,
    freshness,
    page_of,
    possible_paths,
    requested_path,
)
from feeds.server.site import IDENTITY, DamagedBody, ServedSite
from feeds.server.store import Head, Index
from feeds.urls import ERROR_PAGES, HEALTH, covering_rule, moved_to

_HTML = "text/html; charset=utf-8"
_METHODS = ("GET", "HEAD", "OPTIONS")
# Long enough to mend a catalogue, short enough to be back soon.
_RETRY_AFTER = 30
# What an editor decided for good may be kept as long as a document; what is
# not there now may be in a second.
_LASTING = {301, 410}
_NOT_KEPT = ("Cache-Control", "no-store")
# No path of a site is longer; a hostile one would be looked up folder by folder.
_LONGEST = 2000


def create_fallback(app: Flask, site: ServedSite) -> None:
    """Add to a Flask app what it answers behind the documents of a site."""
    # What Flask does not expect is a bug, and logged as one.
    app.config["PROPAGATE_EXCEPTIONS"] = True

    app.before_request(_check_method)

    @app.get(f"/{HEALTH}")
    def health() -> WerkzeugResponse:
        return _health(site)

    @app.get("/")
    @app.get("/<path:path>")
    def elsewhere(path: str = "") -> WerkzeugResponse:  # noqa: ARG001  # Flask's is no strict UTF-8
        index: Index | None = request.environ[SITE_INDEX]
        if index is None:
            raise ServiceUnavailable(retry_after=_RETRY_AFTER)
        paths = _paths(index.head)
        return _health(site) if HEALTH in paths else _elsewhere(index, paths)

    @app.errorhandler(HTTPException)
    def told(error: HTTPException) -> WerkzeugResponse:
        answer = WerkzeugResponse.force_type(error.get_response())
        page = _page(site, request.environ[SITE_INDEX], error.code)
        if page is not None and prefers_html(request.environ.get("HTTP_ACCEPT", "")):
            answer.data = page
            answer.content_type = _HTML
            answer.headers.extend(PAGE)
        else:
            answer.data = f"{error.code} {error.name}\n"
            answer.content_type = "text/plain; charset=utf-8"
        if page is not None:
            answer.vary.add("Accept")
        return answer

    @app.after_request
    def complete(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        # Without it a reader in a browser could not follow a move.
        response.headers["Access-Control-Allow-Origin"] = "*"
        lasting = response.status_code in _LASTING
        fresh = freshness(request.environ[SITE_INDEX].head, site.clock()) if lasting else _NOT_KEPT
        response.headers.set(*fresh)
        if request.environ["REQUEST_METHOD"] == "OPTIONS":
            response.headers.update(PREFLIGHT)
        return response


def _check_method() -> None:
    # Methods are case-sensitive (RFC 9110 §9.1); Werkzeug takes `get` for GET.
    if request.environ["REQUEST_METHOD"] != request.method:
        raise MethodNotAllowed(valid_methods=_METHODS)


def _page(site: ServedSite, index: Index | None, code: int | None) -> bytes | None:
    """Return the page that tells people of an error; None where the site has none."""
    path = ERROR_PAGES.get(code or 0)
    record = index.get(path) if index and path else None
    if index is None or record is None:
        return None
    try:
        return site.body(index, record, IDENTITY)
    except DamagedBody:
        return None


def _paths(head: Head) -> list[str]:
    """Return the paths under the site that may be meant, without and with a slash added."""
    path = requested_path(request.environ["PATH_INFO"])
    if path is None or len(path) > _LONGEST:
        raise NotFound
    return [one for here in (path, f"{path}/") for one in possible_paths(here, head.url)]


def _elsewhere(index: Index, paths: Iterable[str]) -> WerkzeugResponse:
    """Answer for a path that was given up, or lacks its slash; raises NotFound for any other."""
    for path in paths:
        target = _target(index, path)
        if target is not None:
            return redirect(address(index.head, target), 301)
    raise NotFound


def _target(index: Index, here: str) -> str | None:
    """Return the path that answers for another one, which is itself or moved; raises Gone."""
    site = index.head
    moved, retired = covering_rule(here, site.moved), covering_rule(here, site.retired)
    if retired and len(retired) > len(moved or ""):
        raise Gone
    new = moved_to(here, site.moved)
    target = here if new is None else new
    if page_of(target) in index:
        return target
    if covering_rule(target, site.retired):
        raise Gone
    return None


def _health(site: ServedSite) -> WerkzeugResponse:
    """Say how the site is, without a word of what an editor wrote."""
    head = site.index.head if site.index else None
    found = site.status()
    failure = found.failure
    status = "unavailable" if head is None else "degraded" if found.degraded else "ok"
    age = (site.clock() - head.since).total_seconds() if head else None
    answer = jsonify(
        status=status,
        release=head.release if head else None,
        age=age if age is None else max(int(age), 0),
        failure=failure
        and {
            "at": failure.at.isoformat(timespec="seconds"),
            "problems": failure.problems,
            "place": failure.place,
            **({"reason": failure.reason} if failure.reason else {}),
        },
    )
    if head is None:
        answer.status_code = 503
        answer.headers["Retry-After"] = str(_RETRY_AFTER)
    return answer
