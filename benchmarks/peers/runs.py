"""What a command costs: time, processor time, and memory of all its processes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from peers import Command

# Seconds between two looks at the memory.
PAUSE = 0.01
# As in ordinary use, the second run of a program finds the bytecode of the first.
ENVIRONMENT = {name: os.environ[name] for name in os.environ if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall clock and processors, and megabytes; 0 where the memory was not looked at."""

    wall: float
    cpu: float
    memory: float

    def of(self, measure: str) -> float:
        """Return one of the three by its name."""
        return {"wall": self.wall, "cpu": self.cpu, "memory": self.memory}[measure]


def run(command: Command, folder: Path, *, sampled: bool) -> Cost:
    """Run a command in a folder, to its end."""
    log = folder.parent / "log"
    # What was written before is not this command's to wait for.
    os.sync()
    with log.open("wb") as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=ENVIRONMENT, stdout=errors, stderr=errors
        )
        memory = _peak(process.pid) if sampled else 0
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        words = " ".join(map(str, command))
        sys.exit(f"{words}: exit code {process.returncode}\n{log.read_text()[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, memory / 1e6)


def _peak(pid: int) -> int:
    """Wait until a process ends; return the most bytes that it and its children held together."""
    peak = 0
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        relatives = [*family(pid)]
        shares = sum(map(share, relatives))
        # A process that began or ended meanwhile shares pages that were counted as another's only.
        if relatives == [*family(pid)]:
            peak = max(peak, shares)
        time.sleep(PAUSE)
    return peak


def family(pid: int) -> Iterator[int]:
    """Return a process and its children, and theirs."""
    yield pid
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = file.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from family(int(child))


def share(pid: int) -> int:
    """Return a process's proportional set size: a page that several share counts once in their sum."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        # It has just ended.
        return 0
    sizes = [line.split()[1] for line in text.splitlines() if line.startswith("Pss:")]
    return 1024 * int(sizes[0]) if sizes else 0
