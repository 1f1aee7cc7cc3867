"""The command `check`: validates a catalogue and its pages."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from feeds.cli.commands import Check, counted, notes, print_message, print_result
from feeds.errors import printable
from feeds.history import History

if TYPE_CHECKING:
    from feeds.model import Catalogue

# `check` lists entries dated without a time that become public within this time.
_SOON = timedelta(days=7)
# `check` renders this many entries: enough for each kind of page and a list of several pages.
_SAMPLE_SIZE = 50


def check(options: Check) -> None:
    """Report every problem and note of a catalogue, and count what is in it."""
    now = datetime.now(UTC)
    published = History(options.state_folder).addresses()
    catalogue = options.load(as_of=now, published=published, strict=options.strict)
    _check_pages(catalogue, now)
    if options.quiet:
        return
    for line in (*notes(catalogue, now), *_without_time(catalogue, now)):
        print_message(line)
    print_result(printable(f"{options.catalogue}: {_summary(catalogue)}"))
    if not any(address.startswith(catalogue.site.url) for address in published):
        reason = f"{options.state_folder} has no history of {catalogue.site.url}"
        print_result(printable(f"Addresses not compared: {reason}"))


def _check_pages(catalogue: "Catalogue", now: datetime) -> None:
    """Check `static/` and `templates/` beside a catalogue, by rendering each kind of page."""
    from feeds.urls import STATIC, TEMPLATES

    folders = [catalogue.beside / name for name in (STATIC, TEMPLATES)] if catalogue.beside else []
    if any(folder.exists() for folder in folders):
        from dataclasses import replace

        from feeds.plans import plan_site
        from feeds.release import build_release

        plan_site(catalogue, as_of=now)
        build_release(replace(catalogue, entries=catalogue.entries[:_SAMPLE_SIZE]), as_of=now)


def _without_time(catalogue: "Catalogue", now: datetime) -> list[str]:
    """Return a line for each entry with a date but no time that becomes public soon."""
    from feeds.selection import held_back

    return [
        f"{entry.id!r} becomes public at the beginning of {entry.public_from:%Y-%m-%d}, because its"
        " date has no time; for a press embargo write one"
        for entry in held_back(catalogue, now)
        if entry.public_from and entry.public_from <= now + _SOON
    ]


def _summary(catalogue: "Catalogue") -> str:
    entries = catalogue.entries
    topics = {topic for entry in entries for topic in entry.topics} | {*(catalogue.topics or ())}
    countries = {country for entry in entries for country in entry.countries}
    return (
        f"{counted(entries, 'entry', 'entries')}, {counted(topics, 'topic', 'topics')},"
        f" {counted(countries, 'country', 'countries')}: no problem"
    )
