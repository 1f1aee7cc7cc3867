"""Publishing to a bucket of a real S3 server, including failures of server, network and publisher."""

import gzip
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from buckets import Bucket, Publisher, assert_survives, bucket_at, environment
from conftest import run, run_feeds, wait_until
from s3 import SECRET, Server, s3_server

from feeds import build_release, load_catalogue
from feeds.export.manifest import BUCKET_MANIFEST as MANIFEST


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One S3 server for all tests here."""
    with s3_server(tmp_path_factory.mktemp("weed")) as found:
        yield found


@pytest.fixture
def bucket(server: Server, tmp_path: Path) -> Iterator[Bucket]:
    with bucket_at(server, tmp_path) as found:
        yield found


def test_only_what_changed_is_uploaded(bucket: Bucket) -> None:
    """The first publish uploads everything, one after an edit only what differs, one without edits nothing."""
    old = bucket.release()
    assert bucket.publish() == f"written {len(old)}, unchanged 0, removed 0\n"
    assert bucket.bodies() == old
    assert bucket.uploaded() == old.keys()

    bucket.write("New")
    new = bucket.release()
    changed = {path for path in new if old[path] != new[path]}
    bucket.proxy.begin()
    said = bucket.publish()
    assert bucket.uploaded() == changed
    assert said == f"written {len(changed)}, unchanged {len(new) - len(changed)}, removed 0\n"
    assert "topics/other/atom.xml" not in changed
    assert bucket.bodies() == new

    bucket.proxy.begin()
    assert bucket.publish() == f"written 0, unchanged {len(new)}, removed 0\n"
    assert [method for method, _ in bucket.proxy.requests] == ["GET", "GET"]


def test_feeds_come_first_and_the_manifest_last(bucket: Bucket) -> None:
    """Feeds are uploaded before pages, and the final manifest last."""
    bucket.publish()
    kinds = [path.rsplit(".")[-1] for method, path in bucket.proxy.requests if method == "PUT"]
    inner = [kind for kind in kinds if kind != "tsv"]
    assert kinds[0] == kinds[-1] == "tsv"
    assert inner == sorted(inner, key=lambda kind: kind == "html")
    assert bucket.manifest().splitlines()[1].startswith("# finished ")


@pytest.mark.parametrize("compress", [False, True])
def test_objects_have_their_headers(compress: bool, bucket: Bucket) -> None:  # noqa: FBT001
    """Each object has the Content-Type, Cache-Control and Content-Encoding of its document."""
    bucket.catalogue.write_text((Path(__file__).parent.parent / "entries.yaml").read_text())
    bucket.publish(*["--compress"] * compress)
    release = build_release(load_catalogue(bucket.catalogue), as_of=datetime.now(UTC))
    objects = bucket.server.objects(bucket.prefix)
    assert objects.keys() == release.keys()
    coded = set()
    for path, one in objects.items():
        assert one.attributes["Content-Type"] == release[path].media_type
        assert one.attributes["Cache-Control"].startswith("public, max-age=900, ")
        coding = one.attributes.get("Content-Encoding")
        coded.add(coding)
        if coding:
            assert gzip.decompress(one.body) == release[path].body
        else:
            assert one.body == release[path].body
    assert coded == ({None, "gzip"} if compress else {None})


@pytest.mark.heavy
def test_new_headers_are_uploaded_again(bucket: Bucket) -> None:
    """Unchanged bytes are uploaded again if only their Cache-Control changes, also after an interrupted publish."""
    bucket.publish()
    bucket.write(age=1200)
    # Stopped during the pages, it has put feeds with the new one, and releases its lease.
    bucket.proxy.begin(lambda _n, _m, path: "cut" if path.endswith("index.html") else None)
    assert bucket.begin().end()[0] == 1
    assert kept(bucket) == {"max-age=900", "max-age=1200"}
    bucket.write(age=900)
    bucket.proxy.begin()
    bucket.publish()
    assert kept(bucket) == {"max-age=900"}
    bucket.write(age=1200)
    bucket.proxy.begin()
    bucket.publish()
    assert bucket.uploaded() == bucket.release().keys()
    assert kept(bucket) == {"max-age=1200"}


def kept(bucket: Bucket) -> set[str]:
    """Return the max-age of all objects."""
    objects = bucket.server.objects(bucket.prefix).values()
    return {one.attributes["Cache-Control"].split(", ")[1] for one in objects}


def test_lost_and_overwritten_objects_are_uploaded_again(bucket: Bucket) -> None:
    """A removed or overwritten object is uploaded again; an object that no publish wrote is left alone."""
    bucket.publish()
    store = bucket.server.store(bucket.prefix)
    store.delete("atom.xml")
    store.put("index.html", b"somebody else's")
    store.put("stranger.txt", b"ours")
    bucket.proxy.begin()
    bucket.publish()
    assert bucket.uploaded() == {"atom.xml", "index.html"}
    assert bucket.bodies() == bucket.release() | {"stranger.txt": b"ours"}


@pytest.mark.heavy
def test_stale_objects_stay_for_their_grace(bucket: Bucket) -> None:
    """A stale object is deleted by the first publish after `site.max_age`, as the last step."""
    bucket.write(age=60)
    bucket.publish()
    old = bucket.bodies()
    bucket.write(topics="kept", age=60)
    gone = old.keys() - bucket.release().keys()
    assert gone == {"topics/gone/atom.xml", "topics/gone/index.html"}
    said = json.loads(bucket.publish("--json"))
    assert said["removed"] == []
    assert {one["path"] for one in said["stale"]} == gone
    assert gone < bucket.bodies().keys()
    assert "stale 2" in bucket.publish()

    manifest = bucket.manifest()
    [since] = {line.split("\t")[4] for line in manifest.splitlines()[2:]} - {""}
    earlier = datetime.fromisoformat(since) - timedelta(seconds=60)
    bucket.server.store(bucket.prefix).put(
        MANIFEST, manifest.replace(since, earlier.isoformat()).encode()
    )
    bucket.write("New", topics="kept", age=60)
    bucket.proxy.begin()
    said = json.loads(bucket.publish("--json"))
    assert {one["path"] for one in said["removed"]} == gone
    assert bucket.bodies() == bucket.release()
    methods = [method for method, _ in bucket.proxy.requests]
    assert methods[-2:] in (["POST", "PUT"], ["DELETE", "PUT"])


@pytest.mark.heavy
def test_what_comes_back_is_no_longer_stale(bucket: Bucket) -> None:
    """A topic that is published again before its objects are deleted stays."""
    bucket.publish()
    bucket.write(topics="kept")
    bucket.publish()
    bucket.write()
    assert "stale" not in bucket.publish()
    assert bucket.bodies() == bucket.release()
    assert not any(line.split("\t")[4] for line in bucket.manifest().splitlines()[2:])


@pytest.mark.heavy
def test_what_a_broken_off_publish_changed_is_purged_by_the_next(
    bucket: Bucket, tmp_path: Path
) -> None:
    """A publish that is interrupted during its uploads has recorded every planned change in the manifest."""
    state, listed = str(tmp_path / "state"), tmp_path / "listed"
    options = ("--state", state, "--purge", f"tee {listed}")
    bucket.publish()
    bucket.write("New")
    bucket.proxy.begin(lambda _n, _m, path: "cut" if path.endswith("index.html") else None)
    assert bucket.begin(*options).end()[0] == 1
    assert any(path.endswith("/atom.xml") for path in bucket.proxy.uploaded())
    assert not listed.exists()
    bucket.proxy.begin()
    assert bucket.begin(*options).end()[0] == 0
    assert "atom.xml" not in bucket.uploaded()
    assert "https://news.example.org/atom.xml" in listed.read_text().splitlines()


@pytest.mark.parametrize("damage", ["", "{manifest}../x\t1\ta\tb\t\n"])
def test_a_damaged_manifest_is_reported(damage: str, bucket: Bucket) -> None:
    """With a damaged manifest nothing is changed; --force writes a new one."""
    bucket.publish()
    damaged = damage.format(manifest=bucket.manifest()).encode()
    bucket.server.store(bucket.prefix).put(MANIFEST, damaged)
    bucket.write("New")
    code, _, err = bucket.begin().end()
    assert code == 1
    assert f"{MANIFEST} is damaged; use --force to write a new one" in err
    bucket.publish("--force")
    assert bucket.bodies() == bucket.release()
    assert bucket.manifest().splitlines()[1].startswith("# finished ")


def test_a_dry_run_changes_nothing(bucket: Bucket) -> None:
    """--dry-run reports what would be done, and sends no writing request."""
    count = len(bucket.release())
    assert bucket.publish("--dry-run") == f"to write {count}, to leave 0, to remove 0\n"
    assert {method for method, _ in bucket.proxy.requests} == {"GET"}
    assert bucket.bodies() == {}


@pytest.mark.heavy
def test_a_prefix_with_other_objects_is_refused(bucket: Bucket) -> None:
    """A prefix with objects that no publish wrote is refused without --force."""
    bucket.server.store(bucket.prefix).put("atom.xml", b"theirs")
    code, _, err = bucket.begin().end()
    assert code == 1
    assert "is not empty, and was not written by a publish" in err
    assert bucket.bodies() == {"atom.xml": b"theirs"}
    bucket.publish("--force")
    assert bucket.bodies() == bucket.release()


def test_two_publishers_at_once(bucket: Bucket) -> None:
    """Of two concurrent publishes one succeeds, and the other fails with a message and changes nothing."""
    bucket.publish()
    bucket.write("First")
    first_release = bucket.release()
    seconds: list[tuple[int, str, str]] = []

    def disturb(_number: int, method: str, path: str) -> None:
        if method == "PUT" and path.endswith("/atom.xml") and not seconds:
            # Amid the first one's uploads the second begins, and ends.
            bucket.write("Second")
            seconds.append((-1, "", ""))
            seconds[0] = bucket.begin(port=bucket.server.port).end()

    bucket.proxy.begin(disturb)
    bucket.publish("--timeout", "4")
    second = seconds[0]
    assert (second[0], second[1]) == (1, "")
    assert second[2].count("\n") == 1
    assert "another publish is at work there, and wins" in second[2]
    assert bucket.bodies() == first_release


@pytest.mark.heavy
def test_many_publishers_at_once(bucket: Bucket) -> None:
    """Of many concurrent publishes one succeeds, each other fails with a message, and the objects are complete."""
    bucket.publish()
    folders = [bucket.catalogue.parent / str(number) for number in range(4)]
    racing = []
    for folder in folders:
        folder.mkdir()
        one = bucket._replace(catalogue=folder / "news.yaml")
        one.write(f"Edition {folder.name}")
        racing.append((one, one.begin()))
    ends = [(one, process.end()) for one, process in racing]
    winners = [one for one, end in ends if end[0] == 0]
    assert winners
    assert bucket.bodies() in [one.release() for one in winners]
    for _, (code, _, err) in ends:
        assert code == 0 or "another publish is at work there" in err
    assert bucket.begin("--dry-run").end()[0] == 0


@pytest.mark.heavy
def test_an_overtaken_publisher_fails(bucket: Bucket) -> None:
    """A publisher that was suspended past its lease fails, and changes nothing that a later one wrote."""
    bucket.publish()
    bucket.write("First")
    sleepers: list[Publisher] = []

    def disturb(number: int, method: str, _path: str) -> None:
        if number == 5 and method == "PUT":
            os.kill(sleepers[0].process.pid, signal.SIGSTOP)

    bucket.proxy.begin(disturb)
    sleepers.append(bucket.begin())
    wait_until(lambda: len(bucket.proxy.requests) >= 5)
    try:
        bucket.write("Second")
        code, _, err = bucket.begin(port=bucket.server.port).end()
        assert code == 0, err
    finally:
        os.kill(sleepers[0].process.pid, signal.SIGCONT)
    code, out, err = sleepers[0].end()
    assert (code, out) == (1, "")
    assert "another publish is at work there, and wins" in err
    assert bucket.bodies() == bucket.release()


@pytest.mark.heavy
def test_a_killed_publish_leaves_whole_objects(bucket: Bucket) -> None:
    """After a publish is killed during its uploads, each object is old or new, and the next publish completes."""
    assert assert_survives(bucket, 6, "")


@pytest.mark.heavy
def test_a_request_that_comes_late_harms_nothing(bucket: Bucket) -> None:
    """A delayed request of a killed publisher replaces nothing that the next publish wrote."""
    bucket.publish()
    bucket.write("First")
    publishers: list[Publisher] = []

    def disturb(_number: int, method: str, path: str) -> None:
        if method == "PUT" and path.endswith("/atom.xml") and publishers:
            publishers.pop().process.kill()
            bucket.write("Second")
            code, _, err = bucket.begin(port=bucket.server.port).end()
            assert code == 0, err

    bucket.proxy.begin(disturb)
    with bucket.proxy.held():
        first = bucket.begin()
        publishers.append(first)
    assert first.end()[0] == -signal.SIGKILL
    wait_until(bucket.proxy.idle)
    assert bucket.bodies() == bucket.release()


@pytest.mark.parametrize("way", ["cut", "deaf"])
def test_a_connection_that_breaks_is_tried_again(way: str, bucket: Bucket) -> None:
    """If each request fails once, before or after it reaches the store, the publish completes."""
    bucket.publish()
    bucket.write("New")
    seen: set[tuple[str, str]] = set()

    def disturb(_number: int, method: str, path: str) -> str | None:
        if (method, path) in seen:
            return None
        seen.add((method, path))
        return way

    bucket.proxy.begin(disturb)
    bucket.publish("--timeout", "5")
    assert bucket.bodies() == bucket.release()
    assert bucket.manifest().splitlines()[1].startswith("# finished ")


@pytest.mark.parametrize(
    "number", [1, *(pytest.param(n, marks=pytest.mark.heavy) for n in (2, 3, 4, 5, 8, 11))]
)
def test_a_store_that_hangs_is_given_up(number: int, bucket: Bucket) -> None:
    """If the store stops answering at any request, the publish fails in bounded time with one message."""
    bucket.publish()
    old = bucket.bodies()
    bucket.write("New")
    bucket.proxy.begin(lambda n, _method, _path: "hang" if n >= number else None)
    code, out, err = bucket.begin().end()
    # Each hangs: not the store, but the time limit ended them, and few were tried.
    assert len(bucket.proxy.requests) <= number + 8
    assert (code, out) == (1, "")
    assert re.fullmatch(
        rf"feeds: {bucket.address} at http://127.0.0.1:\d+: the store does not answer within"
        r" 2 seconds; try again( \(.*\))?\n",
        err,
    )
    assert old.keys() <= bucket.bodies().keys()


def test_a_wrong_secret_is_reported_and_not_shown(bucket: Bucket) -> None:
    """If credentials are refused, the message names the variables to check, and shows no part of their values."""
    wrong = SECRET[::-1]
    code, out, err = bucket.begin(AWS_SECRET_ACCESS_KEY=wrong, RUST_LOG="trace").end()
    assert (code, out) == (1, "")
    assert "the store refuses these credentials; check AWS_ACCESS_KEY_ID" in err
    assert err.count("\n") == 1
    assert wrong not in err
    bucket.publish()
    assert SECRET not in bucket.manifest()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://key:SECRET@feeds/x", "s3://…: the address must not have a user, password or query"),
        ("s3://feeds/x?key=SECRET", "s3://…: the address must not have a user, password or query"),
        ("file:///tmp/out", "file:///tmp/out: is a folder; write it with `feeds export`"),
        (
            "ftp://feeds/x",
            "'ftp://feeds/x' is not the address of a bucket; write it like s3://bucket/prefix",
        ),
        ("out", "'out' is not the address of a bucket"),
        ("s3://", "'s3://' is not the address of a bucket"),
        (
            "az://feeds/x",
            "az://feeds/x: the store configuration is incomplete; set AZURE_STORAGE_ACCOUNT",
        ),
    ],
)
def test_an_address_that_cannot_be_published_to(address: str, message: str) -> None:
    """An invalid bucket address is reported before the catalogue is read, without a secret in it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("AZURE")}
    done = run_feeds("publish", address, "--catalogue", "missing.yaml", env=env)
    assert done.returncode == 1
    assert done.stderr.startswith(f"feeds: {message}")
    assert "SECRET" not in done.stderr


