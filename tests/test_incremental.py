"""An incremental build has the same result as a full build, in every target."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, timedelta
from functools import partial
from itertools import count, takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from buckets import environment
from builds import DatedDocument, Memory, etag_of
from commands import Commands
from conftest import EXPORT_FOLDER, FOLDER_MANIFEST
from edits import PICTURES, Edit, EditedSite, edits
from hypothesis import given, settings
from hypothesis import strategies as st
from s3 import BUCKET, Server, s3_server
from stores import stored

from feeds import FORMATS, Entry, build
from feeds.build import Build, BuildOptions, SiteBuilder, Target
from feeds.export import uncompressed_path
from feeds.export.manifest import (
    BUCKET_MANIFEST,
    BucketManifest,
    FolderManifest,
)
from feeds.export.object_store import Conflict, ObjectInfo, ObjectStore, Version
from feeds.inputs import digest, entry_digest, site_digest
from feeds.server.site_store import SiteStore
from feeds.urls import FEED_STYLE

# What leaves an input out of a digest, and what forgets what was prepared, has to know the inside.
# ruff: noqa: SLF001


class Compared(NamedTuple):
    """The properties of a target's item that are compared with another target."""

    body: bytes
    about: object
    modified: object = None


Contents = dict[str, Compared]


def run(commands: Commands, site: EditedSite, command: str, *options: str | Path) -> Build | None:
    """Export or publish a site with the options that are chosen for it."""
    words: list[str | Path] = [command, *options, "--catalogue", site.file, "--state", site.state]
    words += ["--no-pages"] * (not site.chosen.pages) + ["--compress"] * site.chosen.compress
    return commands.run(*words)


class InMemory:
    """A build into memory, and what it is compared with: a release."""

    def __init__(self, site: EditedSite) -> None:
        self._site = site
        self._target = Memory()

    def build(self) -> Build:
        return built(self._site, self._target, pages=self._site.chosen.pages)

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
            BuildOptions(clock=site.clock, sleep=site.clock.sleep),
            history=site.history,
        )

    def build(self) -> Build:
        return self._builder.build(read=False)

    def contents(self) -> Contents:
        found = stored(self._root, self._name)
        about = Compared(b"", (found.release, found.until))
        return of_documents(found) | {"": about}


class InFolder:
    """A folder that the command exports to."""

    def __init__(self, site: EditedSite, out: Path, commands: Commands) -> None:
        self._site = site
        self._out = out
        self._commands = commands

    def build(self) -> Build | None:
        chosen = self._site.chosen
        options = ["--prune" if chosen.prune else "--no-prune"]
        options += ["--host", chosen.host] if chosen.host else []
        return run(self._commands, self._site, "export", self._out, *options)

    def contents(self) -> Contents:
        """Return the files; the times of those that are not documents are those of the export."""
        known = FolderManifest.parse((self._out / FOLDER_MANIFEST).read_bytes())
        assert known.finished
        documents = self._site.release(pages=self._site.chosen.pages)
        found = {}
        for path, file in known.files.items():
            stat = (self._out / path).stat()
            body = (self._out / path).read_bytes()
            assert (file.size, file.etag) == (len(body), etag_of(body)), path
            assert (file.time, file.inode) == (stat.st_mtime_ns, stat.st_ino), path
            dated = (uncompressed_path(path) or path) in documents
            found[path] = Compared(body, file.inputs, file.time if dated else None)
        others = {
            path.relative_to(self._out).as_posix()
            for path in self._out.rglob("*")
            if path.is_file()
        }
        assert others - found.keys() == {FOLDER_MANIFEST, f"{EXPORT_FOLDER}/lock"}
        return found


