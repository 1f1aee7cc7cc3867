"""The commands `export` and `publish`: build a catalogue's documents into a folder or a bucket."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self, TextIO

from feeds.cli.commands import (
    BuildCommand,
    Export,
    Publish,
    notes,
    print_message,
    print_result,
)
from feeds.errors import FeedsError, UsageError
from feeds.inputs import digest, program_digest, source_digest, zones_stamp
from feeds.parallel import cores, gc_paused, in_child
from feeds.storage import media_files, media_folder, read_files
from feeds.urls import STATIC, TEMPLATES

if TYPE_CHECKING:
    from feeds.build import Build
    from feeds.export import Report
    from feeds.export.bucket import BucketTarget
    from feeds.export.folder import FolderTarget
    from feeds.model import Site
    from feeds.notify.purge import Purge

# Shorter work shows no progress bar.
_DELAY_SECONDS = 1.0
_WIDTH = 30  # of the bar
# How long to wait for the public URL and for the hub.
_PING_TIMEOUT_SECONDS = 60.0


@gc_paused()
def export(options: Export) -> None:
    """Build a catalogue's documents into a folder."""
    from feeds.export import Options
    from feeds.export.manifest import up_to_date

    started = time.perf_counter()
    folder = _target_folder(options.target)
    settings = Options(
        prune=options.prune,
        compress=options.compress,
        force=options.force,
        dry_run=options.dry_run,
        verify=options.verify,
    )
    if options.redirect_to:
        _check_redirect(options)
    texts = read_files(options.catalogue)
    _refuse_private(options, folder, [Path(name) for name, _ in texts])
    inputs = export_inputs(options)
    follows = options.purge or options.ping
    report = None if follows else up_to_date(folder, settings, inputs, source_digest(texts))
    seconds = {"compare": time.perf_counter() - started}
    if report:
        _print_report(report, [], options)
    else:
        from feeds.export.folder import opened

        # The build reads them again: do not keep two copies in memory.
        texts.clear()
        # The folder is locked during the build, so that an older build cannot overwrite this one.
        seconds |= _build(
            options,
            lambda _: opened(folder, settings, inputs),
            host=options.host,
            redirect_to=options.redirect_to,
        )
    if options.profile:
        _print_profile(seconds, time.perf_counter() - started)


def _check_redirect(options: Export) -> None:
    """Raise UsageError for options that make no sense with `--redirect-to`."""
    from feeds.catalogue import checked_url

    checked_url(options.redirect_to)
    if not options.host:
        raise UsageError(
            "--redirect-to needs --host with the kind of the old host: --host nginx, for example"
        )
    if options.ping:
        raise UsageError("--redirect-to publishes no feeds; remove --ping")


def _target_folder(name: str) -> Path:
    """Return the folder to write; raises UsageError if the name is not that of a folder."""
    scheme, colon, _ = name.partition(":/")
    if colon and scheme.isalnum():
        remedy = f"for a bucket: feeds publish {name}"
        raise UsageError(f"{name!r} is an address, not a folder; {remedy}")
    folder = Path(name)
    # A name that the file system refuses is reported when the folder is opened.
    with suppress(OSError):
        if folder.exists() and not folder.is_dir():
            remedy = f" --catalogue {folder}" if folder.suffix in {".yaml", ".yml"} else ""
            usage = f"feeds export out{remedy}"
            raise UsageError(f"{folder} is a file; name a folder to write: {usage}")
    return folder


def _refuse_private(options: Export, folder: Path, files: Sequence[Path]) -> None:
    """Raise FeedsError if the folder to write contains something that is not public."""
    from feeds.export.manifest import refuse_private

    media = media_folder(options.catalogue)
    sources = (media, media.parent / STATIC, media.parent / TEMPLATES)
    refuse_private(folder, [*files, options.state_folder / "history.tsv"], sources)


def export_inputs(options: Export) -> str:
    """Return a digest of everything an export depends on, except the catalogue's files."""
    media = media_folder(options.catalogue)
    stamps = [media_files(media.parent / name, name) for name in (media.name, STATIC, TEMPLATES)]
    settings = (
        options.url,
        not options.no_pages,
        options.host,
        options.redirect_to,
        options.strict,
        options.compress,
        options.prune,
        stamps,
    )
    return digest(program_digest(), repr(zones_stamp()), repr(settings))


def publish(options: Publish) -> None:
    """Build a catalogue's documents into a bucket."""
    from copy import copy
    from functools import partial
    from tempfile import TemporaryDirectory

    from feeds.export import Options
    from feeds.export.bucket import BucketState, BucketTarget, begin
    from feeds.export.object_store import ObjectStore

    settings = Options(compress=options.compress, force=options.force, dry_run=options.dry_run)

    @contextmanager
    def opened(progress: Progress) -> Iterator[BucketTarget]:
        store = ObjectStore(options.target, os.environ, options.timeout)

        def look() -> BucketState:
            # A child process erases its own bar, of which its parent does not know.
            with copy(progress) as shown:
                return begin(store, settings, shown)

        # obstore starts threads with its first request, and a process with threads cannot
        # fork; rendering forks, so the first requests are made in a child process.
        begun = in_child(look)
        with TemporaryDirectory(prefix="feeds-") as staging:
            clock = partial(datetime.now, UTC)
            yield BucketTarget(store, begun, settings, Path(staging), clock)

    _build(options, opened)