def test_a_store_without_tls_must_be_meant(bucket: Bucket) -> None:
    """An http: endpoint is refused unless the environment allows it."""
    code, _, err = bucket.begin(AWS_ALLOW_HTTP="").end()
    assert code == 1
    assert "does not use TLS; if that is intended, set AWS_ALLOW_HTTP=true" in err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ENDPOINT_URL", "minio.example.org"),
        ("AWS_ENDPOINT_URL", "localhost:9000"),
        ("AWS_ENDPOINT_URL", "http://"),
        ("AWS_ENDPOINT_URL", "http://key:SECRET@[::1"),
        ("AWS_ENDPOINT_URL", "http://store.example.org:99999"),
        ("AWS_ENDPOINT_URL", "http://store example.org"),
        ("AWS_ENDPOINT_URL_S3", "ftp://store.example.org"),
        ("AWS_ACCESS_KEY_ID", "SEC\nRET"),
        ("AWS_SECRET_ACCESS_KEY", "SECRET\n"),
        ("AWS_SESSION_TOKEN", "SECRET\r"),
        ("AWS_REGION", "eu-west-1\n"),
    ],
)
def test_a_slip_in_the_environment_is_one_line(name: str, value: str, tmp_path: Path) -> None:
    """A variable with a line break, or an endpoint without a scheme, is named without its value."""
    env = environment(9, **{name: value}, FEEDS_STATE=str(tmp_path))
    done = run_feeds("publish", "s3://feeds/x", "--dry-run", "--timeout", "1", env=env)
    assert done.returncode == 1
    assert re.fullmatch(
        rf"feeds: {name} (is not the URL of a store|has a line break).*\n", done.stderr
    )
    assert "SEC" not in done.stderr.removeprefix(f"feeds: {name}")


