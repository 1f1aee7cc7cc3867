"""Build every document of a catalogue at one moment in memory."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from feeds.build import Build, Fact, Staged, stage_missing
from feeds.formats import FORMATS, Format
from feeds.model import Catalogue, Document, Feed, etag_of
from feeds.parallel import gc_paused
from feeds.plans import Plan, plan_site


class Release(Mapping[str, Document]):
    """All documents of one catalogue at one moment, by path; immutable.

    A path is what follows the site's URL, such as `topics/x/atom.xml`. `feeds` are the
    feeds that the documents show, `as_of` is the moment, and `until` is the next moment
    at which the same catalogue has other documents, or None for never. `id` is a digest
    of all documents.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        as_of: datetime,
        formats: Sequence[Format] = FORMATS,
        pages: bool = True,
    ) -> None:
        """Build the release of a catalogue at `as_of`, an aware datetime.

        The same catalogue at the same moment has the same bytes on every machine. Formats
        that the site does not have are left out; without `pages` there are the feeds
        alone. Raises FeedsError if a picture has changed since the catalogue was read.
        """
        with gc_paused():
            planned = plan_site(catalogue, as_of=as_of, formats=formats, pages=pages)
            target = _Memory()
            stage_missing(planned, target)
        self.site = planned.site
        self.feeds: Sequence[Feed] = planned.feeds
        self.formats = planned.formats
        self.as_of = as_of
        self.until = planned.until
        self._documents = dict(sorted(target.documents.items()))
        self.id = release_id({path: found.etag for path, found in self.items()})

    def __getitem__(self, path: str) -> Document:
        return self._documents[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)


class _Memory:
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
        """Do nothing: staged documents are kept already."""


def release_id(etags: Mapping[str, str]) -> str:
    """Return a digest of the ETags of a site's documents, by path."""
    text = "".join(f"{path}\n{etag}\n" for path, etag in sorted(etags.items()))
    return sha256(text.encode()).hexdigest()[:16]
