"""The publisher: what is published changes with the catalogue, on time, and never for worse."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from conftest import ROOT, SHIPPED, wait_until
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from feeds import Publisher, Release
from feeds.errors import CatalogueError, FeedsError
from feeds.export.folder import export_folder
from feeds.model import Document

START = datetime(2026, 11, 1, 12, 0, 0, 250_000, tzinfo=UTC)
LONG_AGO = 1_600_000_000


@dataclass
class Clock:
    """A clock that stands still until somebody sleeps."""

    now: datetime = START
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def write(file: Path, text: str) -> None:
    """Replace a catalogue whole, as if it had been written long ago."""
    new = file.with_suffix(".new")
    new.write_text(text)
    os.utime(new, (LONG_AGO, LONG_AGO))
    new.replace(file)


def catalogue(*entries: str, site: str = "", topics: str = "a: A") -> str:
    return (
        "site:\n  title: News\n  url: https://news.example.org/\n"
        f"  id: tag:news.example.org,2021:news\n{site}topics:\n  {topics}\nentries:\n"
        + ("".join(entries) or "  []\n")
    )


def entry(name: str, date: str = "2026-10-01T09:00Z", title: str = "Title", more: str = "") -> str:
    return f"- id: {name}\n  title: {title}\n  date: {date}\n  summary: Summary.\n{more}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write(tmp_path / "entries.yaml", catalogue(entry("one")))
    return tmp_path / "entries.yaml"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def publisher(file: Path, clock: Clock) -> Publisher:
    found = Publisher(file, clock=clock, sleep=clock.sleep)
    found.refresh()
    return found


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """Give the events logged since the last call."""

    def since() -> list[str]:
        events = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return events

    with caplog.at_level(logging.INFO, "feeds"):
        logging.getLogger("feeds").propagate = True
        yield since


def shown(publisher: Publisher) -> Release:
    assert publisher.current is not None
    return publisher.current


def test_a_change_is_published(publisher: Publisher, file: Path, clock: Clock) -> None:
    """A changed catalogue gives a new release, dated; what has not changed keeps its date."""
    before = shown(publisher)
    clock.sleep(60)
    write(file, catalogue(entry("one"), entry("two", more="  topics: [a]\n")))
    publisher.refresh()
    after = shown(publisher)
    assert b"two" in after["atom.xml"].body
    assert after["atom.xml"].modified == START.replace(microsecond=0) + timedelta(seconds=60)
    assert before["style.css"] == after["style.css"]


def test_what_has_not_changed_is_not_read_again(
    publisher: Publisher, file: Path, told: Callable[[], list[str]]
) -> None:
    """A look at an unchanged catalogue costs a stat, unless it is to be read anew."""
    release = publisher.current
    publisher.refresh()
    assert publisher.current is release
    assert told() == []
    file.chmod(0o600)
    publisher.refresh()
    assert told() == ["published"]


def test_a_broken_catalogue_changes_nothing(
    publisher: Publisher,
    file: Path,
    told: Callable[[], list[str]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The last good release stays; one log line has file, line and column; mending is noticed."""
    good = publisher.current
    write(file, catalogue(entry("one"), entry("one", date="yesterday")))
    publisher.refresh()
    fields = caplog.records[0].__dict__["feeds_fields"]
    assert (
        fields["first"] == f"{file}:12:7: entries[1].id (one): the id 'one' is taken, at {file}:8:7"
    )
    assert fields["problems"] == 2
    assert told() == ["broken"]
    publisher.refresh()
    assert told() == []
    assert publisher.current is good
    degraded = [publisher.degraded]
    assert publisher.failure
    assert publisher.failure.place == "entries.yaml:12:7"
    write(file, catalogue(entry("one")))
    publisher.refresh()
    assert told() == ["published"]
    assert [*degraded, publisher.degraded] == [True, False]
    assert shown(publisher).id == (good and good.id)


def test_a_missing_catalogue_changes_nothing(
    publisher: Publisher, file: Path, told: Callable[[], list[str]]
) -> None:
    """A file that is gone for a moment is told once, and noticed when it is back."""
    text = file.read_text()
    file.unlink()
    for _ in range(3):
        publisher.refresh()
    assert told() == ["broken"]
    assert publisher.current
    write(file, text)
    publisher.refresh()
    assert told() == ["published"]


