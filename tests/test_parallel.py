"""Work that is spread over processes gives what it gives in one."""

import gc
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import AS_OF, SHIPPED

from feeds import Release
from feeds.catalogue import read_catalogue
from feeds.parallel import spread, uncollected
from feeds.workshop import Workshop

# Of two shares, each has one more than goes over at a time.
MANY = range(5002)


def squares(numbers: Sequence[int]) -> list[bytes]:
    return [b"%d" % (number * number) for number in numbers]


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_results_are_in_order(processes: int) -> None:
    """However many processes there are, each result stands at its input's place."""
    told: list[float] = []
    assert spread(squares, MANY, processes, told.append) == squares(MANY)
    assert told == sorted(told)
    assert spread(squares, MANY[:3], processes, told.append) == squares(MANY[:3])


@pytest.mark.parametrize("how", ["exception", "killed", "exit"])
def test_a_share_whose_process_fails_is_done_here(how: str) -> None:
    """A process that dies costs time, and no result."""
    here = os.getpid()

    def work(numbers: Sequence[int]) -> list[bytes]:
        if os.getpid() != here:
            if how == "exception":
                raise MemoryError
            if how == "killed":
                os.kill(os.getpid(), 9)
            os._exit(3)
        return squares(numbers)

    assert spread(work, MANY, 2, lambda _: None) == squares(MANY)


def test_without_another_process_all_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system gives no process more, the work is done all the same."""

    def refused() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refused)
    assert spread(squares, MANY, 3, lambda _: None) == squares(MANY)


def test_a_program_with_threads_is_not_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are threads, all is done in this process."""

    def refused() -> int:
        raise AssertionError

    monkeypatch.setattr(os, "fork", refused)
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        assert spread(squares, MANY, 2, lambda _: None) == squares(MANY)
    finally:
        end.set()
        thread.join()


def test_nobody_need_wait_for_children() -> None:
    """Under a parent that ignores the end of its children, results are the same."""
    usual = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert spread(squares, MANY, 2, lambda _: None) == squares(MANY)
    finally:
        signal.signal(signal.SIGCHLD, usual)


def test_an_error_here_leaves_no_process_behind() -> None:
    """Where the work cannot be done at all, its error is raised, and no child stays."""

    def work(numbers: Sequence[int]) -> list[bytes]:
        raise ZeroDivisionError(len(numbers))

    children = Path(f"/proc/self/task/{os.getpid()}/children")
    before = children.read_text()
    with pytest.raises(ZeroDivisionError):
        spread(work, MANY, 2, lambda _: None)
    assert children.read_text() == before


def test_a_catalogue_on_two_cores_is_the_same() -> None:
    """Entries that are read and rendered in another process are just the same, and so are problems."""
    head, _, items = SHIPPED.read_text().partition("\nentries:\n")
    many = "".join(items.replace("- id: ", f"- id: n{number}-") for number in range(60))
    data = f"{head}\nentries:\n{many}".encode()
    alone = read_catalogue([("f", data)])
    both = read_catalogue([("f", data)], workshop=Workshop(processes=2))
    assert both == alone
    release = Release(both, as_of=AS_OF, pages=False, workshop=Workshop(processes=2))
    assert dict(release) == dict(Release(alone, as_of=AS_OF, pages=False))


def test_the_collector_is_as_it_was() -> None:
    """Pausing the collector ends where it began, and never begins what was off."""
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
