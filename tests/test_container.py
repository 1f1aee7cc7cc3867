"""The Containerfile: built, or done step by step, it gives a server without privileges."""

import tomllib
from pathlib import Path

import pytest
from conftest import ROOT, SHIPPED, free_port, let_in, wait_until
from containers import Step, container, steps, value
from hosts import ask
from packages import repository

BUILD_SECONDS = 300


@pytest.mark.heavy
def test_a_container_serves_the_mounted_catalogue(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A container becomes healthy, serves edits, writes its volume alone, and ends on SIGTERM."""
    context = repository(tmp_path_factory.mktemp("context"))
    context.make_dist()
    (news, folder, port) = (tmp_path / "news", tmp_path / "container", free_port())
    news.mkdir()
    folder.mkdir()
    (news / "entries.yaml").write_text(SHIPPED.read_text())
    let_in(news)
    with container(context.folder, folder, news, port) as running:
        check = health_check(running.port)
        wait_until(lambda: running.log() and not running.execute(*check).returncode, BUILD_SECONDS)
        url = f"http://127.0.0.1:{port}/"
        assert ask(f"{url}healthz").status == 200
        # As the server listens on all addresses, documents have that of the catalogue.
        assert b"https://news.example.org/social-protection/" in ask(f"{url}atom.xml").body
        text = SHIPPED.read_text().replace("Government intervention", "INTERVENTION")
        (news / "entries.yaml").write_text(text)
        wait_until(lambda: b"INTERVENTION" in ask(f"{url}countries/id/atom.xml").body)
        status = running.execute("cat", "/proc/1/status").stdout
        assert "\nUid:\t1000\t1000\t1000\t1000\n" in status
        assert "\nCapEff:\t0000000000000000\n" in status
        assert "history.tsv" in running.execute("ls", "/var/lib/feeds").stdout
        for place in ("/srv/news", "/usr", "/etc"):
            assert running.execute("touch", f"{place}/x").returncode == 1
        assert "event=serving" in running.log()
        assert running.execute("feeds", "--version").stdout == f"feeds {context.version}\n"
        assert running.stop() == 0


def health_check(port: int) -> list[str]:
    """Return the command of HEALTHCHECK, with the port at which a container listens."""
    step = value(steps(ROOT / "Containerfile"), "HEALTHCHECK")
    kind, _, command = step.text.partition(" ")
    assert kind == "CMD"
    return [word.replace(":8000/", f":{port}/") for word in Step(kind, command).words]


def test_the_base_image_is_a_supported_python() -> None:
    """The image has a version of Python that the package is declared for."""
    base = value(steps(ROOT / "Containerfile"), "FROM").text
    version = base.partition("python:")[2].partition("-")[0]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"Programming Language :: Python :: {version}" in project["classifiers"]