class FakeStore(ObjectStore):
    """A bucket in memory, with complete objects and compare-and-swap."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.deadline = 60.0
        self.objects: dict[str, tuple[bytes, Mapping[str, str], Version]] = {}
        self._versions = count()

    def read(self, path: str) -> tuple[bytes, Version] | None:
        found = self.objects.get(path)
        return (found[0], found[2]) if found else None

    def version(self, path: str) -> Version | None:
        found = self.objects.get(path)
        return found[2] if found else None

    def swap(
        self, path: str, body: bytes, headers: Mapping[str, str], before: Version | None
    ) -> Version:
        if self.version(path) != before:
            raise Conflict
        version = Version(f"{next(self._versions)}")
        self.objects[path] = (body, {**headers}, version)
        return version

    def list(self) -> dict[str, ObjectInfo]:
        return {path: ObjectInfo(len(body), at) for path, (body, _, at) in self.objects.items()}

    def delete(self, paths: Sequence[str]) -> None:
        for path in paths:
            self.objects.pop(path, None)

    def all(self) -> dict[str, tuple[bytes, Mapping[str, str]]]:
        return {path: (body, headers) for path, (body, headers, _) in self.objects.items()}


class InBucket:
    """A bucket that the command publishes to; `all_of` returns the bytes and headers of all its objects."""

    def __init__(
        self,
        site: EditedSite,
        address: str,
        commands: Commands,
        all_of: Callable[[], Mapping[str, tuple[bytes, Mapping[str, str]]]],
    ) -> None:
        self._site = site
        self._address = address
        self._commands = commands
        self._all = all_of

    def build(self) -> Build | None:
        return run(self._commands, self._site, "publish", self._address)

    def contents(self) -> Contents:
        """Return the objects that are not stale."""
        found = self._all()
        known = BucketManifest.parse(found[BUCKET_MANIFEST][0])
        assert known.finished
        assert found.keys() == {*known.objects, BUCKET_MANIFEST}
        return {
            path: Compared(found[path][0], (found[path][1], held.digest, held.inputs))
            for path, held in known.objects.items()
            if held.stale is None
        }


def built(site: EditedSite, target: Target, *, pages: bool = True) -> Build:
    options = BuildOptions(pages=pages, clock=site.clock, sleep=site.clock.sleep)
    return SiteBuilder(site.file, target, options, history=site.history).build()


def of_documents(documents: Mapping[str, DatedDocument]) -> Contents:
    return {
        path: Compared(document.body, (document.media_type, document.etag), document.modified)
        for path, document in documents.items()
    }


Place = InMemory | InStore | InFolder | InBucket


class Bench:
    """Targets that are built repeatedly, each compared with an empty target after a build."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.site = EditedSite(folder)
        self.commands = Commands(self.site.clock, patch)
        self._numbers = count()
        self._stores: dict[str, FakeStore] = {}
        patch.setattr(
            "feeds.export.object_store.ObjectStore", lambda address, *_: self._stores[address]
        )
        self.makers: dict[str, Callable[[], Place]] = {
            "memory": self.memory,
            "store": self.store,
            "folder": self.out,
            "bucket": self.bucket,
        }
        self.warm = {name: make() for name, make in self.makers.items()}
        self._before: Contents = {}
        self._url, self._moved = self.site.site["url"], False

    def memory(self) -> InMemory:
        return InMemory(self.site)

    def store(self) -> InStore:
        return InStore(self.site, self.site.state, f"site-{next(self._numbers)}")

    def out(self) -> InFolder:
        out = self.folder / "out" / str(next(self._numbers))
        return InFolder(self.site, out, self.commands)

    def bucket(self) -> InBucket:
        store = FakeStore(f"s3://memory/{next(self._numbers)}")
        self._stores[store.address] = store
        return InBucket(self.site, store.address, self.commands, store.all)

    def assert_equal(self, *names: str) -> None:
        """Build each target over what it has, and compare it with one that has nothing."""
        names = names or tuple(self.makers)
        for name in names:
            self.warm[name].build()
        # A build from nothing has only the files: no items that were read before.
        (self.site.state / "items").unlink(missing_ok=True)
        for name in names:
            cold = self.makers[name]()
            cold.build()
            self._compare(name, self.warm[name].contents(), cold.contents())
        for name in names:
            again = self.warm[name].build()
            assert again is None or not again.staged, f"{name}: made again without an edit"

    def _compare(self, name: str, warm: Contents, cold: Contents) -> None:
        if name == "folder":
            if not self.site.chosen.prune:
                # What is no longer published stays as it was, but beside a new document.
                cold |= {
                    path: found
                    for path, found in self._before.items()
                    if path not in cold and uncompressed_path(path) not in cold
                }
            warm, cold = _of_times(warm, cold), _of_times(cold, warm)
            self._before = warm
            self._moved = self._moved or self.site.site["url"] != self._url
            if self._moved:
                # At another address the same bytes are new; the file is left as it is.
                warm, cold = _of_times(warm, {}), _of_times(cold, {})
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
    """Return contents with only the times that both have."""
    return {
        path: one._replace(
            modified=one.modified if path in other and other[path].modified else None
        )
        for path, one in found.items()
    }


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use archive pages of a few entries, and do not sleep."""
    monkeypatch.setattr("feeds.pages.listing.MAX_ENTRIES_PER_PAGE", 2)
    monkeypatch.setattr("feeds.build._STABLE_SECONDS", 0)
    monkeypatch.setattr(os, "fsync", lambda _: None)


@contextmanager
def new_bench() -> Iterator[Bench]:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        yield Bench(Path(folder), patch)


def check(made: Sequence[Edit], *names: str) -> None:
    with new_bench() as bench:
        bench.assert_equal(*names)
        for edit in made:
            edit.make(bench.site)
            bench.assert_equal(*names)


@settings(max_examples=3)
@given(edits(most=4))
def test_a_build_over_another_is_one_from_nothing(made: list[Edit]) -> None:
    """After any edits, each target has the bytes, validators and times of an empty one."""
    check(made)


@pytest.mark.heavy
@settings(max_examples=75, derandomize=False)
@given(edits(least=4, most=4), st.sampled_from(["store", "folder", "bucket"]))
def test_a_build_over_another_is_one_from_nothing_for_long(made: list[Edit], target: str) -> None:
    """The same, over three hundred random edits, each in memory and in one of the other targets."""
    check(made, "memory", target)


@pytest.mark.heavy
@settings(max_examples=1, derandomize=False)
@given(edits(least=10, most=10))
def test_a_publish_into_a_real_store_over_another_is_one_from_nothing(made: list[Edit]) -> None:
    """The same for a bucket of a real S3 server, over ten edits."""
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        with s3_server(folder / "weed") as server:
            for variable, value in environment(server.port).items():
                patch.setenv(variable, value)
            bench = Bench(folder, patch)
            patch.setattr("feeds.export.object_store.ObjectStore", ObjectStore)
            numbers = count()

            def bucket() -> InBucket:
                prefix = f"site-{next(numbers)}"
                address = f"s3://{BUCKET}/{prefix}"
                everything_there = partial(everything, server, prefix)
                return InBucket(bench.site, address, bench.commands, everything_there)

            bench.makers = {"bucket": bucket}
            bench.warm = {"bucket": bucket()}
            bench.assert_equal()
            for edit in made:
                edit.make(bench.site)
                bench.assert_equal()


def everything(server: Server, prefix: str) -> dict[str, tuple[bytes, Mapping[str, str]]]:
    """Return all objects below a prefix, those of the publish itself too."""
    objects = server.objects(prefix)
    found = {path: (one.body, one.attributes) for path, one in objects.items()}
    manifest = bytes(server.store(prefix).get(BUCKET_MANIFEST).bytes())
    return found | {BUCKET_MANIFEST: (manifest, {})}


def add(date: str, **more: object) -> Callable[[EditedSite], None]:
    return lambda site: site.insert(0, date, **more)


def soon(site: EditedSite) -> None:
    site.insert(0, (site.clock.now + timedelta(hours=5)).isoformat())


def upgrade(site: EditedSite) -> None:
    """Install another version of the program, which has another style for feeds."""
    site.program += 1


def change(number: int, **values: object) -> Callable[[EditedSite], None]:
    return lambda site: site.entries[number].update(values)


def name(slug: str, name: str) -> Callable[[EditedSite], None]:
    return lambda site: site.topics.update({slug: name})


def configure(**values: object) -> Callable[[EditedSite], None]:
    return lambda site: site.site.update(values)


def choose(**values: Any) -> Callable[[EditedSite], None]:
    def chosen(site: EditedSite) -> None:
        site.chosen = site.chosen._replace(**values)

    return chosen


# Together they change each thing that documents depend on, and nothing else with it.
FIXED: dict[str, Callable[[EditedSite], object]] = {
    "a host": choose(host="nginx"),
    "a move": configure(moved={"old/": "topics/a/"}),
    "compression": choose(compress=True),
    "no compression": choose(compress=False),
    "a picture": lambda site: site.picture(0, 1),
    "a larger picture": lambda site: site.picture(0, 4),
    "a static file": lambda site: site.static(0, 0),
    "other bytes of a static file": lambda site: site.static(0, 1),
    "a template": lambda site: site.template(0, 0),
    "other bytes of a template": lambda site: site.template(0, 1),
    "no template": lambda site: site.template(0, 2),
    "a date": change(1, date="2022-01-11T09:00+02:00"),
    "another offset": change(1, date="2022-01-11T07:00Z"),
    "an update": change(2, updated="2022-06-01T10:00Z"),
    "an earlier update": change(4, updated="2022-05-01T10:00Z"),
    "a body": change(2, body="Another **text**."),
    "a credit": change(1, photo={"url": f"media/{PICTURES[0]}", "credit": "© X"}),
    "a document": change(
        2, documents=[{"url": f"media/{PICTURES[0]}", "title": "D", "language": "fr"}]
    ),
    "several authors": change(2, authors=["A", {"name": "B", "uri": "https://b.example.org/"}]),
    "a language": change(2, language="ar"),
    "a licence": change(2, license="CC BY 4.0"),
    "a licence of the site": configure(license="CC0 1.0"),
    "an id kept": change(1, guid="https://old.example.org/?p=1"),
    "an id that is an address": change(
        2, guid={"id": "https://old.example.org/1", "permalink": "true"}
    ),
    "the id of a feed": configure(feed_ids={"topics/a/atom.xml": "https://old.example.org/feed"}),
    "the title of the oldest entry": change(-1, title="Older"),
    "the title of the newest entry": change(0, title="Newer"),
    "the name of a topic": name("b", "Bravo"),
    "the name of a topic without entries": name("c", "Charlie"),
    "another slug of a topic without entries": lambda site: site.topics.update(
        d=site.topics.pop("c")
    ),
    "rights": configure(rights="© You"),
    "a country": change(3, countries=["VN"]),
    "the names of countries": configure(country_names="un"),
    "an upgrade": upgrade,
    "the newest entry": add("2022-05-24"),
    "the oldest entry": add("2020-01-01", topics=[], countries=[]),
    "another order": lambda site: site.reorder(0, 3),
    "an embargo": soon,
    "its end": lambda site: site.wait(0, 0),
    "no pages": choose(pages=False),
}


# Those that a target treats in its own way. What the others change, the plans of a site say to
# each target alike.
OF_TARGETS = {
    *("a host", "a move", "compression", "no compression", "a picture", "a template"),
    *("other bytes of a static file", "an upgrade", "the newest entry", "an embargo", "its end"),
    "no pages",
}


def make(bench: Bench, name: str) -> None:
    FIXED[name](bench.site)
    bench.site.save()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    found = Bench(tmp_path, monkeypatch)
    for module in ("inputs", "cli.publishing"):
        version = f"feeds.{module}.program_digest"
        monkeypatch.setattr(version, lambda: b"%d" % found.site.program)

    def style() -> tuple[str, str, bytes]:
        return FEED_STYLE, "text/css", b"/* %d */" % found.site.program

    monkeypatch.setattr("feeds.plans.feed_style", style)
    return found


def test_an_edit_of_each_thing_is_noticed(bench: Bench) -> None:
    """After an edit of each input of documents, each target equals an empty one after a build."""
    bench.assert_equal()
    for name in FIXED:
        make(bench, name)
        bench.assert_equal(*(() if name in OF_TARGETS else ("memory",)))


@pytest.mark.heavy
def test_an_edit_of_each_thing_is_noticed_in_each_target(bench: Bench) -> None:
    """The same, each target after each edit."""
    bench.assert_equal()
    for name in FIXED:
        make(bench, name)
        bench.assert_equal()


Break = Callable[[pytest.MonkeyPatch], None]


def entry_without(change: Callable[[Entry], Entry]) -> Break:
    """Omit a field of an entry from its digest."""
    return lambda patch: patch.setattr(
        "feeds.plans.entry_digest", lambda entry: entry_digest(change(entry))
    )


def without_part(function: str, part: int) -> Break:
    """Omit a part from a digest that a function of the plans computes."""

    def broken(*parts: str | bytes) -> str:
        if sys._getframe(1).f_code.co_name == function:
            parts = (*parts[:part], *parts[part + 1 :])
        return digest(*parts)

    return lambda patch: patch.setattr("feeds.plans.digest", broken)


def without_repr(is_left_out: Callable[[object], bool]) -> Break:
    """Omit values from all digests that contain their `repr`."""
    return lambda patch: patch.setattr(
        "feeds.plans.repr", lambda it: "" if is_left_out(it) else repr(it), raising=False
    )


def without_inputs_of_host_plans(patch: pytest.MonkeyPatch) -> None:
    """Omit everything from the digests of the files that configure a host."""
    options = build.BuildOptions

    def broken(**values: Any) -> BuildOptions:
        planned = values["host_plans"]
        values["host_plans"] = lambda site: [plan._replace(inputs="") for plan in planned(site)]
        return options(**values)

    patch.setattr("feeds.build.BuildOptions", broken)


def in_utc(entry: Entry) -> Entry:
    return entry._replace(
        published=entry.published.astimezone(UTC), updated=entry.updated.astimezone(UTC)
    )


# Each with the target in which it shows, and the edit after which it does.
BREAKS: dict[str, tuple[str, str, Break]] = {
    "an entry without `updated`": (
        "memory",
        "an update",
        entry_without(lambda entry: entry._replace(updated=entry.published)),
    ),
    "an entry without offsets": ("memory", "another offset", entry_without(in_utc)),
    "an entry without its photo": (
        "memory",
        "a larger picture",
        entry_without(lambda entry: entry._replace(photo=None)),
    ),
    "an entry without its body": (
        "memory",
        "a body",
        entry_without(lambda entry: entry._replace(body="")),
    ),
    "an entry without the names of its topics": (
        "memory",
        "the name of a topic",
        entry_without(
            lambda entry: entry._replace(
                topics=tuple(topic._replace(name="") for topic in entry.topics)
            )
        ),
    ),
    "the site without its rights": (
        "memory",
        "rights",
        lambda patch: patch.setattr(
            "feeds.plans.site_digest", lambda site: site_digest(replace(site, rights=""))
        ),
    ),
    "the site without the program": (
        "memory",
        "an upgrade",
        lambda patch: patch.setattr("feeds.inputs.program_digest", lambda: b""),
    ),
    "a feed without its title": (
        "memory",
        "the name of a topic without entries",
        lambda patch: patch.setattr(
            "feeds.plans._about", lambda feed: f"{feed.id}{feed.path}{feed.updated}"
        ),
    ),
    "a list without related feeds": (
        "memory",
        "the name of a topic without entries",
        without_repr(lambda it: type(it).__name__ == "RelatedFeeds"),
    ),
    "an archive without its turns": (
        "memory",
        "the newest entry",
        without_repr(lambda it: isinstance(it, tuple) and it[:1] == ((),)),
    ),
    "an entry's page without the older entry": (
        "memory",
        "a date",
        without_part("_entry_pages", 2),
    ),
    "an entry's page without the newer entry": (
        "memory",
        "a date",
        without_part("_entry_pages", 1),
    ),
    "a discovery document without what it shows": (
        "memory",
        "the name of a topic",
        without_part("pages", 1),
    ),
    "the sitemap without its paths": (
        "memory",
        "another slug of a topic without entries",
        without_part("_sitemap", 1),
    ),
    "the sitemap without entries": ("memory", "a date", without_part("_sitemap", 3)),
    "pages without templates": ("memory", "a template", without_part("_of_pages", 2)),
    "a picture without its stamp": ("memory", "a picture", without_part("media", 1)),
    "a static file without its stamp": (
        "memory",
        "other bytes of a static file",
        without_part("static", 1),
    ),
    "a folder without compression": (
        "folder",
        "compression",
        lambda patch: patch.setattr("feeds.export.manifest._COMPRESSED", ""),
    ),
    "a host's configuration without its bytes": (
        "folder",
        "a move",
        without_inputs_of_host_plans,
    ),
    "an export without the files beside the catalogue": (
        "folder",
        "a picture",
        lambda patch: patch.setattr("feeds.cli.publishing.media_files", lambda *_: {}),
    ),
    "a bucket without compression": (
        "bucket",
        "compression",
        lambda patch: patch.setattr("feeds.export.manifest._COMPRESSED", ""),
    ),
}


@pytest.mark.parametrize(("target", "edit", "broken"), BREAKS.values(), ids=BREAKS)
def test_an_input_that_is_left_out_is_noticed(
    target: str, edit: str, broken: Break, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If one of these inputs is omitted from a digest, the comparison with an empty target fails."""
    broken(monkeypatch)
    for name in takewhile(lambda name: name != edit, FIXED):
        make(bench, name)
    bench.assert_equal(target)
    make(bench, edit)
    # A bucket is not given what it misses.
    with pytest.raises((AssertionError, KeyError)):
        bench.assert_equal(target)


