"""The verbs: streams, exit codes, and the one place where a mistake becomes a message."""

import json
import logging
import os
import sys
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from feeds import __version__
from feeds.catalogue import load_catalogue
from feeds.errors import CatalogueError, FeedsError
from feeds.logs import log_to
from feeds.model import Catalogue, Feed, Site
from feeds.selection import select

_ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104  # compared with, not listened on


class _Verbs(click.Group):
    """Shows a user's mistake as its text on stderr, with exit code 1; a bug keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's signature
        try:
            return super().invoke(ctx)
        except CatalogueError as error:
            click.echo(str(error), err=True)
            click.echo(_count(error.problems, "problem", "problems"), err=True)
        except FeedsError as error:
            click.echo(f"feeds: {error}", err=True)
        return ctx.exit(1)


def _catalogue_options(command: Callable[..., None]) -> Callable[..., None]:
    with_url = click.option(
        "--url",
        envvar="FEEDS_URL",
        metavar="URL",
        help="Where the documents will live, in place of site.url; ends in '/'.  [env: FEEDS_URL]",
    )
    with_catalogue = click.option(
        "--catalogue",
        envvar="FEEDS_CATALOGUE",
        type=click.Path(path_type=Path),
        default=Path("entries.yaml"),
        metavar="PATH",
        help="The catalogue: a YAML file, or a folder of them.  [env: FEEDS_CATALOGUE;"
        " default: entries.yaml]",
    )
    return with_catalogue(with_url(command))


def _state_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--state",
        envvar="FEEDS_STATE",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="FOLDER",
        help="Where the history is kept.  [env: FEEDS_STATE; default: .feeds beside the catalogue]",
    )(command)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="feeds %(version)s")
def main() -> None:
    """Publish a YAML catalogue of news as Atom, RSS and JSON feeds."""


@main.command()
@_catalogue_options
def check(catalogue: Path, url: str | None) -> None:
    """Tell everything that is wrong in the catalogue, with its line."""
    found = _load(catalogue, url)
    topics = {topic for entry in found.entries for topic in entry.topics} | {*(found.topics or ())}
    countries = {country for entry in found.entries for country in entry.countries}
    click.echo(
        f"{catalogue}: {_count(found.entries, 'entry', 'entries')},"
        f" {_count(topics, 'topic', 'topics')},"
        f" {_count(countries, 'country', 'countries')}: no problem"
    )


@main.command(name="list")
@_catalogue_options
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, with the address of each format."
)
def list_feeds(catalogue: Path, url: str | None, *, as_json: bool) -> None:
    """List every feed: its address, title, number of entries, last update."""
    found = _load(catalogue, url)
    feeds = select(found, _now())
    if as_json:
        rows = [_described(feed, found.site) for feed in feeds]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    table = [("ADDRESS", "TITLE", "ENTRIES", "LAST UPDATED")] + [
        (
            found.site.address(f"{feed.path}atom.xml"),
            feed.title,
            str(len(feed.entries)),
            feed.updated.date().isoformat(),
        )
        for feed in feeds
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        click.echo("  ".join(map(str.ljust, row, widths)).rstrip())


@main.command()
@_catalogue_options
@_state_option
@click.option(
    "--pages/--no-pages",
    default=True,
    help="Write the pages too, or the feeds alone.  [default: pages]",
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def export(
    catalogue: Path, url: str | None, state: Path | None, folder: Path, *, pages: bool
) -> None:
    """Write every document into FOLDER, leaving identical files untouched."""
    from feeds.export import export_folder
    from feeds.publisher import Publisher

    log_to(sys.stderr, logging.WARNING)
    publisher = Publisher(
        catalogue, url=url, state=state, pages=pages, processes=len(os.sched_getaffinity(0))
    )
    release = publisher.load()
    _say_notes(publisher.catalogue)
    click.echo(export_folder(release, folder))


@main.command()
@_catalogue_options
@_state_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="The port to listen on.",
)
@click.option("--access-log", is_flag=True, help="Write a line for each request to stdout.")
def serve(
    catalogue: Path, url: str | None, state: Path | None, host: str, port: int, *, access_log: bool
) -> None:
    """Serve every document over HTTP, until interrupted.

    A change of the catalogue is published within two seconds; a broken one is
    logged, and changes nothing. Without --url, addresses in the documents are
    those of this very server; or those of the catalogue, where it listens on
    all of a machine's addresses.
    """
    from feeds.web.server import Settings
    from feeds.web.server import serve as serve_site

    url = url or own_address(host, port)
    at = own_address(host, port) or f"every address of this machine, port {port}"
    _load(catalogue, url)
    settings = Settings(catalogue=catalogue, url=url, state=state, access_log=access_log)
    serve_site(settings, host, port, started=lambda: _say(f"Serving at {at}"))


def own_address(host: str, port: int) -> str | None:
    """Give the URL under which a server on this host is reached; None where there are many."""
    if host in _ALL_ADDRESSES:
        return None
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _load(path: Path, url: str | None) -> Catalogue:
    catalogue = load_catalogue(path, url=url)
    _say_notes(catalogue)
    return catalogue


def _say_notes(catalogue: Catalogue | None) -> None:
    for note in catalogue.notes if catalogue else ():
        _say(str(note))


def _described(feed: Feed, site: Site) -> dict[str, Any]:
    from feeds.formats import FORMATS

    return {
        "title": feed.title,
        "id": feed.id,
        "page": site.address(feed.path),
        "addresses": {form.name: site.address(feed.path + form.filename) for form in FORMATS},
        "topic": feed.topic.slug if feed.topic else None,
        "country": feed.country.code if feed.country else None,
        "entries": len(feed.entries),
        "updated": feed.updated.isoformat(),
    }


def _count(things: Collection[object], one: str, many: str) -> str:
    return f"{len(things)} {one if len(things) == 1 else many}"


def _now() -> datetime:
    return datetime.now(UTC)


def _say(text: str) -> None:
    click.echo(text, err=True)
