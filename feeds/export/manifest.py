"""Manifests: what belongs to the site in a folder or a bucket, and what it was made from.

A manifest is a text of tab-separated lines: a heading with the version, a line with
what was published, and a line for each path, also for those that caches must forget.
An export that has nothing to do ends here: it needs neither a catalogue nor a build.
"""

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import takewhile
from os.path import realpath
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

from feeds.errors import FeedsError
from feeds.export import FileEntry, Options, Report, uncompressed_path
from feeds.export.safe_folder import EXPORT_FOLDER, SafeFolder
from feeds.export.transaction import FOLDER_MANIFEST, is_clean
from feeds.inputs import digest
from feeds.model import etag_of

# The publish's own folder in a bucket: no document's path begins so.
_BUCKET_FOLDER = ".feeds-publish/"
BUCKET_MANIFEST = f"{_BUCKET_FOLDER}manifest.tsv"

# The newest version first. Lines of version 1 have only the first columns.
_FOLDER_HEADINGS = (
    "# feeds manifest 2: path, bytes, ETag, inputs, time in nanoseconds, inode",
    "# feeds manifest 1: path, bytes, the first half of the SHA-256",
)
_FOLDER_UNFINISHED = "; unfinished"
_CATALOGUE = "# catalogue: "
# The digest of the catalogue is in the first bytes of a manifest.
_HEAD_BYTES = 500
_BUCKET_HEADINGS = (
    "# feeds bucket 2: path, bytes, hash, ETag there, since when it is stale, document, inputs",
    "# feeds bucket 1: path, bytes, hash, ETag there, since when it is stale",
)
_BUCKET_FINISHED = "# finished"
_BUCKET_UNFINISHED = "# unfinished"
_MAX_LEASE_SECONDS = 1000

# A folder with this file is that of a catalogue.
_CATALOGUE_FILE = "entries.yaml"
_NO_FILE = FileEntry(0, "")
# Added to the digest of a document's inputs if it is stored compressed, or has compressed copies.
_COMPRESSED = "+compressed"
# Configurations for hosts are in the export's own folder, which has other files as well.
_HOST_FILE = re.compile(
    rf"{re.escape(EXPORT_FOLDER)}/(?!(?i:lock|manifest\.tsv|new|old)$)[A-Za-z]+(?:\.[a-z]+)?"
)
# Characters that end a field or a line.
_SEPARATORS = "\t\n\r\0"


class FolderManifest(NamedTuple):
    """The files of a folder by path, and the state of the export that wrote this.

    An unfinished manifest names all files of before and after an export. So every
    file has an owner if the export is killed. `catalogue` is a digest of the
    catalogue and the options; it is empty if the next export must read the catalogue.
    `unpurged` are the paths of which caches may still have an older version.
    """

    files: Mapping[str, FileEntry]
    finished: bool = True
    catalogue: str = ""
    unpurged: Sequence[str] = ()

    def to_bytes(self) -> bytes:
        """Return the text of the manifest, sorted by path."""
        heading = _FOLDER_HEADINGS[0] + ("" if self.finished else _FOLDER_UNFINISHED)
        rows = [
            f"{path}\t{file.size}\t{file.etag}\t{file.inputs}\t{file.time}\t{file.inode}"
            for path, file in sorted(self.files.items())
        ]
        return _text(heading, _CATALOGUE + self.catalogue, self.unpurged, rows)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a manifest; raises ValueError if it is damaged.

        No path in it is outside the folder, or a file of the export itself.
        """
        heading, *lines = _lines(data)
        version = _FOLDER_HEADINGS.index(heading.removesuffix(_FOLDER_UNFINISHED))
        catalogue = _CATALOGUE
        if version == 0:
            catalogue, *lines = lines
        if not catalogue.startswith(_CATALOGUE):
            raise ValueError
        files, unpurged = _entries(lines, _file_row, _is_allowed_file)
        finished = not heading.endswith(_FOLDER_UNFINISHED)
        return cls(files, finished, catalogue.removeprefix(_CATALOGUE), unpurged)


class ObjectEntry(NamedTuple):
    """What is known of an object in a bucket.

    `size` is in bytes, as stored. `digest` covers the stored bytes and headers; it is
    empty if it is not known what is there. `etag` is that of the store. `stale` is
    when the object was published no longer. `document` is the ETag of the document,
    and `inputs` the digest of its inputs.
    """

    size: int = 0
    digest: str = ""
    etag: str = ""
    stale: datetime | None = None
    document: str = ""
    inputs: str = ""


@dataclass(frozen=True, slots=True)
class BucketManifest:
    """The objects of a bucket by path, and the state of the publish that wrote this.

    An unfinished manifest names all objects of before and after a publish. `lease` is
    for how many seconds the publisher may be assumed to be at work. `unpurged` are the
    paths of which caches may still have an older version. `token` differs for each
    manifest, so that the store never takes two for the same version.
    """

    objects: Mapping[str, ObjectEntry]
    finished: bool = True
    lease: float = 0
    unpurged: Sequence[str] = ()
    token: str = field(default_factory=lambda: os.urandom(8).hex())

    def to_bytes(self) -> bytes:
        """Return the text of the manifest, sorted by path."""
        state = _BUCKET_FINISHED if self.finished else f"{_BUCKET_UNFINISHED} {self.lease:g}"
        rows = [
            f"{path}\t{entry.size}\t{entry.digest}\t{entry.etag}"
            f"\t{entry.stale.isoformat() if entry.stale else ''}\t{entry.document}\t{entry.inputs}"
            for path, entry in sorted(self.objects.items())
        ]
        return _text(_BUCKET_HEADINGS[0], f"{state} {self.token}", self.unpurged, rows)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a manifest; raises ValueError if it is damaged.

        No path in it is outside the publication, or in the publish's own folder.
        """
        heading, state, *lines = _lines(data)
        state, token = state.rsplit(" ", 1)
        finished = state == _BUCKET_FINISHED
        lease = 0.0 if finished else float(state.removeprefix(_BUCKET_UNFINISHED))
        if heading not in _BUCKET_HEADINGS or not 0 <= lease < _MAX_LEASE_SECONDS:
            raise ValueError
        objects, unpurged = _entries(lines, _object_row, _is_allowed_object)
        return cls(objects, finished, lease, unpurged, token)


