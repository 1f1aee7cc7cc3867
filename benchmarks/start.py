"""How long the commands take to start, beside an empty Python.

    python benchmarks/start.py

Each command runs in turn, many times; printed are medians, and the medians of
each round's ratio to `python -c pass`.
"""

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from peers.runs import ENVIRONMENT

ROOT = Path(__file__).parent.parent
FEEDS = str(Path(sys.executable).with_name("feeds"))


def seconds(command: Sequence[str]) -> float:
    """Return how long a command takes."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def edit(file: Path) -> None:
    """Change one entry."""
    head, item, tail = file.read_text().partition("\n  title: ")
    file.write_text(f"{head}{item}Edited {tail}")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    with TemporaryDirectory() as temporary:
        file, state = Path(temporary) / "entries.yaml", Path(temporary) / "state"
        shutil.copy(ROOT / "entries.yaml", file)
        check = [FEEDS, "check", "--catalogue", str(file), "--state", str(state)]
        found: dict[str, list[float]] = {}
        for _ in range(rounds):
            shutil.rmtree(state, ignore_errors=True)
            for name, command in (
                ("python -c pass", [sys.executable, "-c", "pass"]),
                ("feeds --help", [FEEDS, "--help"]),
                ("feeds check, for the first time", check),
                ("feeds check, nothing changed", check),
                ("feeds check, one entry edited", check),
            ):
                if "edited" in name:
                    edit(file)
                found.setdefault(name, []).append(seconds(command))
    empty = found["python -c pass"]
    for name, times in found.items():
        ratio = median(one / other for one, other in zip(times, empty, strict=True))
        print(f"{name:34}{median(times) * 1000:7.1f} ms {ratio:6.1f}")


if __name__ == "__main__":
    main()
