"""granian beside waitress: slow clients, then load, in turns in one run.

    make bench

Each server answers with the shipped catalogue's release. First 200 clients open
a request and never end it, while another asks; then wrk loads the server for a
few seconds. Medians of three rounds are printed, and the ratio.
"""

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent
ROUNDS = 3
SLOW = 200
SECONDS = 4

WAITRESS = """
import waitress
from wsgi import app
waitress.serve(app, host="127.0.0.1", port={port}, connection_limit=5000, _quiet=True)
"""
SERVERS = {
    "granian": ["-m", "feeds", "serve", "--port", "{port}"],
    "waitress": ["-c", WAITRESS],
}


@contextmanager
def running(name: str) -> Iterator[int]:
    """Run a server on a free port, and stop it."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
    arguments = [part.replace("{port}", str(port)) for part in SERVERS[name]]
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_for(port)
            yield port
        finally:
            server.terminate()


def wait_for(port: int) -> None:
    """Wait until something listens."""
    for _ in range(200):
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")


def slowest_answer(port: int) -> float:
    """Give the longest of 100 answers, in milliseconds, while half-open clients hold on."""
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(SLOW)]
    for connection in slow:
        connection.sendall(b"GET /atom.xml HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    longest = 0.0
    for _ in range(100):
        begun = time.perf_counter()
        with urlopen(f"http://127.0.0.1:{port}/atom.xml", timeout=30) as answer:
            answer.read()
        longest = max(longest, time.perf_counter() - begun)
    for connection in slow:
        connection.close()
    return longest * 1000


def requests_a_second(port: int) -> float:
    """Load the server with wrk."""
    done = subprocess.run(
        ["wrk", "-t1", "-c32", f"-d{SECONDS}s", f"http://127.0.0.1:{port}/atom.xml"],  # noqa: S607  # wherever it is installed
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    return float(found[1]) if found else 0.0


def main() -> None:
    """Measure, and print a table."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed: apt-get install wrk")
    waits: dict[str, list[float]] = {name: [] for name in SERVERS}
    rates: dict[str, list[float]] = {name: [] for name in SERVERS}
    for _ in range(ROUNDS):
        for name in SERVERS:
            with running(name) as port:
                waits[name].append(slowest_answer(port))
                rates[name].append(requests_a_second(port))
    print(
        f"{'server':10} {f'longest wait, {SLOW} half-open clients':>38} {'requests a second':>20}"
    )
    for name in SERVERS:
        print(f"{name:10} {median(waits[name]):35.1f} ms {median(rates[name]):20.0f}")
    ratio = median(rates["granian"]) / median(rates["waitress"])
    print(f"granian answers {ratio:.1f} times as many as waitress")


if __name__ == "__main__":
    main()
