"""How to export, and what was done."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from feeds.export.manifest import File, beside
from feeds.urls import is_for_hosts

_DONE = ("written", "unchanged", "removed")
_TO_DO = ("to write", "to leave", "to remove")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to export.

    `prune` takes away what an earlier export wrote and this one does not, and
    `compress` puts Brotli and gzip beside each file. `force` writes into a
    folder that holds other things, and `dry_run` writes nothing. `verify` reads
    each file of the folder, where otherwise size, time and inode are compared.
    """

    prune: bool = True
    compress: bool = False
    force: bool = False
    dry_run: bool = False
    verify: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The paths that an export wrote, left as they were, and removed; `files` knows each.

    Those that are `stale` are still there, and are removed by a later publish.
    `remarks` are what else the webmaster should know.
    """

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    files: Mapping[str, File]
    dry_run: bool = False
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = _TO_DO if self.dry_run else _DONE
        lists = (self.written, self.unchanged, self.removed)
        told = [f"{word} {len(paths)}" for word, paths in zip(words, lists, strict=True)]
        told += [f"stale {len(self.stale)}"] * bool(self.stale)
        return "; ".join([", ".join(told), *self.remarks])

    def as_json(self) -> str:
        """Give the report for other programs: each path with its bytes."""
        lists = zip(_DONE, (self.written, self.unchanged, self.removed), strict=True)
        told: dict[str, Any] = {word: _listed(paths, self.files) for word, paths in lists}
        if self.stale:
            told["stale"] = _listed(self.stale, self.files)
        return json.dumps(told | {"dry_run": self.dry_run}, ensure_ascii=False, indent=2)

    @property
    def changed(self) -> list[str]:
        """The paths that are answered otherwise than before.

        What lies beside a file under a content coding has no address, nor has what
        a server or a host is told.
        """
        return [
            path
            for path in (*self.written, *self.removed)
            if beside(path) is None and not is_for_hosts(path)
        ]

    @property
    def etags(self) -> dict[str, str]:
        """The ETag of each file that belongs into the folder, by path."""
        return {path: self.files[path].etag for path in (*self.written, *self.unchanged)}


def _listed(paths: Iterable[str], files: Mapping[str, File]) -> list[dict[str, str | int]]:
    return [{"path": path, "bytes": files[path].size} for path in paths]
