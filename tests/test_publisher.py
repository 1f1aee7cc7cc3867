"""The publisher: the served site follows the catalogue, on time, and stays if the catalogue is broken."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from builds import DatedDocument
from commands import Commands
from conftest import SHIPPED
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from stores import START, Clock, Published

from feeds import CatalogueError, FeedsError

LONG_AGO = 1_600_000_000


def write(file: Path, text: str) -> None:
    """Replace a catalogue atomically, with an old modification time."""
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
def publisher(file: Path, clock: Clock) -> Published:
    found = Published(file, clock=clock)
    found.refresh()
    return found


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """Return a function with the events logged since its last call."""

    def since() -> list[str]:
        events = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return events

    with caplog.at_level(logging.INFO, "feeds"):
        logging.getLogger("feeds").propagate = True
        yield since


def test_a_change_is_published(publisher: Published, file: Path, clock: Clock) -> None:
    """A changed catalogue makes a new release; unchanged documents keep their dates."""
    before = publisher.shown()
    clock.sleep(60)
    write(file, catalogue(entry("one"), entry("two", more="  topics: [a]\n")))
    publisher.refresh()
    after = publisher.shown()
    assert b"two" in after["atom.xml"].body
    assert after["atom.xml"].modified == START.replace(microsecond=0) + timedelta(seconds=60)
    assert before["style.css"] == after["style.css"]


def test_what_has_not_changed_is_not_read_again(
    publisher: Published, file: Path, logged: Callable[[], list[str]]
) -> None:
    """An unchanged catalogue is not read again, unless a reload is requested."""
    index = publisher.index()
    publisher.refresh()
    assert publisher.index() == index
    assert logged() == []
    file.chmod(0o600)
    publisher.refresh()
    assert logged() == ["published"]
    publisher.refresh(read=True)
    assert logged() == ["published"]


def test_a_broken_catalogue_changes_nothing(
    publisher: Published,
    file: Path,
    logged: Callable[[], list[str]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A broken catalogue leaves the last release in place and is logged once; a correction is published."""
    good, index = publisher.shown(), publisher.index()
    write(file, catalogue(entry("one"), entry("one", date="yesterday")))
    publisher.refresh()
    fields = caplog.records[0].__dict__["feeds_fields"]
    assert (
        fields["first"] == f"{file}:12:7: entries[1].id (one): the id 'one' is taken, at {file}:8:7"
    )
    assert fields["problems"] == 2
    assert logged() == ["broken"]
    publisher.refresh()
    assert logged() == []
    assert publisher.index() == index
    degraded = [publisher.status().degraded]
    failure = publisher.status().failure
    assert failure
    assert (failure["place"], failure["problems"]) == ("entries.yaml:12:7", 2)
    assert "reason" not in failure
    write(file, catalogue(entry("one")))
    publisher.refresh()
    assert logged() == ["published"]
    assert [*degraded, publisher.status().degraded] == [True, False]
    assert publisher.status().failure == failure, "the last one stays known"
    assert publisher.shown() == good
    assert publisher.shown().release == good.release


def test_a_missing_catalogue_changes_nothing(
    publisher: Published, file: Path, logged: Callable[[], list[str]]
) -> None:
    """A missing catalogue is logged once, and is read when it is back."""
    text, index = file.read_text(), publisher.index()
    file.unlink()
    for _ in range(3):
        publisher.refresh()
    assert logged() == ["broken"]
    assert publisher.index() == index
    write(file, text)
    publisher.refresh()
    assert logged() == ["published"]


