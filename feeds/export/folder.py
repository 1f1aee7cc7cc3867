"""Export to a folder: each file is complete, old or new; identical and other files are left alone."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from feeds.build import Build, Fact, Progress, Staged, stage_missing
from feeds.errors import FeedsError
from feeds.export import CODINGS, FileEntry, Options, Report, uncompressed_path
from feeds.export.hosts import host_plans
from feeds.export.manifest import (
    FolderManifest,
    FolderState,
    check_target,
    inputs_of,
    recorded_inputs,
)
from feeds.export.safe_folder import EXPORT_FOLDER, SafeFolder, make_readable, usual_umask
from feeds.export.transaction import FOLDER_MANIFEST, NEW, StagedFile, apply, locked
from feeds.headers import compress, pays
from feeds.inputs import digest
from feeds.model import Catalogue, etag_of
from feeds.parallel import cores
from feeds.plans import Plan, plan_site
from feeds.urls import is_for_hosts

_NANOSECONDS = 1_000_000_000
# Servers that must be reloaded; others read their configuration themselves.
_RELOADS = {"nginx.conf": "reload nginx", "Caddyfile": "reload caddy"}


def export_folder(  # noqa: PLR0913  # all but the first two are keywords
    catalogue: Catalogue,
    folder: str | Path,
    *,
    as_of: datetime | None = None,
    pages: bool = True,
    host: str = "",
    compress: bool = False,
    prune: bool = True,
    force: bool = False,
    dry_run: bool = False,
) -> Report:
    """Write a catalogue's documents into a folder, leaving identical files untouched.

    Each file is replaced as a whole. A file that changes gets the current time; only
    the command `feeds export` keeps a history of when each document changed.

    Args:
        catalogue: what to publish.
        folder: created if it is missing; files that no export wrote are left alone.
        as_of: an aware datetime; entries dated later are held back. None for now.
        pages: False to write only the feeds.
        host: also write a configuration for this web server or host, such as "nginx".
        compress: also write a `.br` and a `.gz` file beside each file.
        prune: remove files that an earlier export wrote and that are no longer published.
        force: write into a non-empty folder that no export wrote, overwriting files.
        dry_run: report what would change, without changing it.

    Returns:
        The paths that were written, left unchanged and removed.

    Raises:
        FeedsError: if the folder cannot be written, is being written by another
            process, or is not empty and no export wrote it.
    """
    options = Options(compress=compress, prune=prune, force=force, dry_run=dry_run)
    planned = plan_site(catalogue, as_of=as_of or datetime.now(UTC), pages=pages)
    hosts = host_plans(host, planned.plans, planned.site, compressed=compress)
    planned = replace(planned, host_plans=hosts)
    with opened(Path(folder), options) as target:
        target.commit(stage_missing(planned, target, processes=cores()))
        return target.report


@contextmanager
def opened(folder: Path, options: Options, settings: str = "") -> Iterator["FolderTarget"]:
    """Open a folder for one export, and make it if it is missing.

    Raises FeedsError, with the path, if the folder cannot be written, holds files
    that no export wrote, or is being written by another export.
    """
    if not options.dry_run:
        _make_folder(folder)
    with closing(SafeFolder(folder)) as safe:
        check_target(safe, force=options.force)
        if options.dry_run:
            yield FolderTarget(safe, options, settings)
            return
        safe.make(EXPORT_FOLDER)
        with locked(safe):
            yield FolderTarget(safe, options, settings)


class FolderTarget:
    """A folder as the target of a build, for one commit."""

    def __init__(self, folder: SafeFolder, options: Options, settings: str) -> None:
        """Read the folder's state; `settings` is a digest of all inputs but the catalogue's files."""
        self._folder = folder
        self._settings = settings
        self._options = options
        self._state = FolderState(folder, options)
        # The files of the build, and which of them are put in place or left alone.
        self._wanted: dict[str, FileEntry] = {}
        self._replaced: list[StagedFile] = []
        self._unchanged: list[str] = []
        # Whether the manifest records what changes, until mark_purged.
        self.records_unpurged = False
        self.on_progress: Progress = lambda _stage, _part: None
        # What the commit did.
        self.report: Report

    def facts(self) -> Mapping[str, Fact]:
        """Return the documents whose files and compressed copies are unchanged."""
        compress, intact = self._options.compress, self._state.intact
        damaged = self._state.manifest.files.keys() - intact.keys() if compress else ()
        # Documents of which a compressed copy is to be written again.
        incomplete = {uncompressed_path(path) for path in damaged}
        inputs = {
            path: "" if path in incomplete else inputs_of(file.inputs, compress=compress)
            for path, file in intact.items()
        }
        return {path: Fact(inputs[path], file.etag, file.size) for path, file in intact.items()}

    def stage(self, plan: Plan, body: bytes) -> Staged:
        """Write a document and its compressed copies under temporary names, unless unchanged."""
        main = self._stage(plan.path, body)
        parts = [main]
        if self._options.compress and pays(plan.media_type):
            for coding, ending in CODINGS.items():
                smaller = compress(body, coding)
                if smaller is not None:
                    parts.append(self._stage(plan.path + ending, smaller))
        return Staged(Fact(plan.inputs, main.etag, main.size), [tuple(part) for part in parts])

    def commit(self, build: Build) -> None:
        """Put all staged files in place; raises FeedsError with the path that was refused.

        All are written to the disk under temporary names before the first is put in
        place. If a step fails, the folder is restored.
        """
        before, options, planned = self._state.manifest, self._options, build.planned
        for plan in build.plans:
            staged = build.staged.get(plan.path)
            self._add(plan.path, build.facts[plan.path], staged, build.dates.get(plan.path))
        wanted, replaced = self._wanted, self._replaced
        stale = sorted(before.files.keys() - wanted.keys())
        # A server would send an old compressed copy in place of a new document.
        gone = [path for path in stale if options.prune or uncompressed_path(path) in wanted]
        files = {**before.files, **wanted}
        after = {path: files[path] for path in files.keys() - {*gone}}
        hosts = {plan.path for plan in planned.host_plans}
        self.report = report = Report(
            written=tuple(file.path for file in replaced),
            unchanged=tuple(self._unchanged),
            removed=tuple(path for path in gone if self._folder.stat(path)),
            files=files,
            dry_run=options.dry_run,
            remarks=tuple(_remarks(gone, replaced, hosts, options)),
        )
        # The next export must read the catalogue to repeat its notes, and for held-back entries.
        repeats = planned.catalogue.notes or planned.until
        catalogue = "" if repeats else digest(planned.catalogue.source, self._settings)
        unpurged = before.unpurged
        if self.records_unpurged:
            unpurged = (*dict.fromkeys([*unpurged, *report.changed]),)
        manifest = FolderManifest(after, catalogue=catalogue, unpurged=unpurged)
        if not options.dry_run and (replaced or manifest != before):
            # The claim names all files of before and after: none is without an owner if this
            # is killed.
            claim = FolderManifest(files, finished=False, unpurged=unpurged)
            manifests = claim.to_bytes(), manifest.to_bytes()
            apply(self._folder, replaced, gone, manifests, self.on_progress)
        self._state.manifest = manifest

    @property
    def unpurged(self) -> Sequence[str]:
        """The paths of which caches may still have an older version."""
        return self._state.manifest.unpurged

    def mark_purged(self) -> None:
        """Record that caches were purged, unless another export has replaced the manifest.

        If that fails, the next export purges the same paths again.
        """
        with suppress(FeedsError), closing(SafeFolder(self._folder.root)) as folder, locked(folder):
            known = self._state.manifest.to_bytes()
            if folder.read(FOLDER_MANIFEST) == known:
                final = self._state.manifest._replace(unpurged=())
                apply(folder, [], [], (known, final.to_bytes()), self.on_progress)

    def _stage(self, path: str, body: bytes) -> StagedFile:
        """Write one file of a document, unless the folder has it."""
        etag = etag_of(body)
        known = self._state.intact.get(path)
        if known and known.etag == etag:
            return StagedFile(path, etag, len(body))
        if self._options.dry_run:
            return StagedFile(path, etag, len(body), "-")
        name = digest(path)
        inode = self._folder.write(f"{NEW}/{name}", body, named=path)
        return StagedFile(path, etag, len(body), name, inode)

    def _add(self, path: str, fact: Fact, staged: Staged | None, date: datetime | None) -> None:
        """Add a document with its compressed copies; the date is when its bytes became public."""
        compress = self._options.compress
        inputs = recorded_inputs(fact.inputs, compress=compress)
        if staged is None:
            endings = ("", *CODINGS.values()) if compress else ("",)
            for known in (path + ending for ending in endings):
                if known in self._state.intact:
                    self._keep(known, self._state.intact[known]._replace(inputs=inputs))
            return
        chosen = int(date.timestamp()) * _NANOSECONDS if date else None
        for file in (StagedFile(*row) for row in staged.place):
            chosen = self._add_file(file, inputs, chosen, is_copy=file.path != path)

    def _add_file(self, file: StagedFile, inputs: str, chosen: int | None, *, is_copy: bool) -> int:
        """Add a file, and return its time.

        The time of a changed file always increases, because servers make validators
        from it. A compressed copy has the time of its document.
        """
        path = file.path
        known = self._state.intact.get(path)
        if known and not file.name:
            self._keep(path, known._replace(inputs=inputs))
            return known.time
        chosen = int(time.time()) * _NANOSECONDS if chosen is None else chosen
        stat = self._folder.stat(path, strict=True)
        if stat and path not in self._state.manifest.files:
            body = None if is_copy else self._folder.read(path)
            if body is not None and etag_of(body) == file.etag:
                # No export wrote it, but it is the same.
                same = FileEntry(file.size, file.etag, inputs, stat.st_mtime_ns, stat.st_ino)
                self._keep(path, same)
                return same.time
            if not self._options.force:
                raise FeedsError(
                    f"{self._folder.root / path}: exists, and was not written by an export;"
                    " remove it, or overwrite it with --force"
                )
        if stat and not is_copy and stat.st_mtime_ns >= chosen:
            chosen = stat.st_mtime_ns + _NANOSECONDS
        self._wanted[path] = FileEntry(file.size, file.etag, inputs, chosen, file.inode)
        self._replaced.append(file._replace(time=chosen, replaces=stat is not None))
        return chosen

    def _keep(self, path: str, file: FileEntry) -> None:
        self._wanted[path] = file
        self._unchanged.append(path)


def _remarks(
    gone: Sequence[str], replaced: Sequence[StagedFile], hosts: set[str], options: Options
) -> Iterator[str]:
    """Yield a remark for compressed copies that are removed, and for each replaced configuration."""
    copies = sum(uncompressed_path(path) is not None for path in gone)
    if copies and not options.compress:
        verb = "would be removed" if options.dry_run else "removed"
        yield f"{copies} compressed files {verb}: keep them with --compress"
    for file in replaced:
        if file.replaces and file.path in hosts and is_for_hosts(file.path):
            name = file.path.rpartition("/")[2]
            remedy = f": {_RELOADS[name]}" if name in _RELOADS else ""
            yield f"{name} would change" if options.dry_run else f"{name} changed{remedy}"


def _make_folder(folder: Path) -> None:
    """Make a folder and its missing parents, and write their names to the disk."""
    try:
        missing = [path for path in (folder, *folder.parents) if not path.is_dir()]
        for path in reversed(missing):
            with usual_umask():
                path.mkdir(exist_ok=True)
            make_readable(path)
    except OSError as error:
        raise FeedsError(f"{folder}: {error.strerror or 'cannot be made'}") from None
    for path in missing:
        with closing(SafeFolder(path.parent)) as parent:
            parent.sync("")
