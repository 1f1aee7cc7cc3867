"""The time from a catalogue to feeds in files, compared with other programs.

    python benchmarks/peers/install.py
    python benchmarks/build.py [--entries 1000 10000 100000] [--rounds 5] [--bodies] [--quick]

The job: a synthetic catalogue's newest 50 entries of everything, of each of 24
topics and of each of 190 countries, as Atom and RSS. In each round all programs
do it in turns, because machines are noisy and only times that are close together
can be compared: with an empty folder, with nothing changed, with the title of one
entry edited, and with one entry added. A program that cannot do less does the
whole job again.

Medians of the rounds are printed, and the median of each round's ratio. One
round more comes first and is not timed. In it the memory of each program is
measured every 10 ms, as the sum of the proportional set sizes of all processes;
and all documents must have the same entries as ours, by link and title.
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from catalogues import catalogue
from peers import Contender, News, contenders
from peers.documents import differences, paths
from peers.rounds import (
    COLD,
    EDITED,
    UNCHANGED,
    Goal,
    edited_place,
    judged,
    played,
    prepare,
    table,
    verdict,
)
from peers.runs import run

HERE = Path(__file__).parent
ADDED = "one entry added"
SMALL, MIDDLE, LARGE = 1000, 10_000, 100_000
# How many differences are printed.
MAX_DIFFERENCES = 5

GOALS = (
    Goal(COLD, "feeds", "hugo", {MIDDLE: 0.45, LARGE: 0.25}),
    Goal(COLD, "feeds", "feedsmith", {MIDDLE: 0.95}),
    Goal(COLD, "feeds", "feedgen", {MIDDLE: 0.40}),
    Goal(EDITED, "feeds", "hugo", {MIDDLE: 0.20}),
    Goal(COLD, "feeds", "hugo", {LARGE: 0.25}, "memory"),
)
GOALS_WITH_BODIES = (Goal(COLD, "feeds", "hugo", {SMALL: 0.8, MIDDLE: 0.8}),)
GROWTH = 1.15


def arguments() -> argparse.Namespace:
    """Read the command line."""
    known = contenders(HERE, slow=False)
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, nargs="+", help="default: 1000 10000 100000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", nargs="+", choices=list(known)[1:], default=list(known)[1:])
    parser.add_argument("--bodies", action="store_true", help="entries have 200 words of Markdown")
    parser.add_argument("--quick", action="store_true", help="one round of 1000 entries")
    parser.add_argument("--slow", action="store_true", help="Pelican does 10000 entries too")
    parser.add_argument("--installed", type=Path, default=HERE / ".peers", metavar="FOLDER")
    given = parser.parse_args()
    if given.quick:
        given.rounds, given.entries = 1, given.entries or [SMALL]
    given.entries = given.entries or [SMALL, MIDDLE, *([] if given.bodies else [LARGE])]
    return given


def chosen(given: argparse.Namespace) -> dict[str, Contender]:
    """Return the contenders that take part, and print those that cannot."""
    participants = contenders(given.installed, slow=given.slow)
    asked = {word: participants[word] for word in ("feeds", *given.peers)}
    for contender in asked.values():
        if not contender.installed:
            print(f"{contender.name} is not installed: see benchmarks/peers/install.py")
    return {word: contender for word, contender in asked.items() if contender.installed}


def check(field: dict[str, Contender], folder: Path, scenario: str) -> None:
    """End the program if a contender's documents have other entries than ours."""
    ours = folder / "feeds" / "out"
    reported = []
    for word, contender in field.items():
        theirs = folder / word / "out"
        among = paths(ours) if contender.exact else {"atom.xml", "rss.xml"}
        found = differences(ours, theirs, among)
        if contender.exact and word != "feeds-all":
            found += [f"{path} is too much" for path in sorted(paths(theirs) - among)]
        reported += [
            f"{contender.name}, {scenario}: {difference}" for difference in found[:MAX_DIFFERENCES]
        ]
    if reported:
        sys.exit("\n".join(reported))


def measure(
    given: argparse.Namespace, count: int, participants: dict[str, Contender], folder: Path
) -> None:
    """Measure with a number of entries, and print it.

    Each round has folders of its own, and nothing is removed before the end:
    where many files were removed lately, a file system is slow to make new ones.
    """
    field = {word: one for word, one in participants.items() if count <= one.most}
    news = News.parse(catalogue(count, bodies=given.bodies))
    rounds = []
    for number in range(given.rounds + 1):
        place, here = edited_place(number), folder / f"{count}-{number}"
        edited = news.edited(place)
        catalogues = {COLD: news, UNCHANGED: None, EDITED: edited, ADDED: edited.grown(place)}
        rounds.append(played(field, here, catalogues, number, partial(check, field, here)))
    documents = "with bodies" if given.bodies else "without bodies"
    print(f"\n{count} entries {documents}, medians of {given.rounds}")
    for scenario in catalogues:
        print("\n".join(table(field, scenario, rounds)))
    goals = GOALS_WITH_BODIES if given.bodies else GOALS
    print("", *judged(goals, count, rounds), sep="\n", flush=True)


def growth(feeds: Contender, rounds: int, folder: Path, *, bodies: bool) -> None:
    """Measure how the time for an entry grows from the middle number to the large one."""
    news = {count: News.parse(catalogue(count, bodies=bodies)) for count in (MIDDLE, LARGE)}
    found = median(grown(feeds, news, folder / f"growth-{number}") for number in range(rounds))
    print("", verdict(f"cold, an entry of {LARGE} to one of {MIDDLE}", found, GROWTH), sep="\n")


def grown(feeds: Contender, news: dict[int, News], folder: Path) -> float:
    """Return a round's ratio of the times for an entry."""
    times = {}
    for count, one in news.items():
        prepare({"feeds": feeds}, folder / str(count), one, fresh=True)
        cost = run(feeds.command, folder / str(count) / "feeds" / "input", sampled=False)
        times[count] = cost.wall / count
    return times[LARGE] / times[MIDDLE]


def main() -> None:
    """Measure, and print tables."""
    given = arguments()
    participants = chosen(given)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for count in given.entries:
            measure(given, count, participants, folder)
        if {MIDDLE, LARGE} <= set(given.entries):
            growth(participants["feeds"], given.rounds, folder, bodies=given.bodies)


if __name__ == "__main__":
    main()
