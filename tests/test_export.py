"""Repeated exports to a folder, among other files and against attacks by other users."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import brotli
import pytest
from builds import etag_of
from conftest import (
    AS_OF,
    EXPORT_FOLDER,
    EXPORT_HOSTS,
    FOLDER_MANIFEST,
    PATIENCE,
    SHIPPED,
    program,
    run,
    run_feeds,
    shortened,
    traced,
    tree,
)

from feeds import Catalogue, FeedsError, build_release, export_folder, load_catalogue
from feeds.catalogue import read_catalogue
from feeds.export import FileEntry
from feeds.export.manifest import FolderManifest

# Of Jordan and formalization, of Armenia, and the one to edit.
TEXT = shortened("jordan-ilo-agreement", "armenia-social-security-standards", "actuary-or-actor")
EDIT = ("Actuary or actor?", "Actor or actuary?")
HOSTS_GOLDEN = Path(__file__).parent / "golden-hosts"
REDIRECTS_GOLDEN = Path(__file__).parent / "golden-redirects"
# A document, and what differs each time.
NOT_GOLDEN = {"410.html", FOLDER_MANIFEST, f"{EXPORT_FOLDER}/lock"}
CHANGING = (
    "write,pwrite64,writev,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,"
    "linkat,symlink,symlinkat,chmod,fchmod,fchmodat,chown,fchown,fchownat,utimensat,truncate,"
    "ftruncate,fallocate,fsync,fdatasync,open,openat,creat"
)


class Folder:
    """A catalogue, its state folder, and the folder it is exported to."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "entries.yaml"
        self.state = folder / "state"
        self.out = folder / "out"
        self.file.write_text(TEXT)

    def command(self, *options: str | Path) -> list[str | Path]:
        given = ("--catalogue", self.file, "--state", self.state)
        pages = [] if "--pages" in options else ["--no-pages"]
        return ["export", self.out, *given, *pages, *(one for one in options if one != "--pages")]

    def export(self, *options: str | Path) -> str:
        done = run_feeds(*self.command(*options))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *options: str | Path) -> str:
        """Return the one line of the message of an export that fails."""
        done = run_feeds(*self.command(*options))
        assert (done.returncode, done.stdout) == (1, ""), done
        [line] = done.stderr.splitlines()
        return line

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def report(self, *options: str) -> dict[str, list[str]]:
        report = json.loads(self.export("--json", *options))
        return {word: [row["path"] for row in report[word]] for word in report if word != "dry_run"}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def snapshot(folder: Path) -> dict[str, tuple[int, int, int]]:
    return {
        str(path): (found.st_ino, found.st_mtime_ns, found.st_size)
        for path, found in ((path, path.lstat()) for path in (folder, *folder.rglob("*")))
    }


def test_what_is_no_longer_published_is_removed(folder: Folder) -> None:
    """An export removes only files that an export wrote, and folders that become empty."""
    folder.export()
    own = folder.out / "topics" / "my-own"
    own.mkdir()
    (own / "notes.txt").write_text("mine")
    (folder.out / "robots.txt").write_text("mine")
    gone = [path for path in tree(folder.out) if path.startswith("countries/am/")]
    folder.edit("countries: [Armenia]", "countries: [Jordan]")
    found = folder.report()
    assert set(gone) <= set(found["removed"])
    assert not (folder.out / "countries" / "am").exists()
    assert (own / "notes.txt").read_text() == (folder.out / "robots.txt").read_text() == "mine"
    assert folder.export().startswith("written 0, ")


def test_without_pruning_nothing_is_removed_until_later(folder: Folder) -> None:
    """--no-prune keeps stale files, and a later export removes them."""
    folder.export()
    folder.edit("countries: [Armenia]", "countries: [Jordan]")
    assert folder.report("--no-prune")["removed"] == []
    assert folder.report("--no-prune")["written"] == []
    assert (folder.out / "countries" / "am" / "atom.xml").exists()
    assert "countries/am/atom.xml" in folder.report()["removed"]
    assert not (folder.out / "countries" / "am").exists()


