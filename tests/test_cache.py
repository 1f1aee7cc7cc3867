"""What is remembered never shows: a warm build gives the very bytes of a cold one."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import AS_OF, CATALOGUES, SHIPPED, run_feeds

from feeds import Release
from feeds.cache import Cache, key
from feeds.catalogue import read_catalogue
from feeds.errors import CatalogueError
from feeds.outcome import Outcome, contents_of
from feeds.publisher import Publisher
from feeds.workshop import Workshop

HEAD = """site:
  title: News
  url: https://news.example.org/
  id: tag:news.example.org,2021:t
  timezone: Europe/Zurich
"""
# Each entry with a body.
SHIPPED_LONGER = SHIPPED.read_text().replace("\n  date:", "\n  body: '**More** of it.'\n  date:")


@dataclass
class Edited:
    """A catalogue that is edited at random, in every way that an editor has."""

    chance: random.Random
    site: dict[str, str] = field(default_factory=dict)
    topics: dict[str, str] = field(default_factory=lambda: {"a": "A", "b": "B"})
    countries: dict[str, str] = field(default_factory=dict)
    closed: bool = True
    entries: list[dict[str, str]] = field(default_factory=list)

    def edit(self) -> None:
        """Change something; what makes the catalogue wrong is mostly taken back."""
        before = deepcopy((self.site, self.topics, self.countries, self.closed, self.entries))
        self.edit_somehow()
        if isinstance(said(self.text()), str) and self.chance.random() < 0.9:
            self.site, self.topics, self.countries, self.closed, self.entries = before

    def edit_somehow(self) -> None:
        ways = [
            self.add,
            self.add,
            self.change,
            self.change,
            self.remove,
            self.set,
            self.rename,
            self.rename,
        ]
        self.chance.choice(ways)()

    def add(self) -> None:
        number = self.chance.randrange(10**6)
        day = self.chance.choice(("24 May 2022", "2022-05-24T12:00:01+02:00", "1 June 2030"))
        entry = {"id": f"n{number}", "title": f"Title {number}", "date": day, "summary": "S."}
        entry |= {"topics": self.chance.choice(("[a]", "[b, a]")), "countries": "[Jordan]"}
        self.entries.insert(self.chance.randrange(len(self.entries) + 1), entry)

    def change(self) -> None:
        if self.entries:
            entry = self.chance.choice(self.entries)
            name, values = self.chance.choice(
                [
                    ("title", ["Ä & <b>", "Other", "'#5'"]),
                    ("body", ["'**bold** [x](y)'", "plain"]),
                    ("topics", ["[a]", "[b, a]", "[]"]),
                    ("countries", ["[Jordan]", "[VN, Togo]"]),
                    ("updated", ["25 May 2022", "2031-01-01"]),
                    ("author", ["Somebody"]),
                    ("photo", ["{credit: © X}", "{url: 'https://x.example/a.jpg', alt: A}"]),
                    ("date", ["24 May 2022", "23 May 2022"]),
                ]
            )
            entry[name] = self.chance.choice(values)

    def remove(self) -> None:
        if self.entries:
            self.entries.pop(self.chance.randrange(len(self.entries)))

    def rename(self) -> None:
        self.topics[self.chance.choice("ab")] = self.chance.choice(("A", "B", "C", "D"))
        self.countries["JO"] = self.chance.choice(("Jordan", "The Kingdom"))
        self.closed = self.chance.random() < 0.8

    def set(self) -> None:
        name, values = self.chance.choice(
            [
                ("items", ["1", "3", "50"]),
                ("language", ["en", "fr", "ar"]),
                ("formats", ["[atom]", "[json, rss]"]),
                ("feeds", ["[topics]", "[countries, topics-in-countries]"]),
                ("rights", ["©", "All"]),
                ("max_age", ["60", "900"]),
            ]
        )
        self.site[name] = self.chance.choice(values)

    def text(self) -> bytes:
        site = "".join(f"  {name}: {value}\n" for name, value in self.site.items())
        topics = "".join(f"  {slug}: {name}\n" for slug, name in self.topics.items())
        countries = "".join(f"  {code}: {name}\n" for code, name in self.countries.items())
        entries = "".join(
            "- " + "\n  ".join(f"{name}: {value}" for name, value in entry.items()) + "\n"
            for entry in self.entries
        )
        return (
            HEAD
            + site
            + (f"topics:\n{topics}" if self.closed else "")
            + (f"countries:\n{countries}" if countries else "")
            + (f"entries:\n{entries}" if entries else "entries: []\n")
        ).encode()


def said(data: bytes, workshop: Workshop | None = None) -> object:
    """Give the catalogue, or what is wrong with it."""
    try:
        return read_catalogue([("f.yaml", data)], workshop=workshop)
    except CatalogueError as error:
        return str(error)


@pytest.mark.parametrize(
    ("seed", "edits"),
    [(1, 8), *(pytest.param(seed, 25, marks=pytest.mark.heavy) for seed in range(12))],
)
def test_a_warm_build_is_a_cold_one(
    seed: int, edits: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each of many edits, what was kept in memory, on disk or before changes no byte."""
    # So few on a page that a handful of entries has an archive, down to parts of a month.
    if seed % 2:
        monkeypatch.setattr("feeds.pages.listings.MOST", 2)
    edited = Edited(random.Random(seed))  # noqa: S311  # reproducible, not secret
    memory = Workshop()
    before = None
    valid = 0
    moment = AS_OF
    lying: dict[str, bytes] = {}
    for _ in range(edits):
        edited.edit()
        data = edited.text()
        disk = Workshop(cache=Cache(tmp_path), lying=lying.get)
        cold = said(data)
        assert said(data, memory) == said(data, disk) == cold
        moment += timedelta(days=edited.chance.choice((0, 0, 400, 1200)))
        if isinstance(cold, str):
            continue
        valid += 1
        release = Release(cold, as_of=moment)  # type: ignore[arg-type]  # a Catalogue
        warm = said(data, memory)
        before = Release(warm, as_of=moment, before=before, workshop=memory)  # type: ignore[arg-type]
        stored = Release(said(data, disk), as_of=moment, workshop=disk)  # type: ignore[arg-type]
        disk.cache.save()
        memory.cache.save()
        assert dict(before) == dict(stored) == dict(release)
        lying = {path: found.body for path, found in stored.items()}
        spoil(lying, random.Random(seed))  # noqa: S311  # as above
        assert list(before) == list(release)
        assert (before.id, before.feeds, before.until) == (
            release.id,
            release.feeds,
            release.until,
        )
    assert valid > edits * 2 // 5


