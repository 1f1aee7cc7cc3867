"""The time that each mechanism for speed saves: an export with it, and without.

    python benchmarks/accelerators.py [--entries 10000] [--rounds 3]

The feeds alone of a synthetic catalogue, and another export after the title of
the newest entry was edited. In each round everything is measured in turns;
medians are printed, and the median of the rounds' ratios to the time with all.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from catalogues import catalogue

ACCELERATORS = ("", "feeds.catalogue.plain_lines", "feeds.formats.sampling", "memory", "processes")
# Runs in a process of its own: prints the seconds of a cold build and of one after an edit.
PROGRAM = """
import importlib, json, sys, time
from pathlib import Path
from tempfile import TemporaryDirectory
from feeds import parallel
from feeds.build import BuildOptions, SiteBuilder
from feeds.catalogue import ItemMemory
from feeds.export import Options as ExportOptions
from feeds.export.folder import opened
from feeds.history import History
from feeds.storage import StateFolder

without, file = sys.argv[1], Path(sys.argv[2])
if "." in without:
    importlib.import_module(without).ENABLED = False
processes = 1 if without == "processes" else parallel.cores()
text = file.read_text()
head, entries, items = text.partition("\\nentries:\\n")
seconds = []
with TemporaryDirectory(dir=file.parent) as folder:
    state = Path(folder) / "state"
    for items in (items, items.replace("title: ", "title: Edited ", 1)):
        file.write_text(f"{head}{entries}{items}")
        time.sleep(0.3)
        # As another process would, which has nothing but the state folder.
        memory = ItemMemory() if without == "memory" else ItemMemory(StateFolder(state))
        options = BuildOptions(pages=False, processes=processes, memory=memory)
        with opened(Path(folder) / "out", ExportOptions()) as target:
            begun = time.perf_counter()
            SiteBuilder(file, target, options, history=History(state)).build()
            seconds.append(time.perf_counter() - begun)
    file.write_text(text)
print(json.dumps(seconds))
"""


def measured(without: str, file: Path) -> tuple[float, float]:
    """Return the seconds of a cold build and of one after an edit, without an accelerator."""
    command = [sys.executable, "-c", PROGRAM, without, str(file)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    cold, edited = json.loads(done.stdout)
    return cold, edited


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "entries.yaml"
        file.write_text(catalogue(given.entries))
        rounds = [
            {name: measured(name, file) for name in ACCELERATORS} for _ in range(given.rounds)
        ]
    print(f"{given.entries} entries, feeds alone, medians of {given.rounds}")
    print(f"{'without':32}{'cold':>8}{'to all':>8}{'edited':>9}{'to all':>8}")
    for name in ACCELERATORS:
        line = f"{name or '(with all)':32}"
        for which in (0, 1):
            seconds = median(costs[name][which] for costs in rounds)
            ratio = median(costs[name][which] / costs[""][which] for costs in rounds)
            line += f"{seconds:8.2f}{ratio:8.2f} "
        print(line)


if __name__ == "__main__":
    main()
