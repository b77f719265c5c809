"""Submission: the requests of a round become batches at the server, a portion at a time.

A round submits as much as fits into the server's queue, and ends. The run that harvests this
portion submits the next one. A portion that the server refuses for its size was not billed: its
reservation is released, and a smaller one is submitted in its place.

Belongs here: choosing and creating the batches of a round. Does not: the choice of requests
(teacher.feeds), the size of a portion (portions), the lines of a file (files), or what becomes of a
batch (batches).
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.batch_api.connection import batch_client, refusal_in
from bioinstruct_dagster.teacher.batch_api.files import input_files
from bioinstruct_dagster.teacher.batch_api.portions import (
    QUEUE_SHARE,
    BatchQueue,
    queue_of,
    size_message,
    size_refusal,
)
from bioinstruct_dagster.teacher.batch_api.tables import (
    METADATA_KEY,
    batch_row,
    close_uncreated,
    insert_batch,
    mark_creating,
    set_batch_id,
)
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.feeds import Feed, Tally
from bioinstruct_dagster.teacher.money.settling import BatchAccount, batch_may_exist
from bioinstruct_dagster.teacher.money.tokens import TokenForecast, size_of
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.dialect import PATHS
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI
    from openai.types import Batch

COMPLETION_WINDOW: Literal["24h"] = "24h"  # the only completion window that the API offers
MAX_SIZE_REFUSALS = 8  # of one round; each portion is at most half of the refused one


class _SizeRefusedError(Exception):
    """The server refused a batch for its size. Its message holds the server's words."""


def submit(
    feed: Feed,
    store: Store,
    account: BatchAccount,
    *,
    terms: Terms,
    tally: Tally,
    log: Callable[[str], None],
    forecast: TokenForecast | None = None,
) -> None:
    """Submit the requests that the feed offers, as far as the caps and the server's queue allow.

    Args:
        feed: offers the requests.
        store: notes each batch before it is created.
        account: reserves the money of each request.
        terms: the dialect and the caps of the run.
        tally: counts the submitted requests as pending.
        log: takes lines for the user.
        forecast: expects the tokens of a prompt.

    Raises:
        TeacherError: the server refuses the batch, or not even one request fits into its queue.
    """
    Submission(
        feed,
        store,
        account,
        terms=terms,
        tally=tally,
        log=log,
        forecast=forecast or TokenForecast(),
    ).run()


