"""The state folder is untrusted: no file that another user puts there causes other files to be written or read."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path
from urllib.request import urlopen

import pytest
from builds import dated
from conftest import PATIENCE, SHIPPED, Server, run_feeds, running, wait_until

from feeds import FeedsError, load_catalogue
from feeds.build import Build, stage_missing
from feeds.history import History
from feeds.notify.websub import NotificationLog
from feeds.plans import plan_site
from feeds.server.site_store import SiteStore, load_index
from feeds.storage import StateFolder

A = "https://news.example.org/atom.xml"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HELD = """
import fcntl, os, signal, sys
lock = open(sys.argv[1], "a")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
"""


def remember(state: Path, etag: str = "1") -> datetime:
    found = History(state).record(
        {A: etag}, clock=lambda: NOW, sleep=lambda _: None, current=lambda: True
    )
    return found[A]


def note(state: Path) -> None:
    log = NotificationLog(state)
    with log.locked():
        log.record("https://hub.example.org/", {A: "1"})


def build(state: Path) -> Build:
    """Build a site into its store."""
    store = SiteStore(state, "site")
    planned = plan_site(load_catalogue(SHIPPED), as_of=NOW, pages=False)
    found = stage_missing(planned, store)
    store.commit(found)
    return found


WRITERS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "history": (remember, ["history.tsv", "history.lock", "history.new"]),
    "hub": (note, ["websub.tsv", "websub.lock", "websub.new"]),
    "site": (build, ["site", "site/objects", "site/index", "site/index.new"]),
}
PLACES = [(work, name) for work, names in WRITERS.values() for name in names]


@pytest.mark.parametrize(("work", "name"), PLACES, ids=[name for _, name in PLACES])
def test_no_link_is_followed(work: Callable[[Path], object], name: str, tmp_path: Path) -> None:
    """A link in place of a file or folder is refused or replaced; its target stays unchanged."""
    victim, state = tmp_path / "victim", tmp_path / "state"
    folder = name in {"site", "site/objects"}
    if folder:
        victim.mkdir()
    else:
        victim.write_text("mine")
    (state / name).parent.mkdir(parents=True)
    (state / name).symlink_to(victim)
    try:
        work(state)
    except OSError as error:
        assert error.filename == str(state / name)
        assert error.strerror == "is a symbolic link, which is not followed; remove it"
    except FeedsError as error:
        where = str(state / name)
        assert str(error) == f"{where}: is a symbolic link, which is not followed; remove it"
    if folder:
        assert not [*victim.iterdir()]
    else:
        assert victim.read_text() == "mine"


@pytest.mark.parametrize(
    "name",
    [
        "history.tsv",
        *(pytest.param(name, marks=pytest.mark.heavy) for name in ("history.lock", "history.new")),
    ],
)
def test_a_link_to_nothing_makes_nothing(name: str, tmp_path: Path) -> None:
    """An export does not create the missing target of a link."""
    state = tmp_path / "state"
    state.mkdir()
    (state / name).symlink_to(tmp_path / "made")
    options = ("--catalogue", SHIPPED, "--state", state, "--purge", "true")
    done = run_feeds("export", tmp_path / "out", *options)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "made").exists()
    assert ("event=no-last-modified" in done.stderr) == (name in {"history.tsv", "history.lock"})


@pytest.mark.parametrize("name", ["history.tsv", "history.lock", "history.new", "websub.tsv"])
@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        pytest.param(os.mkdir, marks=pytest.mark.heavy),
        pytest.param(lambda path: os.mknod(path, stat.S_IFSOCK), marks=pytest.mark.heavy),
    ],
)
def test_what_is_not_a_file_keeps_nothing_waiting(
    name: str, make: Callable[[Path], None], tmp_path: Path
) -> None:
    """A pipe, a folder or a socket in place of a state file blocks no export."""
    state = tmp_path / "state"
    state.mkdir()
    make(state / name)
    done = run_feeds(
        *("export", tmp_path / "out", "--catalogue", SHIPPED, "--state", state),
        *("--purge", "true", "--no-pages"),
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "atom.xml").exists()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_body_of_a_store_may_be_a_pipe(make: Callable[[Path], None], tmp_path: Path) -> None:
    """A pipe in place of a body does not block, and the body is built again."""
    etag = build(tmp_path).facts["atom.xml"].etag
    body = tmp_path / "site" / "objects" / etag
    data = body.read_bytes()
    body.unlink()
    make(body)
    index = load_index(tmp_path, "site")
    assert index
    with pytest.raises(OSError, match=r"is not a regular file|is a symbolic link"):
        index.open(etag)
    index.discard(etag)
    assert "atom.xml" in build(tmp_path).staged
    assert body.read_bytes() == data


@pytest.mark.parametrize("umask", [0, 0o022, 0o777])
def test_everything_is_private(umask: int, tmp_path: Path) -> None:
    """New folders have mode 0700 and files 0600, with any umask; existing folders keep their mode."""
    state = tmp_path / "state"
    before = os.umask(umask)
    try:
        for work, _ in WRITERS.values():
            work(state)
    finally:
        os.umask(before)
    paths = [state, *state.rglob("*")]
    assert any(path.name == "websub.tsv" for path in paths)
    for path in paths:
        wanted = 0o700 if path.is_dir() else 0o600
        assert path.stat().st_mode & 0o777 == wanted, path
    state.chmod(0o770)
    remember(state, "2")
    assert state.stat().st_mode & 0o777 == 0o770


def test_a_file_is_only_ever_made(tmp_path: Path) -> None:
    """A temporary file is created exclusively: an existing file of its name is not written to."""
    folder = StateFolder(tmp_path)
    (tmp_path / "new").write_text("mine")
    with pytest.raises(FileExistsError):
        folder.create("new")
    (tmp_path / "history.new").hardlink_to(tmp_path / "new")
    remember(tmp_path)
    assert (tmp_path / "new").read_text() == "mine"


@pytest.mark.parametrize(
    "moment",
    [
        "9998-01-01T00:00:00+00:00",
        "2026-11-03T12:00:00+00:00",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59+00:00",
    ],
)
def test_an_impossible_moment_is_ignored(moment: str, tmp_path: Path) -> None:
    """A recorded moment far in the future, or before feeds existed, is ignored."""
    (tmp_path / "history.tsv").write_text(f"{A}\t1\t{moment}\n")
    assert remember(tmp_path) == NOW
    assert moment not in (tmp_path / "history.tsv").read_text()


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    """A history that is far too large is not read: documents have no date."""
    with (tmp_path / "history.tsv").open("wb") as file:
        file.truncate(1 << 33)
    with pytest.raises(OSError, match="is too large to be one of ours"):
        remember(tmp_path)
    assert not History(tmp_path).addresses()


def test_git_ignores_all_but_the_history(tmp_path: Path) -> None:
    """An export creates the state folder beside the catalogue, with its `.gitignore`; a check does not."""
    (tmp_path / "entries.yaml").write_text(SHIPPED.read_text())
    env = {name: value for name, value in os.environ.items() if name != "FEEDS_STATE"}
    for verb in ("check", "list"):
        assert run_feeds(verb, cwd=tmp_path, env=env).returncode == 0
    assert not (tmp_path / ".feeds").exists()
    assert run_feeds("export", "out", cwd=tmp_path, env=env).returncode == 0
    ignore = tmp_path / ".feeds" / ".gitignore"
    assert ignore.read_text() == "*\n!.gitignore\n!history.tsv\n"
    (tmp_path / ".feeds" / "history.tsv").touch()
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)  # noqa: S607  # any git
    command = ["git", "ls-files", "--others", "--exclude-standard", ".feeds"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.split() == [".feeds/.gitignore", ".feeds/history.tsv"]
    ignore.write_text("mine\n")
    (tmp_path / "entries.yaml").write_text(SHIPPED.read_text() + "# edited\n")
    assert run_feeds("export", "out", cwd=tmp_path, env=env).returncode == 0
    assert ignore.read_text() == "mine\n"


def test_serving_makes_it_too(tmp_path: Path) -> None:
    """A server creates the state folder beside the catalogue, or the one that is named."""
    with running("feeds serve", SHIPPED, tmp_path):
        assert (tmp_path / "state" / ".gitignore").exists()


def test_a_folder_of_other_things_gets_no_gitignore(tmp_path: Path) -> None:
    """An existing folder that is named as state folder gets no `.gitignore`."""
    remember(tmp_path)
    assert not (tmp_path / ".gitignore").exists()


@contextmanager
def held(lock: Path) -> Iterator[int]:
    """Hold a lock in a process that is stopped, and return its id."""
    command = [sys.executable, "-c", HELD, str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"held\n"
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            yield process.pid
        finally:
            process.kill()


def test_a_stopped_process_does_not_keep_an_edit(tmp_path: Path) -> None:
    """While a stopped process holds the history's lock, edits are published without a date, which comes later."""
    file = tmp_path / "entries.yaml"
    file.write_text(SHIPPED.read_text())
    with running("feeds serve", file, tmp_path / "server") as server:
        with held(tmp_path / "server" / "state" / "history.lock"):
            edit(file, server)
        assert "event=no-last-modified" in server.log()
        assert 'error="another process holds the lock"' in server.log()


