"""Tells caches to forget what has changed: by a command, or by a request for each address or key."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from feeds.errors import FeedsError, UsageError
from feeds.keys import EVERYTHING, keys_of
from feeds.model import Site
from feeds.notify.http import UnreachedError, ask, host_of
from feeds.paths import INDEX

# Requests at once.
_AT_ONCE = 8
# How long the command may take for all it is given, in seconds.
_PATIENCE = 120
# Far below what any system takes as arguments of one command.
_ARGUMENTS = 500
_REQUEST = re.compile(r"(?:(?P<method>[A-Z]+) +)?(?P<address>(?:https?://|\{url\}).*)")
_FIELD = re.compile(r"\{([^{}]*)\}")
_FIELDS = ("url", "path", "key")
_LISTS = ("urls", "paths", "keys")
_NAMED = {*_FIELDS, *_LISTS}
# Any other braces in a command are its own, as those of JSON are.
_WORD = re.compile(r"\{[a-z]+\}")


class Stale(NamedTuple):
    """What caches are to forget: absolute addresses, and the keys that take them all."""

    addresses: Sequence[str]
    keys: Sequence[str] = ()

    def named(self, field: str) -> list[str]:
        """Give what stands for a placeholder, `url`, `path` or `key`, one after the other."""
        if field.startswith("key"):
            return [*self.keys]
        if field.startswith("path"):
            return [urlsplit(address).path or "/" for address in self.addresses]
        return [*self.addresses]


def stale_of(site: Site, paths: Iterable[str]) -> Stale:
    """Give what caches hold of these paths; a page also answers for its folder."""
    addresses: list[str] = []
    keys: dict[str, None] = {}
    for path in paths:
        addresses.append(site.address(path))
        if path.endswith(INDEX):
            addresses.append(site.address(path.removesuffix(INDEX)))
        keys |= dict.fromkeys(key for key in keys_of(path) if key != EVERYTHING)
    return Stale(addresses, [*keys])


class Requests(NamedTuple):
    """A purge by HTTP: a method, and an address with one placeholder."""

    method: str
    address: str
    field: str

    def __call__(self, stale: Stale) -> None:
        """Ask for each address or key; raises FeedsError where one is not taken."""
        things = stale.named(self.field)
        unreached = Event()

        def ask_unless_unreached(thing: str) -> str:
            # A cache that does not answer would take its time for each of thousands.
            return "not asked" if unreached.is_set() else self._ask(thing, unreached)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            failures = [reason for reason in pool.map(ask_unless_unreached, things) if reason]
        if failures:
            raise FeedsError(
                f"{len(failures)} of {len(things)} could not be purged, first {failures[0]}"
            )

    def _ask(self, thing: str, unreached: Event) -> str:
        placeholder = f"{{{self.field}}}"
        # Within another address it is a value; at the head of one, and as a path, it is the address.
        whole = self.address.startswith(placeholder) or self.field == "path"
        address = self.address.replace(placeholder, thing if whole else quote(thing, safe=""))
        try:
            answer = ask(self.method, address)
        except UnreachedError as error:
            unreached.set()
            return f"{thing}: {error}"
        return "" if answer.good else f"{thing}: {host_of(address)} answers {answer.status}"


class Command(NamedTuple):
    """A purge by a program: words, of which one may stand for many; else addresses are its input."""

    words: Sequence[str]
    field: str

    def __call__(self, stale: Stale) -> None:
        """Run it, for some hundred at a time; raises FeedsError where it does not end well."""
        if not self.field:
            self._run(self.words, "".join(f"{address}\n" for address in stale.addresses))
            return
        things = stale.named(self.field)
        for first in range(0, len(things), _ARGUMENTS):
            some = things[first : first + _ARGUMENTS]
            self._run(list(_expanded(self.words, f"{{{self.field}}}", some)), "")

    def _run(self, words: Sequence[str], text: str) -> None:
        name = self.words[0]
        try:
            # What it prints is no part of our result.
            with subprocess.Popen(  # noqa: S603  # the webmaster's own
                words, stdin=subprocess.PIPE, stdout=sys.stderr, text=True, start_new_session=True
            ) as process:
                try:
                    process.communicate(text, timeout=_PATIENCE)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    raise FeedsError(f"{name} was not done in {_PATIENCE} seconds") from None
                except BaseException:
                    os.killpg(process.pid, signal.SIGKILL)
                    raise
        except OSError as error:
            raise FeedsError(f"{name}: {error.strerror or 'cannot be run'}") from None
        if process.returncode:
            raise FeedsError(f"{name} ended with exit code {process.returncode}")


Purge = Requests | Command


def parse_purge(template: str) -> Purge:
    """Read what a webmaster wrote; raises UsageError where it is neither a request nor a command.

    A request is `[METHOD ]ADDRESS` with one of `{url}`, `{path}` and `{key}`; a
    command's words are split as a shell does it, without being given to one,
    and one of them may be `{urls}`, `{paths}` or `{keys}`.
    """
    request = _REQUEST.fullmatch(template.strip())
    if request:
        return _request(request["method"] or "PURGE", request["address"])
    try:
        words = shlex.split(template)
    except ValueError as error:
        raise UsageError(f"--purge: {error}") from None
    if not words:
        raise UsageError("--purge: neither an address nor a command")
    found = [word[1:-1] for word in words if _WORD.fullmatch(word)]
    named = [field for word in words for field in _FIELD.findall(word) if field in _NAMED]
    if found != named or len(found) > 1 or not {*found} <= {*_LISTS}:
        raise UsageError(
            "--purge: a command has one of {urls}, {paths} and {keys} as a word of its own, or none"
        )
    if not shutil.which(words[0]):
        raise UsageError(f"--purge: there is no program {words[0]!r}; install it, or give its path")
    return Command(words, found[0] if found else "")


def _request(method: str, address: str) -> Requests:
    fields = _FIELD.findall(address)
    if len(fields) != 1 or fields[0] not in _FIELDS:
        raise UsageError("--purge: an address has one of {url}, {path} and {key}")
    if not address.startswith("{") and not _may_be_asked(address.replace(f"{{{fields[0]}}}", "/")):
        raise UsageError("--purge: an address has a host, and no password; give those to a command")
    return Requests(method, address, fields[0])


def _may_be_asked(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False


def _expanded(words: Iterable[str], placeholder: str, things: Sequence[str]) -> Iterable[str]:
    for word in words:
        yield from things if word == placeholder else [word]
