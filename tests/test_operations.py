"""The operations that the webmasters' guide describes, with its own commands."""

import os
import re
import shutil
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple

import yaml
from conftest import MEDIA, ROOT, SHIPPED, run, run_feeds, tree, wait_until
from stores import asked

GUIDE = (ROOT / "docs" / "webmasters.md").read_text()
WORKFLOW = ROOT / "docs" / "configurations" / "github-pages.yml"
URL = "https://news.example.org/"


def commands(heading: str) -> list[str]:
    """Return the commands below a heading of the guide, each a line."""
    [section] = re.findall(rf"^### {heading}\n(.*?)(?=^##)", GUIDE, re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", section, re.MULTILINE | re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines()]


class Answer(NamedTuple):
    """What a reader keeps of a document."""

    body: bytes
    etag: str
    modified: str


def served(machine: Path) -> dict[str, Answer]:
    """Return each document as a machine serves it, and check that it answers a poll with 304."""
    answers = {}
    with asked(machine / "srv" / "news" / "entries.yaml", machine / "var/lib/feeds", URL) as client:
        paths = [*client.application.site.index.etags()]  # type: ignore[attr-defined]  # a SiteApp
        for path in paths:
            answer = client.get(f"/{path}")
            assert answer.status_code == 200
            found = Answer(answer.data, answer.headers["ETag"], answer.headers["Last-Modified"])
            answers[path] = found
            for headers in ({"If-None-Match": found.etag}, {"If-Modified-Since": found.modified}):
                assert client.get(f"/{path}", headers=headers).status_code == 304
    return answers


def test_a_restored_site_is_the_same_for_readers(tmp_path: Path) -> None:
    """After a restore on another machine, all bytes and validators are those of before; without the history they are not."""
    old, new, bare = (tmp_path / name for name in ("old", "new", "bare"))
    news = old / "srv" / "news"
    news.mkdir(parents=True)
    credit = "photo: {credit: © BWI 2022}"
    photo = "photo: {url: media/market.jpg, alt: A market}"
    assert credit in SHIPPED.read_text()
    (news / "entries.yaml").write_text(SHIPPED.read_text().replace(credit, photo))
    (news / "media").mkdir()
    shutil.copy(MEDIA / "market.jpg", news / "media")
    (news / "static").mkdir()
    (news / "static" / "logo.svg").write_text("<svg/>")
    (news / "templates").mkdir()
    (news / "templates" / "footer.html").write_text("<footer>Ours</footer>")
    before = served(old)
    assert {"media/market.jpg", "logo.svg", "atom.xml"} <= {*before}
    save, *restore, owner = commands("Backups")
    # There is no such user here.
    assert owner.startswith("chown ")
    perform(save, old, tmp_path)
    latest = max(parsedate_to_datetime(answer.modified).timestamp() for answer in before.values())
    wait_until(lambda: time.time() > latest + 1)
    for machine in (new, bare):
        (machine / "srv").mkdir(parents=True)
        (machine / "var" / "lib").mkdir(parents=True)
        for line in restore[: 1 if machine == bare else None]:
            perform(line, machine, tmp_path)
    assert served(new) == before
    other = served(bare)
    assert {path: found.body for path, found in other.items()} == {
        path: found.body for path, found in before.items()
    }
    assert all(other[path].modified != found.modified for path, found in before.items())


def perform(command: str, machine: Path, folder: Path) -> None:
    """Run a command of the guide in a folder, with the folders of a machine."""
    words = re.sub(r"(?<= )/", f"{machine}/", command).split()
    done = run(*words, cwd=folder)
    assert done.returncode == 0, done.stderr


def test_the_command_for_a_move_runs(tmp_path: Path) -> None:
    """The command in the guide redirects the old URL to the new one."""
    [line] = commands("A move to another URL")
    words = line.split()
    assert words.pop(0) == "feeds"
    (tmp_path / "entries.yaml").write_text(SHIPPED.read_text())
    done = run_feeds(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    configuration = (tmp_path / "moved" / ".feeds-export" / "nginx.conf").read_text()
    assert 'location "/news/" {' in configuration
    assert 'rewrite "^/news/(.*)$" "https://news.example.org/$1?" permanent;' in configuration


def test_the_workflow_publishes_the_folder_that_it_exports(tmp_path: Path) -> None:
    """The workflow is valid, keeps the history, runs the documented commands, and publishes only the exported folder."""
    found = yaml.safe_load(WORKFLOW.read_text())
    # YAML 1.1 reads `on` as true.
    assert re.fullmatch(r"(\S+ ){4}\S+", found[True]["schedule"][0]["cron"])
    [job] = found["jobs"].values()
    install, command = [step["run"] for step in job["steps"] if "run" in step]
    assert f"/opt/feeds/bin/{install}" in commands("Upgrades")
    with_ = {
        step["uses"].partition("@")[0]: step.get("with", {})
        for step in job["steps"]
        if "uses" in step
    }
    (tmp_path / "entries.yaml").write_text(SHIPPED.read_text())
    words = command.split()
    assert words.pop(0) == "feeds"
    env = {name: value for name, value in os.environ.items() if name != "FEEDS_STATE"}
    done = run_feeds(*words, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert "atom.xml" in tree(tmp_path / with_["actions/upload-pages-artifact"]["path"])
    assert (tmp_path / with_["actions/cache"]["path"]).exists()
