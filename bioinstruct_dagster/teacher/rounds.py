"""The teacher: requests in, completions out, each one durable before anything else happens to it.

`ask` and `pursue` are one round: find out what the store holds, say what the rest will take, hold
the caps, ask, fold the journal, and write down what it came to. One process at a time asks for one
store, under an OS lock: two would pay twice for the same requests, and neither could hold a cap of
the project. Belongs here: the round. Does not: the flow of requests (asking), or what the prompts
say.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.journal import KNOWN_COMPLETIONS, CompletionJournal, fold
from bioinstruct_dagster.teacher.asking_lock import asking_alone
from bioinstruct_dagster.teacher.batch_api import batches
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.feeds import Feed, ListFeed, Tally
from bioinstruct_dagster.teacher.flow.pacing import Pacer
from bioinstruct_dagster.teacher.flow.sending import Sender, SendingTools
from bioinstruct_dagster.teacher.money.budget import Budget
from bioinstruct_dagster.teacher.money.estimates import FIRST_LATENCY, Estimate, estimate
from bioinstruct_dagster.teacher.money.prices import Price, price_of
from bioinstruct_dagster.teacher.money.settling import Account, Billing
from bioinstruct_dagster.teacher.money.tokens import FIRST_OUTPUT_SHARE, TokenModel
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.terms import Terms, budget_of
from bioinstruct_dagster.teacher.wire.client import Endpoint, TeacherClient

__all__ = [
    "Endpoint",
    "Tally",
    "TeacherError",
    "Terms",
    "ask",
    "known_completions",
    "open_teacher",
    "openai_endpoint",
    "pursue",
]

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

# What the same kind of request took before: the newest few hundred are enough to go by.
EXPERIENCE = """
    select
        count(*) as replies,
        avg(completion_tokens / (parameters ->> 'max_completion_tokens')::bigint) as output_share,
        median(epoch(completed_at) - epoch(requested_at)) as latency
    from (
        select *
        from completions
        where teacher = $teacher and model_asked = $model and template_id = $template_id
            and service != 'batch'
        order by completed_at desc
        limit 300
    )
"""


F = TypeVar("F", bound=Feed)


@contextmanager
def open_teacher(settings: Settings) -> Iterator[Endpoint]:
    """The teacher that the settings name; the rehearsal teacher is started and stopped here.

    Raises:
        TeacherError: the teacher is `openai` and no key is set.
    """
    if settings.teacher == "rehearsal":
        from bioinstruct_dagster.rehearsal.api_server import app as server
        from bioinstruct_dagster.rehearsal.api_server.options import ServerOptions

        # Batches outlive the run that submits them, and so must the server's memory of them: also
        # for a run that asks online while one is open.
        batches_dir = settings.data_dir / "rehearsal_batches"
        kept = settings.service == "batch" or batches_dir.exists()
        folder = batches_dir if kept else None
        with server.serving(options=ServerOptions(state_dir=folder)) as base_url:
            yield Endpoint(base_url, "no-key-needed", rehearsal=True)
        return
    yield openai_endpoint(settings)


def openai_endpoint(settings: Settings) -> Endpoint:
    """The configured OpenAI-compatible endpoint.

    Raises:
        TeacherError: no key is set.
    """
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""
    if not key:
        raise TeacherError(
            "BIOINSTRUCT_TEACHER is 'openai' but OPENAI_API_KEY is not set. Export it, or put it "
            "in .env (for a local server that asks for no key, any word will do)."
        )
    url = str(settings.openai_base_url) if settings.openai_base_url else None
    return Endpoint(url, key, rehearsal=False)


def ask(
    requests: Sequence[TeacherRequest],
    endpoint: Endpoint,
    store: Store,
    *,
    log: Callable[[str], None],
    terms: Terms | None = None,
    worth_again: Callable[[Mapping[str, Any]], bool] | None = None,
    announce: Callable[[Estimate], None] | None = None,
) -> Tally:
    """Get every request answered and stored, asking only for what the store lacks.

    A request that fails is counted and left for the next run. The journal is folded into the store
    even when the round is broken off, so nothing that was paid for waits for luck.

    Args:
        requests: all that are wanted.
        endpoint: whom to ask.
        store: where replies go.
        log: takes lines for the user.
        terms: pace and caps.
        worth_again: whether a reply is to be asked for once more.
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
        known = known_completions(store, both)
        stored = store.rows(STORED_REPLIES, {"wanted": list(known)}) if known else []
        return ListFeed(requests, stored, worth_again)

    _, tally = pursue(
        feed,
        endpoint,
        store,
        purpose=requests[0].purpose,
        log=log,
        terms=terms,
        announce=announce,
    )
    return tally


