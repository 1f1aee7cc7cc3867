"""Values read from plain lines are those that the YAML parser returns."""

import random
import re
from pathlib import Path

import pytest
import yaml
from conftest import CATALOGUES, ROOT, SHIPPED, guarded
from hypothesis import example, given, settings
from hypothesis import strategies as st
from yaml.nodes import MappingNode, Node, ScalarNode

from feeds.catalogue.plain_lines import Unsupported, Value, plain_lines

PLAIN = {
    "texts": "id: a\n  title: A title – in “quotes” – a:b a#b 5% it's (so) ~\n",
    "spaces": "id:   a\n  title: A title  \n",
    "empty lines": "id: a\n\n  title: A title\n\n\n",
    "double quotes": "title: \"A title: #1, 'so'\"\n",
    "single quotes": "title: 'It''s: a \"title\"'\n  id: ''''\n",
    "French": "title: Qui\u00a0? «\u202fMoi\u202f»\n",
    "lists": "topics: [ a, b c , 'd, [e]: #f?',\"g\",h:i ]\n  countries: []\n",
    "comma at the end": "topics: [a, b,]\n  photo: {url: a, }\n",
    "list below": "topics:\n    - a\n    -  'b'\n\n    - c d\n  id: a\n",
    "list under its key": "topics:\n  - a\n  - b\n  id: a\n",
    "mapping": "photo: {url: https://e.org/a.jpg, credit: © A,alt: 'B, c'}\n  author: {}\n",
    "mapping below": "photo:\n    url: https://e.org/a.jpg?b\n    alt: A B\n  id: a\n",
    "literal": "body: |\n    # A\n\n      b\n    - c: d #e\n\n  id: a\n",
    "literal to its last letter": "body: |-\n    A\n\n    b\n\n",
    "folded": "summary: >\n    One\n    two \n    three.\n  id: a\n",
    "folded to its last letter": "summary: >-\n      One\n      # two.\n",
}
# To the parser, each is something else than it seems, or a mistake.
ELSE = [
    "title: a: b\n",
    "title: a #b\n",
    "title: a:\n",
    "title: a\n    b\n",
    "title: a\n\n    b: c\n",
    "title: a\n b: c\n",
    "title: a\n  title: b\n",
    "title: 'a\n",
    "title: 'a' b\n",
    "title: 'a'b'\n",
    'title: "a\\n"\n',
    'title: "a" #b\n',
    "title: a",
    "title:\n",
    "title: \n  id: a\n",
    "title:a\n",
    "title : a\n",
    "title: ''\n",
    'title: "\u00a0"\n',
    "title: |\n",
    "title: |\n    \u00a0\n",
    "title: | #a\n    b\n",
    "title: |2\n    b\n",
    "title: |+\n    b\n\n",
    "title: |\n\n    b\n",
    "title: |\n     b\n    c\n",
    "title: |\n    b\n     \n",
    "title: |\n  - b\n",
    "title: >\n    a\n\n    b\n",
    "title: >\n    a\n     b\n",
    "title: - a\n",
    "title: ? a\n",
    "title: @a\n",
    "title: &a b\n",
    "title: *a\n",
    "title: !a b\n",
    "title: %a\n",
    "title: a\tb\n",
    "title: a\r\n  id: b\r\n",
    "title: a\u2028  id: b\n",
    "title: a\x85  id: b\n",
    "title: \ufeffa\n",
    "title: a\x07\n",
    "? a\n  : b\n",
    "'title': a\n",
    "topics: [a\n",
    "topics: [a]b\n",
    "topics: [a, , b]\n",
    "topics: [a: b]\n",
    "topics: [a:, b]\n",
    "topics: [a #b]\n",
    "topics: [[a], b]\n",
    "topics: ['a, b'c]\n",
    "topics: [a, 'b]\n",
    "topics: [a 'b', c: d]\n",
    "topics: [-, a]\n",
    "topics: [a?, b]\n",
    "topics:\n    - a\n   - b\n",
    "topics:\n    - a\n      b\n",
    "topics:\n    - a: b\n",
    "topics:\n    - - a\n",
    "topics:\n    -\n",
    "topics:\n  - a\n    - b\n",
    "photo: {a, b: c}\n",
    "photo: {a: b, a: c}\n",
    "photo: {a: b: c}\n",
    "photo: {a: }\n",
    "photo: {'a': b}\n",
    "photo: {a: b}}\n",
    "photo:\n    a: b\n   c: d\n",
    "photo:\n    a: b\n      c: d\n",
    "photo:\n  - a: b\n    c: d\n",
    "# a: b\n  id: a\n",
    " id: a\n",
]
SOURCES = [
    source
    for source in sorted(
        [*CATALOGUES.glob("*.yaml"), *(ROOT / "tests" / "cases").iterdir(), SHIPPED]
    )
    if source.suffix == ".yaml"
]
PIECES = [
    *("id", "title", "topics", "photo", "body", ":", ": ", ":  ", "\n", "\n  ", "\n    ", "\n   "),
    *(
        "- ",
        "\n  - ",
        "\n    - ",
        "|",
        "|-",
        ">",
        ">-",
        "[",
        "]",
        "{",
        "}",
        ", ",
        ",",
        "'",
        '"',
        "''",
    ),
    *(
        "a",
        "B c",
        "é",
        "https://e.org/",
        "#",
        " #",
        "?",
        "&",
        "*",
        "!",
        "%",
        "@",
        "`",
        "\\",
        "-",
        "~",
    ),
    *("\t", "\r\n", "\x85", "\u2028", "\ufeff", "\u00a0", "\x00", "😀", "...", "---", " ", "  "),
]


