"""The flow of requests: one loop sends what the feed offers, as fast as pace and budget allow.

There are no batches and no barriers: a slow or failing request holds back no other. Each reply is
on disk before the feed, or anything else, sees it. Belongs here: sending, trying again, settling.
Does not: which requests there are (the feed), or what a reply says.
"""

import asyncio
import gc
import heapq
import itertools
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bioinstruct_dagster.settings import Service
from bioinstruct_dagster.store.journal import CompletionJournal
from bioinstruct_dagster.teacher.completions import completion_of, cost_of, reservation_of
from bioinstruct_dagster.teacher.errors import (
    RefusedError,
    TeacherError,
    UnreachedError,
    fatal_advice,
    long_wait,
    unwritable,
)
from bioinstruct_dagster.teacher.feeds import Feed, Tally
from bioinstruct_dagster.teacher.flow.circuit_breaker import CircuitBreaker
from bioinstruct_dagster.teacher.flow.pacing import Pacer
from bioinstruct_dagster.teacher.flow.retries import Attempts
from bioinstruct_dagster.teacher.money.budget import Amount, Budget, reached
from bioinstruct_dagster.teacher.money.prices import Price
from bioinstruct_dagster.teacher.money.tokens import RequestSize, TokenModel, size_of
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.wire.client import Dialect, Endpoint, TeacherClient, TeacherReply

_KEPT_ERRORS = 5
_SENDS_BETWEEN_YIELDS = 32
_OBJECTS_BETWEEN_COLLECTIONS = 50_000
_REPORT_SECONDS = 30.0
_REPORT_REPLIES = 25


@dataclass(eq=False)
class SentRequest:
    """A request on its way, over all its attempts."""

    request: TeacherRequest
    size: RequestSize
    most: Amount
    attempts: Attempts = field(default_factory=Attempts)
    reservation_id: str = ""
    expected_tokens: float = 0.0
    trying: bool = False  # whether it is the one with which the circuit breaker tries the server