_Entry = TypeVar("_Entry")
_Manifest = TypeVar("_Manifest", FolderManifest, BucketManifest)


def read_manifest(
    kind: type[_Manifest], data: bytes | None, place: str, *, force: bool
) -> _Manifest:
    """Return a manifest from its bytes; an unfinished one without entries if there are none.

    Raises FeedsError, with the place, if it is damaged; with `force` it is then taken as empty.
    """
    with suppress(ValueError):
        if data is not None:
            return kind.parse(data)
    if data is None or force:
        return kind({}, finished=False)
    raise FeedsError(
        f"{place} is damaged; use --force to write a new one,"
        " and to leave what only the old one listed"
    )


def _text(heading: str, state: str, unpurged: Iterable[str], rows: Iterable[str]) -> bytes:
    # No other line begins with a tab.
    return "\n".join([heading, state, *(f"\t{path}" for path in unpurged), *rows, ""]).encode()


def _entries(
    lines: Sequence[str],
    row: Callable[[str], tuple[str, _Entry]],
    is_allowed: Callable[[str], bool],
) -> tuple[dict[str, _Entry], tuple[str, ...]]:
    """Return the entries by path, and the unpurged paths; raises ValueError if one is not allowed."""
    unpurged = tuple(line[1:] for line in takewhile(lambda line: line.startswith("\t"), lines))
    entries = dict(map(row, lines[len(unpurged) :]))
    if not all(map(is_allowed, [*entries, *unpurged])):
        raise ValueError
    return entries, unpurged


def _lines(data: bytes) -> list[str]:
    *lines, end = data.decode().split("\n")
    if end:
        raise ValueError
    return lines


def _file_row(line: str) -> tuple[str, FileEntry]:
    path, size, etag, *more = line.split("\t")
    inputs, time, inode = more or ("", 0, 0)
    return path, FileEntry(int(size), etag, inputs, int(time), int(inode))


def _object_row(line: str) -> tuple[str, ObjectEntry]:
    path, size, digest, etag, stale, *more = line.split("\t")
    document, inputs = more or ("", "")
    since = datetime.fromisoformat(stale) if stale else None
    if since and since.tzinfo is None:
        raise ValueError
    return path, ObjectEntry(int(size), digest, etag, since, document, inputs)


def _is_path(text: str) -> bool:
    """Return whether a text is a path below a folder, which fits into a line of a manifest."""
    parts = {*text.split("/")}
    return not ({"", ".", ".."} & parts or any(sign in text for sign in _SEPARATORS))


def _is_allowed_file(path: str) -> bool:
    is_ours = _is_ours(path.split("/", maxsplit=1)[0])
    return _is_path(path) and (not is_ours or bool(_HOST_FILE.fullmatch(path)))


def _is_allowed_object(path: str) -> bool:
    return _is_path(path) and not path.startswith(_BUCKET_FOLDER)


def _is_ours(name: str) -> bool:
    """Return whether any file system would find the export's own folder by a name.

    Some ignore case, invisible characters, or dots and spaces at the end.
    """
    if not name.isascii():
        name = unicodedata.normalize("NFKC", name)
        name = "".join(sign for sign in name if unicodedata.category(sign) != "Cf")
    return name.casefold().rstrip(". ") == EXPORT_FOLDER


def recorded_inputs(inputs: str, *, compress: bool) -> str:
    """Return the digest of inputs for a manifest, which depends on whether files are compressed."""
    return inputs + _COMPRESSED if compress else inputs


def inputs_of(recorded: str, *, compress: bool) -> str:
    """Return the digest of inputs from a manifest; '' if it was made with the other option."""
    inputs = recorded.removesuffix(_COMPRESSED)
    return inputs if recorded_inputs(inputs, compress=compress) == recorded else ""


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
    if _CATALOGUE_FILE in names:
        raise FeedsError(f"{folder.root}: contains {_CATALOGUE_FILE}; export into another folder")
    if names and not force and folder.read(FOLDER_MANIFEST) is None:
        raise FeedsError(
            f"{folder.root}: is not empty, and was not written by an export; export into another"
            " folder, or use --force to add the site to this one"
        )


def refuse_private(folder: Path, files: Iterable[Path], sources: Iterable[Path]) -> None:
    """Raise FeedsError if a private file, or a link to it, is anywhere below a folder to write.

    `sources` are folders beside a catalogue, whose files are published. None may contain
    the folder, or lie in it: the next export would publish what this one writes.
    """
    target = Path(realpath(folder))
    for file in files:
        for place in (Path(realpath(file.parent), file.name), Path(realpath(file))):
            if place.is_relative_to(target):
                name = place.relative_to(target).as_posix()
                raise FeedsError(f"{folder}: contains {name}; export into another folder")
    for source in sources:
        found = Path(realpath(source))
        if target.is_relative_to(found) or found.is_relative_to(target):
            raise FeedsError(
                f"{folder}: the catalogue's files are in {source}; export into another folder"
            )
