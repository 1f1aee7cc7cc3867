"""Work in several processes has the same result as in one."""

import gc
import os
import signal
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest
from conftest import AS_OF, ROOT, SHIPPED, run, tree

from feeds import FeedsError, build_release, export_folder
from feeds.catalogue import read_catalogue
from feeds.parallel import dealt, gc_paused, in_child, in_processes

MANY = range(5002)
PROCESSES = 3


def squares(number: int) -> list[bytes]:
    """Return the squares of a share of many numbers."""
    return [b"%d" % (one * one) for one in dealt(MANY, number, PROCESSES)]


SQUARES = [squares(number) for number in range(PROCESSES)]


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow this process to fork, though the test runner may have threads."""
    monkeypatch.setattr("feeds.parallel._can_fork", lambda: True)


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_each_thing_is_in_one_share(processes: int) -> None:
    """For any number of processes, each item is in one share, and shares differ in length by at most one."""
    shares = [dealt(MANY, number, processes) for number in range(processes)]
    assert sorted(chain(*shares)) == [*MANY]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_results_are_in_order(processes: int) -> None:
    """For any number of processes, results are in the order of their numbers."""
    assert in_processes(lambda number: [number], processes) == [
        [number] for number in range(processes)
    ]
    ids = {one for [one] in in_processes(lambda _: [os.getpid()], processes)}
    assert len(ids) == processes
    assert os.getpid() in ids


@pytest.mark.parametrize("how", ["exception", "killed", "exit", "no result"])
def test_a_share_whose_process_fails_is_done_here(how: str) -> None:
    """The share of a process that fails is done in the parent process."""
    here = os.getpid()

    def work(number: int) -> list[bytes]:
        if os.getpid() != here:
            if how == "exception":
                raise MemoryError
            if how == "killed":
                os.kill(os.getpid(), 9)
            if how == "no result":
                # What `marshal` cannot write.
                return [object()]  # type: ignore[list-item]  # the point
            os._exit(3)
        return squares(number)

    assert in_processes(work, PROCESSES) == SQUARES


def test_without_another_process_all_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """If no process can be started, the parent process does all work."""

    def refused() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refused)
    assert in_processes(squares, PROCESSES) == SQUARES


def test_a_program_with_threads_is_not_forked() -> None:
    """With threads, including a library's, or little work, all is done in this process."""
    code = """
import ctypes, os, threading
from feeds.parallel import in_child, usable_processes
assert usable_processes(5000, 2) == 2
assert usable_processes(5, 2) == 1
assert in_child(os.getpid) != os.getpid()
end = threading.Event()
thread = threading.Thread(target=end.wait)
thread.start()
assert usable_processes(5000, 2) == 1
assert in_child(os.getpid) == os.getpid()
end.set()
thread.join()
import obstore.store
store = obstore.store.from_url("s3://bucket/", config={"endpoint": "http://127.0.0.1:1",
    "access_key_id": "x", "secret_access_key": "x", "region": "x"},
    client_options={"allow_http": True}, retry_config={"max_retries": 0})
try:
    store.head("x")
except Exception:
    pass
assert threading.active_count() == 1
assert usable_processes(5000, 2) == 1
assert in_child(os.getpid) == os.getpid()
"""
    done = run(sys.executable, "-c", code, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("forks")
def test_a_bug_in_a_child_keeps_its_error() -> None:
    """Work that fails in a child is repeated in the parent, which raises the error with its traceback."""
    with pytest.raises(ZeroDivisionError):
        in_child(lambda: 1 // 0)


@pytest.mark.usefixtures("forks")
def test_a_child_that_is_killed_is_not_waited_for() -> None:
    """The work of a killed child is done in the parent process."""
    here = os.getpid()

    def work() -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return 7

    assert in_child(work) == 7


def test_a_temporary_folder_that_is_gone_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If temporary files cannot be written, the message names the folder, and nothing is exported."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    catalogue = read_catalogue([("f", SHIPPED.read_bytes())])
    with pytest.raises(FeedsError, match=rf"^{tmp_path}/gone.*: No such file or directory$"):
        export_folder(catalogue, tmp_path / "out", as_of=AS_OF)
    assert not tree(tmp_path / "out")


@pytest.mark.usefixtures("forks")
def test_results_are_the_same_without_sigchld() -> None:
    """If SIGCHLD is ignored, results are the same."""
    usual = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert in_processes(squares, PROCESSES) == SQUARES
        assert in_child(lambda: squares(0)) == SQUARES[0]
    finally:
        signal.signal(signal.SIGCHLD, usual)


def test_an_error_here_leaves_no_process_behind() -> None:
    """If the work fails in the parent too, the error is raised, and no child is left."""

    def work(number: int) -> list[bytes]:
        raise ZeroDivisionError(number)

    children = Path(f"/proc/self/task/{os.getpid()}/children")
    before = children.read_text()
    with pytest.raises(ZeroDivisionError):
        in_processes(work, 2)
    assert children.read_text() == before


def fail(message: str) -> Callable[[], None]:
    def work() -> None:
        raise FeedsError(message)

    return work


@pytest.mark.usefixtures("forks")
def test_work_in_a_child_gives_its_result_or_its_message() -> None:
    """Work in a child process returns its result, or raises its FeedsError."""
    assert in_child(os.getpid) != os.getpid()
    assert in_child(lambda: squares(1)) == SQUARES[1]
    with pytest.raises(FeedsError, match=r"^the store is silent$"):
        in_child(fail("the store is silent"))


@pytest.mark.usefixtures("forks")
def test_a_catalogue_on_two_cores_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A catalogue has the same bytes when two processes render it."""
    head, _, items = SHIPPED.read_text().partition("\nentries:\n")
    many = "".join(items.replace("- id: ", f"- id: n{number}-") for number in range(60))
    data = f"{head}\nentries:\n{many}".encode()
    catalogue = read_catalogue([("f", data)])
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    export_folder(catalogue, tmp_path / "out", as_of=AS_OF, pages=False)
    release = build_release(catalogue, as_of=AS_OF, pages=False)
    assert tree(tmp_path / "out") == {path: document.body for path, document in release.items()}


def test_the_collector_is_as_it_was() -> None:
    """`gc_paused` restores the collector's state, and does not enable it if it was disabled."""
    with gc_paused():
        assert not gc.isenabled()
        with gc_paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