def test_a_bug_costs_no_release(
    publisher: Published,
    file: Path,
    logged: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a bug during a reload, the release stays, and the log has the traceback."""
    index = publisher.index()
    write(file, catalogue(entry("two")))
    with monkeypatch.context() as broken:
        broken.setattr("feeds.build.plan_site", None)
        for _ in range(3):
            publisher.refresh()
    assert logged() == ["bug", "broken"]
    assert publisher.index() == index
    failure = publisher.status().failure
    assert failure
    assert (failure["place"], failure["problems"], failure["reason"]) == ("", 0, "internal")
    write(file, catalogue(entry("three")))
    publisher.refresh()
    assert b"three" in publisher.shown()["atom.xml"].body


def test_building_raises_what_is_wrong(publisher: Published, file: Path) -> None:
    """An export raises CatalogueError each time the catalogue is broken."""
    publisher.builder.build()
    write(file, catalogue(entry("one", date="yesterday")))
    for _ in range(2):
        with pytest.raises(CatalogueError, match="is not a valid date"):
            publisher.builder.build()
    file.unlink()
    with pytest.raises(FeedsError, match="No such file"):
        publisher.builder.build()


def test_a_folder_is_watched_too(tmp_path: Path, clock: Clock) -> None:
    """In a folder of catalogue files, added, changed and removed files cause a build; other files do not."""
    folder = tmp_path / "news"
    folder.mkdir()
    write(folder / "1.yaml", catalogue(entry("one")))
    publisher = Published(folder, clock=clock)
    publisher.refresh()
    ids = []
    for change in ("entries:\n" + entry("two"), "entries:\n" + entry("three"), None):
        clock.sleep(10)
        if change:
            write(folder / "2.yaml", change)
        else:
            (folder / "2.yaml").unlink()
        publisher.refresh()
        pages = sorted(path for path in publisher.shown() if path.startswith("entries/"))
        ids.append([path.split("/")[1] for path in pages])
    assert ids == [["one", "two"], ["one", "three"], ["one"]]
    index = publisher.index()
    (folder / "notes.txt").write_text("")
    publisher.refresh()
    assert publisher.index() == index
    assert (tmp_path / ".feeds" / "history.tsv").exists()


def test_an_embargo_ends_on_time(publisher: Published, file: Path, clock: Clock) -> None:
    """An entry under embargo is absent one second before its time and present one second after, without an edit."""
    secret = entry("secret", "2026-11-01T13:00Z", "Hush", "  topics: [b]\n  countries: [Togo]\n")
    topics = "a: A\n  b: B"
    moment = datetime(2026, 11, 1, 13, tzinfo=UTC)
    write(file, catalogue(entry("one"), topics=topics))
    publisher.refresh()
    without = {path: document.body for path, document in publisher.shown().items()}
    write(file, catalogue(secret, entry("one"), topics=topics))
    publisher.refresh()
    assert publisher.shown().until == moment
    clock.now = moment - timedelta(seconds=1)
    publisher.refresh()
    assert {path: document.body for path, document in publisher.shown().items()} == without
    assert not any(b"Hush" in document.body for document in publisher.shown().values())
    clock.now = moment + timedelta(seconds=1)
    publisher.refresh()
    release = publisher.shown()
    folders = ("", "topics/b/", "countries/tg/", "topics/b/countries/tg/")
    for folder in folders:
        for name in ("atom.xml", "rss.xml", "feed.json", "index.html"):
            assert b"Hush" in release[folder + name].body, folder + name
    assert b"Hush" in release["entries/secret/index.html"].body
    assert release["atom.xml"].modified == clock.now
    assert release.until is None


def test_the_log_says_what_is_held_back(
    publisher: Published, file: Path, clock: Clock, caplog: pytest.LogCaptureFixture
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
    publisher: Published, file: Path, clock: Clock
) -> None:
    """An embargo ends on time even while the catalogue is broken."""
    write(file, catalogue(entry("secret", "2026-11-01T13:00Z"), entry("late", "2026-11-01T14:00Z")))
    publisher.refresh()
    write(file, "entries: [")
    publisher.refresh()
    clock.now = datetime(2026, 11, 1, 13, tzinfo=UTC)
    publisher.refresh()
    assert b"secret" in publisher.shown()["atom.xml"].body
    assert publisher.status().degraded
    file.unlink()
    publisher.refresh()
    clock.now = datetime(2026, 11, 1, 14, tzinfo=UTC)
    publisher.refresh()
    assert b"late" in publisher.shown()["atom.xml"].body
    assert publisher.status().degraded


def test_two_changes_in_one_second_are_a_second_apart(
    publisher: Published, file: Path, clock: Clock
) -> None:
    """Two changes in one second get dates a second apart, and no date is in the future."""
    first = publisher.shown()["atom.xml"].modified
    write(file, catalogue(entry("two")))
    publisher.refresh()
    second = publisher.shown()["atom.xml"].modified
    assert first
    assert second == first + timedelta(seconds=1)
    assert clock.slept == [0.75]
    assert second <= clock.now


def test_a_clock_set_back_sends_no_date_in_the_future(
    publisher: Published, file: Path, clock: Clock, logged: Callable[[], list[str]]
) -> None:
    """If the history is far ahead of the clock, documents have no date, and a warning is logged."""
    clock.now -= timedelta(hours=1)
    write(file, catalogue(entry("two")))
    publisher.refresh()
    assert logged() == ["clock-behind-history", "published"]
    assert publisher.shown()["atom.xml"].modified is None
    clock.now += timedelta(hours=2)
    publisher.refresh(read=True)
    assert publisher.shown()["atom.xml"].modified == START.replace(microsecond=0) + timedelta(
        seconds=1
    )


def test_what_was_edited_meanwhile_is_not_published_late(file: Path, clock: Clock) -> None:
    """An edit during a build is built at once: old bytes never get a later date than new ones."""
    edits = [catalogue(entry("newest")), catalogue(entry("newer"))]

    def meddling() -> datetime:
        # The first look at the clock comes after the catalogue was read.
        if edits:
            write(file, edits.pop())
        return clock.now

    publisher = Published(file, clock=clock, now=meddling)
    write(file, catalogue(entry("new")))
    publisher.refresh()
    assert b"newest" in publisher.shown()["atom.xml"].body
    history = (file.parent / ".feeds" / "history.tsv").read_text()
    assert "/entries/newest/" in history
    assert "/entries/new/" not in history


def test_a_body_that_is_removed_during_a_build_is_built_again(file: Path, clock: Clock) -> None:
    """A body that is removed during a build is built again."""
    looks = 0

    def removing() -> datetime:
        # By then it is known which bodies are there; the index has the last look.
        nonlocal looks
        looks += 1
        if looks > 3:
            for body in (file.parent / ".feeds").glob(f"site-*/objects/{etag}"):
                body.unlink()
        return clock.now

    etag = "nothing"
    publisher = Published(file, clock=clock, now=removing)
    publisher.refresh()
    etag, looks = publisher.shown()["style.css"].etag, 0
    write(file, catalogue(entry("two")))
    publisher.refresh()
    assert looks > 3
    with pytest.raises(FileNotFoundError):
        publisher.shown()
    etag = "nothing"
    publisher.refresh()
    assert "style.css" in publisher.shown()


def test_without_a_memory_there_is_no_date(
    file: Path, clock: Clock, logged: Callable[[], list[str]]
) -> None:
    """If the history cannot be written, no document has a date, and this is logged once."""
    publisher = Published(file, state=file / "state", root=file.parent / "root", clock=clock)
    publisher.refresh()
    assert logged() == ["no-last-modified", "published"]
    assert {document.modified for document in publisher.shown().values()} == {None}
    write(file, catalogue(entry("two")))
    publisher.refresh()
    assert logged() == ["published"]


def test_a_memory_that_is_back_dates_what_is_published(
    file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the history can be written again, documents get dates without an edit or a restart."""
    monkeypatch.setattr("feeds.server.build_process._UNDATED_SECONDS", 0)
    obstacle = file.with_name("state")
    obstacle.write_text("")
    publisher = Published(file, state=obstacle, root=file.with_name("root"), clock=clock)
    publisher.refresh()
    assert publisher.shown()["atom.xml"].modified is None
    obstacle.unlink()
    publisher.refresh()
    assert publisher.shown()["atom.xml"].modified == clock.now.replace(microsecond=0)


def test_serving_elsewhere_does_not_disturb_the_memory(file: Path, clock: Clock) -> None:
    """Each site URL has its own dates: serving locally does not change the public site's."""
    public = Published(file, clock=clock)
    local = Published(file, url="http://127.0.0.1:8000/", clock=clock)
    public.refresh()
    before = public.shown()
    clock.sleep(100)
    local.refresh()
    assert {document.modified for document in local.shown().values()} == {
        clock.now.replace(microsecond=0)
    }
    public.refresh(read=True)
    assert public.shown() == before


@pytest.mark.heavy
def test_large_documents_are_logged(file: Path, logged: Callable[[], list[str]]) -> None:
    """A feed of more than a megabyte is published, with a warning; a page or a list has no limit."""
    body = "  body: " + "word " * 19_000 + "\n"
    write(file, catalogue(*(entry(f"n{number}", more=body) for number in range(11))))
    publisher = Published(file)
    publisher.refresh()
    assert logged() == ["published", "large-documents"]
    name = "x" * 350_000
    write(file, catalogue(entry("one"), topics=f"a: A{name}\n  b: B{name}\n  c: C{name}"))
    publisher.refresh()
    assert len(publisher.shown()["feeds.opml"].body) > 1_000_000
    assert logged() == ["published"]


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
    """Random edits of a catalogue."""

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
    """The same over 250 other edits at every run."""
    check_lockstep(steps)


def check_lockstep(steps: Steps) -> None:
    """Compare at each step a server, a restarted server, a server without a store, and an export."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        editor, clock = Editor(folder / "entries.yaml"), Clock()
        server = Published(editor.file, clock=clock)
        server.refresh()
        known: dict[str, tuple[bytes, str, datetime]] = {}
        exported: dict[str, tuple[bytes, float]] = {}
        documents: dict[str, DatedDocument] = {}
        before = None
        for number, ((kind, entry_id, word), pause) in enumerate(steps):
            editor.edit(kind, entry_id, word, clock.now)
            clock.sleep(pause)
            server.refresh()
            compare(known, server.shown(), clock.now)
            restarted = Published(editor.file, clock=clock, root=folder / "restarted")
            restarted.refresh()
            cold = Published(editor.file, clock=clock, root=folder / f"cold-{number}")
            cold.refresh()
            if kind == "break":
                assert cold.is_empty()
                assert before is None or restarted.shown() == before
                continue
            before = restarted.shown()
            compare(known, before, clock.now)
            compare(known, cold.shown(), clock.now)
            documents = export(editor.file, clock, folder / "out") or documents
            compare(known, documents, clock.now)
            exported = {
                path: dated(folder / "out" / path, document, exported.get(path))
                for path, document in documents.items()
            }


def export(file: Path, clock: Clock, folder: Path) -> dict[str, DatedDocument] | None:
    """Export at the test's time; return the documents, or None if nothing has changed."""
    words = ("export", folder, "--catalogue", file, "--state", file.parent / ".feeds")
    with pytest.MonkeyPatch.context() as patch:
        build = Commands(clock, patch).run(*words)
    if build is None:
        return None
    return {
        plan.path: DatedDocument(
            path=plan.path,
            body=(folder / plan.path).read_bytes(),
            media_type=plan.media_type,
            etag=build.facts[plan.path].etag,
            modified=build.dates[plan.path],
        )
        for plan in build.plans
    }


def dated(
    file: Path, document: DatedDocument, before: tuple[bytes, float] | None
) -> tuple[bytes, float]:
    """Compare a file with its document and with its earlier state; return its bytes and time.

    Bytes that were not exported in between have been there since they were written.
    """
    body, moment = file.read_bytes(), file.stat().st_mtime
    assert body == document.body
    assert document.modified
    kept = before[1] if before and before[0] == body else None
    assert moment == (document.modified.timestamp() if kept is None else kept)
    return body, moment


def compare(
    known: dict[str, tuple[bytes, str, datetime]],
    documents: Mapping[str, DatedDocument],
    now: datetime,
) -> None:
    """Compare each document with the last one at its address."""
    for path, document in documents.items():
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
    """Serving creates the history and the store beside a catalogue."""
    file = tmp_path / "entries.yaml"
    write(file, SHIPPED.read_text())
    Published(file).refresh()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".feeds", "entries.yaml"]
    made = sorted(path.name for path in (tmp_path / ".feeds").iterdir())
    assert made[:-1] == [".gitignore", "history.lock", "history.tsv"]
    assert made[-1].startswith("site-")
