"""A folder as a target: each file whole, old or new; identical ones untouched; others left alone."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from feeds.build import Build, Fact, Progress, Staged, stage_missing
from feeds.errors import FeedsError
from feeds.export import manifest
from feeds.export.exchange import Exchange
from feeds.export.folder_state import FolderState, manifest_stamp
from feeds.export.hosts import host_plans
from feeds.export.interruption import interrupted_once
from feeds.export.lock import locked
from feeds.export.manifest import CODINGS, File, Manifest, beside, marked, unmarked
from feeds.export.ownership import MANIFEST, admit, refuse_others
from feeds.export.report import Options, Report
from feeds.export.staging import Put, sync_staged
from feeds.export.sweeping import NEW, sweep
from feeds.export.tree import OURS, Tree, let_in, usual_umask
from feeds.inputs import digest
from feeds.model import Catalogue, etag_of
from feeds.parallel import cores
from feeds.paths import is_for_hosts
from feeds.plans import Plan, plan_site

_DEFAULT = Options()
_SECOND = 1_000_000_000
# The names of the two manifests among the staged files.
_CLAIM, _FINAL = "claim", "manifest"
# What makes a server read its configuration again; others read theirs by themselves.
_RELOADS = {"nginx.conf": "reload nginx", "Caddyfile": "reload caddy"}


def export_folder(  # noqa: PLR0913  # all but the first three are keywords
    catalogue: Catalogue,
    folder: str | Path,
    options: Options = _DEFAULT,
    *,
    as_of: datetime | None = None,
    pages: bool = True,
    host: str = "",
) -> Report:
    """Write a catalogue's documents into a folder, and return what was done.

    Args:
        catalogue: what to publish.
        folder: it is made if it is missing; what no export wrote there is left alone.
        options: see Options.
        as_of: an aware datetime; entries dated later are held back. Now, if None.
        pages: without them there are the feeds alone.
        host: also write a configuration for this web server or host, such as "nginx".

    Raises:
        FeedsError: with the path that the file system refuses, or that is somebody else's.

    A file that changes gets the time of the export. `feeds export` has a history
    beside the catalogue, and gives each file the time since when its bytes are public.
    """
    planned = plan_site(catalogue, as_of=as_of or datetime.now(UTC), pages=pages)
    hosts = host_plans(host, planned.plans, planned.site, compressed=options.compress)
    planned = replace(planned, host_plans=hosts)
    with opened(Path(folder), options) as target:
        target.commit(stage_missing(planned, target, processes=cores()))
        if target.report is None:
            raise FeedsError(f"{folder}: nothing was committed")
        return target.report


@contextmanager
def opened(folder: Path, options: Options, made_by: str = "") -> Iterator["FolderTarget"]:
    """Open a folder for this export alone, and make it if it is missing.

    Raises FeedsError with the path where the folder cannot be written, belongs
    to somebody else, or is being written.
    """
    if not options.dry_run:
        _make(folder)
    with closing(Tree(folder)) as tree:
        admit(tree, force=options.force)
        if options.dry_run:
            yield FolderTarget(tree, options, made_by)
            return
        tree.make(OURS)
        with locked(tree):
            target = FolderTarget(tree, options, made_by)
            sweep(tree)
            tree.make(NEW)
            try:
                yield target
            finally:
                with suppress(FeedsError):
                    sweep(tree)


class _Part(NamedTuple):
    """One file of a document: the document itself, or what stands beside it under a coding."""

    path: str
    etag: str
    size: int
    # Of the staged file; empty and 0 where the folder has it already.
    name: str = ""
    inode: int = 0


class FolderTarget:
    """What an earlier export wrote into a folder, and what this one is to put there."""

    def __init__(self, tree: Tree, options: Options, made_by: str) -> None:
        """`made_by` is a digest of all that files depend on beside the catalogue's files."""
        self._tree = tree
        self._made_by = made_by
        self._options = options
        self._state = FolderState(tree, options)
        self._before = self._final = self._state.manifest
        self._stamp: tuple[int, ...] = ()
        # Whether the manifest records what changes, until mark_purged.
        self.records_unpurged = False
        self.on_progress: Progress = lambda _stage, _part: None
        self.report: Report | None = None
        # How often a build was begun.
        self._trials = 0

    def facts(self) -> Mapping[str, Fact]:
        """Return the documents whose files, and those beside them, are as they were written."""
        self._trials += 1
        there = self._state.intact()
        compress = self._options.compress
        found: dict[str, Fact] = {}
        for path, file in there.items():
            whole = not compress or self._has_companions(path)
            inputs = unmarked(file.inputs, compress=compress) if whole else ""
            found[path] = Fact(inputs, file.etag, file.size)
        return found

    def stage(self, plan: Plan, body: bytes) -> Staged:
        """Write a document, and what stands beside it, under other names; those that differ."""
        main = self._stage(plan.path, body, plan.path)
        parts = [main]
        if self._options.compress:
            # Loaded where it is asked for: an export without has no use for Brotli.
            from feeds.compression import compress, pays  # noqa: PLC0415

            if pays(plan.media_type):
                for coding, ending in CODINGS.items():
                    smaller = compress(body, coding)
                    if smaller is not None:
                        parts.append(self._stage(plan.path + ending, smaller, plan.path))
        return Staged(Fact(plan.inputs, main.etag, main.size), [tuple(part) for part in parts])

    def commit(self, build: Build) -> None:
        """Put all that is staged in place; raises FeedsError with the path that was refused.

        Everything is on the disk under other names before the first file is put in
        place; where a step fails, what was there is there again.
        """
        before, options = self._before, self._options
        changes = _Changes(
            self._tree, before.files, self._state.intact(), compress=options.compress
        )
        for plan in build.plans:
            changes.add(plan.path, build.facts[plan.path], build.staged.get(plan.path), build.dates)
        puts, wanted = changes.puts, changes.wanted
        if not options.force:
            refuse_others(self._tree, puts, before)
        stale = sorted(before.files.keys() - wanted.keys())
        # Beside a document nothing old may stay: it would be sent in its place.
        gone = [path for path in stale if options.prune or beside(path) in wanted]
        files = {**before.files, **wanted}
        after = {path: files[path] for path in files.keys() - {*gone}}
        hosts = {plan.path for plan in build.planned.host_plans}
        self.report = report = Report(
            written=tuple(put.path for put in puts),
            unchanged=tuple(changes.unchanged),
            removed=tuple(path for path in gone if self._tree.stat(path)),
            files=files,
            dry_run=options.dry_run,
            remarks=(*_uncompressed(gone, options), *_reconfigured(puts, hosts, options)),
        )
        planned = build.planned
        # The next export has to repeat the notes, and what is held back, all the same.
        repeats = planned.catalogue.notes or planned.until
        catalogue = "" if repeats else digest(planned.catalogue.source, self._made_by)
        unpurged = before.unpurged
        if self.records_unpurged:
            unpurged = (*dict.fromkeys([*unpurged, *report.changed]),)
        final = Manifest(after, catalogue=catalogue, unpurged=unpurged)
        if not options.dry_run and (puts or final != before):
            claim = Manifest(files, finished=False, unpurged=unpurged)
            self._carry_out(puts, gone, claim=claim, final=final)
        self._final, self._stamp = final, manifest_stamp(self._tree)

    @property
    def unpurged(self) -> Sequence[str]:
        """The paths of which caches may still have an older version."""
        return self._final.unpurged

    def mark_purged(self) -> None:
        """Record that caches were purged, unless another export has replaced the manifest.

        Where that fails, the next export purges the same paths again.
        """
        with suppress(FeedsError), closing(Tree(self._tree.root)) as tree, locked(tree):
            if manifest_stamp(tree) == self._stamp:
                self._tree = tree
                sweep(tree)
                tree.make(NEW)
                final = self._final._replace(unpurged=())
                self._carry_out([], [], claim=self._final, final=final)

    def _has_companions(self, path: str) -> bool:
        """Return whether what stood beside a document under a coding is there, with its time."""
        there = self._state.intact()
        beside = [path + ending for ending in CODINGS.values()]
        return all(
            other in there and there[other].time == there[path].time
            for other in beside
            if other in self._before.files
        )

    def _stage(self, path: str, body: bytes, leader: str) -> _Part:
        """Write one file of a document, unless the folder has it with the time of the document."""
        etag = etag_of(body)
        known, leading = self._state.intact().get(path), self._state.intact().get(leader)
        if known and known.etag == etag and leading and known.time == leading.time:
            return _Part(path, etag, len(body))
        if self._options.dry_run:
            return _Part(path, etag, len(body), "-")
        name = digest(path)
        staged = f"{NEW}/{name}"
        if self._trials > 1 and self._tree.stat(staged):
            # The catalogue was changed while it was being built.
            self._tree.unlink(staged)
        inode = self._tree.write(staged, body, named=path)
        return _Part(path, etag, len(body), name, inode)

    def _carry_out(
        self, puts: Sequence[Put], gone: Sequence[str], *, claim: Manifest, final: Manifest
    ) -> None:
        """Put files in place between two manifests, and take others away.

        The first manifest names what there was and what there will be: so, if this
        process is killed, nothing is left that the next export does not know as ours.
        """
        tree = self._tree
        exchange = Exchange(tree)
        with interrupted_once() as ignore_interrupts:
            try:
                manifests = [
                    self._written(_CLAIM, claim, replaces=tree.stat(MANIFEST) is not None),
                    self._written(_FINAL, final, replaces=True),
                ]
                sync_staged(tree, [*puts, *manifests], self.on_progress)
                self._place(exchange, puts, gone)
            except BaseException as error:
                ignore_interrupts()
                whole = exchange.undo()
                with suppress(FeedsError):
                    sweep(tree)
                if whole or not isinstance(error, FeedsError | KeyboardInterrupt):
                    raise
                reason = error if isinstance(error, FeedsError) else "interrupted"
                raise FeedsError(f"{reason}; not all could be put back: export again") from None
        sweep(tree)

    def _written(self, name: str, wanted: Manifest, *, replaces: bool) -> Put:
        body = manifest.written(wanted)
        self._tree.write(f"{NEW}/{name}", body, named=MANIFEST)
        return Put(name, MANIFEST, etag_of(body), time.time_ns(), replaces)

    def _place(self, exchange: Exchange, puts: Sequence[Put], gone: Sequence[str]) -> None:
        """Put all that is staged in place, between the two manifests, and take away what is gone."""
        self._tree.rename(f"{NEW}/{_CLAIM}", MANIFEST)
        self._tree.sync(OURS)
        for number, put in enumerate(puts):
            self.on_progress("place", number / len(puts))
            exchange.put(put.name, put.path, replaces=put.replaces)
        exchange.sync()
        for path in gone:
            exchange.take(path)
        exchange.put(_FINAL, MANIFEST, replaces=True)
        exchange.sync()


