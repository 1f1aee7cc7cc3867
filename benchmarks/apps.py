"""The apps that benchmarks/serve.py compares with this one, on the server of `feeds serve`.

    python benchmarks/apps.py NAME PORT SAMPLE

SAMPLE is a pickle of the answers of this app: for each kind of
request its status, headers and body. So every peer sends the same bytes.
"""

import gzip
import pickle
import sys
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from feedgen.feed import FeedGenerator
from flask import Flask, Response, request

from feeds import load_catalogue
from feeds.server.granian import run

Sample = dict[str, tuple[str, list[tuple[str, str]], bytes]]


def kind(environ: WSGIEnvironment) -> str:
    """Return which of the three kinds a request is."""
    if "HTTP_IF_NONE_MATCH" in environ:
        return "304"
    return "200 gzip" if "HTTP_ACCEPT_ENCODING" in environ else "200"


def bare(sample: Sample) -> WSGIApplication:
    """Return a WSGI function that returns constant bytes."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        status, headers, body = sample[kind(environ)]
        start_response(status, [*headers])
        return [body]

    return app


def flask_view(sample: Sample) -> WSGIApplication:
    """Return a Flask app whose one view returns constant bytes."""
    app = Flask("view")

    @app.get("/atom.xml")
    def view() -> Response:
        status, headers, body = sample[kind(request.environ)]
        return Response(body, status=status, headers=headers)

    return app


def feedgen_each(sample: Sample) -> WSGIApplication:
    """Return a Flask app as people write it: feedgen renders the feed at each request."""
    catalogue = load_catalogue(Path(sys.argv[3]).with_name("entries.yaml"))
    app = Flask("feedgen")

    @app.get("/atom.xml")
    def view() -> Response:
        body = rendered(catalogue)
        _, headers, _ = sample[kind(request.environ)]
        kept = [(name, value) for name, value in headers if name != "content-length"]
        if kind(request.environ) == "200 gzip":
            body = gzip.compress(body)
        response = Response(body, headers=kept)
        response.set_etag(sha256(body).hexdigest())
        if kind(request.environ) == "304":
            response.status_code, response.data = 304, b""
        return response

    return app


def rendered(catalogue: Any) -> bytes:  # noqa: ANN401  # a script's own
    """Render everything as Atom, as feedgen's own documentation shows it."""
    generator = FeedGenerator()
    generator.id(catalogue.site.id)
    generator.title(catalogue.site.title)
    generator.link(href=catalogue.site.url, rel="self")
    for item in catalogue.entries:
        entry = generator.add_entry(order="append")
        entry.id(catalogue.site.tag(item.id))
        entry.title(item.title)
        entry.summary(item.summary)
        entry.published(item.published)
        entry.updated(item.updated)
        entry.link(href=catalogue.site.link(item))
        for label in item.labels:
            entry.category(term=label.slug, label=label.name)
    document: bytes = generator.atom_str(pretty=True)
    return document


APPS: dict[str, Callable[[Sample], WSGIApplication]] = {
    "bare": bare,
    "flask": flask_view,
    "feedgen": feedgen_each,
}


def load(name: str, sample: str) -> WSGIApplication:
    """Return an application by its name."""
    return APPS[name](pickle.loads(Path(sample).read_bytes()))  # noqa: S301  # written by serve.py


if __name__ == "__main__":
    run(partial(load, sys.argv[1], sys.argv[3]), "127.0.0.1", int(sys.argv[2]))
