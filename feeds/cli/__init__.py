"""The command line: parses arguments, runs a command, and turns errors into messages and exit codes."""

import os
import re
import sys
from argparse import SUPPRESS, ArgumentParser, HelpFormatter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from feeds import __version__
from feeds.cli.commands import COMMANDS, Command, counted
from feeds.errors import CatalogueError, FeedsError, MissingCatalogueError, UsageError, printable

_DESCRIPTION = "Publish a YAML catalogue of news as Atom, RSS and JSON feeds."
# What other programs call the same command.
_SYNONYMS = {
    **dict.fromkeys(("create", "setup", "initialise", "initialize", "quickstart"), "init"),
    **dict.fromkeys(("add", "insert", "post", "entry"), "new"),
    **dict.fromkeys(("validate", "verify", "lint", "test"), "check"),
    **dict.fromkeys(("build", "generate", "make", "render", "write"), "export"),
    **dict.fromkeys(("upload", "deploy", "push", "sync"), "publish"),
    **dict.fromkeys(("run", "server", "start", "preview"), "serve"),
    **dict.fromkeys(("notify", "announce"), "ping"),
    **dict.fromkeys(("ls", "show"), "list"),
}
_OPTION = re.compile(r"--\S+|-[A-Za-z]\S*")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command with these arguments, or with those of the program; raises SystemExit.

    A user's mistake is reported on stderr with exit code 1, or 2 if it is in the
    arguments. A bug keeps its traceback.
    """
    _replace_closed_streams()
    try:
        try:
            _run(sys.argv[1:] if arguments is None else arguments)
        finally:
            # At the interpreter's exit, an error could no longer be reported.
            _flush_stdout()
    except BrokenPipeError:
        # The reader of the output has closed it, as `head` does.
        _discard_stdout()
        sys.exit(1)


def _replace_closed_streams() -> None:
    """Open /dev/null for closed standard streams, or the next file opened would take their place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # never closed


def _flush_stdout() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard_stdout()
        sys.exit(f"feeds: the output cannot be written: {error.strerror}")


