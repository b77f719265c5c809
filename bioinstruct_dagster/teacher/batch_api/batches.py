"""Batches: asks the Batch API for their states, and harvests their replies.

No process waits for a batch. A round submits the missing requests and ends. A sensor asks for the
state of the batch from time to time, and starts a run that harvests it. If a batch expires
half-way, its replies are harvested, and only its other requests are submitted again. If the server
refuses a batch for its size, the next round submits its requests in smaller portions.

No batch is paid for twice. The store has the row of a batch before the batch is created, and the
batch carries the row's key as metadata. If a run is killed in between, or if the creation gets no
answer, the next run asks the server whether the batch exists, before it submits anything again.

Belongs here: states and harvest. Does not: creating batches (submission), the lines of a file
(files), the rows of the store (tables), the cost of a line (money.settling), or when a sensor asks
(automation).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.batch_api.connection import batch_client
from bioinstruct_dagster.teacher.batch_api.files import BatchOutput, read_output
from bioinstruct_dagster.teacher.batch_api.portions import queue_of, size_message, size_refusal
from bioinstruct_dagster.teacher.batch_api.tables import (
    CREATING_STATUS,
    METADATA_KEY,
    close_uncreated,
    count_batches_without_reply,
    open_batches,
    requests_of,
    resume_of,
    set_batch_id,
    store_batch,
)
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.money.settling import BatchSettlement, Billing
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import Batch

__all__ = ["OpenBatch", "harvest", "open_batches", "poll", "resume_of"]

PAGE_SIZE = 100  # the most batches that one page of the list may have
ENDED_STATUSES = frozenset({"completed", "expired", "cancelled", "failed"})
UNCONFIRMED_STATUS = "unconfirmed"  # of a batch that may exist although the server's list lacks it
# The time in which a batch may still appear in the server's list after its creation was sent. The
# server may work on a creation that was cut off. Giving the batch up too soon would pay twice.
CONFIRMATION_TIME = timedelta(minutes=15)
MAX_BATCHES_WITHOUT_REPLY = 3  # with the same requests; then the run fails
_MAX_CLOCK_DIFFERENCE = timedelta(days=2)  # between the server's clock and ours


@dataclass(frozen=True)
class OpenBatch:
    """A batch that was not harvested yet.

    Attributes:
        batch_key: our key of the batch.
        batch_id: the server's id; None if the server does not list the batch.
        status: the batch's state at the server.
        purpose: of its requests.
    """

    batch_key: str
    batch_id: str | None
    status: str
    purpose: str

    @property
    def ended(self) -> bool:
        """Whether a run can harvest the batch, or close it because it does not exist."""
        return self.status in ENDED_STATUSES


def poll(endpoint: Endpoint, store: Store) -> list[OpenBatch]:
    """Ask the server for the states of its open batches. Batches of other servers are left out."""
    rows = [row for row in open_batches(store) if not _is_elsewhere(row, endpoint)]
    if not rows:
        return []
    found = []
    with batch_client(endpoint, rows[0]["model"]) as client:
        for row in rows:
            batch = _batch_of(client, row, endpoint)
            # The next round closes a batch that was never created.
            missing = UNCONFIRMED_STATUS if _may_still_appear(row) else "failed"
            status = batch.status if batch else missing
            batch_id = batch.id if batch else None
            found.append(OpenBatch(row["batch_key"], batch_id, status, row["purpose"]))
    return found


def harvest(endpoint: Endpoint, store: Store, purpose: str, log: Callable[[str], None]) -> int:
    """Store the replies of all batches that ended; how many are new.

    Raises:
        TeacherError: a batch failed, was cancelled, belongs to another server, or is one of several
            batches without a reply. All replies are stored before the error is raised.
    """
    rows = open_batches(store, purpose)
    if not rows:
        return 0
    new = 0
    faults = [_elsewhere_advice(row) for row in rows if _is_elsewhere(row, endpoint)]
    with batch_client(endpoint, rows[0]["model"]) as client:
        for row in rows:
            if _is_elsewhere(row, endpoint):
                continue
            try:
                batch = _batch_of(client, row, endpoint)
            except TeacherError as error:
                faults.append(str(error))
                continue
            if batch is None:
                _settle_missing(store, row, log)
                continue
            if row["batch_id"] is None:
                set_batch_id(store, row, batch)
            if batch.status not in ENDED_STATUSES:
                counts = batch.request_counts
                done = f", {counts.completed} of {counts.total} done" if counts else ""
                log(f"Batch {batch.id} is {batch.status}{done}")
                continue
            output, detail = _read_batch(client, batch, row, endpoint=endpoint, store=store)
            limit = _size_limit(batch)
            new += store_batch(
                store, row, batch, output.settlement, detail=detail, token_limit=limit
            )
            replies = len(output.settlement.completions)
            log(f"Batch {batch.id} is {batch.status}: {replies} replies; {detail or 'ok'}")
            fault = (
                _harvest_fault(store, row, batch, output, detail)
                if limit is None
                else _size_fault(store, row, endpoint, log, detail=detail)
            )
            faults += [fault] if fault else []
    if faults:
        raise TeacherError("\n".join(faults))
    return new


def _is_elsewhere(row: Mapping[str, Any], endpoint: Endpoint) -> bool:
    """Whether a batch belongs to another server. The rehearsal teacher's address always changes."""
    embedded: bool = row["teacher"] == "rehearsal"
    if endpoint.rehearsal or embedded:
        return endpoint.rehearsal != embedded
    return bool(row["endpoint"] != endpoint.address)


