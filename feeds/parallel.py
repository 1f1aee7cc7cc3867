"""Spreads work over processes, where that pays, and keeps the collector from walking what grows."""

import gc
import marshal
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO, TypeVar

T = TypeVar("T")

# Below this many pieces of work, a process costs more than it saves.
_PAYS = 1000
# In seconds. Longer turns would add up: a request needs Python several times.
_TURN = 0.00002
# So many at a time, lest all that is made on the way be in memory at once.
_AT_ONCE = 500


def spread(
    work: Callable[[Sequence[T]], list[bytes]],
    inputs: Sequence[T],
    processes: int,
    told: Callable[[float], None],
) -> list[bytes]:
    """Do the same work on all inputs, each process on its share; results are in their order.

    Each process gets through its share some at a time, and `told` is told how
    much of this one's is done. The processes are forks of this one; where it has
    threads, whose locks would be copied as they are, there are none. A share
    whose process comes to grief is done here.
    """
    alone = processes == 1 or len(inputs) < _PAYS or not hasattr(os, "fork")
    if alone or threading.active_count() > 1:
        return _do(work, inputs, told)
    size = -(-len(inputs) // processes)
    shares = [inputs[at : at + size] for at in range(0, len(inputs), size)]
    started = [_begin(work, share) for share in shares[1:]]
    try:
        results = _do(work, shares[0], told)
    finally:
        # Whatever happened here, no process is left behind.
        others = list(map(_end, started))
    for share, done in zip(shares[1:], others, strict=True):
        results += _do(work, share, told) if done is None else done
    return results


def _do(
    work: Callable[[Sequence[T]], list[bytes]],
    inputs: Sequence[T],
    told: Callable[[float], None] = lambda _: None,
) -> list[bytes]:
    results: list[bytes] = []
    for at in range(0, len(inputs), _AT_ONCE):
        told(at / len(inputs))
        results += work(inputs[at : at + _AT_ONCE])
    return results


def cores() -> int:
    """Give how many processes can run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


@contextmanager
def uncollected() -> Iterator[None]:
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


def leave(*things: object) -> None:
    """Leave all that there is, and what is named, to the end of this process, which is near.

    Neither is it walked for cycles, nor taken apart piece by piece: the operating
    system takes it back at once.
    """
    kept: list[object] = [*things]
    kept.append(kept)
    gc.freeze()


@contextmanager
def considerate() -> Iterator[None]:
    """Let other threads of this process have their turn often while a thread has long work."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _begin(
    work: Callable[[Sequence[T]], list[bytes]], share: Sequence[T]
) -> tuple[int, int] | None:
    """Start a process; None where there can be no more."""
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
            results = _do(work, share)
            # A copy of all of it would be in memory, here and there.
            for at in range(0, len(results), _AT_ONCE):
                marshal.dump(marshal.dumps(results[at : at + _AT_ONCE]), pipe)
            marshal.dump(b"", pipe)
        status = 0
    finally:
        # Whatever else this copy would do on its way out is its parent's to do.
        os._exit(status)


def _end(started: tuple[int, int] | None) -> list[bytes] | None:
    """Give what a process did; None where it failed."""
    if started is None:
        return None
    child, pipe = started
    with os.fdopen(pipe, "rb") as file:
        results = _received(file)
    # Where signals of ended children are ignored, there is nobody to wait for.
    with suppress(ChildProcessError):
        os.waitpid(child, 0)
    return results


def _received(file: BinaryIO) -> list[bytes] | None:
    results: list[bytes] = []
    try:
        while part := marshal.load(file):  # noqa: S302  # of this program
            results += marshal.loads(part)  # noqa: S302
    except (EOFError, ValueError, TypeError):
        return None
    return results
