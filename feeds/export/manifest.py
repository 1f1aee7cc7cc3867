"""The manifest: which files an export owns, and what each was made from."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

from feeds.export.tree import OURS

# Files of version 1 have the first three columns alone.
_HEADINGS = (
    "# feeds manifest 2: path, bytes, ETag, inputs, time in nanoseconds, inode",
    "# feeds manifest 1: path, bytes, the first half of the SHA-256",
)
_UNFINISHED = "; unfinished"
_CATALOGUE = "# catalogue: "
_COLUMNS_OF_1, _COLUMNS = 3, 6
# What stands beside a file under a content coding has its name with this at the end.
CODINGS = {"br": ".br", "gzip": ".gz"}

# Added to the digest of a document's inputs where it is stored compressed, or has
# compressed files beside it.
_COMPRESSED = "+compressed"

# What a host is told stands in the export's own folder, beside these of the export itself.
_FOR_HOSTS = re.compile(
    rf"{re.escape(OURS)}/(?!(?i:lock|manifest\.tsv|new|old)$)[A-Za-z]+(?:\.[a-z]+)?"
)

# What ends a line or a field, in any reader's eyes.
_NO_PATH = "\t\n\r\0"


class File(NamedTuple):
    """What is known of a file: its size, its ETag, the digest of its inputs, and its stat.

    `time` is in nanoseconds. A file that is not there yet has neither a time nor an inode.
    """

    size: int
    etag: str
    inputs: str = ""
    time: int = 0
    inode: int = 0


class Manifest(NamedTuple):
    """The files by path, and the state of the export that wrote this.

    An unfinished one names what an export is about to write beside what it owned
    before, so that nothing is without an owner if it never ends. `catalogue` is a
    digest of the catalogue and the options that the files were made from; it is
    empty where the next export has to read the catalogue again. `unpurged` are the
    paths of which caches may still have an older version.
    """

    files: Mapping[str, File]
    finished: bool = True
    catalogue: str = ""
    unpurged: Sequence[str] = ()


class DamagedError(ValueError):
    """What was read is not a manifest."""


def written(manifest: Manifest) -> bytes:
    """Return a manifest as text: a line for each file, sorted, after the unpurged paths."""
    heading = _HEADINGS[0] if manifest.finished else _HEADINGS[0] + _UNFINISHED
    lines = [
        f"{path}\t{file.size}\t{file.etag}\t{file.inputs}\t{file.time}\t{file.inode}"
        for path, file in sorted(manifest.files.items())
    ]
    head = [heading, _CATALOGUE + manifest.catalogue, *unpurged_lines(manifest.unpurged)]
    return "\n".join([*head, *lines, ""]).encode()


def parsed(data: bytes) -> Manifest:
    """Read a manifest; raises DamagedError.

    No path of it leads out of the folder, or to what is the export's own, whoever wrote it.
    """
    try:
        heading, *lines, end = data.decode().split("\n")
        finished = not heading.endswith(_UNFINISHED)
        version = _HEADINGS.index(heading.removesuffix(_UNFINISHED))
        catalogue = "" if version else lines.pop(0)
        unpurged, lines = split_unpurged(lines)
        files = dict(_row(line, _COLUMNS_OF_1 if version else _COLUMNS) for line in lines)
    except (ValueError, IndexError):
        raise DamagedError from None
    if end or not all(map(_is_owned, [*files, *unpurged])):
        raise DamagedError
    if catalogue and not catalogue.startswith(_CATALOGUE):
        raise DamagedError
    return Manifest(files, finished, catalogue.removeprefix(_CATALOGUE), unpurged)


def unpurged_lines(paths: Sequence[str]) -> list[str]:
    """Return the lines of unpurged paths in a manifest: no line of a file begins with a tab."""
    return [f"\t{path}" for path in paths]


def split_unpurged(lines: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the unpurged paths among the lines of a manifest, and the other lines."""
    unpurged = tuple(line[1:] for line in takewhile(lambda line: line.startswith("\t"), lines))
    return unpurged, [*lines[len(unpurged) :]]


def _row(line: str, columns: int) -> tuple[str, File]:
    path, size, etag, *more = line.split("\t")
    if columns == _COLUMNS_OF_1:
        if more:
            raise ValueError
        return path, File(int(size), etag)
    inputs, time, inode = more
    return path, File(int(size), etag, inputs, int(time), int(inode))


def is_path(text: str) -> bool:
    """Return whether a text names a file below a folder, on its own line of a manifest."""
    return not ({"", ".", ".."} & {*text.split("/")} or any(sign in text for sign in _NO_PATH))


def _is_owned(path: str) -> bool:
    """Return whether a path may be in a manifest of a folder."""
    return is_path(path) and (not _is_own(path) or bool(_FOR_HOSTS.fullmatch(path)))


def _is_own(path: str) -> bool:
    """Return whether any file system would find a path in the export's own folder.

    There are some that ignore case, invisible characters, or dots and spaces at
    the end of a name.
    """
    first = path.split("/", maxsplit=1)[0]
    if first.isascii():
        return first.casefold().rstrip(". ") == OURS
    first = unicodedata.normalize("NFKC", first).casefold()
    shown = "".join(sign for sign in first if unicodedata.category(sign) != "Cf")
    return shown.rstrip(". ") == OURS


def marked(inputs: str, *, compress: bool) -> str:
    """Return a digest of inputs as a manifest has it: compressing makes other files."""
    return inputs + _COMPRESSED if compress else inputs


def unmarked(recorded: str, *, compress: bool) -> str:
    """Return the digest of inputs that a manifest has; '' if it was made with another option."""
    inputs = recorded.removesuffix(_COMPRESSED)
    return inputs if marked(inputs, compress=compress) == recorded else ""


def beside(path: str) -> str | None:
    """Return the path that a file under a content coding belongs to; None if it is no such file."""
    for ending in CODINGS.values():
        if path.endswith(ending):
            return path.removesuffix(ending)
    return None
