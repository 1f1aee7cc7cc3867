"""The manifest: which files an export owns, with their size and hash."""

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from feeds.export.tree import OURS

_HEADING = "# feeds manifest 1: path, bytes, the first half of the SHA-256"
_UNFINISHED = f"{_HEADING}; unfinished"
# What stands beside a file under a content coding has its name with this at the end.
CODINGS = {"br": ".br", "gzip": ".gz"}

# What a host is told stands in the export's own folder, beside these of the export itself.
_FOR_HOSTS = re.compile(
    rf"{re.escape(OURS)}/(?!(?i:lock|manifest\.tsv|new|old)$)[A-Za-z]+(?:\.[a-z]+)?"
)

# What ends a line or a field, in any reader's eyes.
_NO_PATH = "\t\n\r\0"


class File(NamedTuple):
    """What is known of a file: its size in bytes, and its ETag, which is half its SHA-256."""

    size: int
    etag: str


Manifest = Mapping[str, File]


class DamagedError(ValueError):
    """What was read is no manifest."""


def written(manifest: Manifest, *, finished: bool = True) -> bytes:
    """Give a manifest as text: a line for each path, sorted, the same for the same files.

    One that is not finished names what an export is about to write beside what
    it owned before, so that nothing is without an owner if it never ends.
    """
    heading = _HEADING if finished else _UNFINISHED
    lines = [f"{path}\t{file.size}\t{file.etag}" for path, file in sorted(manifest.items())]
    return "\n".join([heading, *lines, ""]).encode()


def parsed(data: bytes) -> tuple[dict[str, File], bool]:
    """Read a manifest, and whether it is finished; raises DamagedError.

    No path of it leads out of the folder, or to what is the export's own, whoever wrote it.
    """
    try:
        heading, *lines, end = data.decode().split("\n")
        rows = [line.split("\t") for line in lines]
        found = {path: File(int(size), etag) for path, size, etag in rows}
    except ValueError:
        raise DamagedError from None
    if heading not in {_HEADING, _UNFINISHED} or end or not all(map(_is_owned, found)):
        raise DamagedError
    return found, heading == _HEADING


def is_path(text: str) -> bool:
    """Tell whether a text names a file below a folder, on its own line of a manifest."""
    return not ({"", ".", ".."} & {*text.split("/")} or any(sign in text for sign in _NO_PATH))


def _is_owned(path: str) -> bool:
    """Return whether a path may be in a manifest of a folder."""
    return is_path(path) and (not _is_own(path) or bool(_FOR_HOSTS.fullmatch(path)))


def _is_own(path: str) -> bool:
    """Return whether any file system would find a path in the export's own folder.

    There are some that ignore case, invisible characters, or dots and spaces at
    the end of a name.
    """
    first = unicodedata.normalize("NFKC", path.split("/", maxsplit=1)[0]).casefold()
    shown = "".join(sign for sign in first if unicodedata.category(sign) != "Cf")
    return shown.rstrip(". ") == OURS


def beside(path: str) -> str | None:
    """Give the path that a file under a content coding belongs to; None where it is no such file."""
    for ending in CODINGS.values():
        if path.endswith(ending):
            return path.removesuffix(ending)
    return None
