"""The Batch API: the same requests as files, at half the price, within a day.

No process waits for a batch: a round submits the missing requests and ends, a sensor asks for the
state of the batch from time to time, and the run that the sensor starts harvests it. A batch that
expires half-way is harvested too, and only its other requests are submitted again. A batch is
written to the store before it is created, and it carries our key as metadata. So a run that is
killed in between does not pay for it twice. Nor does a run whose creation got no answer: no
creation is repeated before the server was asked whether the batch exists. Belongs here: states,
submission, harvest. Does not: which requests there are (teacher.feeds), what a line looks like
(files), the rows of the store (tables), what a line costs (money.settling), or when a sensor asks
(automation).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.batch_api.files import BatchOutput, input_files, read_output
from bioinstruct_dagster.teacher.batch_api.tables import (
    CREATING_STATUS,
    batch_row,
    close_uncreated,
    count_batches_without_reply,
    insert_batch,
    mark_creating,
    open_batches,
    requests_of,
    resume_of,
    set_batch_id,
    store_batch,
)
from bioinstruct_dagster.teacher.errors import StatusError, TeacherError, fatal_advice
from bioinstruct_dagster.teacher.feeds import Feed, Tally
from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.money.settling import (
    BatchAccount,
    BatchSettlement,
    Billing,
    batch_may_exist,
)
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.client import PATHS, Endpoint
from bioinstruct_dagster.teacher.wire.log_redaction import redacted_logs

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import Batch

__all__ = ["OpenBatch", "harvest", "open_batches", "poll", "resume_of", "submit"]

COMPLETION_WINDOW: Literal["24h"] = "24h"  # the only completion window that the API offers
METADATA_KEY = "bioinstruct_batch"
PAGE_SIZE = 100  # the most batches that one page of the list may have
ENDED_STATUSES = frozenset({"completed", "expired", "cancelled", "failed"})
UNCONFIRMED_STATUS = "unconfirmed"  # our state of a batch that may exist, and is not in the server's list
# How long a batch may be missing from the server's list after its creation was sent. The server may
# work on a creation that was cut off, and giving the batch up too soon would pay for it twice.
CONFIRMATION_TIME = timedelta(minutes=15)
MAX_BATCHES_WITHOUT_REPLY = 3  # batches in which the same requests got no reply, before a run fails of it
_MAX_CLOCK_DIFFERENCE = timedelta(days=2)  # the server's clock and ours, at most


@dataclass(frozen=True)
class OpenBatch:
    """A batch that was not harvested yet, with its state at the server."""

    batch_key: str
    batch_id: str | None
    status: str
    purpose: str

    @property
    def ended(self) -> bool:
        """Whether the batch can be harvested, or does not exist."""
        return self.status in ENDED_STATUSES


def poll(endpoint: Endpoint, store: Store) -> list[OpenBatch]:
    """Ask the server how its open batches stand; those of another server are left out."""
    rows = [row for row in open_batches(store) if not _is_elsewhere(row, endpoint)]
    if not rows:
        return []
    found = []
    with _client(endpoint, rows[0]["model"]) as client:
        for row in rows:
            batch = _batch_of(client, row, endpoint)
            # One that was never created is for the next round to settle.
            status = batch.status if batch else UNCONFIRMED_STATUS if _may_still_appear(row) else "failed"
            batch_id = batch.id if batch else None
            found.append(OpenBatch(row["batch_key"], batch_id, status, row["purpose"]))
    return found


def harvest(endpoint: Endpoint, store: Store, purpose: str, log: Callable[[str], None]) -> int:
    """Take in the replies of all batches that ended; how many are new.

    Raises:
        TeacherError: a batch failed, was cancelled, again and again ended without a single reply,
            or can't be asked about here. Whatever came is stored by then.
    """
    rows = open_batches(store, purpose)
    if not rows:
        return 0
    new = 0
    troubles = [_elsewhere_advice(row) for row in rows if _is_elsewhere(row, endpoint)]
    with _client(endpoint, rows[0]["model"]) as client:
        for row in rows:
            if _is_elsewhere(row, endpoint):
                continue
            try:
                batch = _batch_of(client, row, endpoint)
            except TeacherError as error:
                troubles.append(str(error))
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
            new += store_batch(store, row, batch, output.settlement, detail)
            replies = len(output.settlement.completions)
            log(f"Batch {batch.id} is {batch.status}: {replies} replies; {detail or 'ok'}")
            if trouble := _harvest_fault(store, row, batch, output, detail):
                troubles.append(trouble)
    if troubles:
        raise TeacherError("\n".join(troubles))
    return new


def submit(
    feed: Feed,
    store: Store,
    account: BatchAccount,
    *,
    terms: Terms,
    tally: Tally,
    log: Callable[[str], None],
) -> None:
    """Submit every request that the feed offers and the caps allow, in one batch or several.

    Args:
        feed: offers the requests.
        store: notes each batch before it is created.
        account: reserves the money of each request.
        terms: the dialect and the caps of the run.
        tally: counts the submitted requests as pending.
        log: takes lines for the user.
    """
    while (request := feed.take()) is not None:
        if stopped := account.reserve(request):
            tally.stopped = stopped
            break
    requests = account.requests
    if not requests:
        return
    resume = {name: value for name, value in feed.resume.items() if value is not None}
    if resume:
        # The run that goes on has the caps of this one: nobody looks on when it is started.
        caps = {"max_usd": terms.run_max_usd, "max_tokens": terms.run_max_tokens}
        resume |= {name: value for name, value in caps.items() if value is not None}
    endpoint = account.billing.endpoint
    with _client(endpoint, requests[0].model) as client:
        for start, end, data in input_files(requests, terms.dialect):
            row = batch_row(requests[start:end], account.reserved(start, end), endpoint, terms)
            row["resume"] = json.dumps(resume)
            insert_batch(store, row, requests[start:end])
            batch = _create(client, store, row, data, PATHS[terms.dialect.api])
            set_batch_id(store, row, batch)
            tally.pending += end - start
            log(f"Submitted batch {batch.id} of {end - start} requests")


@contextmanager
def _client(endpoint: Endpoint, model: str) -> Iterator["OpenAI"]:
    """The SDK's client; its errors as ours, without the key."""
    from openai import APIError, APIStatusError, OpenAI

    with (
        OpenAI(api_key=endpoint.api_key, base_url=endpoint.base_url) as client,
        redacted_logs(endpoint.secret),
    ):
        try:
            yield client
        except APIStatusError as error:
            refused = StatusError(error.status_code, "", error.code)
            if refused.fatal and error.status_code != 404:  # noqa: PLR2004
                raise TeacherError(fatal_advice(refused, model)) from None
            raise TeacherError(
                f"The Batch API at {endpoint.address} answers: "
                f"{endpoint.redacted(str(error))}. A server without it needs "
                "BIOINSTRUCT_SERVICE=online."
            ) from None
        except APIError as error:
            raise TeacherError(
                f"The Batch API at {endpoint.address} can't be used: "
                f"{endpoint.redacted(f'{type(error).__name__}: {error}')}"
            ) from None


