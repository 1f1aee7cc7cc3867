"""No input causes a traceback, a signal, excessive time or excessive memory."""

import random
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import AS_OF, CATALOGUES, SHIPPED, guarded, run
from hypothesis import example, given, settings
from hypothesis import strategies as st
from work import work

from feeds import CatalogueError, build_release
from feeds.catalogue import read_catalogue

MEGABYTES = 300
SEEDS = [path.read_text() for path in sorted(CATALOGUES.glob("*.yaml"))]
PIECES = [
    *("{", "}", "[", "]", ":", ": ", "- ", "? ", "&a ", "*a ", "!!str ", "<<: *a", "|", ">-", "'"),
    *('"', "#", "%", "@", "`", "\t", "\n", "\r", "\x00", "\x85", "\u2028", "\ufeff", "\u202e", "𝕏"),
    *("---\n", "...\n", "\\ud800", '"\\0"', "null", "2024-13-45", "9" * 400, "=", "~", "  ", "😀"),
    *(
        "<script>",
        "&#1;",
        "]]>",
        "<![CDATA[",
        "javascript:",
        "//",
        "%zz",
        "../",
        "الحماية",
        "-" * 99,
    ),
]


def read(data: bytes) -> None:
    """Read a catalogue, and render it if valid; only Problems may be raised."""
    try:
        catalogue = read_catalogue([("f.yaml", data)])
    except CatalogueError as error:
        assert error.problems
        assert all(problem.line > 0 and problem.column > 0 for problem in error.problems)
        return
    assert len(build_release(catalogue, as_of=AS_OF)) > 0


def mutated(chance: random.Random) -> str:
    text = chance.choice(SEEDS)
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([0, 0, 0, 1, 5, 40]))
        new = chance.choice(
            [*PIECES, text[start:end] * 2, text[chance.randrange(len(text) or 1) :][:60]]
        )
        text = text[:start] + new + text[end:]
    return text


def fuzz(count: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # repeatable, not secret
    for _ in range(count):
        text = mutated(chance)
        with guarded():
            read(text.encode("utf-8", "surrogatepass"))


def test_mutated_catalogues_are_read_or_refused() -> None:
    """A catalogue with random damage has Problems, or a release."""
    fuzz(100, seed=1)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(2, 6))
def test_mutated_catalogues_for_long(seed: int) -> None:
    """The same, for minutes."""
    fuzz(1000, seed)


