"""Settling: the one place where money is reserved, settled, presumed spent or released.

- Reserve: before a request is sent, the most that it can cost is set aside.
- Settle: the reply states its tokens, and their cost counts as spent. The rest of the reservation
  is free again once the reply is on disk, because a kill before that leaves the reservation.
- Presume: the request may have been billed, but no reply says so. The most that it can cost counts
  as spent.
- Release: the request was certainly not billed. Its reservation is free again.

`Account` does this for requests that the sender and the probe send one by one. It keeps each
reservation in the round's budget and in the journal. If a run is killed, the reservation stays in
the journal, and the next run presumes it. `BatchAccount` reserves for the requests of a batch, and
`BatchSettlement` settles, presumes or releases each of its lines. On disk, the batch's row in
`batches` is the reservation. `may_be_billed` decides between presuming and releasing.

Belongs here: these four steps. Does not: the caps and their arithmetic (budget), the columns of a
completion (completions), or how rows reach the disk (store.journal, batch_api.tables).
"""

import itertools
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bioinstruct_dagster.settings import Service
from bioinstruct_dagster.store.journal import CompletionJournal
from bioinstruct_dagster.teacher.completions import completion_of
from bioinstruct_dagster.teacher.errors import (
    OversizedReplyError,
    StatusError,
    UnreachedServerError,
    unwritable_error,
)
from bioinstruct_dagster.teacher.money.budget import Amount, Budget
from bioinstruct_dagster.teacher.money.prices import Price, billed_service
from bioinstruct_dagster.teacher.money.tokens import RequestSize, size_of
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.error_bodies import FailedReplyError
from bioinstruct_dagster.teacher.wire.reply import TeacherReply

# A gateway answers with these if it gives up. The server behind it may still answer, and bill.
# With 408, the server itself gives up while the model works, and Azure bills it.
_BILLABLE_STATUSES = frozenset({408, 502, 504, 520, 524})
# The code of a 400 after a content filter has read the prompt or the completion. Azure bills it.
_BILLABLE_CODE = "content_filter"
# If the creation of a batch gets one of these answers, the batch does not exist. Any other answer,
# 500 and 503 included, proves nothing, and a batch that is created twice costs thousands of
# requests. So its reservation stays until the server has listed its batches.
_CREATION_REFUSED_STATUSES = frozenset({400, 401, 403, 404, 413, 422, 429})


def may_be_billed(error: Exception) -> bool:
    """Whether a request that ended in this error may have been billed.

    The request was not billed if it never reached the server, or if the server itself refused it
    (429, 500 and 503 included). It may have been billed in every other case: a broken connection,
    no reply in time, an unreadable or endless reply, an error status of a gateway, a content
    filter.
    """
    if isinstance(error, StatusError) and not isinstance(error, OversizedReplyError):
        return error.status in _BILLABLE_STATUSES or error.code == _BILLABLE_CODE
    return not isinstance(error, UnreachedServerError)


def batch_may_exist(status: int) -> bool:
    """Whether a batch may exist after its creation was answered with this error status."""
    return status not in _CREATION_REFUSED_STATUSES


