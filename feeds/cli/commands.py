"""What each verb does: its result goes to stdout, and all else to stderr.

Each imports what it alone needs: what is known from before is told without
reading a catalogue, and a catalogue is read without a renderer or a server.
"""

import sys
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from feeds.errors import FeedsError, printable
from feeds.paths import FEEDS, STATIC, TEMPLATES

if TYPE_CHECKING:
    from datetime import datetime

    from feeds.model import Catalogue, Feed, Site

# How far ahead `check` names the days that are dates without a time.
_SOON = timedelta(days=7)
# Shown where there is no catalogue: `feeds check` has nothing to say about it.
SMALLEST_CATALOGUE = """\
site:
  title: Our news
  url: https://news.example.org/
  id: tag:news.example.org,2026:news

entries:
- id: our-first-news
  title: Our first news
  date: 2026-01-31
  summary: What happened, in one sentence.
"""
# So many entries are enough for a page of each kind, and for a list in parts.
_SAMPLE = 50
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


def check(given: Given, *, strict: bool, quiet: bool = False) -> None:
    """Print how much is in a catalogue, its notes and what is held back; raises FeedsError."""
    from datetime import UTC, datetime

    from feeds.history import History

    now = datetime.now(UTC)
    published = History(given.folder).addresses()
    found = read(given, now, published=published, strict=strict)
    _check_beside(found, now)
    if quiet:
        return
    for line in notes(found, now):
        say(line)
    for line in _days_without_a_time(found, now):
        say(line)
    show(printable(f"{given.catalogue}: {_summary(found)}"))
    if not any(address.startswith(found.site.url) for address in published):
        where = f"{given.folder} has no history of {found.site.url}"
        show(printable(f"Addresses not compared: {where}"))


def _check_beside(found: "Catalogue", now: "datetime") -> None:
    """Check `static/` and `templates/` beside a catalogue; raises FeedsError.

    Each kind of page is rendered once, from some entries.
    """
    folders = [found.beside / name for name in (STATIC, TEMPLATES)] if found.beside else []
    if any(folder.exists() for folder in folders):
        from dataclasses import replace

        from feeds.plans import plan_site
        from feeds.release import Release

        plan_site(found, as_of=now)
        Release(replace(found, entries=found.entries[:_SAMPLE]), as_of=now)


def read(
    given: Given, now: "datetime", *, published: Collection[str] = (), strict: bool = False
) -> "Catalogue":
    """Read the catalogue on all cores; raises FeedsError."""
    from feeds.catalogue import load_catalogue
    from feeds.parallel import cores

    return load_catalogue(
        given.catalogue,
        url=given.url,
        as_of=now,
        published=published,
        strict=strict,
        processes=cores(),
    )


def notes(catalogue: "Catalogue", as_of: "datetime") -> list[str]:
    """Return the notes, and how many entries are held back with the next one due, a line each."""
    from feeds.selection import held_back_summary

    lines = list(map(str, catalogue.notes))
    later = held_back_summary(catalogue, as_of)
    if later:
        count = counted(range(later.entries), "entry", "entries")
        lines.append(f"{count} held back; the next, {later.next!r}, on {later.due}")
    return lines


def _days_without_a_time(catalogue: "Catalogue", now: "datetime") -> list[str]:
    """Return a line for each entry that becomes public at the beginning of a day soon."""
    from feeds.selection import held_back

    return [
        f"{entry.id!r} becomes public at the beginning of {entry.public_from:%Y-%m-%d}, because its"
        " date has no time; for a press embargo write one"
        for entry in held_back(catalogue, now)
        if entry.public_from and entry.public_from <= now + _SOON
    ]


def list_feeds(given: Given, *, as_json: bool) -> None:
    """Print every feed, as a table or as JSON; raises FeedsError."""
    import json
    from datetime import UTC, datetime

    from feeds.history import History
    from feeds.selection import select

    now = datetime.now(UTC)
    found = read(given, now, published=History(given.folder).addresses())
    for line in notes(found, now):
        say(line)
    feeds = select(found, now)
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
        show(printable("  ".join(map(str.ljust, row, widths)).rstrip()))


def serve(given: Given, host: str, port: int, *, workers: int, access_log: bool) -> None:
    """Serve a catalogue's documents until interrupted; raises FeedsError."""
    import signal

    # It asks for what is being done.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    from datetime import UTC, datetime

    from feeds.log import log_to
    from feeds.parallel import in_child
    from feeds.server.granian import Listening
    from feeds.server.granian import serve as serve_site
    from feeds.server.site import Settings
    from feeds.server.store import load_index

    url = given.url or own_address(host, port)
    at = own_address(host, port) or f"every address of this machine, port {port}"
    settings = Settings(catalogue=given.catalogue, url=url, state=given.state)
    log_to(sys.stderr)
    # What was served before is served at once, whatever the catalogue is like now.
    if load_index(settings.state_folder, settings.store_name) is None:
        now = datetime.now(UTC)
        # None of the catalogue stays in the memory of this process.
        for line in in_child(lambda: notes(read(given._replace(url=url), now), now)):
            say(line)
    listening = Listening(host=host, port=port, workers=workers, access_log=access_log)
    serve_site(settings, listening, started=lambda: say(f"Serving at {at}"))


def own_address(host: str, port: int) -> str | None:
    """Give the URL under which a server on this host is reached; None where there are many."""
    if host in _ALL_ADDRESSES:
        return None
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def example_for(missing: Path) -> str:
    """Return the smallest catalogue, to follow a message, unless there are others beside a missing one."""
    if not missing.is_dir() and any(missing.parent.glob("*.y*ml")):
        return ""
    return f"; the smallest catalogue that works:\n\n{SMALLEST_CATALOGUE}"


def counted(things: Collection[object], one: str, many: str) -> str:
    """Give a number of things in words."""
    return f"{len(things)} {one if len(things) == 1 else many}"


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


def show(result: object) -> None:
    """Give a result to whoever asked for it; raises FeedsError where it cannot be written."""
    try:
        print(result)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FeedsError(f"the output cannot be written: {error.strerror}") from None


def say(text: str) -> None:
    """Print a line on stderr."""
    print(printable(text), file=sys.stderr)
