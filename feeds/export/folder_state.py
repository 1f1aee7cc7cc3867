"""What is in an exported folder: known without building anything, and without what builds."""

from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from feeds.errors import FeedsError
from feeds.export.manifest import File
from feeds.export.ownership import MANIFEST, admit, owned
from feeds.export.report import Options, Report
from feeds.export.sweeping import swept
from feeds.export.tree import Tree
from feeds.inputs import digest
from feeds.model import etag_of

# In bytes: the first two lines of a manifest.
_HEAD = 500


class FolderState:
    """The manifest of a folder, and which of its files are there as they were written."""

    def __init__(self, tree: Tree, options: Options) -> None:
        self.manifest = owned(tree, force=options.force)
        self._tree = tree
        self._verify = options.verify
        self._there: dict[str, File] | None = None

    def intact(self) -> Mapping[str, File]:
        """Return the files of the manifest that are there as they were written.

        A file whose size, time or inode differs is read: if its bytes are the same, it
        is intact.
        """
        if self._there is None:
            files = sorted(self.manifest.files.items())
            found = {path: self._checked(path, file) for path, file in files}
            self._there = {path: file for path, file in found.items() if file}
        return self._there

    def _checked(self, path: str, file: File) -> File | None:
        stat = self._tree.stat(path)
        if stat is None:
            return None
        known = file._replace(size=stat.st_size, time=stat.st_mtime_ns, inode=stat.st_ino)
        if known == file and not self._verify:
            return file
        found = self._tree.read(path)
        return known if found and etag_of(found.body) == file.etag else None


def manifest_stamp(tree: Tree) -> tuple[int, ...]:
    """Return what differs between the manifest of an export and that of any other."""
    found = tree.stat(MANIFEST)
    return (found.st_ino, found.st_size, found.st_mtime_ns) if found else ()


def up_to_date(folder: Path, options: Options, made_by: str, source: str) -> Report | None:
    """Return the report of an export with nothing to do; None where there may be something.

    `source` is a digest of the catalogue's files, and `made_by` of all else that
    files depend on. Nothing is written, not even for a moment.
    """
    with suppress(FeedsError), closing(Tree(folder)) as tree:
        admit(tree, force=options.force)
        found = tree.read(MANIFEST)
        catalogue = digest(source, made_by)
        # Reading a manifest takes longer than finding out that it is another one's.
        if found is None or catalogue.encode() not in found.body[:_HEAD]:
            return None
        state = FolderState(tree, options)
        before = state.manifest
        if before.catalogue != catalogue or not before.finished:
            return None
        if state.intact() != before.files or not swept(tree):
            return None
        return Report(
            written=(),
            unchanged=tuple(before.files),
            files=before.files,
            dry_run=options.dry_run,
        )
    return None
