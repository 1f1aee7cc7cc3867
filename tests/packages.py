"""Builds of the package, from a repository that has the files of this one, and environments to install them into."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ROOT, program, run

BIN = Path(sys.executable).parent
# Of the processes around the test: what `make test` says to a further make, and where packages
# and catalogues are.
_NOT_INHERITED = ("MAKE", "MFLAGS", "PYTHON", "FEEDS_", "VIRTUAL_ENV")
# What pip says where no registry can be reached.
NO_REGISTRY = ("NewConnectionError", "ConnectTimeout", "Name or service not known", "getaddrinfo")
_INSTALL_SECONDS = 300


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of a process that knows nothing of this program."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)
    }
    return kept | variables


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository with the files of this one, as they are now."""

    folder: Path

    @property
    def dist(self) -> Path:
        return self.folder / "dist"

    @property
    def wheel(self) -> Path:
        [wheel] = self.dist.glob("*.whl")
        return wheel

    @property
    def sdist(self) -> Path:
        [sdist] = self.dist.glob("*.tar.gz")
        return sdist

    @property
    def version(self) -> str:
        return self.wheel.name.split("-")[1]

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
        done = run(program("git"), "-C", self.folder, *identity, *arguments, env=environment())
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def set_version(self, version: str) -> None:
        file = self.folder / "feeds" / "__init__.py"
        line = f'__version__ = "{version}"'
        file.write_text(re.sub("^__version__ = .*", line, file.read_text(), flags=re.MULTILINE))

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Change")

    def make_dist(self) -> None:
        """Run `make dist` with the tools of these tests."""
        # What is in the environment of the tests need not be installed into another one.
        done = run(
            *(program("make"), "-C", self.folder, "-o", ".venv/dev", f"BIN={BIN}", "dist"),
            env=environment(),
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def refused(self) -> str:
        """Run make_dist.py, which must fail; return what it says."""
        done = run(sys.executable, self.folder / "make_dist.py", env=environment())
        assert done.returncode == 1, done.stdout
        return done.stderr


def repository(folder: Path) -> Repository:
    """Make a repository with one commit: the files that git has here, or would add.

    Its version is between releases, also if that of this one is a release.
    """
    if not (ROOT / ".git").exists():
        pytest.skip("these files are not in a repository")
    command = (program("git"), "-C", ROOT, "ls-files", "-z", "--cached", "--others")
    names = run(*command, "--exclude-standard").stdout.split("\0")
    for name in filter(None, names):
        # A file that is deleted but not committed is still listed.
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    made = Repository(folder)
    made.set_version("7.8.9.dev0")
    made.git("init", "--quiet")
    made.commit()
    return made


def new_environment(folder: Path) -> Path:
    """Make a virtual environment without any package but pip; return its folder of programs."""
    done = run(sys.executable, "-m", "venv", folder, env=environment())
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def installed(command: str, cwd: Path, env: dict[str, str]) -> None:
    """Run a shell command that installs; without a registry the test skips, or fails under CI=true."""
    done = subprocess.run(
        ["/bin/sh", "-euc", command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=_INSTALL_SECONDS,
    )
    said = done.stdout + done.stderr
    if any(words in said for words in NO_REGISTRY) and os.environ.get("CI") != "true":
        pytest.skip(f"no package registry can be reached: {command}")
    assert done.returncode == 0, said
