"""The command `import`: writes a catalogue of a source, or inserts its newer items into one."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from feeds.cli.commands import Import, counted, print_message, print_result
from feeds.errors import FeedsError, printable
from feeds.formats.content import truncated
from feeds.importer import DataOptions, Report, import_into, import_new, read_source
from feeds.importer.conversion import Candidate
from feeds.importer.items import Remark
from feeds.storage import catalogue_files, new_catalogue_file

# The options that are paths of fields in a data file.
_FIELDS = (
    *("items", "title", "date", "updated", "summary", "body", "link", "id"),
    *("topics", "countries", "author", "photo"),
)
_MAX_LISTED = 100
_MAX_LENGTH = 1000  # characters of a remark, which may quote the source


def run(options: Import) -> None:
    """Import a source, and print what is left out; raises FeedsError if nothing can be imported."""
    given = {name: getattr(options, name) for name in _FIELDS}
    source = read_source(
        options.source,
        DataOptions(
            paths={name: path for name, path in given.items() if path},
            encoding=options.encoding or DataOptions().encoding,
            date_format=options.date_format or "",
            url=options.url or "",
        ),
    )
    if options.language:
        source = replace(source, site={**source.site, "language": options.language})
    if not source.items and not any(remark.left_out for remark in source.remarks):
        raise FeedsError(f"{source.name} has no items; nothing is written")
    path, now = options.catalogue, datetime.now(UTC)
    is_new = not _has_catalogue(path)
    if is_new:
        path = new_catalogue_file(path)
        report = import_new(source, path, url=options.url, now=now)
    else:
        report = import_into(source, path, url=options.url, every=options.all, now=now)
    _print_remarks(report.remarks)
    if not (report.written or report.known or report.missing):
        raise FeedsError(f"no item of {source.name} can be imported; nothing is written")
    print_result(printable(f"{path}: {_summary(report, is_new=is_new)}"))
    _print_missing(report.missing)


def _has_catalogue(path: Path) -> bool:
    """Check whether there is a catalogue at a path, or something that cannot be one."""
    try:
        return bool(catalogue_files(path)) if path.is_dir() else path.exists() or path.is_symlink()
    except OSError as error:
        raise FeedsError(f"{path}: {error.strerror}") from None


def _print_remarks(remarks: Iterable[Remark]) -> None:
    for remark in sorted(remarks, key=_file_and_line):
        text = truncated(str(remark), _MAX_LENGTH)
        print_message(f"{text}{'; not imported' if remark.left_out else ''}")


def _file_and_line(remark: Remark) -> tuple[str, int]:
    """Return the order of remarks: by file and line. Items without a line keep theirs."""
    file, _, line = remark.place.rpartition(":")
    return (file, int(line)) if line.isdecimal() else (file or remark.place, 0)


def _summary(report: Report, *, is_new: bool) -> str:
    left_out = sum(remark.left_out for remark in report.remarks)
    others = sum(not remark.left_out for remark in report.remarks)
    parts = [f"{counted(report.written, 'entry', 'entries')} {'written' if is_new else 'inserted'}"]
    if report.known:
        parts.append(f"{report.known} already there")
    if report.missing:
        them = "them" if len(report.missing) > 1 else "it"
        older = counted(report.missing, "older item", "older items")
        parts.append(f"{older} missing (--all inserts {them})")
    if left_out:
        parts.append(f"{counted(range(left_out), 'item', 'items')} not imported")
    if others:
        parts.append(f"{counted(range(others), 'remark', 'remarks')}")
    return ", ".join(parts)


def _print_missing(missing: Sequence[Candidate]) -> None:
    for candidate in missing[:_MAX_LISTED]:
        print_message(f"{candidate.item.place}: missing: {candidate.item.title}")
    if rest := missing[_MAX_LISTED:]:
        print_message(f"and {len(rest)} more")
