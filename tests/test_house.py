"""The house: who may import whom, and where the clock is read."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

# From the ground: a module imports from lower floors, and from its own folder.
_FROM_THE_GROUND = (
    "errors urls log truncation",
    "model storage headers parallel",
    "inputs",
    "selection markdown formats",
    "catalogue pages",
    "plans",
    "history",
    "build",
    "release",
    "export",
    "notify",
    "server",
    "wsgi",
    "cli",
    "__main__",
)
FLOORS = {name: floor for floor, names in enumerate(_FROM_THE_GROUND) for name in names.split()}
# Below it, whatever needs the time is given `as_of`.
FIRST_WITH_A_CLOCK = FLOORS["history"]
# And this one, though it is above.
WITHOUT_A_CLOCK = "release"
THIRD_PARTY = {
    "catalogue": {"yaml", "dateutil", "babel", "PIL"},
    "export": {"jinja2", "obstore"},
    "headers": {"brotli"},
    "markdown": {"babel", "cmarkgfm", "nh3", "selectolax"},
    "formats": {"feedgen", "lxml"},
    "pages": {"jinja2", "markupsafe", "babel"},
    "server": {"flask", "werkzeug", "granian"},
    "truncation": {"regex"},
    "urls": {"idna"},
}
LONGEST = 450
DRAWERS = {"utils", "util", "helpers", "helper", "common", "core", "misc", "constants"}
MODULES = sorted((ROOT / "feeds").rglob("*.py"))


def room(module: Path) -> str:
    """Give the room that a module belongs to; the package's own __init__ is none."""
    return module.relative_to(ROOT / "feeds").parts[0].removesuffix(".py")


def imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield (
                f"{node.module}.{node.names[0].name}"
                if node.module == "feeds"
                else (node.module or "")
            )


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards_only(module: Path) -> None:
    """A module imports from its own room and lower floors, and packages named for its room."""
    here = room(module)
    if here == "__init__":
        return
    for name in imports(module):
        top, _, rest = name.partition(".")
        if top == "feeds":
            other = rest.partition(".")[0]
            allowed = other in {here, "__version__"} or FLOORS[other] < FLOORS[here]
            assert allowed, f"{here} imports {other}"
        else:
            known = top in sys.stdlib_module_names or top in THIRD_PARTY.get(here, set())
            assert known, f"{here} imports {top}"


def test_only_modules_named_for_it_know_feedgen() -> None:
    """feedgen stands behind one fence: the formats that it writes, and what it leaves out of them."""
    knowing = {
        path.name
        for path in MODULES
        if any("feedgen" in name.split(".")[0] for name in imports(path))
    }
    assert knowing == {"atom.py", "rss.py", "feedgen_ext.py"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_clock_below_the_history(module: Path) -> None:
    """What a release holds never depends on when it is built: `as_of` is given."""
    here = room(module)
    if FLOORS.get(here, 0) >= FIRST_WITH_A_CLOCK and here != WITHOUT_A_CLOCK:
        return
    called = {
        node.attr
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Attribute)
    }
    assert not called & {"now", "utcnow", "today", "time_ns", "localtime", "gmtime", "monotonic"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_are_small_and_no_drawers(module: Path) -> None:
    """A module has at most 450 lines, and is named for what it is."""
    assert len(module.read_text().splitlines()) <= LONGEST
    assert module.stem not in DRAWERS


HEAVY = {
    *"flask granian lxml obstore jinja2 feedgen cmarkgfm nh3 selectolax regex idna brotli PIL".split()
}


@pytest.mark.parametrize(
    ("arguments", "spared"),
    [
        (["--help"], HEAVY | {"yaml", "babel", "dateutil", "dataclasses"}),
        (["check"], HEAVY | {"dateutil"}),
        (["list"], HEAVY | {"dateutil"}),
        (["export", "{out}"], {"flask", "granian", "brotli", "obstore", "PIL"}),
        (["export", "{out}"], HEAVY | {"yaml", "babel", "dateutil"}),
    ],
    ids=["help", "check", "list", "export", "export again"],
)
def test_each_verb_loads_what_it_needs(
    arguments: list[str], spared: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No verb waits for packages that it does not use; an unchanged export needs not even YAML."""
    base = tmp_path_factory.getbasetemp()
    arguments = [part.replace("{out}", str(base / "loads-out")) for part in arguments]
    code = (
        "import sys; from feeds.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: assert not end.code\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"FEEDS_STATE": str(base / "loads-state")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert not loaded & spared
