"""The documented units of systemd: it accepts them, and their restrictions allow what the program does."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from caches import CONFIGURATIONS
from conftest import PATIENCE, SHIPPED, free_port, program, run, traced, wait_for, wait_until
from hosts import ask
from packages import environment
from processes import build_processes

UNITS = sorted(path.name for path in CONFIGURATIONS.glob("feeds*.*"))
SERVICES = ["feeds.service", "feeds-export.service"]
FEEDS = Path(sys.executable).parent / "feeds"
# From 0, the best, to 100.
MAX_EXPOSURE = 11
CALL = re.compile(r"^\d+ +(?:<\.\.\. )?(\w+)[( ]", re.MULTILINE)
# What a call writes: the file that it opens, or the folder or the path that it changes.
WRITTEN = re.compile(
    r"""^\d+\ +(?:
        .*O_(?:WRONLY|RDWR).*\ =\ \d+<([^>]*)>
      | (?:mkdir|rename|link|unlink|symlink)at2?\(\d+<([^>]*)>.*\ =\ 0
      | (?:mkdir|rename|link|unlink|symlink|rmdir|chmod|truncate)\("([^"]*)".*\ =\ 0
    )""",
    re.MULTILINE | re.VERBOSE,
)


def directives(unit: str) -> list[tuple[str, str]]:
    """Return the directives of a unit, each with its value."""
    text = (CONFIGURATIONS / unit).read_text()
    return re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE)


def values(unit: str, name: str) -> list[str]:
    return [value for directive, value in directives(unit) if directive == name]


def placed(folder: Path) -> Path:
    """Copy the units, with the program of these tests."""
    for unit in UNITS:
        text = (CONFIGURATIONS / unit).read_text()
        (folder / unit).write_text(text.replace("/opt/feeds/bin/feeds", str(FEEDS)))
    return folder


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_accepts_each_unit(unit: str, tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say about a unit."""
    env = environment(SYSTEMD_UNIT_PATH=f"{placed(tmp_path)}:")
    done = run(program("systemd-analyze"), "verify", "--man=no", tmp_path / unit, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("unit", SERVICES)
def test_services_are_hardened(unit: str, tmp_path: Path) -> None:
    """The exposure of a service is low, as systemd calculates it."""
    command = (program("systemd-analyze"), "security", "--offline=true", "--no-pager")
    file = placed(tmp_path) / unit
    done = run(*command, f"--threshold={MAX_EXPOSURE}", file)
    assert "Overall exposure level" in done.stdout, done.stderr
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_both_services_have_the_same_restrictions() -> None:
    """The two services differ in what they run, and in the folder of the site alone."""
    found = [{*directives(unit)} for unit in SERVICES]
    own = {"Description", "Wants", "After", "WantedBy", "Type", "ExecStart", "ExecReload"}
    own |= {"Restart", "RestartSec", "UMask", "ReadWritePaths"}
    assert {name for name, _ in found[0] ^ found[1]} <= own


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the folders that a service can write: its state, the site, and its /tmp."""
    made = [tmp_path / name for name in ("state", "site", "tmp")]
    for folder in made:
        folder.mkdir()
    monkeypatch.setenv("FEEDS_STATE", str(made[0]))
    monkeypatch.setenv("TMPDIR", str(made[2]))
    return made


@pytest.mark.heavy
def test_the_restrictions_allow_what_a_server_does(tmp_path: Path, folders: list[Path]) -> None:
    """A server builds, publishes an edit, answers and ends with permitted calls; it writes its state alone."""
    file, trace = tmp_path / "entries.yaml", tmp_path / "trace"
    file.write_text(SHIPPED.read_text())
    with traced_server(file, folders[0], trace) as (url, process):
        for coding in ("br", "gzip"):
            assert ask(f"{url}atom.xml", Accept_Encoding=coding).headers["content-encoding"]
        file.write_text(SHIPPED.read_text().replace("Government intervention", "INTERVENTION"))
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: b"INTERVENTION" in ask(f"{url}countries/id/atom.xml").body)
    check_trace("feeds.service", trace.read_text(), [folders[0], folders[2]])


@pytest.mark.heavy
def test_the_restrictions_allow_what_an_export_does(tmp_path: Path, folders: list[Path]) -> None:
    """An export, and one of an edit, use permitted calls, and write the site and the state alone."""
    file = tmp_path / "entries.yaml"
    file.write_text(SHIPPED.read_text())
    for number in range(2):
        trace = tmp_path / f"trace-{number}"
        done = traced("-y", "-o", trace, FEEDS, "export", folders[1], "--catalogue", file)
        assert done.returncode == 0, done.stderr
        check_trace("feeds-export.service", trace.read_text(), folders)
        file.write_text(file.read_text().replace("Government intervention", "INTERVENTION"))
    # That of the edit has kept the files that it replaces.
    assert re.search(r"^\d+ +link", trace.read_text(), re.MULTILINE)


@contextmanager
def traced_server(
    catalogue: Path, state: Path, trace: Path
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run `feeds serve` under strace; it must end on SIGTERM with exit code 0."""
    traced("true")
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    # With -D, the process that is started is the server, not strace.
    command: list[str | Path] = [program("strace"), "-D", "-f", "-qq", "-y", "-o", trace]
    command += [FEEDS, "serve", "--catalogue", catalogue, "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(f"{url}healthz", process)
            yield url, process
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0
            wait_until(lambda: not build_processes(catalogue, state))


def check_trace(unit: str, trace: str, writable: list[Path]) -> None:
    """Check the system calls in a trace against the restrictions of a unit."""
    calls = {*CALL.findall(trace)}
    assert {"execve", "openat", "mmap"} <= calls
    assert calls - permitted_calls(unit) == set()
    families = {*re.findall(r"socket\((AF_\w+)", trace)}
    assert families <= {*values(unit, "RestrictAddressFamilies")[0].split()}
    # MemoryDenyWriteExecute=
    assert not re.search(r"mmap\([^)]*PROT_WRITE\|PROT_EXEC|mprotect\([^)]*PROT_EXEC", trace)
    # RestrictNamespaces=, RestrictSUIDSGID=
    assert not re.search(r"CLONE_NEW|chmod\w*\([^)]*\b0[2-7]\d{3}\)", trace)
    # ProtectSystem=, PrivateTmp=, PrivateDevices=
    allowed = (*(f"{folder}/" for folder in writable), "/dev/null/")
    written = {path for groups in WRITTEN.findall(trace) for path in groups if path}
    assert len(written) > 5
    assert [path for path in written if not f"{path}/".startswith(allowed)] == []


def permitted_calls(unit: str) -> set[str]:
    """Return the system calls that a unit permits, by its lines `SystemCallFilter=`."""
    permitted: set[str] = set()
    for value in values(unit, "SystemCallFilter"):
        calls = set().union(*map(calls_of, value.removeprefix("~").split()))
        permitted = permitted - calls if value.startswith("~") else permitted | calls
    return permitted


@cache
def calls_of(name: str) -> set[str]:
    """Return the system calls of a group such as `@system-service`; groups contain groups."""
    if not name.startswith("@"):
        return {name}
    done = run(program("systemd-analyze"), "syscall-filter", "--no-pager", name)
    lines = [line.strip() for line in done.stdout.splitlines() if line.startswith(" ")]
    names = [line for line in lines if line and not line.startswith("#")]
    assert names, done.stderr
    return set().union(*map(calls_of, names))
