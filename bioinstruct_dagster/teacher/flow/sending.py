"""Sending: one loop sends a feed's requests, as fast as the pace and the budget allow.

The loop sends each request as soon as it may leave, and waits for no group of replies. So a slow or
failing request holds back no other. The journal has a reply on disk before the feed receives it.
Belongs here: sending requests, waiting, and sending failed requests again. Does not: the choice of
requests (teacher.feeds), when a request may leave (holds), when a round ends before its goal
(endings), what a request reserves and costs (money.settling), or the content of a reply.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bioinstruct_dagster.progress import SECONDS_BETWEEN_LINES, duration, shown_rate
from bioinstruct_dagster.teacher.errors import (
    LostReplyError,
    TeacherError,
    UnreachedServerError,
    unwritable_error,
)
from bioinstruct_dagster.teacher.feeds import Feed, Tally
from bioinstruct_dagster.teacher.flow.circuit_breaker import CircuitBreaker
from bioinstruct_dagster.teacher.flow.endings import Endings
from bioinstruct_dagster.teacher.flow.failure_log import FailureLog
from bioinstruct_dagster.teacher.flow.garbage_collection import rare_collections
from bioinstruct_dagster.teacher.flow.holds import Holds
from bioinstruct_dagster.teacher.flow.pacing import Pacer
from bioinstruct_dagster.teacher.flow.refusal_streak import RefusalStreak
from bioinstruct_dagster.teacher.flow.sent_request import SentRequest
from bioinstruct_dagster.teacher.flow.stall_watch import StallWatch
from bioinstruct_dagster.teacher.money.prices import REHEARSAL_DOLLARS
from bioinstruct_dagster.teacher.money.settling import Account
from bioinstruct_dagster.teacher.money.tokens import TokenForecast, size_of
from bioinstruct_dagster.teacher.wire.client import TeacherClient
from bioinstruct_dagster.teacher.wire.dialect import Dialect
from bioinstruct_dagster.teacher.wire.reply_body import TeacherReply

_SENDS_BETWEEN_YIELDS = 32
_REPORT_REPLIES = 25  # after them the first line comes, unless it came before


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
        streak: ends the round if the server refuses one request after the other.
        stall: ends the round if nothing goes on.
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
        streak: RefusalStreak | None = None,
        stall: StallWatch | None = None,
    ) -> None:
        self._feed = feed
        self._tally = tally
        self._client = client
        self._dialect = dialect
        self._account = account
        self._billing = account.billing
        self._forecast = forecast
        self._log = log
        self._holds = Holds(pacer, breaker or CircuitBreaker(), streak or RefusalStreak())
        self._endings = Endings(
            tally,
            self._holds,
            FailureLog(log, self._billing.endpoint.redacted),
            stall or StallWatch(),
            address=self._billing.endpoint.address,
            api=dialect.api,
        )
        self._awaiting: set[asyncio.Task[Any] | None] = set()  # no reply has come yet
        self._wake = asyncio.Event()
        self._numbers = itertools.count()
        self._retries: list[tuple[float, int, SentRequest]] = []
        self._next_request: SentRequest | None = None  # taken from the feed, and not sent yet
        self._stalled = False
        self._began = self._reported = time.monotonic()

    async def run(self) -> None:
        """Send until no request is left, or until no more requests may be sent.

        When it stops, it waits for the requests in flight, because they are paid for. A request
        whose reply does not come holds the end back until its timeout, or until the round stalls.

        Raises:
            TeacherError: no request can succeed (wrong key, no quota, unknown model, a server that
                stays down), or the disk takes no more replies.
        """
        self._feed.start(self._wake.set)
        self._endings.progressed()
        with rare_collections():
            await self._send_all()
        self._tally.failed += len(self._retries)  # the round ends before they are sent again
        self._tally.rate_limited += self._holds.pacer.rate_limited
        # Also if the goal was reached by the same reply: the cap was passed, or may be.
        failure = self._account.budget.failure
        self._tally.stopped = self._tally.stopped or self._feed.stopped or failure
        self._tally.over_limit = self._account.budget.over_limit_message
        self._endings.conclude()
        if error := self._endings.error:
            self._tally.stopped = self._tally.stopped or str(error)
            raise error

    async def _send_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            sends = 0
            while not self._must_end():
                try:
                    sent = self._next()
                except Exception as error:  # noqa: BLE001  # raised once no request is in flight
                    self._endings.fail(error)
                    break
                if sent is None:
                    if self._is_done():
                        self._endings.check_refusals(is_last=True)
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
            while self._holds.in_flight:
                self._is_stalled()
                await self._wait(None)

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
        return not self._holds.in_flight and not self._retries and not self._feed.busy

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
        return self._holds.wait()

    async def _wait(self, seconds: float | None) -> None:
        """Wait for a reply or the feed, for so many seconds at most, or until a line is due."""
        timer = None
        if not self._stalled:
            due = self._endings.seconds_until_line()
            soonest = due if seconds is None else min(seconds, due)
            timer = asyncio.get_running_loop().call_later(soonest, self._wake.set)
        await self._wake.wait()
        self._wake.clear()
        if timer:
            timer.cancel()

    def _must_end(self) -> bool:
        """Whether no more requests may be sent."""
        self._endings.check_refusals()
        return self._endings.ended or self._is_stalled()

    def _is_stalled(self) -> bool:
        """Say what the round waits for, if that is due, and end a round without any progress.

        Requests in flight are given up then, and count as billed.
        """
        if self._stalled:
            return True
        # The round waits on purpose for the gates, and for a limit that the user set.
        if not self._holds.in_flight and (self._feed.busy or self._holds.pacer.waits_for_user):
            self._endings.wait_on_purpose()
        if self._endings.check_stall(self._waits_for):
            self._stalled = True
            for task in self._awaiting:
                if task:
                    task.cancel()
        return self._stalled

    def _waits_for(self) -> str:
        if self._feed.busy and not self._holds.in_flight:
            return "the gates check rows"
        waiting = f"{len(self._retries)} failed requests wait until they are sent again"
        return self._holds.reason() or waiting

    def _reserve(self, sent: SentRequest) -> bool:
        """Reserve the money and the pace of the request; False if the disk can't note it."""
        try:
            sent.reservation = self._account.reserve(sent.request, sent.max_cost)
        except TeacherError as error:
            self._endings.fail(error)
            return False
        sent.expected_tokens = self._forecast.total(sent.size)
        self._holds.sent(sent)
        return True

    async def _send(self, sent: SentRequest) -> None:
        requested_at, started = datetime.now(UTC), time.monotonic()
        try:
            if self._stalled:
                raise UnreachedServerError("the round ended before the request was sent")
            self._awaiting.add(asyncio.current_task())
            try:
                reply = await self._client.complete(
                    sent.request, self._dialect, self._billing.service
                )
            finally:
                self._awaiting.discard(asyncio.current_task())
        except asyncio.CancelledError:
            if not self._stalled:
                raise
            self._give_up_in_flight(sent)
        # The error of one request must not stop the others. It is counted and shown.
        except Exception as error:  # noqa: BLE001
            self._handle_failure(sent, error)
        else:
            await self._handle_reply(sent, reply, requested_at, time.monotonic() - started)
        finally:
            self._holds.ended()
            self._wake.set()

    async def _handle_reply(
        self, sent: SentRequest, reply: TeacherReply, requested_at: datetime, seconds: float
    ) -> None:
        """Settle and store a reply. It is paid for, so no error here sends its request again."""
        try:
            completion = self._settle(sent, reply, requested_at, seconds)
            await self._account.store(sent.reservation, completion)
            self._tally.asked += 1
            self._feed.stored(sent.request, completion)
            self._report()
        except OSError as error:
            self._endings.fail(unwritable_error(error))
        except Exception as error:  # noqa: BLE001  # raised once no request is in flight
            self._endings.fail(error)

    def _settle(
        self, sent: SentRequest, reply: TeacherReply, requested_at: datetime, seconds: float
    ) -> dict[str, Any]:
        """A row of `completions`; pace, budget, forecast and tally take the reply into account."""
        self._holds.replied(sent, reply, seconds)
        self._endings.replied(sent)
        completion = self._account.settle(sent.reservation, reply, requested_at)
        budget = self._account.budget
        if budget.over_limit == 1 and budget.over_limit_message != self._tally.over_limit:
            self._tally.over_limit = budget.over_limit_message
            self._log(f"Warning: {self._tally.over_limit}")
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
        self._settle_failure(sent, error)
        if isinstance(error, TeacherError):  # no request can reach the server
            self._holds.abandoned(sent)
            self._endings.fail(error)
            return
        self._endings.failed(sent, error, self._holds.failed(sent, error))
        delay = sent.attempts.delay_after(error)
        if delay is not None:
            self._tally.retried += not self._endings.error
            heapq.heappush(self._retries, (time.monotonic() + delay, next(self._numbers), sent))
            return
        self._endings.given_up(sent, error)
        self._feed.failed(sent.request)

    def _give_up_in_flight(self, sent: SentRequest) -> None:
        """Give up a request in flight, because the round has stalled. It may have been billed."""
        error = LostReplyError("the run stopped waiting for it")
        self._settle_failure(sent, error)
        self._holds.abandoned(sent)
        self._endings.given_up(sent, error)
        self._feed.failed(sent.request)

    def _settle_failure(self, sent: SentRequest, error: Exception) -> None:
        try:
            self._tally.presumed += self._account.settle_failure(sent.reservation, error)
        except TeacherError as unwritten:
            self._endings.fail(unwritten)

    def _report(self) -> None:
        now = time.monotonic()
        is_first = self._tally.asked == _REPORT_REPLIES and self._reported == self._began
        if now - self._reported < SECONDS_BETWEEN_LINES and not is_first:
            return
        self._reported = now
        spent = "" if not self._tally.usd else f", ${self._tally.usd:,.4f} spent"
        if spent and self._account.billing.pretended:
            spent += f" in {REHEARSAL_DOLLARS}"
        self._log(
            f"{self._tally.asked} completions stored, {self._tally.failed} failed, "
            f"{self._holds.in_flight} in flight{spent}; {self._feed.progress()}{self._pace(now)}"
        )

    def _pace(self, now: float) -> str:
        """The rate of replies and the time that is probably left, as the end of a line."""
        rate = self._tally.asked / max(now - self._began, 1e-3)
        left = max(self._feed.expected_requests, self._holds.in_flight)
        return f"; {shown_rate(rate)} replies/s, about {duration(left / rate)} left"
