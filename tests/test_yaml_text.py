"""What is written as YAML is read as the same texts, and what is inserted changes nothing else."""

from typing import Any

import pytest
import yaml
from conftest import SHIPPED
from hypothesis import example, given
from hypothesis import strategies as st
from yaml.nodes import MappingNode, Node, SequenceNode

from feeds import CatalogueError, FeedsError
from feeds.catalogue import read_catalogue
from feeds.catalogue.plain_lines import Unsupported, plain_lines
from feeds.catalogue.source import compose_part
from feeds.catalogue.yaml_text import catalogue_text, entry_text, with_entries, with_pairs

SITE = {"title": "T", "url": "https://news.example.org/", "id": "tag:news.example.org,2021:t"}
NEW = {"id": "new", "title": "New: one", "body": "a\n\n  b\nc"}

# Whatever means something to YAML, or to those who look for mistakes in it.
SIGNS = [
    *": # - ? , [ ] { } & * ! | > ' \" % @ ` ~ \\ = << --- ... null Null yes 012 1.10 2022-01-31".split(),
    *(
        "a",
        "b c",
        "word",
        "- ",
        ": ",
        " #",
        "# ",
        "? ",
        "\n",
        "\n\n",
        " ",
        "  ",
        "\t",
        "\n ",
        " \n",
    ),
    *("link: x", "\nlink: x", "date:", "\\n", "\\ud83d\\ude00", "😀", "\ue83d\uec00", "الحماية"),
    *("\r", "\r\n", "\x85", "\u2028", "\ufeff", "\xa0", "\u200b", "\x00", "\x1b", "\x7f", "\uffff"),
]
words = st.lists(st.sampled_from(SIGNS), max_size=12).map("".join)
# Long enough to be folded.
lines = st.lists(st.sampled_from([*SIGNS, "word", "word", "word"]), min_size=20).map(" ".join)
texts = words | lines | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def load(text: str) -> Any:
    """Return what a YAML text says, with all scalars as texts."""
    return yaml.CBaseLoader(text).get_single_data()


def values(node: Node | None) -> Any:
    """Return what a node of our own reader says."""
    if isinstance(node, MappingNode):
        return {key.value: values(value) for key, value in node.value}
    return [*map(values, node.value)] if isinstance(node, SequenceNode) else node and node.value


def read_item(text: str) -> Any:
    """Return an item as our own reader reads it, after PyYAML has read the same."""
    [item] = load(text)
    assert yaml.BaseLoader(text).get_single_data() == [item]
    assert values(compose_part(text)) == [item]
    try:
        plain = plain_lines(text.encode(), 2)
    except Unsupported:
        return item
    assert plain == {
        key: tuple(value) if isinstance(value, list) else value for key, value in item.items()
    }
    return item


@given(text=texts)
@example(text="word " * 40)
@example(text=("word " * 40).strip())
@example(text="  first line\nsecond")
@example(text="\tfirst line\nsecond")
@example(text="\n  first line\nsecond")
@example(text="line\n   \n")
@example(text="line\nlink: x")
def test_a_text_is_read_as_it_was(text: str) -> None:
    """Each text is the same after writing and reading, wherever it is in an entry."""
    fields = {
        "id": "a",
        "title": text,
        "body": f"{text}\n{text}",
        "topics": [text, "x", text],
        "photo": {"credit": text, "alt": text},
        "link": text,
    }
    assert read_item(entry_text(fields)) == fields
    pairs = {"topics": {text: text, "slug": {"name": text}}}
    found = load(catalogue_text(pairs, [fields, fields]))
    assert found == {**pairs, "entries": [fields, fields]}


