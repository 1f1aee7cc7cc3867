"""The command line: what is asked for, exit codes, and where a mistake becomes a message."""

import os
import sys
from argparse import ArgumentParser, HelpFormatter, Namespace
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from feeds import __version__
from feeds.arguments import add_check, add_export, add_list, add_ping, add_publish, add_serve
from feeds.errors import CatalogueError, FeedsError

if TYPE_CHECKING:
    from feeds.after.afterwards import Afterwards
    from feeds.verbs import Given

_DESCRIPTION = "Publish a YAML catalogue of news as Atom, RSS and JSON feeds."
# A terminal's width is asked for with each argument, by a module that is slow to load.
_Help = partial(HelpFormatter, width=80)


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
    asked = sys.argv[1:] if arguments is None else arguments
    options = _parser(asked).parse_args(asked)
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
    except FeedsError as error:
        sys.exit(f"feeds: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _parser(asked: Sequence[str]) -> ArgumentParser:
    """Give a parser of the verb that is asked for, or else of all.

    To prepare for all of them would take as long as what most runs do.
    """
    parser = ArgumentParser(
        prog="feeds", description=_DESCRIPTION, allow_abbrev=False, formatter_class=_Help
    )
    parser.add_argument("--version", action="version", version=f"feeds {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    arguments = {
        "check": (_check, add_check),
        "list": (_list, add_list),
        "export": (_export, add_export),
        "publish": (_publish, add_publish),
        "serve": (_serve, add_serve),
        "ping": (_ping, add_ping),
    }
    for name in set(asked[:1]) & arguments.keys() or arguments:
        verb, add_arguments = arguments[name]
        text = verb.__doc__ or ""
        added = verbs.add_parser(
            name,
            help=text.partition("\n")[0].rstrip("."),
            description=" ".join(text.split()),
            allow_abbrev=False,
            formatter_class=_Help,
        )
        added.set_defaults(verb=verb)
        add_arguments(added)
    return parser


def _check(options: Namespace) -> None:
    """Tell everything that is wrong in the catalogue, with its line."""
    from feeds.verbs import check

    check(_given(options), strict=options.strict)


def _list(options: Namespace) -> None:
    """List every feed: its address, title, number of entries, last update."""
    from feeds.verbs import list_feeds

    list_feeds(_given(options), as_json=options.json)


def _export(options: Namespace) -> None:
    """Write every document into FOLDER, leaving identical files untouched."""
    from feeds.export.report import Options
    from feeds.exporting import Exporting, export

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
        strict=options.strict,
        after=_afterwards(options),
    )
    export(_given(options), options.folder, exporting)


def _publish(options: Namespace) -> None:
    """Upload every document that changed to a bucket.

    Credentials come from the environment, or from the files of the store's own
    tools. Of two publishers at once one wins, and the other says so.
    """
    from feeds.export.report import Options
    from feeds.publishing import Publishing, publish

    how = Options(compress=options.compress, force=options.force, dry_run=options.dry_run)
    publishing = Publishing(
        how,
        not options.no_pages,
        options.timeout,
        as_json=options.json,
        strict=options.strict,
        after=_afterwards(options),
    )
    publish(_given(options), options.address, publishing)


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

    return Afterwards(options.purge, _given(options).folder, ping=options.ping)


def _ping(options: Namespace) -> None:
    """Tell the hub of the feeds that it does not know as they are now.

    A feed's turn comes when its public address gives what the catalogue says:
    so it can be used right after an upload.
    """
    from feeds.pinging import ping_hub

    ping_hub(_given(options), every=options.all, seconds=options.wait)


def _given(options: Namespace) -> "Given":
    from feeds.verbs import Given

    return Given(options.catalogue, options.url, options.state)
