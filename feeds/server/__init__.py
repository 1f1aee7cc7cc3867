"""A served site as a WSGI application: middleware answers for documents, Flask for everything else.

That is redirects, gone addresses, folders without their slash, `/healthz`, and errors:
a page of the site for people, a line of plain text for programs.
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import Gone, HTTPException, MethodNotAllowed, NotFound, ServiceUnavailable
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as WerkzeugResponse

from feeds.formats import MEDIA_TYPES
from feeds.headers import IDENTITY, PAGE, PREFLIGHT
from feeds.server.metrics import with_metrics
from feeds.server.middleware import (
    MAX_ACCEPT_LENGTH,
    SITE_INDEX,
    DocumentMiddleware,
    LogBugs,
    address,
    freshness,
    page_of,
    requested_paths,
)
from feeds.server.served_site import DamagedBody, ServedSite, Settings
from feeds.server.site_store import Head, Index
from feeds.urls import ERROR_PAGES, HEALTH, covering_rule, moved_to

_METHODS = ("GET", "HEAD", "OPTIONS")
# Long enough to correct a catalogue, short enough to be back soon.
_RETRY_AFTER_SECONDS = 30
# What an editor decided may be cached as long as a document; a path that is not found
# may exist in a second.
_CACHED_STATUSES = {301, 410}
_NOT_CACHED = ("Cache-Control", "no-store")
# No path of a site is longer; a hostile one would be looked up folder by folder.
_MAX_PATH_LENGTH = 2000


class SiteApp(Flask):
    """The WSGI application of one served site."""

    def __init__(self, site: ServedSite) -> None:
        super().__init__("feeds", static_folder=None)
        self.site = site
        _register_fallback(self, site)
        self.wsgi_app = LogBugs(DocumentMiddleware(site, self.wsgi_app))  # type: ignore[method-assign]  # Flask's own way

    def close(self) -> None:
        """Stop following the catalogue; the build process ends with the last process that serves it."""
        self.site.close()


def create_app(
    catalogue: str | Path,
    *,
    url: str | None = None,
    state: str | Path | None = None,
    pages: bool = True,
    metrics: bool = False,
) -> SiteApp:
    """Return the WSGI application that serves the catalogue at a path, and follows its changes.

    Args:
        catalogue: a YAML file, or a folder of them.
        url: replaces `site.url`; ends in `/`.
        state: the folder of the history and of what is served; `.feeds` beside the
            catalogue, if None.
        pages: without them there are the feeds alone.
        metrics: also answer `/metrics`, for Prometheus.

    The bytes served are those that an export writes. An answer depends on the path of
    the request, on its Accept-Encoding and on its validators, and on nothing else.
    Any number of processes may serve one catalogue: one process builds for all of
    them. Until its first build is done, answers are 503.
    """
    site = ServedSite(
        Settings(
            catalogue=Path(catalogue),
            url=url,
            state=Path(state) if state else None,
            pages=pages,
            metrics=metrics,
        )
    )
    app = SiteApp(site)
    app.wsgi_app = with_metrics(app.wsgi_app, site)  # type: ignore[assignment, method-assign]  # Flask's own way
    site.start()
    return app


def _register_fallback(app: Flask, site: ServedSite) -> None:
    # An exception that Flask does not expect is a bug, and logged by LogBugs.
    app.config["PROPAGATE_EXCEPTIONS"] = True

    app.before_request(_check_method)

    @app.get(f"/{HEALTH}")
    def health() -> WerkzeugResponse:
        return _health(site)

    @app.get("/")
    @app.get("/<path:path>")
    def other(path: str = "") -> WerkzeugResponse:  # noqa: ARG001  # Flask decodes it leniently
        index: Index | None = request.environ[SITE_INDEX]
        if index is None:
            raise ServiceUnavailable(retry_after=_RETRY_AFTER_SECONDS)
        paths = _paths(index.head)
        return _health(site) if HEALTH in paths else _redirect(index, paths)

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> WerkzeugResponse:
        answer = WerkzeugResponse.force_type(error.get_response())
        page = _page(site, request.environ[SITE_INDEX], error.code)
        if page is not None and _prefers_html():
            answer.data = page
            answer.content_type = MEDIA_TYPES["html"]
            answer.headers.extend(PAGE)
        else:
            answer.data = f"{error.code} {error.name}\n"
            answer.content_type = MEDIA_TYPES["txt"]
        if page is not None:
            answer.vary.add("Accept")
        return answer

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        # Without it, a feed reader in a browser could not follow a redirect.
        response.headers["Access-Control-Allow-Origin"] = "*"
        cached = response.status_code in _CACHED_STATUSES
        response.headers.set(
            *(freshness(request.environ[SITE_INDEX].head, site.clock()) if cached else _NOT_CACHED)
        )
        if request.environ["REQUEST_METHOD"] == "OPTIONS":
            response.headers.update(PREFLIGHT)
        return response


def _check_method() -> None:
    # Methods are case-sensitive (RFC 9110 §9.1), but Werkzeug accepts `get` as GET.
    if request.environ["REQUEST_METHOD"] != request.method:
        raise MethodNotAllowed(valid_methods=_METHODS)


def _prefers_html() -> bool:
    """Check whether the request prefers HTML to plain text, as browsers do (RFC 9110 §12.5.1)."""
    if len(request.headers.get("Accept", "")) > MAX_ACCEPT_LENGTH:
        return False
    types = request.accept_mimetypes
    return types["text/html"] > types["text/plain"]


def _page(site: ServedSite, index: Index | None, code: int | None) -> bytes | None:
    """Return the site's page for an error; None if it has none."""
    path = ERROR_PAGES.get(code or 0)
    record = index.get(path) if index and path else None
    if index is None or record is None:
        return None
    with suppress(DamagedBody):
        return site.body(index, record, IDENTITY)
    return None


def _paths(head: Head) -> list[str]:
    """Return the paths under the site that the request may be for, without and with a final slash."""
    here = request.environ["PATH_INFO"]
    paths = [*requested_paths(here, head), *requested_paths(f"{here}/", head)]
    return [path for path in paths if len(path) <= _MAX_PATH_LENGTH]


def _redirect(index: Index, paths: Iterable[str]) -> WerkzeugResponse:
    """Redirect a path that has moved, or lacks its slash; raises Gone or NotFound."""
    for path in paths:
        target = _target(index, path)
        if target is not None:
            return redirect(address(index.head, target), 301)
    raise NotFound


def _target(index: Index, path: str) -> str | None:
    """Return the path that replaces a path, which may be the same; raises Gone."""
    head = index.head
    moved, retired = covering_rule(path, head.moved), covering_rule(path, head.retired)
    if retired and len(retired) > len(moved or ""):
        raise Gone
    new = moved_to(path, head.moved)
    target = path if new is None else new
    if page_of(target) in index:
        return target
    if covering_rule(target, head.retired):
        raise Gone
    return None


def _health(site: ServedSite) -> WerkzeugResponse:
    """Return the state of the site, without anything that an editor wrote."""
    head = site.index.head if site.index else None
    found = site.status()
    status = "unavailable" if head is None else "degraded" if found.degraded else "ok"
    answer = jsonify(
        status=status,
        release=head and head.release,
        age=head and max(int((site.clock() - head.since).total_seconds()), 0),
        failure=found.failure,
    )
    if head is None:
        answer.status_code = 503
        answer.headers["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    return answer
