"""The processes of a server in a test: those that answer, and the one that builds."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Server


def children(process: int) -> list[int]:
    """Return the children of a process."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(pid) for pid in found.split()]


def build_processes(catalogue: Path, *words: str | Path) -> list[int]:
    """Return the processes that build a catalogue, without those that they have forked.

    Each has all these words in its command line.
    """
    program = b"feeds.server.build_process"
    found = running_with([program, os.fsencode(catalogue), *map(os.fsencode, words)])
    return [pid for pid in found if _parent(pid) not in found]


def running_with(words: Sequence[bytes]) -> list[int]:
    """Return the processes with all these words in their command lines."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if {*words} <= {*line}:
            found.append(int(process.name))
    return found


def tell_all(server: "Server", catalogue: Path, number: signal.Signals) -> None:
    """Send a signal to each process of a server, to the build process a little before the others."""
    workers = children(server.process.pid)
    for builder in build_processes(catalogue):
        os.kill(builder, number)
    time.sleep(0.2)
    for process in (*workers, server.process.pid):
        os.kill(process, number)


def _parent(process: int) -> int:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])
