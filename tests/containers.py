"""Containers of the repository's Containerfile: by podman or docker, or by its steps in a root of their own.

Where no builder has the base image, the steps run for real: below an overlay of this
machine's files, which vanishes with the processes, `COPY` copies, `RUN` runs, and `CMD` is
process 1 of the container's user. Only the Python of the base image is that of the tests.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import PATIENCE, run
from packages import NO_REGISTRY, environment
from processes import children

IMAGE = "localhost/feeds-test"
PYTHON = "/usr/local/base"
PATH = f"PATH={PYTHON}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MOUNTS = """
mount -t tmpfs tmpfs {folder}
mkdir {folder}/upper {folder}/work {root}
mount -t overlay overlay -o lowerdir=/,upperdir={folder}/upper,workdir={folder}/work {root}
mount -t proc proc {root}/proc
mount --rbind /dev {root}/dev
mount -t tmpfs tmpfs {root}/tmp
"""


class Step(NamedTuple):
    """An instruction of a Containerfile."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """The words of its text, which can be a JSON list."""
        words: list[str] = (
            json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)
        )
        return words


def steps(file: Path) -> list[Step]:
    """Return the instructions of a Containerfile."""
    text = file.read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [Step(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def value(found: list[Step], name: str) -> Step:
    """Return the one instruction of this name."""
    [step] = [step for step in found if step.name == name]
    return step


class Container(ABC):
    """A running container.

    `port` is where it listens, inside.
    """

    port: int

    @abstractmethod
    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the container, as its user."""

    @abstractmethod
    def stop(self) -> int:
        """Send SIGTERM to its process, and return the exit code of that."""

    @abstractmethod
    def log(self) -> str:
        """Return what its process has written, or fail if it has ended."""


@contextmanager
def container(context: Path, folder: Path, catalogue: Path, port: int) -> Iterator[Container]:
    """Build an image from a folder and run it, with a folder as catalogue, on a port of 127.0.0.1."""
    found = steps(context / "Containerfile")
    builder = _builder(value(found, "FROM").text)
    with ExitStack() as stack:
        if builder:
            yield stack.enter_context(_built(builder, context, catalogue, port))
        else:
            yield stack.enter_context(_imitated(found, context, folder, catalogue, port))


def _builder(base: str) -> str | None:
    """Return a program that builds images and has, or can get, the base image."""
    for name in filter(shutil.which, ("podman", "docker")):
        for command in (("image", "inspect", base), ("pull", "--quiet", base)):
            try:
                if run(name, *command).returncode == 0:
                    return name
            except subprocess.TimeoutExpired:
                continue
    return None


class _Built(Container):
    """A container of podman or docker."""

    def __init__(self, builder: str, name: str) -> None:
        self._builder, self._name = builder, name
        self.port = 8000

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        return run(self._builder, "exec", self._name, *command)

    def stop(self) -> int:
        run(self._builder, "stop", self._name)
        return int(run(self._builder, "wait", self._name).stdout)

    def log(self) -> str:
        done = run(self._builder, "logs", self._name)
        running = run(self._builder, "inspect", "--format={{.State.Running}}", self._name)
        assert running.stdout.strip() == "true", done.stderr
        return done.stdout + done.stderr


@contextmanager
def _built(builder: str, context: Path, catalogue: Path, port: int) -> Iterator[Container]:
    file = context / "Containerfile"
    command = [builder, "build", "--file", str(file), "--tag", IMAGE, str(context)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    options = ("--detach", f"--publish=127.0.0.1:{port}:8000")
    started = run(builder, "run", *options, f"--volume={catalogue}:/srv/news:ro", IMAGE)
    assert started.returncode == 0, started.stderr
    name = started.stdout.strip()
    try:
        yield _Built(builder, name)
    finally:
        run(builder, "rm", "--force", "--volumes", name)
        run(builder, "rmi", IMAGE)


class _Imitated(Container):
    """The process of a container without a builder."""

    def __init__(
        self, found: list[Step], process: subprocess.Popen[bytes], output: Path, port: int
    ) -> None:
        self._process, self._output, self.port = process, output, port
        self._user, self._env = value(found, "USER").text, value(found, "ENV").words

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        user, _, group = self._user.partition(":")
        target = str(children(self._process.pid)[0])
        inside = ("nsenter", "--target", target, "--mount", "--pid", "--root")
        return run(
            *inside, "--setuid", user, "--setgid", group, "env", "-i", PATH, *self._env, *command
        )

    def stop(self) -> int:
        for child in children(self._process.pid):
            os.kill(child, signal.SIGTERM)
        return self._process.wait(PATIENCE)

    def log(self) -> str:
        said = self._output.read_text()
        if self._process.poll() is not None:
            if any(words in said for words in NO_REGISTRY) and os.environ.get("CI") != "true":
                pytest.skip("no package registry can be reached")
            pytest.fail(said)
        return said


@contextmanager
def _imitated(
    found: list[Step], context: Path, folder: Path, catalogue: Path, port: int
) -> Iterator[Container]:
    mounts = MOUNTS.format(folder=folder, root=folder / "root")
    namespaces = ("unshare", "--mount", "--pid", "--fork", "/bin/sh", "-euc")
    done = run(*namespaces, mounts)
    if done.returncode != 0:
        pytest.skip(f"a container can be neither built nor imitated here: {done.stderr}")
    script = mounts + _script(found, context, folder / "root", catalogue, port)
    output = folder.with_suffix(".log")
    with output.open("wb") as file:
        process = subprocess.Popen(
            [*namespaces, script], env=environment(), stdout=file, stderr=subprocess.STDOUT
        )
    try:
        yield _Imitated(found, process, output, port)
    finally:
        # As it has changed its user, process 1 survives unshare.
        for child in children(process.pid) if process.poll() is None else ():
            os.kill(child, signal.SIGKILL)
        process.wait(PATIENCE)


def _script(found: list[Step], context: Path, root: Path, catalogue: Path, port: int) -> str:
    """Return a shell script that does the steps below a root, and becomes the process of CMD."""
    base = Path(sys.base_prefix, "bin", "python3").resolve()
    # The user of the container may not enter the home of the one who tests.
    lines = [f"chmod o+x {root}{folder}" for folder in base.parents]
    lines.append(f"chroot {root} {base} -m venv {PYTHON}")
    workdir, env = "/", [PATH]
    for step in found:
        if step.name == "COPY":
            *names, target = step.words
            lines.append(
                f"mkdir -p {root}{target}; (cd {context}; cp {' '.join(names)} {root}{target})"
            )
        elif step.name == "RUN":
            inside = ["chroot", str(root), "env", *env, "/bin/sh", "-euc", step.text]
            lines.append(shlex.join(inside))
        elif step.name == "WORKDIR":
            workdir = step.text
            lines.append(f"mkdir -p {root}{workdir}")
        elif step.name == "ENV":
            env += step.words
    lines.append(f"mount --bind -o ro {catalogue} {root}{workdir}")
    lines.append(f"mount -o remount,bind,ro {root}{workdir}")
    command = [*value(found, "CMD").words, "--port", str(port)]
    start = ["chroot", "--userspec", value(found, "USER").text, str(root)]
    lines.append("exec " + shlex.join([*start, "env", "-i", "-C", workdir, *env, *command]))
    return "\n".join(lines)
