"""Whether the texts in a line of a filled-in sheet are those of the row that its id names.

A person who sorts one column of a spreadsheet shifts ids against texts, and would judge other rows
than those that he or she read. Belongs here: the comparison, and its refusal by file, line and
item. Does not: reading files (handed_in.filled_files), or writing the sheet (page.sheet).
"""

import re
from collections.abc import Iterable, Mapping

from bioinstruct_dagster.review.handed_in.filled_files import CODE_PAGE
from bioinstruct_dagster.review.handed_in.judgements import RowJudgement
from bioinstruct_dagster.review.masking import masked_texts
from bioinstruct_dagster.review.page.sheet import MOST_CELL
from bioinstruct_dagster.review.population import TEXTS, PopulationRow

ADVICE = (
    "If the column item_id was sorted or moved alone, fetch the ids and texts anew from review.csv "
    "and copy your answers to their lines. If you corrected a text: corrections are not read, so "
    "put the text back, and reject the row or write a comment."
)
_MOST_SHOWN = 10  # lines in the message
# A spreadsheet rewrites such a cell in its own way: 1.50 becomes 1.5, and 1/2 a date.
_REWRITTEN = re.compile(r"[-+\d.,:/%eE\s]{1,40}|true|false", re.IGNORECASE)
_MASK = re.compile(r"\\\[[a-z_\\ ]+\\\]")  # such as [mrn], as re.escape writes it


def faults_of_texts(
    judgements: Iterable[RowJudgement], rows: Mapping[str, PopulationRow]
) -> list[str]:
    """A line for each judgement whose file shows other texts than its row has; empty if none does.

    Args:
        judgements: of present texts.
        rows: by id.
    """
    found = []
    for one in sorted(judgements, key=_in_the_file):
        row = rows[one.row_id]
        shown = masked_texts(row)
        if other := [
            name
            for name in TEXTS
            if name in one.texts
            and not _same(one.texts[name], shown[name])
            and not _same_but_masks(one.texts[name], row.texts[name])
        ]:
            found.append(
                f"{one.place}: column {', '.join(other)}: not the text of the row that item_id "
                f"names ({one.item_id})"
            )
    more = len(found) - _MOST_SHOWN
    return [*found[:_MOST_SHOWN], *([f"… and {more} more lines"] if more > 0 else [])]


def _in_the_file(one: RowJudgement) -> tuple[str, int]:
    number = re.search(r"\d+", one.line)
    return one.file, int(number[0]) if number else 0


def _plain(cell: str) -> str:
    """A cell without what spreadsheets add or change: the mark, blanks and line ends."""
    return " ".join(cell.strip().removeprefix("'").split())


def _same(cell: str, text: str) -> bool:
    expected = _plain(text[:MOST_CELL])
    given = _plain(cell)
    # The mark takes a character's place in a text that is cut.
    return (
        given == expected
        or (len(text) >= MOST_CELL and bool(given) and expected.startswith(given))
        or bool(_REWRITTEN.fullmatch(expected))
        or _same_but_lost(given, expected)
    )


def _same_but_lost(given: str, expected: str) -> bool:
    """Whether only characters differ that a spreadsheet loses if it does not save as UTF-8.

    In their places stand other characters, such as a question mark.
    """
    if given.isascii() and expected.isascii():
        return False
    return len(given) == len(expected) and all(
        one == other or not _in_code_page(other) for one, other in zip(given, expected, strict=True)
    )


def _in_code_page(character: str) -> bool:
    try:
        character.encode(CODE_PAGE)
    except UnicodeEncodeError:
        return False
    return True


def _same_but_masks(cell: str, text: str) -> bool:
    """Whether only masks differ: the privacy gate may have changed since the sheet was written."""
    pattern = _MASK.sub(".+?", re.escape(_plain(cell)))
    return ".+?" in pattern and bool(re.fullmatch(pattern, _plain(text)))
