"""Raw rows: each task of each reply as a row that points to its completion.

Belongs here: from stored completions, or imported records, to rows of `raw_instructions`. Does not:
asking the teacher.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.generation.replies import read_reply
from bioinstruct_dagster.generation.requests import TeacherRequest
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.provenance import row_id

REPLIES = """
    select completion_id, request_number, content, finish_reason, refusal, rehearsal
    from completions
    where completion_id in (select unnest($wanted::varchar[]))
    order by request_number
"""

POSITIONS = 1_000  # places in a reply; more tasks than this in one reply would collide in `ordinal`


def raw_rows(
    store: Store, requests: Sequence[TeacherRequest]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of `raw_instructions` and `completion_outcomes` for the requests that were answered."""
    rows: list[dict[str, Any]] = []
    outcomes: list[dict[str, Any]] = []
    wanted = [request.completion_id for request in requests]
    for reply in store.rows(REPLIES, {"wanted": wanted}):
        reading = read_reply(reply["content"], reply["finish_reason"], reply["refusal"])
        tasks = reading.tasks[:POSITIONS]
        outcomes.append(
            {
                "completion_id": reply["completion_id"],
                "outcome": reading.outcome,
                "tasks": len(tasks),
                "detail": reading.detail,
            }
        )
        rows += [
            {
                "row_id": row_id(reply["completion_id"], position),
                "ordinal": reply["request_number"] * POSITIONS + position,
                "completion_id": reply["completion_id"],
                "position": position,
                "source": "completion",
                **task,
                "rehearsal": reply["rehearsal"],
            }
            for position, task in enumerate(tasks)
        ]
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
