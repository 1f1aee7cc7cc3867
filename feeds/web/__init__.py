"""Release → HTTP: a Flask app that looks a path up."""

from collections.abc import Mapping

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as WerkzeugResponse

from feeds.model import Document
from feeds.release import Release

_INDEX = "index.html"


def create_app(release: Release) -> Flask:
    """Give the WSGI app that serves a release: the very bytes that an export writes.

    An answer depends on the path alone, never on the Host that was asked.
    """
    app = Flask("feeds", static_folder=None)

    @app.get("/")
    @app.get("/<path:path>")
    def document(path: str = "") -> WerkzeugResponse:
        found = _find(release, path)
        if found is not None:
            return _answer(found)
        if f"{path}/{_INDEX}" in release:
            return redirect(release.site.address(f"{path}/"), 301)
        raise NotFound

    @app.errorhandler(HTTPException)
    def plain(error: HTTPException) -> WerkzeugResponse:
        answer = error.get_response()
        answer.data = f"{error.code} {error.name}\n"
        answer.content_type = "text/plain; charset=utf-8"
        return WerkzeugResponse.force_type(answer)

    return app


def _find(release: Mapping[str, Document], path: str) -> Document | None:
    return release.get(path + _INDEX if path == "" or path.endswith("/") else path)


def _answer(document: Document) -> Response:
    response = Response(document.body, content_type=document.media_type)
    response.set_etag(document.etag)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.make_conditional(request)
    return response
