"""Reading a reply: its tasks, and its outcome by name.

Every whole task is read, even if other tasks of the reply are broken. A broken or truncated task is
never repaired. The reply's text stays in the store with every outcome.

Belongs here: which form a reply has, and the name of its outcome. Does not: reading either form
(json_tasks, numbered_tasks), or whether a task is good (curation).
"""

from dataclasses import dataclass, replace

from bioinstruct_dagster.generation.replies.json_tasks import JsonReading, read_json
from bioinstruct_dagster.generation.replies.numbered_tasks import NumberedReading, read_numbered
from bioinstruct_dagster.generation.replies.tasks import TASK_FIELDS, TaskList
from bioinstruct_dagster.store.storable_text import storable
from bioinstruct_dagster.teacher.reading.answer_text import (
    BROKEN_OFF,
    CUT_IN_REASONING,
    NO_ANSWER_BESIDE_REASONING,
    WORDS_OF_BROKEN_OFF,
    AnswerText,
    answer_from,
    ends_at_limit,
)

__all__ = ["FORMS", "OUTCOMES", "TASK_FIELDS", "ReplyReading", "read_reply"]

OUTCOMES = ("parsed", "truncated", "refused", "empty", "malformed", "wrong_schema")
FORMS = ("json", "text")
_DETAIL_CHARACTERS = 200
_BEFORE_STUMP = ", so the whole list of tasks before it was read"


@dataclass(frozen=True)
class ReplyReading:
    """What was read from a reply.

    Attributes:
        outcome: one of `OUTCOMES`; "parsed" only if every task of the reply was read.
        tasks: instruction, input and output of each task that was read, as the reply has them.
        detail: a text for people: which task was dropped first, and why. Tasks are numbered from 0,
            like positions.
        positions: the place of each task among all tasks of the reply, including the broken ones.
        dropped: how many tasks of the reply were not read.
    """

    outcome: str
    tasks: tuple[dict[str, str], ...] = ()
    detail: str = ""
    positions: tuple[int, ...] = ()
    dropped: int = 0


def read_reply(
    content: str,
    finish_reason: str | None,
    refusal: str | None,
    form: str = "json",
    *,
    reasoning: str | None = None,
    prompt: str | None = None,
) -> ReplyReading:
    """The tasks and the outcome of one reply.

    It raises nothing, and its time is proportional to the reply's length.

    Args:
        content: the text that the teacher sent.
        finish_reason: why the teacher stopped. After "length" or `BROKEN_OFF` the reply may be
            truncated.
        refusal: the teacher's refusal; None or empty if it did not refuse.
        form: the requested form, "json" or "text". A reply that is clearly in the other form is
            read too.
        reasoning: the text of the model's reasoning, if the server sent it apart.
        prompt: the user's message, if the reply may begin with it.
    """
    if refusal:
        return ReplyReading("refused", detail=storable(refusal[:_DETAIL_CHARACTERS]))
    answer = answer_from(content, reasoning, finish_reason, prompt=prompt)
    broken_off = finish_reason == BROKEN_OFF
    if broken_off or ends_at_limit(finish_reason):
        finish_reason = "length"
    reading = _read_answer(answer, finish_reason, form)
    if broken_off and reading.outcome == "truncated":
        return replace(reading, detail=_broken_off_detail(reading.detail))
    if finish_reason == "content_filter" and not reading.tasks:
        # The content filter removed the tasks; this is not a fault of the form.
        return ReplyReading("refused", detail="the content filter stopped the reply")
    return reading


def _broken_off_detail(detail: str) -> str:
    """The detail of a reply that broke off, in which no limit of output plays a part."""
    parts = [WORDS_OF_BROKEN_OFF, "" if detail == CUT_IN_REASONING else detail]
    return "; ".join(filter(None, parts))[:_DETAIL_CHARACTERS]


