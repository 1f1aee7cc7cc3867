"""What each verb does: its result goes to stdout, and all else to stderr.

Each imports what it alone needs: what is known from before is told without
reading a catalogue, and a catalogue is read without a renderer or a server.
"""

import gc
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from feeds.cache import Cache
from feeds.files import media_files, media_folder, read_files
from feeds.outcome import Outcome, contents_of
from feeds.paths import FEEDS

if TYPE_CHECKING:
    from feeds.after.afterwards import Afterwards
    from feeds.export.report import Options, Report
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
    print(f"{given.catalogue}: {summary}")


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
        print(json.dumps(rows, ensure_ascii=False, indent=2))
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
        print("  ".join(map(str.ljust, row, widths)).rstrip())


class Exporting(NamedTuple):
    """What `export` is told beside the catalogue: how to write, and how to tell what was done."""

    options: "Options"
    pages: bool = True
    host: str = ""
    profile: bool = False
    as_json: bool = False
    after: "Afterwards | None" = None


def export(given: Given, folder: Path, how: Exporting) -> None:
    """Write a catalogue's documents into a folder; raises FeedsError."""
    from datetime import UTC, datetime

    from feeds.export.current import up_to_date
    from feeds.watch import fingerprint

    begun = time.perf_counter()
    workshop = make_workshop(given.cache())
    seen = fingerprint(given.catalogue)
    with workshop.stage("compare"):
        outcome, notes = _outcomes(given, workshop.cache, folder, how)
        etags = outcome.etags(datetime.now(UTC))
        said = notes.text()
        report = up_to_date(etags, folder, how.options) if etags else None
    if report is None or said is None:
        release, report, said = _export_anew(given, folder, workshop, how)
        if fingerprint(given.catalogue) == seen and not how.options.dry_run:
            outcome.keep_etags(report.etags, as_of=release.as_of, until=release.until)
            notes.keep_text(said)
            workshop.cache.save()
    for note in filter(None, said.split("\n")):
        say(note)
    print(report.as_json() if how.as_json else report)
    if how.profile:
        _say_stages(workshop, time.perf_counter() - begun)
    # On the way out, nobody need look for cycles in all that was built.
    gc.freeze()
    if how.after and not how.options.dry_run:
        from feeds.catalogue import load_catalogue

        site = load_catalogue(given.catalogue, url=given.url, workshop=workshop).site
        for line in how.after(site, given.folder, report.changed, report.etags):
            say(line)


def _outcomes(given: Given, cache: Cache, folder: Path, how: Exporting) -> tuple[Outcome, Outcome]:
    """Give what is known of the catalogue's files, and of its notes; raises FeedsError."""
    from feeds.export.ownership import refuse_catalogue

    texts = read_files(given.catalogue)
    refuse_catalogue(folder, (Path(name) for name, _ in texts))
    media = media_files(media_folder(given.catalogue))
    contents = contents_of(texts)
    options = (given.url, how.pages, how.options.compress, how.host, media)
    return (
        Outcome(cache, "release", contents, options),
        Outcome(cache, "notes", contents, (given.url, media)),
    )


def _export_anew(
    given: Given, folder: Path, workshop: "Workshop", how: Exporting
) -> tuple["Release", "Report", str]:
    """Build and write; give the notes too, a line each."""
    with workshop.stage("load"):
        import logging
        from dataclasses import replace

        from feeds.export.folder import opened, write_release
        from feeds.export.hosts import host_files
        from feeds.logs import log_to
        from feeds.progress import Progress

    log_to(sys.stderr, logging.WARNING)
    progress = Progress(sys.stderr)
    workshop = replace(workshop, told=progress)
    try:
        # Nobody else's older catalogue may come after this one: building is part of it.
        with opened(folder, how.options) as tree:
            release, notes = built(given, workshop, pages=how.pages, dry_run=how.options.dry_run)
            with workshop.stage("write"):
                extra = host_files(how.host, release, release.site, compressed=how.options.compress)
                report = write_release(tree, release, how.options, extra=extra, workshop=workshop)
    finally:
        progress.end()
    return release, report, "\n".join(map(str, notes))


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


def _say_stages(workshop: "Workshop", whole: float) -> None:
    rest = whole - sum(workshop.seconds.values())
    for stage, seconds in [*workshop.seconds.items(), ("else", rest), ("all", whole)]:
        say(f"{stage:<10}{seconds:8.3f} s {seconds / whole:5.0%}")


def say_notes(catalogue: "Catalogue | None") -> None:
    """Tell what is worth an editor's look."""
    for note in catalogue.notes if catalogue else ():
        say(str(note))


def say(text: str) -> None:
    """Tell somebody at the terminal."""
    print(text, file=sys.stderr)