@dataclass(frozen=True)
class SendingTools:
    """What a loop works with."""

    client: TeacherClient
    endpoint: Endpoint
    dialect: Dialect
    journal: CompletionJournal
    pacer: Pacer
    budget: Budget
    usage: TokenModel
    price: Price | None
    service: Service = "online"
    run_id: str | None = None
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let the garbage collector look less often, and never at what was there before.

    Thousands of requests in flight are many objects and little garbage in cycles; the collector's
    usual rhythm takes a fifth of a round's CPU.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class Sender:
    """One round: asks all that the feed offers, and keeps the tally."""

    def __init__(
        self, means: SendingTools, feed: Feed, tally: Tally, log: Callable[[str], None]
    ) -> None:
        self._means = means
        self._feed = feed
        self._tally = tally
        self._log = log
        self._wake = asyncio.Event()
        self._numbers = itertools.count()
        self._round = uuid.uuid4().hex[:16]
        self._retries: list[tuple[float, int, SentRequest]] = []
        self._held: SentRequest | None = None
        self._flying = 0
        self._fatal: Exception | None = None
        self._reported = time.monotonic()

    async def run(self) -> None:
        """Until nothing is left to ask, or nothing more may be asked.

        What is in flight when it stops is waited for: it is paid for.

        Raises:
            TeacherError: no request can succeed as things are (wrong key, no quota, unknown
                model, a server that stays down).
        """
        self._feed.start(self._wake.set)
        with rare_collections():
            await self._send_all()
        self._tally.failed += len(self._retries)  # given up with the round
        self._tally.rate_limited += self._means.pacer.rate_limited
        self._tally.stopped = self._tally.stopped or self._feed.stopped
        if self._fatal:
            self._tally.stopped = self._tally.stopped or str(self._fatal)
            raise self._fatal

    async def _send_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            sends = 0
            while not self._fatal and not self._tally.stopped:
                try:
                    flight = self._next()
                except Exception as error:  # noqa: BLE001  # raised once what is in flight is in
                    self._fatal = error
                    break
                if flight is None:
                    if self._at_rest():
                        break
                    await self._woken(self._until_retry())
                elif (seconds := self._hindrance(flight)) == 0.0:
                    if not self._reserve(flight):
                        break
                    group.create_task(self._send(flight))
                    sends += 1
                    if sends % _SENDS_BETWEEN_YIELDS == 0:
                        await asyncio.sleep(0)
                elif not self._tally.stopped:
                    self._held = flight
                    await self._woken(seconds)

    def _next(self) -> SentRequest | None:
        flight, self._held = self._held, None
        if flight and self._is_wanted(flight):
            return flight
        while self._retries and not self._is_wanted(self._retries[0][2]):
            heapq.heappop(self._retries)
        if self._retries and self._retries[0][0] <= time.monotonic():
            return heapq.heappop(self._retries)[2]
        request = self._feed.take()
        if request is None:
            return None
        size = size_of(request)
        return SentRequest(request, size, size.most(self._means.price, self._means.service))

    def _is_wanted(self, flight: SentRequest) -> bool:
        wanted = self._feed.wants(flight.request)
        if not wanted:  # the goal was reached while it waited
            self._feed.failed(flight.request)
        return wanted

    def _at_rest(self) -> bool:
        return not self._flying and not self._retries and not self._feed.busy

    def _until_retry(self) -> float | None:
        return max(0.0, self._retries[0][0] - time.monotonic()) if self._retries else None

    def _hindrance(self, flight: SentRequest) -> float | None:
        """Seconds until the request may leave: 0 for now, None for not before a reply comes."""
        means = self._means
        if means.budget.broken:
            self._tally.stopped = means.budget.broken
            return None
        cap = means.budget.refusal(flight.most)
        if cap:
            if not means.budget.in_flight:
                self._tally.stopped = reached(cap, flight.most)
            return None
        waits = (means.breaker.wait(), means.pacer.wait())
        return None if None in waits else max(w for w in waits if w is not None)

    async def _woken(self, seconds: float | None) -> None:
        timer = None
        if seconds is not None:
            timer = asyncio.get_running_loop().call_later(seconds, self._wake.set)
        await self._wake.wait()
        self._wake.clear()
        if timer:
            timer.cancel()

    async def _send(self, flight: SentRequest) -> None:
        means = self._means
        requested_at, started = datetime.now(UTC), time.monotonic()
        try:
            reply = await means.client.complete(flight.request, means.dialect, means.service)
        # Whatever fails one request must not stop the others; it is counted and shown.
        except Exception as error:  # noqa: BLE001
            self._handle(flight, error)
        else:
            await self._take_in(flight, reply, requested_at, time.monotonic() - started)
        finally:
            self._flying -= 1
            self._wake.set()

    def _reserve(self, flight: SentRequest) -> bool:
        """Set aside what the request may cost; False where that can't be noted on disk."""
        means = self._means
        flight.expected_tokens = means.usage.total(flight.size)
        flight.reservation_id = f"{self._round}-{next(self._numbers)}"
        try:
            means.journal.reserve(
                reservation_of(
                    flight.reservation_id,
                    flight.request,
                    flight.most,
                    endpoint=means.endpoint,
                    run_id=means.run_id,
                )
            )
        except OSError as error:
            self._fatal = unwritable(error)
            return False
        self._flying += 1
        means.budget.reserve(flight.most)
        means.pacer.sent(flight.expected_tokens)
        flight.trying = means.breaker.sent()
        return True

    async def _take_in(
        self, flight: SentRequest, reply: TeacherReply, requested_at: datetime, seconds: float
    ) -> None:
        """Settle and store a reply. It is paid for: whatever fails here, it is not asked again."""
        try:
            completion = self._settle(flight, reply, requested_at, seconds)
            await self._means.journal.append(completion)
            self._tally.asked += 1
            self._feed.stored(flight.request, completion)
            self._report()
        except OSError as error:
            self._fatal = self._fatal or unwritable(error)
        except Exception as error:  # noqa: BLE001  # raised once what is in flight is in
            self._fatal = self._fatal or error

    def _settle(
        self, flight: SentRequest, reply: TeacherReply, requested_at: datetime, seconds: float
    ) -> dict[str, Any]:
        means = self._means
        means.pacer.learn(reply.headers)
        means.pacer.replied(flight.expected_tokens, reply.tokens, seconds)
        means.breaker.succeeded()
        actual = cost_of(reply, means.price, means.service)
        completion = completion_of(
            flight.request,
            reply,
            means.endpoint,
            cost=actual,
            service=means.service,
            run_id=means.run_id,
        ) | {"requested_at": requested_at.isoformat()}
        if actual is None:
            # The server does not say what it took: the reservation stays, as the most it can be.
            means.budget.presume(flight.most)
            self._tally.presumed += 1
        else:
            means.budget.settle(flight.most, actual)
            means.usage.learn(flight.size, reply.prompt_tokens or 0, reply.completion_tokens or 0)
            completion["reservation_id"] = flight.reservation_id
            self._tally.tokens += actual.tokens
            if self._tally.usd is not None:
                self._tally.usd = None if actual.usd is None else self._tally.usd + actual.usd
        return completion

    def _handle(self, flight: SentRequest, error: Exception) -> None:
        means = self._means
        refused = error if isinstance(error, RefusedError) else None
        if isinstance(error, UnreachedError) or (refused and not refused.maybe_billed):
            self._release(flight)
        else:
            means.budget.presume(flight.most)
            self._tally.presumed += 1
        if refused:
            means.pacer.learn(refused.headers)
        limited = bool(refused and refused.rate_limited)
        server_fault = not refused or refused.server_fault
        means.pacer.refused(
            flight.expected_tokens,
            overloaded=limited or server_fault,
            limited=limited,
            retry_after=refused.retry_after if refused and (limited or server_fault) else None,
        )
        if refused and refused.asks_too_long and (limited or server_fault):
            self._tally.stopped = self._tally.stopped or long_wait(refused)
        if server_fault:
            means.breaker.failed(trying=flight.trying)
        else:
            means.breaker.succeeded()
        if refused and refused.fatal:
            self._fatal = self._fatal or TeacherError(fatal_advice(refused, flight.request.model))
            return
        if means.breaker.given_up:
            self._fatal = self._fatal or TeacherError(
                f"The teacher at {means.endpoint.address} keeps failing: "
                f"{self._describe(error)}. {self._tally.asked} completions of this round are "
                "stored. Run again when it is back; nothing stored is paid for again."
            )
            return
        delay = flight.attempts.delay_after(error)
        if delay is not None:
            self._tally.retried += 1
            heapq.heappush(self._retries, (time.monotonic() + delay, next(self._numbers), flight))
            return
        self._tally.failed += 1
        if len(self._tally.errors) < _KEPT_ERRORS:
            self._tally.errors.append(self._describe(error))
        self._feed.failed(flight.request)

    def _release(self, flight: SentRequest) -> None:
        self._means.budget.release(flight.most)
        try:
            self._means.journal.release(flight.reservation_id)
        except OSError as error:
            self._fatal = self._fatal or unwritable(error)

    def _describe(self, error: Exception) -> str:
        return self._means.endpoint.hiding_key(f"{type(error).__name__}: {error}")

    def _report(self) -> None:
        now = time.monotonic()
        if now - self._reported < _REPORT_SECONDS and self._tally.asked != _REPORT_REPLIES:
            return
        self._reported = now
        spent = "" if not self._tally.usd else f", ${self._tally.usd:,.4f} spent"
        self._log(
            f"{self._tally.asked} completions stored, {self._tally.failed} failed, "
            f"{self._flying} in flight{spent}; {self._feed.progress()}"
        )
