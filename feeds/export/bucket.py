"""Publish to a bucket: only what has changed, whole objects, one publisher at a time.

A lease keeps other publishers out. It is an unfinished manifest, put in place by
compare-and-swap, and renewed in the same way several times before it ends. A publisher
that finds one waits until it would have ended. If it is renewed, its publisher is at
work; if not, that publisher is dead, and the lease is taken over. The clocks of two
machines are never compared. No request is begun that could end after the lease.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple, Self

from feeds.build import Build, Fact, Progress, Staged
from feeds.errors import FeedsError
from feeds.export import FileEntry, Options, Report
from feeds.export.manifest import (
    BUCKET_MANIFEST,
    BucketManifest,
    ObjectEntry,
    inputs_of,
    read_manifest,
    recorded_inputs,
)
from feeds.export.object_store import PAGE_SIZE, Conflict, ObjectInfo, ObjectStore, Version
from feeds.headers import cache_control, compress, is_page, pays
from feeds.inputs import digest
from feeds.model import etag_of
from feeds.plans import Plan

_MANIFEST_HEADERS = {
    "Content-Type": "text/tab-separated-values; charset=utf-8",
    "Cache-Control": "no-store",
}
_PARALLEL_UPLOADS = 16
# Beside the store's own retries.
_UPLOAD_ATTEMPTS = 3
_SWAP_RETRIES = 2
_POLL_SECONDS = 0.05
_MAX_SECONDS = 3600
# A clock that continues while the machine sleeps, if there is one.
_now = partial(time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class BucketState(NamedTuple):
    """What is in a bucket before the catalogue is read: its manifest, and the objects."""

    manifest: BucketManifest
    version: Version | None
    objects: Mapping[str, ObjectInfo]

    def is_intact(self, path: str) -> bool:
        """Return whether the store has the object as the last publish uploaded it."""
        entry, stored = self.manifest.objects[path], self.objects.get(path)
        if stored is None or stored.size != entry.size:
            return False
        return stored.version.etag == entry.etag or not entry.etag


def begin(store: ObjectStore, options: Options, on_progress: Progress) -> BucketState:
    """Return what is published, once no other publisher is at work; raises FeedsError.

    To be called before the catalogue is read. So an older catalogue never replaces
    a newer one that another publisher has read.
    """
    manifest, version = _current_manifest(store, force=options.force)
    if not options.dry_run:
        _wait_for_end(store, manifest, on_progress, force=options.force)
    on_progress("compare", 0)
    objects = store.list()
    if version is None and not options.force and objects.keys() - {BUCKET_MANIFEST}:
        raise FeedsError(
            f"{store.address}: is not empty, and was not written by a publish; publish below"
            " another prefix, or use --force to add the site to this one"
        )
    return BucketState(manifest, version, objects)


class LeaseLostError(FeedsError):
    """Another publisher is at work."""


def _lease_lost(store: ObjectStore) -> LeaseLostError:
    return LeaseLostError(
        f"{store.address}: another publish is at work there, and wins;"
        " publish again if this one is newer"
    )


def _current_manifest(store: ObjectStore, *, force: bool) -> tuple[BucketManifest, Version | None]:
    """Return the manifest and its version; an empty one and None if there is none.

    Raises FeedsError if it is damaged; with `force` it is then taken as empty.
    """
    data, version = store.read(BUCKET_MANIFEST) or (None, None)
    place = f"{store.address}: {BUCKET_MANIFEST}"
    return read_manifest(BucketManifest, data, place, force=force), version


def _wait_for_end(
    store: ObjectStore, manifest: BucketManifest, on_progress: Progress, *, force: bool
) -> None:
    """Wait until the lease in a manifest would have ended; raises LeaseLostError if it is renewed."""
    begun = _now()
    while manifest.lease and (passed := _now() - begun) < manifest.lease:
        on_progress("wait", passed / manifest.lease)
        time.sleep(min(store.deadline / 4, manifest.lease - passed))
        current, _ = _current_manifest(store, force=force)
        if current.token != manifest.token:
            raise _lease_lost(store)


class Lease:
    """The lease of one publisher, and what it knows of the objects.

    `objects` may be changed by any thread: each renewal writes them, for a publisher
    that takes over.
    """

    def __init__(
        self,
        store: ObjectStore,
        version: Version | None,
        objects: Mapping[str, ObjectEntry],
        unpurged: Sequence[str],
    ) -> None:
        self.objects = {**objects}
        self._unpurged = unpurged
        self._store = store
        self._version = version
        self._seconds = 1.5 * store.deadline
        self._ends = 0.0
        self._must_end = _now() + _MAX_SECONDS
        self._tokens: set[str] = set()
        self._error: FeedsError | None = None
        self._stopped = Event()
        self._thread = Thread(target=self._heartbeat, name="feeds-lease", daemon=True)

    def __enter__(self) -> Self:
        """Acquire the lease, and renew it from now on; raises LeaseLostError."""
        self._renew(_SWAP_RETRIES)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """After an error, allow the next publisher to begin at once; raises LeaseLostError."""
        self._stop()
        if kind and self._error is None:
            try:
                self._swap(self._unfinished(), 1)
            except FeedsError as error:
                self._error = error
        if kind and isinstance(self._error, LeaseLostError):
            raise self._error

    def wait(self) -> None:
        """Wait until a request that begins now ends within the lease; raises FeedsError."""
        while _now() + self._store.deadline > self._ends:
            if self._error:
                raise self._error
            time.sleep(_POLL_SECONDS)
        if _now() > self._must_end:
            raise FeedsError(
                f"{self._store.address}: this takes more than an hour, and was stopped;"
                " publish again to continue"
            )

    def finish(self, objects: Mapping[str, ObjectEntry]) -> tuple[BucketManifest, Version | None]:
        """Put the final manifest in place, and return it with its version.

        Raises LeaseLostError if another publisher took over.
        """
        self._stop()
        if self._error:
            raise self._error
        manifest = BucketManifest(objects, unpurged=self._unpurged)
        self._swap(manifest, _SWAP_RETRIES)
        return manifest, self._version

    def _stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _heartbeat(self) -> None:
        while not self._stopped.wait(self._store.deadline / 8):
            try:
                self._renew(1)
            except FeedsError as error:
                # Other errors are retried until the lease ends.
                if isinstance(error, LeaseLostError) or _now() > self._ends:
                    self._error = error
                    return

    def _renew(self, retries: int) -> None:
        begun = _now()
        self._swap(self._unfinished(self._seconds), retries)
        self._ends = begun + self._seconds

    def _unfinished(self, lease: float = 0) -> BucketManifest:
        objects = {**self.objects}
        return BucketManifest(objects, finished=False, lease=lease, unpurged=self._unpurged)

    def _swap(self, manifest: BucketManifest, retries: int) -> None:
        """Replace the manifest that this publisher has written; raises FeedsError.

        The response to a swap can be lost, and then the retry conflicts with it. So a
        token of this publisher in the store is not a conflict.
        """
        body = manifest.to_bytes()
        self._tokens.add(manifest.token)
        for left in reversed(range(retries + 1)):
            try:
                self._version = self._store.swap(
                    BUCKET_MANIFEST, body, _MANIFEST_HEADERS, self._version
                )
            except Conflict:
                found, version = _current_manifest(self._store, force=True)
                if found.token == manifest.token:
                    self._version = version
                    return
                if not left or (version != self._version and found.token not in self._tokens):
                    raise _lease_lost(self._store) from None
                self._version = version
            except FeedsError:
                if left <= 1:
                    raise
            else:
                return


class Upload(NamedTuple):
    """An object to upload from a file, and the version that it replaces."""

    path: str
    file: Path
    headers: Mapping[str, str]
    entry: ObjectEntry
    before: Version | None


class BucketTarget:
    """A bucket as the target of a build, for one commit. Files to upload are staged in a folder.

    `clock` returns aware datetimes, by which objects become stale.
    """

    def __init__(
        self,
        store: ObjectStore,
        begun: BucketState,
        options: Options,
        folder: Path,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._state = begun
        self._options = options
        self._folder = folder
        self._clock = clock
        # What the commit does: it uploads feeds before pages, which link to them, and then
        # deletes the expired. `_kept` has the entries of all other objects.
        self._uploads: dict[str, list[Upload]] = {"feeds": [], "pages": []}
        self._unchanged: list[str] = []
        self._expired: list[str] = []
        self._kept: dict[str, ObjectEntry] = {}
        # Whether the manifest records what changes, until mark_purged.
        self.records_unpurged = False
        self.on_progress: Progress = lambda _stage, _part: None
        # What the commit did.
        self.report: Report

    def facts(self) -> Mapping[str, Fact]:
        """Return the documents whose objects are as the last publish uploaded them."""
        return {
            path: Fact(
                inputs_of(entry.inputs, compress=self._options.compress), entry.document, entry.size
            )
            for path, entry in self._state.manifest.objects.items()
            # Without a digest, it is not known what a killed publish has uploaded.
            if entry.digest and entry.document and self._state.is_intact(path)
        }

    def stage(self, plan: Plan, body: bytes) -> Staged:
        """Write a document into the folder, as it will be stored."""
        compresses = self._options.compress and pays(plan.media_type)
        smaller = compress(body, "gzip") if compresses else None
        name = digest(plan.path)
        size = (self._folder / name).write_bytes(smaller or body)
        fact = Fact(plan.inputs, etag_of(body), len(body))
        return Staged(fact, (name, size, "gzip" if smaller else ""))

    def commit(self, build: Build) -> None:
        """Upload each document that differs from its object, and then the manifest.

        Each object is replaced as a whole, so readers see the old or the new. A publish
        that is killed leaves some of each, and a lease that the next one takes over. Of
        two publishers at once one wins, and the other raises FeedsError, as does a
        failure of the store. Objects that no publish wrote are not deleted.
        """
        manifest, version, _ = self._state
        before = {**manifest.objects}
        now = self._clock()
        self._compare(build, now)
        uploaded = {upload.path: upload.entry for upload in chain(*self._uploads.values())}
        entries = {**before, **self._kept, **uploaded}
        self.report = Report(
            written=tuple(uploaded),
            unchanged=tuple(self._unchanged),
            removed=tuple(self._expired),
            stale=tuple(path for path, entry in self._kept.items() if entry.stale),
            files={path: FileEntry(entry.size, entry.digest) for path, entry in entries.items()},
            dry_run=self._options.dry_run,
        )
        complete = manifest.finished and not uploaded and self._kept == before
        if self._options.dry_run or complete:
            return
        # The lease names all objects of before and after, and those to upload without a
        # digest: so every object has an owner, and none is taken for what it was before.
        unknown = {path: before.get(path, ObjectEntry())._replace(digest="") for path in uploaded}
        unpurged = manifest.unpurged
        if self.records_unpurged:
            unpurged = (*dict.fromkeys([*unpurged, *self.report.changed]),)
        with Lease(self._store, version, before | unknown, unpurged) as lease:
            self._apply(lease)
            uploaded = {path: lease.objects[path] for path in uploaded}
            # An object is stale from the end of the publish: until then, others linked to it.
            end = self._clock()
            kept = {
                path: entry._replace(stale=end) if entry.stale == now else entry
                for path, entry in self._kept.items()
            }
            manifest, version = lease.finish(kept | uploaded)
        self._state = self._state._replace(manifest=manifest, version=version)

    @property
    def unpurged(self) -> Sequence[str]:
        """The paths of which caches may still have an older version."""
        return self._state.manifest.unpurged

    def mark_purged(self) -> None:
        """Record that caches were purged, unless another publish has replaced the manifest.

        If that fails, the next publish purges the same paths again.
        """
        body = BucketManifest(self._state.manifest.objects).to_bytes()
        with suppress(Conflict, FeedsError):
            self._store.swap(BUCKET_MANIFEST, body, _MANIFEST_HEADERS, self._state.version)

    def _compare(self, build: Build, now: datetime) -> None:
        """Compare a build with the manifest and the objects in the store.

        An object that is no longer published is deleted after `site.max_age`: until
        then, a cached copy of what links to it may be in use.
        """
        known, objects = self._state.manifest.objects, self._state.objects
        max_age = build.planned.site.max_age
        compress = self._options.compress
        cached = cache_control(max_age)
        for plan in build.plans:
            path, fact = plan.path, build.facts[plan.path]
            headers = {"Content-Type": plan.media_type, "Cache-Control": cached}
            identity = "\n".join([fact.etag, *headers.values(), "gzip" * compress])
            hashed = etag_of(identity.encode())
            inputs = recorded_inputs(fact.inputs, compress=compress)
            if path in known and known[path].digest == hashed and self._state.is_intact(path):
                entry = known[path]._replace(stale=None, document=fact.etag, inputs=inputs)
                self._kept[path] = entry
                self._unchanged.append(path)
                continue
            name, size, coding = build.staged[path].place
            if coding:
                headers["Content-Encoding"] = coding
            entry = ObjectEntry(size, hashed, document=fact.etag, inputs=inputs)
            before = objects[path].version if path in objects else None
            stage = "pages" if is_page(plan.media_type) else "feeds"
            upload = Upload(path, self._folder / name, headers, entry, before)
            self._uploads[stage].append(upload)
        for path in sorted(known.keys() & objects.keys() - build.facts.keys()):
            since = known[path].stale
            if since and now - since >= timedelta(seconds=max_age):
                self._expired.append(path)
            else:
                self._kept[path] = known[path]._replace(stale=since or now)

    def _apply(self, lease: Lease) -> None:
        for stage, uploads in self._uploads.items():
            with ThreadPoolExecutor(_PARALLEL_UPLOADS) as pool:
                # After an error, no more are begun.
                for number, _ in enumerate(pool.map(partial(self._upload, lease), uploads)):
                    self.on_progress(stage, number / len(uploads))
        for at in range(0, len(self._expired), PAGE_SIZE):
            lease.wait()
            self._store.delete(self._expired[at : at + PAGE_SIZE])

    def _upload(self, lease: Lease, upload: Upload) -> None:
        """Upload an object in place of the known version.

        A delayed request of an earlier publisher thus cannot replace it afterwards. If
        such a request came first, the upload conflicts, and is repeated.
        """
        before = upload.before
        body = upload.file.read_bytes()
        for left in reversed(range(_UPLOAD_ATTEMPTS)):
            lease.wait()
            try:
                etag = self._store.swap(upload.path, body, upload.headers, before).etag
            except Conflict:
                before = self._store.version(upload.path)
            except FeedsError:
                if not left:
                    raise
                time.sleep(random.uniform(0, self._store.deadline / 8))  # noqa: S311  # no secret
            else:
                lease.objects[upload.path] = upload.entry._replace(etag=etag)
                return
        raise FeedsError(
            f"{self._store.address}: another program writes there ({upload.path}); publish again"
        )
