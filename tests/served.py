"""An application that serves a release from memory: no build process, and no store."""

from datetime import datetime
from pathlib import Path
from typing import Any, cast

from feeds import Release, Site, SiteApp
from feeds.headers import IDENTITY, compress
from feeds.server.site_store import Head, Index, Record
from feeds.storage import StateFolder


class Served:
    """What an application asks of a site, which nothing changes."""

    def __init__(self, release: Release, site: Site) -> None:
        self._release = release
        head = Head(
            release=release.id,
            since=release.as_of,
            until=None,
            url=site.url,
            max_age=site.max_age,
            hub=site.hub,
            moved=site.moved,
            retired=site.retired,
            entries=len(release.feeds[0].entries),
            held_back=0,
        )
        rows = {
            path: f"{document.media_type}\t{document.etag}\t\t{len(document.body)}"
            for path, document in release.items()
        }
        self.index: Index | None = Index(head, rows, StateFolder(Path("nowhere")))
        self._bodies = {document.etag: document.body for document in release.values()}

    def clock(self) -> datetime:
        return self._release.as_of

    def body(self, index: Index, record: Record, coding: str) -> bytes | None:
        assert index is self.index
        body = self._bodies[record.etag]
        return body if coding == IDENTITY else compress(body, coding)


def app_of(release: Release, site: Site) -> SiteApp:
    """Return an application of a release's documents, at the addresses and with the moves of a site."""
    return SiteApp(cast("Any", Served(release, site)))
