"""The text of one value: what a cell holds as text, and its white space.

Belongs here: turning one value into text. Does not: which column it is from (columns), or messages
(chats).
"""

import math
import re
from typing import Any

# A text of a million words is no answer. It is imported, and the user should know of it.
LONG_TEXT = 10_000_000

_BLANK_LINES = re.compile(r"\A\s*[\r\n]")
_TYPE_NAMES = {
    "bool": "true or false",
    "list": "a list",
    "dict": "an object",
}


def trimmed(text: str) -> str:
    """An input or an output without blank lines at its beginning and white space at its end.

    Blanks in the first line with text stay: without them, the first line of a table or of code
    would no longer stand in line with the others.
    """
    return _BLANK_LINES.sub("", text.rstrip())


def as_text(value: Any) -> tuple[str | None, str]:
    """The value as text; or None and what it is, with nothing for a missing value."""
    if isinstance(value, str):
        return value, ""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None, ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value), ""
    if isinstance(value, bytes):  # some writers of Parquet do not say that their bytes are text
        try:
            return value.decode(), ""
        except UnicodeDecodeError:
            return None, "bytes that are no UTF-8 text"
    kind = type(value).__name__
    return None, _TYPE_NAMES.get(kind, kind)
