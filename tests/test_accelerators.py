"""Each mechanism that exists for speed can be switched off, and changes no byte."""

import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from html import escape
from pathlib import Path

import pytest
from conftest import AS_OF, SHIPPED, tree
from reading import entries, site
from work import work

from feeds import (
    Attachment,
    Catalogue,
    Country,
    Entry,
    Guid,
    Person,
    Photo,
    Topic,
    build_release,
    export_folder,
)
from feeds.catalogue import ItemMemory, load_catalogue, plain_lines
from feeds.formats import sampling
from feeds.storage import StateFolder

SWITCHES = {"plain_lines": plain_lines, "sampling": sampling}


def documents(
    file: Path, read: Callable[..., Catalogue] = load_catalogue, moved: str = "old/"
) -> dict[str, bytes]:
    """Return every document of a catalogue.

    Where something else has moved, the site is another one to what is cached, and has the same
    documents.
    """
    catalogue = read(file)
    site = replace(catalogue.site, moved={moved: ""})
    release = build_release(replace(catalogue, site=site), as_of=AS_OF)
    return {path: document.body for path, document in release.items()}


@pytest.mark.parametrize("name", SWITCHES)
def test_without_an_accelerator_documents_are_the_same(
    name: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every document of every catalogue has the same bytes with and without the mechanism."""
    with_it = documents(source)
    monkeypatch.setattr(SWITCHES[name], "ENABLED", False)
    assert documents(source, moved="older/") == with_it


def test_remembered_items_change_nothing(source: Path) -> None:
    """A catalogue that is read with remembered items is the same catalogue."""
    memory = ItemMemory()
    read = partial(load_catalogue, memory=memory)
    assert documents(source, read) == documents(source, read) == documents(source)


def test_items_are_read_again_if_other_names_of_countries_are_chosen(tmp_path: Path) -> None:
    """The names of countries in remembered items are those of the chosen set."""
    file, memory = tmp_path / "entries.yaml", ItemMemory()
    names = []
    for chosen in ("cldr", "un", "iso", "cldr"):
        file.write_text(site(country_names=chosen) + entries({"countries": ["Korea, South"]}))
        (entry,) = load_catalogue(file, memory=memory).entries
        names += [country.name for country in entry.countries]
    assert names == ["South Korea", "Republic of Korea", "Korea, Republic of", "South Korea"]


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
        patch.setattr(pickle, "dumps", lambda *_: data)
        load_catalogue(SHIPPED, memory=ItemMemory(folder))
    assert folder.read("items").endswith(data)
    assert load_catalogue(SHIPPED, memory=ItemMemory(folder)) == expected
    assert not marker.exists()


def test_items_are_remembered_from_one_process_to_the_next(tmp_path: Path) -> None:
    """With a state folder, no item of an unchanged catalogue is read again."""
    file = tmp_path / "entries.yaml"
    file.write_text(site() + entries(*({"id": f"e{number}"} for number in range(300))))
    folder = StateFolder(tmp_path / "state")
    expected = load_catalogue(file, memory=ItemMemory(folder))
    first = work(lambda: load_catalogue(file))
    again = work(lambda: load_catalogue(file, memory=ItemMemory(folder)))
    # The items are still found in the file, and checked together.
    assert again < first / 5
    assert load_catalogue(file, memory=ItemMemory(folder)) == expected


def test_processes_change_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several processes render and write the same as one."""
    alone = documents(source)
    monkeypatch.setattr("feeds.parallel._MIN_ITEMS", 1)
    # What runs the tests may have threads in this process.
    monkeypatch.setattr("feeds.parallel._can_fork", lambda: True)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
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
            authors=(
                Person(name=f"{word} author", email=f"{word}@example.org"),
                Person(name=f"{word} other author"),
            ),
            public_from=moments[2],
            updated_from=moments[3],
            guid=Guid(f"urn:{word}", f"{word} at", f"{word} it", permalink=True),
            documents=(
                Attachment(
                    *(
                        f"https://{word}.example/a.mp3",
                        f"{word} audio",
                        "fr",
                        "audio/mpeg",
                        days + 1,
                    )
                ),
                Attachment(f"https://{word}.example/b.pdf", f"{word} document", pages=days + 1),
            ),
            language={"first": "fr", "second": "ar"}.get(word, "en"),
            license=f"https://{word}.example/license",
        )

    def write(found: Entry, body: str) -> str:
        labels = "".join(f"<category>{label.name}</category>\n" for label in found.labels)
        value = getattr(found, field)
        shown = value.isoformat() if isinstance(value, datetime) else str(value)
        if found.photo:
            alt, credit = escape(found.photo.alt), escape(found.photo.credit, quote=False)
            shown += f'<img src="{escape(found.photo.url)}" alt="{alt}">{credit}'
        shown += body or escape(found.summary, quote=False)
        return f"<entry>\n{labels}{escape(shown, quote=False)}</entry>\n"

    first, second = entry("first", 0), entry("second", 7)
    assert getattr(first, field) != getattr(second, field), "set a value of its own in `entry`"
    write_sampled = sampling.sampled(write, "en")
    for word, days in (("first", 0), ("second", 7), ("third", 70)):
        one = entry(word, days)
        assert write_sampled(one, f"<p>{word}</p>") == write(one, f"<p>{word}</p>")
