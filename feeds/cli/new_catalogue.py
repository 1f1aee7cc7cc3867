"""The command `init`: writes a new catalogue, of what the options say or the user answers."""

import os
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shlex import quote
from typing import NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from feeds.catalogue import read_catalogue
from feeds.catalogue.additions import checked_text, smallest_catalogue
from feeds.catalogue.known_keys import SILENT, Suggester
from feeds.catalogue.reader import InvalidValue, ValueWarning
from feeds.catalogue.site import time_zone
from feeds.catalogue.text_fields import language_tag, line
from feeds.catalogue.web_addresses import site_address
from feeds.cli.commands import Init, print_message, print_result
from feeds.errors import FeedsError, UsageError, printable
from feeds.storage import CATALOGUE, STATE, catalogue_files, create_file, new_catalogue_file

_MAX_ATTEMPTS = 3
_ENTRIES = re.compile(rb"^entries:", re.MULTILINE)
_ADD = '# To add an entry, run: feeds new "A title"\n'
# What an export writes, and the state without the history, do not belong in a repository.
_IGNORED = f"/out/\n/{STATE}/*\n!/{STATE}/history.tsv\n"


class Question(NamedTuple):
    """A field of the site: its option, how it is asked for, and how an answer is checked.

    `default` returns an answer from those before; '' if there is none.
    """

    option: str
    text: str
    convert: Callable[[str], object]
    default: Callable[[Mapping[str, str]], str] = lambda _: ""


def init(options: Init) -> None:
    """Write a catalogue with a first entry, where there is none."""
    file = _file(options.catalogue)
    answers = _answers(options)
    now = datetime.now(UTC)
    today = now.astimezone(ZoneInfo(answers["timezone"])).date()
    host = urlsplit(site_address(answers["url"])).hostname or ""
    authority = re.sub("[^a-z0-9.-]", "", host).strip(".-") or "localhost"
    site = {name: answers[name] for name in ("title", "url")}
    site |= {"id": f"tag:{authority},{today.year}:news"} | answers
    data = (_ADD + smallest_catalogue(site, today.isoformat())).encode()
    read_catalogue([(str(file), data)], as_of=now, strict=True)
    create_file(file, data)
    _ignore(file.parent / ".gitignore")
    print_result(printable(f"{file}: written, with a first entry") + f". Next:\n{_next(file)}")


def _file(path: Path) -> Path:
    """Return the file to write; raises FeedsError if there is one, or another catalogue beside it."""
    try:
        file = new_catalogue_file(path)
        if file.exists():
            raise FeedsError(f"{file}: is there already; nothing is written")
        folder = next(parent for parent in file.parents if parent.exists())
        if not folder.is_dir():
            raise FeedsError(f"{folder}: is not a folder; nothing is written")
        for other in catalogue_files(folder) if folder == file.parent else ():
            if _ENTRIES.search(other.read_bytes()):
                raise FeedsError(f"{other}: is a catalogue already; nothing is written")
    except OSError as error:
        raise FeedsError(f"{error.filename}: {error.strerror}; nothing is written") from None
    except ValueError:
        raise UsageError(f"{str(path)!r} is not a valid file name") from None
    return file


def _ignore(file: Path) -> None:
    """Add the lines to a `.gitignore`, unless it has any about the state; raises FeedsError."""
    try:
        before = file.read_text("utf-8", "replace") if file.exists() else ""
        if STATE not in before:
            end = "" if before.endswith("\n") or not before else "\n"
            with file.open("a", encoding="utf-8") as opened:
                opened.write(end + _IGNORED)
    except OSError as error:
        raise FeedsError(f"{file}: {error.strerror}") from None


def _next(file: Path) -> str:
    """Return the commands to run next."""
    folder, name = str(file.parent), quote(file.name)
    argument, option = (f" {name}", f" --catalogue {name}") if file.name != CATALOGUE else ("", "")
    commands = [f"cd {quote(folder)}"] if folder != "." else []
    commands += [
        f"feeds check{argument}",
        f"feeds serve{argument}",
        f'feeds new "A title"{option}',
        f"feeds export out{option}",
    ]
    return "\n".join(f"  {printable(command)}" for command in commands)


def _answers(options: Init) -> dict[str, str]:
    """Return the value of each question; raises UsageError for an option that is wrong or missing."""
    given = {question: getattr(options, question.option) for question in _QUESTIONS}
    for question, text in given.items():
        if text is not None and (fault := _fault(question, text)):
            raise UsageError(f"--{question.option}: {fault}")
    missing = [f"--{question.option}" for question in _REQUIRED if given[question] is None]
    if missing and not sys.stdin.isatty():
        raise UsageError(f"without a terminal, {' and '.join(missing)} must be given")
    answers: dict[str, str] = {}
    for question, text in given.items():
        default = question.default(answers)
        answer = text or (_ask(question, default) if missing else default)
        answers[question.option] = answer.strip()
    return answers


def _ask(question: Question, default: str) -> str:
    """Return the answer to a question; raises FeedsError if there is none that is valid."""
    for _ in range(_MAX_ATTEMPTS):
        prompt = f"{question.text} [{default}]: " if default else f"{question.text}: "
        print(printable(prompt), end="", file=sys.stderr, flush=True)
        try:
            text = sys.stdin.readline()
        except UnicodeDecodeError:
            print_message("The answer is not in the encoding of the terminal.")
            continue
        if not text:
            print(file=sys.stderr)
            raise FeedsError("there is no answer; nothing is written")
        answer = text.strip() or default
        fault = _fault(question, answer)
        if not fault:
            return answer
        print_message(f"{answer!r} {fault}")
    raise FeedsError("there is no valid answer; nothing is written")


def _fault(question: Question, text: str) -> str:
    """Return what is wrong with a value, or ''."""
    try:
        checked_text(text, question.convert)
    except (InvalidValue, ValueWarning) as fault:
        return str(fault)
    return ""


def _language(_: object) -> str:
    """Return the language of the environment."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, names), "").partition(".")[0].partition("@")[0]
    with suppress(InvalidValue, ValueWarning):
        return language_tag(locale.replace("_", "-"))
    return "en"


def _zone(_: object) -> str:
    """Return the time zone of the machine."""
    of_machine = os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    for name in (os.environ.get("TZ", "").removeprefix(":"), of_machine):
        with suppress(InvalidValue):
            return time_zone(SILENT, name).key
    return "UTC"


_REQUIRED = (
    Question("title", "Title of the site", line),
    Question("url", "Its address, such as https://news.example.org/", site_address),
)
_QUESTIONS = (
    *_REQUIRED,
    Question("language", "Language", language_tag, _language),
    Question("timezone", "Time zone", partial(time_zone, Suggester()), _zone),
    Question("author", "Name of the publisher", line, lambda answers: answers["title"]),
)
