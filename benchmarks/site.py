"""The time from a catalogue to feeds and pages, compared with Hugo.

    python benchmarks/peers/install.py
    python benchmarks/site.py [--entries 1000 10000] [--rounds 5] [--quick] [--no-serve]

The job: Atom, RSS and JSON Feed of everything, each of 24 topics and each of 190
countries; an HTML page for each entry; HTML lists of everything, each topic and
each country, 40 entries on a page; and the sitemap. Hugo's layouts for it are in
benchmarks/peers/hugo-site. In each round both do it in turns: with nothing
there, with nothing changed, and with the title of one entry edited, which is
among the newest fifty. Hugo cannot do less, and does the whole job again.
One round more comes first and is not timed: in it memory is looked at (see
build.py), and both must have a page for each entry, the same entries in each
feed, and the same entries in the pages of each list.

Then, at the largest number of entries, `feeds serve` and `hugo server` run in
turns. Feeds of topics in countries are served too, which Hugo does not have.
Hugo renders everything after an edit, as `feeds serve` does: by itself, or with
--fast-render, it renders what a browser has just looked at, and leaves every
other feed and page as it was.
Timed are the start with nothing there, how long after an edit the feeds of
everything, the first page and the entry's page are new, and another start with
what the first has left. In the last round the memory of all processes is looked
at after 30 addresses were asked for, each once a second, for a minute.

Medians of the rounds are printed, and the median of each round's ratio. TMPDIR
decides where files are written.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from catalogues import TOPICS, catalogue, country_codes
from peers import Contender, News, site_contenders
from peers.documents import differences, entry_pages, extent, listed, paths
from peers.rounds import (
    COLD,
    EDITED,
    UNCHANGED,
    Goal,
    edited_place,
    judged,
    played,
    table,
    turns,
    verdict,
)
from peers.servers import Running, Server, servers, serving
from serve import free_port

HERE = Path(__file__).parent
# Three formats, and no feeds of topics in countries: what both do.
SITE = "  feeds: [topics, countries]\n"
SMALL, MIDDLE = 1000, 10_000
GOALS = (
    Goal(COLD, "feeds", "hugo", {SMALL: 1.0, MIDDLE: 0.6}),
    Goal(EDITED, "feeds", "hugo", {SMALL: 0.4, MIDDLE: 0.12}),
    Goal(UNCHANGED, "feeds", "hugo", {SMALL: 0.2, MIDDLE: 0.03}),
    Goal(COLD, "feeds", "hugo", {MIDDLE: 0.4}, "memory"),
)
EDIT_RATIO, EDIT_SECONDS, RESTART_SECONDS, MEGABYTES = 0.3, 1, 1, 250
START, EDIT, RESTART, MEMORY = "start", "edit", "restart", "memory"
EVERYTHING = ("/atom.xml", "/rss.xml", "/feed.json", "/")
EDITS = 3
# Seconds of rest, for what a server does after it has answered.
REST = 2
# How many differences are printed.
MAX_DIFFERENCES = 5

Served = dict[str, float]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, nargs="+", help="default: 1000 10000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round of 1000 entries")
    parser.add_argument("--no-serve", action="store_true", help="export alone")
    parser.add_argument("--poll", type=float, metavar="SECONDS", help="default: 60; quick: 10")
    parser.add_argument(
        "--fast-render",
        action="store_true",
        help="hugo server renders only pages that were requested",
    )
    parser.add_argument("--installed", type=Path, default=HERE / ".peers", metavar="FOLDER")
    given = parser.parse_args()
    if given.quick:
        given.rounds = 1
    given.entries = given.entries or ([SMALL] if given.quick else [SMALL, MIDDLE])
    given.poll = given.poll or (10 if given.quick else 60)
    if min(given.entries) < SMALL:
        # Fewer have some country without an entry.
        parser.error(f"--entries: at least {SMALL}")
    return given


def check(news: News, folder: Path, scenario: str) -> None:
    """End the program if Hugo's feeds or pages hold other entries than ours."""
    ours, theirs = folder / "feeds" / "out", folder / "hugo" / "out"
    feeds = paths(ours)
    found = differences(ours, theirs, feeds)
    found += [f"{path} is too much" for path in sorted(paths(theirs) - feeds)]
    ids = {item.split("\n", 1)[0].strip() for item in news.items}
    for out in (ours, theirs):
        found += [f"{out}: no page of {key}" for key in sorted(ids - entry_pages(out))]
        found += [f"{out}: {key} in no list" for key in sorted(ids - listed(out))]
    found += [
        f"{path}: its pages list other entries"
        for path in _lists()
        if listed(ours / path) != listed(theirs / path)
    ]
    if found:
        sys.exit("\n".join(f"{scenario}: {difference}" for difference in found[:MAX_DIFFERENCES]))


def _lists() -> Iterator[str]:
    yield "."
    yield from (f"topics/topic-{number:02}" for number in range(TOPICS))
    yield from (f"countries/{code.lower()}" for code in country_codes())


def extents(field: dict[str, Contender], folder: Path) -> Iterator[str]:
    """Return a line for each one's files."""
    for word, contender in field.items():
        files, size = extent(folder / word / "out")
        yield f"  {contender.name:30}{files:9} files{size / 1e6:9.1f} MB"