def items_of(source: Path) -> list[str]:
    """Return the items of a catalogue, without the dashes."""
    text = source.read_bytes().decode(errors="replace")
    first = re.search(r"^entries:.*\n(?: *(?:#.*)?\n)*( *- )", text, re.MULTILINE)
    if first is None:
        return []
    rest = re.split(r"^(?=[a-z])", text[first.start(1) :], maxsplit=1, flags=re.MULTILINE)[0]
    return re.split(f"^{first[1]}", rest, flags=re.MULTILINE)[1:]


def from_lines(text: str) -> Value | None:
    """Return the values that are read from the lines; None if they are not supported."""
    try:
        return plain_lines(b"- " + text.encode("utf-8", "surrogatepass"), 2)
    except Unsupported:
        return None


def from_parser(text: str) -> Value | None:
    """Return the values that the parser returns; None if it refuses the item."""
    try:
        for event in yaml.parse(f"- {text}", Loader=yaml.CBaseLoader):
            if getattr(event, "anchor", None) or getattr(event, "tag", None):
                return None
        node = yaml.compose(f"- {text}", Loader=yaml.CBaseLoader)
    except yaml.YAMLError:
        return None
    return value_of(node.value[0]) if node else None


def value_of(node: Node) -> Value:
    if isinstance(node, ScalarNode):
        return str(node.value)
    if isinstance(node, MappingNode):
        values = {key.value: value_of(value) for key, value in node.value}
        assert len(values) == len(node.value), "a key is there twice"
        return values
    return tuple(map(value_of, node.value))  # type: ignore[arg-type]  # as deep as it may be


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
def test_lines_say_what_the_parser_says(text: str) -> None:
    """Each of these forms is read from its lines, with the values of the parser."""
    found = from_lines(text)
    assert found is not None
    assert found == from_parser(text)


@pytest.mark.parametrize("text", ELSE)
def test_other_lines_are_left_to_the_parser(text: str) -> None:
    """Anything beyond those forms is not read from lines."""
    assert from_lines(text) is None


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_no_item_says_anything_else_by_its_lines(source: Path) -> None:
    """In each case and catalogue, values read from lines are those of the parser."""
    for item in items_of(source):
        agree(item)


def test_shipped_catalogue_is_read_from_its_lines() -> None:
    """The items of the shipped catalogue, which editors copy, are all read from their lines."""
    items = items_of(SHIPPED)
    assert items
    assert all(map(from_lines, items))


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=12), st.sampled_from([*PLAIN.values()]))
@example(["photo", ":", "\n    ", "a", ":  ", "|", "\n    ", "a"], "")
def test_lines_put_together_at_random_say_nothing_else(pieces: list[str], behind: str) -> None:
    """An item of random pieces has the values of the parser, or is not supported."""
    agree(f"title: {''.join(pieces)}\n  {behind}")


def test_mangled_lines_say_nothing_else() -> None:
    """Items with random changes are read correctly from lines, or not at all."""
    mangle(2000, seed=1)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(2, 6))
def test_mangled_lines_say_nothing_else_for_long(seed: int) -> None:
    """The same, for minutes."""
    mangle(200_000, seed)


@pytest.mark.parametrize(
    "text",
    [
        "title:" + " " * 1_000_000 + "|x\n",
        "title: |" + " " * 1_000_000 + "x\n",
        "title: " + "a #" * 400_000 + "\n",
        "title: a" + ":" * 1_000_000 + "\n",
        "topics: [" + "a," * 400_000 + "\n",
        "topics: [" + "a" * 1_000_000 + "?]\n",
        "topics: [" + "a 'b " * 200_000 + "?]\n",
        "photo: {url: https://e.org" + "/a" * 500_000 + "?b}\n",
        "title: a\n" + "  a: [" * 500_000,
        "title: a\n" + '  a: "' * 500_000,
        "title: '" + "''" * 400_000 + "\n",
        "title:" + "\n" * 1_000_000 + "x",
        "  a" * 400_000,
        "a:\n" + "".join(f"{' ' * n}a:\n" for n in range(3, 1500)),
    ],
    ids=lambda text: repr(text[:10]),
)
def test_lines_made_to_hurt_cost_no_time(text: str) -> None:
    """No item takes quadratic time, which for these would be many minutes."""
    with guarded():
        assert from_lines(text) is None


def agree(text: str) -> bool:
    """Assert that supported lines have the values of the parser; return whether they are supported."""
    found = from_lines(text)
    if found is not None:
        assert found == from_parser(text), text
    return found is not None


def mangle(count: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # repeatable, not secret
    plain = 0
    for _ in range(count):
        text = f"{chance.choice([*PLAIN.values()])}  other: x\n"
        for _ in range(chance.choice([1, 1, 2, 4])):
            at = chance.randrange(len(text) + 1)
            text = text[:at] + chance.choice(PIECES) + text[at + chance.choice([0, 0, 1, 5]) :]
        plain += agree(text)
    assert plain > count / 10, "hardly any of them was read from its lines"
