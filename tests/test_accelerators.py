"""Each mechanism that exists for speed can be switched off, and changes no byte."""

import os
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from html import escape
from pathlib import Path

import pytest
from conftest import AS_OF, SHIPPED, tree

from feeds import build_release
from feeds.catalogue import ItemMemory, load_catalogue, plain_lines
from feeds.export.folder import export_folder
from feeds.formats import feedgen_ext, sampling
from feeds.formats.content import content
from feeds.model import Country, Entry, Person, Photo, Topic
from feeds.storage import StateFolder

SWITCHES = {"plain_lines": plain_lines, "sampling": sampling}


def documents(file: Path, read: Callable[..., object] = load_catalogue) -> dict[str, bytes]:
    """Return every document of a catalogue, built without anything cached."""
    feedgen_ext._sampled_entry.cache_clear()  # noqa: SLF001  # prepared with the switch as it was
    release = build_release(read(file), as_of=AS_OF)  # type: ignore[arg-type]  # a catalogue
    return {path: document.body for path, document in release.items()}


@pytest.mark.parametrize("name", SWITCHES)
def test_without_an_accelerator_documents_are_the_same(
    name: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every document of every catalogue has the same bytes with and without the mechanism."""
    with_it = documents(source)
    monkeypatch.setattr(SWITCHES[name], "ENABLED", False)
    assert documents(source) == with_it


def test_remembered_items_change_nothing(source: Path) -> None:
    """A catalogue that is read with remembered items is the same catalogue."""
    memory = ItemMemory()
    read = partial(load_catalogue, memory=memory)
    assert documents(source, read) == documents(source, read) == documents(source)


def test_a_forged_file_of_items_runs_no_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of items that another program wrote into the state folder cannot run code."""
    marker = tmp_path / "code-was-run"

    class Forged:
        def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
            return os.mkdir, (str(marker),)

    data = pickle.dumps(Forged())
    folder = StateFolder(tmp_path / "state")
    expected = load_catalogue(SHIPPED)
    with monkeypatch.context() as patch:
        patch.setattr("feeds.catalogue.item_memory.pickle.dumps", lambda *_: data)
        load_catalogue(SHIPPED, memory=ItemMemory(folder))
    assert folder.read("items").endswith(data)
    assert load_catalogue(SHIPPED, memory=ItemMemory(folder)) == expected
    assert not marker.exists()


def test_items_are_remembered_from_one_process_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a state folder, no item of an unchanged catalogue is read again."""
    folder = StateFolder(tmp_path / "state")
    expected = load_catalogue(SHIPPED, memory=ItemMemory(folder))
    monkeypatch.setattr("feeds.catalogue.entries.EntryReader.read_item", None)
    assert load_catalogue(SHIPPED, memory=ItemMemory(folder)) == expected


def test_processes_change_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several processes render and write the same as one."""
    alone = documents(source)
    monkeypatch.setattr("feeds.parallel._MIN_ITEMS", 1)
    # What runs the tests may have threads in this process.
    monkeypatch.setattr("feeds.parallel._can_fork", lambda: True)
    monkeypatch.setattr("feeds.export.folder.cores", lambda: 3)
    export_folder(load_catalogue(source), tmp_path / "out", as_of=AS_OF)
    assert tree(tmp_path / "out") == alone


@pytest.mark.parametrize("field", Entry._fields)
def test_every_field_of_an_entry_can_be_written_to_a_format(field: str) -> None:
    """Whatever a format writes of an entry, each entry gets its own value, in the shape of another too."""
    when = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)

    def entry(word: str, days: int) -> Entry:
        moments = [when + timedelta(days=days + more) for more in range(4)]
        return Entry(
            *(f"{word}-id", f"{word} title", moments[0], moments[1]),
            *(f"{word} summary", f"{word} body", f"https://{word}.example/"),
            topics=(Topic(f"{word}-slug", f"{word} topic", "scheme"),),
            countries=(Country("VN", f"{word} country"),),
            photo=Photo(f"https://{word}.example/photo.jpg", f"{word} credit", width=days + 1),
            author=Person(name=f"{word} author", email=f"{word}@example.org"),
            public_from=moments[2],
            updated_from=moments[3],
        )

    def write(found: Entry, body: str) -> str:
        labels = "".join(f"<category>{label.name}</category>\n" for label in found.labels)
        value = getattr(found, field)
        shown = value.isoformat() if isinstance(value, datetime) else str(value)
        shown += content(found, body)
        return f"<entry>\n{labels}{escape(shown, quote=False)}</entry>\n"

    write_sampled = sampling.sampled(write)
    for word, days in (("first", 0), ("second", 7), ("third", 70)):
        one = entry(word, days)
        assert write_sampled(one, f"<p>{word}</p>") == write(one, f"<p>{word}</p>")
