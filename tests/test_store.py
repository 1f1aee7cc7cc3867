"""The served site on disk: with a damaged, deleted, full or read-only store, no answer has wrong bytes."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import PATIENCE, ROOT, Server, free_port, running, shortened, wait_until
from processes import build_processes, children, running_with
from stores import Published, Shown, asked, stored

from feeds import create_app
from feeds.server.site_store import StatusFiles, store_name
from feeds.storage import StateFolder, take_lock

FEW = ("actuary-or-actor", "indonesia-united-kingdom-employment-service")
TITLE = "Actuary or actor?"
# A few seconds, on a machine that has other things to do.
SOON = 20


def write(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def edited(title: str) -> str:
    return shortened(*FEW).replace(TITLE, title)


def ask(server: Server, path: str, **headers: str) -> HTTPResponse:
    """Request a document; the answer is right, or a 503 with Retry-After."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", f"/{quote(path)}", headers=headers)
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    if answer.status == 503:
        assert int(str(answer.getheader("Retry-After"))) > 0
    elif answer.getheader("ETag"):
        assert answer.status == 200
        assert answer.getheader("ETag") == f'"{sha256(body(answer)).hexdigest()[:32]}"'
    return answer


def body(answer: HTTPResponse) -> bytes:
    found: bytes = answer.body  # type: ignore[attr-defined]
    return found


def health(server: Server) -> dict[str, object]:
    reported: dict[str, object] = json.loads(body(ask(server, "healthz")))
    return reported


def store(server: Server, url: str = "") -> Path:
    """Return the folder of what a server serves."""
    name = store_name(server.folder.parent / "entries.yaml", url or server.url, pages=True)
    return server.folder / "state" / name


def contents(server: Server) -> Shown:
    folder = store(server)
    return stored(folder.parent, folder.name)


def events(server: Server, since: int = 0) -> list[str]:
    """Return the log after its first `before` characters."""
    return re.findall(r" event=(\S+)", server.log()[since:])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write(tmp_path / "entries.yaml", shortened(*FEW))
    return tmp_path / "entries.yaml"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("site")
    write(folder / "entries.yaml", shortened(*FEW))
    with running("feeds serve", folder / "entries.yaml", folder / "server") as found:
        yield found


@pytest.fixture(scope="module")
def unasked(server: Server) -> Iterator[str]:
    """Yield paths that were never requested: their bodies are not in memory."""
    # Of documents with the same bytes the one would have those of the other.
    found = contents(server)
    once = [path for path in found if [d.etag for d in found.values()].count(found[path].etag) == 1]
    return iter(sorted(once))


