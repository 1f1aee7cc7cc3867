"""Release → bucket: what changed alone, whole objects, one publisher at a time."""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from functools import partial
from typing import NamedTuple

from feeds.errors import FeedsError
from feeds.export.bucket_claim import Claim, read, read_settled
from feeds.export.bucket_manifest import FOLDER, Held, Manifest
from feeds.export.bucket_objects import Bucket, Plan, Put, make_plan
from feeds.export.bucket_store import PAGE, Conflict, Store, Version
from feeds.export.manifest import File
from feeds.export.report import Options, Report
from feeds.model import Document, Site

# So many requests are under way at once.
_AT_ONCE = 16
# An upload is tried so often, beside the store's own retries.
_TRIES = 3


class Publication(NamedTuple):
    """What is to be published, by which clock, and who is told how far it has come.

    `owe` is given the paths that will change, before the first does.
    """

    release: Mapping[str, Document]
    site: Site
    clock: Callable[[], datetime]
    told: Callable[[str, float], None] = lambda _stage, _part: None
    owe: Callable[[Sequence[str]], None] = lambda _: None


class Begun(NamedTuple):
    """A bucket, and its manifest as it was before the catalogue was read."""

    store: Store
    manifest: Manifest
    version: Version | None


def begin(store: Store, options: Options, told: Callable[[str, float], None]) -> Begun:
    """Look what is published, and that nobody else is at work; raises FeedsError.

    What is built after this is newer than whatever is published without it: so
    nobody's older catalogue comes after a newer one.
    """
    if options.dry_run:
        return Begun(store, *read(store, force=options.force))
    return Begun(store, *read_settled(store, told, force=options.force))


def publish_bucket(begun: Begun, publication: Publication, options: Options) -> Report:
    """Upload each document that differs from the object there, and then say so in the manifest.

    Each object is put whole, so readers see the old or the new. A publish that
    is killed leaves some of each, and a claim that the next one takes over, with
    what was done. Of two at once one wins, and the other raises FeedsError, as
    does a store that refuses, fails or does not answer. Nothing is removed that
    no publish put there.
    """
    store, manifest, version = begun
    release, site, clock, told, owe = publication
    told("compare", 0)
    there = store.list()
    if version is None and not options.force and any(_foreign(there)):
        raise FeedsError(
            f"{store.address}: is not empty, and no publish wrote it; publish below a prefix of"
            " its own, or among what is there with --force"
        )
    before = {**manifest.objects}
    now = clock()
    plan = make_plan(release, site, Bucket(before, there), compress=options.compress, now=now)
    report = _report(plan, before, dry_run=options.dry_run)
    if options.dry_run or (manifest.finished and not plan.puts and plan.after == before):
        return report
    # Beside what there was, the claim names what there will be, as long as it is not
    # there as unknown: so nothing is ever nobody's, nor taken for what it was.
    unknown = {put.path: before.get(put.path, Held())._replace(digest="") for put in plan.puts}
    claim = Claim(store, version, before | unknown)
    claim.take()
    try:
        owe(report.changed)
        _carry_out(plan, claim, store, told)
        done = {put.path: claim.objects[put.path] for put in plan.puts}
        claim.finish(_since(plan.after, now, clock()) | done)
    except BaseException:
        claim.give_up()
        raise
    return report


def _carry_out(plan: Plan, claim: Claim, store: Store, told: Callable[[str, float], None]) -> None:
    def upload(put: Put) -> None:
        etag = _uploaded(put, claim, store)
        claim.objects[put.path] = Held(len(put.body), put.digest, etag)

    for kind, puts in (("feeds", plan.feeds), ("pages", plan.pages)):
        _each(upload, puts, partial(told, kind))
    for at in range(0, len(plan.due), PAGE):
        claim.may_begin()
        store.delete(plan.due[at : at + PAGE])


def _uploaded(put: Put, claim: Claim, store: Store) -> str:
    """Put an object in the place of what was there, and give its ETag.

    So what an earlier publisher sent, and the store or the network has kept until
    now, replaces nothing of this one's. Where it came before, this one's comes
    once more.
    """
    before = put.before
    for left in reversed(range(_TRIES)):
        claim.may_begin()
        try:
            return store.swap(put.path, put.body, put.attributes, before).etag
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


def _report(plan: Plan, held: dict[str, Held], *, dry_run: bool) -> Report:
    files = {path: File(one.size, one.digest) for path, one in (held | plan.after).items()}
    return Report(
        written=tuple(put.path for put in plan.puts),
        unchanged=tuple(plan.unchanged),
        removed=tuple(plan.due),
        stale=plan.stale,
        files=files | {put.path: File(len(put.body), put.digest) for put in plan.puts},
        dry_run=dry_run,
    )
