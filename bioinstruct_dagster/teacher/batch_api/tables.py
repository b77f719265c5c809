"""What the store knows of batches: written down before they exist, closed with what they brought.

Belongs here: the rows of `batches` and `batch_requests`. Does not: the server's word (batches), or
the files (batch_files).
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb

from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.journal import KNOWN_COMPLETIONS, as_row
from bioinstruct_dagster.teacher.batch_api.files import BatchOutput
from bioinstruct_dagster.teacher.money.budget import Amount
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.client import Endpoint

if TYPE_CHECKING:
    from openai.types import Batch

CREATING = "creating"  # our own status of a batch whose creation was begun and not confirmed

OPEN_BATCHES = """
    select *
    from batches
    where state in ('submitting', 'open')
      and ($purpose is null or purpose = $purpose)
    order by submitted_at
"""
REQUESTS_OF = "select request from batch_requests where batch_key = $batch_key"
ADOPT = "update batches set batch_id = $batch_id, state = 'open' where batch_key = $batch_key"
BEGIN = """
    update batches
    set status = $status, submitted_at = $submitted_at
    where batch_key = $batch_key
"""
FRUITLESS = """
    select count(distinct batch_key) as batches
    from batches
    join batch_requests using (batch_key)
    where state = 'failed' and status in ('completed', 'expired')
      and completion_id in (
          select completion_id from batch_requests where batch_key = $batch_key
      )
"""
CLOSE = """
    update batches
    set state = $state, status = $status, answered = $answered, usd = null, tokens = 0,
        detail = $detail, finished_at = $finished_at
    where batch_key = $batch_key
"""


def open_batches(store: Store, purpose: str | None = None) -> list[dict[str, Any]]:
    """Rows of `batches` that are neither harvested nor failed."""
    return store.rows(OPEN_BATCHES, {"purpose": purpose}) if store.path.exists() else []


def resume_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Run configuration of `raw_instructions` that works on towards what these batches are for."""
    configs = [json.loads(row["resume"]) for row in rows if row["purpose"] == "generation"]
    return max(configs, key=lambda config: config.get("instructions", 0), default={})


def batch_row(
    requests: Sequence[TeacherRequest],
    bounds: Sequence[Amount],
    endpoint: Endpoint,
    terms: Terms,
) -> dict[str, Any]:
    """A row of `batches` for requests that are about to be submitted, but for `resume`."""
    first = requests[0]
    dollars = [bound.usd for bound in bounds]
    return {
        "batch_key": uuid.uuid4().hex,
        "batch_id": None,
        "state": "submitting",
        "status": None,
        "purpose": first.purpose,
        "teacher": first.teacher,
        "endpoint": endpoint.address,
        "model": first.model,
        "requests": len(requests),
        "answered": 0,
        "usd": None if None in dollars else sum(usd for usd in dollars if usd is not None),
        "tokens": sum(bound.tokens for bound in bounds),
        "run_id": terms.run_id,
        "detail": "",
        "submitted_at": datetime.now(UTC),
        "finished_at": None,
    }


def note(store: Store, row: Mapping[str, Any], requests: Sequence[TeacherRequest]) -> None:
    """Write the batch down before it exists."""
    lines = [
        {
            "batch_key": row["batch_key"],
            "completion_id": request.completion_id,
            "request": json.dumps(asdict(request)),
        }
        for request in requests
    ]
    with store.write() as connection:
        insert(connection, "batches", [row])
        insert(connection, "batch_requests", lines)


def begin(store: Store, row: Mapping[str, Any]) -> None:
    """Note that the batch's creation is about to be sent: from now on it may exist."""
    begun = {"status": CREATING, "submitted_at": datetime.now(UTC)}
    with store.write() as connection:
        connection.execute(BEGIN, begun | {"batch_key": row["batch_key"]})


def adopt(store: Store, row: Mapping[str, Any], batch: "Batch") -> None:
    """Note the server's id of a batch: it exists."""
    with store.write() as connection:
        connection.execute(ADOPT, {"batch_id": batch.id, "batch_key": row["batch_key"]})


def requests_of(store: Store, row: Mapping[str, Any]) -> dict[str, TeacherRequest]:
    """The requests of a batch, by completion id."""
    stored = store.rows(REQUESTS_OF, {"batch_key": row["batch_key"]})
    requests = (TeacherRequest(**json.loads(line["request"])) for line in stored)
    return {request.completion_id: request for request in requests}


def fruitless(store: Store, row: Mapping[str, Any]) -> int:
    """How many batches brought no reply at all and had requests of this one, itself included."""
    return int(store.rows(FRUITLESS, {"batch_key": row["batch_key"]})[0]["batches"])


def store_batch(
    store: Store, row: Mapping[str, Any], batch: "Batch", output: BatchOutput, detail: str
) -> int:
    """Replies, what may have been billed beside them, and the batch's end, in one transaction."""
    pending = dict(output.completions)
    uncertain = dict(output.uncertain)
    with store.write() as connection:
        for (known,) in connection.execute(
            KNOWN_COMPLETIONS, {"candidates": list(pending)}
        ).fetchall():
            # Paid for all the same, though another way had brought it by then.
            reply = pending.pop(known)
            used = (reply["prompt_tokens"] or 0) + (reply["completion_tokens"] or 0)
            uncertain.setdefault(known, Amount(reply["usd"], used))
        insert(connection, "completions", [as_row(reply) for reply in pending.values()])
        presumed = [
            {
                "reservation_id": f"batch-{row['batch_key']}-{completion_id}",
                "completion_id": completion_id,
                "run_id": row["run_id"],
                "usd": most.usd,
                "tokens": most.tokens,
                "rehearsal": row["teacher"] == "rehearsal",
                "reserved_at": row["submitted_at"],
            }
            for completion_id, most in uncertain.items()
        ]
        insert(connection, "presumed_spend", presumed)
        _end(connection, row, status=batch.status, answered=len(output.completions), detail=detail)
    return len(pending)


def close(store: Store, row: Mapping[str, Any], *, detail: str) -> None:
    """Close a batch that never came to be."""
    with store.write() as connection:
        _end(connection, row, status=None, answered=0, detail=detail)


def _end(
    connection: duckdb.DuckDBPyConnection,
    row: Mapping[str, Any],
    *,
    status: str | None,
    answered: int,
    detail: str,
) -> None:
    connection.execute(
        CLOSE,
        {
            "batch_key": row["batch_key"],
            "state": "harvested" if answered else "failed",
            "status": status,
            "answered": answered,
            "detail": detail,
            "finished_at": datetime.now(UTC),
        },
    )