def truncated(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def emptied(file: Path) -> None:
    os.truncate(file, 0)


def removed(file: Path) -> None:
    file.unlink()


def flipped(file: Path) -> None:
    text = bytearray(file.read_bytes())
    text[len(text) // 2] ^= 1
    file.write_bytes(text)


def another(file: Path) -> None:
    """Replace a body with another body of the store."""
    others = [found for found in file.parent.iterdir() if found.read_bytes() != file.read_bytes()]
    file.write_bytes(others[0].read_bytes())


def link(file: Path) -> None:
    file.unlink()
    file.symlink_to("/etc/passwd")


def pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


HEAVY = pytest.mark.heavy
BODIES = [
    truncated,
    removed,
    another,
    *(pytest.param(one, marks=HEAVY) for one in (emptied, flipped, link, pipe)),
]


@pytest.mark.parametrize("damage", BODIES)
def test_a_damaged_body_is_built_again(
    damage: Callable[[Path], None], server: Server, unasked: Iterator[str]
) -> None:
    """A damaged body is served unchanged again within a few seconds, and never wrong; this is logged once."""
    path, before = next(unasked), contents(server)
    since = len(server.log())
    damage(store(server) / "objects" / before[path].etag)
    wait_until(lambda: ask(server, path).status == 200, SOON)
    answer = ask(server, path)
    assert body(answer) == before[path].body
    assert answer.getheader("Last-Modified")
    assert contents(server) == before
    # A missing one is detected before any request.
    damaged = events(server, since).count("damaged-object")
    assert damaged == 1 or (damaged == 0 and damage is removed)
    assert {*events(server, since)} <= {"damaged-object", "published", "serving"}


def test_a_body_that_was_sent_is_kept_in_memory(server: Server, unasked: Iterator[str]) -> None:
    """A body that was sent is kept in memory: damage on disk does not affect it."""
    path, before = next(unasked), contents(server)
    assert ask(server, path).status == 200
    since = len(server.log())
    flipped(store(server) / "objects" / before[path].etag)
    for _ in range(3):
        assert body(ask(server, path)) == before[path].body
    assert "damaged-object" not in events(server, since)
    (store(server) / "objects" / before[path].etag).unlink()
    wait_until(lambda: contents_or_none(server) == before, SOON)


def contents_or_none(server: Server) -> Shown | None:
    with suppress(AssertionError, OSError):
        return contents(server)
    return None


def garbage(file: Path) -> None:
    file.write_bytes(os.urandom(1000))


def another_version(file: Path) -> None:
    """Write an index with a right hash and another format."""
    text = (
        b"# feeds site 10\n"
        + file.read_bytes().partition(b"\n")[2].rpartition(b"\n")[0].rpartition(b"\n")[0]
    )
    file.write_bytes(text + b"\n" + sha256(text).hexdigest().encode() + b"\n")


def other_rows(file: Path) -> None:
    """Write an index with a right hash and version, and invalid rows."""
    text = b"\n".join([*file.read_bytes().split(b"\n")[:2], b"atom.xml\tx"])
    file.write_bytes(text + b"\n" + sha256(text).hexdigest().encode() + b"\n")


INDEXES = [
    truncated,
    another_version,
    *(pytest.param(one, marks=HEAVY) for one in (emptied, garbage, flipped, other_rows)),
]


@pytest.mark.parametrize("damage", INDEXES)
def test_a_damaged_index_is_replaced(
    damage: Callable[[Path], None], server: Server, unasked: Iterator[str]
) -> None:
    """A damaged index is replaced, the site stays served, and this is logged once."""
    path, before = next(unasked), contents(server)
    [builder] = build_processes(server.folder.parent / "entries.yaml")
    since = len(server.log())
    # Otherwise the worker may not even see it.
    os.kill(builder, signal.SIGSTOP)
    try:
        damage(store(server) / "index")
        wait_until(lambda: "damaged-index" in events(server, since), SOON)
        assert body(ask(server, path)) == before[path].body
    finally:
        os.kill(builder, signal.SIGCONT)
    wait_until(lambda: contents_or_none(server) == before, SOON)
    wait_until(lambda: "serving" in events(server, since), SOON)
    assert body(ask(server, path)) == before[path].body
    assert sorted(events(server, since)) == ["damaged-index", "published", "serving"]


def test_a_removed_index_is_written_again(server: Server, unasked: Iterator[str]) -> None:
    """A removed index is written again, and the site stays served."""
    path, before, since = next(unasked), contents(server), len(server.log())
    (store(server) / "index").unlink()
    assert body(ask(server, path)) == before[path].body
    wait_until(lambda: contents_or_none(server) == before, SOON)
    assert {*events(server, since)} <= {"published", "serving"}


@pytest.mark.parametrize(
    "what", ["state", pytest.param("store", marks=HEAVY), pytest.param("objects", marks=HEAVY)]
)
def test_a_deleted_folder_is_made_again(what: str, server: Server, unasked: Iterator[str]) -> None:
    """After any folder of the state is deleted, the site is served again in a few seconds, and so is an edit."""
    path, before = next(unasked), contents(server)
    hot = body(ask(server, "atom.xml"))
    since = len(server.log())
    folders = {
        "state": store(server).parent,
        "store": store(server),
        "objects": store(server) / "objects",
    }
    # What is deleted file by file is written again meanwhile.
    folders[what].rename(server.folder / "away")
    shutil.rmtree(server.folder / "away", ignore_errors=True)
    assert body(ask(server, "atom.xml")) == hot
    wait_until(lambda: ask(server, path).status == 200, SOON)
    assert body(ask(server, path)) == before[path].body
    file = server.folder.parent / "entries.yaml"
    for title in (f"After the {what}", TITLE):
        write(file, edited(title))
        wait_until(lambda title=title: title.encode() in body(ask(server, "atom.xml")), SOON)  # type: ignore[misc]
    assert len(build_processes(file)) == 1
    assert not {*events(server, since)} & {"bug", "broken", "no-build", "build-process-ended"}


@pytest.mark.heavy
@pytest.mark.parametrize("damage", [truncated, garbage, another_version, other_rows])
def test_a_server_starts_with_a_damaged_index(
    damage: Callable[[Path], None], file: Path, tmp_path: Path
) -> None:
    """A server that starts with a damaged index answers 503, and soon serves the same site, with its dates."""
    with running("feeds serve", file, tmp_path / "server") as server:
        before = contents(server)
    damage(store(server) / "index")
    with running("feeds serve", file, tmp_path / "server", port=server.port) as server:
        assert contents(server) == before
        assert body(ask(server, "atom.xml")) == before["atom.xml"].body
        assert server.log().count("damaged-index") <= 2
        others = [line for line in server.log().splitlines() if not line.startswith("time=")]
        assert [line.partition(" at ")[0] for line in others] == ["Serving"]


def test_a_state_that_is_a_file_costs_the_dates_alone(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the state folder is a file, the site is served from a temporary folder without dates, which is logged."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "state").write_text("")
    with running("feeds serve", file, tmp_path / "server") as server:
        answer = ask(server, "atom.xml")
        assert answer.status == 200
        assert answer.getheader("Last-Modified") is None
        write(file, edited("Actuary or actress?"))
        wait_until(lambda: b"actress" in body(ask(server, "atom.xml")))
        assert [e for e in events(server) if e.startswith("no-")] == [
            "no-state",
            "no-last-modified",
        ]
        assert (tmp_path / "server" / "state").read_text() == ""
        [made] = (tmp_path / "temporary").glob(f"feeds-{os.getuid()}")
        assert made.stat().st_mode & 0o777 == 0o700
        # Only dates are missing, so the site is not degraded.
        assert health(server)["status"] == "ok"


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[None]:
    """Mount a new file system; if that is not permitted, the test skips."""
    folder.mkdir(parents=True)
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder],  # noqa: S607
        check=False,
        capture_output=True,
    ).returncode:
        pytest.skip("no file system may be mounted here; as root it may")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)  # noqa: S607


