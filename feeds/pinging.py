"""The command `ping`: notify the hub of a catalogue."""

from feeds.verbs import Given, show


def ping_hub(given: Given, *, every: bool, seconds: float) -> None:
    """Notify the hub of the feeds that it does not know as they are now; raises FeedsError."""
    from datetime import UTC, datetime

    from feeds.catalogue import load_catalogue
    from feeds.notify.websub import ping
    from feeds.parallel import cores
    from feeds.release import Release

    found = load_catalogue(given.catalogue, url=given.url, processes=cores())
    release = Release(found, as_of=datetime.now(UTC), pages=False)
    etags = {path: document.etag for path, document in release.items()}
    show(ping(found.site, etags, given.folder, seconds=seconds, every=every))