@given(text=texts)
@example(text="link: x")
@example(text="x " * 39 + "link: x " * 10)
def test_a_text_is_read_without_a_note_on_how_it_is_written(text: str) -> None:
    """What is written in a catalogue gets no note about comments, keys or lines in its texts."""
    fields = {"id": "a", "title": text, "date": "2022-01-31", "summary": text, "body": f"x\n{text}"}
    data = catalogue_text({"site": SITE | {"description": text}}, [fields]).encode()
    try:
        problems = read_catalogue([("f", data)]).notes
    except CatalogueError as error:
        problems = error.problems
    said = " ".join(problem.message for problem in problems)
    assert not any(
        words in said for words in ("YAML", "comment", "part of this", "continues", "quote")
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("A title – in “quotes”", "A title – in “quotes”"),
        ("2022-05-24", "2022-05-24"),
        ("NO", "NO"),
        ("null", "'null'"),
        ("", "''"),
        ("Armenia: it's", '"Armenia: it\'s"'),
        ("Issue #5", "'Issue #5'"),
        ("one\ntwo\n", "|\n    one\n    two"),
        ("one\ntwo", "|-\n    one\n    two"),
        (" one\ntwo", "|2-\n     one\n    two"),
        ("one\n\n", r'"one\n\n"'),
        ("one\r\ntwo", r'"one\r\ntwo"'),
        ("one\nlink: two", r'"one\nlink: two"'),
        (True, "true"),
        (12, "12"),
        (["a", "b c", "d, e"], "[a, b c, 'd, e']"),
        ([], "[]"),
        (["a" * 60, "b" * 60], f"\n    - {'a' * 60}\n    - {'b' * 60}"),
        ({"credit": "© A & B", "url": "media/a.jpg"}, "{credit: © A & B, url: media/a.jpg}"),
        ({"url": "u" * 60, "alt": "b" * 60}, f"\n    url: {'u' * 60}\n    alt: {'b' * 60}"),
        ({"feed/": "rss.xml"}, "\n    feed/: rss.xml"),
        ("word " * 30 + "end", f">-\n    {'word ' * 16}word\n    {'word ' * 13}end"),
    ],
)
def test_values_are_written_as_editors_write_them(value: object, written: str) -> None:
    """Quotes, blocks and brackets are used only where editors would use them."""
    space = "" if written.startswith("\n") else " "
    assert entry_text({"id": "a", "x": value}) == f"- id: a\n  x:{space}{written}\n"


ITEM = "- id: new\n  title: 'New: one'\n  body: |-\n    a\n\n      b\n    c\n"
INDENTED = "  - id: new\n    title: 'New: one'\n    body: |-\n      a\n\n        b\n      c\n"
# Each file, with what is to be inserted between the arrows.
WITH_ENTRY = {
    "empty lines": f"# head\nentries: # c\n→{ITEM}\n←- id: a # d\n  title: A\n\n- id: b\n\n\n",
    "no empty lines": f"entries:\n→{ITEM}←- id: a\n- id: b\ntopics: {{}}\n",
    "one entry": f"entries:\n→{ITEM}\n←- id: a",
    "its comment": f"entries:\n# about all\n\n→{ITEM}\n←# about a\n# - id: z\n- id: a\n",
    "other comment": f"entries:\n# about all\n→{INDENTED}\n←  - id: a\n",
    "comment above the second": f"entries:\n→{ITEM}\n←- id: a\n\n# about b\n- id: b\n",
    "indented": f"site: {{}}\nentries:\n\n→{INDENTED}\n←  - id: a\n    x: y\n",
    "in brackets": f"entries:\n→{ITEM}←- {{id: a}}\n- {{id: b}}\n",
    "mark and line ends": f"\ufeffentries:\n→{ITEM}\n←- id: a\n  body: |\n    x\n\n  # y\n".replace(
        "\n", "\r\n"
    ),
    "signs of a document": f"%YAML 1.1\n---\nentries:\n→{ITEM}\n←- id: a\n...\n",
    "quotes and spaces": f"'entries':\n→{ITEM}\n←-   id: a\n",
    "nothing": f"site: {{}}\nentries: # none\n→{ITEM}←topics: {{}}\n",
    "nothing at the end": f"entries:→\n{ITEM}←",
    "no section": f"site: {{}} # c\n→\nentries:\n{ITEM}←",
    "no line": f"→entries:\n{ITEM}←",
}
WITH_PAIRS = {
    "at the end": "topics:\n  a: A # c\n→  b: B: 2\n  c: {name: C}\n←\n  # end\nentries: []\n",
    "below a block": "topics:\n    a:\n      name: >\n        x\n        y\n→    b: B: 2\n    c: {name: C}\n←\n",
    "in brackets": "topics: {a: A→, b: B: 2, c: {name: C}←}\n",
    "in empty brackets": "topics: {→b: B: 2, c: {name: C}←}\n",
    "nothing": "topics: # c\n→  b: B: 2\n  c: {name: C}\n←site: {}\n",
    "missing": "site: {}\n\n→topics:\n  b: B: 2\n  c: {name: C}\n\n←# all\nentries: []\n",
    "missing at the end": "site: {}→\n\ntopics:\n  b: B: 2\n  c: {name: C}\n←",
}
for _name, _text in WITH_PAIRS.items():
    WITH_PAIRS[_name] = _text.replace("B: 2", "'B: 2'")


