"""A round: all requests that are wanted and not stored yet are asked of the teacher, and stored.

`ask` takes a list of requests, `pursue` a feed. Both harvest batches that ended, say what the round
will take, hold the caps, send, fold the journal into the store, and record the round in
`teacher_rounds`. Belongs here: the order of these steps. Does not: opening the teacher (session),
sending (flow.sending), files of requests (batch_api.batches), or what the requests say.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.journal import KNOWN_COMPLETIONS, CompletionJournal, fold
from bioinstruct_dagster.teacher.asking_lock import asking_alone
from bioinstruct_dagster.teacher.batch_api import batches
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.feeds import Feed, ListFeed, Tally
from bioinstruct_dagster.teacher.flow.pacing import Pacer
from bioinstruct_dagster.teacher.flow.sending import Sender, SendingTools
from bioinstruct_dagster.teacher.money.budget import Budget
from bioinstruct_dagster.teacher.money.estimates import Estimate, estimate
from bioinstruct_dagster.teacher.money.experience import experience
from bioinstruct_dagster.teacher.money.prices import Price, price_of
from bioinstruct_dagster.teacher.money.settling import Account, Billing
from bioinstruct_dagster.teacher.money.tokens import TokenModel
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.session import TeacherSession
from bioinstruct_dagster.teacher.terms import budget_of
from bioinstruct_dagster.teacher.wire.client import TeacherClient

BATCHED = """
    select
        coalesce(sum(usd), 0) as usd,
        coalesce(sum(prompt_tokens + completion_tokens), 0)::bigint as tokens,
        count(*) filter (where usd is null) as unpriced
    from completions
    where service = 'batch' and purpose = $purpose
"""

STORED_REPLIES = """
    select completion_id, content, refusal, finish_reason
    from completions
    where completion_id in (select unnest($wanted::varchar[]))