def test_a_profile_without_credentials_is_refused(tmp_path: Path) -> None:
    """A profile is refused with the command that exports its credentials."""
    env = environment(9, AWS_PROFILE="news", AWS_ACCESS_KEY_ID="", FEEDS_STATE=str(tmp_path))
    done = run_feeds("publish", "s3://feeds/x", "--dry-run", "--timeout", "1", env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "feeds: AWS_PROFILE: profiles are not read; put the credentials into the environment"
        " with `aws configure export-credentials --profile news --format env`\n"
    )


def test_other_errors_of_obstore_are_reported(tmp_path: Path) -> None:
    """Any other error of obstore ends with a message on what to check, and exit code 1."""
    env = environment(9, AWS_ENDPOINT_URL="http://a|b", FEEDS_STATE=str(tmp_path))
    done = run_feeds("publish", "s3://feeds/x", "--dry-run", "--timeout", "1", env=env)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("feeds: s3://feeds/x at http://a|b: obstore ")
    assert "Traceback" not in done.stderr


@pytest.mark.heavy
def test_a_store_that_is_not_there(bucket: Bucket) -> None:
    """A store that cannot be reached is reported at once."""
    code, _, err = bucket.begin(port=1).end()
    assert code == 1
    assert "the store cannot be reached; check the address and the network" in err


def test_without_obstore_the_message_says_what_to_install(tmp_path: Path) -> None:
    """Without obstore, only `feeds publish` fails, with a message on what to install."""
    (tmp_path / "obstore.py").write_text("raise ImportError\n")
    env = environment(1, PYTHONPATH=str(tmp_path))
    done = run(sys.executable, "-m", "feeds", "publish", "s3://feeds/x", env=env)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "install feeds[s3]" in done.stderr
