"""Sending: one loop sends a feed's requests, as fast as the pace and the budget allow.

The loop sends each request as soon as it may leave, and waits for no group of replies. So a slow or
failing request holds back no other. The journal has a reply on disk before the feed receives it.
Belongs here: sending requests, waiting, and sending failed requests again. Does not: the choice of
requests (teacher.feeds), what a request reserves and costs (money.settling), or the content of a
reply.
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
    StatusError,
    TeacherError,
    fatal_advice,
    long_wait_message,
    unwritable_error,
)
from bioinstruct_dagster.teacher.feeds import Feed, Tally
from bioinstruct_dagster.teacher.flow.circuit_breaker import CircuitBreaker
from bioinstruct_dagster.teacher.flow.garbage_collection import rare_collections
from bioinstruct_dagster.teacher.flow.pacing import Pacer
from bioinstruct_dagster.teacher.flow.retries import Attempts
from bioinstruct_dagster.teacher.money.budget import Amount
from bioinstruct_dagster.teacher.money.settling import Account, Reservation
from bioinstruct_dagster.teacher.money.tokens import RequestSize, TokenForecast, size_of
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.wire.client import TeacherClient
from bioinstruct_dagster.teacher.wire.dialect import Dialect
from bioinstruct_dagster.teacher.wire.reply_body import TeacherReply

_MAX_KEPT_ERRORS = 5
_SENDS_BETWEEN_YIELDS = 32
_REPORT_SECONDS = 30.0
_REPORT_REPLIES = 25


@dataclass(eq=False)
class SentRequest:
    """A request, from its first attempt to its reply or its last failure.

    Attributes:
        request: the request.
        size: its size, measured once.
        max_cost: the most that one attempt can cost.
        attempts: counts its failures.
        reservation: the money of its last attempt.
        expected_tokens: the tokens that its last attempt was expected to take.
        is_trial: whether the circuit breaker tests the server with its last attempt.
    """

    request: TeacherRequest
    size: RequestSize
    max_cost: Amount
    attempts: Attempts = field(default_factory=Attempts)
    reservation: Reservation = field(init=False)
    expected_tokens: float = 0.0
    is_trial: bool = False


class Sender:
    """Sends every request that a feed offers in one round, and counts in the tally.

    Args:
        feed: offers the requests, and is told of every reply and failure.
        tally: counts what the round takes.
        client: the open connections to the teacher.
        dialect: the form in which the server takes requests.
        account: reserves and settles the money of each request.
        pacer: decides when the next request may leave.
        forecast: expects how many tokens a request takes, and learns from replies.
        log: takes lines for the user.
        breaker: holds requests back while the server keeps failing.
    """

    def __init__(
        self,
        feed: Feed,
        tally: Tally,
        *,
        client: TeacherClient,
        dialect: Dialect,
        account: Account,
        pacer: Pacer,
        forecast: TokenForecast,
        log: Callable[[str], None],
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self._feed = feed
        self._tally = tally
        self._client = client
        self._dialect = dialect
        self._account = account
        self._billing = account.billing
        self._pacer = pacer
        self._forecast = forecast
        self._log = log
        self._breaker = breaker or CircuitBreaker()
        self._wake = asyncio.Event()
        self._numbers = itertools.count()
        self._retries: list[tuple[float, int, SentRequest]] = []
        self._next_request: SentRequest | None = None  # taken from the feed, and not sent yet
        self._in_flight = 0
        self._fatal_error: Exception | None = None
        self._reported = time.monotonic()

    async def run(self) -> None:
        """Send until no request is left, or until no more requests may be sent.

        When it stops, it waits for the requests in flight, because they are paid for.

        Raises:
            TeacherError: no request can succeed (wrong key, no quota, unknown model, a server that
                stays down), or the disk takes no more replies.
        """
        self._feed.start(self._wake.set)
        with rare_collections():
            await self._send_all()
        self._tally.failed += len(self._retries)  # the round ends before they are sent again
        self._tally.rate_limited += self._pacer.rate_limited
        self._tally.stopped = self._tally.stopped or self._feed.stopped
        if self._fatal_error:
            self._tally.stopped = self._tally.stopped or str(self._fatal_error)
            raise self._fatal_error

    async def _send_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            sends = 0
            while not self._fatal_error and not self._tally.stopped:
                try:
                    sent = self._next()
                except Exception as error:  # noqa: BLE001  # raised once no request is in flight
                    self._fatal_error = error
                    break
                if sent is None:
                    if self._is_done():
                        break
                    await self._wait(self._seconds_until_retry())
                elif (seconds := self._seconds_until_sending(sent)) == 0.0:
                    if not self._reserve(sent):
                        break
                    group.create_task(self._send(sent))
                    sends += 1
                    if sends % _SENDS_BETWEEN_YIELDS == 0:
                        await asyncio.sleep(0)
                elif not self._tally.stopped:
                    self._next_request = sent
                    await self._wait(seconds)

    def _next(self) -> SentRequest | None:
        """The next request: the waiting one, a failed one whose time has come, or a new one."""
        sent, self._next_request = self._next_request, None
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
        return SentRequest(request, size, self._billing.max_cost(size))

    def _is_wanted(self, sent: SentRequest) -> bool:
        wanted = self._feed.wants(sent.request)
        if not wanted:  # the goal was reached while the request waited
            self._feed.failed(sent.request)
        return wanted

    def _is_done(self) -> bool:
        return not self._in_flight and not self._retries and not self._feed.busy

    def _seconds_until_retry(self) -> float | None:
        return max(0.0, self._retries[0][0] - time.monotonic()) if self._retries else None

    def _seconds_until_sending(self, sent: SentRequest) -> float | None:
        """Seconds until the request may leave; None if another reply must come first."""
        budget = self._account.budget
        if budget.failure:
            self._tally.stopped = budget.failure
            return None
        sent.max_cost = self._billing.max_cost(sent.size)  # a reply can show a dearer tier
        cap = budget.cap_without_room(sent.max_cost)
        if cap:
            if not budget.in_flight:
                self._tally.stopped = cap.reached_message(sent.max_cost)
            return None
        waits = (self._breaker.wait(), self._pacer.wait())
        return None if None in waits else max(w for w in waits if w is not None)

    async def _wait(self, seconds: float | None) -> None:
        """Wait for a reply or the feed, and no longer than so many seconds."""
        timer = None
        if seconds is not None:
            timer = asyncio.get_running_loop().call_later(seconds, self._wake.set)
        await self._wake.wait()
        self._wake.clear()
        if timer:
            timer.cancel()

    def _reserve(self, sent: SentRequest) -> bool:
        """Reserve the money and the pace of the request; False if the disk can't note it."""
        try:
            sent.reservation = self._account.reserve(sent.request, sent.max_cost)
        except TeacherError as error:
            self._fatal_error = error
            return False
        sent.expected_tokens = self._forecast.total(sent.size)
        self._in_flight += 1
        self._pacer.sent(sent.expected_tokens)
        sent.is_trial = self._breaker.sent()
        return True

    async def _send(self, sent: SentRequest) -> None:
        requested_at, started = datetime.now(UTC), time.monotonic()
        try:
            reply = await self._client.complete(sent.request, self._dialect, self._billing.service)
        # The error of one request must not stop the others. It is counted and shown.
        except Exception as error:  # noqa: BLE001
            self._handle_failure(sent, error)
        else:
            await self._handle_reply(sent, reply, requested_at, time.monotonic() - started)
        finally:
            self._in_flight -= 1
            self._wake.set()

    async def _handle_reply(
        self, sent: SentRequest, reply: TeacherReply, requested_at: datetime, seconds: float
    ) -> None:
        """Settle and store a reply. It is paid for, so no error here sends its request again."""
        try:
            completion = self._settle(sent, reply, requested_at, seconds)
            await self._account.journal.append(completion)
            self._tally.asked += 1
            self._feed.stored(sent.request, completion)
            self._report()
        except OSError as error:
            self._fatal_error = self._fatal_error or unwritable_error(error)
        except Exception as error:  # noqa: BLE001  # raised once no request is in flight
            self._fatal_error = self._fatal_error or error

    def _settle(
        self, sent: SentRequest, reply: TeacherReply, requested_at: datetime, seconds: float
    ) -> dict[str, Any]:
        """A row of `completions`; pace, budget, forecast and tally take the reply into account."""
        self._pacer.learn(reply.headers)
        self._pacer.replied(sent.expected_tokens, reply.tokens, seconds)
        self._breaker.succeeded()
        completion = self._account.settle(sent.reservation, reply, requested_at)
        cost = sent.reservation.cost
        if cost is None:
            self._tally.presumed += 1
        else:
            self._forecast.learn(sent.size, reply.prompt_tokens or 0, reply.completion_tokens or 0)
            self._tally.tokens += cost.tokens
            if self._tally.usd is not None:
                self._tally.usd = None if cost.usd is None else self._tally.usd + cost.usd
        return completion

    def _handle_failure(self, sent: SentRequest, error: Exception) -> None:
        """Settle a request without a reply, and send it later, give it up, or end the round."""
        try:
            self._tally.presumed += self._account.settle_failure(sent.reservation, error)
        except TeacherError as unwritten:
            self._fatal_error = self._fatal_error or unwritten
        if isinstance(error, TeacherError):  # no request can reach the server
            self._fatal_error = self._fatal_error or error
            return
        self._slow_down(sent, error)
        status_error = error if isinstance(error, StatusError) else None
        if status_error and status_error.fatal:
            self._fatal_error = self._fatal_error or TeacherError(
                fatal_advice(status_error, sent.request.model)
            )
            return
        if self._breaker.given_up:
            self._fatal_error = self._fatal_error or TeacherError(
                f"The teacher at {self._billing.endpoint.address} keeps failing: "
                f"{self._describe(error)}. {self._tally.asked} completions of this round are "
                "stored. Run again when the server works; stored completions are not paid for "
                "again."
            )
            return
        delay = sent.attempts.delay_after(error)
        if delay is not None:
            self._tally.retried += 1
            heapq.heappush(self._retries, (time.monotonic() + delay, next(self._numbers), sent))
            return
        self._tally.failed += 1
        if len(self._tally.errors) < _MAX_KEPT_ERRORS:
            self._tally.errors.append(self._describe(error))
        self._feed.failed(sent.request)

    def _slow_down(self, sent: SentRequest, error: Exception) -> None:
        """Tell the pacer and the circuit breaker of a failure; a long wait ends the round."""
        status_error = error if isinstance(error, StatusError) else None
        if status_error:
            self._pacer.learn(status_error.headers)
        limited = bool(status_error and status_error.rate_limited)
        server_fault = not status_error or status_error.server_fault
        overloaded = limited or server_fault
        self._pacer.refused(
            sent.expected_tokens,
            overloaded=overloaded,
            limited=limited,
            retry_after=status_error.retry_after if status_error and overloaded else None,
        )
        if status_error and status_error.asks_for_long_wait and overloaded:
            self._tally.stopped = self._tally.stopped or long_wait_message(status_error)
        if server_fault:
            self._breaker.failed(is_trial=sent.is_trial)
        else:
            self._breaker.succeeded()

    def _describe(self, error: Exception) -> str:
        return self._billing.endpoint.redacted(f"{type(error).__name__}: {error}")

    def _report(self) -> None:
        now = time.monotonic()
        if now - self._reported < _REPORT_SECONDS and self._tally.asked != _REPORT_REPLIES:
            return
        self._reported = now
        spent = "" if not self._tally.usd else f", ${self._tally.usd:,.4f} spent"
        self._log(
            f"{self._tally.asked} completions stored, {self._tally.failed} failed, "
            f"{self._in_flight} in flight{spent}; {self._feed.progress()}"
        )
