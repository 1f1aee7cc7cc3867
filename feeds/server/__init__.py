"""A served site → HTTP: a WSGI layer that answers for documents, and Flask behind it for the rest."""

from pathlib import Path

from flask import Flask

from feeds.server.fallback import create_fallback
from feeds.server.middleware import DocumentMiddleware
from feeds.server.plain import LogBugs
from feeds.server.site import ServedSite, Settings


class SiteApp(Flask):
    """The WSGI application of one served site."""

    def __init__(self, site: ServedSite) -> None:
        super().__init__("feeds", static_folder=None)
        self.site = site
        create_fallback(self, site)
        self.wsgi_app = LogBugs(DocumentMiddleware(site, self.wsgi_app))  # type: ignore[method-assign]  # Flask's own way

    def close(self) -> None:
        """Stop following the catalogue; what builds it ends with the last process that answers."""
        self.site.close()


def create_app(
    catalogue: str | Path,
    *,
    url: str | None = None,
    state: str | Path | None = None,
    pages: bool = True,
) -> SiteApp:
    """Return the WSGI application that serves the catalogue at a path, and keeps it current.

    Args:
        catalogue: a YAML file, or a folder of them.
        url: takes the place of `site.url`; ends in `/`.
        state: the folder of the history and of what is served; `.feeds` beside the
            catalogue, if None.
        pages: without them there are the feeds alone.

    What is served are the very bytes that an export writes. An answer depends on
    its path and the client's Accept-Encoding and validators, and on nothing else
    in the request. Any number of processes may serve one catalogue: one process
    builds for all of them. Until it has built for the first time, answers are 503.
    """
    site = ServedSite(
        Settings(
            catalogue=Path(catalogue),
            url=url,
            state=Path(state) if state else None,
            pages=pages,
        )
    )
    site.start()
    return SiteApp(site)
