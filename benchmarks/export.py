"""The cost of fsync in an export: with it and, by eatmydata, without, in turns.

    python benchmarks/export.py [--entries 10000] [--rounds 5] [--folder FOLDER]

eatmydata (the Debian package) makes fsync do nothing, and changes nothing else. Each export is the first one into a folder of its own, with an empty cache,
on the file system of FOLDER. All are removed at the very end: what ext4 has just
freed keeps it busy.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from catalogues import catalogue


def exported(wrapper: list[str], file: Path, folder: Path) -> float:
    """Export a catalogue for the first time, and give the seconds."""
    os.sync()
    command: list[str | Path] = [*wrapper, sys.executable, "-m", "feeds"]
    begun = time.perf_counter()
    subprocess.run(
        [
            *command,
            "export",
            folder / "out",
            "--no-pages",
            "--catalogue",
            file,
            "--state",
            folder / "state",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - begun


def main() -> None:
    """Measure, and print the medians and that of the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"))  # noqa: S108  # a disk
    given = parser.parse_args()
    eatmydata = shutil.which("eatmydata")
    if eatmydata is None:
        sys.exit("eatmydata is not installed")
    seconds: dict[str, list[float]] = {"with fsync": [], "without": []}
    with TemporaryDirectory(dir=given.folder) as base:
        file = Path(base) / "entries.yaml"
        file.write_text(catalogue(given.entries, site=""))
        for number in range(given.rounds):
            for word, wrapper in (("with fsync", []), ("without", [eatmydata])):
                folder = Path(base) / f"{number} {word}"
                seconds[word].append(exported(wrapper, file, folder))
    for word, found in seconds.items():
        print(f"{word:<12}{median(found):8.2f} s")
    ratios = [one / other for one, other in zip(*seconds.values(), strict=True)]
    print(f"{'ratio':<12}{median(ratios):8.2f}")


if __name__ == "__main__":
    main()