def _elsewhere_advice(row: Mapping[str, Any]) -> str:
    return (
        f"{row['requests']} requests are in a batch of the teacher {row['teacher']!r} at "
        f"{row['endpoint']}. Another server would be paid for the same requests. Set "
        "BIOINSTRUCT_TEACHER and OPENAI_BASE_URL as they were until the batch is harvested, or use "
        "another BIOINSTRUCT_DATA_DIR."
    )


def _batch_of(client: "OpenAI", row: Mapping[str, Any], endpoint: Endpoint) -> "Batch | None":
    """The server's batch, found by its id, or by our key if its creation was not confirmed."""
    from openai import NotFoundError

    if row["batch_id"]:
        try:
            return client.batches.retrieve(row["batch_id"])
        except NotFoundError:
            raise TeacherError(
                f"{endpoint.address} does not know batch {row['batch_id']}, which holds "
                f"{row['requests']} requests. A batch belongs to the key and project that "
                "submitted it. To harvest it, set OPENAI_API_KEY to that key. To give it up, and "
                "pay again for its requests, run in the store: update batches set state = 'failed' "
                f"where batch_id = '{row['batch_id']}'"
            ) from None
    for batch in client.batches.list(limit=PAGE_SIZE):
        if (batch.metadata or {}).get(METADATA_KEY) == row["batch_key"]:
            return batch
        if batch.created_at < (row["submitted_at"] - _MAX_CLOCK_DIFFERENCE).timestamp():
            return None  # newest first, so all further batches are too old
    return None


def _may_still_appear(row: Mapping[str, Any]) -> bool:
    """Whether a batch that the server does not list may still appear in its list."""
    age = datetime.now(UTC) - row["submitted_at"]
    return bool(row["status"] == CREATING_STATUS and age < CONFIRMATION_TIME)


def _settle_missing(store: Store, row: Mapping[str, Any], log: Callable[[str], None]) -> None:
    """Close a batch that the server does not list, after the time in which it may appear."""
    if _may_still_appear(row):
        minutes = CONFIRMATION_TIME.total_seconds() / 60
        log(
            f"The creation of a batch of {row['requests']} requests was cut off. The batch may "
            f"still appear at the server for {minutes:.0f} minutes. Until then its requests are "
            "not submitted again, so that nothing is paid for twice."
        )
        return
    close_uncreated(store, row, detail="never created: the run ended before it was")


