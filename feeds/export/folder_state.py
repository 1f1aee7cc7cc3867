"""What is in a folder, and whether an export may write there; known without building the site."""

from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from functools import cached_property
from os.path import realpath
from pathlib import Path

from feeds.errors import FeedsError
from feeds.export import Options, Report
from feeds.export.manifest import (
    FOLDER_MANIFEST,
    FileEntry,
    FolderManifest,
    read_manifest,
    uncompressed_path,
)
from feeds.export.safe_folder import EXPORT_FOLDER, SafeFolder
from feeds.export.transaction import is_clean
from feeds.inputs import digest
from feeds.model import etag_of

_CATALOGUE = "entries.yaml"
# The digest of the catalogue is in the first bytes of a manifest.
_HEAD_BYTES = 500
_NO_FILE = FileEntry(0, "")


class FolderState:
    """The manifest of a folder, and which of its files are unchanged since they were written."""

    def __init__(self, folder: SafeFolder, options: Options) -> None:
        data, place = folder.read(FOLDER_MANIFEST), f"{folder.root / FOLDER_MANIFEST}:"
        self.manifest = read_manifest(FolderManifest, data, place, force=options.force)
        self._folder = folder
        self._verify = options.verify

    @cached_property
    def intact(self) -> Mapping[str, FileEntry]:
        """The files of the manifest whose bytes are unchanged; copies with the document's time.

        A file is read only if its size, time or inode differs, or with `verify`.
        """
        files = self.manifest.files
        checked = ((path, self._checked(path, file)) for path, file in sorted(files.items()))
        found = {path: file for path, file in checked if file}
        for path in [*found]:
            document = uncompressed_path(path) or ""
            if document in files and found.get(document, _NO_FILE).time != found[path].time:
                del found[path]
        return found

    def _checked(self, path: str, file: FileEntry) -> FileEntry | None:
        stat = self._folder.stat(path)
        if stat is None:
            return None
        current = file._replace(size=stat.st_size, time=stat.st_mtime_ns, inode=stat.st_ino)
        if current == file and not self._verify:
            return file
        body = self._folder.read(path)
        return current if body is not None and etag_of(body) == file.etag else None


def manifest_stamp(folder: SafeFolder) -> tuple[int, ...]:
    """Return what differs between the manifest of an export and that of any other."""
    found = folder.stat(FOLDER_MANIFEST)
    return (found.st_ino, found.st_size, found.st_mtime_ns) if found else ()


def up_to_date(folder: Path, options: Options, settings: str, source: str) -> Report | None:
    """Return the report of an export that has nothing to do; None if there may be something.

    `source` is a digest of the catalogue's files, and `settings` of everything else that
    files depend on. Nothing is written.
    """
    with suppress(FeedsError), closing(SafeFolder(folder)) as opened:
        check_target(opened, force=options.force)
        data = opened.read(FOLDER_MANIFEST)
        catalogue = digest(source, settings)
        # This is faster than to parse a manifest of another catalogue.
        if data is None or catalogue.encode() not in data[:_HEAD_BYTES]:
            return None
        state = FolderState(opened, options)
        manifest, files = state.manifest, state.manifest.files
        same_source = manifest.finished and manifest.catalogue == catalogue
        if same_source and is_clean(opened) and state.intact == files:
            unchanged = tuple(files)
            return Report(written=(), unchanged=unchanged, files=files, dry_run=options.dry_run)
    return None


def check_target(folder: SafeFolder, *, force: bool) -> None:
    """Raise FeedsError if a folder holds a catalogue, or other files that no export wrote."""
    # In this order, an export that has just begun there is recognised.
    names = {*folder.names()} - {EXPORT_FOLDER}
    if _CATALOGUE in names:
        raise FeedsError(f"{folder.root}: contains {_CATALOGUE}; export into another folder")
    if names and not force and folder.read(FOLDER_MANIFEST) is None:
        raise FeedsError(
            f"{folder.root}: is not empty, and was not written by an export; export into another"
            " folder, or use --force to add the site to this one"
        )


def refuse_media(folder: Path, media: Path) -> None:
    """Raise FeedsError if a folder is that of a catalogue's pictures, or one contains the other.

    The next export would publish the exported files as pictures.
    """
    target, pictures = Path(realpath(folder)), Path(realpath(media))
    if target.is_relative_to(pictures) or pictures.is_relative_to(target):
        raise FeedsError(
            f"{folder}: the catalogue's files are in {media}; export into another folder"
        )


def refuse_private(folder: Path, files: Iterable[Path]) -> None:
    """Raise FeedsError if a private file is anywhere below a folder, or a link to it."""
    target = Path(realpath(folder))
    for file in files:
        for place in (Path(realpath(file.parent), file.name), Path(realpath(file))):
            if place.is_relative_to(target):
                name = place.relative_to(target).as_posix()
                raise FeedsError(f"{folder}: contains {name}; export into another folder")