FEEDS = {form.filename for form in FORMATS}


def made(site: EditedSite, target: Memory) -> set[str]:
    """Build again, and return the feeds that were rendered."""
    staged = built(site, target).staged
    return {path for path in staged if path.rpartition("/")[2] in FEEDS}


def in_folders(*folders: str) -> set[str]:
    return {folder + name for folder in folders for name in FEEDS}


FRONT = ("", "topics/a/", "countries/jo/", "topics/a/countries/jo/")
OF_B = ("topics/b/", "topics/b/countries/jo/")


@pytest.mark.parametrize(
    ("edit", "folders"),
    [
        ("a body", (*FRONT, *OF_B)),
        ("the title of the oldest entry", OF_B),
        ("the title of the newest entry", (*FRONT, *OF_B)),
        ("the name of a topic without entries", ("topics/c/",)),
        ("the newest entry", FRONT),
        ("the oldest entry", ()),
        ("a picture", ()),
        ("a larger picture", FRONT),
        ("a template", ()),
        ("a move", ()),
        ("an embargo", ()),
    ],
)
def test_an_edit_makes_the_feeds_that_it_reaches(
    edit: str, folders: tuple[str, ...], tmp_path: Path
) -> None:
    """After an edit, only the feeds that show it are rendered."""
    site, target = EditedSite(tmp_path), Memory()
    made(site, target)
    FIXED[edit](site)
    site.save()
    assert made(site, target) == in_folders(*folders)


@pytest.mark.parametrize("edit", ["rights", "an upgrade"])
def test_what_all_feeds_say_makes_all_of_them(edit: str, bench: Bench) -> None:
    """A change of an input of every feed renders all of them."""
    target = Memory()
    everything = made(bench.site, target)
    assert len(everything) > len(FEEDS)
    FIXED[edit](bench.site)
    bench.site.save()
    assert made(bench.site, target) == everything
    assert made(bench.site, target) == set()
