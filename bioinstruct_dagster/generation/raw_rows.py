"""Raw rows: each task of each reply as a row that points to its completion.

Belongs here: making rows of `raw_instructions` from stored completions or imported records. Does
not: sending requests (goal), or reading a reply's text (replies.reading).
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bioinstruct_dagster.generation.replies.reading import ReplyReading, read_reply
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import row_id
from bioinstruct_dagster.teacher.output_limits import CUT_COLUMNS, CutReply, is_cut
from bioinstruct_dagster.teacher.reading.answer_text import (
    ANSWER_COLUMNS,
    is_no_completion,
    prompt_of,
)

REPLIES_BY_ID = f"""
    select
        completion_id, request_number, draw, refusal, reply_format, controls, rehearsal,
        {CUT_COLUMNS}, {ANSWER_COLUMNS}
    from completions
    where completion_id in (select unnest($wanted::varchar[]))
    order by request_number, draw
"""

# Places in a reply. With more tasks than this, a reply would share `ordinal` values with the next.
POSITIONS_PER_REPLY = 1_000

# If a reply holds no usable row, and it was neither refused nor truncated, the request is sent once
# more. A second refusal would be likely, and a reply that exceeds the token limit would exceed it
# again.
RETRIED_OUTCOMES = frozenset({"empty", "malformed", "wrong_schema"})


NO_COMPLETION = (
    "the server's answer is no completion, such as the page of a sign-in; the column body of the "
    "table completions keeps its text"
)


def reading_of(reply: Mapping[str, Any]) -> ReplyReading:
    """Read the reply that a completion holds."""
    form = "text" if reply["reply_format"] == "text" else "json"
    reading = read_reply(
        _as_stored(reply["content"]) or "",
        reply["finish_reason"],
        reply["refusal"],
        form,
        reasoning=_as_stored(reply.get("reasoning")),
        prompt=_as_stored(prompt_of(reply)),
    )
    if reading.outcome == "empty" and is_no_completion(reply):
        return replace(reading, detail=NO_COMPLETION)
    return reading


def _as_stored(text: str | None) -> str | None:
    """A text in the form that the journal stores.

    A reply is read in this form on arrival too, so that it gives equal rows then and later.
    """
    return text and text.encode("utf-8", "backslashreplace").decode()


def needs_retry(reply: Mapping[str, Any], reading: ReplyReading) -> bool:
    """Whether the request is sent once more, as a second draw."""
    worth_it = reading.outcome in RETRIED_OUTCOMES and not (
        is_cut(reply) or is_no_completion(reply)
    )
    return worth_it and not reading.tasks and reply["draw"] == 0


def rows_of(reply: Mapping[str, Any], reading: ReplyReading) -> list[dict[str, Any]]:
    """The rows of `raw_instructions` of one reply, in the order of its tasks."""
    controls = reply["controls"]
    if isinstance(controls, str):
        controls = json.loads(controls)
    return [
        {
            "row_id": row_id(reply["completion_id"], position),
            "ordinal": reply["request_number"] * POSITIONS_PER_REPLY + position,
            "completion_id": reply["completion_id"],
            "position": position,
            "controls": json.dumps(controls[position])
            if controls and position < len(controls)
            else None,
            "source": "completion",
            **task,
            "rehearsal": reply["rehearsal"],
        }
        for position, task in zip(reading.positions, reading.tasks, strict=True)
        if position < POSITIONS_PER_REPLY
    ]


@dataclass
class RequestReplies:
    """The replies to one request number: the first, and the second if the request was retried.

    Attributes:
        rows: the rows of `raw_instructions` in these replies.
        completion_ids: of these replies.
        cut: how the last reply was cut off by its limit; None if it was not.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    completion_ids: list[str] = field(default_factory=list)
    cut: CutReply | None = None
    unread: str = ""  # why the last reply holds no readable task, unless its limit cut it off

    def take(self, reply: Mapping[str, Any]) -> bool:
        """Add a reply's rows; False if the request must be sent once more."""
        reading = reading_of(reply)
        self.completion_ids.append(reply["completion_id"])
        self.rows += rows_of(reply, reading)
        self.cut = CutReply.of(reply, is_usable=bool(reading.tasks))
        self.unread = ""
        if not reading.tasks and self.cut is None:
            self.unread = f"{reading.outcome}: {reading.detail}".rstrip(": ")
        return not needs_retry(reply, reading)


def unread_reason(replies: Iterable[RequestReplies]) -> str | None:
    """What most replies hold instead of readable tasks, or None if most hold tasks."""
    answered = [each.unread for each in replies if each.completion_ids]
    reasons = Counter(filter(None, answered))
    if 2 * reasons.total() <= len(answered):
        return None
    [(reason, count)] = reasons.most_common(1)
    return (
        f"{reasons.total()} of {len(answered)} requests brought no readable task. The most "
        f"frequent reason, of {count}: {reason}. The table completion_outcomes names the reason "
        "for each reply, and completions keeps its text."
    )


def raw_rows(
    store: Store, completion_ids: Sequence[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of `raw_instructions` and of `completion_outcomes` for these completions."""
    rows: list[dict[str, Any]] = []
    outcomes: list[dict[str, Any]] = []
    for reply in store.rows(REPLIES_BY_ID, {"wanted": list(completion_ids)}):
        reading = reading_of(reply)
        read = rows_of(reply, reading)
        outcomes.append(
            {
                "completion_id": reply["completion_id"],
                "outcome": reading.outcome,
                "tasks": len(read),
                "dropped": reading.dropped,
                "detail": reading.detail,
            }
        )
        rows += read
    return rows, outcomes


def imported_rows(records: Sequence[Mapping[str, str]], identity: str) -> list[dict[str, Any]]:
    """The rows of `raw_instructions` for an imported set.

    A row's id depends on its text alone, so that a file which is moved or renamed keeps its ids.
    """
    seen: dict[str, int] = {}
    rows = []
    for position, record in enumerate(records):
        text = json.dumps([record["instruction"], record["input"], record["output"]])
        seen[text] = seen.get(text, 0) + 1
        rows.append(
            {
                "row_id": row_id("import", text, seen[text]),
                "ordinal": position,
                "completion_id": None,
                "position": position,
                "source": f"import:{identity}",
                **record,
                "rehearsal": False,
            }
        )
    return rows
