"""A served site in a test: published to its store with the test's clock, and read back."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from os import fdopen
from pathlib import Path

from builds import DatedDocument
from conftest import PATIENCE
from flask.testing import FlaskClient

from feeds import create_app
from feeds.build import BuildOptions, SiteBuilder
from feeds.history import History
from feeds.server.build_process import SitePublisher
from feeds.server.site_store import SiteStore, Status, StatusFiles, load_index, store_name
from feeds.storage import STATE, StateFolder

START = datetime(2026, 11, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that only advances during a sleep."""

    now: datetime = START
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


class Shown(dict[str, DatedDocument]):
    """The documents of a store by path; `release` and `until` are those of its index."""

    release = ""
    until: datetime | None = None


def stored(root: Path, name: str) -> Shown:
    """Return what a process that serves from a store would send."""
    index = load_index(root, name)
    assert index, "no index, or a damaged one"
    found = Shown()
    found.release, found.until = index.head.release, index.head.until
    for line in (root / name / "index").read_text("utf-8").split("\n")[2:-2]:
        path = line.partition("\t")[0]
        record = index.get(path)
        assert record
        with fdopen(index.open(record.etag), "rb") as file:
            body = file.read()
        assert len(body) == record.length
        found[path] = DatedDocument(
            path=path,
            body=body,
            media_type=record.media_type,
            etag=record.etag,
            modified=record.modified,
        )
    return found


class Published:
    """A catalogue that is published to a store as the build process does it.

    `state` has the history, and `root` the store; each is beside the catalogue
    where it is not named. Another one with the same folders is a restart.
    """

    def __init__(  # noqa: PLR0913  # each is named, and has its default
        self,
        file: Path,
        *,
        clock: Clock | None = None,
        now: Callable[[], datetime] | None = None,
        url: str | None = None,
        state: Path | None = None,
        root: Path | None = None,
    ) -> None:
        clock = clock or Clock()
        now = now or clock
        state = state or file.parent / STATE
        self._root = root or state
        self._name = store_name(file, url, pages=True)
        folder = StateFolder(self._root, self._name)
        folder.make()
        self._files = StatusFiles(folder)
        self.store = SiteStore(self._root, self._name, now)
        self.builder = SiteBuilder(
            file,
            self.store,
            BuildOptions(url=url, clock=now, sleep=clock.sleep),
            history=History(state),
        )
        self.publisher = SitePublisher(self.builder, self.store, self._files, file, clock=now)

    def refresh(self, *, read: bool = False) -> None:
        self.publisher.refresh(read=read)

    def shown(self) -> Shown:
        return stored(self._root, self._name)

    def index(self) -> tuple[int, bytes]:
        """Return what another commit changes, even of the same documents."""
        file = self._root / self._name / "index"
        return file.stat().st_ino, file.read_bytes()

    def is_empty(self) -> bool:
        """Return whether there is nothing to serve yet."""
        return load_index(self._root, self._name) is None

    def status(self) -> Status:
        return self._files.read()


@contextmanager
def asked(
    catalogue: Path, state: Path, url: str | None = None, *, metrics: bool = False
) -> Iterator[FlaskClient]:
    """Serve a catalogue in this process, and yield a client once there is a release."""
    app = create_app(catalogue, state=state, url=url, metrics=metrics)
    try:
        client = app.test_client()
        end = time.monotonic() + PATIENCE
        while client.get("/healthz").status_code != 200:
            assert time.monotonic() < end
            time.sleep(0.02)
        yield client
    finally:
        app.close()
