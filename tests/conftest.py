"""What the tests share: the real parts they run, and how a missing one is told."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from hypothesis import settings

from feeds import Release, load_catalogue
from feeds.model import Catalogue

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "entries.yaml"
CATALOGUES = ROOT / "tests" / "catalogues"
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
_PATIENCE = 20

# The same examples at every run: a red test is the change's own. What is marked
# heavy looks for new ones.
settings.register_profile("feeds", derandomize=True, deadline=None)
settings.load_profile("feeds")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write the golden files anew")


@pytest.fixture(params=[SHIPPED, *sorted(CATALOGUES.iterdir())], ids=lambda path: path.stem)
def catalogue(request: pytest.FixtureRequest) -> Catalogue:
    """Each real catalogue of the repository, in turn."""
    return load_catalogue(request.param)


@pytest.fixture
def release(catalogue: Catalogue) -> Release:
    return Release(catalogue, as_of=AS_OF)


def program(name: str) -> str:
    """Give a program's path; without it the test skips, or fails under CI=true."""
    found = shutil.which(name)
    if found:
        return found
    message = f"{name} is not installed here; .ci/run installs it"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def run(
    *command: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    text: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, bounded in time, and keep what it says; `text` is its stdin."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        input=text,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def run_feeds(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command `feeds` in a process of its own."""
    return run(sys.executable, "-m", "feeds", *arguments, cwd=cwd, env=env)


@pytest.fixture
def served() -> Iterator[Callable[..., str]]:
    """Start `feeds serve` on a free port as often as asked; each is stopped at the end."""
    running: list[subprocess.Popen[bytes]] = []

    def start(catalogue: Path, *options: str) -> str:
        port = free_port()
        command = [sys.executable, "-m", "feeds", "serve", "--catalogue", str(catalogue)]
        running.append(subprocess.Popen([*command, "--port", str(port), *options]))
        url = f"http://127.0.0.1:{port}/"
        wait_for(url, running[-1])
        return url

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.wait(_PATIENCE)


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers, or tell that it ended."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"the server ended with {process.returncode}")
        try:
            with urlopen(url, timeout=2):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    pytest.fail(f"no answer from {url} in {_PATIENCE} s")
