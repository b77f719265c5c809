"""Raw rows: each task of each reply as a row that points to its completion.

Belongs here: from stored completions, or imported records, to rows of `raw_instructions`. Does not:
asking the teacher.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bioinstruct_dagster.generation.replies.reading import ReplyReading, read_reply
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import row_id

REPLIES = """
    select
        completion_id, request_number, draw, content, finish_reason, refusal, reply_format,
        controls, rehearsal
    from completions
    where completion_id in (select unnest($wanted::varchar[]))
    order by request_number, draw
"""

POSITIONS = 1_000  # places in a reply; more tasks than this in one reply would collide in `ordinal`

# The rule for asking once more: a reply without any row that was no refusal and not cut off by the
# token limit. A refusal repeats itself, and what fits into no limit fits into none the second time.
ASKED_AGAIN = frozenset({"empty", "malformed", "wrong_schema"})


def reading_of(reply: Mapping[str, Any]) -> ReplyReading:
    """A stored completion as the reader of replies has it."""
    form = "text" if reply["reply_format"] == "text" else "json"
    # As the journal stores it, so that a reply read on arrival brings the rows that it will bring.
    content = reply["content"].encode("utf-8", "backslashreplace").decode()
    return read_reply(content, reply["finish_reason"], reply["refusal"], form)


def is_asked_again(reply: Mapping[str, Any], reading: ReplyReading) -> bool:
    """Whether the same request is asked once more, as a second draw."""
    return not reading.tasks and reading.outcome in ASKED_AGAIN and reply["draw"] == 0


def rows_of(reply: Mapping[str, Any], reading: ReplyReading) -> list[dict[str, Any]]:
    """Rows of `raw_instructions` of one reply, in the order of its tasks."""
    controls = reply["controls"]
    if isinstance(controls, str):
        controls = json.loads(controls)
    return [
        {
            "row_id": row_id(reply["completion_id"], position),
            "ordinal": reply["request_number"] * POSITIONS + position,
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
        if position < POSITIONS
    ]


@dataclass
class RequestReplies:
    """The replies to one request number: the first, and the second where it was asked again."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    completion_ids: list[str] = field(default_factory=list)

    def take(self, reply: Mapping[str, Any]) -> bool:
        """Take a reply's rows; False where the request is to be asked once more."""
        reading = reading_of(reply)
        self.completion_ids.append(reply["completion_id"])
        self.rows += rows_of(reply, reading)
        return not is_asked_again(reply, reading)


def raw_rows(
    store: Store, completion_ids: Sequence[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of `raw_instructions` and `completion_outcomes` for these completions."""
    rows: list[dict[str, Any]] = []
    outcomes: list[dict[str, Any]] = []
    for reply in store.rows(REPLIES, {"wanted": list(completion_ids)}):
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


def imported_rows(records: Sequence[Mapping[str, str]], source: str) -> list[dict[str, Any]]:
    """Rows of `raw_instructions` for an imported set.

    They are identified by their text, so that a moved file is the same set.
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
                "source": f"import:{source}",
                **record,
                "rehearsal": False,
            }
        )
    return rows
