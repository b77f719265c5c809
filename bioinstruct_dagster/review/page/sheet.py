"""The rows to judge as CSV, for a spreadsheet.

Belongs here: the columns, and cells that no spreadsheet takes for a formula. Does not: reading a
filled-in sheet (handed_in.filled_files).
"""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.review.handed_in.judgements import FIELDS

_ANSWERS = FIELDS[1:6]
COLUMNS = (FIELDS[0], "instruction", "input", "output", "compared_text", *_ANSWERS)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
MOST_CELL = 32_000  # characters; Excel cuts a cell at 32,767


def review_sheet(items: Sequence[Mapping[str, Any]]) -> str:
    """The CSV text: UTF-8 with a byte order mark and CRLF, as Excel reads it.

    Args:
        items: as for the page. Rows that a reviewer has judged are left out.
    """
    written = io.StringIO(newline="")
    sheet = csv.writer(written, lineterminator="\r\n")
    sheet.writerow(COLUMNS)
    for item in items:
        if item["judged_by"]:
            continue
        near = item["near"] or {"what": "", "text": ""}
        texts = (item["instruction"], item["input"], item["output"], near["text"])
        sheet.writerow([item["id"], *map(_cell, texts), *[""] * len(_ANSWERS)])
    return "\ufeff" + written.getvalue()


def _cell(text: str) -> str:
    mark = "'" if text.startswith(_FORMULA) else ""
    return (mark + text)[:MOST_CELL]