def pursue(
    make_feed: Callable[[], F],
    endpoint: Endpoint,
    store: Store,
    *,
    purpose: str,
    log: Callable[[str], None],
    terms: Terms | None = None,
    announce: Callable[[Estimate], None] | None = None,
) -> tuple[F, Tally]:
    """Ask all that a feed offers, as `ask` does; the feed is made once the store is known.

    By the Batch API nothing is asked while batches of the same purpose are open: their replies may
    be all that is missing. `Tally.pending` says so.
    """
    round_ = _Round(endpoint, store, terms or Terms(), log, announce)
    started = datetime.now(UTC)
    with asking_alone(store):
        fold(store)
        harvested = 0
        pending = _with_batches(store, purpose)
        tally = Tally()
        if pending:
            before = store.rows(BATCHED, {"purpose": purpose})[0]
            harvested = batches.harvest(endpoint, store, purpose, log)
            after = store.rows(BATCHED, {"purpose": purpose})[0]
            tally.asked = harvested
            tally.tokens = after["tokens"] - before["tokens"]
            priced = after["unpriced"] == before["unpriced"]
            tally.usd = after["usd"] - before["usd"] if priced else None
            pending = _with_batches(store, purpose)
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


def experience(store: Store, example: TeacherRequest) -> tuple[TokenModel, float, int]:
    """What such requests took before: tokens, seconds, and from how many replies that is known."""
    known: dict[str, Any] = {"replies": 0}
    if store.path.exists():
        known = store.rows(
            EXPERIENCE,
            {
                "teacher": example.teacher,
                "model": example.model,
                "template_id": example.template_id,
            },
        )[0]
    if not known["replies"]:
        return TokenModel(), FIRST_LATENCY, 0
    share = FIRST_OUTPUT_SHARE if known["output_share"] is None else known["output_share"]
    return TokenModel(output_share=share), known["latency"], known["replies"]


def _with_batches(store: Store, purpose: str) -> int:
    """Requests that are in batches which were not taken up yet."""
    return sum(row["requests"] for row in batches.open_batches(store, purpose))


@dataclass(frozen=True)
class _Round:
    """Whom to ask, on what terms, and who hears of it."""

    endpoint: Endpoint
    store: Store
    terms: Terms
    log: Callable[[str], None]
    announce: Callable[[Estimate], None] | None = None

    def ask(self, feed: Feed, example: TeacherRequest, tally: Tally) -> None:
        """Estimate, then ask or submit all that the feed offers."""
        terms = self.terms
        price = price_of(example.model)
        budget = budget_of(terms, self.store, example.model)
        usage, latency, replies = experience(self.store, example)
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
        self.log(str(expected))
        if self.announce:
            self.announce(expected)
        if terms.service == "batch":
            batches.submit(
                feed,
                self.endpoint,
                self.store,
                terms=terms,
                budget=budget,
                tally=tally,
                log=self.log,
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
        terms = self.terms
        async with (
            CompletionJournal(self.store) as journal,
            TeacherClient(
                self.endpoint, connections=terms.concurrency, service=terms.service
            ) as client,
        ):
            means = SendingTools(
                client=client,
                dialect=terms.dialect,
                account=Account(
                    Billing(self.endpoint, price, terms.service, terms.run_id), budget, journal
                ),
                pacer=Pacer(
                    terms.concurrency,
                    requests_per_minute=terms.requests_per_minute,
                    tokens_per_minute=terms.tokens_per_minute,
                    seen=terms.limits_seen,
                ),
                usage=usage,
            )
            await Sender(means, feed, tally, self.log).run()

    def record(self, example: TeacherRequest, tally: Tally, started: datetime) -> dict[str, Any]:
        """What the round came to, as a row of `teacher_rounds`."""
        terms = self.terms
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
            "rehearsal": self.endpoint.rehearsal,
        }
