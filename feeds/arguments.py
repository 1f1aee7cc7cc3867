"""The arguments of each verb: their names, their defaults, and what they may be."""

import os
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, BooleanOptionalAction
from pathlib import Path

_HIGHEST_PORT = 65535
# Of a request's timeout, in seconds.
_SHORTEST, _TIMEOUT, _LONGEST = 1, 10, 120
_MAX_WORKERS = 64
_HOSTS = ("nginx", "apache", "caddy", "netlify", "cloudflare-pages", "github-pages")


def add_catalogue(verb: ArgumentParser) -> None:
    """Add the catalogue as an argument without a name, which is how most people type it."""
    verb.add_argument(
        "path", nargs="?", type=Path, metavar="CATALOGUE", help="the same as --catalogue CATALOGUE"
    )


def add_common(verb: ArgumentParser) -> None:
    """Add what every verb takes."""
    environment = os.environ
    verb.add_argument(
        "--catalogue",
        type=Path,
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


def add_check(verb: ArgumentParser) -> None:
    """Add what `check` takes."""
    add_common(verb)
    add_catalogue(verb)
    _add_strict(verb)
    _add_quiet(verb)


def add_list(verb: ArgumentParser) -> None:
    """Add what `list` takes."""
    add_common(verb)
    add_catalogue(verb)
    verb.add_argument(
        "--json", action="store_true", help="print JSON, with the address of each format"
    )


def add_export(verb: ArgumentParser) -> None:
    """Add what `export` takes."""
    add_common(verb)
    verb.add_argument("target", metavar="FOLDER", help="where to write")
    _add_other(verb)
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
        "--force", action="store_true", help="write among what no export wrote, and over it"
    )
    verb.add_argument("--dry-run", action="store_true", help="tell what would be done")
    verb.add_argument(
        "--verify",
        action="store_true",
        help="read each file of the folder; otherwise its size, time and inode are compared",
    )
    verb.add_argument(
        "--json", action="store_true", help="print JSON: each path written, left and removed"
    )
    _add_strict(verb)
    _add_quiet(verb)
    verb.add_argument("--profile", action="store_true", help="print where the time went, to stderr")
    _add_after(verb)


def add_publish(verb: ArgumentParser) -> None:
    """Add what `publish` takes."""
    add_common(verb)
    verb.add_argument("target", metavar="ADDRESS", help="where to: s3://bucket/prefix, gs:, az:")
    _add_other(verb)
    verb.add_argument(
        "--no-pages", action="store_true", help="upload the feeds alone, without pages"
    )
    verb.add_argument(
        "--compress", action="store_true", help="store documents as gzip, which readers decode"
    )
    verb.add_argument(
        "--force", action="store_true", help="publish among objects that no publish wrote"
    )
    verb.add_argument(
        "--timeout",
        type=_seconds,
        default=_TIMEOUT,
        metavar="SECONDS",
        help="how long one try of a request may take [default: %(default)s]",
    )
    verb.add_argument("--dry-run", action="store_true", help="tell what would be done")
    verb.add_argument(
        "--json", action="store_true", help="print JSON: each path uploaded, left and removed"
    )
    _add_strict(verb)
    _add_quiet(verb)
    _add_after(verb)


def add_serve(verb: ArgumentParser) -> None:
    """Add what `serve` takes."""
    add_common(verb)
    add_catalogue(verb)
    verb.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on [default: %(default)s]"
    )
    verb.add_argument(
        "--port", type=_port, default=8000, help="the port to listen on [default: %(default)s]"
    )
    verb.add_argument(
        "--workers",
        type=_workers,
        default=1,
        help="how many processes answer [default: %(default)s]",
    )
    verb.add_argument(
        "--access-log", action="store_true", help="write a line for each request to stdout"
    )


def _add_strict(verb: ArgumentParser) -> None:
    verb.add_argument("--strict", action="store_true", help="fail on notes as on problems")


def _add_quiet(verb: ArgumentParser) -> None:
    verb.add_argument(
        "--quiet", action="store_true", help="print errors alone: no notes, no summary"
    )


def _add_other(verb: ArgumentParser) -> None:
    # Who names the catalogue here is told how to.
    verb.add_argument("other", nargs="?", help=SUPPRESS)


def _add_after(verb: ArgumentParser) -> None:
    verb.add_argument(
        "--purge",
        default="",
        metavar="TEMPLATE",
        help="purge caches of what changed: '[METHOD] URL' with {url}, {path} or {key}, or a"
        " command with {urls}, {paths} or {keys}; a command without gets URLs as its input",
    )
    verb.add_argument(
        "--ping", action="store_true", help="notify the hub of changed feeds, once public"
    )


def add_ping(verb: ArgumentParser) -> None:
    """Add what `ping` takes."""
    add_common(verb)
    add_catalogue(verb)
    verb.add_argument("--all", action="store_true", help="notify of all feeds, changed or not")
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


def _workers(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= _MAX_WORKERS):
        raise ArgumentTypeError(f"{text!r} is not a number from 1 to {_MAX_WORKERS}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not _SHORTEST <= seconds <= _LONGEST:
        raise ArgumentTypeError(f"{text!r} is no number of seconds from 1 to 120")
    return seconds


def _patience(text: str) -> float:
    if not (text.isascii() and text.isdigit() and len(text) < 7):  # noqa: PLR2004  # some days
        raise ArgumentTypeError(f"{text!r} is no number of seconds")
    return float(text)
