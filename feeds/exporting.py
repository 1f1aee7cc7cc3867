"""The command `export`: a catalogue's documents go into a folder."""

import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from feeds.errors import FeedsError
from feeds.files import media_files, media_folder, read_files
from feeds.inputs import digest, program_digest, source_digest, zones_stamp
from feeds.parallel import cores, gc_paused
from feeds.paths import STATIC, TEMPLATES
from feeds.verbs import Given, notes, say, show

if TYPE_CHECKING:
    from feeds.export.folder import FolderTarget
    from feeds.export.report import Options, Report
    from feeds.model import Site
    from feeds.notify.after_publish import AfterPublish


class Exporting(NamedTuple):
    """What `export` is told beside the catalogue: how to write, and how to report what was done."""

    options: "Options"
    pages: bool = True
    host: str = ""
    profile: bool = False
    as_json: bool = False
    strict: bool = False
    quiet: bool = False
    after: "AfterPublish | None" = None


@gc_paused()
def export(given: Given, folder: Path, how: Exporting) -> None:
    """Write a catalogue's documents into a folder; raises FeedsError."""
    from feeds.export.folder_state import up_to_date

    begun = time.perf_counter()
    seconds: dict[str, float] = {}
    texts = read_files(given.catalogue)
    media = media_folder(given.catalogue)
    _refuse_folder(given, folder, [Path(name) for name, _ in texts], media)
    made_by = _made_by(given, media, how)
    found = None
    if not how.after:
        found = up_to_date(folder, how.options, made_by, source_digest(texts))
    seconds["compare"] = time.perf_counter() - begun
    if found:
        _show(found, [], how)
    else:
        # What is built is read again, and would be in memory twice.
        texts.clear()
        site, target = _export(given, folder, how, made_by, seconds)
        if how.after and target.report and not how.options.dry_run:
            _tell(how.after.run(site, target.report.etags, target), how)
    if how.profile:
        _say_stages(seconds, time.perf_counter() - begun)


def _refuse_folder(given: Given, folder: Path, files: Sequence[Path], media: Path) -> None:
    """Raise FeedsError for a folder in which something lies that is not public."""
    from feeds.export.ownership import refuse_media, refuse_private

    refuse_private(folder, [*files, given.folder / "history.tsv"])
    for beside in (media, media.parent / STATIC, media.parent / TEMPLATES):
        refuse_media(folder, beside)


def _made_by(given: Given, media: Path, how: Exporting) -> str:
    """Return a digest of all that an export depends on beside the catalogue's files."""
    options = how.options
    stamps = [media_files(media.parent / name, name) for name in (media.name, STATIC, TEMPLATES)]
    what = (given.url, how.pages, how.host, how.strict, options.compress, options.prune, stamps)
    return digest(program_digest(), repr(zones_stamp()), repr(what))


def _export(
    given: Given, folder: Path, how: Exporting, made_by: str, seconds: dict[str, float]
) -> tuple["Site", "FolderTarget"]:
    """Build and write; show what was done, with the notes."""
    import logging

    from feeds.builder import Options as BuildOptions
    from feeds.builder import SiteBuilder
    from feeds.catalogue import ItemMemory, checked_url
    from feeds.export.folder import opened
    from feeds.export.hosts import host_plans
    from feeds.history import History
    from feeds.logs import log_to
    from feeds.progress import Progress
    from feeds.storage import StateFolder

    if given.url:
        checked_url(given.url)
    log_to(sys.stderr, logging.ERROR if how.quiet else logging.WARNING)
    progress = Progress(sys.stderr, shown=not how.quiet)
    options = BuildOptions(
        url=given.url,
        pages=how.pages,
        compare=True,
        strict=how.strict,
        dated=not how.options.dry_run,
        processes=cores(),
        host_plans=lambda planned: host_plans(
            how.host, planned.plans, planned.site, compressed=how.options.compress
        ),
        on_progress=progress,
        memory=ItemMemory(StateFolder(given.folder)),
        seconds=seconds,
    )
    try:
        # Nobody else's older catalogue may come after this one: building is part of it.
        with opened(folder, how.options, made_by) as target:
            target.on_progress = progress
            target.records_unpurged = bool(how.after and how.after.purge)
            build = SiteBuilder(
                given.catalogue, target, options, history=History(given.folder)
            ).build()
            found = target.report
    finally:
        progress.end()
    if found is None:
        raise FeedsError(f"{folder}: nothing was committed")
    planned = build.planned
    _show(found, notes(planned.catalogue, planned.as_of), how)
    return planned.site, target


def _show(found: "Report", lines: Sequence[str], how: Exporting) -> None:
    if how.as_json:
        show(found.as_json())
        lines = [*lines, *found.remarks]
    elif not how.quiet:
        show(found)
    _tell(lines, how)


def _tell(lines: Iterable[str], how: Exporting) -> None:
    """Print each line when it comes, unless all is to be quiet."""
    for line in lines:
        if not how.quiet:
            say(line)


def _say_stages(seconds: dict[str, float], whole: float) -> None:
    rest = whole - sum(seconds.values())
    for stage, some in [*seconds.items(), ("else", rest), ("all", whole)]:
        say(f"{stage:<10}{some:8.3f} s {some / whole:5.0%}")