def _read_batch(
    client: "OpenAI",
    batch: "Batch",
    row: Mapping[str, Any],
    *,
    endpoint: Endpoint,
    store: Store,
) -> tuple[BatchOutput, str]:
    """The settled output of a batch that ended, and a short text about its faults."""
    requests = requests_of(store, row)
    billing = Billing(endpoint, price_of(row["model"]), "batch", row["run_id"])
    settlement = BatchSettlement(billing, requests)
    output = read_output(
        (
            endpoint.redacted_bytes(client.files.content(file_id).content)
            for file_id in (batch.output_file_id, batch.error_file_id)
            if file_id
        ),
        settlement,
    )
    completed = batch.request_counts.completed if batch.request_counts else 0
    if output.unreadable or completed > output.answered:
        unexplained = settlement.presume_unexplained()
        if unexplained:
            output.faults.append(f"{unexplained} requests have no line that can be read")
    ended = batch.completed_at or batch.expired_at or batch.cancelled_at
    for completion in settlement.completions.values():
        completion |= {"batch_id": batch.id, "requested_at": row["submitted_at"].isoformat()}
        if ended:
            completion["completed_at"] = datetime.fromtimestamp(ended, UTC).isoformat()
    failed = (batch.errors.data if batch.errors else None) or []
    errors = [error.message or error.code or "" for error in failed]
    missing = len(requests) - len(settlement.completions)
    detail = f"{missing} of {len(requests)} without a reply" if missing else ""
    if faults := [*errors, *output.faults]:
        detail += f"; first fault: {endpoint.redacted(faults[0])}"
    return output, detail


def _size_limit(batch: "Batch") -> int | None:
    """The limit of tokens that a refusal of the whole batch names; see `size_refusal`."""
    for error in (batch.errors.data if batch.errors else None) or []:
        limit = size_refusal(error.message or "", error.code)
        if batch.status == "failed" and limit is not None:
            return limit
    return None


def _size_fault(
    store: Store,
    row: Mapping[str, Any],
    endpoint: Endpoint,
    log: Callable[[str], None],
    *,
    detail: str,
) -> str | None:
    """The message why smaller portions do not help; None if they are submitted next."""
    tokens = row["prompt_tokens"] or 0
    queue = queue_of(store, endpoint, row["teacher"], row["model"], None)
    if row["requests"] > 1 and not queue.is_full(tokens):
        log(
            f"The server refused a batch of {row['requests']} requests with about {tokens:,} "
            "prompt tokens for its size. Nothing was billed. The requests are submitted again in "
            "smaller portions."
        )
        return None
    return size_message(endpoint, row["model"], tokens, detail)


def _harvest_fault(
    store: Store, row: Mapping[str, Any], batch: "Batch", output: BatchOutput, detail: str
) -> str | None:
    """The message why the run must stop after this batch; None if it may go on."""
    replies, presumed = len(output.settlement.completions), output.settlement.presumed
    if batch.status == "cancelled":
        return (
            f"Batch {batch.id} was cancelled. It brought {replies} replies, which are stored. "
            "Run again to submit its other requests again."
        )
    if replies:
        return None
    passing = batch.status != "failed" and not presumed
    if passing and count_batches_without_reply(store, row) < MAX_BATCHES_WITHOUT_REPLY:
        return None
    billed = (
        f"{len(presumed)} requests may have been billed. They count as billed, at the most that "
        "they can cost. "
        if presumed
        else "Nothing was billed for it. "
    )
    return (
        f"Batch {batch.id} ({batch.status}) brought no reply: {detail}\n{billed}Remove the "
        "cause and run again: the missing requests are submitted again. With "
        "BIOINSTRUCT_SERVICE=online, they are sent at once, and requests that keep failing are "
        "left out."
    )
