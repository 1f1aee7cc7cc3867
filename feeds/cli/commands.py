"""The commands, a class each: its docstring is the help, its attributes are the options.

A command's result goes to stdout, everything else to stderr. Each command imports
only what it uses: a catalogue is read without a renderer or a server, and an export
of an unchanged catalogue usually does not even import the YAML parser.
"""

import sys
from argparse import ArgumentTypeError, BooleanOptionalAction, Namespace
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from feeds.errors import FeedsError, printable

if TYPE_CHECKING:
    from feeds.catalogue import ReadOptions
    from feeds.model import Catalogue, Feed, Site

_MIN_TIMEOUT_SECONDS, _MAX_TIMEOUT_SECONDS = 1, 120
_HOSTS = ("nginx", "apache", "caddy", "netlify", "cloudflare-pages", "github-pages")
_ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104  # compared with, not listened on


def _flag(text: str) -> Any:
    """Declare an option without a value."""
    return {"help": text, "action": "store_true"}


def _option(text: str, default: object = None, **settings: object) -> Any:
    """Declare an option with a value; `settings` are those of argparse."""
    return {"help": text, "default": default, **settings}


def _whole_number(minimum: int, maximum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        is_short = text.isascii() and text.isdigit() and len(text) <= len(str(maximum))
        if not is_short or not minimum <= int(text) <= maximum:
            raise ArgumentTypeError(f"{text!r} is not a whole number from {minimum} to {maximum}")
        return int(text)

    return parse


def _timeout(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not _MIN_TIMEOUT_SECONDS <= seconds <= _MAX_TIMEOUT_SECONDS:
        limits = f"from {_MIN_TIMEOUT_SECONDS} to {_MAX_TIMEOUT_SECONDS}"
        raise ArgumentTypeError(f"{text!r} is not a number of seconds {limits}")
    return seconds


class Command(Namespace):
    """A command, and the options that all commands have.

    Its attributes with a type are its options: a class declares how argparse reads each.
    """

    example = ""
    # The option that is given as an argument without a name.
    argument = ""
    catalogue: Path = _option(
        "the catalogue: a YAML file, or a folder of YAML files"
        " [env: FEEDS_CATALOGUE; default: entries.yaml]",
        type=Path,
        metavar="PATH",
    )
    url: str | None = _option(
        "public address of the site, instead of site.url; ends in '/' [env: FEEDS_URL]"
    )
    state: Path | None = _option(
        "folder of the history and of other state"
        " [env: FEEDS_STATE; default: .feeds beside the catalogue]",
        type=Path,
        metavar="FOLDER",
    )

    @property
    def state_folder(self) -> Path:
        """The folder of the history and of other state."""
        return self.state or self.catalogue.parent / ".feeds"

    def run(self) -> None:
        """Run the command with these options; raises FeedsError."""
        raise NotImplementedError

    def load(self, **options: "Unpack[ReadOptions]") -> "Catalogue":
        """Return the catalogue; raises FeedsError."""
        from feeds.catalogue import load_catalogue

        options["url"] = self.url
        return load_catalogue(self.catalogue, **options)


class Init(Command):
    """Write a new catalogue with a first entry, and ask for what no option gives.

    Without a terminal, --title and --url must be given. The catalogue is a file, or a
    folder in which entries.yaml is written.
    """

    example = 'news --title "Our news" --url https://news.example.org/'
    title: str | None = _option("the title of the site")
    url: str | None = _option("the public address of the site; ends in '/' [env: FEEDS_URL]")
    language: str | None = _option("its language [default: that of the environment]")
    timezone: str | None = _option("the time zone of dates [default: that of the machine]")
    author: str | None = _option("the name of the publisher [default: the title]")

    def run(self) -> None:
        from feeds.cli.new_catalogue import init

        init(self)


class New(Command):
    """Add an entry above the others, and keep everything else in the file as it is.

    The catalogue is refused until the summary is written, here or in the file.
    """

    example = '"A title" --summary "What happened, in one sentence."'
    argument = "title"
    title: list[str] = _option("the title of the entry, in quotes", nargs="+", metavar="TITLE")
    date: str | None = _option("its date, as in the catalogue [default: today]")
    summary: str | None = _option("its summary [default: a placeholder to replace]")

    def run(self) -> None:
        from feeds.cli.new_entry import new

        new(self)


class Import(Command):
    """Write a catalogue of what another publisher has, or insert what is newer into one.

    SOURCE is a feed (its address or a file), a WordPress export, a YAML, JSON or CSV
    file, or a folder of Markdown. What cannot be imported is listed with its place. For
    data files, options name fields that are called differently, as paths such as
    event.start.date.
    """

    example = "https://www.example.org/feed/"
    argument = "source"
    source: str = _option("the address, file or folder to import", metavar="SOURCE")
    language: str | None = _option("the language of a new catalogue and of dates, such as fr")
    all: bool = _flag("also insert items older than the newest one that the catalogue has")
    items: str | None = _option("where the list of items is in a data file", metavar="PATH")
    title: str | None = _option("where the title of an item is", metavar="PATH")
    date: str | None = _option("where its date is", metavar="PATH")
    updated: str | None = _option("where the date of its last change is", metavar="PATH")
    summary: str | None = _option("where its summary is", metavar="PATH")
    body: str | None = _option("where its text is", metavar="PATH")
    link: str | None = _option("where the address that it links to is", metavar="PATH")
    id: str | None = _option("where what its id is made of is", metavar="PATH")
    topics: str | None = _option("where its topics are", metavar="PATH")
    countries: str | None = _option("where its countries are", metavar="PATH")
    author: str | None = _option("where its author is", metavar="PATH")
    photo: str | None = _option("where its picture is", metavar="PATH")
    date_format: str | None = _option(
        "how dates are written in a data file, such as %%d/%%m/%%Y", metavar="FORMAT"
    )
    encoding: str | None = _option("the encoding of a CSV file [default: utf-8]", metavar="NAME")

    def run(self) -> None:
        from feeds.cli.importing import run

        run(self)


class Check(Command):
    """Validate the catalogue; report every problem with its line."""

    example = "entries.yaml"
    strict: bool = _flag("treat notes as problems")
    quiet: bool = _flag("print only errors: no notes, no summary")

    def run(self) -> None:
        from feeds.cli.checking import check

        check(self)


class List(Command):
    """List every feed: its address, title, number of entries, last update."""

    example = "entries.yaml --json"
    json: bool = _flag("print JSON, with the address of each format")

    def run(self) -> None:
        import json

        from feeds.history import History
        from feeds.selection import select
        from feeds.urls import FEEDS

        now = datetime.now(UTC)
        catalogue = self.load(as_of=now, published=History(self.state_folder).addresses())
        for line in notes(catalogue, now):
            print_message(line)
        feeds, site = select(catalogue, now), catalogue.site
        if self.json:
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


class BuildCommand(Check):
    """What `export` and `publish` share; both check the catalogue, too."""

    no_pages: bool = _flag("publish only the feeds, no pages")
    dry_run: bool = _flag("show what would change, without changing it")
    json: bool = _flag("print JSON: each path written, unchanged and removed")
    compress: bool
    purge: str = _option(
        "purge changed documents from caches: '[METHOD] ADDRESS' with {url}, {path} or {key},"
        " or a command with {urls}, {paths} or {keys}, or without, which reads addresses from stdin",
        "",
        metavar="TEMPLATE",
    )
    ping: bool = _flag("notify the WebSub hub of changed feeds, once they are public")


class Export(BuildCommand):
    """Write every document into FOLDER, leaving identical files untouched."""

    example = "out --catalogue entries.yaml --compress --host nginx"
    argument = "target"
    target: str = _option("the folder to write", metavar="FOLDER")
    prune: bool = _option(
        "remove files that an earlier export wrote and that are no longer published [default]",
        default=True,
        action=BooleanOptionalAction,
    )
    compress: bool = _flag("also write a .br and a .gz file beside each file")
    host: str = _option(
        "also write a configuration for this web server or host", "", choices=_HOSTS
    )
    redirect_to: str = _option(
        "the site has moved to this URL: write only a configuration for --host that redirects"
        " every address permanently to the same path below it, and 410.html for retired"
        " addresses; remove the documents that earlier exports wrote into FOLDER",
        "",
        metavar="URL",
    )
    force: bool = _flag("write into a non-empty folder, overwriting existing files")
    verify: bool = _flag(
        "compare the contents of the folder's files, not only size, time and inode"
    )
    profile: bool = _flag("print how long each stage took, to stderr")

    def run(self) -> None:
        from feeds.cli.publishing import export

        export(self)


class Publish(BuildCommand):
    """Upload every changed document to a bucket.

    Credentials come from environment variables, or from the role of the machine; the
    configuration files of the AWS command line are not read. If two processes publish
    at the same time, one of them fails with a message.
    """

    example = "s3://bucket/news --catalogue entries.yaml"
    argument = "target"
    target: str = _option("the bucket: s3://bucket/prefix, or gs: or az:", metavar="ADDRESS")
    compress: bool = _flag("store documents as gzip, which HTTP clients decode")
    force: bool = _flag("publish into a non-empty bucket, overwriting existing objects")
    timeout: float = _option(
        "time limit for each attempt of a request [default: %(default)s]",
        10,
        type=_timeout,
        metavar="SECONDS",
    )

    def run(self) -> None:
        from feeds.cli.publishing import publish

        publish(self)


class Serve(Command):
    """Serve every document over HTTP, until interrupted.

    A change to the catalogue is published within two seconds. An invalid catalogue
    is logged, and the last valid one stays published. Without --url, documents use
    the address of this server, or site.url if it listens on all addresses of the
    machine.
    """

    example = "entries.yaml --port 8000"
    host: str = _option("the address to listen on [default: %(default)s]", "127.0.0.1")
    port: int = _option(
        "the port to listen on [default: %(default)s]", 8000, type=_whole_number(1, 65535)
    )
    workers: int = _option(
        "number of processes that answer requests [default: %(default)s]",
        1,
        type=_whole_number(1, 64),
    )
    access_log: bool = _flag("write a line for each request to stdout")
    metrics: bool = _flag("also answer /metrics, for Prometheus; do not make it public")

    def run(self) -> None:
        import signal

        # The server logs its state on SIGHUP; until it has started, the signal is ignored.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

        from feeds.log import log_to
        from feeds.parallel import in_child
        from feeds.server.granian import serve as serve_site
        from feeds.server.served_site import Settings
        from feeds.server.site_store import load_index

        own_url = own_address(self.host, self.port)
        location = own_url or f"every address of this machine, port {self.port}"
        self.url = self.url or own_url
        settings = Settings(
            catalogue=self.catalogue, url=self.url, state=self.state, metrics=self.metrics
        )
        log_to(sys.stderr)
        # If there is something to serve from before, it is served even if the catalogue is invalid now.
        if load_index(settings.state_folder, settings.store_name) is None:
            now = datetime.now(UTC)
            # In a child process, so that the catalogue does not stay in this one's memory.
            for line in in_child(lambda: notes(self.load(as_of=now), now)):
                print_message(line)
        serve_site(
            settings,
            host=self.host,
            port=self.port,
            workers=self.workers,
            access_log=self.access_log,
            started=lambda: print_message(f"Serving at {location}"),
        )


def own_address(host: str, port: int) -> str | None:
    """Return the URL of a server that listens on a host; None if it listens on all addresses."""
    if host in _ALL_ADDRESSES:
        return None
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


class Ping(Command):
    """Notify the WebSub hub of the feeds that changed.

    The hub is notified of a feed once its public address returns the current
    content, so the command can be run right after an upload.
    """

    example = "entries.yaml --url https://news.example.org/"
    all: bool = _flag("notify the hub of every feed, up to date or not")
    wait: int = _option(
        "how long to wait until feeds are public and the hub answers [default: %(default)s]",
        60,
        type=_whole_number(0, 999_999),
        metavar="SECONDS",
    )

    def run(self) -> None:
        from feeds.notify.websub import ping as ping_hub
        from feeds.release import build_release

        now = datetime.now(UTC)
        catalogue = self.load(as_of=now)
        release = build_release(catalogue, as_of=now, pages=False)
        etags = {path: document.etag for path, document in release.items()}
        folder, every = self.state_folder, self.all
        print_result(ping_hub(catalogue.site, etags, folder, seconds=self.wait, every=every))


_ALL = (Init, New, Import, Check, List, Export, Publish, Serve, Ping)
COMMANDS = {kind.__name__.lower(): kind for kind in _ALL}


def counted(things: Collection[object], one: str, many: str) -> str:
    """Return a number of things in words."""
    return f"{len(things)} {one if len(things) == 1 else many}"


def print_result(result: object) -> None:
    """Print a result on stdout; raises FeedsError if it cannot be written."""
    try:
        print(result)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FeedsError(f"the output cannot be written: {error.strerror}") from None


def print_message(text: str) -> None:
    """Print a line on stderr."""
    print(printable(text), file=sys.stderr)


def notes(catalogue: "Catalogue", as_of: datetime) -> list[str]:
    """Return a line for each note, and one for the entries that are held back."""
    from feeds.selection import held_back_summary

    lines = list(map(str, catalogue.notes))
    later = held_back_summary(catalogue, as_of)
    if later:
        count = counted(range(later.entries), "entry", "entries")
        lines.append(f"{count} held back; the next, {later.next!r}, on {later.due}")
    return lines