@settings(max_examples=100)
@given(st.binary(max_size=400))
@example(b"\xff\xfea\x00")
@example(b"")
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Any bytes are read without an exception other than Problems."""
    read(data)


@settings(max_examples=50)
@given(st.text(max_size=60), st.sampled_from(["title", "date", "link", "topics", "id", "body"]))
def test_any_text_in_a_field_is_read_or_refused(text: str, field: str) -> None:
    """Any text in any field results in Problems, or a release."""
    entry = {"id": "a", "title": "T", "date": "2022-05-24", "body": "B", field: text}
    lines = [f"  {key}: '{value.replace(chr(39), chr(39) * 2)}'" for key, value in entry.items()]
    site = "site: {title: T, url: 'https://x.org/', id: 'tag:x.org,2021:t'}\nentries:\n-\n"
    read((site + "\n".join(lines)).encode("utf-8", "replace"))


def with_body(text: str) -> str:
    """Return a catalogue whose last entry has a body, in double quotes."""
    return SEEDS[0] + f"- {{id: z, title: Z, date: 2022-05-24, body: '{text}'}}\n"


# Each grows with its size, and is read from this size on at the latest as it is made to hurt.
HOSTILE: dict[str, tuple[Callable[[int], str], int]] = {
    "brackets": (lambda size: "[" * size, 100_000),
    "braces": (lambda size: "{a: " * size, 100_000),
    "dashes": (lambda size: "- " * size, 100_000),
    "questions": (lambda size: "? " * size, 100_000),
    "laughs": (
        lambda size: "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(size)),
        9999,
    ),
    "merges": (
        lambda size: "a: &a {x: 1}\n" + "".join(f"<<: [{'*a, ' * 9}*a]\n" for _ in range(size)),
        20,
    ),
    "keys": (lambda size: "".join(f"k{n}: v\n" for n in range(size)), 30_000),
    "same key": (lambda size: "entries: []\n" * size, 30_000),
    "long line": (lambda size: "site: " + "x" * size, 2_000_000),
    "quotes": (lambda size: '"' * size, 200_000),
    "numbers": (lambda size: "site: {items: " + "9" * size + "}", 500_000),
    "entries": (lambda size: "entries:\n" + "- {topik: x, countries: [Indonesa]}\n" * size, 8000),
    "deep quotes": (lambda size: with_body(">" * size), 100_000),
    "deep html": (lambda size: with_body("<div>" * size), 50_000),
    "deep lists": (
        lambda size: (
            SEEDS[0]
            + "- id: z\n  title: Z\n  date: 2022-05-24\n  body: |\n"
            + "".join(f"    {'  ' * n}- a\n" for n in range(size))
        ),
        400,
    ),
    "dates": (
        lambda size: (
            SEEDS[0]
            + "".join(f"- {{id: z{n}, title: Z, date: {n} M, body: B}}\n" for n in range(size))
        ),
        3000,
    ),
    "days": (
        lambda size: (
            SEEDS[0]
            + "".join(
                f"- {{id: z{n}, title: Z, date: 31.4.{n:04}, body: B}}\n" for n in range(size)
            )
        ),
        3000,
    ),
    "separators": (lambda size: SEEDS[0] + "# \u2028\n" * size + "title T\nx: y\n", 100_000),
    "far mistake": (
        lambda size: (
            SEEDS[0]
            + "- id: z\n  title: Z\n  date: 2022-05-24\n  body: B\n" * size
            + "- id: z\n   title: Z\n"
        ),
        20_000,
    ),
    "mistakes": (
        lambda size: (
            SEEDS[0]
            + "- id: z\n  title: “Z”\n  date: [2022]\n  body: 'B'\n" * size
            + "  x: [y: z: [\n"
        ),
        100,
    ),
    "wide mistake": (
        lambda size: SEEDS[0] + "- id: z\n  title: [" + "z, " * size + "\n  x: y: z\n",
        40_000,
    ),
}


LARGEST = {"entries", "far mistake", "long line", "merges"}


@pytest.mark.parametrize(
    "name",
    [name if name in LARGEST else pytest.param(name, marks=pytest.mark.heavy) for name in HOSTILE],
)
def test_hostile_file_is_refused_in_little_memory(name: str, tmp_path: Path) -> None:
    """`feeds check` of a hostile file ends with exit code 0 or 1, in little memory."""
    file = tmp_path / "entries.yaml"
    hostile, size = HOSTILE[name]
    file.write_text(hostile(size))
    code = (
        "import re, sys; from feeds.cli import main\n"
        f"sys.argv = ['feeds', 'check', '--catalogue', {str(file)!r}]\n"
        "try: main()\n"
        # getrusage would also count the process that this one was forked from.
        "finally: open(sys.argv[3] + '.peak', 'w').write("
        "re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    done = run(sys.executable, "-c", code)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    assert int(Path(f"{file}.peak").read_text()) < MEGABYTES * 1024


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_costs_as_much_as_it_is_long(name: str) -> None:
    """Work grows linearly with the length of the input."""
    hostile, size = HOSTILE[name]
    few = max(size // 100, 100)

    def refused(text: str) -> int:
        def check() -> None:
            with suppress(CatalogueError):
                read_catalogue([("f.yaml", text.encode())])

        return work(check)

    # What is done once, or is kept for the next time, is not to be counted.
    refused(hostile(2 * few))
    assert refused(hostile(2 * few)) <= 2.5 * refused(hostile(few))


def test_shipped_catalogue_is_valid() -> None:
    """The catalogue in this repository has no Problem."""
    read(SHIPPED.read_bytes())
