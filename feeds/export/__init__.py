"""Exports to folders and buckets: their options, and the report of what was done."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from feeds.urls import is_for_hosts

# The endings of compressed files.
CODINGS = {"br": ".br", "gzip": ".gz"}
_DONE = ("written", "unchanged", "removed")
_TO_DO = ("to write", "to leave", "to remove")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to export.

    Attributes:
        prune: remove what an earlier export wrote and this one does not.
        compress: write Brotli and gzip copies of files; into a bucket, gzip alone.
        force: write into a non-empty folder, overwriting existing files.
        dry_run: write nothing.
        verify: read each file of the folder; otherwise size, time and inode are compared.
    """

    prune: bool = True
    compress: bool = False
    force: bool = False
    dry_run: bool = False
    verify: bool = False


class FileEntry(NamedTuple):
    """What is known of a file: its size, ETag, digest of its inputs, and stat.

    `time` is in nanoseconds. A file that is not in place yet has no time.
    """

    size: int
    etag: str
    inputs: str = ""
    time: int = 0
    inode: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an export did, or with `dry_run` would do.

    Attributes:
        written: the paths that were written.
        unchanged: the paths that were left as they were.
        removed: the paths that were removed.
        stale: paths that are no longer published, and are removed by a later publish.
        files: an entry for each of these paths.
        dry_run: whether nothing was done.
        remarks: messages for the webmaster.
    """

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    files: Mapping[str, FileEntry]
    dry_run: bool = False
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = _TO_DO if self.dry_run else _DONE
        lists = (self.written, self.unchanged, self.removed)
        counts = [f"{word} {len(paths)}" for word, paths in zip(words, lists, strict=True)]
        counts += [f"stale {len(self.stale)}"] * bool(self.stale)
        return "; ".join([", ".join(counts), *self.remarks])

    def as_json(self) -> str:
        """Return the report as JSON, with the path and the size in bytes of each file."""
        lists = zip(_DONE, (self.written, self.unchanged, self.removed), strict=True)
        rows = {word: self._rows(paths) for word, paths in lists}
        if self.stale:
            rows["stale"] = self._rows(self.stale)
        return json.dumps(rows | {"dry_run": self.dry_run}, ensure_ascii=False, indent=2)

    def _rows(self, paths: Iterable[str]) -> list[dict[str, str | int]]:
        return [{"path": path, "bytes": self.files[path].size} for path in paths]

    @property
    def changed(self) -> list[str]:
        """The paths whose responses have changed: without compressed copies and configurations."""
        return [
            path
            for path in (*self.written, *self.removed)
            if uncompressed_path(path) is None and not is_for_hosts(path)
        ]


def uncompressed_path(path: str) -> str | None:
    """Return the path of the file of which this is a compressed copy; None if it is not one."""
    stem, dot, ending = path.rpartition(".")
    return stem if dot + ending in CODINGS.values() else None
