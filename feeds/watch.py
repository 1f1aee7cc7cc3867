"""Tells whether the files of a catalogue have changed, by what costs no reading."""

import time
from collections.abc import Callable
from pathlib import Path

from feeds.files import catalogue_files

# A file written this lately may still be being written; but nobody waits for ever.
_SETTLED = 0.1
_UNSETTLED = 2.0

Fingerprint = tuple[tuple[str, int, int, int, int], ...]


def fingerprint(path: Path) -> Fingerprint:
    """Tell a catalogue's contents from any other; () if there is none."""
    try:
        files = [(str(file), file.stat()) for file in catalogue_files(path)]
    except (OSError, ValueError):
        return ()
    return tuple(
        (name, found.st_ino, found.st_size, found.st_ctime_ns, found.st_mtime_ns)
        for name, found in files
    )


def settled(path: Path, sleep: Callable[[float], None]) -> Fingerprint:
    """Give the fingerprint once nobody seems to be writing any more."""
    end = time.monotonic() + _UNSETTLED
    while True:
        found = fingerprint(path)
        age = time.time() - max((written for *_, written in found), default=0) / 1e9
        if not 0 <= age < _SETTLED or time.monotonic() > end:
            return found
        sleep(_SETTLED - age)
