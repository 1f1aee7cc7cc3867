"""A bucket as a target: what changed alone, whole objects, one publisher at a time."""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from feeds.build import Build, Fact, Progress, Staged
from feeds.errors import FeedsError
from feeds.export.bucket_claim import ATTRIBUTES, Claim, read, read_settled
from feeds.export.bucket_manifest import FOLDER, MANIFEST, Held, Manifest, written
from feeds.export.bucket_objects import Bucket, Changes, Put, compare, stored_body
from feeds.export.bucket_store import PAGE, Conflict, Store, Stored, Version
from feeds.export.manifest import File
from feeds.export.report import Options, Report
from feeds.inputs import digest
from feeds.model import etag_of
from feeds.plans import Plan

# So many requests are under way at once.
_AT_ONCE = 16
# An upload is tried so often, beside the store's own retries.
_TRIES = 3


class Begun(NamedTuple):
    """The manifest of a bucket as it was before the catalogue was read, and what there is."""

    manifest: Manifest
    version: Version | None
    there: Mapping[str, Stored]


def begin(store: Store, options: Options, on_progress: Progress) -> Begun:
    """Look what is published, and that nobody else is at work; raises FeedsError.

    What is built after this is newer than whatever is published without it: so
    nobody's older catalogue comes after a newer one.
    """
    if options.dry_run:
        manifest, version = read(store, force=options.force)
    else:
        manifest, version = read_settled(store, on_progress, force=options.force)
    on_progress("compare", 0)
    there = store.list()
    if version is None and not options.force and any(_foreign(there)):
        raise FeedsError(
            f"{store.address}: is not empty, and no publish wrote it; publish below a"
            " prefix of its own, or among what is there with --force"
        )
    return Begun(manifest, version, there)


class BucketTarget:
    """What is published in a bucket, and what is to be uploaded; that is staged in a folder.

    `clock` gives aware datetimes, by which objects become stale.
    """

    def __init__(
        self,
        store: Store,
        begun: Begun,
        options: Options,
        folder: Path,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._begun = begun
        self._manifest, self._version = begun.manifest, begun.version
        self._bucket = Bucket({**begun.manifest.objects}, begun.there)
        self._options = options
        self._folder = folder
        self._clock = clock
        # Whether the manifest records what changes, until mark_purged.
        self.records_unpurged = False
        self.on_progress: Progress = lambda _stage, _part: None
        self.report: Report | None = None

    def facts(self) -> Mapping[str, Fact]:
        """Return the documents whose objects are there as the last publish put them."""
        return self._bucket.facts(compress=self._options.compress)

    def stage(self, plan: Plan, body: bytes) -> Staged:
        """Write a document into the folder, as it is to be stored."""
        stored, coding = stored_body(plan, body, compress=self._options.compress)
        name = digest(plan.path)
        (self._folder / name).write_bytes(stored)
        fact = Fact(plan.inputs, etag_of(body), len(body))
        return Staged(fact, (name, len(stored), coding))

    def commit(self, build: Build) -> None:
        """Upload each document that differs from the object there, and then say so in the manifest.

        Each object is put whole, so readers see the old or the new. A publish that
        is killed leaves some of each, and a claim that the next one takes over, with
        what was done. Of two at once one wins, and the other raises FeedsError, as
        does a store that refuses, fails or does not answer. Nothing is removed that
        no publish put there.
        """
        store, options = self._store, self._options
        manifest, version, _ = self._begun
        before = {**manifest.objects}
        now = self._clock()
        changes = compare(build, self._bucket, self._folder, compress=options.compress, now=now)
        self.report = report = _report(changes, before, dry_run=options.dry_run)
        finished = manifest.finished and not changes.puts and changes.after == before
        if options.dry_run or finished:
            return
        # Beside what there was, the claim names what there will be, as long as it is not
        # there as unknown: so nothing is ever nobody's, nor taken for what it was.
        unknown = {
            put.path: before.get(put.path, Held())._replace(digest="") for put in changes.puts
        }
        unpurged = manifest.unpurged
        if self.records_unpurged:
            unpurged = (*dict.fromkeys([*unpurged, *report.changed]),)
        claim = Claim(store, version, before | unknown, unpurged)
        claim.take()
        try:
            _carry_out(changes, claim, store, self.on_progress)
            done = {put.path: claim.objects[put.path] for put in changes.puts}
            manifest, version = claim.finish(_since(changes.after, now, self._clock()) | done)
            self._manifest, self._version = manifest, version
        except BaseException:
            claim.give_up()
            raise

    @property
    def unpurged(self) -> Sequence[str]:
        """The paths of which caches may still have an older version."""
        return self._manifest.unpurged

    def mark_purged(self) -> None:
        """Record that caches were purged, unless another publish has replaced the manifest.

        Where that fails, the next publish purges the same paths again.
        """
        body = written(Manifest(objects=self._manifest.objects))
        with suppress(Conflict, FeedsError):
            self._store.swap(MANIFEST, body, ATTRIBUTES, self._version)


def _carry_out(
    changes: Changes, claim: Claim, store: Store, told: Callable[[str, float], None]
) -> None:
    def upload(put: Put) -> None:
        etag = _uploaded(put, claim, store)
        claim.objects[put.path] = put.held._replace(etag=etag)

    for kind, puts in (("feeds", changes.feeds), ("pages", changes.pages)):
        _each(upload, puts, partial(told, kind))
    for at in range(0, len(changes.due), PAGE):
        claim.may_begin()
        store.delete(changes.due[at : at + PAGE])


def _uploaded(put: Put, claim: Claim, store: Store) -> str:
    """Put an object in the place of what was there, and give its ETag.

    So what an earlier publisher sent, and the store or the network has kept until
    now, replaces nothing of this one's. Where it came before, this one's comes
    once more.
    """
    before = put.before
    body = put.file.read_bytes()
    for left in reversed(range(_TRIES)):
        claim.may_begin()
        try:
            return store.swap(put.path, body, put.attributes, before).etag
        except Conflict:
            before = store.version(put.path)
        except FeedsError:
            if not left:
                raise
            time.sleep(random.uniform(0, store.bound / 8))  # noqa: S311  # no secret
    raise FeedsError(f"{store.address}: somebody else writes there ({put.path}); publish again")


def _each(work: Callable[[Put], None], puts: Sequence[Put], told: Callable[[float], None]) -> None:
    """Do the same work on all, some at once; where one fails, no more is begun."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        doing = [pool.submit(work, put) for put in puts]
        try:
            for number, done in enumerate(as_completed(doing)):
                done.result()
                told(number / len(puts))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _since(after: Mapping[str, Held], begun: datetime, now: datetime) -> dict[str, Held]:
    """Let what has become stale in this publish be so from its end: until then, it was named."""
    return {
        path: held._replace(stale=now) if held.stale == begun else held
        for path, held in after.items()
    }


def _foreign(there: Iterable[str]) -> Iterable[str]:
    return (path for path in there if not path.startswith(f"{FOLDER}/"))


def _report(changes: Changes, held: dict[str, Held], *, dry_run: bool) -> Report:
    files = {path: File(one.size, one.digest) for path, one in (held | changes.after).items()}
    return Report(
        written=tuple(put.path for put in changes.puts),
        unchanged=tuple(changes.unchanged),
        removed=tuple(changes.due),
        stale=changes.stale,
        files=files | {put.path: File(put.held.size, put.held.digest) for put in changes.puts},
        dry_run=dry_run,
    )
