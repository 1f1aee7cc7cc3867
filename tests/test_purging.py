"""Caches are purged of what changed and what was removed, by a request or a command."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import quote

import pytest
from conftest import (
    EXPORT_FOLDER,
    FOLDER_MANIFEST,
    PATIENCE,
    SHIPPED,
    program,
    run_feeds,
    shortened,
    traced,
    wait_until,
)

from feeds.export.manifest import FolderManifest
from feeds.urls import surrogate_keys

SITE = "https://news.example.org/feeds/"
OLD = "Actuary or actor?"
NEW = "Actuary or actress?"
TEXT = shortened("actuary-or-actor", "indonesia-journalists-unemployment-benefit")


OUTSIDE = ["../admin", "a/../../admin", "/etc/passwd", "https://other.example.org/", "a\0b", ""]
STRANGE = [
    "%2e%2e/admin",
    "..%2Fadmin",
    "a b",
    "?query",
    "\x1b[2J",
    "--config=",
    "@evil.example",
    "file:x",
]


class Site:
    """A catalogue, and where it is exported to."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "entries.yaml"
        self.out = folder / "out"
        self.state = folder / "state"
        self.file.write_text(TEXT)

    def command(self, *options: str) -> list[str]:
        common = ("--catalogue", self.file, "--state", self.state, "--url", SITE)
        return [*map(str, ("export", *common, *options, self.out))]

    def export(self, *options: str) -> CompletedProcess[str]:
        return run_feeds(*self.command(*options))

    def begin(self, *options: str, under: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """Start an export, optionally under another program such as strace."""
        command = [*under, sys.executable, "-m", "feeds", *self.command(*options)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, process_group=0)

    def edit(self) -> None:
        self.file.write_text(self.file.read_text().replace(OLD, NEW))

    def unpurged(self) -> list[str]:
        """Return the URLs that the next export purges without any edit."""
        listed = self.file.with_name("unpurged")
        listed.unlink(missing_ok=True)
        assert self.export("--purge", f"tee {listed}").returncode == 0
        assert not FolderManifest.parse((self.out / FOLDER_MANIFEST).read_bytes()).unpurged
        return listed.read_text().splitlines() if listed.exists() else []


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = Site(tmp_path)
    assert found.export().returncode == 0
    return found


class Cache(ThreadingHTTPServer):
    """Accepts purges on this machine; `answers` are the next statuses, before it accepts all."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: list[int] = []
        cache = self

        class Handler(BaseHTTPRequestHandler):
            def do_PURGE(self) -> None:
                cache.asked.append(self.path)
                self.send_response(cache.answers.pop() if cache.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        super().__init__(("127.0.0.1", 0), Handler)


@contextmanager
def caching() -> Iterator[Cache]:
    cache = Cache()
    thread = threading.Thread(target=cache.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield cache
    finally:
        cache.shutdown()
        thread.join()
        cache.server_close()


def test_a_document_s_keys_follow_from_its_path() -> None:
    """A document's surrogate keys are its topic and its country, and `everything`."""
    assert surrogate_keys("atom.xml") == ("everything", "front")
    assert surrogate_keys("media/floor.jpg") == ("everything", "front")
    assert surrogate_keys("topics/x/atom.xml") == ("everything", "topic-x")
    assert surrogate_keys("countries/ke/index.html") == ("everything", "country-ke")
    assert surrogate_keys("topics/x/countries/ke/feed.json") == (
        "everything",
        "topic-x",
        "country-ke",
    )
    assert surrogate_keys("entries/a b, c/index.html") == ("everything", "entry-a~20b~2C~20c")
    assert surrogate_keys("entries/topics/index.html") == ("everything", "entry-topics")


def test_what_changed_and_what_is_gone_is_purged_and_nothing_else(site: Site) -> None:
    """Each URL of a written or removed file is purged once, for a page also its folder's."""
    with caching() as cache:
        template = f"http://127.0.0.1:{cache.server_port}/cache{{path}}"
        assert site.export("--purge", template).returncode == 0
        assert cache.asked == []
        site.edit()
        done = site.export("--purge", template)
        paths = {f"/cache/feeds/{path}" for path in ("", "index.html", "atom.xml", "feed.json")}
        assert paths <= {*cache.asked}
        assert len(cache.asked) == len({*cache.asked}) < 40
        assert done.stderr.splitlines()[-1] == f"purged {len(cache.asked)}"
        cache.asked.clear()
        head, _, rest = site.file.read_text().partition("\nentries:\n")
        site.file.write_text(f"{head}\nentries:\n- {rest.split(chr(10) + '- ', 1)[1]}")
        assert site.export("--purge", template).returncode == 0
        assert any("/entries/" in path for path in cache.asked)


def test_keys_are_purged_once_each(site: Site) -> None:
    """With `{key}`, there is one request for each changed topic and country."""
    with caching() as cache:
        site.edit()
        template = f"PURGE http://127.0.0.1:{cache.server_port}/?key={{key}}"
        assert site.export("--purge", template).returncode == 0
        assert "/?key=front" in cache.asked
        assert any(path.startswith("/?key=topic-") for path in cache.asked)
        assert "/?key=everything" not in cache.asked
        assert len(cache.asked) == len({*cache.asked})


def test_a_failed_purge_says_so_leaves_the_export_done_and_is_tried_again(site: Site) -> None:
    """If a purge fails, the export is complete and the exit code is 1; the next export purges the rest."""
    with caching() as cache:
        cache.answers = [503]
        site.edit()
        template = f"http://127.0.0.1:{cache.server_port}{{path}}?secret=hidden"
        done = site.export("--purge", template)
        assert done.returncode == 1
        assert done.stdout.startswith("written ")
        assert NEW in (site.out / "atom.xml").read_text()
        assert "could not be purged, first https://" in done.stderr or "/feeds/" in done.stderr
        assert "503" in done.stderr
        assert "hidden" not in done.stderr
        cache.asked.clear()
        assert site.export("--purge", template).returncode == 0
        assert cache.asked
        cache.asked.clear()
        assert site.export("--purge", template).returncode == 0
        assert not cache.asked


def test_a_command_gets_addresses_as_words_or_as_its_input(site: Site, tmp_path: Path) -> None:
    """A purge command gets URLs without a shell, its output is not in the report, and its failure is reported."""
    site.edit()
    listed = tmp_path / "listed"
    assert site.export("--purge", f"tee {listed}", "--json").stdout.startswith("{")
    addresses = listed.read_text().splitlines()
    assert f"{SITE}atom.xml" in addresses
    site.file.write_text(TEXT)
    done = site.export("--purge", "printf '<%s>\\n' '$HOME' {urls}")
    assert f"<{SITE}atom.xml>" in done.stderr.splitlines()
    assert "<$HOME>" in done.stderr.splitlines()
    site.edit()
    done = site.export("--purge", "false")
    assert done.returncode == 1
    assert "feeds: false ended with exit code 1; what was published stays" in done.stderr


@pytest.mark.parametrize(
    "template",
    [
        "PURGE https://cache.example.org/",
        "https://cache.example.org{path}{key}",
        "https://cache.example.org{file}",
        "https://user:secret@cache.example.org{path}",
        "https://{path}",
        "PURGE http://[bad{path}",
        "http://cache.example.org:99999{path}",
        "curl {url}",
        "curl {urls} {keys}",
        "curl --urls={urls}",
        "sh -c 'curl {urls}'",
        "curl --next={url}",
        "curl 'unclosed",
        " ",
    ],
)
def test_an_invalid_template_is_refused_before_anything_is_written(
    template: str, tmp_path: Path
) -> None:
    """An invalid template is reported before anything is written."""
    done = run_feeds("export", tmp_path / "out", "--purge", template, "--catalogue", SHIPPED)
    assert done.returncode == 2
    assert "--purge: " in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_dry_run_purges_nothing(site: Site) -> None:
    """--dry-run purges nothing."""
    site.edit()
    assert site.export("--dry-run", "--purge", "false").returncode == 0


def all_of(site: Site) -> set[str]:
    """Return what an export purges after an edit if nothing interrupts it."""
    listed = site.file.with_name("all")
    text = site.file.read_text()
    site.edit()
    assert site.export("--purge", f"tee {listed}").returncode == 0
    site.file.write_text(text)
    assert site.export().returncode == 0
    return {*listed.read_text().splitlines()}


@pytest.mark.parametrize(
    "number", [3, *(pytest.param(n, marks=pytest.mark.heavy) for n in (2, 4, 12))]
)
def test_what_a_killed_export_changed_is_purged_by_the_next(site: Site, number: int) -> None:
    """An export that is killed while writing has recorded every path to purge."""
    wanted = all_of(site)
    site.edit()
    kill = ("-e", "trace=renameat", "-e", f"inject=renameat:signal=SIGKILL:when={number}")
    command = site.command("--purge", "true")
    done = traced("-o", "/dev/null", *kill, sys.executable, "-m", "feeds", *command)
    assert done.returncode in {-9, 137}
    assert {*site.unpurged()} == wanted
    assert site.unpurged() == []


@pytest.mark.heavy
def test_a_purge_needs_no_catalogue_any_more(site: Site) -> None:
    """A catalogue that an editor breaks while the export writes does not prevent the purge."""
    wanted = all_of(site)
    site.edit()
    listed = site.file.with_name("listed")
    slow = ("-e", "trace=linkat", "-e", "inject=linkat:delay_enter=2000000:when=1")
    under = (program("strace"), "-f", "-qq", "-o", "/dev/null", *slow)
    with site.begin("--purge", f"tee {listed}", under=under) as process:
        # The first file that is replaced is about to get a second name there.
        wait_until((site.out / EXPORT_FOLDER / "old").exists)
        site.file.write_text("entries: broken")
        out, err = process.communicate(timeout=PATIENCE)
    if "ptrace" in err:
        pytest.skip(f"no process may be traced here: {err.splitlines()[0]}")
    assert (process.returncode, out[:8]) == (0, "written "), err
    assert {*listed.read_text().splitlines()} == wanted


@pytest.mark.heavy
@pytest.mark.parametrize("taken", [True, False], ids=["taken", "refused"])
def test_of_two_purges_at_once_neither_loses_anything(site: Site, *, taken: bool) -> None:
    """Of two concurrent exports, neither loses paths to purge, and none are left afterwards."""
    waits, go = (site.file.with_name(name) for name in ("waits", "go"))
    script = site.file.with_name("slow.sh")
    script.write_text(f"cat >/dev/null; touch {waits}; while [ ! -e {go} ]; do sleep 0.02; done")
    site.edit()
    with site.begin("--purge", f"sh {script}") as first:
        wait_until(waits.exists)
        site.file.write_text(TEXT)
        second = site.export("--purge", "true" if taken else "false")
        go.touch()
        _, err = first.communicate(timeout=PATIENCE)
    assert first.returncode == 0, err
    assert second.returncode == (not taken), second.stderr
    assert bool(site.unpurged()) != taken


@pytest.mark.heavy
def test_an_export_to_another_folder_purges_nothing_of_this_one(site: Site) -> None:
    """An export to another folder does not purge the paths of a killed export to this one."""
    wanted = all_of(site)
    site.edit()
    stop = ("-e", "trace=linkat", "-e", "inject=linkat:signal=SIGSTOP:when=1")
    under = (program("strace"), "-f", "-qq", "-o", "/dev/null", *stop)
    with site.begin("--purge", "true", under=under) as process:
        try:
            old = site.out / EXPORT_FOLDER / "old"
            wait_until(lambda: old.exists() or process.poll() is not None)
            if process.poll() is not None:
                pytest.skip("no process may be traced here")
            elsewhere = [*site.command("--purge", "true")[:-1], str(site.out.with_name("other"))]
            assert run_feeds(*elsewhere).returncode == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert {*site.unpurged()} == wanted


def test_an_export_without_a_purge_keeps_what_is_left(site: Site) -> None:
    """Paths of a failed purge are purged by the next export with --purge; exports without it add none."""
    wanted = all_of(site)
    site.edit()
    assert site.export("--purge", "false").returncode == 1
    again = site.export()
    assert again.returncode == 0
    assert again.stdout.startswith("written 0, ")
    site.file.write_text(site.file.read_text().replace("Indonesia", "Kenya"))
    assert site.export().returncode == 0
    assert {*site.unpurged()} == wanted
    assert site.unpurged() == []


def test_what_is_purged_is_recorded_before_anything_changes(site: Site) -> None:
    """If the manifest cannot be written, nothing is published or purged."""
    site.edit()
    listed = site.file.with_name("listed")
    # The first two are those of the items and of the history.
    fail = ("-e", "trace=renameat", "-e", "inject=renameat:error=EIO:when=3")
    command = site.command("--purge", f"tee {listed}")
    done = traced("-o", "/dev/null", *fail, sys.executable, "-m", "feeds", *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{site.out / FOLDER_MANIFEST}: Input/output error" in done.stderr
    assert OLD in (site.out / "atom.xml").read_text()
    assert not listed.exists()


@pytest.mark.heavy
def test_a_purge_that_is_killed_is_repeated(site: Site) -> None:
    """If an export is killed before the purge is recorded, the next export repeats the purge."""
    wanted = all_of(site)
    site.edit()
    script = site.file.with_name("kill.sh")
    script.write_text("cat >/dev/null; kill -9 $PPID")
    assert run_feeds(*site.command("--purge", f"sh {script}")).returncode == -9
    assert {*site.unpurged()} == wanted


def test_a_command_s_other_braces_are_its_own(site: Site) -> None:
    """Other braces in a command are passed on unchanged."""
    site.edit()
    done = site.export("--purge", "printf '<%s>\\n' '{\"a\": 1}' x{y} {urls}")
    assert {'<{"a": 1}>', "<x{y}>"} <= {*done.stderr.splitlines()}


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_manifest_with_other_paths_is_refused(path: str, site: Site) -> None:
    """A manifest with invalid paths to purge is refused; none is requested or passed to a command."""
    with_unpurged(site, path)
    listed = site.file.with_name("listed")
    done = site.export("--purge", f"tee {listed}")
    assert done.returncode == 1
    assert "manifest.tsv: is damaged" in done.stderr
    assert not listed.exists()


def test_only_addresses_of_the_site_are_purged(site: Site) -> None:
    """Only URLs below the site's are purged: paths of the manifest are percent-encoded."""
    with_unpurged(site, *STRANGE)
    listed = site.file.with_name("listed")
    assert site.export("--purge", f"tee {listed}").returncode == 0
    assert listed.read_text().splitlines() == [f"{SITE}{quote(path)}" for path in STRANGE]
    with_unpurged(site, "topics/x y/--all", "topics/--all")
    done = site.export("--purge", "echo keys: {keys}")
    assert "keys: topic-x~20y front\n" in done.stderr


def with_unpurged(site: Site, *paths: str) -> None:
    file = site.out / FOLDER_MANIFEST
    head, catalogue, *rows = file.read_text().split("\n")
    file.write_text("\n".join([head, catalogue, *(f"\t{path}" for path in paths), *rows]))
