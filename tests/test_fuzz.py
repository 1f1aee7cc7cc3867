"""No input, however hostile, ends in a traceback, a signal, seconds or megabytes."""

import random
import resource
import sys
import time
from pathlib import Path

import pytest
from conftest import AS_OF, CATALOGUES, SHIPPED, run
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feeds import Release
from feeds.catalogue import read_catalogue
from feeds.errors import CatalogueError

SECONDS = 2
MEGABYTES = 300
SEEDS = [path.read_text() for path in sorted(CATALOGUES.iterdir())]
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
    """Read, and render what is valid; only Problems may come of it."""
    try:
        catalogue = read_catalogue([("f.yaml", data)])
    except CatalogueError as error:
        assert error.problems
        assert all(problem.line > 0 and problem.column > 0 for problem in error.problems)
        return
    assert len(Release(catalogue, as_of=AS_OF)) > 0


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
        begun = time.monotonic()
        read(text.encode("utf-8", "surrogatepass"))
        assert time.monotonic() - begun < SECONDS, text


def test_mutated_catalogues_are_read_or_refused() -> None:
    """Catalogues broken at random places give Problems, or a release."""
    fuzz(300, seed=1)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(2, 10))
def test_mutated_catalogues_for_long(seed: int) -> None:
    """The same, for minutes."""
    fuzz(4000, seed)


@settings(max_examples=200)
@given(st.binary(max_size=400))
@example(b"\xff\xfea\x00")
@example(b"")
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Any bytes at all give Problems."""
    read(data)


@settings(max_examples=150)
@given(st.text(max_size=60), st.sampled_from(["title", "date", "link", "topics", "id", "body"]))
def test_any_text_in_a_field_is_read_or_refused(text: str, field: str) -> None:
    """Any text in any field gives Problems, or a release."""
    entry = {"id": "a", "title": "T", "date": "2022-05-24", "body": "B", field: text}
    lines = [f"  {key}: '{value.replace(chr(39), chr(39) * 2)}'" for key, value in entry.items()]
    site = "site: {title: T, url: 'https://x.org/', id: 'tag:x.org,2021:t'}\nentries:\n-\n"
    read((site + "\n".join(lines)).encode("utf-8", "replace"))


HOSTILE = {
    "brackets": "[" * 100_000,
    "braces": "{a: " * 100_000,
    "dashes": "- " * 100_000,
    "questions": "? " * 100_000,
    "laughs": "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(9999)),
    "merges": "a: &a {x: 1}\n" + "".join(f"<<: [{'*a, ' * 9}*a]\n" for _ in range(20)),
    "keys": "".join(f"k{n}: v\n" for n in range(30_000)),
    "same key": "entries: []\n" * 30_000,
    "long line": "site: " + "x" * 2_000_000,
    "quotes": '"' * 200_000,
    "numbers": "site: {items: " + "9" * 500_000 + "}",
    "entries": "entries:\n" + "- {topik: x, countries: [Indonesa]}\n" * 8000,
    "deep quotes": SEEDS[0]
    + "- {id: z, title: Z, date: 2022-05-24, body: '"
    + ">" * 100_000
    + "'}\n",
    "deep html": SEEDS[0]
    + "- {id: z, title: Z, date: 2022-05-24, body: '"
    + "<div>" * 50_000
    + "'}\n",
    "deep lists": SEEDS[0]
    + "- id: z\n  title: Z\n  date: 2022-05-24\n  body: |\n"
    + "".join(f"    {'  ' * n}- a\n" for n in range(400)),
    "dates": SEEDS[0]
    + "".join(f"- {{id: z{n}, title: Z, date: {n} M, body: B}}\n" for n in range(3000)),
    "days": SEEDS[0]
    + "".join(f"- {{id: z{n}, title: Z, date: 31.4.{n:04}, body: B}}\n" for n in range(3000)),
    "far mistake": SEEDS[0]
    + "- id: z\n  title: Z\n  date: 2022-05-24\n  body: B\n" * 20_000
    + "- id: z\n   title: Z\n",
    "mistakes": SEEDS[0]
    + "- id: z\n  title: “Z”\n  date: [2022]\n  body: 'B'\n" * 100
    + "  x: [y: z: [\n",
    "wide mistake": SEEDS[0] + "- id: z\n  title: [" + "z, " * 40_000 + "\n  x: y: z\n",
    "separators": SEEDS[0] + "# \u2028\n" * 100_000 + "title T\nx: y\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_refused_in_time_and_memory(name: str, tmp_path: Path) -> None:
    """A file made to hurt ends `feeds check` with exit code 0 or 1, soon, in little memory."""
    file = tmp_path / "entries.yaml"
    file.write_text(HOSTILE[name])
    code = (
        "import re, sys; from feeds.cli import main\n"
        f"sys.argv = ['feeds', 'check', '--catalogue', {str(file)!r}]\n"
        "try: main()\n"
        # What getrusage tells would count the process that this one was forked from, too.
        "finally: open(sys.argv[3] + '.peak', 'w').write("
        "re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    begun = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run(sys.executable, "-c", code)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    assert ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime < SECONDS
    assert int(Path(f"{file}.peak").read_text()) < MEGABYTES * 1024


def test_shipped_catalogue_is_valid() -> None:
    """The catalogue in this repository has no Problem."""
    read(SHIPPED.read_bytes())
