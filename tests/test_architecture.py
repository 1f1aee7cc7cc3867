"""The architecture: which module imports which, and where the clock is read."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, run_feeds

# The layers, from the lowest. A package is named once, for all its modules. Modules and
# packages of the same layer do not import each other.
LAYERS = [
    ["errors", "urls", "log", "media_types", "pictures"],
    ["model", "storage", "headers", "parallel", "licenses"],
    ["inputs", "i18n"],
    ["selection", "markdown", "formats"],
    ["catalogue", "pages"],
    ["plans"],
    ["history"],
    ["build"],
    ["release"],
    ["export"],
    ["notify"],
    ["importer"],
    ["server"],
    ["wsgi"],
    ["cli"],
    ["__main__"],
]
LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}
# Below this layer, the caller gives the time as `as_of`.
FIRST_WITH_CLOCK = LAYER_OF["history"]
# This module is above it, and reads no clock either.
WITHOUT_CLOCK = "release"
# The packages that each module or package may import.
THIRD_PARTY = {
    "catalogue": {"yaml", "dateutil", "babel", "PIL", "pycountry", "pypdf"},
    "export": {"jinja2", "obstore"},
    "headers": {"brotli"},
    "i18n": {"babel"},
    "importer": {"bs4", "feedparser", "lxml", "markdownify", "yaml"},
    "markdown": {"babel", "cmarkgfm", "nh3", "selectolax"},
    "formats": {"feedgen", "lxml", "regex"},
    "pages": {"jinja2", "markupsafe"},
    "server": {"flask", "werkzeug", "granian", "prometheus_client"},
    "urls": {"idna"},
}
MAX_LINES = 450
# Names that do not say what is in a module.
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "misc", "constants"}
MODULES = sorted((ROOT / "feeds").rglob("*.py"))


def top_level(module: Path) -> str:
    """Return the name in LAYERS that a module belongs to; "__init__" for that of `feeds` itself."""
    return module.relative_to(ROOT / "feeds").parts[0].removesuffix(".py")


def imports(module: Path) -> Iterator[str]:
    """Yield the full name of each module that a module imports, at its top or in a function."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module == "feeds":
                yield from (f"feeds.{name.name}" for name in node.names)
            else:
                yield node.module or ""


def test_every_module_is_in_one_layer() -> None:
    """LAYERS has every module and package of `feeds` once, and no other name."""
    names = [name for layer in LAYERS for name in layer]
    assert sorted(names) == sorted({top_level(module) for module in MODULES} - {"__init__"})


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_from_lower_layers_only(module: Path) -> None:
    """A module imports its own package, lower layers, and the third-party packages listed for it."""
    here = top_level(module)
    if here == "__init__":
        return
    for name in imports(module):
        top, _, rest = name.partition(".")
        if top == "feeds":
            other = rest.partition(".")[0]
            allowed = other in {here, "__version__"} or LAYER_OF[other] < LAYER_OF[here]
            assert allowed, f"{here} imports {other}"
        else:
            known = top in sys.stdlib_module_names or top in THIRD_PARTY.get(here, set())
            assert known, f"{here} imports {top}"


def test_three_modules_import_feedgen() -> None:
    """Only the two formats that feedgen writes, and its extensions, import it."""
    importing = {
        path.name
        for path in MODULES
        if any("feedgen" in name.split(".")[0] for name in imports(path))
    }
    assert importing == {"atom.py", "rss.py", "feedgen_ext.py"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_clock_below_the_history(module: Path) -> None:
    """The documents of a release do not depend on when it is built: the caller gives `as_of`."""
    here = top_level(module)
    if LAYER_OF.get(here, 0) >= FIRST_WITH_CLOCK and here != WITHOUT_CLOCK:
        return
    used = {
        node.attr
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Attribute)
    }
    assert not used & {"now", "utcnow", "today", "time_ns", "localtime", "gmtime", "monotonic"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_short_and_named_for_their_content(module: Path) -> None:
    """A module has at most 450 lines, and no vague name."""
    assert len(module.read_text().splitlines()) <= MAX_LINES
    assert module.stem not in VAGUE_NAMES


# Packages that take long to load.
HEAVY = {
    *"flask granian lxml obstore jinja2 feedgen cmarkgfm nh3 selectolax regex idna brotli PIL pycountry".split()
}


@pytest.mark.parametrize(
    ("arguments", "again", "unused"),
    [
        (["--help"], False, HEAVY | {"yaml", "babel", "dateutil", "dataclasses"}),
        (["check"], False, HEAVY | {"dateutil"}),
        (["list"], False, HEAVY | {"dateutil"}),
        (["export", "{out}"], False, {"flask", "granian", "brotli", "obstore", "PIL", "pycountry"}),
        (["export", "{out}"], True, HEAVY | {"yaml", "babel", "dateutil"}),
    ],
    ids=["help", "check", "list", "export", "export again"],
)
def test_each_command_loads_what_it_needs(
    arguments: list[str], unused: set[str], tmp_path: Path, *, again: bool
) -> None:
    """A command does not load packages that it does not use; an unchanged export loads no YAML parser."""
    arguments = [part.replace("{out}", str(tmp_path / "out")) for part in arguments]
    if again:
        assert run_feeds(*arguments, cwd=ROOT).returncode == 0
    code = (
        "import sys; from feeds.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: assert not end.code\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert not loaded & unused
