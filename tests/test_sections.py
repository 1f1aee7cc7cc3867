"""A file that is split at its items has the same result as one that is composed as a whole."""

import random
import re
from pathlib import Path

import pytest
from conftest import CATALOGUES, MEDIA, ROOT, SHIPPED
from hypothesis import given
from hypothesis import strategies as st

from feeds import CatalogueError
from feeds.catalogue import ItemMemory, read_catalogue

HEAD = """site:
  title: T
  url: https://news.example.org/
  id: tag:news.example.org,2021:t
"""
ITEM = "- id: {id}\n  title: A title\n  date: 2022-05-24T09:00Z\n  summary: S.\n"
TWO = HEAD + "entries:\n" + ITEM.format(id="a") + ITEM.format(id="b")
SOURCES = [
    source
    for source in sorted(
        [*CATALOGUES.glob("*.yaml"), *(ROOT / "tests" / "cases").iterdir(), SHIPPED]
    )
    if b"\nentries:\n" in source.read_bytes()
]


def said(text: str) -> object:
    """Return the result of reading: the catalogue and its notes, or the Problems."""
    try:
        found = read_catalogue([("f.yaml", text.encode("utf-8", "surrogatepass"))], media=MEDIA)
    except CatalogueError as error:
        return [str(problem) for problem in error.problems]
    return found, found.notes


def said_as_a_whole(text: str) -> object:
    """Return the same for a file that is not split because of a quoted key."""
    whole = re.sub(r"(?m)^entries:", '"entries":', text, count=1)
    return said(whole)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_each_case_is_the_same_split_or_whole(source: Path) -> None:
    """Each case and catalogue has the same result, split or whole."""
    text = source.read_bytes().decode(errors="replace")
    assert said(text) == said_as_a_whole(text)


@pytest.mark.parametrize(
    "text",
    [
        TWO.replace("S.\n- id: b", 'S.\n  body: "one\n- two"\n- id: b'),
        TWO.replace("S.\n- id: b", "S.\n  body: |\n    - one\n    - two\n- id: b"),
        TWO.replace("S.\n- id: b", "S.\n  topics: [one,\n- two]\n- id: b"),
        TWO.replace("S.\n- id: b", "S.\n# - no item\n\n-\n  id: b"),
        TWO.replace("- id: b", "- - id: b"),
        TWO.replace("- id: b", "- text\n- id: b"),
        TWO.replace("- id: b", "-\n- id: b"),
        TWO.replace("- id: b", "---\n- id: b"),
        TWO.replace("- id: b", "...\n- id: b"),
        TWO.replace("- id: b", "- &x id: b"),
        TWO.replace("- id: b", "- *x\n- id: b"),
        TWO.replace("- id: b", "- !x\n  id: b"),
        TWO.replace("- id: b", "-\tid: b"),
        TWO.replace("\n", "\r\n"),
        TWO.replace("\n", "\r"),
        TWO.replace("S.\n- id: b", "S.\x85- id: b"),
        TWO.replace("S.\n- id: b", "S.\u2028- id: b"),
        "---\n" + TWO,
        "%YAML 1.1\n---\n" + TWO,
        "\ufeff" + TWO,
        TWO + "topics:\n  x: X\n",
        TWO + "topics:\n- x\n- y\n",
        TWO + "entries:\n" + ITEM.format(id="c"),
        TWO + "other: x\n",
        TWO + "...\n",
        TWO + "--- \n",
        TWO.replace("\n- ", "\n  - ").replace("\n  title", "\n    title"),
        "entries:\n" + ITEM.format(id="a") + HEAD,
        "entries:\n" + ITEM.format(id="a") + HEAD + "  retired:\n  - x/\n",
        "entries: # all of them\n\n# one\n" + ITEM.format(id="a") + HEAD,
        TWO.replace("entries:\n", "entries:\n\t\n"),
        TWO.replace("entries:\n", "entries:\t\n"),
        TWO.replace("entries:\n", "entries: #x\n \t# y\n"),
        TWO.replace("entries:\n", "entries:#x\n"),
        TWO.replace(
            "entries:\n", "entries:\n# x\u2028- {id: h, title: T, date: 2022-01-01, summary: s}\n"
        ),
        TWO.replace(
            "entries:\n", "entries:\n# x\r- {id: h, title: T, date: 2022-01-01, summary: s}\n"
        ),
        TWO.replace("entries:\n", "entries:\n# \x07\n"),
        TWO.replace("entries:\n", "entries:\n# caf\u00e9 – \U0001f600\n"),
        TWO.replace("site:", " site:").replace("\n  ", "\n   ", 3),
        '{"site": {title: T, url: "https://n.example/", id: "tag:n.example,2021:t"}}\nentries:\n'
        + ITEM.format(id="a"),
        TWO.removeprefix("site:\n"),
        TWO.removesuffix("\n"),
        TWO.removesuffix("- id: b\n  title: A title\n  date: 2022-05-24T09:00Z\n  summary: S.\n")
        + "- title: A title\n  date: 2022-05-24T09:00Z\n  summary: S.\n  id: |\n    b",
        TWO + "  link: |\n    https://e.org/x",
        TWO + "  countries: [Indonesai]\n" + ITEM.format(id="c") + "  titel: x\n",
        TWO.replace("summary: S.", "summary: " + "[" * 14 + "x" + "]" * 14, 1),
        TWO.replace("summary: S.", "summary: " + "[" * 13 + "x" + "]" * 13, 1),
        TWO.replace("summary: S.", "summary:" + "".join(f"\r{' ' * n}a:" for n in range(3, 40)), 1),
        TWO.replace("title: A title\n", 'title: "A\\u0000 title"\n', 1),
        TWO.replace("S.\n- id: b", "S. #5\n- id: b"),
        HEAD + "entries:\n" + ITEM.format(id="a") + ITEM.format(id="A"),
        HEAD + "entries:\n- " + "[" * 40 + "]" * 40 + "\n" + ITEM.format(id="a"),
    ],
)
def test_odd_files_read_the_same(text: str) -> None:
    """A line that only seems to begin an item does not split it."""
    assert said(text) == said_as_a_whole(text)


