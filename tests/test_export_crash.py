"""An export that is killed, or that the file system refuses, at each of its steps in turn."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from itertools import count, cycle
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import EXPORT_FOLDER, FOLDER_MANIFEST, run_feeds, traced, tree

from feeds.export import FileEntry
from feeds.export.manifest import FolderManifest

ENTRY = """
site:
  title: News
  url: https://news.example.org/
  id: tag:news.example.org,2021:news
  timezone: UTC
  author: {{name: Example}}
  formats: [atom]
  feeds: [topics]
entries:
- {{id: one, title: {title}, date: 24 May 2022, summary: Text., topics: [{topics}]}}
"""
# Of the old one's three documents one changes, one goes, and a new one comes.
OLD = ENTRY.format(title="Old", topics="kept, gone")
NEW = ENTRY.format(title="New", topics="kept, come")
CALLS = "write fsync renameat unlinkat linkat mkdirat fchmod utimensat openat".split()
ERRORS = "EIO ENOSPC EROFS EACCES".split()
# A file that is written to the disk under its temporary name.
_SYNCED = re.compile(rf"fsync\(.*/{re.escape(EXPORT_FOLDER)}/new/(\w+)>")
CALL = re.compile(r"^(?:\d+ +)?(\w+)\(")


class Fault(NamedTuple):
    """A fault: the kind and the number of a system call, and what strace injects there."""

    call: str
    number: int
    does: str
    lasting: bool = False

    @property
    def option(self) -> str:
        return f"inject={self.call}:{self.does}:when={self.number}{'+' * self.lasting}"

    @property
    def options(self) -> tuple[str, ...]:
        """Return the options to trace nothing else, which would take longer."""
        return ("-e", f"trace={self.call}", "-e", self.option)


class Ground:
    """A folder to which the old catalogue was exported, and exports of the new one to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count()
        for name, text in (("old", OLD), ("new", NEW)):
            (folder / f"{name}.yaml").write_text(text)
        for name, out in (("old", "site"), ("new", "wanted")):
            done = run_feeds(*self.command(folder, name, out))
            assert done.returncode == 0, done.stderr
        self.old, self.new = tree(folder / "site"), tree(folder / "wanted")
        assert self.old.keys() - self.new.keys()
        assert self.new.keys() - self.old.keys()
        assert self.old["atom.xml"] != self.new["atom.xml"]

    def command(self, folder: Path, name: str, out: str) -> list[str | Path]:
        file = self.folder / f"{name}.yaml"
        return [
            *("export", folder / out, "--catalogue", file, "--state", folder / "state"),
            "--no-pages",
        ]

    @contextmanager
    def trial(self) -> Iterator[Path]:
        """Return a copy of everything, with the times."""
        folder = self.folder / f"trial-{next(self._numbers)}"
        folder.mkdir()
        for name in ("site", "state"):
            subprocess.run(["cp", "-a", self.folder / name, folder], check=True)  # noqa: S607  # any cp
        yield folder
        shutil.rmtree(folder)

    def export(self, folder: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
        """Export the new catalogue under strace, with options for what to trace and inject."""
        return traced(*options, sys.executable, "-m", "feeds", *self.command(folder, "new", "site"))

    @cached_property
    def calls(self) -> dict[str, list[int]]:
        """Return the numbers of the calls of each kind that change the folder, counted from the process's first."""
        with self.trial() as folder:
            log = folder / "log"
            done = self.export(folder, "-y", "-o", log, "-e", f"trace={','.join(CALLS)}")
            assert done.returncode == 0, done.stderr
            site = str(folder / "site")
            seen: Counter[str] = Counter()
            found: dict[str, list[int]] = {}
            for line in log.read_text().splitlines():
                match = CALL.match(line)
                if match is None:
                    continue
                name = match[1]
                seen[name] += 1
                if site in line and (name != "openat" or "O_CREAT" in line):
                    found.setdefault(name, []).append(seen[name])
        return found

    def faults(self, does: str, kinds: Sequence[str] = CALLS) -> list[Fault]:
        calls = self.calls
        return [Fault(call, number, does) for call in kinds for number in calls[call]]

    def killed(self, fault: Fault) -> None:
        """Kill at a call: each file is complete, and the next export completes."""
        with self.trial() as folder:
            done = self.export(folder, "-o", folder / "log", *fault.options)
            assert done.returncode in {-9, 137}, (fault, done)
            for path, body in tree(folder / "site").items():
                assert body in {self.old.get(path), self.new.get(path)}, (fault, path)
            self.completes(folder, fault)

    def refused(self, fault: Fault) -> None:
        """Make a call fail: the old site is there, the path is named, and the next export completes."""
        with self.trial() as folder:
            done = self.export(folder, "-o", folder / "log", *fault.options)
            left = tree(folder / "site")
            if done.returncode == 0:
                # A file that could not be synchronised is written again, once.
                assert fault.call in {"fsync", "openat"}, fault
                assert not fault.lasting, fault
                assert left == self.new, fault
            else:
                assert done.returncode == 1, (fault, done)
                assert str(folder / "site") in done.stderr, (fault, done.stderr)
                assert len(done.stderr.splitlines()) == 1, (fault, done.stderr)
                # What is taken away at the very end is not part of the site any more.
                done_already = fault.call == "unlinkat" and left == self.new
                assert left == self.old or done_already, fault
            self.completes(folder, fault)

    def interrupted(self, fault: Fault) -> None:
        """Send SIGINT at a call: the old site is there, and nothing else."""
        with self.trial() as folder:
            done = self.export(folder, "-o", folder / "log", *fault.options)
            assert done.returncode == 130, (fault, done)
            assert tree(folder / "site") == self.old, fault
            left = {path.name for path in (folder / "site" / EXPORT_FOLDER).iterdir()}
            assert left == {"lock", "manifest.tsv"}, fault

    def returned(self, fault: Fault) -> None:
        """Kill at a call, and export the old catalogue again: nothing of the new one is left."""
        with self.trial() as folder:
            self.export(folder, "-o", folder / "log", *fault.options)
            done = run_feeds(*self.command(folder, "old", "site"))
            assert done.returncode == 0, (fault, done.stderr)
            assert tree(folder / "site") == self.old, fault
            names = {path.name for path in (folder / "site" / "topics").iterdir()}
            assert names == {"kept", "gone"}, fault

    def completes(self, folder: Path, fault: Fault) -> None:
        done = run_feeds(*self.command(folder, "new", "site"))
        assert done.returncode == 0, (fault, done.stderr)
        assert tree(folder / "site") == self.new, fault
        assert {path.name for path in (folder / "site" / "topics").iterdir()} == {"kept", "come"}
        left = {path.name for path in (folder / "site" / EXPORT_FOLDER).iterdir()}
        assert left == {"lock", "manifest.tsv"}, fault
        assert known(folder / "site") == known(self.folder / "wanted"), fault


def known(site: Path) -> tuple[bool, str, dict[str, FileEntry]]:
    """Return a site's manifest without times and inodes."""
    found = FolderManifest.parse((site / FOLDER_MANIFEST).read_bytes())
    for path, file in found.files.items():
        stat = (site / path).stat()
        assert (file.time, file.inode) == (stat.st_mtime_ns, stat.st_ino), path
    files = {path: file._replace(time=0, inode=0) for path, file in found.files.items()}
    return found.finished, found.catalogue, files


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(tmp_path_factory.mktemp("crash"))


def some(faults: Sequence[Fault]) -> list[Fault]:
    """Return the first fault, a middle one and the last; the heavy tests use all."""
    assert len(faults) >= 5
    return [faults[0], faults[len(faults) // 2], faults[-1]]


def every(work: Callable[[Fault], None], faults: Sequence[Fault]) -> None:
    assert faults
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, faults))


def test_killed_while_files_are_put_in_place(ground: Ground) -> None:
    """Killed at a rename, an export leaves each file whole, and the next one completes."""
    every(ground.killed, some(ground.faults("signal=SIGKILL", ["renameat"])))


def test_what_a_killed_export_wrote_has_an_owner(ground: Ground) -> None:
    """Each file that an export killed at a rename leaves is known to the next export."""
    faults = ground.faults("signal=SIGKILL", ["renameat"])
    ground.returned(faults[len(faults) // 2])


@pytest.mark.heavy
def test_what_an_export_wrote_has_an_owner_whenever_it_was_killed(ground: Ground) -> None:
    """The same at each rename."""
    every(ground.returned, ground.faults("signal=SIGKILL", ["renameat"]))


def test_interrupted_while_files_are_put_in_place(ground: Ground) -> None:
    """Ctrl-C at a rename restores the folder, and leaves no temporary file."""
    every(ground.interrupted, some(ground.faults("signal=SIGINT", ["renameat"])))


@pytest.mark.heavy
def test_interrupted_again_and_again(ground: Ground) -> None:
    """Ctrl-C at a rename, and again during the rollback, restores the folder."""
    faults = some(ground.faults("signal=SIGINT", ["renameat"]))
    every(ground.interrupted, [fault._replace(lasting=True) for fault in faults])


@pytest.mark.heavy
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "again and again"])
def test_interrupted_at_every_rename(ground: Ground, *, lasting: bool) -> None:
    """Ctrl-C at each rename restores the folder."""
    faults = ground.faults("signal=SIGINT", ["renameat"])
    every(ground.interrupted, [fault._replace(lasting=lasting) for fault in faults])


def test_refused_and_interrupted(ground: Ground) -> None:
    """Ctrl-C during the rollback of a failed export: the folder is restored, and the error reported."""
    calls = ground.calls
    fault = Fault("linkat", calls["linkat"][-1], "error=EIO")
    back = f"inject=renameat:signal=SIGINT:when={calls['renameat'][-1]}+"
    with ground.trial() as folder:
        faults = ("-e", "trace=linkat,renameat", "-e", fault.option, "-e", back)
        done = ground.export(folder, "-o", folder / "log", *faults)
        assert done.returncode == 1, done
        assert "Input/output error" in done.stderr
        assert tree(folder / "site") == ground.old
        ground.completes(folder, fault)


def test_refused_once(ground: Ground) -> None:
    """If the last write, link or rename fails, an export restores the folder, and names the path."""
    calls = ground.calls
    kinds = ("write", "linkat", "renameat")
    faults = [Fault(call, calls[call][-1], "error=ENOSPC") for call in kinds]
    faults.append(Fault("fsync", calls["fsync"][0], "error=EIO"))
    every(ground.refused, faults)


def test_a_file_that_is_not_synchronised_is_written_again(ground: Ground) -> None:
    """After a failed fsync the file is written again, once; fsync is not repeated on the same file."""
    number = ground.calls["fsync"][0]
    for lasting in (False, True):
        with ground.trial() as folder:
            log = folder / "log"
            fault = Fault("fsync", number, "error=EIO", lasting)
            kinds = "trace=openat,unlinkat,fsync"
            done = ground.export(folder, "-y", "-o", log, "-e", kinds, "-e", fault.option)
            assert done.returncode == lasting, done.stderr
            text = log.read_text()
            first = _SYNCED.search(text)
            assert first
            lines = [line for line in text.splitlines() if first[1] in line]
            steps = [CALL.sub(r"\1 ", line).split()[0] for line in lines if "O_RDONLY" not in line]
            assert steps[:5] == ["openat", "fsync", "unlinkat", "openat", "fsync"]
            assert steps.count("fsync") == 2


@pytest.mark.heavy
def test_killed_at_every_step(ground: Ground) -> None:
    """An export that is killed at any writing system call leaves each file complete."""
    every(ground.killed, ground.faults("signal=SIGKILL"))


@pytest.mark.heavy
@pytest.mark.parametrize("first", [0, 2])
def test_refused_at_every_step(ground: Ground, first: int) -> None:
    """An export whose writing system call fails, at any call and with any error, leaves the old site."""
    errors = cycle([*ERRORS[first:], *ERRORS[:first]])
    faults = [fault._replace(does=f"error={next(errors)}") for fault in ground.faults("")]
    every(ground.refused, faults)


@pytest.mark.heavy
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_disk_on_which_every_fsync_fails(ground: Ground, error: str) -> None:
    """If every fsync from one on fails, nothing of the new site is left."""
    faults = [fault._replace(lasting=True) for fault in ground.faults(f"error={error}", ["fsync"])]
    every(ground.refused, faults)


MANY = ENTRY.format(title="Many", topics=", ".join(f"t{number}" for number in range(140)))


def export_many(
    folder: Path, *options: str
) -> tuple[subprocess.CompletedProcess[str], Counter[str]]:
    """Export so many files that they are synchronised at once, and count the system calls."""
    (folder / "many.yaml").write_text(MANY)
    log = folder / "log"
    command = ("export", folder / "site", "--catalogue", folder / "many.yaml", "--no-pages")
    state = ("--state", folder / "state")
    traced_calls = ("-o", log, "-e", "trace=fsync,syncfs")
    done = traced(*traced_calls, *options, sys.executable, "-m", "feeds", *command, *state)
    calls = Counter(
        found[1] for line in log.read_text().splitlines() if (found := CALL.match(line))
    )
    return done, calls


def test_many_files_are_written_to_the_disk_at_once(tmp_path: Path) -> None:
    """For many files, syncfs is called once for all files and once for all folders, and fsync for none."""
    done, calls = export_many(tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(tree(tmp_path / "site")) > 140
    assert calls["syncfs"] == 2
    assert calls["fsync"] < 10


@pytest.mark.parametrize("error", [pytest.param("EIO", marks=pytest.mark.heavy), "ENOSYS"])
def test_many_files_are_written_one_by_one_where_syncfs_fails(error: str, tmp_path: Path) -> None:
    """If syncfs fails, which another program's file may cause, each file is written again and synchronised by fsync."""
    done, calls = export_many(tmp_path, "-e", f"inject=syncfs:error={error}")
    assert done.returncode == 0, done.stderr
    assert len(tree(tmp_path / "site")) > 140
    assert calls["fsync"] > 280


@pytest.mark.heavy
def test_many_files_survive_a_kill(tmp_path: Path) -> None:
    """An export that is killed during syncfs leaves the old files, or complete new ones."""
    for number in (1, 2):
        done, _ = export_many(tmp_path, "-e", f"inject=syncfs:signal=SIGKILL:when={number}")
        assert done.returncode in {-9, 137}
        assert len(tree(tmp_path / "site")) in {0, 142}
    done, _ = export_many(tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(tree(tmp_path / "site")) == 142