def _read_answer(answer: AnswerText, finish_reason: str | None, form: str) -> ReplyReading:
    if answer.cut_in_reasoning:
        return ReplyReading("truncated", detail=CUT_IN_REASONING)
    if not answer.text.strip():
        detail = NO_ANSWER_BESIDE_REASONING if answer.reasoning else ""
        return ReplyReading("empty", detail=detail)
    reading = _read(answer.text, finish_reason, form)
    if answer.from_reasoning and not (reading.outcome == "parsed" and reading.tasks):
        return ReplyReading("empty", detail=NO_ANSWER_BESIDE_REASONING)
    return reading


def _read(content: str, finish_reason: str | None, form: str) -> ReplyReading:
    in_json = read_json(content)
    if in_json.start >= 0 and not content[: in_json.start].strip():
        return _json_outcome(in_json, finish_reason)  # no label can come before it
    cut = finish_reason in {"length", "content_filter"}
    # A text that holds tasks as JSON is read as such, unless its labels have the usual form.
    in_text = read_numbered(content, cut=cut, wide=in_json.start < 0)
    is_plan = form == "json" and not cut and _is_plan(in_text, in_json)
    if _is_text(in_text, in_json, form) and not is_plan:
        return _text_outcome(in_text, finish_reason)
    return _json_outcome(in_json, finish_reason)


def _is_text(in_text: NumberedReading, in_json: JsonReading, form: str) -> bool:
    """Whether the reply is numbered text.

    The form that begins first contains the other: a numbered task may contain JSON, but a JSON
    string cannot contain a line that begins with a label.
    """
    if in_text.start < 0:
        return form == "text" and not in_json.task_list.is_recognized and not in_json.is_json
    if not (form == "text" or in_text.is_numbered or in_text.task_list.tasks):
        return False  # prose before JSON may contain a line with one of the labels
    return in_json.start < 0 or in_text.start < in_json.start


def _is_plan(in_text: NumberedReading, in_json: JsonReading) -> bool:
    """Whether labels before the JSON are a plan or a draft of the tasks that the JSON holds."""
    found = len(in_json.task_list.tasks)
    is_last = in_json.start > in_text.last and in_json.fault is None
    return is_last and found > 0 and found >= len(in_text.task_list.tasks)


def _json_outcome(found: JsonReading, finish_reason: str | None) -> ReplyReading:
    task_list, fault = found.task_list, found.fault
    if fault or (found.open_end and finish_reason == "length"):
        cut = finish_reason == "length" or (fault is not None and fault.cut)
        why = str(fault) if fault else "the reply ends inside a value"
        why += _BEFORE_STUMP if found.before_stump else ""
        return _reading("truncated" if cut else "malformed", task_list, why)
    if not (task_list.is_recognized or found.is_json):
        return _no_tasks("no JSON", finish_reason)
    if not task_list.is_recognized:
        return _reading("wrong_schema", task_list, "no list of tasks")
    if not task_list.count:
        return ReplyReading("empty", detail="the list of tasks is empty")
    return _reading("wrong_schema" if task_list.dropped else "parsed", task_list)


def _text_outcome(found: NumberedReading, finish_reason: str | None) -> ReplyReading:
    task_list = found.task_list
    if found.start < 0:
        return _no_tasks("no numbered task", finish_reason)
    if finish_reason in {"length", "content_filter"}:
        why = "the reply was cut" + (_BEFORE_STUMP if found.before_stump else "")
        return _reading("truncated", task_list, why)
    return _reading("wrong_schema" if task_list.dropped else "parsed", task_list)


def _no_tasks(why: str, finish_reason: str | None) -> ReplyReading:
    return ReplyReading("truncated" if finish_reason == "length" else "malformed", detail=why)


def _reading(outcome: str, task_list: TaskList, why: str = "") -> ReplyReading:
    tally = (
        f"{len(task_list.tasks)} of {task_list.count} tasks read"
        if outcome != "parsed" and task_list.count
        else ""
    )
    detail = "; ".join(part for part in (task_list.fault, why, tally) if part)
    return ReplyReading(
        outcome,
        tuple(task_list.tasks),
        detail[:_DETAIL_CHARACTERS],
        tuple(task_list.positions),
        task_list.dropped,
    )
