"""What a publish to a folder or a bucket does for those who have copies of it."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from feeds.model import Site
from feeds.notify.owed import Owed
from feeds.notify.pinging import ping
from feeds.notify.purge import parse_purge, stale_of

# How long the public address and the hub are waited for, in seconds.
_PATIENCE = 60.0


class Afterwards:
    """Purges caches by a template where there is one, and tells the hub where that is asked for."""

    def __init__(self, template: str, folder: Path, *, ping: bool = False) -> None:
        """Raise UsageError where the template is not valid; `folder` is that of the history."""
        self._purge = parse_purge(template) if template else None
        self._owed = Owed(folder)
        self._folder = folder
        self._ping = ping

    def owe(self, site: Site, paths: Iterable[str]) -> None:
        """Remember that caches are to forget these paths, before any of them changes.

        Raises FeedsError where it cannot be remembered.
        """
        if self._purge:
            self._owed.owe(stale_of(site, paths))

    def __call__(self, site: Site, etags: Mapping[str, str]) -> Iterator[str]:
        """Do it, and tell each step that is done; raises FeedsError where one fails.

        `etags` are those of all documents by path.
        """
        if self._purge:
            yield f"purged {self._owed.settle(self._purge, site.url)}"
        if self._ping:
            yield str(ping(site, etags, self._folder, seconds=_PATIENCE))
