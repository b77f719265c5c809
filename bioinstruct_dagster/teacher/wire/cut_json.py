"""A JSON body that breaks off: what came of it is read.

A gateway that stops in the middle of a body has still delivered, and the server has billed, all
that came before. Belongs here: closing a JSON text that breaks off. Does not: reading the body that
results (reply_body), or a stream (streams).
"""

import json
import re
from typing import Any

_CLOSING = {"{": "}", "[": "]"}
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]', re.DOTALL)
_CUT_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*(\\(?:u[0-9a-fA-F]{0,3})?)\Z")


def cut_body(text: str) -> dict[str, Any] | None:
    """The value of a JSON object that breaks off, or None if nothing of it can be read.

    The finish reason of its choice is "length", so that readers drop a task that was cut.
    """
    value = _closed(text)
    if not isinstance(value, dict):
        return None
    value.pop("usage", None)  # its last number may be cut, so the cost is not known
    choices = value.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        if not choices[0].get("finish_reason"):
            choices[0]["finish_reason"] = "length"
    elif isinstance(value.get("output"), list):
        value["status"], value["incomplete_details"] = "incomplete", {"reason": "length"}
    else:
        return None
    return value


def _closed(text: str) -> Any:
    """The value of a JSON text after its open strings, lists and objects were closed."""
    open_brackets: list[str] = []
    # Where the text can be cut so that it is whole again, and the brackets that are open there.
    cuts: list[tuple[int, str]] = []
    end = 0
    for token in _TOKEN.finditer(text):
        sign = token.group()
        end = token.end()
        if sign in _CLOSING:
            open_brackets.append(_CLOSING[sign])
        elif sign in {"}", "]"}:
            if not open_brackets or open_brackets.pop() != sign:
                return None
        elif sign == ",":
            cuts.append((token.start(), "".join(reversed(open_brackets))))
    rest = text[end:]
    closing = "".join(reversed(open_brackets))
    candidates = [text + closing]
    if '"' in rest:  # the text breaks off inside a string
        candidates.append(
            _CUT_ESCAPE.sub(lambda m: m.group()[: -len(m.group(1))], text) + '"' + closing
        )
    candidates += [text[:place] + brackets for place, brackets in reversed(cuts[-3:])]
    for candidate in candidates:
        try:
            return json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
    return None
