"""What a publish to a folder or a bucket does when it is done."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from feeds.after.owed import purge_all
from feeds.after.pinging import ping
from feeds.after.purging import parse_purge, stale_of
from feeds.model import Site

# How long the public address and the hub are waited for, in seconds.
_PATIENCE = 60.0


class Afterwards:
    """Purges caches by a template where there is one, and tells the hub where that is asked for."""

    def __init__(self, template: str = "", *, ping: bool = False) -> None:
        """Raise FeedsError where the template is none: before anything is published."""
        self._purge = parse_purge(template) if template else None
        self._ping = ping

    def __call__(
        self, site: Site, folder: Path, changed: Iterable[str], etags: Mapping[str, str]
    ) -> Iterator[str]:
        """Do it, and tell each step that is done; raises FeedsError where one fails.

        `folder` is that of the history; `changed` are the paths that are other
        than before or gone, and `etags` those of all documents by path.
        """
        if self._purge:
            yield f"purged {purge_all(self._purge, stale_of(site, changed), folder)}"
        if self._ping:
            yield str(ping(site, etags, folder, seconds=_PATIENCE))
