"""Tells a hub by hand, and waits for it: what `feeds ping` does, and a publish with `--ping`."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from feeds.errors import FeedsError
from feeds.model import Site
from feeds.notify.announced import announced
from feeds.notify.ledger import Busy, Ledger
from feeds.notify.websub import Trouble, tell_hub


class Told(NamedTuple):
    """How many feeds the hub was told of, and of how many it knew."""

    told: int
    known: int

    def __str__(self) -> str:
        return f"told {self.told}, known {self.known}"


def ping(
    site: Site, etags: Mapping[str, str], folder: Path, *, seconds: float, every: bool = False
) -> Told:
    """Tell a site's hub of the feeds that it does not know as they are, or of `every` one.

    `etags` are those of all documents, by path; `folder` is that of the history.
    Waits so many seconds at most for feeds to be public and for a hub that
    fails; raises FeedsError where some are not told then.
    """
    feeds = announced(site, etags)
    if not site.hub:
        raise FeedsError("the catalogue names no hub to be told: site.hub")
    if not feeds:
        raise FeedsError(f"no hub elsewhere can read {site.url}: name the public address by --url")
    end = time.monotonic() + seconds
    troubles: list[Trouble] = []

    def wait(pause: float) -> bool:
        left = end - time.monotonic()
        time.sleep(max(min(pause, left), 0))
        # Each feed is tried once, however little time there is.
        return left > 0 or not pause

    ledger = Ledger(folder)
    try:
        with ledger.locked(wait):
            left = {**feeds} if every else ledger.untold(site.hub, feeds)
            told = tell_hub(site.hub, left, ledger, wait=wait, troubled=troubles.append)
    except Busy:
        raise FeedsError("another process is telling the hub") from None
    except OSError as error:
        raise FeedsError(f"{folder}: {error.strerror or error}") from None
    if left:
        raise FeedsError(
            f"{len(left)} of {len(feeds)} feeds are not told: {troubles[-1].reason};"
            " feeds ping tries again"
        )
    return Told(told, len(feeds) - told)
