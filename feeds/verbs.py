"""What each verb does: its result goes to stdout, and all else to stderr.

Each imports what it alone needs: what is known from before is told without
reading a catalogue, and a catalogue is read without a renderer or a server.
"""

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from feeds.cache import Cache
from feeds.errors import FeedsError
from feeds.files import media_files, media_folder, read_files
from feeds.outcome import Outcome, contents_of
from feeds.paths import FEEDS

if TYPE_CHECKING:
    from feeds.model import Catalogue, Feed, Site
    from feeds.release import Release
    from feeds.workshop import Workshop

_ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104  # compared with, not listened on


class Given(NamedTuple):
    """What every verb is given: where the catalogue is, its URL if another, the folder of state."""

    catalogue: Path
    url: str | None = None
    state: Path | None = None

    @property
    def folder(self) -> Path:
        """Where the history is kept, and what else is remembered."""
        return self.state or self.catalogue.parent / ".feeds"

    def cache(self) -> Cache:
        """Open what is remembered beside the history."""
        return Cache(self.folder / "cache")


def check(given: Given) -> None:
    """Tell how much is in a catalogue, and its notes; raises FeedsError."""
    cache = given.cache()
    texts = read_files(given.catalogue)
    media = media_folder(given.catalogue)
    outcome = Outcome(cache, "check", contents_of(texts), (given.url, media_files(media)))
    said = outcome.text()
    if said is None:
        from feeds.catalogue import read_catalogue

        workshop = make_workshop(cache)
        found = read_catalogue(texts, url=given.url, media=media, workshop=workshop)
        said = "\n".join((_summary(found), *map(str, found.notes)))
        outcome.keep_text(said)
        cache.save()
    summary, *notes = said.split("\n")
    for note in notes:
        say(note)
    show(f"{given.catalogue}: {summary}")


def list_feeds(given: Given, *, as_json: bool) -> None:
    """Print every feed, as a table or as JSON; raises FeedsError."""
    import json
    from datetime import UTC, datetime

    from feeds.catalogue import load_catalogue
    from feeds.selection import select

    cache = given.cache()
    found = load_catalogue(given.catalogue, url=given.url, workshop=make_workshop(cache))
    cache.save()
    say_notes(found)
    feeds = select(found, datetime.now(UTC))
    if as_json:
        rows = [_described(feed, found.site) for feed in feeds]
        show(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    table = [("ADDRESS", "TITLE", "ENTRIES", "LAST UPDATED")] + [
        (
            found.site.address(feed.path + FEEDS[found.site.formats[0]]),
            feed.title,
            str(len(feed.entries)),
            feed.updated.date().isoformat(),
        )
        for feed in feeds
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        show("  ".join(map(str.ljust, row, widths)).rstrip())


def built(
    given: Given, workshop: "Workshop", *, pages: bool, dry_run: bool
) -> tuple["Release", Sequence[object]]:
    """Build what is to be written, and give the notes; what nobody gets to see has no history."""
    if dry_run:
        from datetime import UTC, datetime

        from feeds.catalogue import load_catalogue
        from feeds.release import Release

        catalogue = load_catalogue(given.catalogue, url=given.url, workshop=workshop)
        now = datetime.now(UTC)
        release = Release(catalogue, as_of=now, pages=pages, workshop=workshop)
        return release, catalogue.notes

    from feeds.publisher import Publisher

    publisher = Publisher(
        given.catalogue, url=given.url, state=given.state, pages=pages, workshop=workshop
    )
    release = publisher.load()
    return release, publisher.catalogue.notes if publisher.catalogue else ()


def serve(given: Given, host: str, port: int, *, access_log: bool) -> None:
    """Serve a catalogue's documents until interrupted; raises FeedsError."""
    import signal

    # It asks for what is being done.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    from feeds.catalogue import load_catalogue
    from feeds.web.server import Settings
    from feeds.web.server import serve as serve_site

    url = given.url or own_address(host, port)
    at = own_address(host, port) or f"every address of this machine, port {port}"
    cache = given.cache()
    say_notes(load_catalogue(given.catalogue, url=url, workshop=make_workshop(cache)))
    cache.save()
    settings = Settings(
        catalogue=given.catalogue, url=url, state=given.state, access_log=access_log
    )
    serve_site(settings, host, port, started=lambda: say(f"Serving at {at}"))


def own_address(host: str, port: int) -> str | None:
    """Give the URL under which a server on this host is reached; None where there are many."""
    if host in _ALL_ADDRESSES:
        return None
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def counted(things: Collection[object], one: str, many: str) -> str:
    """Give a number of things in words."""
    return f"{len(things)} {one if len(things) == 1 else many}"


def make_workshop(cache: Cache) -> "Workshop":
    """Give what building may use: what is remembered, and all cores."""
    from feeds.parallel import cores
    from feeds.workshop import Workshop

    return Workshop(cache=cache, processes=cores())


def _summary(found: "Catalogue") -> str:
    topics = {topic for entry in found.entries for topic in entry.topics} | {*(found.topics or ())}
    countries = {country for entry in found.entries for country in entry.countries}
    return (
        f"{counted(found.entries, 'entry', 'entries')},"
        f" {counted(topics, 'topic', 'topics')},"
        f" {counted(countries, 'country', 'countries')}: no problem"
    )


def _described(feed: "Feed", site: "Site") -> dict[str, Any]:
    from feeds.formats import FORMATS

    return {
        "title": feed.title,
        "id": feed.id,
        "page": site.address(feed.path),
        "addresses": {
            form.name: site.address(feed.path + form.filename)
            for form in FORMATS
            if form.key in site.formats
        },
        "topic": feed.topic.slug if feed.topic else None,
        "country": feed.country.code if feed.country else None,
        "entries": len(feed.entries),
        "updated": feed.updated.isoformat(),
    }


def say_notes(catalogue: "Catalogue | None") -> None:
    """Tell what is worth an editor's look."""
    for note in catalogue.notes if catalogue else ():
        say(str(note))


def show(result: object) -> None:
    """Give a result to whoever asked for it; raises FeedsError where it cannot be written."""
    try:
        print(result)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FeedsError(f"the output cannot be written: {error.strerror}") from None


def say(text: str) -> None:
    """Tell somebody at the terminal."""
    print(text, file=sys.stderr)