def _create(
    client: "OpenAI", store: Store, row: Mapping[str, Any], data: bytes, path: str
) -> "Batch":
    """Upload a batch's file and create the batch. The creation is sent once, answered or not."""
    from openai import APIStatusError

    name = f"bioinstruct-{row['batch_key']}.jsonl"
    file = client.files.create(file=(name, data), purpose="batch")
    mark_creating(store, row)
    try:
        # The SDK would repeat it after a lost answer, and the server has no way to tell.
        return client.with_options(max_retries=0).batches.create(
            input_file_id=file.id,
            endpoint=f"/v1{path}",  # type: ignore[arg-type]
            completion_window=COMPLETION_WINDOW,
            metadata={METADATA_KEY: row["batch_key"]},
        )
    except APIStatusError as error:
        if not batch_may_exist(error.status_code):
            close_uncreated(store, row, detail=f"refused: HTTP {error.status_code}")
        raise


def _is_elsewhere(row: Mapping[str, Any], endpoint: Endpoint) -> bool:
    """Whether a batch is another server's. The embedded one has a new address in each run."""
    embedded: bool = row["teacher"] == "rehearsal"
    if endpoint.rehearsal or embedded:
        return endpoint.rehearsal != embedded
    return bool(row["endpoint"] != endpoint.address)


