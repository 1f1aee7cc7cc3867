"""The command line: what is asked for, exit codes, and where a mistake becomes a message."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from feeds import __version__
from feeds.arguments import add_check, add_export, add_list, add_ping, add_publish, add_serve
from feeds.errors import CatalogueError, FeedsError, MissingCatalogueError, UsageError
from feeds.usage import Parser, meant

if TYPE_CHECKING:
    from feeds.notify.after_publish import AfterPublish
    from feeds.verbs import Given

_DESCRIPTION = "Publish a YAML catalogue of news as Atom, RSS and JSON feeds."
# What other programs call the same.
_SYNONYMS = {
    **dict.fromkeys(("validate", "verify", "lint", "test"), "check"),
    **dict.fromkeys(("build", "generate", "make", "render", "write"), "export"),
    **dict.fromkeys(("upload", "deploy", "push", "sync"), "publish"),
    **dict.fromkeys(("run", "server", "start", "preview"), "serve"),
    **dict.fromkeys(("notify", "announce"), "ping"),
    **dict.fromkeys(("ls", "show"), "list"),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the arguments say, or those of the program; raises SystemExit.

    A user's mistake is shown as its text on stderr, with exit code 1; or 2 where
    it is one in the arguments. A bug keeps its traceback.
    """
    _open_streams()
    try:
        _do(arguments)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        _close_stdout()
        sys.exit(1)
    finally:
        # Not at the interpreter's end, where nobody could say what is wrong.
        _flush()