def test_no_link_leads_elsewhere(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that another user put in place of the temporary folder is not followed."""
    temporary, victim = tmp_path / "temporary", tmp_path / "victim"
    temporary.mkdir()
    victim.mkdir(0o700)
    (temporary / f"feeds-{os.getuid()}").symlink_to(victim)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    (tmp_path / "state").write_text("")
    with asked(file, tmp_path / "state") as client:
        assert client.get("/atom.xml").status_code == 200
    assert not [*victim.iterdir()]


def test_on_a_full_disk_a_commit_changes_nothing(file: Path, tmp_path: Path) -> None:
    """On a full disk a commit changes nothing; with free space the edit is published."""
    state = tmp_path / "state"
    with mounted(state, "2m"):
        site = Published(file, state=state)
        site.refresh()
        before, index = site.shown(), site.index()
        fill(state)
        write(file, edited("Actuary or actress?"))
        site.refresh()
        assert (site.shown(), site.index()) == (before, index)
        (state / "filler").unlink()
        site.refresh(read=True)
        assert not site.status().degraded
        assert b"actress" in site.shown()["atom.xml"].body


@pytest.mark.heavy
def test_a_full_disk_costs_the_edit_alone(file: Path, tmp_path: Path) -> None:
    """On a full disk the site stays served, as degraded; with free space the edit is served."""
    state = tmp_path / "server" / "state"
    with (
        mounted(state, "2m"),
        running("feeds serve", file, tmp_path / "server") as server,
    ):
        before = contents(server)
        fill(state)
        since = len(server.log())
        write(file, edited("Actuary or actress?"))
        wait_until(lambda: health(server)["status"] == "degraded", SOON)
        for path, document in before.items():
            assert body(ask(server, path)) == document.body
        [line] = [line for line in server.log()[since:].splitlines() if " event=broken " in line]
        assert "No space left on device" in line
        [builder] = build_processes(file)
        used = processor(builder)
        time.sleep(3)
        assert processor(builder) - used < 150, "half of a processor"
        (state / "filler").unlink()
        wait_until(lambda: b"actress" in body(ask(server, "atom.xml")), SOON)
        wait_until(lambda: health(server)["status"] == "ok", SOON)
        assert events(server, since).count("broken") == 1
        assert not {*events(server, since)} & {"bug", "damaged-object", "damaged-index"}
        assert not [found for found in (store(server) / "objects").iterdir() if found.suffix]


def fill(folder: Path) -> None:
    with suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))


def processor(process: int) -> int:
    """Return how many ticks of a processor a process has used, its children included."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))


def test_a_read_only_store_is_served(file: Path, tmp_path: Path) -> None:
    """A server with a read-only store serves the last release, with its dates, as degraded."""
    state = tmp_path / "state"
    with mounted(state, "4m"):
        site = Published(file, state=state)
        site.refresh()
        remount(state, "ro")
        app = create_app(file, state=state)
        try:
            client = app.test_client()
            for path, document in site.shown().items():
                answer = client.get(f"/{quote(path)}")
                assert (answer.status_code, answer.data) == (200, document.body)
                assert answer.last_modified == document.modified
            wait_until(lambda: b'"degraded"' in client.get("/healthz").data)
        finally:
            app.close()


@pytest.mark.heavy
def test_a_store_that_cannot_be_written_is_served(file: Path, tmp_path: Path) -> None:
    """When a store becomes read-only, the last release is served as degraded; writable again, edits are served."""
    state = tmp_path / "server" / "state"
    with mounted(state, "8m"):
        with running("feeds serve", file, tmp_path / "server") as server:
            before = contents(server)
        wait_until(lambda: not build_processes(file))
        remount(state, "ro")
        with running("feeds serve", file, tmp_path / "server", port=server.port) as server:
            for path, document in before.items():
                answer = ask(server, path)
                assert body(answer) == document.body
                assert answer.getheader("Last-Modified")
            assert health(server)["status"] == "degraded"
            write(file, edited("Actuary or actress?"))
            time.sleep(3)
            assert body(ask(server, "atom.xml")) == before["atom.xml"].body
            assert events(server).count("no-build") == 1
            assert not {*events(server)} & {"bug", "no-state"}
            remount(state, "rw")
            wait_until(lambda: b"actress" in body(ask(server, "atom.xml")), SOON)
            assert health(server)["status"] == "ok"


def remount(folder: Path, how: str) -> None:
    """Remount a folder, once a process that has just ended has no file open for writing there."""
    command = ["mount", "-o", f"remount,{how}", str(folder)]
    wait_until(lambda: not subprocess.run(command, check=False, capture_output=True).returncode)


def test_a_site_at_two_addresses_has_two_stores(file: Path, tmp_path: Path) -> None:
    """With two URLs in one state folder, no document has an address of the other site."""
    urls = ("https://one.example.org/", "https://two.example.org/news/")
    for _ in range(2):
        sites = [Published(file, state=tmp_path / "state", url=url) for url in urls]
        for site in sites:
            site.refresh()
        for site, other in zip(sites, reversed(urls), strict=True):
            assert len(site.shown()) > 20
            assert not [d.path for d in site.shown().values() if other.encode() in d.body]
        write(file, edited("Actuary or actress?"))


@pytest.mark.heavy
def test_two_servers_of_one_catalogue_never_show_the_others_addresses(
    file: Path, tmp_path: Path
) -> None:
    """Two servers with one state folder and two URLs each serve their own site, through edits and a restart."""
    urls = ("https://one.example.org/", "https://two.example.org/news/")
    with (
        running("feeds serve", file, tmp_path / "server", url=urls[0]) as one,
        running("feeds serve", file, tmp_path / "server", url=urls[1]) as two,
    ):
        for title in ("Actuary or actress?", "Actor or actress?"):
            write(file, edited(title))
            for server in (one, two):
                wait_until(lambda server=server: title.encode() in body(ask(server, "atom.xml")))  # type: ignore[misc] # noqa: B023
        for server, own, other in ((one, urls[0], urls[1]), (two, urls[1], urls[0])):
            folder = store(server, own)
            found = stored(folder.parent, folder.name)
            assert len(found) > 20
            for path in found:
                answer = ask(server, path)
                assert other.encode() not in body(answer)
                assert other not in str(answer.getheader("Link"))
                assert own in str(answer.getheader("Link"))
        assert len(build_processes(file)) == 2


GUNICORN = [
    ("wsgi:app", True),
    *(
        pytest.param(app, preload, marks=HEAVY)
        for app, preload in (
            ("wsgi:app", False),
            ("feeds.wsgi:app", True),
            ("feeds.wsgi:app", False),
        )
    ),
]


@pytest.mark.parametrize(("app", "preload"), GUNICORN)
def test_four_workers_of_gunicorn_share_one_build_process(
    app: str, *, preload: bool, file: Path, tmp_path: Path
) -> None:
    """Four workers of gunicorn share one build process, all serve an edit, and no process is left at the end."""
    with gunicorn(app, file, tmp_path, preload=preload) as server:
        wait_until(lambda: len(children(server.process.pid)) >= 4)
        answers(server, b"actor?")
        assert len(build_processes(file)) == 1
        write(file, edited("Actuary or actress?"))
        answers(server, b"actress?")
        assert len(build_processes(file)) == 1
        assert events(server).count("published") == 2
        # Where they were forked from a process that serves, that logs it, too.
        assert events(server).count("serving") >= 8
    wait_until(lambda: not build_processes(file), SOON)
    assert not running_with([str(server.port).encode()])
    assert not {*events(server)} & {"bug", "build-process-ended"}
    assert "Traceback" not in server.log()


def answers(server: Server, words: bytes) -> None:
    """Wait until every worker's answer has these words: enough answers in a row cover all workers."""
    wait_until(lambda: all(words in body_or_none(server) for _ in range(30)))


def body_or_none(server: Server) -> bytes:
    return body(ask(server, "atom.xml"))


@contextmanager
def gunicorn(
    app: str, file: Path, folder: Path, *, preload: bool = False, workers: int = 4
) -> Iterator[Server]:
    port = free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
        *("--workers", str(workers), *(["--preload"] if preload else []), app),
    ]
    env = os.environ | {"FEEDS_CATALOGUE": str(file), "FEEDS_STATE": str(folder / "state")}
    with (folder / "stderr").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
    server = Server(
        url=f"http://127.0.0.1:{port}/", port=port, process=process, workers=workers, folder=folder
    )

    def ready() -> bool:
        try:
            return ask(server, "atom.xml").status == 200
        except OSError:
            return False

    try:
        wait_until(ready)
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.mark.parametrize("kind", ["feeds serve", pytest.param("gunicorn", marks=HEAVY)])
def test_a_restart_with_a_broken_catalogue_serves_the_last_good_release(
    kind: str, file: Path, tmp_path: Path
) -> None:
    """A restart with a broken catalogue serves the last release at once, as degraded; a correction is served."""
    url = "https://news.example.org/"
    with running(kind, file, tmp_path / "server", url=url) as server:
        before = body(ask(server, "atom.xml"))
        release = health(server)["release"]
    write(file, "entries: [\n")
    with running(kind, file, tmp_path / "server", url=url) as server:
        for _ in range(10):
            assert body(ask(server, "atom.xml")) == before
        wait_until(lambda: " event=broken " in server.log())
        wait_until(lambda: health(server)["status"] == "degraded")
        reported = health(server)
        assert reported["release"] == release
        assert str(reported["failure"]).count("entries.yaml:") == 1
        assert f"serving={release}" in server.log()
        write(file, edited("Actuary or actress?"))
        wait_until(lambda: b"actress" in body(ask(server, "atom.xml")))
        wait_until(lambda: health(server)["status"] == "ok")


