"""Shared by the tests: the real programs they run, and how a missing one is reported."""

import gc
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
from forking import run_forked
from hypothesis import settings
from processes import build_processes

from feeds import Catalogue, Release, build_release, load_catalogue

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "entries.yaml"
CATALOGUES = ROOT / "tests" / "catalogues"
MEDIA = ROOT / "tests" / "media"
# The folder in which an export keeps what is its own.
EXPORT_FOLDER = ".feeds-export"
FOLDER_MANIFEST = f"{EXPORT_FOLDER}/manifest.tsv"
# What `feeds export --host` can configure; each has its folder of golden files.
EXPORT_HOSTS = sorted(
    path.name for path in (ROOT / "tests" / "golden-hosts").iterdir() if path.is_dir()
)
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
# A file system in memory. Tests write some hundred thousand files, and wait for each that is
# synchronised; --basetemp=FOLDER writes them to a folder instead, and keeps them.
MEMORY = Path("/dev/shm")  # noqa: S108  # a new folder in it
ROOM = 4 << 30  # bytes
# How long a test waits before it says that something hangs: it measures no speed.
PATIENCE = 60
_NUMBERS = count()

# In the background ctrl-C is ignored, and would be by every program that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples at every run: a red test is the change's own. What is marked
# heavy looks for new ones.
settings.register_profile("feeds", derandomize=True, deadline=None)
settings.load_profile("feeds")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="rewrite the golden files")
    parser.addoption(
        "--screenshots", action="store_true", help="keep pictures of pages in tests/screenshots/"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--screenshots"):
        os.environ["SCREENSHOTS"] = str(ROOT / "tests" / "screenshots")
    # A worker gets a folder in that of the process that starts it.
    if not config.option.basetemp and not hasattr(config, "workerinput") and has_room(MEMORY):
        folder = mkdtemp(prefix="feeds-tests-", dir=MEMORY)
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        config.option.basetemp = folder


def pytest_collection_finish() -> None:
    """Let the garbage collector examine only what tests make, and not some thousand tests each time."""
    gc.collect()
    gc.freeze()


def has_room(folder: Path) -> bool:
    """Return whether the files of all tests may be in a folder, and programs be run there."""
    if not os.access(folder, os.W_OK):
        return False
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize > ROOM and not found.f_flag & os.ST_NOEXEC


@pytest.fixture(params=[SHIPPED, *sorted(CATALOGUES.glob("*.yaml"))], ids=lambda path: path.stem)
def source(request: pytest.FixtureRequest) -> Path:
    """Each real catalogue of the repository, in turn."""
    found: Path = request.param
    return found


@pytest.fixture
def catalogue(source: Path) -> Catalogue:
    return load_catalogue(source)


@pytest.fixture
def release(catalogue: Catalogue) -> Release:
    return build_release(catalogue, as_of=AS_OF)


def shortened(*ids: str) -> str:
    """Return the shipped catalogue with only some of its entries, which makes tests faster."""
    head, _, entries = SHIPPED.read_text("utf-8").partition("\nentries:\n")
    kept = [item for item in entries.split("\n\n") if item.split("\n")[0][6:] in ids]
    assert len(kept) == len(ids)
    return f"{head}\nentries:\n" + "\n\n".join(kept) + "\n"


def program(name: str) -> str:
    """Return a program's path; without it the test skips, or fails under CI=true."""
    # Some come as packages, and lie beside the interpreter.
    found = shutil.which(name) or shutil.which(name, path=Path(sys.executable).parent)
    if found:
        return found
    message = f"{name} is not installed here; .ci/run installs it"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def traced(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command under strace, its options first; if strace is not permitted, the test skips."""
    # With a filter in the kernel, only what is traced stops the program; but it gets no signal.
    signals = any("signal=" in str(word) for word in command)
    options = ["-f", "-qq"] if signals else ["-f", "-qq", "--seccomp-bpf"]
    done = run(program("strace"), *options, *command)
    if "ptrace" in done.stderr:
        pytest.skip(f"no process may be traced here: {done.stderr.splitlines()[0]}")
    return done


def run(
    *command: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    text: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command with a time limit, and return its result; `text` is its stdin."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        input=text,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


def run_feeds(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command `feeds` in a new process."""
    words = [str(part) for part in arguments]
    return run_forked(words, cwd, os.environ if env is None else env, PATIENCE)


def tree(folder: Path) -> dict[str, bytes]:
    """Return what an exported folder publishes: all its files but the export's own."""
    paths = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        name.as_posix(): path.read_bytes()
        for name, path in paths.items()
        if name.parts[0] != EXPORT_FOLDER
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server: its address, its processes, its state folder and its log."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    workers: int
    folder: Path

    def log(self) -> str:
        return (self.folder / "stderr").read_text("utf-8")

    def access_log(self) -> str:
        return (self.folder / "stdout").read_text("utf-8")


SERVERS: dict[str, list[str]] = {
    "feeds serve": [
        *("feeds", "serve", "--access-log", "--port", "{port}", "--workers", "{workers}"),
    ],
    "gunicorn": [
        *("gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "{workers}"),
        *("--access-logfile", "-", "wsgi:app"),
    ],
}
SERVERS["gunicorn --preload"] = [*SERVERS["gunicorn"], "--preload"]
SERVERS["feeds serve --metrics"] = [*SERVERS["feeds serve"], "--metrics"]


@contextmanager
def running(  # noqa: PLR0913  # each is named, and has its default
    kind: str,
    catalogue: Path,
    folder: Path,
    *,
    url: str = "",
    port: int = 0,
    workers: int = 0,
    built: bool = True,
    cwd: Path = ROOT,
) -> Iterator[Server]:
    """Run a server on a port, or else a free one; at the end stop it and its build process.

    `workers` is how many processes answer; 0 is two of gunicorn, and else one.
    It is waited for until each of them serves a release, or with `built` False
    until there is an answer.
    """
    port = port or free_port()
    workers = workers or (2 if kind == "gunicorn" else 1)
    command = [part.format(port=port, workers=workers) for part in SERVERS[kind]]
    env = os.environ | {
        "FEEDS_CATALOGUE": str(catalogue),
        "FEEDS_STATE": str(folder / "state"),
        "FEEDS_URL": url,
    }
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=cwd, env=env, stdout=out, stderr=err
        )
    server = Server(
        url=f"http://127.0.0.1:{port}/",
        port=port,
        process=process,
        workers=workers,
        folder=folder,
    )
    try:
        wait_for(f"{server.url}healthz", process, unavailable=not built)
        if built:
            wait_until(lambda: server.log().count(" event=serving ") >= workers)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # Otherwise it would build for the next server, and write to its log.
        address = url or (server.url if kind.startswith("feeds serve") else "")
        wait_until(lambda: not build_processes(catalogue, address, folder / "state"))


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Set FEEDS_STATE to a new folder for each test."""
    folder = tmp_path_factory.getbasetemp() / f"state-{next(_NUMBERS)}"
    monkeypatch.setenv("FEEDS_STATE", str(folder))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], str]]:
    """Serve catalogues with `feeds serve`, each from its first use, and return its URL."""
    with ExitStack() as stack:

        @cache
        def start(catalogue: Path) -> str:
            folder = tmp_path_factory.mktemp("server")
            return stack.enter_context(running("feeds serve", catalogue, folder)).url

        yield start


def let_in(folder: Path) -> None:
    """Make a folder and its parents accessible to servers whose workers run as `nobody`."""
    for around in (folder, *folder.parents):
        mode = around.stat().st_mode
        if not mode & 0o001:
            around.chmod(mode | 0o055)


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE) -> float:
    """Wait until something holds, and return how many seconds that took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds
        time.sleep(0.02)
    return time.monotonic() - begun


@contextmanager
def guarded() -> Iterator[None]:
    """Fail if the code in the `with` statement hangs, also in a regular expression."""

    def fail(*_: object) -> None:
        pytest.fail(f"not done in {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def wait_for(url: str, process: subprocess.Popen[bytes], *, unavailable: bool = False) -> None:
    """Wait until a server answers, and fail if it ended; 503 is an answer if `unavailable`."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"the server ended with {process.returncode}")
        try:
            with urlopen(url, timeout=10):
                return
        except HTTPError as error:
            # It answers; what, is for the test to look at.
            error.close()
            if unavailable or error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                return
            time.sleep(0.05)
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    pytest.fail(f"no answer from {url} in {PATIENCE} s")