class _Changes:
    """What differs between a folder and what it is to have."""

    def __init__(
        self, tree: Tree, before: Mapping[str, File], there: Mapping[str, File], *, compress: bool
    ) -> None:
        self.puts: list[Put] = []
        self.unchanged: list[str] = []
        self.wanted: dict[str, File] = {}
        self._tree = tree
        self._before = before
        self._there = there
        self._compress = compress
        # Whether each folder is there.
        self._folders: dict[str, bool] = {}

    def add(
        self, path: str, fact: Fact, staged: Staged | None, dates: Mapping[str, datetime]
    ) -> None:
        """Add a document with what stands beside it."""
        inputs = marked(fact.inputs, compress=self._compress)
        if staged is None:
            for file in (path, *(path + ending for ending in CODINGS.values())):
                if file in self._there and (file == path or self._compress):
                    self._keep(file, self._there[file]._replace(inputs=inputs))
            return
        parts = [_Part(*row) for row in staged.place]
        date = dates.get(path)
        moment = int(date.timestamp()) * _SECOND if date else None
        for part in parts:
            moment = self._add_part(part, inputs, moment, leader=part.path == path)

    def _add_part(self, part: _Part, inputs: str, moment: int | None, *, leader: bool) -> int:
        """Add a file, and return its time.

        A changed file never keeps its time, nor gets an earlier one: servers make
        their validators from it. What stands beside a document has the document's time.
        """
        path, etag, size, name, inode = part
        known = self._there.get(path)
        if known and not name:
            self._keep(path, known._replace(inputs=inputs))
            return known.time
        chosen = int(time.time()) * _SECOND if moment is None else moment
        stat = self._tree.stat(path) if self._is_folder(path) else None
        if stat and leader and path not in self._before:
            # No export wrote it, and yet it may be the same.
            found = self._tree.read(path)
            if found and etag_of(found.body) == etag:
                self._keep(path, File(size, etag, inputs, found.time, stat.st_ino))
                return found.time
        if stat and leader and stat.st_mtime_ns >= chosen:
            chosen = stat.st_mtime_ns + _SECOND
        self.wanted[path] = File(size, etag, inputs, chosen, inode)
        if stat is None and self._is_folder(path):
            # Raises FeedsError where something is that is not a file.
            self._tree.read(path)
        replaces = stat is not None
        self.puts.append(Put(name, path, etag, chosen, replaces))
        return chosen

    def _is_folder(self, path: str) -> bool:
        """Return whether the folder around a path is there; raises FeedsError for anything else."""
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            around = folder.rpartition("/")[0]
            is_there = not folder or not around or self._is_folder(folder)
            self._folders[folder] = is_there and self._tree.has_folder(folder)
        return self._folders[folder]

    def _keep(self, path: str, file: File) -> None:
        self.wanted[path] = file
        self.unchanged.append(path)


