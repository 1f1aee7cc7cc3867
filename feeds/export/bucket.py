"""Release → bucket: what changed alone, whole objects, one publisher at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from feeds.errors import FeedsError
from feeds.export.bucket_claim import Claim, read, read_settled
from feeds.export.bucket_manifest import FOLDER, Held
from feeds.export.bucket_objects import Bucket, Plan, Put, make_plan
from feeds.export.bucket_store import Store
from feeds.export.manifest import File
from feeds.export.report import Options, Report
from feeds.model import Document, Site

# So many requests are under way at once.
_AT_ONCE = 16
# In seconds, for the whole.
_LONGEST = 3600


class Publication(NamedTuple):
    """What is to be published, by which clock, and who is told how far it has come."""

    release: Mapping[str, Document]
    site: Site
    clock: Callable[[], datetime]
    told: Callable[[str, float], None] = lambda _stage, _part: None


def publish_bucket(publication: Publication, store: Store, options: Options) -> Report:
    """Upload each document that differs from the object there, and then say so in the manifest.

    Each object is put whole, so readers see the old or the new. A publish that
    is killed leaves some of each, and a claim that the next one takes over, with
    what was done. Of two at once one wins, and the other raises FeedsError, as
    does a store that refuses, fails or does not answer. Nothing is removed that
    no publish put there.
    """
    return asyncio.run(_bounded(_publish(publication, store, options), store))


async def _bounded(work: Awaitable[Report], store: Store) -> Report:
    try:
        return await asyncio.wait_for(work, _LONGEST)
    except TimeoutError:
        raise FeedsError(
            f"{store.address}: this takes over an hour, and was broken off; publish again to go on"
        ) from None


async def _publish(publication: Publication, store: Store, options: Options) -> Report:
    release, site, clock, told = publication
    if options.dry_run:
        manifest, version = await read(store, force=options.force)
    else:
        manifest, version = await read_settled(store, told, force=options.force)
    told("compare", 0)
    there = await store.list()
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
    # Beside what there was, the claim names what there will be: nothing is ever nobody's.
    claim = Claim(store, version, {put.path: Held() for put in plan.puts} | before)
    await claim.take()
    try:
        await _carry_out(plan, claim, store, told)
        done = {put.path: claim.objects[put.path] for put in plan.puts}
        await claim.finish(_since(plan.after, now, clock()) | done)
    except BaseException:
        await claim.give_up()
        raise
    return report


async def _carry_out(
    plan: Plan, claim: Claim, store: Store, told: Callable[[str, float], None]
) -> None:
    done = 0

    async def upload(put: Put) -> None:
        nonlocal done
        await claim.may_begin()
        etag = await store.put(put.path, put.body, put.attributes)
        claim.objects[put.path] = Held(len(put.body), put.digest, etag)
        done += 1
        told("upload", done / len(plan.puts))

    await _each(upload, plan.feeds)
    await _each(upload, plan.pages)
    if plan.due:
        await claim.may_begin()
        await store.delete(plan.due)


async def _each(work: Callable[[Put], Awaitable[None]], puts: Iterable[Put]) -> None:
    """Do the same work on all, some at once; where one fails, no more is begun."""
    left = iter(puts)

    async def some() -> None:
        for put in left:
            await work(put)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(some())
    except* FeedsError as errors:
        failed = errors.exceptions[0]
    else:
        return
    raise failed


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
