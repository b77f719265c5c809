"""A round: sends the requests whose replies the store lacks, and stores every reply.

`ask` takes a list of requests, `pursue` takes a feed. A round harvests batches that ended, says
what it will take, sends requests within the caps, folds the journal into the store, and records
itself in `teacher_rounds`. Belongs here: the order of these steps. Does not: opening the teacher
(session), sending requests (flow.sending), submitting batches (batch_api.batches), or the texts of
requests.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.journal import KNOWN_COMPLETIONS, CompletionJournal, fold
from bioinstruct_dagster.store.storable_text import storable_value
from bioinstruct_dagster.teacher.asking_lock import asking_alone
from bioinstruct_dagster.teacher.batch_api import batches
from bioinstruct_dagster.teacher.batch_api.submission import submit
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.feeds import Feed, ListFeed, Refusal, Tally
from bioinstruct_dagster.teacher.flow.pacing import Pacer
from bioinstruct_dagster.teacher.flow.refusal_streak import RefusalStreak
from bioinstruct_dagster.teacher.flow.sending import Sender
from bioinstruct_dagster.teacher.flow.stall_watch import StallWatch
from bioinstruct_dagster.teacher.money.budget import Budget
from bioinstruct_dagster.teacher.money.estimates import Estimate, estimate
from bioinstruct_dagster.teacher.money.experience import experience
from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.money.settling import Account, BatchAccount, Billing
from bioinstruct_dagster.teacher.money.tokens import TokenForecast
from bioinstruct_dagster.teacher.output_limits import CUT_COLUMNS
from bioinstruct_dagster.teacher.reading.answer_text import ANSWER_COLUMNS
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.session import TeacherSession
from bioinstruct_dagster.teacher.terms import budget_of
from bioinstruct_dagster.teacher.wire.client import TeacherClient

BATCH_SPEND = """
    select
        coalesce(sum(usd), 0) as usd,
        coalesce(sum(prompt_tokens + completion_tokens), 0)::bigint as tokens,
        count(*) filter (where usd is null) as unpriced,
        count(*) filter (
            where completion_tokens > (parameters ->> 'max_completion_tokens')::bigint
        ) as over_limit
    from completions
    where service = 'batch' and purpose = $purpose
"""

STORED_REPLIES = f"""
    select completion_id, refusal, {CUT_COLUMNS}, {ANSWER_COLUMNS}
    from completions
    where completion_id in (select unnest($wanted::varchar[]))
"""


# Requests of the model at this server that earlier rounds sent, and that the server refused.
KNOWN_REFUSALS = """
    select distinct completion_id
    from teacher_refusals
    where teacher = $teacher and endpoint = $endpoint and model = $model