def _uncompressed(gone: Sequence[str], options: Options) -> Iterator[str]:
    """Yield a remark where an earlier export put compressed files there, and this one does not."""
    count = 0 if options.compress else sum(beside(path) is not None for path in gone)
    if count:
        verb = "would be removed" if options.dry_run else "removed"
        yield f"{count} compressed files {verb}: keep them with --compress"


def _reconfigured(puts: Sequence[Put], hosts: set[str], options: Options) -> Iterator[str]:
    """Yield a remark for each file of the host's configuration that is replaced."""
    for put in puts:
        if put.replaces and put.path in hosts and is_for_hosts(put.path):
            name = put.path.rpartition("/")[2]
            remedy = f": {_RELOADS[name]}" if name in _RELOADS else ""
            yield f"{name} would change" if options.dry_run else f"{name} changed{remedy}"


def _make(folder: Path) -> None:
    """Make a folder that lasts, with those around it; raises FeedsError."""
    try:
        missing = [path for path in (folder, *folder.parents) if not path.is_dir()]
        for path in reversed(missing):
            with usual_umask():
                path.mkdir(exist_ok=True)
            let_in(path)
    except OSError as error:
        raise FeedsError(f"{folder}: {error.strerror or 'cannot be made'}") from None
    for path in missing:
        with closing(Tree(path.parent)) as around:
            around.sync("")
