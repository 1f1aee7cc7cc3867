"""A bucket of a real S3 server for a test, with a catalogue and the processes that publish it."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

import pytest
from conftest import PATIENCE, ROOT, run_feeds
from s3 import BUCKET, KEY, SECRET, Proxy, Server

from feeds import build_release, load_catalogue
from feeds.cli import main
from feeds.export.manifest import BUCKET_MANIFEST as MANIFEST


def environment(port: int, **more: str) -> dict[str, str]:
    """Return the environment variables to publish to the server or proxy at a port."""
    return os.environ | {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        **more,
    }


class Publisher(NamedTuple):
    """A process that publishes."""

    process: subprocess.Popen[str]

    def end(self) -> tuple[int, str, str]:
        """Wait for its end; return its exit code, stdout and stderr."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err


def publisher(catalogue: Path, address: str, *arguments: str, port: int, **more: str) -> Publisher:
    """Start to publish in a new process."""
    command = [sys.executable, "-m", "feeds", "publish", address, "--catalogue", str(catalogue)]
    env = environment(port, FEEDS_STATE=new_state(catalogue), **more)
    process = subprocess.Popen(
        [*command, "--timeout", "1", *arguments],
        cwd=ROOT,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    return Publisher(process)


def new_state(catalogue: Path) -> str:
    """Return a state folder whose history has a date a second old, so that recording does not wait."""
    return mkdtemp(prefix="state-", dir=catalogue.parent)


ENTRY = """
site:
  title: News
  url: https://news.example.org/
  id: tag:news.example.org,2021:news
  timezone: UTC
  author: {{name: Example}}
  formats: [atom]
  feeds: [topics]
  max_age: {age}
entries:
- {{id: one, title: {title}, date: 24 May 2022, summary: Text., topics: [{topics}]}}
- {{id: two, title: Two, date: 23 May 2022, summary: Text., topics: [other, {topics}]}}
"""
_numbers = count()


class Bucket(NamedTuple):
    """A prefix of the test in the server's bucket, a catalogue, and a proxy before the server."""

    server: Server
    proxy: Proxy
    catalogue: Path
    prefix: str

    @property
    def address(self) -> str:
        return f"s3://{BUCKET}/{self.prefix}"

    def write(self, title: str = "Old", topics: str = "kept, gone", age: int = 900) -> None:
        self.catalogue.write_text(ENTRY.format(title=title, topics=topics, age=age))

    def begin(self, *arguments: str, port: int = 0, **more: str) -> Publisher:
        port = port or self.proxy.server_port
        return publisher(self.catalogue, self.address, *arguments, port=port, **more)

    def publish(self, *arguments: str) -> str:
        """Publish in this process, and return the report."""
        out = io.StringIO()
        command = ["publish", self.address, "--catalogue", str(self.catalogue), *arguments]
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
            for name, value in environment(self.proxy.server_port).items():
                patch.setenv(name, value)
            patch.setenv("FEEDS_STATE", new_state(self.catalogue))
            main(command)
        return out.getvalue()

    def completes(self, *arguments: str) -> None:
        """Publish in a new process, and so at the same time as others in this one."""
        env = environment(self.proxy.server_port, FEEDS_STATE=new_state(self.catalogue))
        catalogue = ("--catalogue", self.catalogue)
        done = run_feeds("publish", self.address, *catalogue, *arguments, env=env)
        assert done.returncode == 0, done.stderr

    def release(self) -> dict[str, bytes]:
        """Return the release of the current catalogue."""
        release = build_release(load_catalogue(self.catalogue), as_of=datetime.now(UTC))
        return {path: document.body for path, document in release.items()}

    def bodies(self) -> dict[str, bytes]:
        return self.server.bodies(self.prefix)

    def manifest(self) -> str:
        return bytes(self.server.store(self.prefix).get(MANIFEST).bytes()).decode()

    def uploaded(self) -> set[str]:
        """Return the paths that were uploaded, each once."""
        found = [path.removeprefix(f"{self.prefix}/") for path in self.proxy.uploaded()]
        assert len({*found}) == len(found)
        return {*found}


@contextmanager
def bucket_at(server: Server, folder: Path) -> Iterator[Bucket]:
    """Return a bucket with a new prefix, and a catalogue in the folder."""
    proxy = Proxy(server.port)
    try:
        found = Bucket(server, proxy, folder / "news.yaml", f"site-{next(_numbers)}")
        found.write()
        yield found
    finally:
        proxy.close()


def kill_at(bucket: Bucket, number: int, way: str) -> bool:
    """Publish, and kill the publisher at the request of this number; return whether there was one."""
    publishers: list[Publisher] = []

    def disturb(at: int, _method: str, _path: str) -> str | None:
        if at != number:
            return None
        os.kill(publishers[0].process.pid, signal.SIGKILL)
        return way or None

    bucket.proxy.begin(disturb)
    with bucket.proxy.held():
        publishers.append(bucket.begin())
    code, _, err = publishers[0].end()
    assert code in {0, -signal.SIGKILL}, err
    return code != 0


def assert_survives(bucket: Bucket, number: int, way: str, *, first: bool = False) -> bool:
    """Kill a publish: each object stays complete, and the next publish completes."""
    old: dict[str, bytes] = {}
    if not first:
        bucket.completes()
        old = bucket.bodies()
    bucket.write("New", topics="kept, come")
    new = bucket.release()
    killed = kill_at(bucket, number, way)
    found = bucket.bodies()
    assert old.keys() <= found.keys() <= old.keys() | new.keys()
    for path, body in found.items():
        assert body in {old.get(path), new.get(path)}, path
    bucket.proxy.begin()
    bucket.completes("--timeout", "1")
    # What the killed one made stale, or the old one had, is there for its grace.
    stale = {path: body for path, body in old.items() if path not in new}
    assert bucket.bodies() == stale | new
    assert bucket.manifest().splitlines()[1].startswith("# finished ")
    return killed
