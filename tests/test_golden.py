"""Whole documents, compared byte for byte with those in `golden/`."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import AS_OF, CATALOGUES, ROOT

from feeds import build_release, load_catalogue

GOLDEN = ROOT / "tests" / "golden"
# The same in every release; only this catalogue's golden folder has them.
ASSETS = {"feed.css", "style.css"}
WITH_ASSETS = "every-field"


@pytest.mark.parametrize("source", sorted(CATALOGUES.glob("*.yaml")), ids=lambda path: path.stem)
def test_documents_are_the_golden_ones(source: Path, request: pytest.FixtureRequest) -> None:
    """Every document of a small catalogue is, byte for byte, the golden one."""
    release = build_release(load_catalogue(source), as_of=AS_OF)
    left_out = set() if source.stem == WITH_ASSETS else ASSETS
    documents = {path: found.body for path, found in release.items() if path not in left_out}
    folder = GOLDEN / source.stem
    if request.config.getoption("--golden"):
        _write(documents, folder)
    kept = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert sorted(kept) == sorted(documents)
    for path, body in documents.items():
        assert body == kept[path], path


def test_assets_are_the_same_in_every_release(source: Path) -> None:
    """The style sheets of every catalogue are, byte for byte, the golden ones."""
    release = build_release(load_catalogue(source), as_of=AS_OF)
    for path in ASSETS:
        assert release[path].body == (GOLDEN / WITH_ASSETS / path).read_bytes(), path


def _write(documents: Mapping[str, bytes], folder: Path) -> None:
    for old in folder.rglob("*.*"):
        old.unlink()
    for path, body in documents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