def _discard_stdout() -> None:
    """Redirect the rest of the output to /dev/null."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: Sequence[str]) -> None:
    name, *rest = arguments or [""]
    if name not in COMMANDS:
        _reject(name, arguments)
    kind = COMMANDS[name]
    parser = _Parser(
        f"feeds {name}",
        description=_help_of(kind),
        epilog=f"Example: feeds {name} {kind.example}",
    )
    parser.add_options(kind)
    command = parser.parse(rest, kind)
    try:
        command.run()
    except CatalogueError as error:
        print(error, file=sys.stderr)
        notes = [problem for problem in error.problems if problem.note]
        problems = [problem for problem in error.problems if not problem.note]
        counts = [counted(problems, "problem", "problems")] if problems else []
        if notes:
            counts.append(f"{counted(notes, 'note', 'notes')} (refused by --strict)")
        sys.exit(", ".join(counts))
    except UsageError as error:
        parser.error(str(error))
    except MissingCatalogueError as error:
        sys.exit(f"feeds: {error}{_example_for(command.catalogue)}")
    except FeedsError as error:
        sys.exit(f"feeds: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _reject(name: str, arguments: Sequence[str]) -> NoReturn:
    """Print the general help, the version, or what is wrong with arguments that name no command."""
    parser = _Parser("feeds", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"feeds {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND")
    for command, kind in COMMANDS.items():
        summary = _help_of(kind).partition(".")[0]
        commands.add_parser(command, help=summary[0].lower() + summary[1:])
    if name and not name.startswith("-"):
        parser.error(f"unknown command {name!r}{_suggested_command(name)}")
    if name.startswith("--") and {*arguments} & COMMANDS.keys():
        parser.error(f"{name!r} comes after the command, as in: feeds check {name}")
    parser.refuse_unknown(arguments)
    parser.parse_args(arguments)
    parser.error("name a command, as in: feeds check")


def _help_of(command: type[Command]) -> str:
    return " ".join((command.__doc__ or "").split())


def _suggested_command(name: str) -> str:
    """Return `; did you mean …?` for a word that is not a command, or ''."""
    if Path(name).exists():
        return f"; did you mean 'feeds check {name}'?"
    synonym = _SYNONYMS.get(name)
    return f"; did you mean {synonym!r}?" if synonym else _did_you_mean(name, COMMANDS)


def _example_for(missing: Path) -> str:
    """Return the smallest catalogue, to append to a message, or '' if there are other catalogues."""
    if not missing.is_dir() and any(missing.parent.glob("*.y*ml")):
        return ""
    from feeds.catalogue.additions import smallest_catalogue

    url = "https://news.example.org/"
    site = {"title": "Our news", "url": url, "id": "tag:news.example.org,2026:news"}
    example = smallest_catalogue(site, "2026-01-31")
    return f"; 'feeds init' writes one; the smallest catalogue that works:\n\n{example}"


class _Parser(ArgumentParser):
    """Parses the arguments of a command. Options cannot be abbreviated."""

    def __init__(self, prog: str, *, description: str = "", epilog: str = "") -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            allow_abbrev=False,
            # To find the terminal's width, argparse imports a slow module.
            formatter_class=partial(HelpFormatter, width=80),
        )

    def add_options(self, command: type[Command]) -> None:
        """Add an argument for each option, and the catalogue as an argument without a name."""
        kinds = [kind for kind in reversed(command.__mro__) if issubclass(kind, Command)]
        names = dict.fromkeys(name for kind in kinds for name in kind.__annotations__)
        for name in names:
            flag = name if name == command.argument else "--" + name.replace("_", "-")
            self.add_argument(flag, **getattr(command, name))
        self.set_defaults(
            url=os.environ.get("FEEDS_URL") or None, state=os.environ.get("FEEDS_STATE") or None
        )
        # After another argument a catalogue is a mistake; it is parsed to propose the right command.
        text = SUPPRESS if command.argument else "the same as --catalogue CATALOGUE"
        self.add_argument("path", nargs="?", type=Path, metavar="CATALOGUE", help=text)

    def parse(self, arguments: Sequence[str], kind: type[Command]) -> Command:
        """Return a command with its options; raises SystemExit on a mistake."""
        self.refuse_unknown(arguments)
        options = vars(self.parse_args(arguments))
        path, catalogue = options.pop("path"), options["catalogue"]
        if path and "target" in options:
            # The one of the two with the name of a YAML file is the catalogue.
            names = (options["target"], str(path))
            target, name = sorted(names, key=lambda name: name.endswith((".yaml", ".yml")))
            usage = f"{self.prog} {target} --catalogue {name}"
            self.error(f"name the catalogue with --catalogue: {usage}")
        if path and catalogue:
            self.error(f"there are two catalogues: {path}, and --catalogue {catalogue}")
        default = Path(os.environ.get("FEEDS_CATALOGUE") or "entries.yaml")
        return kind(**options | {"catalogue": path or catalogue or default})

    def refuse_unknown(self, arguments: Sequence[str]) -> None:
        """Report an unknown option before others, which may seem to be missing because of it."""
        known = [name for action in self._actions for name in action.option_strings]
        for argument in arguments:
            if argument == "--":
                break
            name = argument.partition("=")[0]
            if _OPTION.fullmatch(name) and name not in known:
                self.error(f"unknown option {name!r}{_did_you_mean(name, known)}")

    def error(self, message: str) -> NoReturn:
        """Print the usage and a message, and exit with code 2."""
        super().error(printable(message))


def _did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` with the most similar choice, or ''."""
    # Needed only after a mistake, and slow to import.
    from difflib import get_close_matches

    matches = get_close_matches(word, [*choices], 1)
    return f"; did you mean {matches[0]!r}?" if matches else ""
