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
from feeds.model import Document
from feeds.paths import ERROR_PAGES, HEALTH, moved_to, standing_for
from feeds.release import Release
from feeds.standing import Standing
from feeds.web.documents import RELEASE, freshness, page_of, possible_paths, requested_path
from feeds.web.headers import prefers_html

_METHODS = ("GET", "HEAD", "OPTIONS")
# Long enough to mend a catalogue, short enough to be back soon.
_RETRY_AFTER = 30
# What an editor decided for good may be kept as long as a document; what is
# not there now may be in a second.
_LASTING = {301, 410}
_NOT_KEPT = ("Cache-Control", "no-store")
# No path of a site is longer; a hostile one would be looked up folder by folder.
_LONGEST = 2000


def create_fallback(standing: Standing) -> Flask:
    """Give the Flask app behind the documents of a publisher's release."""
    app = Flask("feeds", static_folder=None)
    # What Flask does not expect is a bug, and logged as one.
    app.config["PROPAGATE_EXCEPTIONS"] = True

    app.before_request(_check_method)

    @app.get(f"/{HEALTH}")
    def health() -> WerkzeugResponse:
        return _health(standing)

    @app.get("/")
    @app.get("/<path:path>")
    def elsewhere(path: str = "") -> WerkzeugResponse:  # noqa: ARG001  # Flask's is no strict UTF-8
        release: Release | None = request.environ[RELEASE]
        if release is None:
            raise ServiceUnavailable(retry_after=_RETRY_AFTER)
        paths = _paths(release)
        return _health(standing) if HEALTH in paths else _elsewhere(release, paths)

    @app.errorhandler(HTTPException)
    def told(error: HTTPException) -> WerkzeugResponse:
        answer = WerkzeugResponse.force_type(error.get_response())
        page = _page(request.environ[RELEASE], error.code)
        if page and prefers_html(request.environ.get("HTTP_ACCEPT", "")):
            answer.data = page.body
            answer.content_type = page.media_type
            answer.headers.extend(PAGE)
        else:
            answer.data = f"{error.code} {error.name}\n"
            answer.content_type = "text/plain; charset=utf-8"
        if page:
            answer.vary.add("Accept")
        return answer

    @app.after_request
    def complete(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        # Without it a reader in a browser could not follow a move.
        response.headers["Access-Control-Allow-Origin"] = "*"
        lasting = response.status_code in _LASTING
        fresh = freshness(request.environ[RELEASE], standing.clock()) if lasting else _NOT_KEPT
        response.headers.set(*fresh)
        if request.environ["REQUEST_METHOD"] == "OPTIONS":
            response.headers.update(PREFLIGHT)
        return response

    return app


def _check_method() -> None:
    # Methods are case-sensitive (RFC 9110 §9.1); Werkzeug takes `get` for GET.
    if request.environ["REQUEST_METHOD"] != request.method:
        raise MethodNotAllowed(valid_methods=_METHODS)


def _page(release: Release | None, code: int | None) -> Document | None:
    """Give the page that tells people of an error, where the release has one."""
    path = ERROR_PAGES.get(code or 0)
    return release.get(path) if release and path else None


def _paths(release: Release) -> list[str]:
    """Return the paths under the site that may be meant, without and with a slash added."""
    path = requested_path(request.environ["PATH_INFO"])
    if path is None or len(path) > _LONGEST:
        raise NotFound
    return [one for here in (path, f"{path}/") for one in possible_paths(here, release.site)]


def _elsewhere(release: Release, paths: Iterable[str]) -> WerkzeugResponse:
    """Answer for a path that was given up, or lacks its slash; raises NotFound for any other."""
    for path in paths:
        target = _target(release, path)
        if target is not None:
            return redirect(release.site.address(target), 301)
    raise NotFound


def _target(release: Release, here: str) -> str | None:
    """Return the path that answers for another one, which is itself or moved; raises Gone."""
    site = release.site
    moved, retired = standing_for(here, site.moved), standing_for(here, site.retired)
    if retired and len(retired) > len(moved or ""):
        raise Gone
    new = moved_to(here, site.moved)
    target = here if new is None else new
    if page_of(target) in release:
        return target
    if standing_for(target, site.retired):
        raise Gone
    return None


def _health(standing: Standing) -> WerkzeugResponse:
    """Tell how the publisher is, without a word of what an editor wrote."""
    release, failure = standing.current, standing.failure
    status = "unavailable" if release is None else "degraded" if standing.degraded else "ok"
    age = (standing.clock() - standing.since).total_seconds() if standing.since else None
    answer = jsonify(
        status=status,
        release=release.id if release else None,
        age=age if age is None else max(int(age), 0),
        failure=failure
        and {
            "at": failure.at.isoformat(timespec="seconds"),
            "problems": failure.problems,
            "place": failure.place,
            **({"reason": failure.reason} if failure.reason else {}),
        },
    )
    if release is None:
        answer.status_code = 503
        answer.headers["Retry-After"] = str(_RETRY_AFTER)
    return answer