@dataclass(frozen=True)
class Billing:
    """The server that bills a request, the price, and the run that pays.

    Attributes:
        endpoint: the server.
        price: of the model; None if the price list has none.
        service: of the requests.
        run_id: of the run whose caps the requests count towards.
    """

    endpoint: Endpoint
    price: Price | None
    service: Service = "online"
    run_id: str | None = None
    _tier_factors: list[float] = field(default_factory=lambda: [1.0], repr=False, compare=False)

    @property
    def pretended(self) -> bool:
        """Whether the dollars are a rehearsal's, which nobody bills."""
        return self.endpoint.rehearsal or (self.price is not None and self.price.pretended)

    def max_cost(self, size: RequestSize) -> Amount:
        """The most that a request of this size can cost, at the dearest tier of a reply so far."""
        most, factor = size.max_cost(self.price, self.service), self._tier_factors[0]
        return most if most.usd is None or factor == 1 else Amount(most.usd * factor, most.tokens)

    def cost(self, reply: TeacherReply) -> Amount | None:
        """The cost of a reply; None if the server states no plausible tokens."""
        tokens = reply.tokens
        if tokens is None or reply.prompt_tokens is None or reply.completion_tokens is None:
            return None
        if self.price is None:
            return Amount(None, tokens)
        service = billed_service(reply.service_tier, self.service)
        usd = self.price.usd(
            reply.prompt_tokens,
            reply.completion_tokens,
            cached_tokens=min(reply.cached_tokens, reply.prompt_tokens),
            service=service,
            tier=reply.service_tier,
        )
        # A project can have a dearer tier for all its requests, so later ones reserve for it.
        factor = self.price.tier_factor(reply.service_tier, service)
        self._tier_factors[0] = max(self._tier_factors[0], factor)
        return Amount(usd, tokens)

    def failure_cost(self, error: Exception) -> Amount | None:
        """The cost that the body of a failed reply states; None if it states none."""
        if isinstance(error, FailedReplyError) and error.reply is not None:
            return self.cost(error.reply)
        return None

    def completion(
        self, request: TeacherRequest, reply: TeacherReply, cost: Amount | None
    ) -> dict[str, Any]:
        """A row of `completions`, without the time at which the request was sent."""
        return completion_of(
            request,
            reply,
            self.endpoint,
            usd=cost.usd if cost else None,
            service=self.service,
            run_id=self.run_id,
        )

    def presumed(
        self, reservation_id: str, completion_id: str, max_cost: Amount, reserved_at: datetime
    ) -> dict[str, Any]:
        """A row of `presumed_spend`, with its time in the journal's format."""
        return {
            "reservation_id": reservation_id,
            "completion_id": completion_id,
            "run_id": self.run_id,
            "usd": max_cost.usd,
            "tokens": max_cost.tokens,
            "rehearsal": self.endpoint.rehearsal,
            "reserved_at": reserved_at.isoformat(),
        }


@dataclass(eq=False, slots=True)
class Reservation:
    """The money of one request that was sent.

    Attributes:
        reservation_id: its key in the journal.
        request: the request.
        most: what it can cost at most.
        cost: the cost of its reply; None before the reply, or if the reply states no tokens.
    """

    reservation_id: str
    request: TeacherRequest
    max_cost: Amount
    cost: Amount | None = None


class Account:
    """The money of requests that one round sends one by one.

    Args:
        billing: the server that bills the requests, and the price.
        budget: the caps of the round.
        journal: stores each reservation before its request is sent.
    """

    def __init__(self, billing: Billing, budget: Budget, journal: CompletionJournal) -> None:
        self.billing = billing
        self.budget = budget
        self.journal = journal
        self._name = uuid.uuid4().hex[:16]
        self._numbers = itertools.count()

    def reserve(self, request: TeacherRequest, max_cost: Amount) -> Reservation:
        """Set aside the most that a request can cost. Send the request only after this call.

        Call `Budget.cap_without_room` first.

        Raises:
            TeacherError: the disk can't store the reservation. The request must not be sent.
        """
        reservation = Reservation(f"{self._name}-{next(self._numbers)}", request, max_cost)
        try:
            self.journal.reserve(self._row(reservation, max_cost))
        except OSError as error:
            raise unwritable_error(error) from error
        self.budget.reserve(max_cost)
        return reservation

    def settle(
        self, reservation: Reservation, reply: TeacherReply, requested_at: datetime
    ) -> dict[str, Any]:
        """The row of `completions` for a reply, whose cost is spent. Call `store` with it.

        If the reply states no tokens, the reservation is presumed. The row then names no
        reservation, so that the journal keeps it.
        """
        request = reservation.request
        reservation.cost = cost = self.billing.cost(reply)
        completion = self.billing.completion(request, reply, cost)
        completion["requested_at"] = requested_at.isoformat()
        if cost is None:
            self.budget.presume(reservation.max_cost)
        else:
            self.budget.spend(reservation.max_cost, cost)
            completion["reservation_id"] = reservation.reservation_id
        return completion

    async def store(self, reservation: Reservation, completion: Mapping[str, Any]) -> None:
        """Append the row of a reply to the journal, then free the rest of its reservation.

        Raises:
            OSError: the disk can't store the row. The next run presumes the reservation.
        """
        await self.journal.append(completion)
        if reservation.cost is not None:
            self.budget.free_rest(reservation.max_cost, reservation.cost)

    def settle_failure(self, reservation: Reservation, error: Exception) -> bool:
        """Presume or release the reservation of a failed request; whether it is presumed.

        If the error states what it costs, that cost is presumed in place of the reservation.

        Raises:
            TeacherError: the disk can't store the release. The next run presumes the reservation.
        """
        stated = self.billing.failure_cost(error)
        if stated is None and may_be_billed(error):
            self.budget.presume(reservation.max_cost)
            return True
        try:
            if stated is not None:
                self.budget.settle(reservation.max_cost, stated)
                self.journal.reserve(self._row(reservation, stated))  # replaces the first one
            else:
                self.budget.release(reservation.max_cost)
                self.journal.release(reservation.reservation_id)
        except OSError as full:
            raise unwritable_error(full) from full
        return stated is not None

    def _row(self, reservation: Reservation, cost: Amount) -> dict[str, Any]:
        return self.billing.presumed(
            reservation.reservation_id, reservation.request.completion_id, cost, datetime.now(UTC)
        )


