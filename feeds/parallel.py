"""Work in forked processes, and pauses of the garbage collector.

A fork inherits everything that the work needs, and only results travel back, so this
is faster than a pool of `concurrent.futures`, which also starts threads: a process
with threads is never forked.
"""

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
# Consists of what `marshal` can write.
T = TypeVar("T", bound="list[Any] | tuple[Any, ...]")

# With fewer items, another process costs more than it saves.
_MIN_ITEMS = 300


def cores() -> int:
    """Return how many processes can run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def usable_processes(items: int, processes: int) -> int:
    """Return how many processes to use for a number of items; one if this process has threads."""
    return processes if items >= _MIN_ITEMS and _can_fork() else 1


def in_processes(work: Callable[[int], T], processes: int) -> list[T]:
    """Return the results of `work(0)`, `work(1)`, …: the first runs here, each other in a fork.

    Results consist of what `marshal` can write. Work that fails in a fork is repeated
    here, where its exception is raised.
    """
    started = [_start(work, number) for number in range(1, processes)]
    try:
        results = [work(0)]
    finally:
        # Also after an exception: no process is left behind.
        others = [_result(one) for one in started]
    for number, found in enumerate(others, 1):
        results.append(work(number) if found is None else found)
    return results


def in_child(work: Callable[[], R]) -> R:
    """Return the result of work in a fork, so that this process gets none of its memory and threads.

    The result, or a FeedsError, is pickled. If this process has threads already, the
    work is done here.
    """
    if not _can_fork():
        return work()

    def pickled(_: int) -> tuple[bytes]:
        try:
            return (pickle.dumps((work(), None)),)
        except FeedsError as error:
            return (pickle.dumps((None, error)),)

    # Work that fails in the fork is repeated here, where its exception is raised.
    (data,) = _result(_start(pickled, 0)) or pickled(0)
    result, error = pickle.loads(data)  # noqa: S301  # of this program
    if error:
        raise error
    return cast("R", result)


def dealt(items: Sequence[S], number: int, processes: int) -> Sequence[S]:
    """Return the items for one of several processes: of two, every second item."""
    return items[number::processes]


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause the garbage collector, which would examine many new objects without cycles repeatedly."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _can_fork() -> bool:
    """Check whether this process can be forked, and has no threads, not even those of a library."""
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return False
    with suppress(OSError):
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208  # no need for paths
    return True


def _start(work: Callable[[int], T], number: int) -> tuple[int, int] | None:
    """Fork; return the process id and a pipe with its result, or None if the system refuses."""
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
        # Without cleaning up, which the parent does.
        os._exit(status)


def _result(started: tuple[int, int] | None) -> Any:  # noqa: ANN401  # as `marshal` returns it
    """Return the result of a process; None if it failed."""
    if started is None:
        return None
    child, pipe = started
    found = None
    with os.fdopen(pipe, "rb") as file, suppress(EOFError, ValueError, TypeError):
        found = marshal.loads(file.read())  # noqa: S302  # of this program
    # If SIGCHLD is ignored, the system has removed the process already.
    with suppress(ChildProcessError):
        os.waitpid(child, 0)
    return found
