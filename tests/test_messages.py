"""No message controls a terminal or breaks its line, with any names and texts in it."""

import unicodedata
from pathlib import Path

import pytest
from conftest import run_feeds
from hypothesis import given
from hypothesis import strategies as st

from feeds import CatalogueError, FeedsError, Problem
from feeds.catalogue import read_catalogue

# ESC, CSI, line ends of every kind, bidirectional overrides and isolates, invisible
# characters, a byte order mark, a tag, and a byte that is not UTF-8.
HOSTILE = "\x1b[2J\x9b\r\n\x85\u2028\u2029\u202e\u2066\u061c\u200b\ufeff\U000e0041\x7f\t\udcff"
SIGNS = [sign for sign in HOSTILE if sign not in "[2J"]
CATALOGUE = """
site: {title: T, url: "https://news.example.org/", id: "tag:news.example.org,2021:t"}
entries:
- {id: a, title: A, date: 2022-05-24, summary: S}
"""
# Each is a catalogue with a mistake at a text, given in double quotes.
PLACES = {
    "unknown section": "TEXT: x\n" + CATALOGUE,
    "unknown key": CATALOGUE.replace("summary: S", "TEXT: S"),
    "key near another": CATALOGUE.replace("summary: S", "summary: S, 'bo dy': x, TEXT: S"),
    "id": CATALOGUE.replace("id: a", "id: TEXT"),
    "date": CATALOGUE.replace("2022-05-24", "TEXT"),
    "link": CATALOGUE.replace("summary: S", "summary: S, link: TEXT"),
    "topic": CATALOGUE.replace("entries:", "topics: {x: X}\nentries:").replace(
        "summary: S", "summary: S, topics: [TEXT]"
    ),
    "topic's slug": CATALOGUE.replace("entries:", "topics: {TEXT: X}\nentries:"),
    "country": CATALOGUE.replace("summary: S", "summary: S, countries: [TEXT]"),
    "photo": CATALOGUE.replace("summary: S", "summary: S, photo: {url: TEXT}"),
    "time zone": CATALOGUE.replace("title: T,", "title: T, timezone: TEXT,"),
    "language": CATALOGUE.replace("title: T,", "title: T, language: TEXT,"),
    "url": CATALOGUE.replace("https://news.example.org/", "https://TEXT/").replace(
        '"TEXT"', "TEXT"
    ),
    "moved": CATALOGUE.replace("title: T,", "title: T, moved: {TEXT: TEXT},"),
    "anchor": CATALOGUE + "- &a {id: TEXT}\n",
    "broken": CATALOGUE + "- [TEXT\n",
}


def acts(text: str) -> bool:
    """Return whether a text has a character that is not shown as itself, or ends a line."""
    return any(unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for sign in text)


@given(st.text(), st.text(), st.text())
def test_no_problem_and_no_error_acts_on_a_terminal(name: str, path: str, message: str) -> None:
    """A Problem and an error are one line each, and harmless characters stay unchanged."""
    problem = Problem(name + HOSTILE, 1, 2, path, message, entry=name)
    error = CatalogueError([problem, problem])
    assert not acts(str(problem))
    assert str(error).split("\n") == [str(problem)] * 2
    assert not acts(str(FeedsError(message + HOSTILE)))
    assert str(FeedsError(str(problem))) == str(problem)


@pytest.mark.parametrize(
    "text", ["قصة", "«\u202fMoi\u202f»", "a\u00a0b", "हिन्दी", "日本語", "é", "𝕏", ""]
)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    """Letters of any script, their marks, and spaces of any width are shown."""
    assert str(FeedsError(text)) == text


@pytest.mark.parametrize("sign", SIGNS, ids=ascii)
def test_each_kind_is_escaped_as_python_writes_it(sign: str) -> None:
    """Each kind of control character is escaped as Python writes it."""
    assert str(FeedsError(f"a{sign}b")) == f"a{sign.encode('unicode_escape').decode()}b"


@pytest.mark.parametrize("place", PLACES)
def test_no_text_of_a_catalogue_acts_on_a_terminal(place: str) -> None:
    """A control character in any key or value, raw or as a YAML escape, is escaped in messages."""
    hidden = ascii(HOSTILE.replace("\udcff", ""))[1:-1]
    raw = HOSTILE.replace("\udcff", "")
    for text in (f'"{hidden}"', f'"a{hidden}"', f'"{raw}"', f"'{raw}'", raw, f"x{raw}"):
        data = PLACES[place].replace("TEXT", text).encode()
        with pytest.raises(CatalogueError) as refused:
            read_catalogue([(f"f{HOSTILE}.yaml", data)])
        assert not any(acts(line) for line in str(refused.value).split("\n"))


NAME = HOSTILE.replace("\udcff", "")


@pytest.mark.parametrize(
    "words",
    [
        ["check", "{name}.yaml"],
        ["check", "--catalogue", "nowhere-{name}.yaml"],
        ["check", "nowhere/{name}"],
        ["list", "{name}.yaml"],
        ["check", "good-{name}.yaml", "--state", "{name}"],
        ["list", "good-{name}.yaml"],
        ["export", "{name}.yaml"],
        ["export", "out", "{name}.yaml"],
        ["export", "out", "--catalogue", "{name}.yaml"],
        ["export", "out", "--catalogue", "good-{name}.yaml", "--state", "good-{name}.yaml"],
        ["export", "good-{name}.yaml/x", "--catalogue", "good-{name}.yaml"],
        ["export", "out", "--catalogue", "good-{name}.yaml", "--url", "{name}"],
        ["export", "out", "--catalogue", "good-{name}.yaml", "--purge", "{name}"],
        ["export", "out", "--host", "{name}"],
        ["export", "s3://{name}"],
        ["publish", "{name}"],
        ["publish", "s3://{name}/x", "--url", "{name}"],
        ["serve", "{name}.yaml"],
        ["serve", "--host", "{name}", "good-{name}.yaml"],
        ["serve", "--port", "{name}"],
        ["ping", "--wait", "{name}"],
        ["ping", "{name}.yaml"],
        ["{name}"],
        ["check", "--{name}"],
        ["check", "a", "{name}"],
    ],
    ids=" ".join,
)
def test_no_name_on_the_command_line_acts_on_a_terminal(words: list[str], tmp_path: Path) -> None:
    """Messages on the command line are complete lines without invisible characters."""
    (tmp_path / f"{NAME}.yaml").write_text("entries: [\n")
    (tmp_path / f"good-{NAME}.yaml").write_text(CATALOGUE)
    done = run_feeds(*(word.replace("{name}", NAME) for word in words), cwd=tmp_path)
    assert "Traceback" not in done.stderr
    for line in (done.stdout + done.stderr).split("\n"):
        assert not acts(line), ascii(line)
