"""The verb `export`: a catalogue's documents go into a folder."""

import sys
import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from feeds.files import media_files, media_folder, read_files
from feeds.outcome import Outcome, contents_of
from feeds.parallel import leave, uncollected
from feeds.verbs import Building, Given, built, make_workshop, say, show

if TYPE_CHECKING:
    from feeds.after.afterwards import Afterwards
    from feeds.cache import Cache
    from feeds.export.report import Options, Report
    from feeds.model import Site
    from feeds.release import Release
    from feeds.workshop import Workshop

# A catalogue's files: the name and the bytes of each.
_Texts = Sequence[tuple[str, bytes]]


class Exporting(NamedTuple):
    """What `export` is told beside the catalogue: how to write, and how to tell what was done."""

    options: "Options"
    pages: bool = True
    host: str = ""
    profile: bool = False
    as_json: bool = False
    strict: bool = False
    quiet: bool = False
    after: "Afterwards | None" = None


@uncollected()
def export(given: Given, folder: Path, how: Exporting) -> None:
    """Write a catalogue's documents into a folder; raises FeedsError."""
    from datetime import UTC, datetime

    from feeds.export.current import up_to_date
    from feeds.export.ownership import refuse_media, refuse_private
    from feeds.watch import fingerprint

    begun = time.perf_counter()
    workshop = make_workshop(given.cache())
    seen = fingerprint(given.catalogue)
    release: Release | None = None
    with workshop.stage("compare"):
        texts = read_files(given.catalogue)
        refuse_private(folder, [*(Path(name) for name, _ in texts), given.folder / "cache"])
        refuse_media(folder, media_folder(given.catalogue))
        outcome, notes = _outcomes(given, texts, workshop.cache, how)
        etags = outcome.etags(datetime.now(UTC))
        said = notes.text()
        report = up_to_date(etags, folder, how.options) if etags else None
    if report is None or said is None:
        # What is built is read anew, and would be in memory twice.
        texts.clear()
        release, report, said = _export_anew(given, folder, workshop, how)
        if fingerprint(given.catalogue) == seen and not how.options.dry_run:
            outcome.keep_etags(report.etags, as_of=release.as_of, until=release.until)
            notes.keep_text(said)
            workshop.cache.save()
    lines = [note for note in said.split("\n") if note]
    if how.as_json:
        show(report.as_json())
        lines += report.remarks
    elif not how.quiet:
        show(report)
    _tell(lines, how)
    if how.profile:
        _say_stages(workshop, time.perf_counter() - begun)
    leave(release, workshop)
    if how.after and not how.options.dry_run:
        site = partial(_site, given, texts, workshop, release)
        _tell(how.after(site, report.etags), how)


def _tell(lines: Iterable[str], how: Exporting) -> None:
    """Print each line when it comes, unless all is to be quiet."""
    for line in lines:
        if not how.quiet:
            say(line)


def _site(given: Given, texts: _Texts, workshop: "Workshop", release: "Release | None") -> "Site":
    """Give the site of what lies in the folder; raises FeedsError.

    It is read again from the very bytes that were found to be exported already.
    """
    if release:
        return release.site
    from feeds.catalogue import read_catalogue

    media = media_folder(given.catalogue)
    return read_catalogue(texts, url=given.url, media=media, workshop=workshop).site


def _outcomes(
    given: Given, texts: _Texts, cache: "Cache", how: Exporting
) -> tuple[Outcome, Outcome]:
    """Give what is known of the catalogue's files, and of its notes."""
    media = media_files(media_folder(given.catalogue))
    contents = contents_of(texts)
    options = (given.url, how.pages, how.options.compress, how.host, media)
    return (
        Outcome(cache, "release", contents, options),
        Outcome(cache, "notes", contents, (given.url, media, how.strict)),
    )


def _export_anew(
    given: Given, folder: Path, workshop: "Workshop", how: Exporting
) -> tuple["Release", "Report", str]:
    """Build and write; give the notes too, a line each."""
    with workshop.stage("load"):
        import logging
        from dataclasses import replace

        from feeds.catalogue import checked_url
        from feeds.export.folder import opened, write_release
        from feeds.export.hosts import host_files
        from feeds.logs import log_to
        from feeds.progress import Progress

    if given.url:
        checked_url(given.url)
    log_to(sys.stderr, logging.ERROR if how.quiet else logging.WARNING)
    progress = Progress(sys.stderr, shown=not how.quiet)
    workshop = replace(workshop, told=progress)
    try:
        # Nobody else's older catalogue may come after this one: building is part of it.
        with opened(folder, how.options) as tree:
            workshop = replace(workshop, lying=tree.body)
            building = Building(how.pages, how.options.dry_run, how.strict)
            release, notes = built(given, workshop, building)
            with workshop.stage("write"):
                extra = host_files(how.host, release, release.site, compressed=how.options.compress)
                report = write_release(
                    tree,
                    release,
                    how.options,
                    extra=extra,
                    workshop=workshop,
                    owe=partial(how.after.owe, release.site) if how.after else lambda _: None,
                )
    finally:
        progress.end()
    return release, report, "\n".join(notes)


def _say_stages(workshop: "Workshop", whole: float) -> None:
    rest = whole - sum(workshop.seconds.values())
    for stage, seconds in [*workshop.seconds.items(), ("else", rest), ("all", whole)]:
        say(f"{stage:<10}{seconds:8.3f} s {seconds / whole:5.0%}")