class BatchAccount:
    """The money of requests that are about to be submitted in batches.

    On disk, the row of a batch in `batches` holds the reservation of all its requests.

    Args:
        billing: the server that bills the requests, and the price.
        budget: the caps of the round.
    """

    def __init__(self, billing: Billing, budget: Budget) -> None:
        self.billing = billing
        self._budget = budget
        self.requests: list[TeacherRequest] = []
        self._reserved: list[Amount] = []

    def reserve(self, request: TeacherRequest) -> str | None:
        """Set aside the most that a request can cost; or the message of a cap without room."""
        max_cost = self.billing.max_cost(size_of(request))
        if cap := self._budget.cap_without_room(max_cost):
            return cap.reached_message(max_cost)
        self._budget.reserve(max_cost)
        self.requests.append(request)
        self._reserved.append(max_cost)
        return None

    def reserved(self, start: int, end: int) -> Amount:
        """The most that its requests from `start` to before `end` can cost together."""
        amounts = self._reserved[start:end]
        dollars = [amount.usd for amount in amounts]
        return Amount(
            None if None in dollars else sum(usd for usd in dollars if usd is not None),
            sum(amount.tokens for amount in amounts),
        )


@dataclass
class BatchSettlement:
    """The money of a batch's lines, against the reservation of the whole batch.

    Each request has one outcome: its reply, if a line holds one, or else its last error. So a batch
    never counts for more than its reservation.

    Attributes:
        billing: the server that bills the batch, and the price.
        requests: the batch's requests by completion id.
        completions: rows of `completions` by completion id, without the id and times of the batch.
        presumed: the most that a request can cost, by completion id, for each request that may have
            been billed and has no stated cost.
    """

    billing: Billing
    requests: Mapping[str, TeacherRequest]
    completions: dict[str, dict[str, Any]] = field(default_factory=dict)
    presumed: dict[str, Amount] = field(default_factory=dict)
    _explained: set[str] = field(default_factory=set)

    def settle(self, request: TeacherRequest, reply: TeacherReply) -> None:
        """Settle a line with a reply. If the reply states no tokens, presume the request."""
        key = request.completion_id
        cost = self.billing.cost(reply)
        self.completions[key] = self.billing.completion(request, reply, cost)
        self._explain(request, presumed=cost is None)

    def settle_failure(self, request: TeacherRequest, error: Exception) -> None:
        """Presume or release the request of a line without a reply."""
        if request.completion_id in self.completions:
            return
        stated = self.billing.failure_cost(error)
        self._explain(request, presumed=stated is not None or may_be_billed(error), stated=stated)

    def presume_unexplained(self) -> int:
        """Presume every request that no line names; how many.

        Call it if answers of the batch are missing or unreadable, because they may belong to any
        of these requests.
        """
        unexplained = [r for key, r in self.requests.items() if key not in self._explained]
        for request in unexplained:
            self._explain(request, presumed=True)
        return len(unexplained)

    def rows(
        self, known: Collection[str], batch_key: str, reserved_at: datetime
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """New rows of `completions` and of `presumed_spend`.

        Args:
            known: ids of completions that the store already holds. The second reply was paid for
                too, so its cost is presumed.
            batch_key: of the batch, for the ids of its reservations.
            reserved_at: the time at which the batch was submitted.
        """
        presumed = dict(self.presumed)
        for key in known:
            reply = self.completions[key]
            used = (reply["prompt_tokens"] or 0) + (reply["completion_tokens"] or 0)
            presumed.setdefault(key, Amount(reply["usd"], used))
        return (
            [row for key, row in self.completions.items() if key not in known],
            [
                self.billing.presumed(f"batch-{batch_key}-{key}", key, max_cost, reserved_at)
                for key, max_cost in presumed.items()
            ],
        )

    def _explain(
        self, request: TeacherRequest, *, presumed: bool, stated: Amount | None = None
    ) -> None:
        key = request.completion_id
        self._explained.add(key)
        self.presumed.pop(key, None)
        if presumed:
            self.presumed[key] = stated or self.billing.max_cost(size_of(request))
