"""The rows of a CSV file, if they have one certain reading; else an error with the line.

Python's own reader guesses where a file is wrong: it joins rows after an unclosed quote, cuts a
cell at an unquoted comma, and lets the last of two equal columns win. Belongs here: which character
separates the cells, the names of the columns, and whether each row fits them. Does not: the cells
of one row (csv_cells), or what the columns mean (columns).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bioinstruct_dagster.generation.imports.csv_cells import CsvCells, CsvFaultError, CsvRow
from bioinstruct_dagster.generation.imports.faults import ImportedSetError, RowFaults
from bioinstruct_dagster.generation.imports.records import Record, SourceRecords
from bioinstruct_dagster.generation.imports.text import text_of
from bioinstruct_dagster.input_files import shown

_SEPARATORS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
_FEWEST_MERGED_LINES = 3


def read_csv(path: Path, code_page: str = "") -> SourceRecords:
    """The rows of a CSV file as records.

    Args:
        path: the file.
        code_page: the encoding of a file that is no UTF-8 and has no byte order mark. If it is
            empty, such a file is refused.

    Raises:
        ImportedSetError: names each line that has no certain reading, and what to do.
    """
    text = text_of(path, code_page)
    if (nul := text.find("\0")) >= 0:
        line = text.count("\n", 0, nul) + 1
        raise ImportedSetError(f"{shown(path)}: line {line}: a NUL character; remove it.")
    separator = _separator(text, tab_first=".tsv" in path.suffixes)
    notes = [] if separator in ",\t" else [f"the cells are separated by {_SEPARATORS[separator]}s"]
    plain = _CsvReading(text, separator, backslash=False)
    if plain.faults and '\\"' in text:
        escaped = _CsvReading(text, separator, backslash=True)
        if not escaped.faults:
            notes.append('quotes inside cells are escaped by backslashes (\\")')
            return SourceRecords(escaped.records, notes)
        if escaped.reached > plain.reached:
            plain = escaped
    plain.faults.refuse(f"{shown(path)}: the rows have no certain reading:")
    return SourceRecords(plain.records, notes)


class _CsvReading:
    """One way to read the text. Without faults, it is the right one."""

    def __init__(self, text: str, separator: str, *, backslash: bool) -> None:
        self.faults = RowFaults()
        self.records: list[Record] = []
        self.reached = 0  # the last line that was read
        self._separator = separator
        skipped = _names_separator(text)
        rows = _with_content(CsvCells(text, separator, backslash=backslash).rows(), skip=skipped)
        try:
            header = next(rows, None)
            if header is None:
                return
            names = [cell.strip() for cell in header.cells]
            self._check_names(header.line, names)
            if not self.faults:
                self._read(names, rows)
        except CsvFaultError as error:
            place, _, message = str(error).partition(": ")
            self.faults.add(place, message)
            self.reached = error.line

    def _check_names(self, line: int, names: Sequence[str]) -> None:
        for name, times in Counter(names).items():
            if name and times > 1:
                message = f"the header names the column {name!r} {times} times; rename the others"
                self.faults.add(f"line {line}", message)

    def _read(self, names: Sequence[str], rows: Iterator[CsvRow]) -> None:
        separator = _SEPARATORS[self._separator]
        unnamed = [at for at, name in enumerate(names) if not name]
        for row in rows:
            self.reached = row.line
            place = f"line {row.line}"
            if len(row.cells) != len(names):
                self.faults.add(place, _wrong_count(row, len(names), separator))
            elif _may_be_merged(row, self._separator, len(names)):
                message = "the quotes of this row hold whole rows of the file; close the quote "
                message += "that opens here, or remove it"
                self.faults.add(place, message)
            else:
                for at in unnamed:
                    if not _is_without_meaning(row.cells[at], first=at == 0):
                        message = f"column {at + 1} holds text, but has no name; name it in the "
                        self.faults.add(place, message + "header")
                self.records.append(
                    Record(place, {n: c for n, c in zip(names, row.cells, strict=True) if n})
                )


def _wrong_count(row: CsvRow, columns: int, separator: str) -> str:
    cells = f"{len(row.cells)} cell" + "s" * (len(row.cells) != 1)
    message = f"{cells}, but the header names {columns} columns; "
    if "\n" in row.text:
        return message + "close a quote that opens in this line, or remove it"
    if len(row.cells) > columns:
        return message + f"put quotes around a cell that holds a {separator}"
    return message + "add the missing cells, or put quotes around a cell with line breaks"


def _names_separator(text: str) -> bool:
    """Whether the first line is `sep=;`, which tells Excel the separator."""
    return re.match(r"sep=[^\r\n][\r\n]", text, re.IGNORECASE) is not None


def _separator(text: str, *, tab_first: bool) -> str:
    """The character that separates the names in the header."""
    if _names_separator(text) and text[4] in _SEPARATORS:
        return text[4]
    candidates = sorted(_SEPARATORS, key=lambda one: one == "\t", reverse=tab_first)
    columns = {}
    for separator in candidates:
        try:
            header = next(_with_content(CsvCells(text, separator).rows(), skip=False), None)
        except CsvFaultError:
            header = None
        columns[separator] = len(header.cells) if header else 0
    several = [separator for separator in candidates if columns[separator] > 1]
    return several[0] if several else candidates[0]


def _with_content(rows: Iterator[CsvRow], *, skip: bool) -> Iterator[CsvRow]:
    """The rows that hold more than empty cells, without the first one if it is to be skipped."""
    for row in rows:
        if skip:
            skip = False
        elif any(cell.strip() for cell in row.cells):
            yield row


def _is_without_meaning(cell: str, *, first: bool) -> bool:
    """Whether a cell without a column's name can be left out: empty, or pandas' row number."""
    return not cell.strip() or (first and cell.strip().isdecimal())


def _may_be_merged(row: CsvRow, separator: str, columns: int) -> bool:
    """Whether each line of the row would be a row of its own if the quotes were not there.

    That is how rows look between a quote that is not closed and a quote that means inches. In
    prose, a blank follows a comma, so only other commas count.
    """
    lines = row.text.split("\n")
    if columns < 2 or len(lines) < 2:  # noqa: PLR2004  # two columns, two lines
        return False
    between_cells = re.compile(rf"{re.escape(separator)}(?![ \d])")
    if any(len(between_cells.findall(line)) != columns - 1 for line in lines):
        return False
    if len(lines) >= _FEWEST_MERGED_LINES:
        return True
    return any("\n" in cell and separator * 2 in cell for cell in row.cells)
