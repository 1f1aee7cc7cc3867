"""The cells of a table: each spans rows and columns that are there, and none that is taken."""

from collections.abc import Iterable, Sequence

from feeds.markdown.tree import Element

# Beyond that, a span is a mistake.
_MAX_SPAN = 100

Row = Sequence[Element]


def fit_spans(groups: Iterable[Sequence[Row]]) -> None:
    """Correct the spans of the cells of a table, given by its groups of rows.

    A span ends where its group ends, or another cell begins; a column in which no
    cell begins is not counted.
    """
    starts: set[int] = set()
    placed: list[tuple[int, int, int, Element]] = []
    for rows in groups:
        # By column, how many rows below are taken.
        taken: dict[int, int] = {}
        for number, row in enumerate(rows):
            column = 0
            here = []
            for cell in row:
                while taken.get(column, 0) > 0:
                    column += 1
                width = 1
                while width < _span(cell, "colspan") and taken.get(column + width, 0) <= 0:
                    width += 1
                height = min(_span(cell, "rowspan"), len(rows) - number)
                starts.add(column)
                here.append((column, width, height, cell))
                column += width
            taken = {column: left - 1 for column, left in taken.items() if left > 1}
            for column, width, height, _ in here:
                if height > 1:
                    taken.update(dict.fromkeys(range(column, column + width), height - 1))
            placed += here
    for column, width, height, cell in placed:
        counted = sum(number in starts for number in range(column, column + width))
        _set(cell, "colspan", counted)
        _set(cell, "rowspan", height)


def _span(cell: Element, name: str) -> int:
    return min(int(cell.attributes.get(name, 1)), _MAX_SPAN)


def _set(cell: Element, name: str, number: int) -> None:
    if number > 1:
        cell.attributes[name] = str(number)
    else:
        cell.attributes.pop(name, None)
