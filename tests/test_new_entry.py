"""`feeds new` adds an entry to the text of a catalogue, and changes nothing else."""

import os
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from conftest import ROOT, SHIPPED, run, run_feeds

from feeds import FeedsError, load_catalogue
from feeds.catalogue.additions import free_id
from feeds.catalogue.text_fields import slug_of as slug
from feeds.storage import rewrite_file

HEAD = """\
site:
  title: T # the title
  url: https://news.example.org/
  id: tag:news.example.org,2021:t
  language: fr
  timezone: Pacific/Kiritimati
"""
OLD = "- id: old\n  title: Old\n  date: 2022-05-24\n  summary: S.\n"
PLACEHOLDER = "is still a placeholder: write the text instead"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a catalogue of one entry."""
    (tmp_path / "entries.yaml").write_text(f"{HEAD}\nentries:\n{OLD}")
    return tmp_path


def test_an_entry_waits_for_its_summary(folder: Path) -> None:
    """The entry is at the top, dated today in the site's time zone; until it has a summary, it is refused."""
    before = (folder / "entries.yaml").read_text()
    days = [datetime.now(ZoneInfo("Pacific/Kiritimati")).date()]
    done = run_feeds("new", "Une: « bonne » nouvelle", cwd=folder)
    days.append(datetime.now(ZoneInfo("Pacific/Kiritimati")).date())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "entries.yaml:9: 'une-bonne-nouvelle' added; write its summary,"
        " and run: feeds check entries.yaml\n"
    )
    text = (folder / "entries.yaml").read_text()
    head, _, rest = text.partition("- id: une-bonne-nouvelle\n")
    new, _, tail = rest.partition("\n\n")
    assert f"{head}{tail}" == before
    title, date, summary = new.split("\n")
    assert title == "  title: 'Une: « bonne » nouvelle'"
    assert date in {f"  date: {day}" for day in days}
    assert summary == "  summary: FEEDS-TODO what happened, in one sentence"
    for command in (["check"], ["export", "out"], ["list"]):
        done = run_feeds(*command, cwd=folder)
        assert (done.returncode, done.stdout) == (1, "")
        problem = f"entries.yaml:12:12: entries[0].summary (une-bonne-nouvelle): {PLACEHOLDER}\n"
        assert done.stderr == f"{problem}1 problem\n"
    assert not [*folder.rglob("*.xml")]
    (folder / "entries.yaml").write_text(text.replace(summary, "  summary: Le texte."))
    assert run_feeds("check", "--strict", cwd=folder).returncode == 0


def test_with_a_summary_an_entry_is_complete(folder: Path) -> None:
    """With --summary, and a date as the catalogue has them, the result is a valid catalogue."""
    words = ("--summary", "Ce qui s’est passé : « a » # b", "--date", "3 janvier 2023")
    done = run_feeds("new", "T", *words, cwd=folder)
    assert done.stdout == "entries.yaml:9: 't' added; run: feeds check entries.yaml\n"
    assert run_feeds("check", "--strict", cwd=folder).returncode == 0
    new, old = load_catalogue(folder / "entries.yaml").entries
    assert (new.id, new.title, new.summary) == ("t", "T", words[1])
    assert new.published.date().isoformat() == "2023-01-03"
    assert old.id == "old"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("It's \"quoted\": \\ #1 {a}, 'b'", "its-quoted-1-a-b"),
        ("الحماية الاجتماعية للجميع", "الحماية-الاجتماعية-للجميع"),
        ("Party 🎉\n\tat  noon", "party-at-noon"),
        ("🎉", "2023-01-03"),
        ("w" * 300, "w" * 200),
        ("the word " * 33 + "end", "the-word-the-word-the-word-the-word"),
        ("null", "null"),
        ("- a: b", "a-b"),
    ],
)
def test_each_title_has_an_id_and_is_kept(title: str, expected: str, folder: Path) -> None:
    """Any title is written so that it is read again, with an id of its words, or else of the date."""
    done = run_feeds("new", title, "--summary", "S.", "--date", "2023-01-03", cwd=folder)
    assert done.stdout.startswith(f"entries.yaml:9: {expected!r} added"), done.stderr
    [new, _] = load_catalogue(folder / "entries.yaml").entries
    assert (new.id, new.title) == (expected, " ".join(title.split()))


