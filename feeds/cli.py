"""The command line: what is asked for, exit codes, and where a mistake becomes a message."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from feeds import __version__
from feeds.errors import CatalogueError, FeedsError

if TYPE_CHECKING:
    from feeds.after.afterwards import Afterwards
    from feeds.verbs import Given

_DESCRIPTION = "Publish a YAML catalogue of news as Atom, RSS and JSON feeds."
_HIGHEST_PORT = 65535
_HOSTS = ("nginx", "apache", "caddy", "netlify", "cloudflare-pages", "github-pages")


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the arguments say, or those of the program; raises SystemExit.

    A user's mistake is shown as its text on stderr, with exit code 1; or 2 where
    it is one in the arguments. A bug keeps its traceback.
    """
    try:
        _do(arguments)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        _close_stdout()
        sys.exit(1)
    finally:
        # Not at the interpreter's end, where nobody could say what is wrong.
        _flush()


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _close_stdout()
        sys.exit(1)
    except OSError as error:
        _close_stdout()
        sys.exit(f"feeds: the output cannot be written: {error.strerror}")


def _close_stdout() -> None:
    """Let what is left of the output go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _do(arguments: Sequence[str] | None) -> None:
    options = _parser().parse_args(arguments)
    try:
        options.verb(options)
    except CatalogueError as error:
        # Not before it is needed: that `feeds check` starts at once is a promise.
        from feeds.verbs import counted

        print(error, file=sys.stderr)
        sys.exit(counted(error.problems, "problem", "problems"))
    except FeedsError as error:
        sys.exit(f"feeds: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="feeds", description=_DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"feeds {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    def add(name: str, verb: Callable[[Namespace], None]) -> ArgumentParser:
        text = verb.__doc__ or ""
        added = verbs.add_parser(
            name,
            help=text.partition("\n")[0].rstrip("."),
            description=" ".join(text.split()),
            allow_abbrev=False,
        )
        added.set_defaults(verb=verb)
        _add_common(added)
        return added

    add("check", _check)
    listing = add("list", _list)
    listing.add_argument(
        "--json", action="store_true", help="print JSON, with the address of each format"
    )
    _add_export(add("export", _export))
    _add_serve(add("serve", _serve))
    _add_ping(add("ping", _ping))
    return parser


def _add_common(verb: ArgumentParser) -> None:
    environment = os.environ
    verb.add_argument(
        "--catalogue",
        type=Path,
        default=Path(environment.get("FEEDS_CATALOGUE") or "entries.yaml"),
        metavar="PATH",
        help="the catalogue: a YAML file, or a folder of them"
        " [env: FEEDS_CATALOGUE; default: entries.yaml]",
    )
    verb.add_argument(
        "--url",
        default=environment.get("FEEDS_URL") or None,
        help="where the documents will live, in place of site.url; ends in '/' [env: FEEDS_URL]",
    )
    verb.add_argument(
        "--state",
        type=Path,
        default=Path(environment["FEEDS_STATE"]) if environment.get("FEEDS_STATE") else None,
        metavar="FOLDER",
        help="where the history and the cache are kept"
        " [env: FEEDS_STATE; default: .feeds beside the catalogue]",
    )


def _add_export(verb: ArgumentParser) -> None:
    verb.add_argument("folder", type=Path, metavar="FOLDER", help="where to write")
    verb.add_argument(
        "--no-pages", action="store_true", help="write the feeds alone, without pages"
    )
    verb.add_argument(
        "--prune",
        action=BooleanOptionalAction,
        default=True,
        help="remove what an earlier export wrote and is no longer published [default]",
    )
    verb.add_argument(
        "--compress", action="store_true", help="put a .br and a .gz beside each file"
    )
    verb.add_argument(
        "--host", choices=_HOSTS, default="", help="write what this web server or host is told by"
    )
    verb.add_argument(
        "--force", action="store_true", help="write into a folder that holds other things, too"
    )
    verb.add_argument("--dry-run", action="store_true", help="tell what would be done")
    verb.add_argument(
        "--json", action="store_true", help="print JSON: each path written, left and removed"
    )
    verb.add_argument("--profile", action="store_true", help="print where the time went, to stderr")
    _add_after(verb)


def _add_serve(verb: ArgumentParser) -> None:
    verb.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on [default: %(default)s]"
    )
    verb.add_argument(
        "--port", type=_port, default=8000, help="the port to listen on [default: %(default)s]"
    )
    verb.add_argument(
        "--access-log", action="store_true", help="write a line for each request to stdout"
    )


def _add_after(verb: ArgumentParser) -> None:
    verb.add_argument(
        "--purge",
        default="",
        metavar="TEMPLATE",
        help="tell caches what changed: '[METHOD] ADDRESS' with {url}, {path} or {key},"
        " or a command with {urls}, {paths} or {keys}, or none and addresses as its input",
    )
    verb.add_argument(
        "--ping", action="store_true", help="tell the hub of the feeds that changed, once public"
    )


def _add_ping(verb: ArgumentParser) -> None:
    verb.add_argument("--all", action="store_true", help="tell of every feed, known or not")
    verb.add_argument(
        "--wait",
        type=_patience,
        default=60.0,
        metavar="SECONDS",
        help="how long to wait for feeds to be public, and for the hub [default: 60]",
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= _HIGHEST_PORT):
        raise ArgumentTypeError(f"{text!r} is no port from 1 to {_HIGHEST_PORT}")
    return int(text)


def _check(options: Namespace) -> None:
    """Tell everything that is wrong in the catalogue, with its line."""
    from feeds.verbs import check

    check(_given(options))


def _list(options: Namespace) -> None:
    """List every feed: its address, title, number of entries, last update."""
    from feeds.verbs import list_feeds

    list_feeds(_given(options), as_json=options.json)


def _export(options: Namespace) -> None:
    """Write every document into FOLDER, leaving identical files untouched."""
    from feeds.export.report import Options
    from feeds.verbs import Exporting, export

    how = Options(
        prune=options.prune,
        compress=options.compress,
        force=options.force,
        dry_run=options.dry_run,
    )
    exporting = Exporting(
        how,
        not options.no_pages,
        options.host,
        options.profile,
        as_json=options.json,
        after=_afterwards(options),
    )
    export(_given(options), options.folder, exporting)


def _serve(options: Namespace) -> None:
    """Serve every document over HTTP, until interrupted.

    A change of the catalogue is published within two seconds; a broken one is
    logged, and changes nothing. Without --url, addresses in the documents are
    those of this very server; or those of the catalogue, where it listens on
    all of a machine's addresses.
    """
    from feeds.verbs import serve

    serve(_given(options), options.host, options.port, access_log=options.access_log)


def _afterwards(options: Namespace) -> "Afterwards | None":
    if not options.purge and not options.ping:
        return None
    from feeds.after.afterwards import Afterwards

    return Afterwards(options.purge, ping=options.ping)


def _ping(options: Namespace) -> None:
    """Tell the hub of the feeds that it does not know as they are now.

    A feed's turn comes when its public address gives what the catalogue says:
    so it can be used right after an upload.
    """
    from feeds.pinging import ping_hub

    ping_hub(_given(options), every=options.all, seconds=options.wait)


def _patience(text: str) -> float:
    if not (text.isascii() and text.isdigit() and len(text) < 7):  # noqa: PLR2004  # some days
        raise ArgumentTypeError(f"{text!r} is no number of seconds")
    return float(text)


def _given(options: Namespace) -> "Given":
    from feeds.verbs import Given

    return Given(options.catalogue, options.url, options.state)
