"""A build over a previous one gives what a build from nothing gives, in every target."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, NamedTuple

import pytest
from builds import Memory
from buckets import environment
from edits import Edit, EditedSite, edits
from hypothesis import example, given, settings
from s3 import s3_server
from stores import stored

from feeds import Release, load_catalogue, plans
from feeds.build import Build, Target
from feeds.builder import Options, SiteBuilder
from feeds.catalogue import ItemMemory
from feeds.export import manifest
from feeds.export.bucket import BucketTarget, begin
from feeds.export.bucket_manifest import FOLDER
from feeds.export.bucket_manifest import MANIFEST as BUCKET_MANIFEST
from feeds.export.bucket_manifest import parsed as parsed_bucket
from feeds.export.bucket_store import Conflict, Store, Stored, Version
from feeds.export.folder import opened
from feeds.export.folder_state import up_to_date
from feeds.export.hosts import host_plans
from feeds.export.report import Options as ExportOptions
from feeds.export.tree import OURS
from feeds.exporting import Exporting, _made_by
from feeds.files import media_folder, read_files
from feeds.formats import atom, rss
from feeds.inputs import source_digest
from feeds.model import Document, etag_of
from feeds.pages.neighbours import Neighbours
from feeds.server.store import SiteStore
from feeds.storage import StateFolder
from feeds.verbs import Given

FOLDER_MANIFEST = f"{OURS}/manifest.tsv"


class Compared(NamedTuple):
    """Something that one target has: what decides whether it is the same as in another."""

    body: bytes
    about: object
    modified: object = None


Contents = dict[str, Compared]


def forget() -> None:
    """Forget what this process has prepared: a build from nothing has only the files."""
    for kept in (plans._site_pages, atom._layouts, atom._shells, rss._layouts, rss._shells):
        kept.cache_clear()


class InMemory:
    """A build into memory, and what it is compared with: a release."""

    def __init__(self, site: EditedSite) -> None:
        self._site = site
        self._target = Memory()

    def build(self) -> Build:
        options = Options(pages=self._site.chosen.pages)
        return built(self._site, self._target, options)

    def contents(self) -> Contents:
        return of_documents(self._target.documents)


class InStore:
    """The store of a server, built by one builder that reads only what has changed."""

    def __init__(self, site: EditedSite, root: Path, name: str) -> None:
        self._root = root
        self._name = name
        self._builder = SiteBuilder(
            site.file,
            SiteStore(root, name, site.clock),
            Options(),
            history=site.history,
            moment=site.moment,
        )

    def build(self) -> Build:
        return self._builder.build(read=False)

    def contents(self) -> Contents:
        found = stored(self._root, self._name)
        about = Compared(b"", (found.release, found.until))
        return of_documents(found) | {"": about}


class InFolder:
    """A folder, exported to as the command does: not at all if that finds nothing to do."""

    def __init__(self, site: EditedSite, out: Path, state: Path) -> None:
        self._site = site
        self._out = out
        self._state = state

    def build(self) -> Build | None:
        site, chosen = self._site, self._site.chosen
        options = ExportOptions(compress=chosen.compress, prune=chosen.prune)
        how = Exporting(options, pages=chosen.pages, host=chosen.host)
        made_by = _made_by(Given(site.file), media_folder(site.file), how)
        if up_to_date(self._out, options, made_by, source_digest(read_files(site.file))):
            return None
        building = Options(
            pages=chosen.pages,
            memory=ItemMemory(StateFolder(self._state)),
            host_plans=lambda planned: host_plans(
                chosen.host, planned.plans, planned.site, compressed=chosen.compress
            ),
        )
        with opened(self._out, options, made_by) as target:
            return built(site, target, building)

    def contents(self) -> Contents:
        """Return the files; the times of those that are not documents are those of the export."""
        known = manifest.parsed((self._out / FOLDER_MANIFEST).read_bytes())
        assert known.finished
        documents = self._site.release(pages=self._site.chosen.pages)
        found = {}
        for path, file in known.files.items():
            stat = (self._out / path).stat()
            body = (self._out / path).read_bytes()
            assert (file.size, file.etag) == (len(body), etag_of(body)), path
            assert (file.time, file.inode) == (stat.st_mtime_ns, stat.st_ino), path
            dated = (manifest.beside(path) or path) in documents
            found[path] = Compared(body, file.inputs, file.time if dated else None)
        others = {
            path.relative_to(self._out).as_posix()
            for path in self._out.rglob("*")
            if path.is_file()
        }
        assert others - found.keys() == {FOLDER_MANIFEST, f"{OURS}/lock"}
        return found


class FakeStore(Store):
    """A bucket in memory, with what a store guarantees: whole objects, and compare-and-swap."""

    def __init__(self) -> None:
        self.address = "s3://memory/x"
        self.bound = 60.0
        self.objects: dict[str, tuple[bytes, Mapping[str, str], Version]] = {}
        self._versions = count()

    def read(self, path: str) -> tuple[bytes, Version] | None:
        found = self.objects.get(path)
        return (found[0], found[2]) if found else None

    def version(self, path: str) -> Version | None:
        found = self.objects.get(path)
        return found[2] if found else None

    def swap(
        self, path: str, body: bytes, attributes: Mapping[str, str], before: Version | None
    ) -> Version:
        if self.version(path) != before:
            raise Conflict
        version = Version(f"{next(self._versions)}")
        self.objects[path] = (body, {**attributes}, version)
        return version

    def list(self) -> dict[str, Stored]:
        return {path: Stored(len(body), at) for path, (body, _, at) in self.objects.items()}

    def delete(self, paths: Sequence[str]) -> None:
        for path in paths:
            self.objects.pop(path, None)

    def all(self) -> dict[str, tuple[bytes, Mapping[str, str]]]:
        return {path: (body, attributes) for path, (body, attributes, _) in self.objects.items()}


class InBucket:
    """A bucket, published to; `all_of` gives the bytes and attributes of all objects of its store."""

    def __init__(
        self,
        site: EditedSite,
        store: Store,
        all_of: Callable[[], Mapping[str, tuple[bytes, Mapping[str, str]]]],
    ) -> None:
        self._site = site
        self._store = store
        self._all = all_of

    def build(self) -> Build:
        chosen = self._site.chosen
        options = ExportOptions(compress=chosen.compress)
        begun = begin(self._store, options, lambda _stage, _part: None)
        with TemporaryDirectory() as folder:
            clock = self._site.clock
            target = BucketTarget(self._store, begun, options, Path(folder), clock)
            return built(self._site, target, Options(pages=chosen.pages))

    def contents(self) -> Contents:
        """Return the objects that are not stale."""
        found = self._all()
        known = parsed_bucket(found[BUCKET_MANIFEST][0])
        assert known.finished
        assert found.keys() == {*known.objects, BUCKET_MANIFEST}
        return {
            path: Compared(found[path][0], (found[path][1], held.digest, held.inputs))
            for path, held in known.objects.items()
            if held.stale is None
        }


def built(site: EditedSite, target: Target, options: Options) -> Build:
    return SiteBuilder(
        site.file, target, options, history=site.history, moment=site.moment
    ).build()


def of_documents(documents: Mapping[str, Document]) -> Contents:
    return {
        path: Compared(document.body, (document.media_type, document.etag), document.modified)
        for path, document in documents.items()
    }


Place = InMemory | InStore | InFolder | InBucket


class Bench:
    """Targets that are built again and again, each compared with one that is built from nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = EditedSite(folder)
        self._numbers = count()
        self.makers: dict[str, Callable[[], Place]] = {
            "memory": self.memory,
            "store": self.store,
            "folder": self.out,
            "bucket": self.bucket,
        }
        self.warm = {name: make() for name, make in self.makers.items()}
        self._before: Contents = {}

    def memory(self) -> InMemory:
        return InMemory(self.site)

    def store(self) -> InStore:
        return InStore(self.site, self.folder / "state", f"site-{next(self._numbers)}")

    def out(self) -> InFolder:
        name = str(next(self._numbers))
        return InFolder(self.site, self.folder / "out" / name, self.folder / "items" / name)

    def bucket(self) -> InBucket:
        store = FakeStore()
        return InBucket(self.site, store, store.all)

    def assert_equal(self, *names: str) -> None:
        """Build each target over what it has, and compare it with one that has nothing."""
        names = names or tuple(self.makers)
        for name in names:
            self.warm[name].build()
        forget()
        for name in names:
            cold = self.makers[name]()
            cold.build()
            self._compare(name, self.warm[name].contents(), cold.contents())
        for name in names:
            build = self.warm[name].build()
            assert build is None or not build.staged, f"{name}: made again without an edit"

    def _compare(self, name: str, warm: Contents, cold: Contents) -> None:
        if name == "folder":
            if not self.site.chosen.prune:
                # What is no longer published stays as it was, but beside a new document.
                cold |= {
                    path: found
                    for path, found in self._before.items()
                    if path not in cold and manifest.beside(path) not in cold
                }
            warm, cold = _of_times(warm, cold), _of_times(cold, warm)
            self._before = warm
        differing = sorted(
            path for path in warm.keys() | cold.keys() if warm.get(path) != cold.get(path)
        )
        assert not differing, f"{name}: {differing}"
        release = self.site.release(pages=name == "store" or self.site.chosen.pages)
        bodies = {path: document.body for path, document in release.items()}
        if not self.site.chosen.compress or name in {"memory", "store"}:
            found = {path: warm[path].body for path in bodies.keys() & warm.keys()}
            assert found == bodies, name


