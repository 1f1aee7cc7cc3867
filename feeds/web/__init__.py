"""Release → HTTP: a WSGI layer that answers for documents, and Flask behind it for the rest."""

from flask import Flask

from feeds.standing import Standing
from feeds.web.documents import Documents
from feeds.web.fallback import create_fallback
from feeds.web.plain import LogBugs


def create_app(standing: Standing) -> Flask:
    """Give the WSGI app that serves a publisher's current release.

    What is served are the very bytes that an export writes. An answer depends on
    its path and the client's Accept-Encoding and validators, and on nothing else
    in the request.
    """
    app = create_fallback(standing)
    app.wsgi_app = LogBugs(Documents(standing, app.wsgi_app))  # type: ignore[method-assign]  # Flask's own way
    return app
