"""Whole documents, compared byte for byte with those in `golden/`."""

from pathlib import Path

import pytest
from conftest import AS_OF, CATALOGUES, ROOT

from feeds import Release, build_release, load_catalogue

GOLDEN = ROOT / "tests" / "golden"


@pytest.mark.parametrize("source", sorted(CATALOGUES.iterdir()), ids=lambda path: path.stem)
def test_documents_are_the_golden_ones(source: Path, request: pytest.FixtureRequest) -> None:
    """Every document of a small catalogue is, byte for byte, the golden one."""
    release = build_release(load_catalogue(source), as_of=AS_OF)
    folder = GOLDEN / source.stem
    if request.config.getoption("--golden"):
        _write(release, folder)
    kept = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert sorted(kept) == sorted(release)
    for path, document in release.items():
        assert document.body == kept[path], path


def _write(release: Release, folder: Path) -> None:
    for old in folder.rglob("*.*"):
        old.unlink()
    for path, document in release.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(document.body)