@pytest.mark.heavy
def test_another_version_of_the_program_takes_over(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the package's files change, a new build process replaces the old one, and the site stays served."""
    package = tmp_path / "installed" / "feeds"
    shutil.copytree(ROOT / "feeds", package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    with running("feeds serve", file, tmp_path / "server", cwd=tmp_path) as server:
        [builder] = build_processes(file)
        before = body(ask(server, "rss.xml"))
        assert b"<ttl>15</ttl>" in before
        source = package / "formats" / "rss.py"
        write(source, source.read_text().replace("ttl(max(site.max_age // 60, 1))", "ttl(77)"))
        statuses = set()

        def is_new() -> bool:
            answer = ask(server, "rss.xml")
            statuses.add(answer.status)
            return b"<ttl>77</ttl>" in body(answer)

        wait_until(is_new, SOON)
        assert statuses == {200}
        [another] = build_processes(file)
        assert another != builder
        assert "level=error" not in server.log()


@pytest.mark.heavy
def test_a_program_that_cannot_build_is_not_started_all_the_time(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build process that fails at its start is retried a few times a minute; the site is served as degraded."""
    package = tmp_path / "installed" / "feeds"
    shutil.copytree(ROOT / "feeds", package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    with running("feeds serve", file, tmp_path / "server", cwd=tmp_path) as server:
        source = package / "build.py"
        text = source.read_text()
        write(source, "raise ImportError('half installed')\n")
        wait_until(lambda: health(server)["status"] == "degraded")
        time.sleep(8)
        assert ask(server, "atom.xml").status == 200
        assert 1 <= events(server).count("build-process-ended") <= 2
        write(source, text)
        write(file, edited("Actuary or actress?"))
        wait_until(lambda: b"actress" in body(ask(server, "atom.xml")))
        wait_until(lambda: health(server)["status"] == "ok")


def test_a_worker_is_counted_though_it_comes_at_a_bad_moment(tmp_path: Path) -> None:
    """A worker waits for the workers' lock while the build process holds it for a moment."""
    folder = StateFolder(tmp_path, "site")
    folder.make()
    files = StatusFiles(folder)
    other = folder.lock_file("workers.lock")
    assert take_lock(other)
    threading.Timer(0.03, os.close, [other]).start()
    own = files.join_workers()
    assert files.has_workers()
    os.close(own)
    assert not files.has_workers()


def test_bodies_that_nothing_names_are_removed(file: Path, tmp_path: Path) -> None:
    """After a commit the store has only the bodies of this index and the previous one."""
    site = Published(file, state=tmp_path / "state")
    kept: list[set[str]] = []
    for number in range(4):
        write(file, edited(f"Title {number}"))
        site.refresh()
        kept.append({document.etag for document in site.shown().values()})
        [objects] = (tmp_path / "state").glob("site-*/objects")
        assert {found.name for found in objects.iterdir()} == kept[-1] | {*(kept[-2:][0])}


def test_what_an_edit_leaves_alone_is_not_written(file: Path, tmp_path: Path) -> None:
    """An edit does not rewrite the bodies of unchanged documents."""
    site = Published(file, state=tmp_path / "state")
    site.refresh()
    [objects] = (tmp_path / "state").glob("site-*/objects")
    before = {found.name: found.stat() for found in objects.iterdir()}
    write(file, edited("Actuary or actress?"))
    site.refresh()
    etags = {document.etag for document in site.shown().values()} & before.keys()
    assert len(etags) > 10
    for etag in etags:
        found = (objects / etag).stat()
        assert (found.st_ino, found.st_mtime_ns) == (before[etag].st_ino, before[etag].st_mtime_ns)


@pytest.mark.heavy
def test_a_worker_that_was_stopped_answers_from_the_newest_index(
    file: Path, tmp_path: Path
) -> None:
    """A worker that was suspended for two releases answers from the newest index, without logging damage."""
    with running("feeds serve", file, tmp_path / "server", workers=1) as server:
        [worker] = children(server.process.pid)
        before = contents(server)
        paths = [path for path in before if path.endswith("/index.html")]
        os.kill(worker, signal.SIGSTOP)
        connections = []
        try:
            for number in range(2):
                text = re.sub(
                    r"\n  title: [^\n]*\n", f"\n  title: Site {number}\n", shortened(*FEW), count=1
                )
                write(file, text)
                wait_until(
                    lambda number=number: (
                        f"Site {number}".encode() in contents(server)["index.html"].body
                    )  # type: ignore[misc]
                )
            # A commit is seen before it has removed them.
            gone = [store(server) / "objects" / before[path].etag for path in paths]
            wait_until(lambda: not any(body.exists() for body in gone))
            for path in paths:
                connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
                connection.request("GET", f"/{quote(path)}")
                connections.append(connection)
        finally:
            os.kill(worker, signal.SIGCONT)
        for connection in connections:
            answer = connection.getresponse()
            found = answer.read()
            assert answer.status == 200
            assert b"Site 1" in found
            connection.close()
        assert "damaged-object" not in events(server)
