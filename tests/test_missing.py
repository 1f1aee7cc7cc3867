"""A missing catalogue: what was published stays, and `/healthz` reports the reason."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import running, shortened, wait_until
from test_serving import ask, health

TEXT = shortened("actuary-or-actor")


def failure_of(status: dict[str, object]) -> dict[str, object]:
    found = status["failure"]
    assert isinstance(found, dict)
    assert datetime.fromisoformat(found.pop("at")) <= datetime.now(UTC)
    return found


@pytest.mark.parametrize("kind", ["feeds serve", pytest.param("gunicorn", marks=pytest.mark.heavy)])
def test_a_removed_catalogue_is_missing_until_it_is_back(kind: str, tmp_path: Path) -> None:
    """The server stays degraded, names no file, serves the last good release, and recovers by itself."""
    file = tmp_path / "site" / "secret-name.yaml"
    file.parent.mkdir()
    file.write_text(TEXT)
    with running(kind, file, tmp_path / "server") as server:
        file.rename(tmp_path / "away")
        # Each worker answers in turn.
        for _ in range(8):
            wait_until(lambda: health(server)["status"] == "degraded", 10)
        status = health(server)
        assert status["release"]
        assert failure_of(status) == {"problems": 0, "place": "", "reason": "missing"}
        assert "secret" not in str(health(server))
        assert ask(server, "/healthz").status == 200
        assert ask(server, "/atom.xml").status == 200
        (tmp_path / "away").rename(file)
        for _ in range(8):
            wait_until(lambda: health(server)["status"] == "ok", 10)


def emptied(folder: Path) -> None:
    (folder / "news.yaml").rename(folder / "news.txt")


def link_to_nothing(folder: Path) -> None:
    (folder / "news.yaml").unlink()
    folder.rename(folder.with_name("away"))
    folder.symlink_to(folder.with_name("nowhere"))


def no_folder_any_more(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.parent.rename(folder.parent.with_name("moved"))
    folder.parent.write_text("")


def pipe(folder: Path) -> None:
    (folder / "news.yaml").unlink()
    os.mkfifo(folder / "news.yaml")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (emptied, "missing"),
        pytest.param(shutil.rmtree, "missing", marks=pytest.mark.heavy),
        pytest.param(link_to_nothing, "missing", marks=pytest.mark.heavy),
        pytest.param(no_folder_any_more, "missing", marks=pytest.mark.heavy),
        (pipe, "unreadable"),
    ],
)
def test_the_reason_is_reported_for_a_folder_too(
    change: Callable[[Path], None], reason: str, tmp_path: Path
) -> None:
    """The reason of a failure of a folder of catalogue files is one of the documented words."""
    folder = tmp_path / "site" / "catalogue"
    folder.mkdir(parents=True)
    (folder / "news.yaml").write_text(TEXT)
    with running("feeds serve", folder, tmp_path / "server") as server:
        change(folder)
        wait_until(lambda: health(server)["status"] == "degraded", 10)
        assert failure_of(health(server)) == {"problems": 0, "place": "", "reason": reason}
        assert ask(server, "/atom.xml").status == 200
