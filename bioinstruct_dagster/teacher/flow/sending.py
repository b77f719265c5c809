"""Sending: one loop sends the requests that the feed offers, as fast as pace and budget allow.

There are no batches and no barriers, so a slow or failing request holds back no other. Each reply
is on disk before the feed, or anything else, sees it. Belongs here: sending, waiting, and sending
again. Does not: which requests there are (teacher.feeds), what a request reserves and costs
(money.settling), or what a reply says.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bioinstruct_dagster.teacher.errors import (
    RefusedError,
    TeacherError,
    fatal_advice,
    long_wait,
    unwritable,
)
from bioinstruct_dagster.teacher.feeds import Feed, Tally
from bioinstruct_dagster.teacher.flow.circuit_breaker import CircuitBreaker
from bioinstruct_dagster.teacher.flow.garbage_collection import rare_collections
from bioinstruct_dagster.teacher.flow.pacing import Pacer
from bioinstruct_dagster.teacher.flow.retries import Attempts
from bioinstruct_dagster.teacher.money.budget import Amount
from bioinstruct_dagster.teacher.money.settling import Account, Reservation
from bioinstruct_dagster.teacher.money.tokens import RequestSize, TokenModel, size_of
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.wire.client import Dialect, TeacherClient, TeacherReply

_KEPT_ERRORS = 5
_SENDS_BETWEEN_YIELDS = 32
_REPORT_SECONDS = 30.0
_REPORT_REPLIES = 25


@dataclass(eq=False)
class SentRequest:
    """A request on its way, over all its attempts."""

    request: TeacherRequest
    size: RequestSize
    most: Amount
    attempts: Attempts = field(default_factory=Attempts)
    reservation: Reservation = field(init=False)  # of its last attempt
    expected_tokens: float = 0.0
    trying: bool = False  # whether the circuit breaker tries the server with this request


@dataclass(frozen=True)
class SendingTools:
    """The parts that a sender works with."""

    client: TeacherClient
    dialect: Dialect
    account: Account
    pacer: Pacer
    usage: TokenModel
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)


class Sender:
    """Sends all that a feed offers in one round, and keeps the tally."""

    def __init__(
        self, tools: SendingTools, feed: Feed, tally: Tally, log: Callable[[str], None]
    ) -> None:
        self._tools = tools
        self._feed = feed
        self._tally = tally
        self._log = log
        self._wake = asyncio.Event()
        self._numbers = itertools.count()
        self._retries: list[tuple[float, int, SentRequest]] = []
        self._held: SentRequest | None = None
        self._flying = 0
        self._fatal: Exception | None = None
        self._reported = time.monotonic()

    async def run(self) -> None:
        """Send until no request is left, or until no more may be sent.

        When it stops, it waits for the requests in flight, because they are paid for.

        Raises:
            TeacherError: no request can succeed as things are (wrong key, no quota, unknown
                model, a server that stays down).
        """
        self._feed.start(self._wake.set)
        with rare_collections():
            await self._send_all()
        self._tally.failed += len(self._retries)  # given up with the round
        self._tally.rate_limited += self._tools.pacer.rate_limited
        self._tally.stopped = self._tally.stopped or self._feed.stopped
        if self._fatal:
            self._tally.stopped = self._tally.stopped or str(self._fatal)
            raise self._fatal

    async def _send_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            sends = 0
            while not self._fatal and not self._tally.stopped:
                try:
                    sent = self._next()
                except Exception as error:  # noqa: BLE001  # raised once no request is in flight
                    self._fatal = error
                    break
                if sent is None:
                    if self._at_rest():
                        break
                    await self._woken(self._until_retry())
                elif (seconds := self._hindrance(sent)) == 0.0:
                    if not self._reserve(sent):
                        break
                    group.create_task(self._send(sent))
                    sends += 1
                    if sends % _SENDS_BETWEEN_YIELDS == 0:
                        await asyncio.sleep(0)
                elif not self._tally.stopped:
                    self._held = sent
                    await self._woken(seconds)

    def _next(self) -> SentRequest | None:
        sent, self._held = self._held, None
        if sent and self._is_wanted(sent):
            return sent
        while self._retries and not self._is_wanted(self._retries[0][2]):
            heapq.heappop(self._retries)
        if self._retries and self._retries[0][0] <= time.monotonic():
            return heapq.heappop(self._retries)[2]
        request = self._feed.take()
        if request is None:
            return None
        size = size_of(request)
        return SentRequest(request, size, self._tools.account.billing.most(size))

    def _is_wanted(self, sent: SentRequest) -> bool:
        wanted = self._feed.wants(sent.request)
        if not wanted:  # the goal was reached while it waited
            self._feed.failed(sent.request)
        return wanted

    def _at_rest(self) -> bool:
        return not self._flying and not self._retries and not self._feed.busy

    def _until_retry(self) -> float | None:
        return max(0.0, self._retries[0][0] - time.monotonic()) if self._retries else None

    def _hindrance(self, sent: SentRequest) -> float | None:
        """Seconds until the request may leave: 0 for now, None for not before a reply comes."""
        tools = self._tools
        budget = tools.account.budget
        if budget.broken:
            self._tally.stopped = budget.broken
            return None
        cap = budget.refusal(sent.most)
        if cap:
            if not budget.in_flight:
                self._tally.stopped = cap.reached(sent.most)
            return None
        waits = (tools.breaker.wait(), tools.pacer.wait())
        return None if None in waits else max(w for w in waits if w is not None)

    async def _woken(self, seconds: float | None) -> None:
        timer = None
        if seconds is not None:
            timer = asyncio.get_running_loop().call_later(seconds, self._wake.set)
        await self._wake.wait()
        self._wake.clear()
        if timer:
            timer.cancel()

    async def _send(self, sent: SentRequest) -> None:
        tools = self._tools
        requested_at, started = datetime.now(UTC), time.monotonic()
        try:
            reply = await tools.client.complete(
                sent.request, tools.dialect, tools.account.billing.service
            )
        # An error of one request must not stop the others; it is counted and shown.
        except Exception as error:  # noqa: BLE001
            self._handle(sent, error)
        else:
            await self._take_in(sent, reply, requested_at, time.monotonic() - started)
        finally:
            self._flying -= 1
            self._wake.set()

    def _reserve(self, sent: SentRequest) -> bool:
        """Set aside what the request may cost; False where the disk takes no note of it."""
        tools = self._tools
        try:
            sent.reservation = tools.account.reserve(sent.request, sent.most)
        except TeacherError as error:
            self._fatal = error
            return False
        sent.expected_tokens = tools.usage.total(sent.size)
        self._flying += 1
        tools.pacer.sent(sent.expected_tokens)
        sent.trying = tools.breaker.sent()
        return True

    async def _take_in(
        self, sent: SentRequest, reply: TeacherReply, requested_at: datetime, seconds: float
    ) -> None:
        """Settle and store a reply. It is paid for, so no error here sends its request again."""
        try:
            completion = self._settle(sent, reply, requested_at, seconds)
            await self._tools.account.journal.append(completion)
            self._tally.asked += 1
            self._feed.stored(sent.request, completion)
            self._report()
        except OSError as error:
            self._fatal = self._fatal or unwritable(error)
        except Exception as error:  # noqa: BLE001  # raised once no request is in flight
            self._fatal = self._fatal or error

    def _settle(
        self, sent: SentRequest, reply: TeacherReply, requested_at: datetime, seconds: float
    ) -> dict[str, Any]:
        tools = self._tools
        tools.pacer.learn(reply.headers)
        tools.pacer.replied(sent.expected_tokens, reply.tokens, seconds)
        tools.breaker.succeeded()
        completion = tools.account.settle(sent.reservation, reply, requested_at)
        actual = sent.reservation.cost
        if actual is None:
            self._tally.presumed += 1
        else:
            tools.usage.learn(sent.size, reply.prompt_tokens or 0, reply.completion_tokens or 0)
            self._tally.tokens += actual.tokens
            if self._tally.usd is not None:
                self._tally.usd = None if actual.usd is None else self._tally.usd + actual.usd
        return completion

    def _handle(self, sent: SentRequest, error: Exception) -> None:
        tools = self._tools
        refused = error if isinstance(error, RefusedError) else None
        try:
            self._tally.presumed += tools.account.settle_failure(sent.reservation, error)
        except TeacherError as unwritten:
            self._fatal = self._fatal or unwritten
        if refused:
            tools.pacer.learn(refused.headers)
        limited = bool(refused and refused.rate_limited)
        server_fault = not refused or refused.server_fault
        tools.pacer.refused(
            sent.expected_tokens,
            overloaded=limited or server_fault,
            limited=limited,
            retry_after=refused.retry_after if refused and (limited or server_fault) else None,
        )
        if refused and refused.asks_too_long and (limited or server_fault):
            self._tally.stopped = self._tally.stopped or long_wait(refused)
        if server_fault:
            tools.breaker.failed(trying=sent.trying)
        else:
            tools.breaker.succeeded()
        if refused and refused.fatal:
            self._fatal = self._fatal or TeacherError(fatal_advice(refused, sent.request.model))
            return
        if tools.breaker.given_up:
            self._fatal = self._fatal or TeacherError(
                f"The teacher at {tools.account.billing.endpoint.address} keeps failing: "
                f"{self._describe(error)}. {self._tally.asked} completions of this round are "
                "stored. Run again when it is back; nothing stored is paid for again."
            )
            return
        delay = sent.attempts.delay_after(error)
        if delay is not None:
            self._tally.retried += 1
            heapq.heappush(self._retries, (time.monotonic() + delay, next(self._numbers), sent))
            return
        self._tally.failed += 1
        if len(self._tally.errors) < _KEPT_ERRORS:
            self._tally.errors.append(self._describe(error))
        self._feed.failed(sent.request)

    def _describe(self, error: Exception) -> str:
        return self._tools.account.billing.endpoint.hiding_key(f"{type(error).__name__}: {error}")

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