class Submission:
    """The batches of one round; see `submit`."""

    def __init__(
        self,
        feed: Feed,
        store: Store,
        account: BatchAccount,
        *,
        terms: Terms,
        tally: Tally,
        log: Callable[[str], None],
        forecast: TokenForecast,
    ) -> None:
        self._feed = feed
        self._store = store
        self._account = account
        self._terms = terms
        self._tally = tally
        self._log = log
        self._forecast = forecast
        self._endpoint: Endpoint = account.billing.endpoint
        self._tokens: list[int] = []  # expected prompt tokens of the account's requests
        self._refusals = 0
        self._is_full = False  # whether requests are left that do not fit into the queue

    def run(self) -> None:
        """Submit portions until the queue is full or no request is left."""
        expected = self._feed.expected_requests
        self._take()
        requests = self._account.requests
        if not requests:
            return
        submitted = 0
        with batch_client(self._endpoint, requests[0].model) as client:
            while submitted < len(requests):
                queue = self._queue(requests[0])
                count = queue.fitting(self._tokens[submitted:])
                if not count:
                    self._is_full = True
                    self._explain_no_room(queue, submitted)
                    break
                submitted += self._submit_portion(client, submitted, submitted + count)
        if self._tally.pending and self._is_full:
            waiting = max(expected - submitted, len(requests) - submitted, 1)
            self._log(
                f"About {waiting:,} more requests do not fit into the server's queue of batches. "
                "The run that stores the replies of this portion submits the next one."
            )

    def _take(self) -> None:
        """Take requests from the feed, no more than the caps and the queue have room for."""
        room: float | None = None
        while (request := self._feed.take()) is not None:
            if not self._tokens:
                room = self._queue(request).room
            tokens = math.ceil(self._forecast.prompt(size_of(request)))
            if room is not None and self._tokens and sum(self._tokens) + tokens > room:
                self._is_full = True
                return  # the next round takes it again
            if stopped := self._account.reserve(request):
                self._tally.stopped = stopped
                return
            self._tokens.append(tokens)

    def _queue(self, request: TeacherRequest) -> BatchQueue:
        return queue_of(
            self._store,
            self._endpoint,
            request.teacher,
            request.model,
            self._terms.batch_tokens,
        )

    def _submit_portion(self, client: "OpenAI", start: int, end: int) -> int:
        """Submit the requests from `start` to before `end`, or fewer; how many were submitted."""
        requests: Sequence[TeacherRequest] = self._account.requests[start:end]
        _, count, data = next(input_files(requests, self._terms.dialect))
        requests, end = requests[:count], start + count
        row = batch_row(
            requests,
            self._account.reserved(start, end),
            self._endpoint,
            self._terms,
            prompt_tokens=sum(self._tokens[start:end]),
        )
        row["resume"] = json.dumps(self._resume())
        insert_batch(self._store, row, requests)
        try:
            batch = _create(client, self._store, row, data, PATHS[self._terms.dialect.api])
        except _SizeRefusedError as refused:
            self._handle_refusal(row, str(refused))
            return 0
        set_batch_id(self._store, row, batch)
        self._tally.pending += count
        self._log(
            f"Submitted batch {batch.id} of {count} requests, with about "
            f"{row['prompt_tokens']:,} prompt tokens"
        )
        return count

    def _handle_refusal(self, row: Mapping[str, Any], words: str) -> None:
        """Go on with a smaller portion, or stop if that would not help."""
        self._refusals += 1
        requests, tokens = row["requests"], row["prompt_tokens"]
        queue = self._queue(self._account.requests[0])
        if requests == 1 or queue.is_full(tokens) or self._refusals == MAX_SIZE_REFUSALS:
            raise TeacherError(size_message(self._endpoint, row["model"], tokens, words))
        self._log(
            f"The server refused a batch of {requests} requests with about {tokens:,} prompt "
            f"tokens: {self._endpoint.redacted(words)} A smaller portion is submitted."
        )

    def _explain_no_room(self, queue: BatchQueue, start: int) -> None:
        """Say why nothing more is submitted, unless a portion of this round is open."""
        if self._tally.pending:
            return
        model, tokens = self._account.requests[start].model, self._tokens[start]
        limit = round((queue.ceiling or queue.largest or 0) / QUEUE_SHARE)
        if queue.is_too_large(tokens):
            raise TeacherError(
                f"A single request takes about {tokens:,} prompt tokens, and a batch for {model!r} "
                f"may hold no more than {limit:,}, by "
                f"{'BIOINSTRUCT_BATCH_TOKENS' if self._terms.batch_tokens else 'the server'}. "
                "Raise the limit, or set BIOINSTRUCT_SERVICE=online."
            )
        self._tally.stopped = self._tally.stopped or (
            f"Open batches of other requests hold {queue.waiting:,} of the {limit:,} prompt tokens "
            f"that batches for {model!r} may hold together. Run again when they have ended, raise "
            "BIOINSTRUCT_BATCH_TOKENS, or set BIOINSTRUCT_SERVICE=online."
        )

    def _resume(self) -> dict[str, Any]:
        resume = {name: value for name, value in self._feed.resume.items() if value is not None}
        if resume:
            # The run that goes on has the caps of this one: nobody looks on when it is started.
            terms = self._terms
            caps = {"max_usd": terms.run_max_usd, "max_tokens": terms.run_max_tokens}
            resume |= {name: value for name, value in caps.items() if value is not None}
        return resume


def _create(
    client: "OpenAI", store: Store, row: Mapping[str, Any], data: bytes, path: str
) -> "Batch":
    """Upload a batch's file and create the batch. The creation is sent only once."""
    from openai import APIStatusError

    name = f"bioinstruct-{row['batch_key']}.jsonl"
    try:
        file = client.files.create(file=(name, data), purpose="batch")
    except APIStatusError as error:
        # Without a file there is no batch, whatever the status.
        _close_refused(store, row, error)
        raise
    mark_creating(store, row)
    try:
        # The SDK would repeat the creation after a lost answer, and the server would create two.
        return client.with_options(max_retries=0).batches.create(
            input_file_id=file.id,
            endpoint=f"/v1{path}",  # type: ignore[arg-type]
            completion_window=COMPLETION_WINDOW,
            metadata={METADATA_KEY: row["batch_key"]},
        )
    except APIStatusError as error:
        if not batch_may_exist(error.status_code):
            _close_refused(store, row, error)
        raise


def _close_refused(store: Store, row: Mapping[str, Any], error: "APIStatusError") -> None:
    """Close a batch that the server refused to create.

    Raises:
        _SizeRefusedError: the size of the batch is the cause.
    """
    words = refusal_in(error).message
    limit = size_refusal(words, error.code, error.status_code)
    detail = f"refused: HTTP {error.status_code}"
    close_uncreated(store, row, detail=detail, token_limit=limit)
    if limit is not None:
        raise _SizeRefusedError(words) from None