@pytest.mark.parametrize(
    "around", ["a{}b", "'a{}b'", '"a{}b"', "a # {}", "|\n    a{}b", "a\n# {}", "a\n{}"]
)
def test_no_part_has_characters_that_cannot_be_published(around: str) -> None:
    """Each raw character that cannot be published is refused, anywhere in the file."""
    # XML 1.0 (§2.2) does not allow them, and the C1 controls are wrongly decoded Windows-1252.
    controls = [*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0x85), *range(0x86, 0xA0)]
    for number in (*controls, 0xFFFE, 0xFFFF):
        item = ITEM.format(id="a").replace("S.", around.format(chr(number)))
        problems = str(said(f"{HEAD}entries:\n{item}{ITEM.format(id='b')}"))
        assert f"the control character U+{number:04X} cannot be published" in problems


def test_a_key_that_only_yaml_sees_is_a_key() -> None:
    """A section after a line end that only YAML sees is not part of a comment."""
    text = TWO.replace("entries:\n", "entries: # x\x85topics:\n")
    assert "entries: is empty; a catalogue without entries" in str(said(text))


def test_proposals_are_as_many_split_or_whole() -> None:
    """Reading an item only to check it uses up no suggestion."""
    text = HEAD + "entries:\n"
    text += "".join(
        ITEM.format(id=f"n{n}") + f"  countries: [Indonesia{chr(0x100 + n)}]\n" for n in range(60)
    )
    assert said(text) == said_as_a_whole(text)
    assert str(said(text)).count("did you mean Indonesia") == 60


def test_each_file_reports_its_own_mistake() -> None:
    """Each of several files that are not YAML is reported, whether it could be split or not."""
    broken = "entries:\n- id: x\n  title: a: b\n"
    files = [("a", TWO + "- id: x\n  title: a: b\n"), ("b", broken), ("c", "foo: [\n")]
    with pytest.raises(CatalogueError) as raised:
        read_catalogue([(name, text.encode()) for name, text in files])
    assert [problem.file for problem in raised.value.problems] == ["a", "b", "c"]


def test_an_item_is_remembered_with_its_indentation() -> None:
    """The same words with another indentation are read again."""
    memory = ItemMemory()
    items = (ITEM.format(id="a") + ITEM.format(id="b")).replace("\n", "\n  ").rstrip()
    text = f"{HEAD}entries:\n  {items}\n"
    read_catalogue([("f", text.encode())], memory=memory)
    for dash in ("- ", "   - "):
        with pytest.raises(CatalogueError):
            read_catalogue([("f", text.replace("  - ", dash).encode())], memory=memory)


PIECES = [
    *(
        "- ",
        "\n- ",
        "\n  - ",
        '"',
        "'",
        "|\n",
        ">-\n",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "!x ",
        "# ",
    ),
    *(
        "---\n",
        "\n...\n",
        "\nentries:\n",
        "\nsite:\n",
        "\r",
        "\x85",
        "\u2028",
        "\t",
        ": ",
        "? ",
        "\\",
    ),
    *("\n    - x", "\n" + " " * 20, "😀", "الحماية", ITEM.format(id="z"), "\n", "\n\n"),
]


@given(seed=st.integers(0, 2**32))
def test_random_files_read_the_same(seed: int) -> None:
    """A randomly changed catalogue has the same result, split or whole."""
    chance = random.Random(seed)  # noqa: S311  # reproducible, not secret
    text = chance.choice([TWO, TWO + "topics:\n  x: X\n", SHIPPED.read_text()[-2500:]])
    text = text if text.startswith("site") else HEAD + "entries:\n- id: q\n" + text
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(text.index("\nentries:") + 13, len(text) + 1)
        text = text[:at] + chance.choice(PIECES) + text[at + chance.choice([0, 0, 1, 4]) :]
    # Quotes around the key itself move the rest of the line.
    if text.count("entries:") == 1:
        assert said(text) == said_as_a_whole(text)


def test_lines_are_right_for_late_items() -> None:
    """A Problem in an item after multi-byte characters has the right line and column."""
    text = TWO.replace("A title", "Ein Titel – 😀", 1) + ITEM.format(id="c").replace("2022", "1")
    assert said(text) == [
        "f.yaml:16:9: entries[2].date (c): write the year with four digits; 24 is ambiguous"
    ]
