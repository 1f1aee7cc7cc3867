"""`/metrics`: what Prometheus reads of a server, whichever of its processes answers."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import PATIENCE, ROOT, SHIPPED, Server, run, running, wait_until
from hosts import Answer, ask
from processes import children
from prometheus_client.parser import text_string_to_metric_families
from stores import Clock, Published, asked

from feeds import FeedsError, create_app
from feeds.server.request_counts import RequestCounts
from feeds.storage import StateFolder

HELD_BACK = """
- id: the-secret
  title: A hidden title
  date: 2199-01-31
  summary: Hush.
"""
WORKERS = 4


@pytest.fixture(
    params=[
        "feeds serve --metrics",
        pytest.param("gunicorn", marks=pytest.mark.heavy),
        pytest.param("gunicorn --preload", marks=pytest.mark.heavy),
    ]
)
def server(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """Serve the shipped catalogue, with an entry that is held back, from four processes."""
    monkeypatch.setenv("FEEDS_METRICS", "1")
    file = tmp_path / "entries.yaml"
    file.write_text(SHIPPED.read_text() + HELD_BACK)
    with running(request.param, file, tmp_path / "server", workers=WORKERS) as found:
        # With --preload, the process that starts the workers logs that it serves, too.
        logged = WORKERS + ("--preload" in request.param)
        wait_until(lambda: found.log().count(" event=serving ") >= logged)
        yield found


def scrape(url: str) -> Answer:
    return ask(f"{url}metrics")


def samples(text: str) -> dict[str, float]:
    """Return each sample by its name, or its status if it has one, as Prometheus' own parser reads it."""
    return {
        sample.labels.get("status", sample.name): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def requests(url: str) -> dict[str, float]:
    found = samples(scrape(url).body.decode())
    return {name: value for name, value in found.items() if name.isdigit()}


def test_requests_are_counted_in_all_processes(server: Server) -> None:
    """Each worker reports the requests of all workers by status, also of one that was killed, and no scrape."""
    before = requests(server.url)
    tag = ask(f"{server.url}atom.xml").headers["etag"]
    for _ in range(19):
        ask(f"{server.url}atom.xml")
        ask(f"{server.url}atom.xml", If_None_Match=tag)
    for _ in range(11):
        ask(f"{server.url}nowhere")
    wanted = {"200": 20 + before.get("200", 0), "304": 19, "404": 11}
    # So many answers come from all of them.
    for _ in range(20):
        assert requests(server.url) == {**before, **wanted}
    # Two processes that share a file would lose a request that both count at once.
    assert len([*server.folder.rglob("requests-*")]) >= WORKERS
    killed = children(server.process.pid)
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: len({*children(server.process.pid)} - {*killed}) >= WORKERS)
    ask(f"{server.url}nowhere")
    for _ in range(20):
        assert requests(server.url) == {**before, **wanted, "404": 12}


