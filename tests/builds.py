"""Builds into memory: the documents of a catalogue with their dates, and the files for its host."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

from feeds import Document
from feeds.build import Build, BuildOptions, Fact, SiteBuilder, Staged, stage_missing
from feeds.history import History
from feeds.plans import Plan, PlannedSite

_NOW = partial(datetime.now, UTC)


def etag_of(body: bytes) -> str:
    """Return the ETag of a document: a digest of its bytes alone."""
    return sha256(body).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedDocument(Document):
    """A document, and since when its bytes are public at its address."""

    modified: datetime | None = None


class Memory:
    """A target in memory, empty at first."""

    def __init__(self) -> None:
        self.documents: dict[str, DatedDocument] = {}
        self._facts: Mapping[str, Fact] = {}
        self._staged: dict[str, DatedDocument] = {}

    def facts(self) -> Mapping[str, Fact]:
        return self._facts

    def stage(self, plan: Plan, body: bytes) -> Staged:
        etag = etag_of(body)
        self._staged[plan.path] = DatedDocument(
            path=plan.path, body=body, media_type=plan.media_type, etag=etag
        )
        return Staged(Fact(plan.inputs, etag, len(body)))

    def commit(self, build: Build) -> None:
        found = {
            path: self._staged[path] if path in build.staged else self.documents[path]
            for path in (plan.path for plan in build.plans)
        }
        self.documents = {
            path: replace(document, modified=build.dates.get(path))
            for path, document in found.items()
        }
        self._facts = build.facts


def dated(
    file: Path, *, state: Path, url: str | None = None, clock: Callable[[], datetime] = _NOW
) -> dict[str, DatedDocument]:
    """Return the documents of a catalogue, with the dates that the history in `state` has for them."""
    target = Memory()
    options = BuildOptions(url=url, clock=clock, sleep=lambda _: None)
    SiteBuilder(file, target, options, history=History(state)).build()
    return target.documents


def bodies(planned: PlannedSite) -> dict[str, bytes]:
    """Return the bytes of every plan of a site, including the host's files."""
    target = Memory()
    target.commit(stage_missing(planned, target))
    return {path: document.body for path, document in target.documents.items()}