"""


AnyFeed = TypeVar("AnyFeed", bound=Feed)


def ask(
    session: TeacherSession,
    requests: Sequence[TeacherRequest],
    *,
    is_useless: Callable[[Mapping[str, Any]], bool] | None = None,
    stop_reason: Callable[[Mapping[str, Any]], str | None] | None = None,
    announce: Callable[[Estimate], None] | None = None,
) -> Tally:
    """Send the requests that the store has no reply to, and store every reply.

    A request that fails is counted, and the next run sends it again. The journal is folded into the
    store even if the round fails, so that no reply that was paid for is lost.

    Args:
        session: the open teacher.
        requests: all requests whose replies the caller needs, with one purpose.
        is_useless: whether a reply is useless, so that its request is sent once more.
        stop_reason: why no more requests are worth their price after a new reply, or None.
        announce: receives the estimate before the first request is sent.

    Raises:
        TeacherError: no request can succeed (wrong key, no quota, unknown model), or the server
            refused all requests, or all failed.
        BudgetError: a cap can't be held.
        StoreBusyError: another process is sending requests for this store.
    """
    if not requests:
        return Tally()

    def feed() -> ListFeed:
        both = [r.completion_id for first in requests for r in (first, first.again())]
        known = known_completions(session.store, both)
        stored = session.store.rows(STORED_REPLIES, {"wanted": list(known)}) if known else []
        return ListFeed(requests, stored, is_useless, stop_reason)

    _, tally = pursue(session, feed, purpose=requests[0].purpose, announce=announce)
    return tally


def pursue(
    session: TeacherSession,
    make_feed: Callable[[], AnyFeed],
    *,
    purpose: str,
    announce: Callable[[Estimate], None] | None = None,
) -> tuple[AnyFeed, Tally]:
    """Send every request that a feed offers, and store every reply.

    While batches of the same purpose are open, the round sends nothing, because the batches may
    bring every missing reply. `Tally.pending` then counts their requests.

    Args:
        session: the open teacher.
        make_feed: makes the feed, once the store holds every earlier reply.
        purpose: of the requests.
        announce: receives the estimate before the first request is sent.

    Returns:
        The feed, and what the round took.

    Raises:
        TeacherError, BudgetError, StoreBusyError: see `ask`.
    """
    store, log = session.store, session.log
    started = datetime.now(UTC)
    tally = Tally()
    with asking_alone(store):
        fold(store)
        pending = _harvest(session, purpose, tally)
        harvested = tally.asked
        feed = make_feed()
        tally.reused = max(feed.reused - harvested, 0)
        log(
            f"{tally.reused} stored completions reused, "
            + (
                f"{pending} requests are in batches that have not ended"
                if pending
                else f"about {feed.expected_requests} requests to send"
            )
        )
        example = feed.example
        try:
            if pending:
                tally.pending = pending
            elif feed.expected_requests:
                _send(session, feed, tally, announce)
        except BaseException:
            # The user must see the error that ended the round. If the store can't be written
            # either, as on a full disk, the next run folds the journal.
            with suppress(Exception):
                _store_round(session, example, tally, started)
            raise
        tally.stopped = tally.stopped or feed.stopped
        tally.reused = max(feed.reused - harvested, 0)
        _store_round(session, example, tally, started)
        feed.finish()
    if tally.failed and not (tally.asked or tally.reused):
        if tally.stopped and tally.refusals:
            raise TeacherError(tally.stopped)
        if not tally.stopped:
            first = f" First error: {tally.errors[0]}" if tally.errors else ""
            raise TeacherError(f"All {tally.failed} requests to the teacher failed.{first}")
    if tally.stopped:
        log(f"Stopped: {tally.stopped}")
    return feed, tally


def known_completions(store: Store, completion_ids: Sequence[str]) -> set[str]:
    """The ids, of those given, whose completions the store holds."""
    if not store.path.exists():
        return set()
    return {
        row["completion_id"]
        for row in store.rows(KNOWN_COMPLETIONS, {"candidates": completion_ids})
    }


def _harvest(session: TeacherSession, purpose: str, tally: Tally) -> int:
    """Store the replies of batches that ended; how many requests are still in open batches."""
    store = session.store
    if not _requests_in_batches(store, purpose):
        return 0
    before = store.rows(BATCH_SPEND, {"purpose": purpose})[0]
    tally.asked = batches.harvest(session.endpoint, store, purpose, session.log)
    after = store.rows(BATCH_SPEND, {"purpose": purpose})[0]
    tally.tokens = after["tokens"] - before["tokens"]
    priced = after["unpriced"] == before["unpriced"]
    tally.usd = after["usd"] - before["usd"] if priced else None
    if over_limit := after["over_limit"] - before["over_limit"]:
        tally.over_limit = (
            f"The server ignores the limit of output tokens: {over_limit:,} of {tally.asked:,} "
            "replies of its batches took more than the limit of their request."
        )
        session.log(f"Warning: {tally.over_limit}")
    return _requests_in_batches(store, purpose)


def _requests_in_batches(store: Store, purpose: str) -> int:
    """The number of requests in batches that were not harvested yet."""
    return sum(row["requests"] for row in batches.open_batches(store, purpose))


def _send(
    session: TeacherSession,
    feed: Feed,
    tally: Tally,
    announce: Callable[[Estimate], None] | None,
) -> None:
    """Say what the round will take, then send every request that the feed offers."""
    terms = session.terms
    example = feed.example
    price = price_of(example.model)
    budget = budget_of(terms, session.store, example.model)
    forecast, latency, replies, reasoning = experience(session.store, example)
    expected = estimate(
        example,
        feed.expected_requests,
        forecast,
        price=price,
        service=terms.service,
        concurrency=terms.concurrency,
        latency=latency,
        requests_per_minute=terms.requests_per_minute or terms.known_limits[0],
        tokens_per_minute=terms.tokens_per_minute or terms.known_limits[1],
        from_replies=replies,
        reasoning_tokens=reasoning,
    )
    session.log(str(expected))
    if announce:
        announce(expected)
    billing = Billing(session.endpoint, price, terms.service, terms.run_id)
    if terms.service == "batch":
        submit(
            feed,
            session.store,
            BatchAccount(billing, budget),
            terms=terms,
            tally=tally,
            log=session.log,
            forecast=forecast,
        )
    else:
        asyncio.run(
            _send_online(session, feed, tally, billing=billing, budget=budget, forecast=forecast)
        )


async def _send_online(
    session: TeacherSession,
    feed: Feed,
    tally: Tally,
    *,
    billing: Billing,
    budget: Budget,
    forecast: TokenForecast,
) -> None:
    terms = session.terms
    async with (
        CompletionJournal(session.store) as journal,
        TeacherClient(
            session.endpoint, connections=terms.concurrency, service=terms.service
        ) as client,
    ):
        sender = Sender(
            feed,
            tally,
            client=client,
            dialect=terms.dialect,
            account=Account(billing, budget, journal),
            pacer=Pacer(
                terms.concurrency,
                requests_per_minute=terms.requests_per_minute,
                tokens_per_minute=terms.tokens_per_minute,
                known_limits=terms.known_limits,
            ),
            forecast=forecast,
            log=session.log,
            streak=RefusalStreak(known=_known_refusals(session, feed), works=bool(tally.reused)),
            stall=StallWatch(terms.stall_seconds),
        )
        await sender.run()


def _known_refusals(session: TeacherSession, feed: Feed) -> set[str]:
    """The ids of requests that earlier rounds sent, and that this server refused."""
    if not session.store.path.exists():
        return set()
    example = feed.example
    key = {
        "teacher": example.teacher,
        "endpoint": session.endpoint.address,
        "model": example.model,
    }
    return {row["completion_id"] for row in session.store.rows(KNOWN_REFUSALS, key)}


def _store_round(
    session: TeacherSession, example: TeacherRequest, tally: Tally, started: datetime
) -> None:
    """Fold the journal into the store, with the row of the round and the rows of its refusals."""
    refusals = [_refusal_row(session, refusal) for refusal in tally.refusals]
    fold(session.store, [_record(session, example, tally, started)], refusals)


def _refusal_row(session: TeacherSession, refusal: Refusal) -> dict[str, Any]:
    """A row of `teacher_refusals`."""
    request, error = refusal.request, refusal.error
    return {
        "completion_id": request.completion_id,
        "purpose": request.purpose,
        "teacher": request.teacher,
        "endpoint": session.endpoint.address,
        "model": request.model,
        "run_id": session.terms.run_id,
        "request_number": request.request_number,
        "status": error.status,
        "code": storable_value(error.code),
        "kind": error.kind,
        "message": storable_value(session.endpoint.redacted(error.words)),
        "refused_at": refusal.refused_at,
    }


def _record(
    session: TeacherSession, example: TeacherRequest, tally: Tally, started: datetime
) -> dict[str, Any]:
    """A row of `teacher_rounds`: the counts of a round, and why it stopped."""
    return {
        "started_at": started,
        "finished_at": datetime.now(UTC),
        "run_id": session.terms.run_id,
        "purpose": example.purpose,
        "teacher": example.teacher,
        "model": example.model,
        "service": session.terms.service,
        "reused": tally.reused,
        "asked": tally.asked,
        "failed": tally.failed,
        "rate_limited": tally.rate_limited,
        "retried": tally.retried,
        "presumed": tally.presumed,
        "usd": tally.usd,
        "tokens": tally.tokens,
        "stopped": storable_value(tally.stopped),
        "rehearsal": session.endpoint.rehearsal,
    }