@pytest.mark.heavy
def test_a_stopped_process_does_not_delay_an_edit(tmp_path: Path) -> None:
    """While a stopped process holds the lock, each edit is public within two seconds; later all documents are dated."""
    file = tmp_path / "entries.yaml"
    file.write_text(SHIPPED.read_text())
    with running("feeds serve", file, tmp_path / "server") as server:
        with held(tmp_path / "server" / "state" / "history.lock"):
            assert edit(file, server) < 2
            assert edit(file, server, "Edited again") < 2
        wait_until(lambda: "Last-Modified" in fetched(server)[1])


def test_a_lock_that_is_free_again_dates_again(tmp_path: Path) -> None:
    """A lock that is held too long is an error each time; after its process ends, documents are dated."""
    history = History(tmp_path, timeout=0.1)

    def record() -> bool:
        try:
            history.record({A: "1"}, clock=lambda: NOW, sleep=lambda _: None, current=lambda: True)
        except TimeoutError as error:
            assert error.strerror == "another process holds the lock"
            return False
        return True

    assert record()
    with held(tmp_path / "history.lock"):
        assert [record(), record()] == [False, False]
    assert record()


def fetched(server: Server) -> tuple[bytes, Message]:
    with urlopen(server.url + "atom.xml", timeout=PATIENCE) as answer:
        return answer.read(), answer.headers


def edit(file: Path, server: Server, title: str = "Edited") -> float:
    """Change a title, and return after how many seconds it is served."""
    new = file.with_suffix(".new")
    new.write_text(SHIPPED.read_text().replace("Actuary or actor?", title))
    new.replace(file)
    return wait_until(lambda: f"<title>{title}</title>".encode() in fetched(server)[0])


def test_an_export_is_not_delayed_by_a_stopped_one(tmp_path: Path) -> None:
    """An export does not wait for a stopped process's lock, and reports why there is no date; also with a purge."""
    state = tmp_path / "state"
    remember(state)
    with held(state / "history.lock"):
        done = run_feeds(
            *("export", tmp_path / "out", "--catalogue", SHIPPED, "--state", state),
            *("--no-pages", "--purge", "true"),
        )
    assert done.returncode == 0
    assert "event=no-last-modified" in done.stderr


def test_a_state_folder_may_be_a_link_of_its_owner(tmp_path: Path) -> None:
    """The state folder may be a symbolic link of its owner."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    modified = dated(SHIPPED, state=tmp_path / "link")["atom.xml"].modified
    assert (tmp_path / "real" / "history.tsv").exists()
    assert modified is not None
    assert NOW - timedelta(days=3650) < modified
