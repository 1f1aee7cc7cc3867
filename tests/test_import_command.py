"""`feeds import`: where it writes, and what it says if nothing can be imported."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import AS_OF, guarded
from import_cases import feeds

from feeds import load_catalogue
from feeds.importer.conversion import convert
from feeds.importer.items import Item

DATED = "title,date\nThe garden is open,24 May 2022\n"
MONTH_ONLY = "title,date\nThe garden is open,May 2022\n"


@pytest.mark.parametrize(
    ("words", "file"),
    [
        ([], "entries.yaml"),
        (["--catalogue", "news.yml"], "news.yml"),
        (["--catalogue", "new"], "new/entries.yaml"),
        (["--catalogue", "empty"], "empty/entries.yaml"),
    ],
)
def test_a_new_catalogue_in_a_folder(words: list[str], file: str, tmp_path: Path) -> None:
    """A path that does not end like YAML is a folder, as for `init`, also in a second import."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "news.csv").write_text(DATED)
    command = ["import", "news.csv", "--url", "https://news.example.org/", *words]
    done = feeds(tmp_path, *command)
    assert (done.code, done.output) == (0, f"{file}: 1 entry written\n")
    assert len(load_catalogue(tmp_path / file).entries) == 1
    again = feeds(tmp_path, *command)
    assert (again.code, again.written) == (0, 0)
    assert "1 already there" in again.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MONTH_ONLY, "news.csv:2: date: 'May 2022': a date needs a day, a month and a year"),
        (MONTH_ONLY, "feeds: no item of news.csv can be imported; nothing is written"),
        ("title,date\n", "feeds: news.csv has no items; nothing is written"),
    ],
)
def test_nothing_can_be_imported(text: str, said: str, tmp_path: Path) -> None:
    """The reasons are the same whether there is a catalogue or not, and nothing is written."""
    (tmp_path / "news.csv").write_text(text)
    assert said in feeds(tmp_path, "import", "news.csv").output
    assert [path.name for path in tmp_path.iterdir()] == ["news.csv"]
    (tmp_path / "other.csv").write_text(DATED)
    assert feeds(tmp_path, "import", "other.csv").written == 1
    before = (tmp_path / "entries.yaml").read_bytes()
    done = feeds(tmp_path, "import", "news.csv")
    assert done.code
    assert said in done.output
    assert (tmp_path / "entries.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("https://", "https:// is not a valid web address"),
        ("www.example.org/feed", "; an address begins with https:// or http://"),
        ("news.xml", "news.xml cannot be read: No such file or directory"),
    ],
)
def test_an_address_that_is_none(source: str, said: str, tmp_path: Path) -> None:
    """What is neither a file nor an address is named, with what an address begins with."""
    assert said in feeds(tmp_path, "import", source).output


@pytest.mark.heavy
def test_items_that_are_the_same_take_bounded_time(tmp_path: Path) -> None:
    """Twenty thousand items with the same title and date have different ids in seconds."""
    (tmp_path / "news.csv").write_text(DATED)
    feeds(tmp_path, "import", "news.csv")
    catalogue = replace(load_catalogue(tmp_path / "entries.yaml"), entries=())
    items = [Item(place=f"x:{line}", title="T", date="2022-05-24") for line in range(20_000)]
    with guarded():
        found = convert(items, catalogue, now=AS_OF).new
    assert len({candidate.fields["id"] for candidate in found}) == len(items)


def test_an_item_that_is_held_back_does_not_hold_back_others(tmp_path: Path) -> None:
    """Items are inserted that are newer than all public ones, though one with an embargo is there."""
    news = [
        {"title": title, "date": date}
        for title, date in (("Later", "2199-05-01"), ("A", "2022-05-01"))
    ]
    source = tmp_path / "news.json"
    source.write_text(json.dumps(news))
    assert "2 entries written" in feeds(tmp_path, "import", "news.json").output
    older = [{"title": "Older", "date": "2022-04-01"}]
    source.write_text(json.dumps([{"title": "B", "date": "2022-06-01"}, *news, *older]))
    assert "1 entry inserted, 2 already there, 1 older item missing" in (
        feeds(tmp_path, "import", "news.json").output
    )