@pytest.mark.parametrize("old", ["a", "w" * 200, "w" * 199 + "é", "الحماية" * 14])
def test_an_id_that_is_taken_gets_a_number(old: str) -> None:
    """The id of another entry is given with a number, also if it is as long as an id can be."""
    first = free_id(old, "", {slug(old)})
    second = free_id(old, "", {slug(old), first})
    assert (slug(first), slug(second)) == (first, second)
    assert (first[-2:], second[-2:]) == ("-2", "-3")
    assert old.startswith(first[:-2])


def test_no_id_is_used_again(folder: Path) -> None:
    """An id of an entry that was moved, retired or published is not given to another entry."""
    path = folder / "entries.yaml"
    text = path.read_text()
    given_up = "  moved: {entries/moved/: entries/old/}\n  retired: [entries/retired/]\n"
    path.write_text(text.replace("\nentries", f"{given_up}\nentries"))
    run_feeds("new", "Мир", "--summary", "S.", cwd=folder)
    assert run_feeds("export", folder / "out", cwd=folder).returncode == 0
    path.write_text(path.read_text().replace("- id: мир\n", "- id: other\n"))
    for title in ("Moved", "Retired", "Мир", "Old", "Other"):
        done = run_feeds("new", title, cwd=folder)
        assert f"'{title.lower()}-2' added" in done.stdout, done.stderr


def test_a_folder_gets_it_in_the_file_with_the_newest_entry(tmp_path: Path) -> None:
    """In a folder of files, the entry is added beside the newest one, in the manner of that file."""
    files = {
        "a.yaml": f"entries:\n{OLD}",
        "b.yml": "entries: []\n",
        "c.yaml": "# c\nentries:\n  # new\n  - {id: x, title: X, date: 2023-01-01, link: 'https://e.org/'}\n",
        "site.yaml": HEAD,
    }
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = run_feeds("new", "T", "--date", "2023-02-01", "--catalogue", ".", cwd=tmp_path)
    assert done.stdout == "c.yaml:3: 't' added; write its summary, and run: feeds check .\n"
    new = (
        b"  - id: t\r\n    title: T\r\n    date: 2023-02-01\r\n"
        b"    summary: FEEDS-TODO what happened, in one sentence\r\n\r\n"
    )
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    at = after["c.yaml"].index(new)
    assert at == before["c.yaml"].index(b"  # new")
    assert after | {"c.yaml": after["c.yaml"].replace(new, b"")} == before
    # Without any entry, it is the file with the section.
    (tmp_path / "a.yaml").unlink()
    (tmp_path / "c.yaml").unlink()
    done = run_feeds("new", "T", "--catalogue", ".", cwd=tmp_path)
    assert done.stdout.startswith("b.yml:2: 't' added")


