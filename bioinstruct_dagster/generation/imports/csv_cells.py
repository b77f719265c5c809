"""The cells of a CSV text, by RFC 4180 and no further: what has two readings is a fault.

Belongs here: quotes, separators and line ends. Does not: whether a row fits the header (csv_rows).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_BACKSLASHES_BEFORE_QUOTE = re.compile(r'\\+(?="|\Z)')
_INCHES = re.compile(r'\d"(?=.)')  # at its end, a cell may have lost the quote at its beginning


class CsvRow(NamedTuple):
    """A row with the line where it begins, its cells, and its text as it stands in the file."""

    line: int
    cells: list[str]
    text: str


class CsvFaultError(Exception):
    """The text has more than one reading. `line` is where the fault begins."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


class CsvCells:
    """The cells of a text.

    Args:
        text: the whole content.
        separator: the character between two cells.
        backslash: whether a quote inside a quoted cell has a backslash before it, as MySQL and
            Spark write it, and not a second quote.
    """

    def __init__(self, text: str, separator: str, *, backslash: bool = False) -> None:
        self._text = text
        self._separator = separator
        self._backslash = backslash
        # Files of old Macintosh programs end their lines by CR alone.
        self._line_end = "\n" if "\n" in text else "\r"
        self._row_end = re.compile(r"\r*\n|\r+\Z" if self._line_end == "\n" else r"\r")
        self._plain = re.compile(rf"[^{re.escape(separator)}\r\n]*")
        self._after_quote = re.compile("[ \t]*" if separator != "\t" else "[ ]*")
        self._row_start = 0
        self._row_line = 1

    def rows(self) -> Iterator[CsvRow]:
        """All rows in order, also those of empty lines.

        Raises:
            CsvFaultError: at the first place with more than one reading.
        """
        text, at = self._text, 0
        while at < len(text):
            cells: list[str] = []
            while True:
                cell, at = self._cell(at)
                cells.append(cell)
                if not text.startswith(self._separator, at):
                    break
                at += 1
            end = self._row_end.match(text, at)
            if end is None and at < len(text):
                message = "a carriage return (CR) stands outside of quotes; remove it"
                raise CsvFaultError(self._line(at), message)
            yield CsvRow(self._row_line, cells, text[self._row_start : at])
            at = end.end() if end else at
            self._row_line = self._line(at)
            self._row_start = at

    def _line(self, at: int) -> int:
        return self._row_line + self._text.count(self._line_end, self._row_start, at)

    def _cell(self, at: int) -> tuple[str, int]:
        """The cell that begins here, and the place after it."""
        if self._text.startswith('"', at):
            return self._quoted(at)
        found = self._plain.match(self._text, at)
        cell, end = (found[0], found.end()) if found else ("", at)
        if '"' in cell:
            if cell.lstrip().startswith('"'):
                message = "a blank stands before the quote that opens a cell; remove the blank"
                raise CsvFaultError(self._line(at), message)
            if len(_INCHES.sub("", cell).split('"')) % 2 == 0:
                message = "a cell without quotes around it holds a single quote; put quotes around "
                message += 'the cell, and write the quote in it twice ("")'
                raise CsvFaultError(self._line(at), message)
        return cell, end

    def _quoted(self, opening: int) -> tuple[str, int]:
        text, at = self._text, opening + 1
        while True:
            closing = text.find('"', at)
            if closing < 0:
                message = "the quote that opens a cell here is never closed; close or remove it"
                raise CsvFaultError(self._line(opening), message)
            if self._backslash and self._is_escaped(opening, closing):
                at = closing + 1
            elif text.startswith('"', closing + 1):
                at = closing + 2
            else:
                break
        found = self._after_quote.match(text, closing + 1)
        end = found.end() if found else closing + 1
        if text[end : end + 1] not in ("", self._separator, "\r", "\n"):
            raise self._misplaced(opening, closing)
        return self._unescaped(text[opening + 1 : closing]), end

    def _is_escaped(self, opening: int, quote: int) -> bool:
        before = self._text[opening + 1 : quote]
        return (len(before) - len(before.rstrip("\\"))) % 2 == 1

    def _unescaped(self, cell: str) -> str:
        cell = cell.replace('""', '"')
        if not self._backslash:
            return cell
        return _BACKSLASHES_BEFORE_QUOTE.sub(lambda found: found[0][: len(found[0]) // 2], cell)

    def _misplaced(self, opening: int, quote: int) -> CsvFaultError:
        first, last = self._line(opening), self._line(quote)
        if first == last:
            message = 'a quote stands inside a quoted cell; write it twice (""), or remove it'
        else:
            message = (
                f"the quote that opens a cell here is not closed; the next quote, in line {last}, "
                'stands inside other text. Close the quote, and write a quote in it twice ("")'
            )
        return CsvFaultError(first, message)
