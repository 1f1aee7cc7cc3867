"""The commands: one function each, with its options as one value.

A command's result goes to stdout, everything else to stderr. Each command imports
only what it uses: a catalogue is read without a renderer or a server, and an export
with nothing to do does not even import the YAML parser.
"""

import sys
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from feeds.cli.options import (
    CheckOptions,
    CommonOptions,
    ExportOptions,
    ListOptions,
    PingOptions,
    PublishOptions,
    ServeOptions,
)
from feeds.cli.output import counted, notes, print_message, print_result
from feeds.cli.publishing import export, publish
from feeds.errors import printable
from feeds.parallel import cores, in_child
from feeds.urls import FEEDS, STATIC, TEMPLATES

if TYPE_CHECKING:
    from feeds.model import Catalogue, Feed, Site

# `check` lists entries dated without a time that become public within this time.
_SOON = timedelta(days=7)
# `check` renders this many entries: enough for each kind of page and a list of several pages.
_SAMPLE_SIZE = 50
_ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104  # compared with, not listened on


def check(options: CheckOptions) -> None:
    """Validate the catalogue; report every problem with its line."""
    from feeds.history import History

    now = datetime.now(UTC)
    published = History(options.state_folder).addresses()
    catalogue = _load(options, now, published=published, strict=options.strict)
    _check_pages(catalogue, now)
    if options.quiet:
        return
    for line in (*notes(catalogue, now), *_without_time(catalogue, now)):
        print_message(line)
    print_result(printable(f"{options.catalogue}: {_summary(catalogue)}"))
    if not any(address.startswith(catalogue.site.url) for address in published):
        reason = f"{options.state_folder} has no history of {catalogue.site.url}"
        print_result(printable(f"Addresses not compared: {reason}"))


def _check_pages(catalogue: "Catalogue", now: datetime) -> None:
    """Check `static/` and `templates/` beside a catalogue, by rendering each kind of page."""
    folders = [catalogue.beside / name for name in (STATIC, TEMPLATES)] if catalogue.beside else []
    if any(folder.exists() for folder in folders):
        from feeds.plans import plan_site
        from feeds.release import build_release

        plan_site(catalogue, as_of=now)
        build_release(replace(catalogue, entries=catalogue.entries[:_SAMPLE_SIZE]), as_of=now)


def _load(
    options: CommonOptions,
    now: datetime,
    *,
    published: Collection[str] = (),
    strict: bool = False,
) -> "Catalogue":
    from feeds.catalogue import load_catalogue

    return load_catalogue(
        options.catalogue,
        url=options.url,
        as_of=now,
        published=published,
        strict=strict,
        processes=cores(),
    )


def _without_time(catalogue: "Catalogue", now: datetime) -> list[str]:
    """Return a line for each entry with a date but no time that becomes public soon."""
    from feeds.selection import held_back

    return [
        f"{entry.id!r} becomes public at the beginning of {entry.public_from:%Y-%m-%d}, because its"
        " date has no time; for a press embargo write one"
        for entry in held_back(catalogue, now)
        if entry.public_from and entry.public_from <= now + _SOON
    ]


def _summary(catalogue: "Catalogue") -> str:
    entries = catalogue.entries
    topics = {topic for entry in entries for topic in entry.topics} | {*(catalogue.topics or ())}
    countries = {country for entry in entries for country in entry.countries}
    return (
        f"{counted(entries, 'entry', 'entries')}, {counted(topics, 'topic', 'topics')},"
        f" {counted(countries, 'country', 'countries')}: no problem"
    )


def list_feeds(options: ListOptions) -> None:
    """List every feed: its address, title, number of entries, last update."""
    import json

    from feeds.history import History
    from feeds.selection import select

    now = datetime.now(UTC)
    catalogue = _load(options, now, published=History(options.state_folder).addresses())
    for line in notes(catalogue, now):
        print_message(line)
    feeds, site = select(catalogue, now), catalogue.site
    if options.json:
        rows = [_as_json(feed, site) for feed in feeds]
        print_result(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    table = [("ADDRESS", "TITLE", "ENTRIES", "LAST UPDATED")] + [
        (
            site.address(feed.path + FEEDS[site.formats[0]]),
            feed.title,
            str(len(feed.entries)),
            feed.updated.date().isoformat(),
        )
        for feed in feeds
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        print_result(printable("  ".join(map(str.ljust, row, widths)).rstrip()))


def _as_json(feed: "Feed", site: "Site") -> dict[str, Any]:
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


def serve(options: ServeOptions) -> None:
    """Serve every document over HTTP, until interrupted.

    A change to the catalogue is published within two seconds. An invalid catalogue
    is logged, and the last valid one stays published. Without --url, documents use
    the address of this server, or site.url if it listens on all addresses of the
    machine.
    """
    import signal

    # The server logs its state on SIGHUP; until it has started, the signal is ignored.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    from feeds.log import log_to
    from feeds.server.granian import serve as serve_site
    from feeds.server.served_site import Settings
    from feeds.server.site_store import load_index

    own_url = own_address(options.host, options.port)
    location = own_url or f"every address of this machine, port {options.port}"
    options = replace(options, url=options.url or own_url)
    settings = Settings(catalogue=options.catalogue, url=options.url, state=options.state)
    log_to(sys.stderr)
    # If there is something to serve from before, it is served even if the catalogue is invalid now.
    if load_index(settings.state_folder, settings.store_name) is None:
        now = datetime.now(UTC)
        # In a child process, so that the catalogue does not stay in this one's memory.
        for line in in_child(lambda: notes(_load(options, now), now)):
            print_message(line)
    serve_site(
        settings,
        host=options.host,
        port=options.port,
        workers=options.workers,
        access_log=options.access_log,
        started=lambda: print_message(f"Serving at {location}"),
    )


def own_address(host: str, port: int) -> str | None:
    """Return the URL of a server that listens on a host; None if it listens on all addresses."""
    if host in _ALL_ADDRESSES:
        return None
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def ping(options: PingOptions) -> None:
    """Notify the WebSub hub of the feeds that changed.

    The hub is notified of a feed once its public address returns the current
    content, so the command can be run right after an upload.
    """
    from feeds.notify.websub import ping as ping_hub
    from feeds.release import build_release

    now = datetime.now(UTC)
    catalogue = _load(options, now)
    release = build_release(catalogue, as_of=now, pages=False)
    etags = {path: document.etag for path, document in release.items()}
    folder, every = options.state_folder, options.all
    print_result(ping_hub(catalogue.site, etags, folder, seconds=options.wait, every=every))


class Command(NamedTuple):
    """A command: its function, whose docstring is its help; its options; an example of use."""

    run: Callable[[Any], None]
    options: type[CommonOptions]
    example: str


COMMANDS = {
    "check": Command(check, CheckOptions, "entries.yaml"),
    "list": Command(list_feeds, ListOptions, "entries.yaml --json"),
    "export": Command(
        export, ExportOptions, "out --catalogue entries.yaml --compress --host nginx"
    ),
    "publish": Command(publish, PublishOptions, "s3://bucket/news --catalogue entries.yaml"),
    "serve": Command(serve, ServeOptions, "entries.yaml --port 8000"),
    "ping": Command(ping, PingOptions, "entries.yaml --url https://news.example.org/"),
}
