"""Tells whether the files of a catalogue have changed, its pictures too, by what costs no reading."""

import time
from collections.abc import Callable
from pathlib import Path

from feeds.files import Stamp, catalogue_files, media_files, media_folder, stamp
from feeds.urls import STATIC, TEMPLATES

# A file written this lately may still be being written; but nobody waits for ever.
_SETTLED = 0.1
_UNSETTLED = 2.0

# Looking at so many files is cheap; for each one more, the next look is put off, in seconds.
_FEW = 1000
_EACH = 0.0001
_LONGEST = 1.0

Fingerprint = tuple[Stamp, ...]


class Lookout:
    """Looks at a catalogue's files as often as it is asked to, and seldom where they are very many."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._next = 0.0

    def differs(self, seen: Fingerprint | None) -> bool:
        """Tell whether a look was taken, and showed other files than were seen."""
        now = self._clock()
        if now < self._next:
            return False
        found = fingerprint(self._path)
        self._next = now + min(max(len(found) - _FEW, 0) * _EACH, _LONGEST)
        return found != seen


def fingerprint(path: Path) -> Fingerprint:
    """Tell a catalogue's contents from any other; () if there is none."""
    try:
        files = [stamp(str(file), file.stat()) for file in catalogue_files(path)]
        media = media_folder(path)
        others = (media_files(media.parent / name, f"{name}/") for name in (STATIC, TEMPLATES))
        return (*files, *media_files(media).values(), *(f for o in others for f in o.values()))
    except (OSError, ValueError):
        return ()


def settled(path: Path) -> Fingerprint:
    """Return the fingerprint once two looks, a little apart, have shown the same files.

    One look is enough where all files are older. Their times may lie in the future,
    or have been set back to the past while they were being written.
    """
    end = time.monotonic() + _UNSETTLED
    found = fingerprint(path)
    while _latest(found) / 1e9 > time.time() - _SETTLED and time.monotonic() < end:
        time.sleep(_SETTLED)
        before, found = found, fingerprint(path)
        if found == before:
            break
    return found


def _latest(found: Fingerprint) -> int:
    return max((max(changed, written) for *_, changed, written in found), default=0)