def _elsewhere_advice(row: Mapping[str, Any]) -> str:
    return (
        f"{row['requests']} requests are in a batch of the teacher {row['teacher']!r} at "
        f"{row['endpoint']}. Set BIOINSTRUCT_TEACHER and OPENAI_BASE_URL as they were until it is "
        "taken up, or use another BIOINSTRUCT_DATA_DIR: asking elsewhere would pay twice."
    )


def _batch_of(client: "OpenAI", row: Mapping[str, Any], endpoint: Endpoint) -> "Batch | None":
    """The server's batch; one whose creation was never confirmed is looked for by our key."""
    from openai import NotFoundError

    if row["batch_id"]:
        try:
            return client.batches.retrieve(row["batch_id"])
        except NotFoundError:
            raise TeacherError(
                f"{endpoint.address} does not know batch {row['batch_id']}, which holds "
                f"{row['requests']} requests. It belongs to the key and project that submitted it: "
                "set OPENAI_API_KEY to that key to take it up. To give it up, and pay anew for "
                "what it was to bring, run in the store: update batches set state = 'failed' "
                f"where batch_id = '{row['batch_id']}'"
            ) from None
    for batch in client.batches.list(limit=PAGE_SIZE):
        if (batch.metadata or {}).get(METADATA_KEY) == row["batch_key"]:
            return batch
        if batch.created_at < (row["submitted_at"] - _MAX_CLOCK_DIFFERENCE).timestamp():
            return None  # newest first: what follows is older than ours
    return None


def _may_still_appear(row: Mapping[str, Any]) -> bool:
    """Whether a batch that the server does not list may still appear in its list."""
    age = datetime.now(UTC) - row["submitted_at"]
    return bool(row["status"] == CREATING_STATUS and age < CONFIRMATION_TIME)


def _settle_missing(store: Store, row: Mapping[str, Any], log: Callable[[str], None]) -> None:
    """Close a batch that the server does not know, once it can't appear any more."""
    if _may_still_appear(row):
        minutes = CONFIRMATION_TIME.total_seconds() / 60
        log(
            f"The creation of a batch of {row['requests']} requests was cut off. The server is "
            f"asked for it for {minutes:.0f} minutes, so that it is not paid for twice."
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
    """The files of a batch that ended, read and settled; and what went wrong, in short."""
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
    said = batch.request_counts.completed if batch.request_counts else 0
    if output.unreadable or said > output.answered:
        unexplained = settlement.presume_unexplained()
        if unexplained:
            output.troubles.append(f"{unexplained} requests have no line that can be read")
    ended = batch.completed_at or batch.expired_at or batch.cancelled_at
    for completion in settlement.completions.values():
        completion |= {"batch_id": batch.id, "requested_at": row["submitted_at"].isoformat()}
        if ended:
            completion["completed_at"] = datetime.fromtimestamp(ended, UTC).isoformat()
    failed = (batch.errors.data if batch.errors else None) or []
    errors = [error.message or error.code or "" for error in failed]
    missing = len(requests) - len(settlement.completions)
    detail = f"{missing} of {len(requests)} without a reply" if missing else ""
    if troubles := [*errors, *output.troubles]:
        detail += f"; first trouble: {endpoint.redacted(troubles[0])}"
    return output, detail


def _harvest_fault(
    store: Store, row: Mapping[str, Any], batch: "Batch", output: BatchOutput, detail: str
) -> str | None:
    """Why the run that harvested this batch must not go on, in words; None where it may."""
    replies, presumed = len(output.settlement.completions), output.settlement.presumed
    if batch.status == "cancelled":
        return (
            f"Batch {batch.id} was cancelled. It brought {replies} replies, which are stored. "
            "Run again to submit the other requests anew."
        )
    if replies:
        return None
    passing = batch.status != "failed" and not presumed
    if passing and count_batches_without_reply(store, row) < MAX_BATCHES_WITHOUT_REPLY:
        return None
    billed = (
        f"{len(presumed)} requests may have been billed. They are counted as billed, at the most "
        "that they can have cost. "
        if presumed
        else "Nothing was billed for it. "
    )
    return (
        f"Batch {batch.id} ({batch.status}) brought no reply: {detail}\n{billed}Mend the cause and "
        "run again: what is missing is submitted anew. BIOINSTRUCT_SERVICE=online asks for it at "
        "once, and goes on without what keeps failing."
    )
