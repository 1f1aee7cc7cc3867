"""An exported folder behind plain nginx has correct validators."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from subprocess import DEVNULL, Popen
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from builds import dated
from conftest import PATIENCE, SHIPPED, free_port, let_in, program, run_feeds, wait_for

CONFIGURATION = """
daemon off; pid {folder}/pid; error_log {folder}/errors;
events {{ worker_connections 64; }}
http {{
  types {{ text/html html; text/css css; text/xml xml; application/json json; }} charset utf-8;
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {folder}/out; }}
}}
"""


@contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """Serve `out` in a folder; nginx's workers run as `nobody`, so every parent folder is made accessible."""
    command = program("nginx")
    port = free_port()
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port))
    let_in(folder)
    with Popen([command, "-p", folder, "-c", folder / "nginx.conf"], stderr=DEVNULL) as server:
        try:
            url = f"http://127.0.0.1:{port}/"
            wait_for(url, server)
            yield url
        finally:
            server.terminate()


def validators(url: str) -> tuple[str, str]:
    with urlopen(url, timeout=PATIENCE) as answer:
        return answer.headers["ETag"], answer.headers["Last-Modified"]


def status(url: str, **headers: str) -> int:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urlopen(Request(url, headers=sent), timeout=PATIENCE) as answer:
            found: int = answer.status
    except HTTPError as error:
        error.close()
        return error.code
    return found


@pytest.fixture
def export(tmp_path: Path) -> Callable[[str], dict[str, datetime | None]]:
    """Export a catalogue's text to `out`, and return the release's dates."""

    def again(text: str) -> dict[str, datetime | None]:
        file = tmp_path / "entries.yaml"
        file.write_text(text)
        options = ("--catalogue", file, "--state", tmp_path / "state")
        done = run_feeds("export", *options, tmp_path / "out")
        assert done.returncode == 0, done.stderr
        documents = dated(file, state=tmp_path / "state")
        return {path: document.modified for path, document in documents.items()}

    return again


@pytest.mark.heavy
def test_nginx_makes_true_validators(
    export: Callable[[str], dict[str, datetime | None]], tmp_path: Path
) -> None:
    """nginx sends the document's date, answers a poll with 304, and changes both validators only with the bytes."""
    dates = export(SHIPPED.read_text())
    with nginx(tmp_path) as url:
        before = {path: validators(url + path) for path in ("atom.xml", "countries/id/atom.xml")}
        for path, (etag, modified) in before.items():
            date = dates[path]
            assert date
            assert modified == format_datetime(date, usegmt=True)
            assert status(url + path, If_None_Match=etag) == 304
            assert status(url + path, If_Modified_Since=modified) == 304
        time.sleep(1)
        export(SHIPPED.read_text().replace("Actuary or actor?", "Actor or actuary?"))
        after = {path: validators(url + path) for path in before}
        assert after["countries/id/atom.xml"] == before["countries/id/atom.xml"]
        assert after["atom.xml"][0] != before["atom.xml"][0]
        assert after["atom.xml"][1] != before["atom.xml"][1]
        assert status(url + "atom.xml", If_None_Match=before["atom.xml"][0]) == 200