def test_the_shipped_catalogue_keeps_its_text(tmp_path: Path) -> None:
    """All comments, lines and quotes of the shipped catalogue stay."""
    path = tmp_path / "entries.yaml"
    path.write_bytes(SHIPPED.read_bytes())
    for title in ("One", "Two"):
        # A placeholder above does not prevent the next entry.
        assert run_feeds("new", title, cwd=tmp_path).returncode == 0
    lines = path.read_text().splitlines()
    begin = lines.index("- id: two")
    assert lines[begin + 5] == "- id: one"
    assert "\n".join([*lines[:begin], *lines[begin + 10 :], ""]) == SHIPPED.read_text()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["A", "title"], 2, "put the title in quotes; name the catalogue with --catalogue"),
        (["A title", "entries.yaml"], 2, "put the title in quotes; name the catalogue with"),
        (["entries.yaml"], 2, "put the title in quotes; name the catalogue with --catalogue"),
        ([], 2, "required: TITLE"),
        ([""], 2, "TITLE: is empty"),
        ([" \n"], 2, "TITLE: is empty"),
        (["\u200b"], 2, "TITLE: has no visible content"),
        (["a\x1bb"], 2, "TITLE: the control character U+001B cannot be published"),
        (["a\udcff"], 2, "TITLE: the control character U+DCFF cannot be published"),
        (["T", "--summary", ""], 2, "--summary: is empty"),
        (["T", "--date", "May 2022"], 2, "--date: a date needs a day, a month and a year"),
        (["T", "--date", "2022-02-30"], 2, "--date: "),
        (["T", "--url", "nowhere"], 2, "the URL 'nowhere' is not a web address"),
        (["T", "--catalogue", "none.yaml"], 1, "none.yaml: No such file or directory"),
        (["T", "none.yaml", "--catalogue", "none.yaml"], 2, "put the title in quotes"),
    ],
)
def test_a_mistake_changes_nothing(words: list[str], code: int, said: str, folder: Path) -> None:
    """A mistake in the arguments is reported with exit code 2, and nothing is written."""
    before = (folder / "entries.yaml").read_bytes()
    done = run_feeds("new", *words, cwd=folder)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"entries.yaml": before}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("date: 2022-05-24", "date: May 2022", "entries.yaml:11:9: entries[0].date (old): a date"),
        (
            f"entries:\n{OLD}",
            "entries: [{id: a, title: T, date: 2022-05-24, summary: s}]\n",
            ":8:10: ",
        ),
        ("title: Old", "title: 'Old", "entries.yaml:"),
    ],
)
def test_a_catalogue_that_is_not_valid_is_left_as_it_is(
    old: str, new: str, said: str, folder: Path
) -> None:
    """The problems of a catalogue are reported with their lines, and nothing is written."""
    path = folder / "entries.yaml"
    path.write_text(path.read_text().replace(old, new))
    before = path.read_bytes()
    done = run_feeds("new", "T", cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == before


def test_what_the_reader_notes_is_printed(folder: Path) -> None:
    """A note on the new entry is printed when it is added."""
    done = run_feeds("new", "A <b>bold</b> title", "--summary", "S.", cwd=folder)
    assert done.returncode == 0
    assert "entries.yaml:10:10: note: entries[0].title (a-b-bold-b-title): HTML" in done.stderr


def test_the_file_keeps_its_mode_and_its_link(folder: Path) -> None:
    """A linked file is replaced where it is, and keeps its mode; no other file is left."""
    real = folder / "real"
    real.mkdir()
    path = folder / "entries.yaml"
    path.rename(real / "news.yaml")
    path.symlink_to("real/news.yaml")
    (real / "news.yaml").chmod(0o640)
    assert run_feeds("new", "T", cwd=folder).returncode == 0
    assert path.readlink() == Path("real/news.yaml")
    assert [file.name for file in real.iterdir()] == ["news.yaml"]
    assert (real / "news.yaml").stat().st_mode & 0o777 == 0o640
    assert "- id: t\n" in path.read_text()


def test_a_change_by_another_program_is_kept(tmp_path: Path) -> None:
    """A file that was changed after it was read is not replaced."""
    path = tmp_path / "f"
    path.write_bytes(b"new")
    with pytest.raises(FeedsError, match="was changed meanwhile, and is left as it is"):
        rewrite_file(path, b"mine", expected=b"old")
    assert path.read_bytes() == b"new"
    rewrite_file(path, b"mine", expected=b"new")
    assert path.read_bytes() == b"mine"


def test_a_file_that_cannot_be_written_stays(folder: Path) -> None:
    """If the new text cannot be written, the file stays as it is, and nothing is beside it."""
    before = (folder / "entries.yaml").read_bytes()
    command = f"ulimit -f 0; exec {sys.executable} -m feeds new T"
    done = run("sh", "-c", command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stderr) == (1, "feeds: entries.yaml: File too large\n")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"entries.yaml": before}
