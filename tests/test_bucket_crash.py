"""A publish that is killed at each of its requests in turn, and a store that loses a replica."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from buckets import assert_survives, bucket_at
from s3 import Cluster, Server, s3_server

# Buckets in use at the same time: most of the time, a publish waits for one that was killed.
AT_ONCE = 3


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One S3 server for all tests here."""
    with s3_server(tmp_path_factory.mktemp("weed")) as found:
        yield found


@pytest.mark.heavy
@pytest.mark.parametrize("first", [False, True], ids=["a release before", "nothing before"])
@pytest.mark.parametrize("way", ["cut", ""], ids=["the store hears not", "the store hears"])
def test_killed_at_each_request(way: str, first: bool, server: Server, tmp_path: Path) -> None:  # noqa: FBT001
    """After a publish is killed at any request, whether it arrives or not, the next publish completes."""

    def survives(number: int) -> bool:
        folder = tmp_path / str(number)
        folder.mkdir()
        with bucket_at(server, folder) as bucket:
            return assert_survives(bucket, number, way, first=first)

    killed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number in range(1, 100, AT_ONCE):
            done = [*pool.map(survives, range(number, number + AT_ONCE))]
            killed += sum(done)
            if not all(done):
                break
    assert killed > 10


@pytest.mark.heavy
def test_half_of_a_cluster_dies(tmp_path: Path) -> None:
    """A store without its replica refuses writes: the publish reports that in time, and old objects stay readable."""
    with ExitStack() as stack:
        cluster = Cluster(tmp_path / "cluster", stack)
        bucket = stack.enter_context(bucket_at(cluster.server, tmp_path))
        bucket.publish()
        old = bucket.bodies()
        assert old == bucket.release()
        cluster.volumes[1].kill()
        cluster.volumes[1].wait()
        bucket.write("New")
        begun = time.monotonic()
        code, out, err = bucket.begin("--timeout", "3").end()
        assert time.monotonic() - begun < 25
        assert (code, out) == (1, "")
        assert re.search("the store (answers 5..|does not answer within 6 seconds); try again", err)
        assert err.count("\n") == 1
        for path, body in bucket.bodies().items():
            assert body in {old.get(path), bucket.release().get(path)}
        assert bucket.bodies().keys() >= old.keys()
        cluster.volumes[1] = cluster.start(1)
        end = time.monotonic() + 40
        while bucket.begin("--timeout", "3").end()[0]:
            assert time.monotonic() < end
            time.sleep(1)
        assert bucket.bodies() == bucket.release()