"""


F = TypeVar("F", bound=Feed)


def ask(
    session: TeacherSession,
    requests: Sequence[TeacherRequest],
    *,
    worth_again: Callable[[Mapping[str, Any]], bool] | None = None,
    announce: Callable[[Estimate], None] | None = None,
) -> Tally:
    """Get every request answered and stored, asking only for what the store lacks.

    A request that fails is counted and left for the next run. The journal is folded into the store
    even when the round is broken off, so that no reply that was paid for is lost.

    Args:
        session: the open teacher.
        requests: all that are wanted, of one purpose.
        worth_again: whether the request of a reply is to be sent once more.
        announce: takes the estimate, before the first request.

    Raises:
        TeacherError: no request can succeed as things are (wrong key, no quota, unknown model), or
            all failed.
        BudgetError: a cap can't be held.
        StoreBusyError: another process is asking for this store.
    """
    if not requests:
        return Tally()

    def feed() -> ListFeed:
        both = [r.completion_id for first in requests for r in (first, first.again())]
        known = known_completions(session.store, both)
        stored = session.store.rows(STORED_REPLIES, {"wanted": list(known)}) if known else []
        return ListFeed(requests, stored, worth_again)

    _, tally = pursue(session, feed, purpose=requests[0].purpose, announce=announce)
    return tally


def pursue(
    session: TeacherSession,
    make_feed: Callable[[], F],
    *,
    purpose: str,
    announce: Callable[[Estimate], None] | None = None,
) -> tuple[F, Tally]:
    """Ask all that a feed offers, as `ask` does; the feed is made once the store is known.

    While batches of the same purpose are open, nothing is asked: their replies may be all that is
    missing. `Tally.pending` says so.
    """
    store, log = session.store, session.log
    round_ = _Round(session, announce)
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
                else f"about {feed.expected_requests} to ask of the teacher"
            )
        )
        example = feed.example
        try:
            if pending:
                tally.pending = pending
            elif feed.expected_requests:
                round_.ask(feed, example, tally)
        except BaseException:
            # What ended the round is what the user must hear of, even where the store can't be
            # written either, as on a full disk: the journal waits for the next run then.
            with suppress(Exception):
                fold(store, rounds=[round_.record(example, tally, started)])
            raise
        tally.stopped = tally.stopped or feed.stopped
        tally.reused = max(feed.reused - harvested, 0)
        fold(store, rounds=[round_.record(example, tally, started)])
        feed.finish()
    if tally.failed and not (tally.asked or tally.reused or tally.stopped):
        first = f" First error: {tally.errors[0]}" if tally.errors else ""
        raise TeacherError(f"All {tally.failed} requests to the teacher failed.{first}")
    if tally.stopped:
        log(f"Stopped: {tally.stopped}")
    return feed, tally


def known_completions(store: Store, completion_ids: Sequence[str]) -> set[str]:
    """Which of the completions the store holds."""
    if not store.path.exists():
        return set()
    return {
        row["completion_id"]
        for row in store.rows(KNOWN_COMPLETIONS, {"candidates": completion_ids})
    }


def _harvest(session: TeacherSession, purpose: str, tally: Tally) -> int:
    """Store the replies of batches that ended. Returns how many requests are still in batches."""
    store = session.store
    if not _with_batches(store, purpose):
        return 0
    before = store.rows(BATCHED, {"purpose": purpose})[0]
    tally.asked = batches.harvest(session.endpoint, store, purpose, session.log)
    after = store.rows(BATCHED, {"purpose": purpose})[0]
    tally.tokens = after["tokens"] - before["tokens"]
    priced = after["unpriced"] == before["unpriced"]
    tally.usd = after["usd"] - before["usd"] if priced else None
    return _with_batches(store, purpose)


def _with_batches(store: Store, purpose: str) -> int:
    """Requests that are in batches which were not harvested yet."""
    return sum(row["requests"] for row in batches.open_batches(store, purpose))


@dataclass(frozen=True)
class _Round:
    """One round of a session."""

    session: TeacherSession
    announce: Callable[[Estimate], None] | None = None

    def ask(self, feed: Feed, example: TeacherRequest, tally: Tally) -> None:
        """Estimate, then ask or submit all that the feed offers."""
        terms = self.session.terms
        price = price_of(example.model)
        budget = budget_of(terms, self.session.store, example.model)
        usage, latency, replies = experience(self.session.store, example)
        expected = estimate(
            example,
            feed.expected_requests,
            usage,
            price=price,
            service=terms.service,
            concurrency=terms.concurrency,
            latency=latency,
            requests_per_minute=terms.requests_per_minute or terms.limits_seen[0],
            tokens_per_minute=terms.tokens_per_minute or terms.limits_seen[1],
            from_replies=replies,
        )
        self.session.log(str(expected))
        if self.announce:
            self.announce(expected)
        if terms.service == "batch":
            batches.submit(
                feed,
                self.session.endpoint,
                self.session.store,
                terms=terms,
                budget=budget,
                tally=tally,
                log=self.session.log,
            )
        else:
            asyncio.run(self._ask_online(feed, tally, budget, usage, price))

    async def _ask_online(
        self,
        feed: Feed,
        tally: Tally,
        budget: Budget,
        usage: TokenModel,
        price: Price | None,
    ) -> None:
        terms = self.session.terms
        async with (
            CompletionJournal(self.session.store) as journal,
            TeacherClient(
                self.session.endpoint, connections=terms.concurrency, service=terms.service
            ) as client,
        ):
            means = SendingTools(
                client=client,
                dialect=terms.dialect,
                account=Account(
                    Billing(self.session.endpoint, price, terms.service, terms.run_id),
                    budget,
                    journal,
                ),
                pacer=Pacer(
                    terms.concurrency,
                    requests_per_minute=terms.requests_per_minute,
                    tokens_per_minute=terms.tokens_per_minute,
                    seen=terms.limits_seen,
                ),
                usage=usage,
            )
            await Sender(means, feed, tally, self.session.log).run()

    def record(self, example: TeacherRequest, tally: Tally, started: datetime) -> dict[str, Any]:
        """A row of `teacher_rounds`: what the round took, and why it stopped."""
        terms = self.session.terms
        return {
            "started_at": started,
            "finished_at": datetime.now(UTC),
            "run_id": terms.run_id,
            "purpose": example.purpose,
            "teacher": example.teacher,
            "model": example.model,
            "service": terms.service,
            "reused": tally.reused,
            "asked": tally.asked,
            "failed": tally.failed,
            "rate_limited": tally.rate_limited,
            "retried": tally.retried,
            "presumed": tally.presumed,
            "usd": tally.usd,
            "tokens": tally.tokens,
            "stopped": tally.stopped,
            "rehearsal": self.session.endpoint.rehearsal,
        }
