"""The verb `publish`: a catalogue's documents go into a bucket."""

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from feeds.verbs import Building, Given, built, make_workshop, say, show

if TYPE_CHECKING:
    from feeds.after.afterwards import Afterwards
    from feeds.export.report import Options


class Publishing(NamedTuple):
    """What `publish` is told beside the catalogue and the address; a timeout is in seconds."""

    options: "Options"
    pages: bool
    timeout: float
    as_json: bool
    strict: bool = False
    quiet: bool = False
    after: "Afterwards | None" = None


def publish(given: Given, address: str, how: Publishing) -> None:
    """Upload a catalogue's documents to a bucket; raises FeedsError."""
    import logging
    from dataclasses import replace
    from datetime import UTC, datetime

    from feeds.catalogue import checked_url
    from feeds.export.bucket import Publication, begin, publish_bucket
    from feeds.export.bucket_store import Store
    from feeds.logs import log_to
    from feeds.progress import Progress

    if given.url:
        checked_url(given.url)
    store = Store(address, os.environ, how.timeout)
    log_to(sys.stderr, logging.ERROR if how.quiet else logging.WARNING)
    progress = Progress(sys.stderr, shown=not how.quiet)
    # Once the store has been asked, there are threads of obstore's: no process is forked any more.
    workshop = replace(make_workshop(given.cache()), told=progress, processes=1)
    try:
        begun = begin(store, how.options, progress)
        building = Building(how.pages, how.options.dry_run, how.strict)
        release, notes = built(given, workshop, building)
        for note in () if how.quiet else notes:
            progress.end()
            say(note)
        owe = partial(how.after.owe, release.site) if how.after else lambda _: None
        publication = Publication(release, release.site, lambda: datetime.now(UTC), progress, owe)
        report = publish_bucket(begun, publication, how.options)
    finally:
        progress.end()
    if how.as_json or not how.quiet:
        show(report.as_json() if how.as_json else report)
    if how.after and not how.options.dry_run:
        etags = {path: document.etag for path, document in release.items()}
        for line in how.after(lambda: release.site, etags):
            if not how.quiet:
                say(line)
