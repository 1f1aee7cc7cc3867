"""CSV and TSV → nodes: a list of mappings, whose keys are the names of the columns."""

import csv
import re
from io import StringIO

from feeds.importer.nodes import Fields, Items, Node, SyntaxFault, Text

_DELIMITERS = ",;\t|"
# A first line that tells Excel the separator.
_EXCEL_SEPARATOR = re.compile("sep=(.)\r?\n", re.IGNORECASE)
_QUOTED = re.compile('"[^"]*"')


def read_csv(name: str, text: str) -> Node:
    """Return the records of a table; its first line names the columns. Raises FeedsError."""
    excel = _EXCEL_SEPARATOR.match(text)
    before = 1 if excel else 0
    text = text[excel.end() :] if excel else text
    heading = _QUOTED.sub("", text.lstrip("\r\n").partition("\n")[0])
    delimiter = excel[1] if excel else max(_DELIMITERS, key=heading.count)
    rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] = []
    records: list[Node] = []
    line = before + 1
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if any(cells) and not columns:
                columns = _columns(name, cells, line)
            elif any(cells):
                records.append(_record(cells, columns, line))
            line = before + rows.line_num + 1
    except csv.Error as error:
        message = f"is not valid CSV: {error}; check the quotes from this line on"
        raise SyntaxFault(name, line, message) from None
    return Items(before + 1, tuple(records))


def _columns(name: str, cells: list[str], line: int) -> list[str]:
    """Return the names of the columns, without empty ones at the end."""
    count = max(number for number, cell in enumerate(cells, 1) if cell)
    columns = [cell or f"column {number}" for number, cell in enumerate(cells[:count], 1)]
    repeated = next((column for column in columns if columns.count(column) > 1), None)
    if repeated:
        raise SyntaxFault(name, line, f"two columns are called {repeated!r}; rename one")
    return columns


def _record(cells: list[str], columns: list[str], line: int) -> Fields:
    pairs: dict[str, Node] = {
        column: Text(line, cell) for column, cell in zip(columns, cells, strict=False)
    }
    if not any(cells[len(columns) :]):
        return Fields(line, pairs)
    fault = (
        f"has {len(cells)} values for {len(columns)} columns;"
        " put a value that contains the separator in quotes"
    )
    return Fields(line, pairs, fault)