def test_a_bug_costs_no_release(
    publisher: Publisher,
    file: Path,
    told: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever goes wrong in a reload, what is published stays, and the log has the traceback."""
    good = publisher.current
    write(file, catalogue(entry("two")))
    with monkeypatch.context() as broken:
        broken.setattr("feeds.publisher.Release", None)
        for _ in range(3):
            publisher.refresh()
    assert told() == ["bug", "broken"]
    assert publisher.current is good
    write(file, catalogue(entry("three")))
    publisher.refresh()
    assert b"three" in shown(publisher)["atom.xml"].body


def test_loading_tells_what_is_wrong(file: Path) -> None:
    """For an export, a broken catalogue is an error, each time."""
    publisher = Publisher(file)
    publisher.load()
    write(file, catalogue(entry("one", date="yesterday")))
    for _ in range(2):
        with pytest.raises(CatalogueError, match="is not a valid date"):
            publisher.load()
    file.unlink()
    with pytest.raises(FeedsError, match="No such file"):
        publisher.load()


def test_a_folder_is_watched_too(tmp_path: Path, clock: Clock) -> None:
    """In a folder a new, a changed and a removed file are noticed; other files are not."""
    folder = tmp_path / "news"
    folder.mkdir()
    write(folder / "1.yaml", catalogue(entry("one")))
    publisher = Publisher(folder, clock=clock, sleep=clock.sleep)
    publisher.refresh()
    ids = []
    for change in ("entries:\n" + entry("two"), "entries:\n" + entry("three"), None):
        clock.sleep(10)
        if change:
            write(folder / "2.yaml", change)
        else:
            (folder / "2.yaml").unlink()
        publisher.refresh()
        ids.append([found.id for found in shown(publisher).feeds[0].entries])
    assert ids == [["one", "two"], ["one", "three"], ["one"]]
    release = publisher.current
    (folder / "notes.txt").write_text("")
    publisher.refresh()
    assert publisher.current is release
    assert (tmp_path / ".feeds" / "history.tsv").exists()


def test_an_embargo_ends_on_time(publisher: Publisher, file: Path, clock: Clock) -> None:
    """Invisible everywhere one second before, visible everywhere one second after, untouched."""
    secret = entry("secret", "2026-11-01T13:00Z", "Hush", "  topics: [b]\n  countries: [Togo]\n")
    topics = "a: A\n  b: B"
    moment = datetime(2026, 11, 1, 13, tzinfo=UTC)
    write(file, catalogue(entry("one"), topics=topics))
    publisher.refresh()
    without = {path: document.body for path, document in shown(publisher).items()}
    write(file, catalogue(secret, entry("one"), topics=topics))
    publisher.refresh()
    assert shown(publisher).until == moment
    clock.now = moment - timedelta(seconds=1)
    publisher.refresh()
    assert {path: document.body for path, document in shown(publisher).items()} == without
    assert not any(b"Hush" in document.body for document in shown(publisher).values())
    clock.now = moment + timedelta(seconds=1)
    publisher.refresh()
    release = shown(publisher)
    folders = ("", "topics/b/", "countries/tg/", "topics/b/countries/tg/")
    for folder in folders:
        for name in ("atom.xml", "rss.xml", "feed.json", "index.html"):
            assert b"Hush" in release[folder + name].body, folder + name
    assert b"Hush" in release["entries/secret/index.html"].body
    assert release["atom.xml"].modified == clock.now
    assert release.until is None


def test_the_log_says_what_is_held_back(
    publisher: Publisher, file: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Each release is logged with the number of entries held back and the next one due."""
    caplog.set_level("INFO", logger="feeds")
    dates = {"day": "2026-11-03", "late": "2026-12-01T10:00+01:00"}
    write(file, catalogue(entry("one"), *(entry(name, date) for name, date in dates.items())))
    publisher.refresh()
    clock.now = datetime(2026, 11, 3, tzinfo=UTC)
    publisher.refresh()
    clock.now = datetime(2026, 12, 2, tzinfo=UTC)
    publisher.refresh()
    logged = [
        record.__dict__["feeds_fields"] for record in caplog.records if record.msg == "held-back"
    ]
    assert logged == [
        {"entries": 2, "next": "day", "due": "2026-11-03T00:00+00:00"},
        {"entries": 1, "next": "late", "due": "2026-12-01T10:00+01:00"},
    ]


def test_an_embargo_ends_though_the_catalogue_is_broken(
    publisher: Publisher, file: Path, clock: Clock
) -> None:
    """What the last good catalogue promised for a moment is published at that moment."""
    write(file, catalogue(entry("secret", "2026-11-01T13:00Z"), entry("late", "2026-11-01T14:00Z")))
    publisher.refresh()
    write(file, "entries: [")
    publisher.refresh()
    clock.now = datetime(2026, 11, 1, 13, tzinfo=UTC)
    publisher.refresh()
    assert b"secret" in shown(publisher)["atom.xml"].body
    assert publisher.degraded
    file.unlink()
    publisher.refresh()
    clock.now = datetime(2026, 11, 1, 14, tzinfo=UTC)
    publisher.refresh()
    assert b"late" in shown(publisher)["atom.xml"].body
    assert publisher.degraded


def test_two_changes_in_one_second_are_a_second_apart(
    publisher: Publisher, file: Path, clock: Clock
) -> None:
    """A change in the same second waits for the next one: no date lies in the future."""
    first = shown(publisher)["atom.xml"].modified
    write(file, catalogue(entry("two")))
    publisher.refresh()
    second = shown(publisher)["atom.xml"].modified
    assert first
    assert second == first + timedelta(seconds=1)
    assert clock.slept == [0.75]
    assert second <= clock.now


def test_a_clock_set_back_sends_no_date_in_the_future(
    publisher: Publisher, file: Path, clock: Clock, told: Callable[[], list[str]]
) -> None:
    """Where the memory lies far ahead of the clock, a document has no date, and the log says so."""
    clock.now -= timedelta(hours=1)
    write(file, catalogue(entry("two")))
    publisher.refresh()
    assert told() == ["clock-behind-history", "published"]
    assert shown(publisher)["atom.xml"].modified is None
    clock.now += timedelta(hours=2)
    publisher.wake()
    publisher.refresh()
    assert shown(publisher)["atom.xml"].modified == START.replace(microsecond=0) + timedelta(
        seconds=1
    )


def test_what_was_edited_meanwhile_is_not_published_late(
    publisher: Publisher, file: Path, clock: Clock
) -> None:
    """An edit during a build is built at once: old bytes never get a later date than new ones."""
    edits = [catalogue(entry("newest")), catalogue(entry("newer"))]

    def meddling() -> datetime:
        # The first look at the clock comes after the catalogue was read.
        if edits:
            write(file, edits.pop())
        return clock.now

    publisher.clock = meddling
    write(file, catalogue(entry("new")))
    publisher.refresh()
    assert b"newest" in shown(publisher)["atom.xml"].body
    history = (file.parent / ".feeds" / "history.tsv").read_text()
    assert "/entries/newest/" in history
    assert "/entries/new/" not in history


def test_without_a_memory_there_is_no_date(
    file: Path, clock: Clock, told: Callable[[], list[str]]
) -> None:
    """Where the history cannot be written, no document is dated, and the log says so once."""
    publisher = Publisher(file, state=file / "state", clock=clock, sleep=clock.sleep)
    publisher.refresh()
    assert told() == ["no-last-modified", "published"]
    assert {document.modified for document in shown(publisher).values()} == {None}
    write(file, catalogue(entry("two")))
    publisher.refresh()
    assert told() == ["published"]


def test_a_memory_that_is_back_dates_what_is_published(
    file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody need edit or restart anything once the history can be written again."""
    monkeypatch.setattr("feeds.publisher._UNDATED", 0)
    obstacle = file.with_name("state")
    obstacle.write_text("")
    publisher = Publisher(file, state=obstacle, clock=clock, sleep=clock.sleep)
    publisher.refresh()
    assert shown(publisher)["atom.xml"].modified is None
    obstacle.unlink()
    publisher.refresh()
    assert shown(publisher)["atom.xml"].modified == clock.now.replace(microsecond=0)


def test_serving_elsewhere_does_not_disturb_the_memory(file: Path, clock: Clock) -> None:
    """Each site has its own dates: a trial on this machine moves none of the public site's."""
    public = Publisher(file, clock=clock, sleep=clock.sleep)
    local = Publisher(file, url="http://127.0.0.1:8000/", clock=clock, sleep=clock.sleep)
    before = {path: document.modified for path, document in public.load().items()}
    clock.sleep(100)
    assert {document.modified for document in local.load().values()} == {
        clock.now.replace(microsecond=0)
    }
    assert {path: document.modified for path, document in public.load().items()} == before


@pytest.mark.heavy
def test_large_documents_are_told(file: Path, told: Callable[[], list[str]]) -> None:
    """A feed of more than a megabyte is published, with a warning; a page or a list has no limit."""
    body = "  body: " + "word " * 19_000 + "\n"
    write(file, catalogue(*(entry(f"n{number}", more=body) for number in range(11))))
    Publisher(file).load()
    assert told() == ["published", "large-documents"]
    name = "x" * 350_000
    write(file, catalogue(entry("one"), topics=f"a: A{name}\n  b: B{name}\n  c: C{name}"))
    release = Publisher(file).load()
    assert len(release["feeds.opml"].body) > 1_000_000
    assert told() == ["published"]


def test_a_started_publisher_works_by_itself(file: Path) -> None:
    """In its thread a change, a wake and the end of an embargo are noticed."""
    publisher = Publisher(file)
    publisher.start()
    try:
        soon = datetime.now(UTC) + timedelta(seconds=2)
        write(file, catalogue(entry("soon", soon.isoformat(timespec="milliseconds"))))
        publisher.wake()
        wait_until(lambda: "entries/soon/index.html" in shown(publisher))
        assert datetime.now(UTC) >= soon.replace(microsecond=0)
        write(file, catalogue(entry("later")))
        wait_until(lambda: "entries/later/index.html" in shown(publisher))
    finally:
        publisher.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "feeds-publisher"]


@pytest.mark.heavy
def test_a_forked_process_goes_on_publishing(file: Path) -> None:
    """A server that forks after loading keeps every process current."""
    code = (
        "import os, sys, time\n"
        "from feeds import Publisher\n"
        "publisher = Publisher(sys.argv[1]); publisher.start()\n"
        "child = os.fork()\n"
        "if child: sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "print('ready', flush=True)\n"
        "end = time.monotonic() + 60\n"
        "while b'changed' not in publisher.current['atom.xml'].body:\n"
        "    assert time.monotonic() < end\n"
        "    time.sleep(0.02)\n"
        "os._exit(7)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, file],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        write(file, catalogue(entry("changed")))
        assert process.wait(20) == 7


WORDS = st.sampled_from(["red", "green", "blue", "R&D", "قصة"])
NAMES = st.sampled_from(["one", "two", "three"])
EDITS = st.one_of(
    st.tuples(st.just("title"), NAMES, WORDS),
    st.tuples(st.just("remove"), NAMES, WORDS),
    st.tuples(st.just("topic"), NAMES, st.sampled_from(["a", "b"])),
    st.tuples(st.just("embargo"), NAMES, st.sampled_from(["1", "2", "30"])),
    st.tuples(st.just("site"), NAMES, WORDS),
    st.tuples(st.just("back"), NAMES, WORDS),
    st.tuples(st.just("break"), NAMES, WORDS),
    st.tuples(st.just("touch"), NAMES, WORDS),
)
PAUSES = st.sampled_from([0.0, 0.05, 0.7, 1.0, 3.0, 40.0])


class Editor:
    """Somebody who edits a catalogue, whatever comes to mind."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.entries = {"one": entry("one")}
        self.site = ""
        self.before = self.text = ""
        self.save()

    def text_now(self) -> str:
        return catalogue(*self.entries.values(), site=self.site, topics="a: A\n  b: B")

    def save(self) -> None:
        self.before, self.text = self.text, self.text_now()
        write(self.file, self.text)

    def edit(self, kind: str, name: str, word: str, now: datetime) -> None:
        if kind == "title":
            self.entries[name] = entry(name, title=word)
        elif kind == "remove":
            self.entries.pop(name, None)
        elif kind == "topic":
            self.entries[name] = entry(name, more=f"  topics: [{word}]\n")
        elif kind == "embargo":
            date = now + timedelta(seconds=int(word))
            self.entries[name] = entry(name, date.isoformat(timespec="seconds"))
        elif kind == "site":
            self.site = f"  description: {word}\n"
        if kind == "back" and self.before:
            write(self.file, self.before)
        elif kind == "break":
            write(self.file, self.text + "- id: [")
        else:
            self.save()


Steps = list[tuple[tuple[str, str, str], float]]
# Ten steps are short enough to read; shrinking them would take minutes.
STEPS = st.lists(st.tuples(EDITS, PAUSES), min_size=10, max_size=10)
PHASES = [Phase.explicit, Phase.generate]
# What is withdrawn waits for its second; meanwhile, its embargo ends.
BRIEF: Steps = [
    (("topic", "one", "a"), 3.0),
    (("title", "two", "blue"), 0.05),
    (("site", "two", "blue"), 0.0),
    (("embargo", "one", "1"), 0.0),
]
# What is never exported, because the catalogue is broken then, comes to an end.
UNSEEN: Steps = [
    (("topic", "two", "a"), 40.0),
    (("embargo", "three", "2"), 0.7),
    (("break", "two", "red"), 40.0),
    (("remove", "three", "blue"), 1.0),
]


@settings(phases=[Phase.explicit])
@given(STEPS)
@example(BRIEF)
@example(UNSEEN)
def test_validators_change_in_lockstep_with_the_bytes(steps: Steps) -> None:
    """Over 8 edits, restarts and exports: bytes, ETag and date all change, or none does."""
    check_lockstep(steps)


@pytest.mark.heavy
@settings(max_examples=25, phases=PHASES, derandomize=False)
@given(STEPS)
def test_validators_change_in_lockstep_for_long(steps: Steps) -> None:
    """The same over 250 others at every run."""
    check_lockstep(steps)


def check_lockstep(steps: Steps) -> None:
    with TemporaryDirectory() as folder:
        editor, clock = Editor(Path(folder) / "entries.yaml"), Clock()
        server = Publisher(editor.file, clock=clock, sleep=clock.sleep)
        server.refresh()
        known: dict[str, tuple[bytes, str, datetime]] = {}
        exported: dict[str, tuple[bytes, float]] = {}
        for (kind, name, word), pause in steps:
            editor.edit(kind, name, word, clock.now)
            clock.sleep(pause)
            server.refresh()
            compare(known, shown(server), clock.now)
            restarted = Publisher(editor.file, clock=clock, sleep=clock.sleep)
            restarted.refresh()
            if kind == "break":
                assert restarted.current is None
                continue
            compare(known, shown(restarted), clock.now)
            release = Publisher(editor.file, clock=clock, sleep=clock.sleep).load()
            export_folder(release, Path(folder) / "out")
            compare(known, release, clock.now)
            exported = {
                path: dated(Path(folder) / "out" / path, document, exported.get(path))
                for path, document in release.items()
            }


def dated(
    file: Path, document: Document, before: tuple[bytes, float] | None
) -> tuple[bytes, float]:
    """Compare a file with its document and with what it was; give its bytes and time.

    Bytes that were not exported in between have been there since they were written.
    """
    body, moment = file.read_bytes(), file.stat().st_mtime
    assert body == document.body
    assert document.modified
    kept = before[1] if before and before[0] == body else None
    assert moment == (document.modified.timestamp() if kept is None else kept)
    return body, moment


def compare(known: dict[str, tuple[bytes, str, datetime]], release: Release, now: datetime) -> None:
    """Compare each document with what was last seen at its address."""
    for path, document in release.items():
        assert document.modified
        assert document.modified <= now
        if path in known:
            body, etag, modified = known[path]
            assert (document.body == body) == (document.etag == etag)
            if document.body == body:
                assert document.modified == modified
            else:
                assert document.modified > modified
        known[path] = (document.body, document.etag, document.modified)


def test_the_shipped_catalogue_needs_no_history_of_its_own(tmp_path: Path) -> None:
    """Publishing from a folder that only has the catalogue makes history and cache beside it."""
    file = tmp_path / "entries.yaml"
    write(file, SHIPPED.read_text())
    Publisher(file).load()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".feeds", "entries.yaml"]
    made = sorted(path.name for path in (tmp_path / ".feeds").iterdir())
    assert made == [".gitignore", "cache", "history.lock", "history.tsv"]
