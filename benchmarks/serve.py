"""Requests per second of this app and its peers, in turns in one run.

    make bench

The server has one core to itself, and wrk the other. All send the same
feed of some 50 kB with the same headers: as it is, compressed with gzip, and as
a 304. All servers run all the time, and each gets one second of load at its
turn: these are noisy machines, and only close measurements can be compared.
Medians of the rounds are printed, and the median of each round's ratio.
"""

import argparse
import gzip
import os
import pickle
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
SECONDS = 1
KINDS: dict[str, dict[str, str]] = {
    "200": {},
    "200 gzip": {"Accept-Encoding": "gzip"},
    "304": {"If-None-Match": "?"},
}
FEEDS = [sys.executable, "-m", "feeds"]
APPS = str(ROOT / "benchmarks" / "apps.py")
SERVERS = {
    "feeds serve": [*FEEDS, "serve", "--port", "{port}"],
    "a WSGI function, constant bytes": [sys.executable, APPS, "bare", "{port}", "sample"],
    "a Flask view, constant bytes": [sys.executable, APPS, "flask", "{port}", "sample"],
    "feedgen at each request": [sys.executable, APPS, "feedgen", "{port}", "sample"],
    "nginx, the exported folder": ["nginx", "-p", ".", "-c", "nginx-{port}.conf"],
}
NGINX = """
worker_processes 1; daemon off; pid nginx.pid; error_log stderr error;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
  server {{
    listen 127.0.0.1:{port}; root out;
    location = /atom.xml {{
      gzip_static on;
      types {{ }} default_type "application/atom+xml; charset=utf-8";
{headers}
    }}
  }}
}}
"""


def catalogue() -> str:
    """Return the shipped catalogue, its entries over and over until there are fifty."""
    head, _, items = (ROOT / "entries.yaml").read_text().partition("\nentries:\n")
    entries = [f"- id:{item}" for item in items.split("- id:")[1:]]
    many = "".join(
        entries[number % len(entries)].replace("- id: ", f"- id: n{number}-", 1)
        for number in range(50)
    )
    return f"{head}\nentries:\n{many}"


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


@contextmanager
def running(name: str, folder: Path) -> Iterator[int]:
    """Run a server on the first core, and stop it."""
    port = free_port()
    if "nginx" in name:
        _, headers, _ = pickle.loads((folder / "sample").read_bytes())["200"]  # noqa: S301  # our own
        skipped = {"content-type", "content-length", "etag", "last-modified"}
        added = "\n".join(
            f"      add_header {key} '{value}';" for key, value in headers if key not in skipped
        )
        (folder / f"nginx-{port}.conf").write_text(NGINX.format(port=port, headers=added))
    command = [part.replace("{port}", str(port)) for part in SERVERS[name]]
    with subprocess.Popen(
        ["taskset", "-c", "0", *command],  # noqa: S607  # wherever it is installed
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            wait_for(port)
            yield port
        finally:
            server.terminate()


def wait_for(port: int) -> None:
    """Wait until something answers, and has something to answer with."""
    for _ in range(400):
        try:
            status, _, _ = ask(port, {})
        except OSError:
            status = ""
        if status.startswith("200"):
            return
        time.sleep(0.05)
    sys.exit(f"nothing answers on port {port}")


def ask(port: int, headers: dict[str, str]) -> tuple[str, list[tuple[str, str]], bytes]:
    """Ask for the feed; return status line, headers and body."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("GET", "/atom.xml", skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    # What the server itself adds is not the app's.
    kept = [(k.lower(), v) for k, v in answer.getheaders() if k.lower() not in {"server", "date"}]
    return f"{answer.status} {answer.reason}", kept, body


def conditions(kind: str, etag: str) -> dict[str, str]:
    """Return the headers of a kind of request."""
    return {name: value.replace("?", etag) for name, value in KINDS[kind].items()}


def measured(port: int, kind: str) -> float:
    """Check what is answered, then load the server; return requests a second."""
    etag = dict(ask(port, {})[1])["etag"]
    headers = conditions(kind, etag)
    status, answered, _ = ask(port, headers)
    if not status.startswith(kind[:3]) or (kind == "200 gzip") != (
        "content-encoding" in dict(answered)
    ):
        sys.exit(f"asked for {kind}, got {status} {answered}")
    options = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    done = subprocess.run(
        [
            *("taskset", "-c", "1", "wrk", "-t1", "-c32", f"-d{SECONDS}s", *options),
            f"http://127.0.0.1:{port}/atom.xml",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if not found or "Non-2xx" in done.stdout:
        sys.exit(done.stdout)
    return float(found[1])


def prepare(folder: Path) -> int:
    """Write the catalogue, the exported folder, and the app's own answers as the sample."""
    (folder / "entries.yaml").write_text(catalogue())
    with running("feeds serve", folder) as port:
        plain = ask(port, {})
        etag = dict(plain[1])["etag"]
        sample = {kind: ask(port, conditions(kind, etag)) for kind in KINDS}
    (folder / "sample").write_bytes(pickle.dumps(sample))
    subprocess.run([*FEEDS, "export", "out"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    file = folder / "out" / "atom.xml"
    compressed = file.with_suffix(".xml.gz")
    compressed.write_bytes(gzip.compress(file.read_bytes()))
    os.utime(compressed, (file.stat().st_mtime, file.stat().st_mtime))
    return len(plain[2])


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    for program in ("wrk", "nginx", "taskset"):
        if shutil.which(program) is None:
            sys.exit(f"{program} is needed: apt-get install wrk nginx-light util-linux")
    rates: dict[str, dict[str, list[float]]] = {
        name: {kind: [] for kind in KINDS} for name in SERVERS
    }
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        # nginx's workers run as `nobody`.
        folder.chmod(0o755)
        size = prepare(folder)
        with ExitStack() as stack:
            ports = {name: stack.enter_context(running(name, folder)) for name in SERVERS}
            for _ in range(rounds):
                for kind in KINDS:
                    for name, port in ports.items():
                        rates[name][kind].append(measured(port, kind))
    print(f"requests a second for a feed of {size} bytes, medians of {rounds};")
    print("in brackets, how many times as many `feeds serve` answers\n")
    print(f"{'':34}" + "".join(f"{kind:>20}" for kind in KINDS))
    for name, found in rates.items():
        cells = ((median(found[kind]), ratio(rates, name, kind)) for kind in KINDS)
        print(f"{name:34}" + "".join(f"{rate:12.0f} ({times:5.2f})" for rate, times in cells))


def ratio(rates: dict[str, dict[str, list[float]]], name: str, kind: str) -> float:
    """Return the ratio of requests per second of `feeds serve` to a peer: the median of all rounds."""
    pairs = zip(rates["feeds serve"][kind], rates[name][kind], strict=True)
    return median(ours / theirs for ours, theirs in pairs)


if __name__ == "__main__":
    main()
