"""Waiting times of requests while a large catalogue is edited, and the time until an edit is served.

    python benchmarks/reload.py [--entries 10000] [--rounds 3]

`feeds serve` runs with everything that it publishes, and two clients request
feeds, one request after the other. For some seconds nothing changes; then one
entry is edited again and again, by another process. Printed are percentiles of
what the clients waited, of both times in turns, and the ratio of the 99th.
"""

import argparse
import subprocess
import sys
import threading
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from catalogues import catalogue
from peers import FEEDS
from peers.servers import Connection, serving

SECONDS = 8
PATHS = ("/atom.xml", "/topics/topic-03/rss.xml", "/topics/topic-05/feed.json", "/rss.xml")
# Run as a process of its own: what it does must not hold up the clients.
EDITOR = """
import sys, time
from http.client import HTTPConnection
from pathlib import Path
file, number, end = Path(sys.argv[1]), sys.argv[2], time.monotonic() + float(sys.argv[4])
text = file.read_text()
connection = HTTPConnection("127.0.0.1", int(sys.argv[3]), timeout=20)
def etag():
    connection.request("HEAD", "/atom.xml")
    answer = connection.getresponse()
    answer.read()
    return answer.getheader("ETag")
while time.monotonic() < end:
    head, item, tail = text.partition(f"- id: entry-{number}\\n  title: ")
    new = file.with_suffix(".new")
    new.write_text(f"{head}{item}{time.time()} {tail}")
    before, begun = etag(), time.perf_counter()
    new.replace(file)
    while etag() == before and time.perf_counter() - begun < 10:
        time.sleep(0.01)
    print(time.perf_counter() - begun)
    time.sleep(0.5)
"""


def client(port: int, waits: list[float]) -> None:
    """Ask for some feeds in turn, a little pause between, and record each wait."""
    connection = Connection(port)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for path in PATHS:
            begun = time.perf_counter()
            connection.get(path)
            waits.append(time.perf_counter() - begun)
            time.sleep(0.001)


def load(port: int) -> list[float]:
    """Run two clients for a while; return their waiting times, sorted."""
    waits: list[float] = []
    clients = [threading.Thread(target=client, args=(port, waits)) for _ in range(2)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    return sorted(waits)


def loaded_while_edited(port: int, file: Path, entry: str) -> tuple[list[float], list[float]]:
    """Return the waiting times of clients while an entry was edited, and how long until each edit was served."""
    command = [sys.executable, "-c", EDITOR, str(file), entry, str(port), str(SECONDS - 1)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as editor:
        waits = load(port)
        said, _ = editor.communicate(timeout=60)
    return waits, [float(line) for line in said.split()]


def report(name: str, waits: list[float]) -> float:
    """Print percentiles in milliseconds; return the 99th."""
    parts = {part: waits[int(len(waits) * part / 100)] * 1000 for part in (50, 99, 99.9)}
    cells = "".join(f"  p{part} {value:6.2f}" for part, value in parts.items())
    print(f"{name:8}{len(waits):7} requests {cells}  most {waits[-1] * 1000:6.2f} ms")
    return parts[99]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=8791)
    options = parser.parse_args()
    ratios, served = [], []
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        file = folder / "entries.yaml"
        file.write_text(catalogue(options.entries, site=""))
        command = (FEEDS, "serve", "--port", str(options.port))
        with serving(command, folder, options.port) as server:
            server.first_answer(PATHS[0])
            for _ in range(options.rounds):
                quiet = report("quiet", load(options.port))
                entry = f"{options.entries - 10:06}"
                waits, edits = loaded_while_edited(options.port, file, entry)
                ratios.append(report("edited", waits) / quiet)
                served += edits
    print(f"99th percentile, edited to quiet: {median(ratios):.1f}   goal ≤ 3")
    print(f"an edit is served after {median(served):.2f} s, at most {max(served):.2f}   goal ≤ 1")


if __name__ == "__main__":
    main()
