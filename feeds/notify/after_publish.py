"""What follows an export or an upload: caches are purged, and the hub is notified."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from feeds.errors import FeedsError
from feeds.model import Site
from feeds.notify.purge import Purge, purge_set
from feeds.notify.websub import ping

if TYPE_CHECKING:
    from feeds.export.bucket import BucketTarget
    from feeds.export.folder import FolderTarget

# How long to wait for the public URL and for the hub.
_PING_TIMEOUT_SECONDS = 60.0


class AfterPublish(NamedTuple):
    """The purge to run, if any; whether to notify the hub; and the state folder."""

    purge: Purge | None
    ping: bool
    folder: Path

    def run(
        self, site: Site, etags: Mapping[str, str], target: "FolderTarget | BucketTarget"
    ) -> Iterator[str]:
        """Do it, and yield a line for each step; raises FeedsError if one fails.

        `etags` are those of all documents by path.
        """
        if self.purge:
            purges = purge_set(site, target.unpurged)
            if purges.urls:
                try:
                    self.purge.run(purges)
                except FeedsError as error:
                    raise FeedsError(
                        f"{error}; what was published stays, and the next --purge tries again"
                    ) from None
                target.mark_purged()
            yield f"purged {len(purges.urls)}"
        if self.ping:
            yield ping(site, etags, self.folder, seconds=_PING_TIMEOUT_SECONDS)
