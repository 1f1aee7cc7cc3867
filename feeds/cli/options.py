"""The options of the commands: one frozen value each, whose fields are also its arguments."""

from argparse import ArgumentTypeError, BooleanOptionalAction
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import Any

_MAX_PORT = 65535
_MAX_WORKERS = 64
_MAX_WAIT_SECONDS = 999_999
_MIN_TIMEOUT_SECONDS, _MAX_TIMEOUT_SECONDS = 1, 120
_HOSTS = ("nginx", "apache", "caddy", "netlify", "cloudflare-pages", "github-pages")


def _flag(text: str) -> Any:
    """Declare an option without a value."""
    return field(default=False, metadata={"action": "store_true", "help": text})


def _option(text: str, default: object = MISSING, **settings: object) -> Any:
    """Declare an option with a value.

    `settings` are those of argparse. Beside them, `env` is an environment variable
    that replaces the default, and `positional` makes it an argument without a name.
    """
    return field(default=default, metadata={"help": text, **settings})


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


@dataclass(frozen=True, kw_only=True)
class CommonOptions:
    """The options of every command."""

    catalogue: Path = _option(
        "the catalogue: a YAML file, or a folder of YAML files"
        " [env: FEEDS_CATALOGUE; default: entries.yaml]",
        type=Path,
        metavar="PATH",
    )
    url: str | None = _option(
        "public address of the site, instead of site.url; ends in '/' [env: FEEDS_URL]",
        None,
        env="FEEDS_URL",
    )
    state: Path | None = _option(
        "folder of the history and the cache"
        " [env: FEEDS_STATE; default: .feeds beside the catalogue]",
        None,
        type=Path,
        metavar="FOLDER",
        env="FEEDS_STATE",
    )

    @property
    def state_folder(self) -> Path:
        """The folder of the history and the cache."""
        return self.state or self.catalogue.parent / ".feeds"


@dataclass(frozen=True, kw_only=True)
class CheckOptions(CommonOptions):
    """The options of `check`."""

    strict: bool = _flag("treat notes as problems")
    quiet: bool = _flag("print only errors: no notes, no summary")


@dataclass(frozen=True, kw_only=True)
class ListOptions(CommonOptions):
    """The options of `list`."""

    json: bool = _flag("print JSON, with the address of each format")


@dataclass(frozen=True, kw_only=True)
class BuildOptions(CheckOptions):
    """The options that `export` and `publish` share."""

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


@dataclass(frozen=True, kw_only=True)
class ExportOptions(BuildOptions):
    """The options of `export`."""

    target: str = _option("the folder to write", positional=True, metavar="FOLDER")
    prune: bool = _option(
        "remove files that an earlier export wrote and that are no longer published [default]",
        default=True,
        action=BooleanOptionalAction,
    )
    compress: bool = _flag("also write a .br and a .gz file beside each file")
    host: str = _option(
        "also write a configuration for this web server or host", "", choices=_HOSTS
    )
    force: bool = _flag("write into a non-empty folder, overwriting existing files")
    verify: bool = _flag(
        "compare the contents of the folder's files, not only size, time and inode"
    )
    profile: bool = _flag("print how long each stage took, to stderr")


@dataclass(frozen=True, kw_only=True)
class PublishOptions(BuildOptions):
    """The options of `publish`."""

    target: str = _option(
        "the bucket: s3://bucket/prefix, or gs: or az:", positional=True, metavar="ADDRESS"
    )
    compress: bool = _flag("store documents as gzip, which HTTP clients decode")
    force: bool = _flag("publish into a non-empty bucket, overwriting existing objects")
    timeout: float = _option(
        "time limit for each attempt of a request [default: %(default)s]",
        10,
        type=_timeout,
        metavar="SECONDS",
    )


@dataclass(frozen=True, kw_only=True)
class ServeOptions(CommonOptions):
    """The options of `serve`."""

    host: str = _option("the address to listen on [default: %(default)s]", "127.0.0.1")
    port: int = _option(
        "the port to listen on [default: %(default)s]", 8000, type=_whole_number(1, _MAX_PORT)
    )
    workers: int = _option(
        "number of processes that answer requests [default: %(default)s]",
        1,
        type=_whole_number(1, _MAX_WORKERS),
    )
    access_log: bool = _flag("write a line for each request to stdout")


@dataclass(frozen=True, kw_only=True)
class PingOptions(CommonOptions):
    """The options of `ping`."""

    all: bool = _flag("notify the hub of every feed, up to date or not")
    wait: int = _option(
        "how long to wait until feeds are public and the hub answers [default: %(default)s]",
        60,
        type=_whole_number(0, _MAX_WAIT_SECONDS),
        metavar="SECONDS",
    )
