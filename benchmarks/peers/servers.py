"""Servers of a site: what each is given, the command that runs it, and what it answers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from peers import (
    FEEDS,
    Command,
    News,
    catalogue_files,
    hugo_files,
    hugo_program,
    hugo_whole_site,
    one_file,
)
from peers.runs import ENVIRONMENT, family, share

# Seconds between two looks at an answer, and the most that anything is waited for.
PAUSE = 0.01
PATIENCE = 120
# Every process of a server inherits it.
MARK = "BENCHMARK_FOLDER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One way to serve the site: `files` are what an edit changes, by their paths in the input."""

    name: str
    prepare: Callable[[Path, News], None]
    files: Callable[[News], Mapping[str, str]]
    command: Callable[[Path, int], Command]


def servers(installed: Path, *, fast: bool) -> dict[str, Server]:
    """Return all servers, this project's first; Hugo renders what a browser has looked at alone if fast."""
    rendering = [] if fast else ["--disableFastRender"]
    return {
        "feeds": Server(
            name="feeds serve", prepare=one_file, files=catalogue_files, command=_feeds_serve
        ),
        "hugo": Server(
            name="hugo server",
            prepare=hugo_whole_site,
            files=hugo_files,
            command=partial(_hugo_server, hugo_program(installed), rendering),
        ),
    }


def _feeds_serve(folder: Path, port: int) -> Command:
    catalogue = folder / "input" / "catalogue.yaml"
    return [
        *(FEEDS, "serve", "--port", str(port)),
        *("--catalogue", catalogue, "--state", folder / "state"),
    ]


def _hugo_server(program: Path, rendering: Command, folder: Path, port: int) -> Command:
    return [
        *(program, "server", "--noBuildLock", "--disableLiveReload", *rendering),
        *("--source", folder / "input", "--destination", folder / "out"),
        *("--bind", "127.0.0.1", "--port", str(port)),
    ]


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs, since when, and in which folder its files are."""

    process: subprocess.Popen[bytes]
    port: int
    begun: float
    folder: Path

    def first_answer(self, path: str) -> float:
        """Wait until a document is answered; return the seconds since the start."""
        while True:
            try:
                if self.connected().get(path)[0] == 200:  # noqa: PLR2004  # HTTP's OK
                    return time.perf_counter() - self.begun
            except (OSError, HTTPException):
                pass
            if self.process.poll() is not None or time.perf_counter() - self.begun > PATIENCE:
                sys.exit(f"no answer on port {self.port}: see {self.folder / 'log'}")
            time.sleep(PAUSE)

    def until_new(self, paths: Iterable[str], word: str) -> float:
        """Wait until all documents at these paths have a word; return the seconds."""
        begun = time.perf_counter()
        connection, waiting = self.connected(), [*paths]
        while waiting:
            waiting = [path for path in waiting if word.encode() not in connection.get(path)[1]]
            if time.perf_counter() - begun > PATIENCE:
                sys.exit(f"still without {word!r} on port {self.port}: {' '.join(waiting)}")
            time.sleep(PAUSE if waiting else 0)
        return time.perf_counter() - begun

    def polled(self, paths: Iterable[str], seconds: float) -> None:
        """Ask for each path once a second, evenly, for some seconds."""
        connection, paths = self.connected(), [*paths]
        begun = time.monotonic()
        for number in range(round(seconds * len(paths))):
            path = paths[number % len(paths)]
            status, _ = connection.get(path)
            if status != 200:  # noqa: PLR2004  # HTTP's OK
                sys.exit(f"{path} on port {self.port}: status {status}")
            time.sleep(max(0, begun + (number + 1) / len(paths) - time.monotonic()))

    def connected(self) -> "Connection":
        """Return a connection to the server."""
        return Connection(self.port)

    def processes(self) -> set[int]:
        """Return the server's processes: also those that are no longer its children."""
        named = {self.process.pid, *_named(str(self.folder).encode())}
        return {relative for pid in named for relative in family(pid)}

    def memory(self) -> float:
        """Return the megabytes that all processes hold together."""
        return sum(map(share, self.processes())) / 1e6

    def stop(self) -> None:
        """End all processes."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in _named(str(self.folder).encode()):
                _send(pid, number)
            for _ in range(500):
                if not _named(str(self.folder).encode()):
                    return
                time.sleep(PAUSE)


class Connection:
    """A connection that is opened again where the server has closed it."""

    def __init__(self, port: int) -> None:
        self._http = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask for a document; return the status and the bytes."""
        try:
            return self._asked(path)
        except (ConnectionError, HTTPException):
            self._http.close()
            return self._asked(path)

    def _asked(self, path: str) -> tuple[int, bytes]:
        # As a browser: Hugo remembers what those have looked at.
        self._http.request("GET", path, headers={"Accept": "text/html,*/*"})
        answer = self._http.getresponse()
        return answer.status, answer.read()


@contextmanager
def serving(command: Command, folder: Path, port: int) -> Iterator[Running]:
    """Run a server in a folder, and stop it."""
    environment = ENVIRONMENT | {MARK: str(folder)}
    with (folder / "log").open("ab") as log:
        begun = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        running = Running(process, port, begun, folder)
        try:
            yield running
        finally:
            running.stop()


def _named(folder: bytes) -> set[int]:
    """Return the processes whose command line or environment names a folder."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            ended = "State:\tZ" in (process / "status").read_text()
        except OSError:
            # It has just ended, or is another user's.
            continue
        if folder in words and not ended:
            found.add(int(process.name))
    return found - {os.getpid()}


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        # It has just ended.
        return
