"""Batches in the store: a row is written before its batch exists, and closed with its replies.

Belongs here: the rows of `batches` and `batch_requests`. Does not: the state of a batch at the
server (batches), its files (files), or the cost of its lines (money.settling).
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.journal import KNOWN_COMPLETIONS, as_row
from bioinstruct_dagster.teacher.money.budget import Amount
from bioinstruct_dagster.teacher.money.settling import BatchSettlement
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint

if TYPE_CHECKING:
    import duckdb
    from openai.types import Batch

METADATA_KEY = "bioinstruct_batch"  # under which a batch at the server carries our key
CREATING_STATUS = "creating"  # our status of a batch whose creation was sent and not confirmed

OPEN_BATCHES = """
    select *
    from batches
    where state in ('submitting', 'open')
      and ($purpose is null or purpose = $purpose)
    order by submitted_at
"""
BATCH_REQUESTS = "select request from batch_requests where batch_key = $batch_key"
SET_BATCH_ID = """
    update batches
    set batch_id = $batch_id, state = 'open'
    where batch_key = $batch_key
"""
SET_CREATING = """
    update batches
    set status = $status, submitted_at = $submitted_at
    where batch_key = $batch_key
"""
BATCHES_WITHOUT_REPLY = """
    select count(distinct batch_key) as batches
    from batches
    join batch_requests using (batch_key)
    where state = 'failed' and status in ('completed', 'expired')
      and completion_id in (
          select completion_id from batch_requests where batch_key = $batch_key
      )
"""
CLOSE_BATCH = """
    update batches
    set state = $state, status = $status, answered = $answered, usd = null, tokens = 0,
        detail = $detail, token_limit = $token_limit, finished_at = $finished_at
    where batch_key = $batch_key
"""


def open_batches(store: Store, purpose: str | None = None) -> list[dict[str, Any]]:
    """The rows of `batches` that are neither harvested nor failed."""
    return store.rows(OPEN_BATCHES, {"purpose": purpose}) if store.path.exists() else []


def resume_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The run configuration with which `raw_instructions` works towards the batches' goal."""
    configs = [json.loads(row["resume"]) for row in rows if row["purpose"] == "generation"]
    return max(configs, key=lambda config: config.get("instructions", 0), default={})


def batch_row(
    requests: Sequence[TeacherRequest],
    reserved: Amount,
    endpoint: Endpoint,
    terms: Terms,
    *,
    prompt_tokens: int,
) -> dict[str, Any]:
    """A row of `batches`, without `resume`, for requests that are about to be submitted.

    Args:
        requests: the requests of the batch.
        reserved: the most that they can cost together.
        endpoint: the server that takes the batch.
        terms: the terms of the round.
        prompt_tokens: the estimated tokens of their prompts.
    """
    first = requests[0]
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
        "usd": reserved.usd,
        "tokens": reserved.tokens,
        "prompt_tokens": prompt_tokens,
        "token_limit": None,
        "run_id": terms.run_id,
        "detail": "",
        "submitted_at": datetime.now(UTC),
        "finished_at": None,
    }


def insert_batch(store: Store, row: Mapping[str, Any], requests: Sequence[TeacherRequest]) -> None:
    """Store a batch and its requests, before the batch is created."""
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


def mark_creating(store: Store, row: Mapping[str, Any]) -> None:
    """Store that the creation of a batch is about to be sent. From now on the batch may exist."""
    creating = {"status": CREATING_STATUS, "submitted_at": datetime.now(UTC)}
    with store.write() as connection:
        connection.execute(SET_CREATING, creating | {"batch_key": row["batch_key"]})


def set_batch_id(store: Store, row: Mapping[str, Any], batch: "Batch") -> None:
    """Store the server's id of a batch, which exists."""
    with store.write() as connection:
        connection.execute(SET_BATCH_ID, {"batch_id": batch.id, "batch_key": row["batch_key"]})


def requests_of(store: Store, row: Mapping[str, Any]) -> dict[str, TeacherRequest]:
    """The requests of a batch by completion id."""
    stored = store.rows(BATCH_REQUESTS, {"batch_key": row["batch_key"]})
    requests = (TeacherRequest(**json.loads(line["request"])) for line in stored)
    return {request.completion_id: request for request in requests}


def count_batches_without_reply(store: Store, row: Mapping[str, Any]) -> int:
    """The number of batches without a reply that held requests of this batch, itself included."""
    return int(store.rows(BATCHES_WITHOUT_REPLY, {"batch_key": row["batch_key"]})[0]["batches"])


def store_batch(
    store: Store,
    row: Mapping[str, Any],
    batch: "Batch",
    settlement: BatchSettlement,
    *,
    detail: str,
    token_limit: int | None = None,
) -> int:
    """Store replies, presumed spend and the batch's end in one transaction; how many are new.

    Args:
        store: the store.
        row: of the batch.
        batch: as the server describes it.
        settlement: its replies and their money.
        detail: its faults in short.
        token_limit: the limit that the server named if it refused the batch for its size, or 0.
    """
    candidates = {"candidates": list(settlement.completions)}
    with store.write() as connection:
        known = {key for (key,) in connection.execute(KNOWN_COMPLETIONS, candidates).fetchall()}
        completions, presumed = settlement.rows(known, row["batch_key"], row["submitted_at"])
        insert(connection, "completions", [as_row(reply) for reply in completions])
        insert(connection, "presumed_spend", [as_row(line) for line in presumed])
        answered = len(settlement.completions)
        _close_batch(
            connection,
            row,
            status=batch.status,
            answered=answered,
            detail=detail,
            token_limit=token_limit,
        )
    return len(completions)


def close_uncreated(
    store: Store, row: Mapping[str, Any], *, detail: str, token_limit: int | None = None
) -> None:
    """Close a batch that was never created. This releases its reservation."""
    with store.write() as connection:
        _close_batch(
            connection, row, status=None, answered=0, detail=detail, token_limit=token_limit
        )


def _close_batch(
    connection: "duckdb.DuckDBPyConnection",
    row: Mapping[str, Any],
    *,
    status: str | None,
    answered: int,
    detail: str,
    token_limit: int | None,
) -> None:
    connection.execute(
        CLOSE_BATCH,
        {
            "batch_key": row["batch_key"],
            "state": "harvested" if answered else "failed",
            "status": status,
            "answered": answered,
            "detail": detail,
            "token_limit": token_limit,
            "finished_at": datetime.now(UTC),
        },
    )
