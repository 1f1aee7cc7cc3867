"""Whether a folder is as it is to be already, told without writing anything."""

from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from feeds.errors import FeedsError
from feeds.export.manifest import beside
from feeds.export.ownership import admit, owned
from feeds.export.report import Options, Report
from feeds.export.sweeping import swept
from feeds.export.tree import Tree
from feeds.model import etag_of


def up_to_date(etags: Mapping[str, str], folder: Path, options: Options) -> Report | None:
    """Give the report of an export with nothing to do; None where there may be something.

    `etags` are those of all files that belong into the folder, by path. Nothing
    is written, not even for a moment.
    """
    with suppress(FeedsError), closing(Tree(folder)) as tree:
        admit(tree, force=options.force)
        files, finished = owned(tree)
        others = files.keys() - etags.keys()
        if not finished or not swept(tree) or (others and options.prune):
            return None
        if any(beside(path) in etags for path in others):
            return None
        times: dict[str, int] = {}
        for path, etag in etags.items():
            found = tree.read(path)
            if found is None or etag_of(found.body) != etag or path not in files:
                return None
            times[path] = found.time
        if all(times[path] == times.get(beside(path) or path, times[path]) for path in etags):
            return Report(written=(), unchanged=tuple(etags), files=files, dry_run=options.dry_run)
    return None
