"""Values of answers in the types of their JSON schema, and names without regard to their writing.

Belongs here: one value, one reason or one name. Does not: lists of answers (answer_objects).
"""

import math
import re
from typing import Any

_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}
_SEPARATORS = re.compile(r"[\W_]+")


def word(name: Any) -> str:
    """A name in small letters, its words joined by underscores: "Question Answering" is equal."""
    return _SEPARATORS.sub("_", str(name).casefold()).strip("_")


def readable(value: Any, schema: Any) -> Any:
    """The value in the type that the schema asks for, if the value means exactly one such value.

    Any other value is returned as it is, so that the question's own reader can refuse it.
    """
    if not isinstance(schema, dict):
        return value
    if "enum" in schema:
        return _of_enum(value, schema["enum"])
    kinds = schema.get("type")
    if kinds == "boolean" and isinstance(value, str):
        return _TRUTHS.get(value.strip().casefold(), value)
    if kinds in {"number", "integer"}:
        return _of_number(value, whole=kinds == "integer")
    return value


def short_reason(reason: Any, most: int) -> str:
    """The reason of an answer on one line; empty if the teacher gave no text.

    Args:
        reason: as it stands in the reply.
        most: the most characters that are kept.
    """
    return " ".join(reason.split())[:most] if isinstance(reason, str) else ""


def _of_enum(value: Any, allowed: list[Any]) -> Any:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value in allowed or not isinstance(value, str):
        return value
    same = [each for each in allowed if word(each) == word(value)]
    return same[0] if len(same) == 1 else value


def _of_number(value: Any, *, whole: bool) -> Any:
    number = value
    if isinstance(value, str):
        try:
            number = float(value.strip())
        except ValueError:
            return value
    if isinstance(number, bool) or not isinstance(number, int | float):
        return value
    if not math.isfinite(number):
        return value
    if whole:
        return int(number) if number == int(number) else value
    return number
