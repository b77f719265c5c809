"""Reading a reply: from its text to its tasks, and to the outcome by name.

Whole tasks are read, whatever became of their neighbours; a task that is cut or broken is never
mended into one. Whatever the outcome, the reply's text stays in the store. Belongs here: which
form a reply has, and what its outcome is called. Does not: the forms themselves (salvage,
numbered), or whether a task is any good (curation).
"""

from dataclasses import dataclass

from bioinstruct_dagster.generation.replies.json_tasks import JsonReading, read_json
from bioinstruct_dagster.generation.replies.numbered_tasks import NumberedReading, read_numbered
from bioinstruct_dagster.generation.replies.tasks import TASK_FIELDS, TaskList

__all__ = ["FORMS", "OUTCOMES", "TASK_FIELDS", "ReplyReading", "read_reply"]

OUTCOMES = ("parsed", "truncated", "refused", "empty", "malformed", "wrong_schema")
FORMS = ("json", "text")
_DETAIL_CHARACTERS = 200


@dataclass(frozen=True)
class ReplyReading:
    """What a reply held.

    Attributes:
        outcome: one of `OUTCOMES`; "parsed" only where every written task was read.
        tasks: instruction, input and output of each task that was read, as the reply has them.
        detail: what was dropped and why, for people; tasks are numbered from 0, like positions.
        positions: the place of each task among all that were written, the broken ones included.
        dropped: how many were written and not read.
    """

    outcome: str
    tasks: tuple[dict[str, str], ...] = ()
    detail: str = ""
    positions: tuple[int, ...] = ()
    dropped: int = 0


def read_reply(
    content: str, finish_reason: str | None, refusal: str | None, form: str = "json"
) -> ReplyReading:
    """Read one reply; never raises, and takes time in proportion to its length.

    Args:
        content: the text that the teacher sent.
        finish_reason: why it stopped: "length" where the reply may be cut.
        refusal: the teacher's own words, where it declined.
        form: what it was asked for, "json" or "text"; a reply in the other form is read all the
            same where there is no doubt.
    """
    if refusal:
        return ReplyReading("refused", detail=_storable(refusal[:_DETAIL_CHARACTERS]))
    reading = _read(content, finish_reason, form) if content.strip() else ReplyReading("empty")
    if finish_reason == "content_filter" and not reading.tasks:
        # What the filter cut is no task that this reader failed to read.
        return ReplyReading("refused", detail="the content filter stopped the reply")
    return reading


def _read(content: str, finish_reason: str | None, form: str) -> ReplyReading:
    in_json = read_json(content)
    if in_json.start >= 0 and not content[: in_json.start].strip():
        return _of_json(in_json, finish_reason)  # no label can come before it
    in_text = read_numbered(content, cut=finish_reason in {"length", "content_filter"})
    if _is_text(in_text, in_json, form):
        return _of_text(in_text, finish_reason)
    return _of_json(in_json, finish_reason)


def _is_text(in_text: NumberedReading, in_json: JsonReading, form: str) -> bool:
    """Whether the reply is numbered text.

    The form that comes first holds the other: a numbered task may give JSON, and a JSON string can
    hold no line that begins with a label.
    """
    if in_text.start < 0:
        return form == "text" and not in_json.written.named and not in_json.is_json
    if not (form == "text" or in_text.is_numbered or in_text.written.tasks):
        return False  # prose before JSON may well have a line with one of the labels
    return in_json.start < 0 or in_text.start < in_json.start


def _of_json(found: JsonReading, finish_reason: str | None) -> ReplyReading:
    written, fault = found.written, found.fault
    if fault or (found.open_end and finish_reason == "length"):
        cut = finish_reason == "length" or (fault is not None and fault.cut)
        why = str(fault) if fault else "the reply ends inside a value"
        return _reading("truncated" if cut else "malformed", written, why)
    if not (written.named or found.is_json):
        return _nothing("no JSON", finish_reason)
    if not written.named:
        return _reading("wrong_schema", written, "no list of tasks")
    return _reading("wrong_schema" if written.dropped else "parsed", written)


def _of_text(found: NumberedReading, finish_reason: str | None) -> ReplyReading:
    written = found.written
    if found.start < 0:
        return _nothing("no numbered task", finish_reason)
    if finish_reason in {"length", "content_filter"}:
        return _reading("truncated", written, "the reply was cut")
    return _reading("wrong_schema" if written.dropped else "parsed", written)


def _nothing(why: str, finish_reason: str | None) -> ReplyReading:
    return ReplyReading("truncated" if finish_reason == "length" else "malformed", detail=why)


def _reading(outcome: str, written: TaskList, why: str = "") -> ReplyReading:
    tally = (
        f"{len(written.tasks)} of {written.count} tasks read"
        if outcome != "parsed" and written.count
        else ""
    )
    detail = "; ".join(part for part in (written.fault, why, tally) if part)
    return ReplyReading(
        outcome,
        tuple(written.tasks),
        detail[:_DETAIL_CHARACTERS],
        tuple(written.positions),
        written.dropped,
    )


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