def _open_streams() -> None:
    """Let what is said to nobody go nowhere: else a file would be opened in its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # for good


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
    asked = sys.argv[1:] if arguments is None else [*arguments]
    parser, words = _parser(asked)
    options = parser.parse(words)
    try:
        options.verb(options)
    except CatalogueError as error:
        # Not before it is needed: that `feeds check` starts at once is a promise.
        from feeds.verbs import counted

        print(error, file=sys.stderr)
        notes = [problem for problem in error.problems if problem.note]
        problems = [problem for problem in error.problems if not problem.note]
        counts = [counted(problems, "problem", "problems")] if problems else []
        counts += [f"{counted(notes, 'note', 'notes')} (refused by --strict)"] if notes else []
        sys.exit(", ".join(counts))
    except UsageError as error:
        parser.error(str(error))
    except MissingCatalogueError as error:
        from feeds.verbs import example_for

        sys.exit(f"feeds: {error}{example_for(_given(options).catalogue)}")
    except FeedsError as error:
        sys.exit(f"feeds: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _parser(asked: Sequence[str]) -> tuple[Parser, Sequence[str]]:
    """Return the parser of the command that is asked for, or else of all, and what it has to parse.

    To prepare for all of them would take as long as what most runs do.
    """
    name, *words = asked or [""]
    if name in _COMMANDS:
        command = _COMMANDS[name]
        parser = Parser(
            f"feeds {name}",
            description=" ".join((command.verb.__doc__ or "").split()),
            epilog=f"Example: feeds {name} {command.example}",
        )
        command.add_arguments(parser)
        parser.set_defaults(verb=command.verb)
        return parser, words
    parser = Parser("feeds", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"feeds {__version__}")
    commands = parser.add_subparsers(metavar="VERB", required=True)
    for other, command in _COMMANDS.items():
        summary = (command.verb.__doc__ or "").partition("\n")[0].rstrip(".")
        commands.add_parser(other, help=summary, description=summary)
    if name and not name.startswith("-"):
        parser.error(f"unknown command {name!r}{_meant(name)}")
    if name.startswith("--") and {*asked} & _COMMANDS.keys():
        parser.error(f"{name!r} comes after the command, as in: feeds check {name}")
    return parser, asked


def _meant(name: str) -> str:
    """Return what a word that is not a command was probably meant to be, or ''."""
    if Path(name).exists():
        return f"; did you mean 'feeds check {name}'?"
    synonym = _SYNONYMS.get(name)
    return f"; did you mean {synonym!r}?" if synonym else meant(name, _COMMANDS)


def _check(options: Namespace) -> None:
    """Tell everything that is wrong in the catalogue, with its line."""
    from feeds.verbs import check

    check(_given(options), strict=options.strict, quiet=options.quiet)


def _list(options: Namespace) -> None:
    """List every feed: its address, title, number of entries, last update."""
    from feeds.verbs import list_feeds

    list_feeds(_given(options), as_json=options.json)


def _export(options: Namespace) -> None:
    """Write every document into FOLDER, leaving identical files untouched."""
    folder = _folder(options)

    from feeds.export.report import Options
    from feeds.exporting import Exporting, export

    how = Options(
        prune=options.prune,
        compress=options.compress,
        force=options.force,
        dry_run=options.dry_run,
        verify=options.verify,
    )
    exporting = Exporting(
        how,
        not options.no_pages,
        options.host,
        options.profile,
        as_json=options.json,
        strict=options.strict,
        quiet=options.quiet,
        after=_after_publish(options),
    )
    export(_given(options), folder, exporting)


def _folder(options: Namespace) -> Path:
    """Return where to export to; raises UsageError where that cannot be a folder."""
    if options.other:
        names = [options.target, options.other]
        file = next((name for name in names if _is_catalogue(name)), names[1])
        names.remove(file)
        raise UsageError(
            f"name the catalogue with --catalogue: feeds export {names[0]} --catalogue {file}"
        )
    scheme, colon, _ = options.target.partition(":/")
    if colon and scheme.isalnum():
        remedy = f"for a bucket: feeds publish {options.target}"
        raise UsageError(f"{options.target!r} is an address, not a folder; {remedy}")
    folder = Path(options.target)
    try:
        found = folder.exists() and not folder.is_dir()
    except (OSError, ValueError) as error:
        raise FeedsError(f"{folder}: {getattr(error, 'strerror', error)}") from None
    if found:
        remedy = f" --catalogue {folder}" if _is_catalogue(options.target) else ""
        raise UsageError(f"{folder} is a file; name a folder to write: feeds export out{remedy}")
    return folder


def _is_catalogue(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))


def _publish(options: Namespace) -> None:
    """Upload every document that changed to a bucket.

    Credentials come from the environment, or from the files of the store's own
    tools. Of two publishers at once one wins, and the other says so.
    """
    if options.other:
        raise UsageError(
            "name the catalogue with --catalogue:"
            f" feeds publish {options.target} --catalogue {options.other}"
        )

    from feeds.export.report import Options
    from feeds.publishing import Publishing, publish

    how = Options(compress=options.compress, force=options.force, dry_run=options.dry_run)
    publishing = Publishing(
        how,
        not options.no_pages,
        options.timeout,
        as_json=options.json,
        strict=options.strict,
        quiet=options.quiet,
        after=_after_publish(options),
    )
    publish(_given(options), options.target, publishing)


def _serve(options: Namespace) -> None:
    """Serve every document over HTTP, until interrupted.

    A change of the catalogue is published within two seconds; a broken one is
    logged, and changes nothing. Without --url, addresses in the documents are
    those of this very server; or those of the catalogue, where it listens on
    all of a machine's addresses.
    """
    from feeds.verbs import serve

    serve(
        _given(options),
        options.host,
        options.port,
        workers=options.workers,
        access_log=options.access_log,
    )


def _after_publish(options: Namespace) -> "AfterPublish | None":
    if not options.purge and not options.ping:
        return None
    from feeds.notify.after_publish import AfterPublish
    from feeds.notify.purge import parse_purge

    purge = parse_purge(options.purge) if options.purge else None
    return AfterPublish(purge, options.ping, _given(options).folder)


def _ping(options: Namespace) -> None:
    """Notify the hub of the feeds that it does not know as they are now.

    Each feed is notified once its public URL gives the bytes of the catalogue, so
    this can be run right after an upload.
    """
    from feeds.pinging import ping_hub

    ping_hub(_given(options), every=options.all, seconds=options.wait)


def _given(options: Namespace) -> "Given":
    from feeds.verbs import Given

    path = getattr(options, "path", None)
    if path and options.catalogue:
        raise UsageError(f"there are two catalogues: {path}, and --catalogue {options.catalogue}")
    default = Path(os.environ.get("FEEDS_CATALOGUE") or "entries.yaml")
    return Given(path or options.catalogue or default, options.url, options.state)


class _Command(NamedTuple):
    """A command: what does it, what adds its arguments, and an example."""

    verb: Callable[[Namespace], None]
    add_arguments: Callable[[Parser], None]
    example: str


_COMMANDS = {
    "check": _Command(_check, add_check, "entries.yaml"),
    "list": _Command(_list, add_list, "entries.yaml --json"),
    "export": _Command(_export, add_export, "out --catalogue entries.yaml --compress --host nginx"),
    "publish": _Command(_publish, add_publish, "s3://bucket/news --catalogue entries.yaml"),
    "serve": _Command(_serve, add_serve, "entries.yaml --port 8000"),
    "ping": _Command(_ping, add_ping, "entries.yaml --url https://news.example.org/"),
}