def spoil(lying: dict[str, bytes], chance: random.Random) -> None:
    """Change, swap and lose some of what lies where a release was put."""
    paths = sorted(lying)
    for path in chance.sample(paths, len(paths) // 10):
        lying[path] = chance.choice((b"", lying[path][:-1], lying[chance.choice(paths)]))
    for path in chance.sample(paths, len(paths) // 10):
        del lying[path]


def test_the_same_moment_with_another_offset_is_another_text() -> None:
    """Dates that are equal, and written otherwise, are published as they are written."""
    entry = "- id: a\n  title: T\n  date: {}\n  summary: S.\n  updated: {}\n"
    before = None
    workshop = Workshop()
    for dates in (
        ("2022-05-24T09:00+02:00", "2022-05-25T09:00+02:00"),
        ("2022-05-24T07:00Z", "2022-05-25T09:00+02:00"),
        ("2022-05-24T07:00Z", "2022-05-25T07:00Z"),
    ):
        data = f"{HEAD}entries:\n{entry.format(*dates)}".encode()
        catalogue = read_catalogue([("f", data)], workshop=workshop)
        before = Release(catalogue, as_of=AS_OF, before=before, workshop=workshop)
        assert dict(before) == dict(Release(catalogue, as_of=AS_OF))


def test_a_reload_forgets_nothing_that_is_in_use(tmp_path: Path) -> None:
    """After an edit of one entry, the next process still finds the bodies of all others."""
    file = tmp_path / "entries.yaml"
    file.write_text(SHIPPED_LONGER)
    publisher = Publisher(file, state=tmp_path)
    publisher.load()
    bodies = len(Cache(tmp_path / "cache").shelf("bodies"))
    assert bodies > 10
    file.write_text(SHIPPED_LONGER.replace("**More**", "**Much more**", 1))
    publisher.load()
    assert len(Cache(tmp_path / "cache").shelf("bodies")) >= bodies


def build(folder: Path, text: str = SHIPPED_LONGER) -> Release:
    """Build with what a folder remembers."""
    workshop = Workshop(cache=Cache(folder))
    catalogue = read_catalogue([("f.yaml", text.encode())], workshop=workshop)
    release = Release(catalogue, as_of=AS_OF, workshop=workshop)
    workshop.cache.save()
    return release


def records(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.txt"))


def remembered(folder: Path) -> set[int]:
    """Count what a folder remembers of the shipped catalogue's entries, and of their bodies."""
    cache = Cache(folder)
    return {len(cache.shelf(kind)) for kind in ("entries", "bodies")}


def test_what_was_written_is_remembered(tmp_path: Path) -> None:
    """A second process has the first one's pieces, and writes nothing."""
    cold = build(tmp_path)
    before = [(file, file.stat().st_mtime_ns) for file in records(tmp_path)]
    assert remembered(tmp_path) == {len(cold.feeds[0].entries)}
    assert dict(build(tmp_path)) == dict(cold)
    assert [(file, file.stat().st_mtime_ns) for file in records(tmp_path)] == before


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-7])


def copy(file: Path) -> None:
    """Put a copy in its place, as a clone or an archive would."""
    shutil.copy2(file, file.with_suffix(".copy"))
    file.with_suffix(".copy").replace(file)


def make_foreign(file: Path) -> None:
    file.write_bytes(b"feeds cache 1 0:0 " + b"0" * 64 + b"\nx\x1cy\x1c")


def make_binary(file: Path) -> None:
    file.write_bytes(os.urandom(3000))


def make_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("spoil", [flip, cut_short, copy, make_foreign, make_binary, make_folder])
def test_a_spoilt_or_foreign_cache_is_not_believed(
    spoil: Callable[[Path], None], tmp_path: Path
) -> None:
    """Whatever stands there, the documents are right, and the next process is warm again."""
    cold = build(tmp_path)
    for file in records(tmp_path):
        spoil(file)
    assert remembered(tmp_path) == {0}
    assert dict(build(tmp_path)) == dict(cold)
    assert remembered(tmp_path) == {len(cold.feeds[0].entries)}


def test_a_cache_that_cannot_be_written_costs_time_alone(tmp_path: Path) -> None:
    """Where there is no room for a cache, everything is published all the same."""
    (tmp_path / "cache").write_text("a file where the folder would be")
    assert len(build(tmp_path / "cache")) > 0


@pytest.mark.heavy
def test_a_cache_does_not_grow_for_ever(tmp_path: Path) -> None:
    """After sixty edits it has at most some three times the size of a new one."""
    text = SHIPPED_LONGER
    build(tmp_path / "new", text)
    for number in range(60):
        edited = text.replace("body: '**More**", f"body: '**{number}**")
        build(tmp_path / "old", edited)
    sizes = [
        sum(file.stat().st_size for file in records(tmp_path / name)) for name in ("new", "old")
    ]
    assert sizes[1] < 3.2 * sizes[0]
    assert (
        max(len(list(kind.iterdir())) for kind in (tmp_path / "old").iterdir() if kind.is_dir())
        < 12
    )


@pytest.mark.heavy
def test_two_processes_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Exports of two catalogues at once, with one folder of state, are those of one at a time."""
    sources = sorted(CATALOGUES.iterdir())
    expected = {}
    for source in sources:
        run_feeds(
            "export",
            tmp_path / "alone" / source.stem,
            "--catalogue",
            source,
            "--state",
            tmp_path / source.stem,
        )
        expected[source] = tree(tmp_path / "alone" / source.stem)
    for _ in range(1):
        running = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "feeds", "export", tmp_path / "both" / source.stem),
                    *("--catalogue", source, "--state", tmp_path / "shared"),
                ]
            )
            for source in sources
        ]
        assert [process.wait(60) for process in running] == [0] * len(sources)
        for source in sources:
            assert tree(tmp_path / "both" / source.stem) == expected[source]


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_keys_tell_their_parts_apart() -> None:
    """No two inputs have one key, however their parts are put together."""
    keys = {
        key(),
        key("a"),
        key("a", "b"),
        key("ab"),
        key("a", ""),
        key("", "a"),
        key("a", "b", ""),
    }
    assert len(keys) == 7


def test_an_outcome_is_of_its_own_time(tmp_path: Path) -> None:
    """What was published counts from its moment until the next embargo ends, for these very bytes."""
    cache = Cache(tmp_path)
    outcome = Outcome(cache, "release", contents_of([("f", b"x")]), ("u",))
    until = AS_OF + timedelta(days=1)
    outcome.keep_etags({"atom.xml": "1"}, as_of=AS_OF, until=until)
    cache.save()
    kept = Outcome(Cache(tmp_path), "release", contents_of([("f", b"x")]), ("u",))
    assert kept.etags(AS_OF) == {"atom.xml": "1"}
    assert kept.etags(AS_OF - timedelta(seconds=1)) is kept.etags(until) is None
    for other in (
        Outcome(cache, "release", contents_of([("f", b"y")]), ("u",)),
        Outcome(cache, "release", contents_of([("g", b"x")]), ("u",)),
        Outcome(cache, "release", contents_of([("f", b"x")]), ("v",)),
        Outcome(cache, "check", contents_of([("f", b"x")]), ("u",)),
    ):
        assert other.etags(AS_OF) is None
