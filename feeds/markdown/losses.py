"""Notes on what of a body is not published: one for each thing, with its line."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

# Of things of one kind.
_MAX_NOTES = 5


class Loss(NamedTuple):
    """Something that is not published as it is written.

    `kind` is what losses are counted by, `message` the words of the note, and `texts`
    are how the thing, or its beginning, may be written in the body.
    """

    kind: str
    message: str
    texts: tuple[str, ...]


class BodyNote(NamedTuple):
    """A note on a body, and the line of the body that it is about, from 0."""

    line: int
    message: str


def notes_of(
    body: str, losses: Sequence[Loss], losses_in: Callable[[str], Sequence[Loss]]
) -> list[BodyNote]:
    """Return the notes on losses, sorted by line; `losses_in` returns the losses of any body."""
    counts = Counter(losses)
    kinds: dict[str, list[Loss]] = {}
    for loss in counts:
        kinds.setdefault(loss.kind, []).append(loss)
    notes = []
    for found in kinds.values():
        shown, more = found[:_MAX_NOTES], sum(counts[loss] for loss in found[_MAX_NOTES:])
        for loss in shown:
            times = f" ({counts[loss]} times)" if counts[loss] > 1 else ""
            rest = f" (and {more} more like it)" if more and loss is shown[-1] else ""
            line = line_of(body, loss, losses_in)
            notes.append(BodyNote(line, f"{loss.message}{times}{rest}"))
    return sorted(notes, key=itemgetter(0))


def line_of(body: str, loss: Loss, losses_in: Callable[[str], Sequence[Loss]]) -> int:
    """Return the line where a loss begins.

    Where its text is in the body more than once, or not at all, the shortest
    beginning of the body that has the loss decides.
    """
    texts = filter(None, dict.fromkeys(loss.texts))
    places = sorted(
        found.start()
        for text in texts
        for found in re.finditer(re.escape(text), body, re.IGNORECASE)
    )
    if len(set(places)) == 1:
        return body.count("\n", 0, places[0])

    def is_within(end: int) -> bool:
        return any(found[:2] == loss[:2] for found in losses_in(body[:end]))

    for place in places[:_MAX_NOTES]:
        # A tag may go on for some lines.
        line_end, tag_end = body.find("\n", place), body.find(">", place) + 1
        if is_within(max(line_end, tag_end) if line_end > 0 and tag_end > 0 else len(body)):
            return body.count("\n", 0, place)
    ends = [match.end() for match in re.finditer(r"\n|\Z", body)]
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_within(ends[middle]) else (middle + 1, high)
    return low
