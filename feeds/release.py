"""Catalogue → every Document, addressed and hashed; pure and deterministic."""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from feeds.building import Build
from feeds.formats import FORMATS, Format
from feeds.model import Catalogue, Document, Feed
from feeds.parallel import uncollected
from feeds.reuse import Reuse
from feeds.selection import next_change, select
from feeds.workshop import Workshop


class Release(Mapping[str, Document]):
    """All Documents of one Catalogue at one moment, by path; immutable.

    A path is what stands behind the site's URL, such as `topics/x/atom.xml`.
    `feeds` are the feeds that the documents show, `as_of` is the moment, and
    `until` the next one at which the same catalogue gives other documents; it is
    None where no entry is dated later.
    """

    def __init__(  # noqa: PLR0913  # each is named, and has its default
        self,
        catalogue: Catalogue,
        *,
        as_of: datetime,
        formats: Sequence[Format] = FORMATS,
        pages: bool = True,
        before: "Release | None" = None,
        workshop: Workshop | None = None,
    ) -> None:
        """Build the release of a catalogue as it stands at `as_of`, an aware datetime.

        The same catalogue at the same moment gives the same bytes everywhere. Its
        pictures are read here; raises FeedsError where one has changed since the
        catalogue was read.
        Of the formats those count that the site has; without `pages` there are
        documents of the feeds alone. Documents that would be as they were `before`
        are taken from there, and entries that `workshop` remembers are not
        rendered again.
        """
        self.site = catalogue.site
        self.pictures = catalogue.pictures
        self.as_of = as_of
        self.until = next_change(catalogue, as_of)
        self.formats = tuple(form for form in formats if form.key in self.site.formats)
        workshop = workshop or Workshop()
        with uncollected():
            with workshop.stage("choose"):
                self.feeds: Sequence[Feed] = select(catalogue, as_of)
            alike = before and (before.site, before.formats) == (self.site, self.formats)
            build = Build(self.site, self.feeds, before if alike else None, workshop)
            revisions = catalogue.revisions() if workshop.lying else {}
            build.make_feeds(self.formats, Reuse(self.site, revisions, workshop))
            if self.pictures:
                build.make_pictures(self.pictures)
            if pages:
                # Jinja takes its time to load, and who wants feeds alone needs none.
                from feeds.pages import Printer  # noqa: PLC0415

                build.make_pages(workshop.keep(Printer).pages(self.site, self.formats))
        found = build.documents
        # Sorting tens of thousands would keep requests waiting.
        known = before is not None and found.keys() == before.keys()
        order = before if before and known else sorted(found)
        self._documents: Mapping[str, Document] = {path: found[path] for path in order}
        self.id = sha256(
            "".join(f"{path}\n{self[path].etag}\n" for path in self).encode()
        ).hexdigest()[:16]

    def dated(self, dates: Mapping[str, datetime]) -> "Release":
        """Give the same release with each document's `modified`, by path."""
        return self._with(
            {
                path: document
                if document.modified == dates.get(path)
                else replace(document, modified=dates.get(path))
                for path, document in self.items()
            }
        )

    def bare(self, documents: Mapping[str, Document]) -> "Release":
        """Give the same release with these documents, and without what they were made of."""
        release = self._with(documents)
        release.feeds, release.pictures = (), ()
        return release

    def _with(self, documents: Mapping[str, Document]) -> "Release":
        release = copy(self)
        release._documents = documents  # noqa: SLF001  # its own
        return release

    def __getitem__(self, path: str) -> Document:
        return self._documents[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)
