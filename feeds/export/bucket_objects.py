"""Documents as objects: what each is stored as, and which differ from what is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from feeds.export.bucket_manifest import Held
from feeds.export.bucket_store import Stored, Version
from feeds.headers import cache_control
from feeds.model import Document, Site, etag_of

_PAGE = "text/html"


class Bucket(NamedTuple):
    """What a manifest says of each object that is a publish's, and the store of each there."""

    held: Mapping[str, Held]
    there: Mapping[str, Stored]


class Put(NamedTuple):
    """An object to upload, and the version that it replaces."""

    path: str
    body: bytes
    attributes: Mapping[str, str]
    digest: str
    before: Version | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
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


def make_plan(
    release: Mapping[str, Document],
    site: Site,
    bucket: Bucket,
    *,
    compress: bool,
    now: datetime,
) -> Plan:
    """Compare a release with what the manifest and the store say of each object.

    An object stays where the last publish put the very same there, and the store
    still has that one. What is no longer published goes once it has been stale
    for as long as a copy of what names it may be kept: `site.max_age`.
    """
    held, there = bucket
    plan = Plan()
    cached = cache_control(site.max_age)
    for path, document in release.items():
        wanted = {"Content-Type": document.media_type, "Cache-Control": cached}
        digest = etag_of("\n".join([document.etag, *wanted.values(), "gzip" * compress]).encode())
        before = held.get(path)
        if before and before.digest == digest and _same(before, there.get(path)):
            plan.unchanged.append(path)
            plan.after[path] = before._replace(stale=None)
            continue
        body, coding = _stored(document, compress=compress)
        some = plan.pages if document.media_type.startswith(_PAGE) else plan.feeds
        stored = there.get(path)
        some.append(Put(path, body, wanted | coding, digest, stored and stored.version))
    for path in sorted(held.keys() & there.keys() - release.keys()):
        since = held[path].stale or now
        if held[path].stale and now - since >= timedelta(seconds=site.max_age):
            plan.due.append(path)
        else:
            plan.after[path] = held[path]._replace(stale=since)
    return plan


def _same(held: Held, stored: Stored | None) -> bool:
    """Tell whether the store still has what was put there."""
    if stored is None or stored.size != held.size:
        return False
    return stored.version.etag == held.etag or not held.etag


def _stored(document: Document, *, compress: bool) -> tuple[bytes, dict[str, str]]:
    if compress:
        # Brotli comes along, and who compresses nothing has no use for it.
        from feeds import compression  # noqa: PLC0415

        pays = compression.pays(document.media_type)
        smaller = compression.compress(document.body, "gzip") if pays else None
        if smaller:
            return smaller, {"Content-Encoding": "gzip"}
    return document.body, {}
