"""A JSON body that breaks off: what came of it is read.

A gateway that stops in the middle of a body has still delivered, and the server has billed, all
that came before. Belongs here: closing a JSON text that breaks off. Does not: reading the body that
results (reply_body), or a stream (streams).
"""

import json
import re
from typing import Any

from bioinstruct_dagster.teacher.reading.answer_text import BROKEN_OFF

_CLOSING = {"{": "}", "[": "]"}
# A string, the string that breaks off at the end, or a sign of structure.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|"(?P<cut>(?:[^"\\]|\\.)*)\\?\Z|[{}\[\],]', re.DOTALL)
_CUT_UNICODE = re.compile(r"\\u[0-9a-fA-F]{0,3}\Z")


def cut_body(text: str) -> dict[str, Any] | None:
    """The value of a JSON object that breaks off, or None if nothing of it can be read.

    Its finish reason says so, so that readers drop a task that was cut. It is not that of the
    limit of output, because no higher limit helps.
    """
    value = _closed(text)
    if not isinstance(value, dict):
        return None
    value.pop("usage", None)  # its last number may be cut, so the cost is not known
    choices = value.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        if not choices[0].get("finish_reason"):
            choices[0]["finish_reason"] = BROKEN_OFF
    elif isinstance(value.get("output"), list):
        value["status"], value["incomplete_details"] = "incomplete", {"reason": BROKEN_OFF}
    else:
        return None
    return value


def _closed(text: str) -> Any:
    """The value of a JSON text after its open strings, lists and objects were closed."""
    open_brackets: list[str] = []
    # Where the text can end so that it is whole again, and what closes it there.
    ends: list[tuple[int, str]] = []
    string = ""
    for token in _TOKEN.finditer(text):
        sign = token.group()
        if token.group("cut") is not None:
            string = '"'
            cut = _CUT_UNICODE.search(text, token.start(), token.end("cut"))
            text = text[: cut.start() if cut else token.end("cut")]
        elif sign in _CLOSING:
            open_brackets.append(_CLOSING[sign])
        elif sign in {"}", "]"}:
            if not open_brackets or open_brackets.pop() != sign:
                return None
        elif sign == ",":
            ends.append((token.start(), "".join(reversed(open_brackets))))
    ends.append((len(text), string + "".join(reversed(open_brackets))))
    for end, closing in reversed(ends[-3:]):
        try:
            return json.loads(text[:end] + closing, strict=False)
        except (ValueError, RecursionError):
            continue
    return None
