"""When any process of a server dies or stops at any moment, no answer is wrong, and the server recovers."""

import gzip
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPMessage
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import PATIENCE, ROOT, free_port, shortened, wait_until
from processes import build_processes, children

ROUNDS = 25
DISTURBANCES = 2
WORKERS = 2
CLIENTS = 4
TITLE = "Actuary or actor?"
FEW = ("actuary-or-actor", "indonesia-united-kingdom-employment-service")
PATHS = ("atom.xml", "rss.xml", "feed.json", "index.html", "entries/actuary-or-actor/", "style.css")
# The newest edit is served so many seconds after all processes can work again.
SERVED = 5
# What stops a build process, or an edit that is not served, is known to `/healthz` after
# so many seconds: that the process shows no sign of life takes five.
HONEST = 8
# After so many seconds without a sign of life, a build process is soon taken for stopped.
SILENT = 4
# A process of Python that has imported the server takes so many seconds, where nothing else runs.
QUIET = 0.6
# In each so many rounds the build process is stopped for so long that it is known.
LONG = 6


class Answer(NamedTuple):
    """A response."""

    status: int
    headers: HTTPMessage
    body: bytes


class Site:
    """A server that is started again whenever it ends, and the state of its catalogue."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.file = folder / "entries.yaml"
        self.wrong: list[str] = []
        self.over = threading.Event()
        # The number of the newest good edit, and of the newest one that all workers have served.
        self.newest = self.floor = 0
        # When each secret may be known.
        self.secrets: dict[str, datetime] = {}
        # Since when the site may be behind its catalogue, and since when that is broken.
        self.behind_since: float | None = None
        self.broken = False
        self.last_signal = time.monotonic()
        # The number of the period without a dead or a stopped process; 0 in any other.
        self.calm = 0
        self.signals = 0
        self._calms = 0
        self._chance = chance
        self._folder = folder
        self._port = free_port()
        self._stopped: list[int] = []
        self.edit()
        self._start()

    def _start(self) -> float:
        """Start the server until it has the address, and return when it was started.

        Workers of the one before may still have the address, and answer: what the server
        itself writes is waited for.
        """
        command = [
            *(sys.executable, "-m", "feeds", "serve", "--workers", str(WORKERS)),
            *("--port", str(self._port), "--catalogue", str(self.file)),
            *("--state", str(self._folder / "state")),
        ]
        end = time.monotonic() + PATIENCE
        while True:
            begun = time.monotonic()
            with (self._folder / "log").open("ab") as log:
                before = log.tell()
                self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
            while self.process.poll() is None:
                if b"\nServing at " in b"\n" + (self._folder / "log").read_bytes()[before:]:
                    return begun
                time.sleep(0.05)
            assert time.monotonic() < end
            time.sleep(0.1)

    def close(self) -> None:
        self.resume()
        self.process.terminate()
        self.process.wait(PATIENCE)

    def log(self) -> str:
        return (self._folder / "log").read_text()

    def ask(self, path: str, **headers: str) -> Answer:
        """Send a request on a new connection; raises OSError or HTTPException."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("GET", f"/{path}", headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def edit(self, *, broken: bool = False, secret: float = 0) -> None:
        """Write the catalogue: another title, a mistake, or an entry under embargo for some seconds."""
        number = self.newest + 1
        text = shortened(*FEW).replace(TITLE, f"Edition {number}.")
        if secret:
            moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=secret)
            name = f"Secret {number}."
            self.secrets[name] = moment
            text += (
                f"\n- {{id: s{number}, title: '{name}', date: {moment.isoformat()}, summary: S}}\n"
            )
        if broken:
            self.broken = True
            text += "\n- id: ["
        self.behind_since = self.behind_since or time.monotonic()
        new = self.file.with_suffix(".new")
        new.write_text(text)
        if not broken:
            self.newest = number
        new.replace(self.file)

    def stop_building(self) -> str:
        """Stop the build process, and return what was done."""
        builders = build_processes(self.file)
        for pid in builders:
            os.kill(pid, signal.SIGSTOP)
        self._stopped += builders
        self.last_signal = time.monotonic()
        self.signals += 1
        return "a long SIGSTOP to the build process"

    def disturb(self) -> str:
        """Kill or stop some processes, and return what was done."""
        parent = [self.process.pid]
        with suppress(OSError):
            workers = children(self.process.pid)
            builders = build_processes(self.file)
            kinds = {
                "parent": parent,
                "a worker": workers[:1],
                "the workers": workers,
                "the build process": builders,
                "all": [*parent, *workers, *builders],
            }
            weights = (2, 3, 2, 6, 1)
            [kind] = self._chance.choices([*kinds], weights)
            number = self._chance.choice((signal.SIGKILL, signal.SIGSTOP))
            for pid in kinds[kind]:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
                    if number == signal.SIGSTOP:
                        self._stopped.append(pid)
            self.last_signal = time.monotonic()
            self.signals += 1
            return f"{number.name} to {kind}"
        return "nothing"

    @property
    def is_stopped(self) -> bool:
        return bool(self._stopped)

    def resume(self) -> None:
        """Resume all processes."""
        for pid in self._stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._stopped.clear()
        self.last_signal = time.monotonic()

    def revive(self) -> None:
        """Restart the server if it ended, as a service manager does.

        A parent whose workers were killed too soon after each other ends, too, a little later.
        """
        if self.process.poll() is not None:
            self.last_signal = self._start()

    def is_ending(self) -> bool:
        """Return whether the server ends within seconds, as it does when its workers die too often."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(SERVED)
            return True
        return False

    def silence(self) -> float:
        """Return how many seconds ago the build process updated its sign of life."""
        locks = [*self._folder.glob("state/site-*/build.lock")]
        return time.time() - max((lock.stat().st_mtime for lock in locks), default=0)

    def calm_down(self) -> None:
        self._calms += 1
        self.calm = self._calms

    def everywhere(self, holds: Callable[[Answer], bool], path: str = "atom.xml") -> bool:
        """Return whether enough answers in a row to cover all workers are right."""
        try:
            return all(holds(self.ask(path)) for _ in range(20))
        except (OSError, HTTPException):
            return False


def poll(site: Site, chance: random.Random) -> int:
    """Request documents until the end, and record wrong answers; return the number of answers."""
    known: dict[str, str] = {}
    count = 0
    while not site.over.is_set():
        path, coding = chance.choice(PATHS), chance.choice(("gzip", "identity"))
        calm, floor = site.calm, site.floor
        headers = {"Accept-Encoding": coding, "If-None-Match": known.get(path, "")}
        try:
            answer = site.ask(path, **headers)
        except (OSError, HTTPException) as error:
            if calm and calm == site.calm and not site.is_ending():
                site.wrong.append(f"{path}: {error!r} though nothing was disturbed")
            time.sleep(0.05)
            continue
        now = datetime.now(UTC)
        count += 1
        if answer.status not in {200, 304}:
            site.wrong.append(f"{path}: {answer.status} {answer.body[:100]!r}")
        if answer.status == 200:
            known[path] = str(answer.headers["ETag"])
            site.wrong += [f"{path}: {fault}" for fault in faults(site, path, answer, now, floor)]
        time.sleep(0.02)
    return count


def faults(site: Site, path: str, answer: Answer, now: datetime, floor: int) -> Iterator[str]:
    """Yield what is wrong with an answer at a moment, after all workers served an edit."""
    body = answer.body
    if answer.headers["Content-Encoding"] == "gzip":
        body = gzip.decompress(body)
    if answer.headers["ETag"].removeprefix("W/") != f'"{sha256(body).hexdigest()[:32]}"':
        yield "the body does not match its ETag"
    for number in map(int, re.findall(rb"Edition (\d+)\.", body)):
        if not floor <= number <= site.newest:
            yield f"edition {number}, while {floor} to {site.newest} may be served"
    if path == "atom.xml" and b"Edition " not in body:
        yield "has no edition"
    for secret in re.findall(rb"Secret \d+\.", body):
        if now < site.secrets[secret.decode()]:
            yield f"{secret.decode()} came at {now}, before its embargo ended"


def monitor(site: Site) -> dict[str, int]:
    """Request `/healthz` until the end, and record wrong reports; return how often each status was reported."""
    said: dict[str, int] = {}
    while not site.over.is_set():
        time.sleep(0.1)
        before, began, silence = truth(site), time.monotonic(), site.silence()
        try:
            answer = site.ask("healthz")
        except (OSError, HTTPException):
            continue
        reported = json.loads(answer.body)
        said[reported["status"]] = said.get(reported["status"], 0) + 1
        if answer.status != 200 or not reported["release"]:
            site.wrong.append(f"healthz: {answer.status} {reported}")
        if before != truth(site):
            continue
        behind_since, last_signal, broken, calm = before
        if reported["status"] == "ok" and behind_since:
            since = max(behind_since, last_signal)
            if began - since > HONEST * slowness():
                site.wrong.append(f"healthz: ok, though behind for {began - since:.1f} s")
        # A process that gets no time on a busy machine shows no sign of life: that is said, too.
        is_well = calm and not broken and not behind_since and silence < SILENT
        if reported["status"] == "degraded" and is_well:
            site.wrong.append(f"healthz: {reported}, though all is well")
    return said


def truth(site: Site) -> tuple[float | None, float, bool, int]:
    return site.behind_since, site.last_signal, site.broken, site.calm


_SLOWNESS = [1.0]


def slowness() -> float:
    """Return how many times slower than an idle machine this one was recently."""
    return _SLOWNESS[0]


def measure() -> None:
    """Measure how slow this machine is now."""
    begun = time.monotonic()
    command = [sys.executable, "-c", "import feeds.server.build_process, babel.dates, jinja2"]
    subprocess.run(command, cwd=ROOT, check=True)
    _SLOWNESS[0] = max(1.0, (time.monotonic() - begun) / QUIET)


@contextmanager
def under_load(site: Site, seed: int) -> Iterator[None]:
    """Send requests from clients and a monitor meanwhile; fail with what was wrong."""
    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        clients = [
            pool.submit(poll, site, random.Random(f"{seed} {number}"))  # noqa: S311  # of a test
            for number in range(CLIENTS)
        ]
        monitoring = pool.submit(monitor, site)
        try:
            yield
        finally:
            site.over.set()
        answers = [client.result(PATIENCE) for client in clients]
        said = monitoring.result(PATIENCE)
        # First, because what is wrong ends the test before there are many answers.
        assert not site.wrong, site.wrong[:10]
        assert min(answers) > ROUNDS
        assert said["ok"] > ROUNDS
        assert said["degraded"] > 0


def settle(site: Site, recovered: float, what: str) -> None:
    """Wait until the newest valid edit is served, and `/healthz` reports the right status.

    All processes could work again since `recovered`, or since the server was started again.
    """
    newest = f"Edition {site.newest}.".encode()
    measure()

    def is_served() -> bool:
        site.revive()
        return site.everywhere(lambda answer: newest in answer.body)

    wait_until(is_served)
    took = time.monotonic() - max(recovered, site.last_signal)
    print(f"{what}: {took:.1f} s, on a machine {slowness():.1f} times as slow")  # noqa: T201
    assert took < SERVED * slowness(), f"{what}: the newest edit was served after {took:.1f} s"
    site.floor = site.newest
    expected = b'"degraded"' if site.broken else b'"ok"'
    wait_until(lambda: site.everywhere(lambda answer: expected in answer.body, "healthz"))
    if not site.broken:
        site.behind_since = None
    site.calm_down()


@pytest.mark.heavy
def test_whatever_dies_at_whatever_moment_all_goes_on(tmp_path: Path) -> None:
    """A server whose processes are killed and stopped 50 times under load and edits sends no wrong and no late answer."""
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")  # noqa: T201  # pytest shows it where the test fails
    chance = random.Random(seed)  # noqa: S311  # of a test
    site = Site(tmp_path, chance)
    try:
        wait_until(lambda: site.everywhere(lambda answer: answer.status == 200))
        settle(site, time.monotonic(), "at the start")
        with under_load(site, seed):
            for number in range(ROUNDS):
                live_through(site, chance, number)
                if site.wrong:
                    break
        assert site.signals >= ROUNDS * DISTURBANCES * 0.9
        log = site.log()
        assert " event=bug " not in log
        assert "Traceback" not in log
        assert not re.search(" event=(damaged-|no-)", log)
    finally:
        print(site.log()[-5000:])  # noqa: T201
        site.close()
    wait_until(lambda: not build_processes(site.file))


def live_through(site: Site, chance: random.Random, number: int) -> None:
    """Edit, disturb twice, recover, and check the state."""
    kind = chance.choices(("good", "broken", "secret"), (6, 3, 3))[0]
    secret = chance.choice((2, 3, 5)) if kind == "secret" else 0
    site.edit(broken=kind == "broken", secret=secret)
    done = []
    if number % LONG == LONG - 1:
        site.calm = 0
        wait_until(lambda: build_processes(site.file))
        done.append(site.stop_building())
        wait_until(lambda: site.everywhere(lambda answer: b'"degraded"' in answer.body, "healthz"))
        known = time.monotonic() - site.last_signal
        assert known < HONEST * slowness(), f"a stopped build process was known in {known:.1f} s"
    while len(done) < DISTURBANCES:
        time.sleep(chance.uniform(0, 1.5))
        site.calm = 0
        done.append(site.disturb())
    if site.is_stopped:
        time.sleep(chance.uniform(0.1, 2))
    site.resume()
    what = f"round {number}, {kind}, {' and '.join(done)}"
    if kind == "broken":
        settle(site, site.last_signal, what)
        site.edit()
        site.broken = False
    settle(site, time.monotonic() if kind == "broken" else site.last_signal, what)
    if secret:
        name = f"Secret {site.newest}."
        left = (site.secrets[name] - datetime.now(UTC)).total_seconds()
        time.sleep(max(left, 0))
        late = wait_until(lambda: site.everywhere(lambda answer: name.encode() in answer.body))
        assert late < SERVED * slowness(), f"{what}: the embargo ended {late:.1f} s late"
