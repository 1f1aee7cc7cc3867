"""Purging of caches: by a request for each URL, path or key, or by a command."""

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
from feeds.model import Site
from feeds.notify.http import RequestError, origin_of, request
from feeds.urls import EVERYTHING, INDEX, surrogate_keys, web_host

_CONCURRENT_REQUESTS = 8
_COMMAND_TIMEOUT_SECONDS = 120
# Far below every system's limit for the arguments of one command.
_ARGUMENTS_PER_COMMAND = 500
_REQUEST = re.compile(r"(?:(?P<method>[A-Z]+) +)?(?P<url>(?:https?://|\{url\}).*)")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_REQUEST_FIELDS = ("url", "path", "key")
_COMMAND_FIELDS = ("urls", "paths", "keys")
_FIELDS = _REQUEST_FIELDS + _COMMAND_FIELDS
# Other braces in a command are literal, as those of JSON.
_PLACEHOLDER_WORD = re.compile(r"\{[a-z]+\}")


class PurgeSet(NamedTuple):
    """What caches are to purge: absolute URLs, and the surrogate keys that cover them all."""

    urls: Sequence[str]
    keys: Sequence[str] = ()

    def values(self, field: str) -> Sequence[str]:
        """Return the values of a placeholder: `url`, `path` or `key`, or the plural of one."""
        if field.startswith("key"):
            return self.keys
        if field.startswith("path"):
            return [urlsplit(url).path or "/" for url in self.urls]
        return self.urls


def purge_set(site: Site, paths: Iterable[str]) -> PurgeSet:
    """Return what caches may hold of these paths; a page is also cached under its folder."""
    urls: list[str] = []
    keys: dict[str, None] = {}
    for path in paths:
        urls.append(site.address(path))
        if path.endswith(INDEX):
            urls.append(site.address(path.removesuffix(INDEX)))
        keys |= dict.fromkeys(key for key in surrogate_keys(path) if key != EVERYTHING)
    return PurgeSet(urls, [*keys])


class PurgeRequests(NamedTuple):
    """A purge by HTTP: a method, and a URL with one placeholder."""

    method: str
    url: str
    field: str

    def run(self, purges: PurgeSet) -> None:
        """Send a request for each value; raises FeedsError if one fails."""
        values = purges.values(self.field)
        is_unreachable = Event()

        def send(value: str) -> str:
            # Thousands of requests would each wait for a cache that does not respond.
            return "not requested" if is_unreachable.is_set() else self._send(value, is_unreachable)

        with ThreadPoolExecutor(_CONCURRENT_REQUESTS) as pool:
            failures = [reason for reason in pool.map(send, values) if reason]
        if failures:
            raise FeedsError(
                f"{len(failures)} of {len(values)} could not be purged, first {failures[0]}"
            )

    def _send(self, value: str, is_unreachable: Event) -> str:
        placeholder = f"{{{self.field}}}"
        # Elsewhere in a URL it is a parameter.
        is_literal = self.url.startswith(placeholder) or self.field == "path"
        url = self.url.replace(placeholder, value if is_literal else quote(value, safe=""))
        try:
            response = request(self.method, url)
        except RequestError as error:
            is_unreachable.set()
            return f"{value}: {error}"
        if response.is_success:
            return ""
        return f"{value}: {origin_of(url)} responds with {response.status}"


class PurgeCommand(NamedTuple):
    """A purge by a command: its words, and the placeholder among them; without one, URLs are its input."""

    words: Sequence[str]
    field: str

    def run(self, purges: PurgeSet) -> None:
        """Run the command, for some hundred values at a time; raises FeedsError if it fails."""
        if not self.field:
            self._run(self.words, "".join(f"{url}\n" for url in purges.urls))
            return
        values = purges.values(self.field)
        at = self.words.index(f"{{{self.field}}}")
        before, after = self.words[:at], self.words[at + 1 :]
        for first in range(0, len(values), _ARGUMENTS_PER_COMMAND):
            some = values[first : first + _ARGUMENTS_PER_COMMAND]
            self._run([*before, *some, *after], "")

    def _run(self, words: Sequence[str], text: str) -> None:
        name = self.words[0]
        try:
            # stdout is for the report.
            with subprocess.Popen(  # noqa: S603  # the webmaster's own
                words, stdin=subprocess.PIPE, stdout=sys.stderr, text=True, start_new_session=True
            ) as process:
                try:
                    process.communicate(text, timeout=_COMMAND_TIMEOUT_SECONDS)
                except BaseException as error:
                    os.killpg(process.pid, signal.SIGKILL)
                    if isinstance(error, subprocess.TimeoutExpired):
                        limit = f"{_COMMAND_TIMEOUT_SECONDS} seconds"
                        raise FeedsError(f"{name} did not finish within {limit}") from None
                    raise
        except OSError as error:
            raise FeedsError(f"{name}: {error.strerror or 'cannot be run'}") from None
        if process.returncode:
            raise FeedsError(f"{name} ended with exit code {process.returncode}")


Purge = PurgeRequests | PurgeCommand


def parse_purge(template: str) -> Purge:
    """Parse the value of `--purge`; raises UsageError if it is neither a request nor a command.

    A request is `[METHOD ]URL` with one of `{url}`, `{path}` and `{key}`. A command's
    words are split as a shell does, without running one; one of them may be
    `{urls}`, `{paths}` or `{keys}`.
    """
    found = _REQUEST.fullmatch(template.strip())
    if found:
        return _parse_request(found["method"] or "PURGE", found["url"])
    try:
        words = shlex.split(template)
    except ValueError as error:
        raise UsageError(f"--purge: {error}") from None
    if not words:
        raise UsageError("--purge: neither a URL nor a command")
    fields = [word[1:-1] for word in words if _PLACEHOLDER_WORD.fullmatch(word)]
    used = [field for word in words for field in _PLACEHOLDER.findall(word) if field in _FIELDS]
    if fields != used or len(fields) > 1 or not {*fields} <= {*_COMMAND_FIELDS}:
        raise UsageError(
            "--purge: a command may have one of {urls}, {paths} and {keys}, as a separate word"
        )
    if not shutil.which(words[0]):
        raise UsageError(f"--purge: there is no program {words[0]!r}; install it, or give its path")
    return PurgeCommand(words, fields[0] if fields else "")


def _parse_request(method: str, url: str) -> PurgeRequests:
    fields = _PLACEHOLDER.findall(url)
    if len(fields) != 1 or fields[0] not in _REQUEST_FIELDS:
        raise UsageError("--purge: a URL needs one of {url}, {path} and {key}")
    example = url.replace(f"{{{fields[0]}}}", "/")
    is_requestable = web_host(example) and "@" not in urlsplit(example).netloc
    if not url.startswith("{") and not is_requestable:
        raise UsageError("--purge: a URL needs a host, and no password; give those to a command")
    return PurgeRequests(method, url, fields[0])
