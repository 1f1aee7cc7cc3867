"""Documents as objects: what each is stored as, and which differ from what is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from feeds.build import Build, Fact
from feeds.export.bucket_manifest import Held
from feeds.export.manifest import marked, unmarked
from feeds.export.object_store import Stored, Version
from feeds.headers import cache_control
from feeds.model import etag_of
from feeds.plans import Plan

_PAGE = "text/html"


class Bucket(NamedTuple):
    """What a manifest says of each object that is a publish's, and the store of each there."""

    held: Mapping[str, Held]
    there: Mapping[str, Stored]

    def facts(self, *, compress: bool) -> dict[str, Fact]:
        """Return the documents whose objects are there as the last publish put them."""
        return {
            path: Fact(unmarked(held.inputs, compress=compress), held.document, held.size)
            for path, held in self.held.items()
            # Without a digest it is not known what is there: a publish was broken off.
            if held.digest and held.document and _same(held, self.there.get(path))
        }


class Put(NamedTuple):
    """An object to upload from a file, and the version that it replaces."""

    path: str
    file: Path
    attributes: Mapping[str, str]
    held: Held
    before: Version | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a publish is to do with the objects of a bucket.

    `feeds` are uploaded before `pages`, which name them. `due` is removed, and
    `after` is what the manifest names at the end, but for what is uploaded.
    """

    feeds: list[Put] = field(default_factory=list)
    pages: list[Put] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    due: list[str] = field(default_factory=list)
    after: dict[str, Held] = field(default_factory=dict)

    @property
    def puts(self) -> list[Put]:
        """All that is to be uploaded, in order."""
        return self.feeds + self.pages

    @property
    def stale(self) -> tuple[str, ...]:
        """What nothing names any more, and is left for those who still hold what named it."""
        return tuple(path for path, held in self.after.items() if held.stale)


def compare(
    build: Build, bucket: Bucket, folder: Path, *, compress: bool, now: datetime
) -> Changes:
    """Compare a build with what the manifest and the store say of each object.

    An object stays where the last publish put the very same there, and the store
    still has that one. What is no longer published goes once it has been stale
    for as long as a copy of what names it may be kept: `site.max_age`. What was
    staged is in `folder`.
    """
    held, there = bucket
    max_age = build.planned.site.max_age
    changes = Changes()
    cached = cache_control(max_age)
    for plan in build.plans:
        path, fact = plan.path, build.facts[plan.path]
        wanted = {"Content-Type": plan.media_type, "Cache-Control": cached}
        digest = etag_of("\n".join([fact.etag, *wanted.values(), "gzip" * compress]).encode())
        inputs = marked(fact.inputs, compress=compress)
        before = held.get(path)
        if before and before.digest == digest and _same(before, there.get(path)):
            changes.unchanged.append(path)
            known = before._replace(stale=None, document=fact.etag, inputs=inputs)
            changes.after[path] = known
            continue
        name, size, coding = build.staged[path].place
        attributes = wanted | ({"Content-Encoding": str(coding)} if coding else {})
        some = changes.pages if plan.media_type.startswith(_PAGE) else changes.feeds
        stored = there.get(path)
        what = Held(int(size), digest, document=fact.etag, inputs=inputs)
        some.append(Put(path, folder / str(name), attributes, what, stored and stored.version))
    for path in sorted(held.keys() & there.keys() - build.facts.keys()):
        since = held[path].stale or now
        if held[path].stale and now - since >= timedelta(seconds=max_age):
            changes.due.append(path)
        else:
            changes.after[path] = held[path]._replace(stale=since)
    return changes


def stored_body(plan: Plan, body: bytes, *, compress: bool) -> tuple[bytes, str]:
    """Return the bytes under which a document is stored, and their content coding."""
    if compress:
        # Brotli comes along, and who compresses nothing has no use for it.
        from feeds import compression  # noqa: PLC0415

        pays = compression.pays(plan.media_type)
        smaller = compression.compress(body, "gzip") if pays else None
        if smaller:
            return smaller, "gzip"
    return body, ""


def _same(held: Held, stored: Stored | None) -> bool:
    """Return whether the store still has what was put there."""
    if stored is None or stored.size != held.size:
        return False
    return stored.version.etag == held.etag or not held.etag