def measure(
    given: argparse.Namespace, count: int, field: dict[str, Contender], folder: Path
) -> None:
    """Measure with a number of entries, and print it; nothing is removed before the end."""
    news = News.parse(catalogue(count, site=SITE))
    rounds = []
    for number in range(given.rounds + 1):
        here = folder / f"{count}-{number}"
        catalogues = {COLD: news, UNCHANGED: None, EDITED: news.edited(edited_place(number))}
        rounds.append(played(field, here, catalogues, number, partial(check, news, here)))
    print(f"\n{count} entries, the whole site, medians of {given.rounds}\n")
    print(*extents(field, folder / f"{count}-0"), sep="\n")
    for scenario in catalogues:
        print(*table(field, scenario, rounds), sep="\n")
    print("", *judged(GOALS, count, rounds), sep="\n", flush=True)


def served(server: Server, folder: Path, news: News, number: int, poll: float) -> Served:
    """Return the seconds of a round, and, where it polls, the memory."""
    found = {}
    server.prepare(folder / "input", news)
    # The same one for both starts: addresses in documents name it.
    port = free_port()
    command = server.command(folder, port)
    with serving(command, folder, port) as one:
        found[START] = one.first_answer(EVERYTHING[0])
        addresses = thirty(news)
        one.polled(addresses, 1)
        time.sleep(REST)
        edits = []
        for place in map(edited_place, range(number * EDITS, (number + 1) * EDITS)):
            changed = news.edited(place)
            edits.append(edited(one, server, (news, changed), place))
            news = changed
            time.sleep(REST)
        found[EDIT] = median(edits)
        if poll:
            one.polled(addresses, poll)
            found[MEMORY] = one.memory()
    with serving(command, folder, port) as one:
        found[RESTART] = one.first_answer(EVERYTHING[0])
    return found


def thirty(news: News) -> list[str]:
    """Return addresses that are asked for: of everything, of topics, and of the newest entries."""
    topics = [
        f"/topics/topic-{number:02}/{name}"
        for number in range(6)
        for name in ("", "atom.xml", "feed.json")
    ]
    return [*EVERYTHING, *topics, *(entry_address(news, place) for place in range(8))]


def entry_address(news: News, place: int) -> str:
    """Return the address of the page of the entry at a place."""
    key = news.items[place].split("\n", 1)[0].strip()
    return f"/entries/{key}/"


def edited(one: Running, server: Server, change: tuple[News, News], place: int) -> float:
    """Edit the entry at a place; return the seconds until all documents looked at are new."""
    before, after = map(server.files, change)
    (path,) = (path for path in after if after[path] != before[path])
    written = one.folder / "written"
    written.write_text(after[path])
    looked_at = [*EVERYTHING, entry_address(change[0], place)]
    one.polled(looked_at, 1)
    written.replace(one.folder / "input" / path)
    return one.until_new(looked_at, f"Edited {place} ")


def measure_serving(given: argparse.Namespace, count: int, folder: Path) -> None:
    """Measure both servers in turns, and print it."""
    field = servers(given.installed, fast=given.fast_render)
    news = News.parse(catalogue(count, site=""))
    rounds: list[dict[str, Served]] = []
    for number in range(given.rounds):
        poll = given.poll if number == given.rounds - 1 else 0
        found = {}
        for word in turns(field, number):
            here = folder / f"served-{number}" / word
            here.mkdir(parents=True)
            found[word] = served(field[word], here, news, number, poll)
        rounds.append(found)
    print(
        f"\n{count} entries, served, medians of {given.rounds}; memory after {given.poll:.0f} s\n"
    )
    print(*served_table(field, rounds), sep="\n")
    print("", *judged_serving(rounds), sep="\n", flush=True)


def served_table(field: dict[str, Server], rounds: Sequence[dict[str, Served]]) -> Iterator[str]:
    """Return the servers' lines."""
    yield f"  {'':30}{'start s':>9}{'edit s':>9}{'restart s':>11}{'memory MB':>11}"
    for word, server in field.items():
        start, edit, restart = (
            median(found[word][timed] for found in rounds) for timed in (START, EDIT, RESTART)
        )
        memory = rounds[-1][word][MEMORY]
        yield f"  {server.name:30}{start:9.2f}{edit:9.2f}{restart:11.2f}{memory:11.0f}"


def judged_serving(rounds: Sequence[dict[str, Served]]) -> Iterator[str]:
    """Return a line for each goal of serving."""
    ratio = median(found["feeds"][EDIT] / found["hugo"][EDIT] for found in rounds)
    yield verdict("edit: feeds serve to hugo server", ratio, EDIT_RATIO)
    edit = median(found["feeds"][EDIT] for found in rounds)
    yield verdict("edit: feeds serve, seconds", edit, EDIT_SECONDS)
    restart = median(found["feeds"][RESTART] for found in rounds)
    yield verdict("restart: feeds serve, seconds", restart, RESTART_SECONDS)
    yield verdict("memory: feeds serve, MB", rounds[-1]["feeds"][MEMORY], MEGABYTES)


def main() -> None:
    """Measure, and print tables."""
    given = arguments()
    field = site_contenders(given.installed)
    if not all(contender.installed for contender in field.values()):
        sys.exit("Hugo is not installed: see benchmarks/peers/install.py")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for count in given.entries:
            measure(given, count, field, folder)
        if not given.no_serve:
            measure_serving(given, max(given.entries), folder)


if __name__ == "__main__":
    main()
