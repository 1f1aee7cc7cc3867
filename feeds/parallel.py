"""Work in several processes, and pauses of the collector of reference cycles."""

import gc
import marshal
import os
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, cast

from feeds.errors import FeedsError

R = TypeVar("R")
S = TypeVar("S")
# What `marshal` can write.
T = TypeVar("T", bound="list[Any] | tuple[Any, ...]")

# Below this many pieces of work, a process costs more than it saves.
_MIN_WORK = 300


def cores() -> int:
    """Return how many processes can run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def usable_processes(work: int, processes: int) -> int:
    """Return in how many processes to do so many pieces of work.

    Processes are forks: where this one has threads, there are no others.
    """
    return processes if work >= _MIN_WORK and _can_fork() else 1


def in_processes(work: Callable[[int], T], processes: int) -> list[T]:
    """Return the results of `work(0)`, `work(1)`, …: the first is done here, each other in a fork.

    Results consist of what `marshal` can write. What a process fails to do is done
    here, where an exception is raised as usual.
    """
    started = [_start(work, number) for number in range(1, processes)]
    try:
        results = [work(0)]
    finally:
        # Whatever happened here, no process is left behind.
        others = [_result(one) for one in started]
    for number, found in enumerate(others, 1):
        results.append(work(number) if found is None else found)
    return results


def in_child(work: Callable[[], R]) -> R:
    """Return the result of some work that is done in a fork, which keeps its memory and threads.

    The result, and a FeedsError that is raised there, is what `pickle` can write. Where
    this process has threads already, it is done here.
    """
    if not _can_fork():
        return work()

    def pickled(_: int) -> tuple[bytes]:
        try:
            return (pickle.dumps((work(), None)),)
        except FeedsError as error:
            return (pickle.dumps((None, error)),)

    # What a process fails to do, as with a bug, is done here, where its error is raised.
    (data,) = _result(_start(pickled, 0)) or pickled(0)
    result, refusal = pickle.loads(data)  # noqa: S301  # of this program
    if refusal:
        raise refusal
    return cast("R", result)


def dealt(things: Sequence[S], number: int, processes: int) -> Sequence[S]:
    """Return the share of a process in some things: every second one of two, and so on."""
    return things[number::processes]


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause the collector of reference cycles while much is built that has none.

    It would walk all of it again and again.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _can_fork() -> bool:
    """Return whether this process can be forked, and has no threads, of a library neither."""
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return False
    with suppress(OSError):
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208  # no need for paths
    return True


def _start(work: Callable[[int], T], number: int) -> tuple[int, int] | None:
    """Start a process; return its id and a pipe with its result, None if there can be no more."""
    ours, theirs = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(ours)
        os.close(theirs)
        return None
    if child:
        os.close(theirs)
        return child, ours
    status = 1
    try:
        os.close(ours)
        with os.fdopen(theirs, "wb") as pipe:
            marshal.dump(work(number), pipe)
        status = 0
    finally:
        # Whatever else this copy would do on its way out is its parent's to do.
        os._exit(status)


def _result(started: tuple[int, int] | None) -> Any:  # noqa: ANN401  # as `marshal` gives it
    """Return what a process did; None if it failed."""
    if started is None:
        return None
    child, pipe = started
    found = None
    with os.fdopen(pipe, "rb") as file, suppress(EOFError, ValueError, TypeError):
        found = marshal.loads(file.read())  # noqa: S302  # of this program
    # Where signals of ended children are ignored, there is nobody to wait for.
    with suppress(ChildProcessError):
        os.waitpid(child, 0)
    return found
