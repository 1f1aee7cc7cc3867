"""A served site as a WSGI application: a layer that answers for documents, and Flask behind it."""

from pathlib import Path

from flask import Flask

from feeds.server.fallback import create_fallback
from feeds.server.middleware import DocumentMiddleware, LogBugs
from feeds.server.site import ServedSite, Settings


class SiteApp(Flask):
    """The WSGI application of one served site."""

    def __init__(self, site: ServedSite) -> None:
        super().__init__("feeds", static_folder=None)
        self.site = site
        create_fallback(self, site)
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
) -> SiteApp:
    """Return the WSGI application that serves the catalogue at a path, and follows its changes.

    Args:
        catalogue: a YAML file, or a folder of them.
        url: replaces `site.url`; ends in `/`.
        state: the folder of the history and of what is served; `.feeds` beside the
            catalogue, if None.
        pages: without them there are the feeds alone.

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
        )
    )
    site.start()
    return SiteApp(site)
