"""The command `new`: inserts an entry into the text of a catalogue."""

from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from feeds.catalogue.additions import (
    UNWRITTEN_SUMMARY,
    checked_text,
    file_for_entries,
    free_id,
    read_unfilled,
    taken_ids,
)
from feeds.catalogue.dates import read_date
from feeds.catalogue.reader import InvalidValue, ValueWarning
from feeds.catalogue.text_fields import folded, line
from feeds.catalogue.yaml_text import entry_text, with_entries
from feeds.cli.commands import New, print_message, print_result
from feeds.errors import CatalogueError, FeedsError, UsageError, printable
from feeds.history import History
from feeds.model import Catalogue
from feeds.parallel import gc_paused
from feeds.storage import media_folder, read_files, rewrite_file

if TYPE_CHECKING:
    from collections.abc import Callable


@gc_paused()
def new(options: New) -> None:
    """Insert an entry at the top of the entries, in the file with the newest one."""
    if len(options.title) > 1 or options.title[0].endswith((".yaml", ".yml")):
        raise UsageError("put the title in quotes; name the catalogue with --catalogue")
    texts = read_files(options.catalogue)
    now = datetime.now(UTC)
    media = media_folder(options.catalogue)
    read = partial(read_unfilled, url=options.url, media=media, as_of=now)
    catalogue = read(texts)
    fields = _fields(options, catalogue, now)
    file = file_for_entries(texts, catalogue)
    before = dict(texts)[file]
    text = with_entries(before.decode(), [fields], file=file)
    data = text.encode()
    try:
        after = read([(name, data if name == file else other) for name, other in texts])
    except CatalogueError as error:
        raise FeedsError(f"{file}: no entry can be added: {error.problems[0].message}") from None
    rewrite_file(Path(file), data, expected=before)
    for note in after.notes:
        if note.entry == fields["id"]:
            print_message(str(note))
    lines = [written.strip(" \r") for written in text.split("\n")]
    number = lines.index(entry_text(fields).partition("\n")[0]) + 1
    todo = "" if options.summary else "write its summary, and "
    check = f"run: feeds check {quote(str(options.catalogue))}"
    print_result(printable(f"{file}:{number}: {fields['id']!r} added; {todo}{check}"))


def _fields(options: New, catalogue: Catalogue, now: datetime) -> dict[str, str]:
    """Return the fields of the entry; raises UsageError."""
    site = catalogue.site
    today = now.astimezone(site.timezone).date().isoformat()
    date = today if options.date is None else options.date
    summary = UNWRITTEN_SUMMARY if options.summary is None else options.summary
    values: dict[str, tuple[str, Callable[[str], object]]] = {
        "TITLE": (options.title[0], line),
        "--date": (date, partial(read_date, zone=site.timezone, language=site.language)),
        "--summary": (summary, line),
    }
    for name, (text, convert) in values.items():
        try:
            # The reader notes what may be right.
            with suppress(ValueWarning):
                checked_text(text, convert)
        except InvalidValue as fault:
            raise UsageError(f"{name}: {fault}") from None
    title = folded(options.title[0])
    published = History(options.state_folder).addresses()
    entry_id = free_id(title, date, taken_ids(catalogue, published))
    return {"id": entry_id, "title": title, "date": date, "summary": folded(summary)}