def without_new(text: str) -> str:
    """Return the text of a file before the insertion."""
    before, _, rest = text.partition("→")
    return before + rest.partition("←")[2]


@pytest.mark.parametrize("text", WITH_ENTRY.values(), ids=WITH_ENTRY)
def test_an_entry_is_inserted_above_the_others(text: str) -> None:
    """An entry is inserted above the first one and its comments, in the manner of the file."""
    assert with_entries(without_new(text), [NEW], file="f") == text.replace("→", "").replace(
        "←", ""
    )


@pytest.mark.parametrize("text", WITH_PAIRS.values(), ids=WITH_PAIRS)
def test_pairs_are_inserted_at_the_end_of_a_section(text: str) -> None:
    """Pairs are inserted below the last one of the section, in the manner of the file."""
    pairs = {"b": "B: 2", "c": {"name": "C"}}
    new = with_pairs(without_new(text), "topics", pairs, file="f")
    assert new == text.replace("→", "").replace("←", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "site:\n  title: T\nentries: []\n",
            "site:\n  title: T\n  moved:\n    a/: b/\nentries: []\n",
        ),
        ("site:\n  moved:\n   x: y\n  id: t\n", "site:\n  moved:\n   x: y\n   a/: b/\n  id: t\n"),
        ("site:\n  moved:\n  id: t\n", "site:\n  moved:\n    a/: b/\n  id: t\n"),
        ("site: {title: T}\n", "site: {title: T, moved: {a/: b/}}\n"),
        ("entries: []\n", "site:\n  moved:\n    a/: b/\n\nentries: []\n"),
    ],
)
def test_pairs_are_inserted_in_a_mapping_within_a_section(text: str, expected: str) -> None:
    """A mapping within a section gets more pairs, or is created."""
    assert with_pairs(text, "moved", {"a/": "b/"}, "site", file="f") == expected


def test_several_entries_keep_their_order() -> None:
    """The first of several entries is at the top, and there are empty lines where the file has them."""
    new = with_entries("entries:\n- id: x\n\n- id: y\n", [{"id": "a"}, {"id": "b"}], file="f")
    assert new == "entries:\n- id: a\n\n- id: b\n\n- id: x\n\n- id: y\n"
    new = with_entries("entries: [\n] # none", [{"id": "a"}, {"id": "b"}], file="f")
    assert new == "entries: # none\n- id: a\n\n- id: b\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("entries: [{id: a}]\n", "f:1:10: entries: must have a line for each entry"),
        ("entries: {id: a}\n", "f:1:10: entries: must have a line for each entry"),
        ("entries: no\n", "f:1:10: entries: must have a line for each entry"),
        ("{entries: []}\n", "f:1:1: the file has no line for each section"),
        ("- id: a\n", "f:1:1: the file has no line for each section"),
        ("entries:\n- [\n", "f:3:1: is not YAML"),
        ("? entries\n: - id: a\n", "f: what is inserted would change what the file says"),
    ],
)
def test_a_file_in_another_form_is_refused(text: str, message: str) -> None:
    """If nothing can be inserted in a file, a message says where and why."""
    with pytest.raises(FeedsError) as raised:
        with_entries(text, [NEW], file="f")
    assert str(raised.value).startswith(message)


def test_a_text_that_would_change_is_refused() -> None:
    """A pair is not inserted below a text that keeps the empty lines below it."""
    with pytest.raises(FeedsError, match="insert it by hand"):
        with_pairs("topics:\n  a: |+\n    A\n\n", "topics", {"b": "B"}, file="f")
    with pytest.raises(CatalogueError, match=r"f:1:9: topics: must have a line for each key"):
        with_pairs("topics: [a]\n", "topics", {"b": "B"}, file="f")


def test_the_shipped_catalogue_keeps_every_byte() -> None:
    """All that is inserted into the shipped catalogue can be cut out again."""
    text = SHIPPED.read_text("utf-8")
    new = with_entries(text, [NEW, {"id": "b"}], file="f")
    new = with_pairs(new, "topics", {"new": "New"}, file="f")
    new = with_pairs(new, "moved", {"feed/": "rss.xml"}, "site", file="f")
    for inserted in (f"{ITEM}\n- id: b\n\n", "  new: New\n", "  moved:\n    feed/: rss.xml\n"):
        assert new.count(inserted) == 1
        new = new.replace(inserted, "")
    assert new == text