@pytest.mark.parametrize("options", [["--compress"], []], ids=["shrunk", "plain"])
def test_no_outdated_copy_stays_beside_a_document(folder: Folder, options: list[str]) -> None:
    """Compressed copies match their documents, also with --no-prune."""
    folder.export("--compress", "--pages")
    assert (folder.out / "topics.opml.gz").exists()
    head = folder.file.read_text().partition("\nentries:\n")[0]
    entry = "- {id: one, title: One, date: 24 May 2022, summary: Text., topics: [one]}"
    folder.file.write_text(f"{head.partition('topics:')[0]}\nentries:\n{entry}\n")
    report = folder.report("--no-prune", "--pages", *options)
    assert {"topics.opml.gz", "topics.opml.br"} <= {*report["removed"]}
    found = tree(folder.out)
    for path in found.keys() & {f"{path}.gz" for path in report["written"]}:
        assert gzip.decompress(found[path]) == found[path.removesuffix(".gz")]
    assert "topics/formalization/atom.xml.gz" in found
    again = folder.report("--no-prune", "--pages", *options)
    assert again["written"] == again["removed"] == []


def test_feeds_come_before_pages(folder: Folder) -> None:
    """Feeds are put in place before pages that link to them."""
    written = folder.report("--pages")["written"]
    pages = [path.endswith(".html") for path in written]
    assert pages == sorted(pages)
    assert 0 < sum(pages) < len(pages)


def test_a_report_for_programs(folder: Folder) -> None:
    """--json reports each path with its size, and whether it was a dry run."""
    report = json.loads(folder.export("--json", "--dry-run"))
    assert not folder.out.exists()
    again = json.loads(folder.export("--json"))
    assert report == again | {"dry_run": True}
    assert again["unchanged"] == again["removed"] == []
    sizes = {path: len(body) for path, body in tree(folder.out).items()}
    assert {row["path"]: row["bytes"] for row in again["written"]} == sizes


def test_a_dry_run_changes_nothing(folder: Folder) -> None:
    """--dry-run changes neither the folder nor the state folder, and makes neither."""
    folder.export("--dry-run")
    assert not folder.out.exists()
    assert not folder.state.exists()
    folder.export()
    folder.edit(*EDIT)
    folder.edit("countries: [Armenia]", "countries: [Jordan]")
    state = tree(folder.state)
    before = snapshot(folder.out)
    said = folder.export("--dry-run")
    assert snapshot(folder.out) == before
    assert tree(folder.state) == state
    done = folder.export()
    assert [said.split()[at] for at in (2, 5, 8)] == [done.split()[at] for at in (1, 3, 5)]


def test_compressed_files_are_beside_the_others(folder: Folder) -> None:
    """Each compressed copy has its document's content and time, and exists only if it is smaller."""
    folder.export("--compress")
    found = tree(folder.out)
    plain = {path: body for path, body in found.items() if not path.endswith((".br", ".gz"))}
    assert len(found) > 2 * len(plain)
    for path, body in found.items():
        leader = path.removesuffix(".br").removesuffix(".gz")
        if leader != path:
            decode = brotli.decompress if path.endswith(".br") else gzip.decompress
            assert decode(body) == plain[leader]
            assert len(body) < len(plain[leader])
            times = [(folder.out / name).stat().st_mtime_ns for name in (path, leader)]
            assert times[0] == times[1]
    assert folder.report("--compress")["written"] == []
    (folder.out / "atom.xml.br").unlink()
    os.utime(folder.out / "atom.xml.gz", (1, 1))
    assert folder.report("--compress")["written"] == ["atom.xml.br", "atom.xml.gz"]
    assert snapshot(folder.out)[str(folder.out / "atom.xml.gz")][1] == (
        (folder.out / "atom.xml").stat().st_mtime_ns
    )
    folder.edit(*EDIT)
    written = folder.report("--compress")["written"]
    assert {"atom.xml", "atom.xml.br", "atom.xml.gz"} <= set(written)
    assert "countries/am/atom.xml.br" not in written
    folder.export()
    assert tree(folder.out).keys() == plain.keys()


def test_a_changed_file_never_keeps_its_time(folder: Folder) -> None:
    """A changed file gets a later time than before, also without a history."""
    folder.export()
    atom = folder.out / "atom.xml"
    later = int(time.time()) + 1000
    os.utime(atom, (later, later))
    (folder.state / "history.tsv").unlink()
    folder.edit(*EDIT)
    folder.export()
    assert atom.stat().st_mtime == later + 1


