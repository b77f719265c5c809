"""The rehearsal server's stand-in judge: it compares words by a simple rule, and means nothing.

The rule: a "fact" is a word of four or more letters, or a number, that occurs in a text; each
counts once. A word of the reference is covered if it occurs in the answer, else it is omitted. A
word of the answer is supported if it occurs in source or reference, else it is invented. Of two
answers, the one with the higher share of such facts is preferred. The rule lets the whole path be
tried, over HTTP and without a key. Belongs here: replies to the judge's two questions. Does not:
recorded replies (answers).
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from bioinstruct_dagster.rehearsal.api_server.messages import numbered_items

# The names of the judge's response formats, by which a request is recognized.
GRADE_SCHEMA = "judge_grades"
PAIR_SCHEMA = "judge_pairs"
NOTE = "Rehearsal: a stand-in compared words by a simple rule. This grade has no meaning."
_GRADED = frozenset({"source", "reference", "answer"})
_PAIRED = frozenset({"source", "reference", "first", "second"})
_WORD = re.compile(r"[^\W\d_]{4,}|\d+")


def judge_reply(content: str, form: str, schema: str | None) -> str | None:
    """The stand-in judge's reply to a message; None if the message asks for something else.

    Args:
        content: the user's message.
        form: json_schema, json_object or text.
        schema: the name of the response format.
    """
    if form == "json_schema" and schema not in {GRADE_SCHEMA, PAIR_SCHEMA}:
        return None
    items = [item for item in numbered_items(content) if _holds_texts(item)]
    if items and all(item.keys() >= _GRADED for item in items):
        return json.dumps({"grades": [_grade(item) for item in items]})
    if items and all(item.keys() >= _PAIRED for item in items):
        return json.dumps({"pairs": [_choice(item) for item in items]})
    return None


def _holds_texts(item: Mapping[str, Any]) -> bool:
    return all(isinstance(text, str) for name, text in item.items() if name != "number")


def _grade(item: Mapping[str, Any]) -> dict[str, Any]:
    counts = _counts(item["source"], item["reference"], item["answer"])
    return {"number": item["number"], "reason": NOTE, **counts}


def _counts(source: str, reference: str, answer: str) -> dict[str, int]:
    wanted, said = _words(reference), _words(answer)
    known = wanted | _words(source)
    return {
        "covered": len(wanted & said),
        "distorted": 0,
        "omitted": max(len(wanted - said), 0 if wanted else 1),
        "supported": len(said & known),
        "contradicted": 0,
        "invented": len(said - known),
    }


def _choice(item: Mapping[str, Any]) -> dict[str, Any]:
    first, second = (
        _worth(item["source"], item["reference"], item[place]) for place in ("first", "second")
    )
    preferred = "neither" if first == second else "first" if first > second else "second"
    return {"number": item["number"], "reason": NOTE, "preferred": preferred}


def _worth(source: str, reference: str, answer: str) -> float:
    counts = _counts(source, reference, answer)
    right = 2 * counts["covered"]
    return right / (right + counts["omitted"] + counts["invented"] or 1)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