def _of_times(found: Contents, other: Contents) -> Contents:
    """Return contents with the times alone that both know."""
    return {
        path: one._replace(
            modified=one.modified if path in other and other[path].modified else None
        )
        for path, one in found.items()
    }


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an archive of a handful of entries, and wait for nothing."""
    monkeypatch.setattr("feeds.pages.listings.MOST", 2)
    monkeypatch.setattr("feeds.watch._SETTLED", 0)
    monkeypatch.setattr(os, "fsync", lambda _: None)


def check(made: Sequence[Edit]) -> None:
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.assert_equal()
        for edit in made:
            edit.make(bench.site)
            bench.assert_equal()


@settings(max_examples=3)
@given(edits(most=4))
def test_a_build_over_another_is_one_from_nothing(made: list[Edit]) -> None:
    """After any edits, each target has the bytes, validators and times of an empty one."""
    check(made)


@pytest.mark.heavy
@settings(max_examples=75, derandomize=False)
@given(edits(least=4, most=4))
def test_a_build_over_another_is_one_from_nothing_for_long(made: list[Edit]) -> None:
    """The same, over three hundred edits that are others each time."""
    check(made)


# An edit of each kind, and of each value that something else than its entry shows.
FIXED = [
    Edit("change", 4, 0),  # the title of the oldest entry
]