def test_an_unchanged_catalogue_writes_nothing(folder: Folder) -> None:
    """An export with nothing to do makes no writing system call, and reads only the manifest."""
    # Notes would have to be repeated, and so the catalogue to be read.
    folder.file.write_text(shortened("actuary-or-actor"))
    folder.export("--compress", "--host", "apache")
    log = folder.out.parent / "log"
    command = (
        *("-y", "-o", log, "-e", f"trace={CHANGING}", sys.executable, "-m", "feeds"),
        *("export", folder.out, "--catalogue", folder.file, "--state", folder.out.parent / "other"),
        *("--no-pages", "--compress", "--host", "apache"),
    )
    for option in ("--quiet", "--verify"):
        done = traced(*command, option)
        assert done.returncode == 0, done.stderr
        lines = [line for line in log.read_text().splitlines() if str(folder.out) in line]
        assert all("openat(" in line and "O_RDONLY" in line for line in lines)
        files = [line for line in lines if "O_DIRECTORY" not in line]
        assert (len(files) > 20) == (option == "--verify")
        assert any("manifest.tsv" in line for line in files)


def test_only_verify_reads_what_is_there(folder: Folder) -> None:
    """--verify finds and repairs a file whose content changed but not its stat."""
    folder.export()
    atom = folder.out / "atom.xml"
    body, stat = atom.read_bytes(), atom.stat()
    atom.write_bytes(body.replace(b"<", b">", 1))
    os.utime(atom, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert folder.report()["written"] == []
    assert folder.report("--verify")["written"] == ["atom.xml"]
    assert atom.read_bytes() == body


def test_a_changed_file_is_written_again(folder: Folder) -> None:
    """A file with another size, time or inode is read, and written again if its bytes differ."""
    folder.export()
    atom, rss = folder.out / "atom.xml", folder.out / "rss.xml"
    body = atom.read_bytes()
    atom.write_bytes(b"other")
    os.utime(rss, (1, 1))
    assert folder.report()["written"] == ["atom.xml"]
    assert atom.read_bytes() == body
    assert rss.stat().st_mtime == 1
    rss.unlink()
    assert folder.report()["written"] == ["rss.xml"]


@pytest.fixture(scope="module")
def catalogues() -> tuple[Catalogue, Catalogue]:
    """Return a catalogue, and the one after an edit."""
    assert EDIT[0] in TEXT
    first, second = (
        read_catalogue([("entries.yaml", version.encode())])
        for version in (TEXT, TEXT.replace(*EDIT))
    )
    return first, second


@pytest.mark.parametrize(
    "planted", ["atom.xml", "topics", "topics/formalization", EXPORT_FOLDER, FOLDER_MANIFEST]
)
@pytest.mark.parametrize("dangling", [False, True], ids=["leads", "dangles"])
def test_a_planted_link_is_neither_followed_nor_replaced(
    planted: str, catalogues: tuple[Catalogue, Catalogue], tmp_path: Path, *, dangling: bool
) -> None:
    """A symbolic link in place of a file or folder is reported, and its target stays unchanged."""
    out, target = tmp_path / "out", tmp_path / "target"
    export_folder(catalogues[0], out, as_of=AS_OF)
    place = out / planted
    place.rename(target)
    place.symlink_to(tmp_path / "nowhere" if dangling else target)
    before = snapshot(target), tree(out)
    with pytest.raises(FeedsError) as refused:
        export_folder(catalogues[1], out, force=True)
    assert str(refused.value).startswith(f"{place}: is a symbolic link, ")
    assert (snapshot(target), tree(out)) == before
    assert place.is_symlink()
    assert not (tmp_path / "nowhere").exists()


def test_a_planted_link_is_not_pruned_through(folder: Folder, tmp_path: Path) -> None:
    """Files behind a link in place of a stale folder are not removed."""
    folder.export()
    stale = folder.out / "countries" / "am"
    target = tmp_path / "target"
    stale.rename(target)
    stale.symlink_to(target)
    before = snapshot(target)
    folder.edit("countries: [Armenia]", "countries: [Jordan]")
    folder.export()
    assert snapshot(target) == before
    assert stale.is_symlink()


def test_what_is_not_a_file_is_left_alone(folder: Folder) -> None:
    """A folder or a pipe in place of a file is reported without blocking."""
    folder.export()
    atom = folder.out / "atom.xml"
    atom.unlink()
    atom.mkdir()
    assert f"{atom}: is not a file" in folder.refused()
    atom.rmdir()
    os.mkfifo(atom)
    assert f"{atom}: is not a file" in folder.refused()


def test_a_folder_with_other_files_is_refused(folder: Folder) -> None:
    """A folder with other files is written to only with --force, and those files stay."""
    folder.out.mkdir()
    (folder.out / "thesis.txt").write_text("years of work")
    said = folder.refused()
    assert said == (
        f"feeds: {folder.out}: is not empty, and was not written by an export; export into"
        " another folder, or use --force to add the site to this one"
    )
    assert [path.name for path in folder.out.iterdir()] == ["thesis.txt"]
    folder.export("--force")
    assert folder.export().startswith("written 0, ")
    assert (folder.out / "thesis.txt").read_text() == "years of work"


def test_own_files_are_not_replaced(folder: Folder) -> None:
    """A file of the webmaster's at a document's path is reported, and replaced only with --force."""
    folder.export()
    own = folder.out / ".htaccess"
    own.write_text("mine")
    before = tree(folder.out)
    folder.edit(*EDIT)
    for options in (("--host", "apache"), ("--host", "apache", "--dry-run")):
        assert folder.refused(*options) == (
            f"feeds: {own}: exists, and was not written by an export; remove it,"
            " or overwrite it with --force"
        )
    assert tree(folder.out) == before
    folder.export()
    assert own.read_text() == "mine"
    folder.export("--host", "apache", "--force")
    assert "mine" not in own.read_text()
    folder.export()
    assert not own.exists()


def test_a_folder_with_a_catalogue_is_refused(folder: Folder) -> None:
    """A folder that contains the catalogue is refused, under any name of the catalogue."""
    folder.out.mkdir()
    (folder.out / "entries.yaml").write_text("embargoed")
    for options in ((), ("--force",)):
        assert "contains entries.yaml; export into another folder" in folder.refused(*options)
    (folder.out / "entries.yaml").unlink()
    own = folder.file.rename(folder.out.parent / "news.yaml")
    command = ("export", own.parent, "--catalogue", own, "--force", "--state", folder.state)
    done = run_feeds(*command)
    assert done.returncode == 1
    assert f"{own.parent}: contains news.yaml; export into" in done.stderr


@pytest.mark.parametrize("given", ["cat/deep/news.yaml", "cat/deep", "link/news.yaml"])
def test_a_catalogue_anywhere_below_is_refused(folder: Folder, given: str) -> None:
    """A folder with the catalogue at any depth is refused, also through links."""
    deep = folder.out / "cat" / "deep"
    deep.mkdir(parents=True)
    (deep / "news.yaml").write_text(folder.file.read_text())
    (folder.out.parent / "link").symlink_to(deep)
    base = folder.out.parent if given.startswith("link") else folder.out
    folder.file = base / given
    assert folder.refused("--force") == (
        f"feeds: {folder.out}: contains cat/deep/news.yaml; export into another folder"
    )


def test_a_catalogue_s_memory_is_not_published(folder: Folder) -> None:
    """A folder with the state folder is refused: it has entries that are not public yet."""
    folder.state = folder.out / "a" / "state"
    assert folder.refused("--force") == (
        f"feeds: {folder.out}: contains a/state/history.tsv; export into another folder"
    )
    assert not folder.out.exists()


@pytest.mark.parametrize("target", ["media", "media/site", "linked", "linked/site", "."])
def test_the_folder_of_pictures_is_refused(folder: Folder, target: str) -> None:
    """The folder of pictures, a folder in it, and a folder around it are refused as targets."""
    (folder.file.parent / "pictures").mkdir()
    (folder.file.parent / "linked").symlink_to("pictures")
    if target.startswith("linked"):
        (folder.file.parent / "media").symlink_to("pictures")
    folder.out = folder.file.parent / target
    said = folder.refused("--force")
    assert said.startswith(f"feeds: {folder.out}: ")
    assert said.endswith("; export into another folder")
    assert not [*(folder.file.parent / "pictures").iterdir()]
    assert not (folder.file.parent / "media" / "atom.xml").exists()


@pytest.mark.parametrize("umask", [0, 0o022, 0o077, 0o777])
def test_the_site_is_readable_for_all_users(folder: Folder, umask: int) -> None:
    """Files and folders are readable by a web server's user, with any umask."""
    folder.out = folder.out / "deep" / "site"
    before = os.umask(umask)
    try:
        folder.export()
    finally:
        os.umask(before)
    for path in (folder.out.parent.parent, folder.out.parent, folder.out, *folder.out.rglob("*")):
        wanted = 0o600 if path.name == "lock" else 0o755 if path.is_dir() else 0o644
        assert path.stat().st_mode & 0o777 == wanted, path
    assert folder.state.stat().st_mode & 0o777 == 0o700


def test_a_folder_keeps_what_its_owner_gave_it(folder: Folder) -> None:
    """New folders inherit the group of a set-group-ID parent."""
    folder.out.mkdir()
    folder.out.chmod(0o2775)
    before = os.umask(0o077)
    try:
        folder.export()
    finally:
        os.umask(before)
    assert folder.out.stat().st_mode & 0o7777 == 0o2775
    assert (folder.out / "topics").stat().st_mode & 0o7777 == 0o2755


OWN = [
    *(
        f"{EXPORT_FOLDER}/{name}"
        for name in ("lock", "manifest.tsv", "new/0", "old/0", "new", "LOCK", "x/y")
    ),
    f"{EXPORT_FOLDER.upper()}/lock",
    f"{EXPORT_FOLDER}./lock",
    ".feeds\u200d-export/lock",
]


@pytest.mark.parametrize(
    "damage",
    [
        *("", "nonsense\n", "../victim\t6\tx\n", "/etc/passwd\t6\tx\n", "topics/./a\t1\tx\n"),
        *("a\tb\n", *(f"{path}\t1\tx\n" for path in OWN)),
    ],
)
def test_a_damaged_manifest_removes_nothing(
    damage: str, catalogues: tuple[Catalogue, Catalogue], tmp_path: Path
) -> None:
    """A manifest that is damaged or names paths outside the folder is refused; --force writes a new one."""
    out, victim = tmp_path / "out", tmp_path / "victim"
    victim.write_text("victim")
    export_folder(catalogues[0], out, as_of=AS_OF)
    path = out / FOLDER_MANIFEST
    heading = path.read_text().splitlines()[0]
    path.write_text(f"{heading}\n{damage}" if damage else "")
    before = tree(out)
    with pytest.raises(FeedsError) as refused:
        export_folder(catalogues[1], out)
    assert str(refused.value).startswith(f"{path}: is damaged; use --force ")
    assert tree(out) == before
    export_folder(catalogues[1], out, force=True)
    assert export_folder(catalogues[1], out).written == ()
    assert victim.read_text() == "victim"


def test_the_manifest_names_what_was_written(folder: Folder, tmp_path: Path) -> None:
    """The manifest lists each file, sorted, with size, ETag, time and inode, and no absolute path."""
    folder.export("--compress", "--host", "nginx")
    text = (folder.out / FOLDER_MANIFEST).read_bytes()
    found = FolderManifest.parse(text)
    assert found.finished
    assert found.to_bytes() == text
    assert str(tmp_path).encode() not in text
    files = tree(folder.out) | {
        f"{EXPORT_FOLDER}/nginx.conf": (folder.out / EXPORT_FOLDER / "nginx.conf").read_bytes()
    }
    assert list(found.files) == sorted(files)
    for path, file in found.files.items():
        stat = (folder.out / path).stat()
        assert (file.size, file.time, file.inode) == (
            len(files[path]),
            stat.st_mtime_ns,
            stat.st_ino,
        )
        assert file.etag == etag_of(files[path])
    unfinished = found._replace(finished=False)
    assert FolderManifest.parse(unfinished.to_bytes()) == unfinished


def test_a_manifest_of_the_first_version_is_understood(folder: Folder) -> None:
    """Files in a manifest of version 1 are owned, and are not written again if unchanged."""
    folder.export()
    before = snapshot(folder.out)
    found = FolderManifest.parse((folder.out / FOLDER_MANIFEST).read_bytes())
    lines = [f"{path}\t{file.size}\t{file.etag}" for path, file in found.files.items()]
    heading = "# feeds manifest 1: path, bytes, the first half of the SHA-256"
    (folder.out / FOLDER_MANIFEST).write_text("\n".join([heading, *lines, ""]))
    gone = [path for path in tree(folder.out) if path.startswith("countries/am/")]
    folder.edit("countries: [Armenia]", "countries: [Jordan]")
    report = folder.report()
    assert {*gone} <= {*report["removed"]}
    after = snapshot(folder.out)
    kept = [str(folder.out / path) for path in report["unchanged"]]
    assert len(kept) > 10
    assert [after[path] for path in kept] == [before[path] for path in kept]
    assert (
        FolderManifest.parse((folder.out / FOLDER_MANIFEST).read_bytes()).files["atom.xml"].inputs
    )
    assert folder.export().startswith("written 0, ")


def test_a_path_that_would_end_its_line_is_refused() -> None:
    """A manifest that is written is read with the same content, or refused."""
    for path in ("a\tb", "a\nb", "", "a//b", "/a", "a/", "../a", "a/../b", "."):
        with pytest.raises(ValueError):  # noqa: PT011  # any line may be the first one that is wrong
            FolderManifest.parse(FolderManifest({path: FileEntry(1, "x")}).to_bytes())


def test_of_two_exports_one_writes(folder: Folder) -> None:
    """A second export at the same time fails with a message, and changes nothing."""
    folder.export()
    folder.edit(*EDIT)
    with stopped(folder) as first:
        said = folder.refused()
        assert said == f"feeds: {folder.out}: another export is writing there"
        os.killpg(first.pid, signal.SIGCONT)
        out, err = first.communicate(timeout=PATIENCE)
    assert first.returncode == 0, err
    assert not out.startswith("written 0")
    assert folder.export().startswith("written 0, ")


@contextmanager
def stopped(folder: Folder) -> Iterator[subprocess.Popen[str]]:
    """Return an export in a process group of its own, stopped while it holds the lock."""
    held = ("-e", "trace=linkat", "-e", "inject=linkat:signal=SIGSTOP:when=1")
    log = folder.out.parent / "log"
    command = [program("strace"), "-f", "-qq", "-o", log, *held, sys.executable, "-m", "feeds"]
    with subprocess.Popen(
        [*map(str, command), *map(str, folder.command())],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        try:
            wait_until_stopped(log, process)
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def wait_until_stopped(log: Path, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        if log.exists() and "stopped by SIGSTOP" in log.read_text():
            return
        time.sleep(0.05)
    _, said = process.communicate()
    if "ptrace" in said:
        pytest.skip(f"no process may be traced here: {said.splitlines()[0]}")
    pytest.fail(f"the export never came to its first file: {said}")


def test_without_locks_or_second_names_an_export_goes_on(folder: Folder) -> None:
    """A file system without flock and hard links is written to, with a warning about the lock."""
    folder.export()
    folder.edit(*EDIT)
    faults = ("-e", "inject=flock:error=ENOLCK", "-e", "inject=linkat:error=EPERM")
    options = ("-o", folder.out.parent / "log", "-e", "trace=flock,linkat", *faults)
    done = traced(*options, sys.executable, "-m", "feeds", *folder.command())
    assert done.returncode == 0, done.stderr
    assert "event=no-lock" in done.stderr
    assert folder.export().startswith("written 0, ")


def test_a_failed_rollback_is_reported(folder: Folder) -> None:
    """Without hard links a failed export is not rolled back: each file is complete, and the message says so."""
    folder.export()
    before = tree(folder.out)
    folder.edit(*EDIT)
    faults = ("-e", "inject=linkat:error=EPERM", "-e", "inject=renameat:error=EIO:when=3")
    options = ("-o", folder.out.parent / "log", "-e", "trace=linkat,renameat", *faults)
    # A state folder that cannot be: so that all that is renamed is the site's.
    without = ("--state", "/dev/null/state")
    done = traced(*options, sys.executable, "-m", "feeds", *folder.command(), *without)
    assert done.returncode == 1
    assert "Input/output error; not all could be restored: export again" in done.stderr
    between = tree(folder.out)
    assert not folder.export().startswith("written 0, ")
    after = tree(folder.out)
    assert before != between != after
    assert all(body in {before[path], after[path]} for path, body in between.items())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of little more than a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid():
        pytest.skip("only root can mount a small file system")
    done = run(program("mount"), "-t", "tmpfs", "-o", "size=1200k", "tmpfs", place)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        run(program("umount"), place)


def test_a_full_disk_leaves_the_old_site(folder: Folder, small_disk: Path) -> None:
    """On a full disk the message names the path, and the old files stay."""
    folder.out = small_disk / "out"
    folder.file.write_text(SHIPPED.read_text())
    folder.export()
    before = snapshot(folder.out), tree(folder.out)
    folder.edit("title: Social protection – News and features", "title: Everything is new")
    said = folder.refused()
    assert "No space left on device" in said
    assert str(folder.out) in said
    after = snapshot(folder.out), tree(folder.out)
    assert after[1] == before[1]
    assert {k: v for k, v in after[0].items() if EXPORT_FOLDER not in k} == {
        k: v for k, v in before[0].items() if EXPORT_FOLDER not in k
    }
    run(program("mount"), "-o", "remount,size=8m", small_disk)
    assert not folder.export().startswith("written 0, ")
    assert folder.export().startswith("written 0, ")


def test_the_command_knows_every_host() -> None:
    """--host accepts each host that has a configuration, and nothing else."""
    said = run_feeds("export", "--help").stdout
    choices = re.search(r"--host {(.*?)}", said, re.DOTALL)
    assert choices
    assert sorted(re.split(r",\s*", choices[1])) == EXPORT_HOSTS
    done = run_feeds("export", "out", "--host", "iis")
    assert (done.returncode, "invalid choice: 'iis'" in done.stderr) == (2, True)


def moved_for(host: str) -> Catalogue:
    """Return a catalogue with moved addresses, at a URL that the host supports."""
    catalogue = load_catalogue(HOSTS_GOLDEN / "moved.yaml")
    if host in {"netlify", "cloudflare-pages"}:
        # The folder becomes the top of a site.
        return replace(catalogue, site=replace(catalogue.site, url="https://news.example.org/"))
    return catalogue


def host_files(host: str, out: Path, *, compress: bool = False) -> dict[str, bytes]:
    """Export for a host, and return the additional files."""
    catalogue = moved_for(host)
    report = export_folder(catalogue, out, as_of=AS_OF, host=host, compress=compress)
    documents = build_release(catalogue, as_of=AS_OF).keys()
    return {
        path: (out / path).read_bytes()
        for path in report.written
        if path.removesuffix(".gz").removesuffix(".br") not in documents
    }


@pytest.mark.parametrize("host", EXPORT_HOSTS)
def test_host_files_are_golden(host: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The files for each host are, byte for byte, the golden files."""
    files = host_files(host, tmp_path / "out", compress=True)
    kept = HOSTS_GOLDEN / host
    if request.config.getoption("--golden"):
        for path, body in files.items():
            (kept / path).parent.mkdir(parents=True, exist_ok=True)
            (kept / path).write_bytes(body)
    assert files == files_in(kept)


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


# GitHub Pages gets copies of documents: see test_moving.py.
@pytest.mark.parametrize("host", [name for name in EXPORT_HOSTS if name != "github-pages"])
def test_redirects_to_a_new_url_are_golden(
    host: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The configuration of each host from which a site has moved is, byte for byte, the golden file."""
    done = run_feeds(
        *("export", tmp_path / "out", "--catalogue", HOSTS_GOLDEN / "moved.yaml"),
        *("--url", moved_for(host).site.url, "--host", host),
        *("--redirect-to", "https://feeds.example.net/n%C3%A9w/"),
    )
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    found = {path: body for path, body in files_in(out).items() if path not in NOT_GOLDEN}
    kept = REDIRECTS_GOLDEN / host
    if request.config.getoption("--golden"):
        for path, body in found.items():
            (kept / path).parent.mkdir(parents=True, exist_ok=True)
            (kept / path).write_bytes(body)
    assert found == files_in(kept)


@pytest.mark.parametrize("host", EXPORT_HOSTS)
def test_host_files_are_not_purged(host: str, tmp_path: Path) -> None:
    """A purge omits a server's configuration, and includes a file at a moved address."""
    extra = host_files(host, tmp_path / "first")
    catalogue, out = moved_for(host), tmp_path / "out"
    export_folder(catalogue, out, as_of=AS_OF)
    reports = [export_folder(catalogue, out, as_of=AS_OF, host=name) for name in (host, "")]
    assert {*reports[0].written} == {*reports[1].removed} == {*extra}
    moved = extra.keys() - {".nojekyll"} if host == "github-pages" else set()
    assert bool(moved) == (host == "github-pages")
    assert all({*report.changed} == moved for report in reports)


def test_many_files_are_synchronised_at_once(
    catalogues: tuple[Catalogue, Catalogue], tmp_path: Path
) -> None:
    """An export that synchronises many files at once writes all of them."""
    report = export_folder(catalogues[0], tmp_path / "out", as_of=AS_OF)
    assert len(report.written) > 64
    release = build_release(catalogues[0], as_of=AS_OF)
    assert tree(tmp_path / "out") == {path: document.body for path, document in release.items()}
