"""The wheel on a machine with Python alone: what the guide says works there."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import (
    EXPORT_FOLDER,
    PATIENCE,
    ROOT,
    SHIPPED,
    free_port,
    program,
    run,
    run_feeds,
    tree,
    wait_for,
    wait_until,
)
from hosts import ask
from packages import Repository, environment, installed, repository

pytestmark = pytest.mark.heavy
GUIDE = (ROOT / "docs" / "webmasters.md").read_text()


class Machine(NamedTuple):
    """The programs of a virtual environment with the wheel, and the repository that it is built from."""

    programs: Path
    repository: Repository

    @property
    def env(self) -> dict[str, str]:
        """The environment of its processes, which find no other programs."""
        return environment(PATH=str(self.programs), HOME=str(self.programs.parent))

    def run(self, *command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run one of its programs, which must succeed."""
        name, *arguments = command
        done = run(self.programs / name, *arguments, cwd=cwd, env=self.env)
        assert done.returncode == 0, done.stderr
        return done


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Install the wheel of this repository by the commands of the guide."""
    made = repository(tmp_path_factory.mktemp("repository"))
    made.make_dist()
    folder = tmp_path_factory.mktemp("machine")
    shutil.copytree(made.dist, folder / "dist")
    [commands] = re.findall(r"^```sh\n(python3 -m venv .*?)```", GUIDE, re.MULTILINE | re.DOTALL)
    base = Path(sys.base_prefix, "bin")
    env = environment(PATH=f"{base}:/usr/bin:/bin")
    installed(commands.replace("/opt/feeds", str(folder / "feeds")), folder, env)
    return Machine(folder / "feeds" / "bin", made)


@contextmanager
def serving(machine: Machine, folder: Path, *command: str) -> Iterator[str]:
    """Run a server in a folder, and yield its URL; {port} in the command is its port."""
    port = free_port()
    path = str(machine.programs / command[0])
    words = [path, *(word.format(port=port) for word in command[1:])]
    with (folder.parent / "log").open("wb") as log:
        process = subprocess.Popen(words, cwd=folder, env=machine.env, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}/atom.xml", process)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0
        # The process that builds ends after the others.
        wait_until(lambda: not processes_in(folder))


def test_from_an_empty_folder_to_a_site(machine: Machine, tmp_path: Path) -> None:
    """With Python and the wheel alone, a new catalogue is written, checked, served and exported."""
    folder = tmp_path / "empty"
    folder.mkdir()
    options = ("--title", "Our news", "--url", "https://news.example.org/")
    machine.run("feeds", "init", *options, cwd=folder)
    machine.run("feeds", "new", "A title", "--summary", "What happened.", cwd=folder)
    assert ": 2 entries, " in machine.run("feeds", "check", cwd=folder).stdout
    with serving(machine, folder, "feeds", "serve", "--port", "{port}") as url:
        for path in ("atom.xml", "rss.xml", "feed.json", ""):
            assert b"What happened." in ask(url + path).body
    machine.run("feeds", "export", "out", cwd=folder)
    assert "What happened." in (folder / "out" / "index.html").read_text()
    assert {path.name for path in folder.iterdir()} <= {
        *("entries.yaml", ".gitignore", ".feeds", "out")
    }


def test_the_wheel_publishes_what_the_repository_does(machine: Machine, tmp_path: Path) -> None:
    """The installed program has all data files: it exports the same bytes as this repository."""
    shutil.copy(SHIPPED, tmp_path)
    options = ("--catalogue", "entries.yaml", "--compress", "--host", "nginx")
    machine.run("feeds", "export", "installed", *options, cwd=tmp_path)
    done = run_feeds("export", "here", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = tree(tmp_path / "here")
    assert len(expected) > 500
    assert tree(tmp_path / "installed") == expected
    nginx = [tmp_path / name / EXPORT_FOLDER / "nginx.conf" for name in ("here", "installed")]
    assert nginx[0].read_text() == nginx[1].read_text()


def test_gunicorn_serves_the_installed_program(machine: Machine, tmp_path: Path) -> None:
    """gunicorn finds `feeds.wsgi:app`, and serves the catalogue of the current folder."""
    folder = tmp_path / "news"
    folder.mkdir()
    shutil.copy(SHIPPED, folder)
    dist = machine.repository.dist
    installed(f"pip install -q gunicorn -c {dist}/constraints.txt", folder, machine.env)
    command = re.findall(r"^FEEDS_URL=\S+ (gunicorn .*)$", GUIDE, re.MULTILINE)[0].split()
    command[command.index("-b") + 1] = "127.0.0.1:{port}"
    with serving(machine, folder, *command) as url:
        # Each worker notices the first release by itself.
        wait_until(lambda: all(ask(f"{url}healthz").status == 200 for _ in range(20)))
        assert ask(f"{url}atom.xml").headers["content-type"].startswith("application/atom+xml")


def test_the_extras_are_installed_as_documented(machine: Machine, tmp_path: Path) -> None:
    """The extra `s3` is installed by the command of the guide, with its pinned version."""
    [command] = re.findall(r"^(pip install .*\[s3\].*)$", GUIDE, re.MULTILINE)
    installed(command, machine.repository.folder, machine.env)
    [pin] = re.findall(
        r"^obstore==(.*)$", (machine.repository.dist / "constraints.txt").read_text(), re.MULTILINE
    )
    shown = machine.run("pip", "show", "obstore", cwd=tmp_path).stdout
    assert f"\nVersion: {pin}\n" in shown


def test_a_later_wheel_replaces_the_program(machine: Machine, tmp_path: Path) -> None:
    """`pip install` of the wheel of another commit replaces the program, with and without --upgrade."""
    other = Repository(tmp_path / "other")
    shutil.copytree(machine.repository.folder, other.folder)
    for option in ("", "--upgrade"):
        file = other.folder / "feeds" / "model.py"
        file.write_text(f"{file.read_text()}\n# Another version: {option}\n")
        other.commit()
        other.make_dist()
        command = f"pip install {option} dist/feeds-*.whl -c dist/constraints.txt"
        installed(command, other.folder, machine.env)
        assert machine.run("feeds", "--version", cwd=tmp_path).stdout == f"feeds {other.version}\n"
        [model] = machine.programs.parent.glob("lib/*/site-packages/feeds/model.py")
        assert model.read_text() == file.read_text()


def test_uv_installs_the_command(machine: Machine, tmp_path: Path) -> None:
    """uv installs the command for one user, as documented, and replaces it by that of a later wheel."""
    [command] = re.findall(r"^uv tool install .*$", GUIDE, re.MULTILINE)
    other = Repository(tmp_path / "other")
    shutil.copytree(machine.repository.folder, other.folder)
    env = environment(HOME=str(tmp_path), PATH=f"{Path(program('uv')).parent}:/usr/bin:/bin")
    for _ in range(2):
        installed(command, other.folder, env)
        done = run(tmp_path / ".local" / "bin" / "feeds", "--version", env=env)
        assert done.stdout == f"feeds {other.version}\n"
        other.commit()
        other.make_dist()


def processes_in(folder: Path) -> list[str]:
    """Return the processes that have a folder as their current one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink() == folder:
                found.append(process.name)
    return found
