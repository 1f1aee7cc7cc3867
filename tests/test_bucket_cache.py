"""A bucket behind a cache that is configured as documented, as a CDN in front of a store."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess, run
from sys import executable
from urllib.parse import quote

import pytest
from buckets import environment
from builds import dated
from caches import caching
from conftest import PATIENCE, ROOT, SHIPPED
from hosts import ask
from s3 import BUCKET, Server, s3_server

OLD = "Actuary or actor?"
NEW = "Actuary or actress?"
SITE = "https://news.example.org/social-protection/"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Server]:
    with s3_server(tmp_path / "store") as server:
        yield server


def publish(store: Server, folder: Path, *options: str) -> CompletedProcess[str]:
    """Publish a folder's catalogue; the publish must succeed."""
    state = {"FEEDS_STATE": str(folder / "state"), "FEEDS_URL": SITE}
    command = [executable, "-m", "feeds", "publish", f"s3://{BUCKET}/news", *options]
    return run(
        [*command, "--catalogue", str(folder / "entries.yaml")],
        cwd=ROOT,
        env=environment(store.port, **state),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.heavy
def test_a_bucket_behind_a_cache_is_served_as_it_was_published(
    store: Server, tmp_path: Path
) -> None:
    """Every document has its bytes and type, a folder has its page, and a second poll gets 304."""
    file = tmp_path / "entries.yaml"
    file.write_text(SHIPPED.read_text())
    assert publish(store, tmp_path).returncode == 0
    release = dated(file, url=SITE, state=tmp_path / "state")
    with caching("nginx-bucket", tmp_path, store.port) as url:
        for path, document in release.items():
            answer = ask(url + quote(path) + "?list-type=2")
            assert (answer.status, answer.body) == (200, document.body), path
            assert answer.headers["content-type"] == document.media_type
            assert answer.headers["cache-control"].startswith("public, max-age=900, ")
            assert answer.headers["access-control-allow-origin"] == "*"
            assert not [name for name in answer.headers if name.startswith("x-amz")]
        page = release["topics/covid-19-response/index.html"].body
        assert ask(f"{url}topics/covid-19-response/").body == page
        assert ask(url).body == release["index.html"].body
        assert ask(f"{url}topics/nothing/").status == 404
        packed = ask(f"{url}atom.xml", Accept_Encoding="gzip")
        assert gzip.decompress(packed.body) == release["atom.xml"].body
        for answer in (packed, ask(f"{url}atom.xml")):
            again = ask(f"{url}atom.xml", If_None_Match=answer.headers["etag"])
            assert (again.status, again.body) == (304, b"")


@pytest.mark.heavy
def test_a_publish_purges_what_it_changed(store: Server, tmp_path: Path) -> None:
    """A purge command gets the URLs of only changed and removed objects, and its failure is reported."""
    file = tmp_path / "entries.yaml"
    file.write_text(SHIPPED.read_text())
    assert publish(store, tmp_path).returncode == 0
    file.write_text(SHIPPED.read_text().replace(OLD, NEW))
    listed = tmp_path / "listed"
    done = publish(store, tmp_path, "--purge", f"tee {listed}")
    assert done.returncode == 0, done.stderr
    addresses = listed.read_text().splitlines()
    assert {f"{SITE}atom.xml", SITE, f"{SITE}index.html"} <= {*addresses}
    assert len(addresses) < 40
    file.write_text(SHIPPED.read_text())
    failed = publish(store, tmp_path, "--purge", "false")
    assert failed.returncode == 1
    assert "false ended with exit code 1; what was published stays" in failed.stderr
    assert failed.stdout.startswith("written ")
    # It is left for the next purge, also by a publish without one, and with nothing to write.
    assert publish(store, tmp_path).stdout.startswith("written 0, ")
    assert publish(store, tmp_path, "--purge", f"tee {listed}").returncode == 0
    assert listed.read_text().splitlines() == addresses
    again = publish(store, tmp_path, "--purge", "false")
    assert (again.returncode, again.stderr.splitlines()[-1]) == (0, "purged 0")
