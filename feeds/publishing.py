"""The command `publish`: a catalogue's documents go into a bucket."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from feeds.verbs import Given, notes, say, show

if TYPE_CHECKING:
    from feeds.export.report import Options
    from feeds.notify.after_publish import AfterPublish


class Publishing(NamedTuple):
    """What `publish` is told beside the catalogue and the address; a timeout is in seconds."""

    options: "Options"
    pages: bool
    timeout: float
    as_json: bool
    strict: bool = False
    quiet: bool = False
    after: "AfterPublish | None" = None


def publish(given: Given, address: str, how: Publishing) -> None:
    """Upload a catalogue's documents to a bucket; raises FeedsError."""
    import logging
    from datetime import UTC, datetime
    from tempfile import TemporaryDirectory

    from feeds.builder import Options, SiteBuilder
    from feeds.catalogue import checked_url
    from feeds.export.bucket import BucketTarget, begin
    from feeds.export.bucket_store import Store
    from feeds.history import History
    from feeds.logs import log_to
    from feeds.parallel import cores, in_child
    from feeds.progress import Progress

    if given.url:
        checked_url(given.url)
    store = Store(address, os.environ, how.timeout)
    log_to(sys.stderr, logging.ERROR if how.quiet else logging.WARNING)
    progress = Progress(sys.stderr, shown=not how.quiet)
    options = Options(
        url=given.url,
        pages=how.pages,
        compare=True,
        strict=how.strict,
        dated=not how.options.dry_run,
        processes=cores(),
        on_progress=progress,
    )
    try:
        # With its first request obstore starts threads, and a process with threads cannot be
        # forked: so rendering, which is done in forks, comes before this process's own.
        begun = in_child(lambda: begin(store, how.options, progress))
        with TemporaryDirectory(prefix="feeds-") as folder:
            clock = partial(datetime.now, UTC)
            target = BucketTarget(store, begun, how.options, Path(folder), clock)
            target.on_progress = progress
            target.records_unpurged = bool(how.after and how.after.purge)
            history = History(given.folder)
            build = SiteBuilder(given.catalogue, target, options, history=history).build()
    finally:
        progress.end()
    planned = build.planned
    for note in () if how.quiet else notes(planned.catalogue, planned.as_of):
        say(note)
    if target.report and (how.as_json or not how.quiet):
        show(target.report.as_json() if how.as_json else target.report)
    if how.after and not how.options.dry_run:
        etags = {path: fact.etag for path, fact in build.facts.items()}
        for line in how.after.run(planned.site, etags, target):
            if not how.quiet:
                say(line)