def test_the_state_is_that_of_the_site(server: Server, tmp_path: Path) -> None:
    """Metrics have the numbers of entries, the last publish and the status of `/healthz`, and no text of an entry."""
    answer = scrape(server.url)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers
    text = answer.body.decode()
    assert not {"secret", "hidden"} & {*text.lower().replace("-", " ").split()}
    found = samples(text)
    assert found["feeds_entries_published"] == 20
    assert found["feeds_entries_held_back"] == 1
    assert found["feeds_degraded"] == 0
    assert 0 <= datetime.now(UTC).timestamp() - found["feeds_last_publish_timestamp_seconds"] < 99
    head = ask(f"{server.url}metrics", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    (tmp_path / "entries.yaml").write_text("entries: [\n")
    wait_until(lambda: json.loads(ask(f"{server.url}healthz").body)["status"] == "degraded")
    found = samples(scrape(server.url).body.decode())
    assert (found["feeds_degraded"], found["feeds_entries_published"]) == (1, 20)


def test_without_a_release_the_site_is_degraded(tmp_path: Path) -> None:
    """Before the first release, metrics say that the site is degraded, and have no numbers of entries."""
    app = create_app(tmp_path / "entries.yaml", state=tmp_path, metrics=True)
    try:
        client = app.test_client()
        assert client.get("/healthz").status_code == 503
        assert samples(client.get("/metrics").text) == {"feeds_degraded": 1, "503": 1}
    finally:
        app.close()


def test_an_index_of_an_earlier_version_is_served(tmp_path: Path) -> None:
    """After an upgrade, the last release is served from its index, which has no numbers of entries."""
    file, clock = tmp_path / "entries.yaml", Clock()
    file.write_text(SHIPPED.read_text())
    Published(file, clock=clock).refresh()
    [index] = tmp_path.glob(".feeds/site-*/index")
    before = index.read_bytes().removesuffix(b"\n").rpartition(b"\n")[0]
    earlier = re.sub(rb', "entries": \d+, "held_back": \d+', b"", before)
    assert earlier != before
    index.write_bytes(b"%s\n%s\n" % (earlier, sha256(earlier).hexdigest().encode()))
    file.write_text("entries: [\n")
    with asked(file, tmp_path / ".feeds", metrics=True) as client:
        assert client.get("/atom.xml").status_code == 200
        found = samples(client.get("/metrics").text)
    assert "feeds_last_publish_timestamp_seconds" in found
    assert "feeds_entries_published" not in found


def test_there_are_no_metrics_unless_asked_for(tmp_path: Path) -> None:
    """Without the option, `/metrics` is not found, and nothing is counted in the state folder."""
    with asked(SHIPPED, tmp_path) as client:
        assert client.get("/metrics").status_code == 404
        assert not [*tmp_path.rglob("requests-*")]
    with asked(SHIPPED, tmp_path, metrics=True):
        assert [*tmp_path.rglob("requests-*")]


def test_metrics_are_at_the_root_of_the_server(tmp_path: Path) -> None:
    """Metrics are not below the site's path, which a proxy passes on."""
    url = "https://news.example.org/news/"
    with asked(SHIPPED, tmp_path, url, metrics=True) as client:
        assert client.get(f"{urlsplit(url).path}metrics").status_code == 404
        assert client.post("/metrics").status_code == 405
        assert client.get("/metrics?x=1").status_code == 200


def test_counts_survive_the_loss_of_their_file(tmp_path: Path) -> None:
    """If the store is deleted, a process adds what it has counted to a new file."""
    with asked(SHIPPED, tmp_path, metrics=True) as client:
        for _ in range(7):
            client.get("/nowhere")
        [store] = tmp_path.glob("site-*")
        shutil.rmtree(store)
        client.get("/nowhere")
        wait_until(lambda: samples(client.get("/metrics").text).get("404") == 8)


def test_a_file_is_of_one_process_at_a_time(tmp_path: Path) -> None:
    """Each counts in a file of its own; the file of one that has ended is continued by the next."""
    folder = StateFolder(tmp_path / "state")
    folder.make()
    one, two = RequestCounts(folder), RequestCounts(folder)
    for counts in (one, two):
        counts.join()
        counts.join()
        counts.count(200)
    assert len([*folder.path.glob("requests-*")]) == 2
    one.leave()
    three = RequestCounts(folder)
    three.join()
    three.count(599)
    assert len([*folder.path.glob("requests-*")]) == 2
    assert one.totals() == two.totals() == {200: 2, 599: 1}


@pytest.mark.parametrize("words", [["serve", "--metrics"], ["wsgi"]])
def test_without_the_library_the_message_says_what_to_install(
    words: list[str], tmp_path: Path
) -> None:
    """Without prometheus-client, a server with metrics does not start, and says what to install."""
    (tmp_path / "prometheus_client.py").write_text("raise ImportError\n")
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT))),
        "FEEDS_METRICS": "1",
    }
    module = ["feeds.wsgi"] if words == ["wsgi"] else ["feeds", *words]
    done = run(sys.executable, "-m", *module, cwd=ROOT, env=env)
    assert done.returncode == 1
    assert "pip install 'feeds[metrics]'" in done.stderr.splitlines()[-1]
    assert "Serving" not in done.stderr


def test_the_server_needs_no_library_without_metrics() -> None:
    """Without metrics, the library is not loaded."""
    code = "import sys, feeds.server.granian; assert 'prometheus_client' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=PATIENCE)


def test_the_api_reports_a_missing_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`create_app` raises FeedsError."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(FeedsError, match=r"feeds\[metrics\]"):
        create_app(SHIPPED, state=tmp_path, metrics=True)
