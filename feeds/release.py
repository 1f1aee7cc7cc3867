"""Build every document of a catalogue at one moment in memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from feeds.build import Build, Fact, Staged, stage_missing
from feeds.formats import FORMATS, Format
from feeds.model import Catalogue, Document, Feed, Site, etag_of
from feeds.parallel import gc_paused
from feeds.plans import Plan, plan_site


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Release(Mapping[str, Document]):
    """All documents of one catalogue at one moment, by path. Immutable.

    A path is relative to the site's URL, such as `topics/x/atom.xml`.

    Attributes:
        documents: each Document, by path, sorted.
        site: the site that is published.
        feeds: the feeds that exist, the feed of everything first.
        formats: the formats that each feed is published in.
        as_of: the moment of the release; entries dated later are not in it.
        until: the next moment at which the same catalogue has other documents;
            None if there is no such moment.
    """

    documents: Mapping[str, Document]
    site: Site
    feeds: Sequence[Feed]
    formats: Sequence[Format]
    as_of: datetime
    until: datetime | None

    @property
    def id(self) -> str:
        """A digest of all documents."""
        return release_id({path: document.etag for path, document in self.items()})

    def __getitem__(self, path: str) -> Document:
        return self.documents[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.documents)

    def __len__(self) -> int:
        return len(self.documents)


def build_release(
    catalogue: Catalogue,
    *,
    as_of: datetime,
    formats: Sequence[Format] = FORMATS,
    pages: bool = True,
) -> Release:
    """Build every document of a catalogue in memory.

    The same catalogue at the same moment gives the same bytes on every machine.

    Args:
        catalogue: what to publish.
        as_of: the moment, an aware datetime; entries dated later are held back.
        formats: the formats that are known; of these, `site.formats` are published.
        pages: False to build only the feeds.

    Raises:
        FeedsError: if a picture or template cannot be used, or a picture has changed
            since the catalogue was loaded.
    """
    with gc_paused():
        planned = plan_site(catalogue, as_of=as_of, formats=formats, pages=pages)
        target = _MemoryTarget()
        stage_missing(planned, target)
    return Release(
        documents=dict(sorted(target.documents.items())),
        site=planned.site,
        feeds=planned.feeds,
        formats=planned.formats,
        as_of=as_of,
        until=planned.until,
    )


class _MemoryTarget:
    """A target that keeps documents in this process."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}

    def facts(self) -> Mapping[str, Fact]:
        """Return nothing: every document is rendered."""
        return {}

    def stage(self, plan: Plan, body: bytes) -> Staged:
        """Keep a document."""
        etag = etag_of(body)
        self.documents[plan.path] = Document(
            path=plan.path, body=body, media_type=plan.media_type, etag=etag
        )
        return Staged(Fact(plan.inputs, etag, len(body)))

    def commit(self, build: Build) -> None:
        """Do nothing: staged documents are already in place."""


def release_id(etags: Mapping[str, str]) -> str:
    """Return a digest of a site's documents, given their ETags by path."""
    text = "".join(f"{path}\n{etag}\n" for path, etag in sorted(etags.items()))
    return sha256(text.encode()).hexdigest()[:16]