def _build(
    options: BuildCommand,
    open_target: "Callable[[Progress], AbstractContextManager[FolderTarget | BucketTarget]]",
    host: str = "",
    redirect_to: str = "",
) -> dict[str, float]:
    """Build into a target, print what was done, then purge caches and notify the hub.

    Return the time that each stage took.
    """
    import logging
    from dataclasses import replace

    from feeds.build import BuildOptions as SiteOptions
    from feeds.build import SiteBuilder
    from feeds.catalogue import ItemMemory, checked_url
    from feeds.export.hosts import host_plans
    from feeds.history import History
    from feeds.log import log_to
    from feeds.storage import StateFolder

    purge: Purge | None = None
    if options.purge:
        from feeds.notify.purge import parse_purge

        purge = parse_purge(options.purge)
    if options.url:
        checked_url(options.url)
    old_url = _old_url(options, redirect_to) if redirect_to else ""
    log_to(sys.stderr, logging.ERROR if options.quiet else logging.WARNING)
    progress = Progress(sys.stderr, enabled=not options.quiet)
    settings = SiteOptions(
        url=redirect_to or options.url,
        pages=not options.no_pages,
        compare=True,
        strict=options.strict,
        # The dates are those of the documents at the new address.
        dated=not options.dry_run and not redirect_to,
        processes=cores(),
        host_plans=lambda planned: host_plans(
            host, planned.plans, planned.site, compressed=options.compress, old_url=old_url
        ),
        documents=not redirect_to,
        on_progress=progress,
        memory=ItemMemory(None if options.dry_run else StateFolder(options.state_folder)),
        seconds={},
    )
    with progress, open_target(progress) as target:
        target.on_progress = progress
        target.records_unpurged = bool(purge)
        history = History(options.state_folder)
        build = SiteBuilder(options.catalogue, target, settings, history=history).build()
    planned = build.planned
    _print_report(target.report, notes(planned.catalogue, planned.as_of), options)
    if not options.dry_run:
        site = replace(planned.site, url=old_url or planned.site.url)
        for line in _after_build(options, purge, build, target, site):
            if not options.quiet:
                print_message(line)
    return settings.seconds


def _old_url(options: BuildCommand, redirect_to: str) -> str:
    """Return the URL of a site that has moved; raises UsageError if that would be redirected again."""
    from feeds.catalogue import checked_url

    old, new = options.load().site.url, checked_url(redirect_to)
    if new.startswith(old):
        raise UsageError(
            f"--redirect-to {new} is not outside {old}, and would be redirected again;"
            " name the old address of the site with --url"
        )
    return old


def _after_build(
    options: BuildCommand,
    purge: "Purge | None",
    build: "Build",
    target: "FolderTarget | BucketTarget",
    site: "Site",
) -> Iterator[str]:
    """Purge caches and notify the hub, and yield a line for each; raises FeedsError if one fails.

    `site` has the URL at which the target is published.
    """
    if purge:
        from feeds.notify.purge import purge_set

        purges = purge_set(site, target.unpurged)
        if purges.urls:
            try:
                purge.run(purges)
            except FeedsError as error:
                raise FeedsError(
                    f"{error}; what was published stays, and the next --purge tries again"
                ) from None
            target.mark_purged()
        yield f"purged {len(purges.urls)}"
    if options.ping:
        from feeds.notify.websub import ping

        etags = {path: fact.etag for path, fact in build.facts.items()}
        yield ping(site, etags, options.state_folder, seconds=_PING_TIMEOUT_SECONDS)


def _print_report(report: "Report", lines: Sequence[str], options: BuildCommand) -> None:
    if options.json:
        print_result(report.as_json())
        lines = [*lines, *report.remarks]
    elif not options.quiet:
        print_result(report)
    for line in () if options.quiet else lines:
        print_message(line)


def _print_profile(seconds: dict[str, float], total: float) -> None:
    rest = total - sum(seconds.values())
    for stage, duration in [*seconds.items(), ("else", rest), ("all", total)]:
        print_message(f"{stage:<10}{duration:8.3f} s {duration / total:5.0%}")


class Progress:
    """A progress bar on a stream; shown only on a terminal, and only if the work takes long.

    At the end of a `with` statement the bar is erased, and not drawn any more.
    """

    def __init__(
        self, stream: TextIO, *, enabled: bool = True, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._enabled = enabled and stream.isatty()
        self._clock = clock
        self._started = clock()
        self._drawn = False

    def __call__(self, stage: str, part: float) -> None:
        """Show which part of a stage is done, from 0 to 1."""
        if self._enabled and self._clock() - self._started > _DELAY_SECONDS:
            filled = round(part * _WIDTH)
            bar = "#" * filled + "." * (_WIDTH - filled)
            self._stream.write(f"\r[{bar}] {part:4.0%} {stage:<12}")
            self._stream.flush()
            self._drawn = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._enabled = False
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
