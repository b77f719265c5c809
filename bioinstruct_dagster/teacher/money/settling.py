"""Settling: the one place where money is reserved, settled, presumed spent or released.

- Reserve: before a request is sent, the most that it can cost is set aside.
- Settle: the reply says how many tokens it took, and their cost is spent.
- Presume: the request may have been billed, but no reply says so. Its most counts as spent.
- Release: the request was certainly not billed. Its reservation is free again.

`Account` does this for requests that are sent one by one, by the sender and by the probe. It keeps
each reservation in the round's budget and in the journal, so a killed run leaves it there and the
next run presumes it. `BatchAccount` reserves for the requests of a batch, and `BatchSettlement`
does the rest for its lines; on disk, the batch's row in `batches` is the reservation.
`may_be_billed` decides between presuming and releasing, for all of them.
Does not belong here: the caps and their arithmetic (budget), the columns of a completion
(completions), or how rows reach the disk (store.journal, batch_api.tables).
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
from bioinstruct_dagster.teacher.errors import RefusedError, UnreachedError, unwritable
from bioinstruct_dagster.teacher.money.budget import Amount, Budget
from bioinstruct_dagster.teacher.money.prices import Price, billed_service
from bioinstruct_dagster.teacher.money.tokens import RequestSize, size_of
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.wire.client import Endpoint, TeacherReply

# Statuses of a gateway: the server behind it may have answered, and billed, after it gave up.
_GATEWAY_STATUS = frozenset({502, 504, 520, 524})
# After these answers to its creation, a batch does not exist. Any other answer, 500 and 503 too,
# proves nothing, and a batch that is created twice costs thousands of requests. So its reservation
# stays until the server was asked which batches exist.
_CREATION_REFUSED = frozenset({400, 401, 403, 404, 413, 422, 429})


def may_be_billed(error: Exception) -> bool:
    """Whether a request that ended in this error may have been billed.

    It was not billed if it never reached the server, or if the server itself refused it (429, 500
    and 503 included). In any other case it may have been: a broken connection, no reply in time, a
    reply that can't be read, an answer of a gateway.
    """
    if isinstance(error, RefusedError):
        return error.status in _GATEWAY_STATUS
    return not isinstance(error, UnreachedError)


def batch_may_exist(status: int) -> bool:
    """Whether a batch may exist although its creation was answered with this error status."""
    return status not in _CREATION_REFUSED


@dataclass(frozen=True)
class Billing:
    """Who bills a request, at which price, and for which run."""

    endpoint: Endpoint
    price: Price | None
    service: Service = "online"
    run_id: str | None = None

    def most(self, size: RequestSize) -> Amount:
        """What a request of this size can cost at most."""
        return size.most(self.price, self.service)

    def cost(self, reply: TeacherReply) -> Amount | None:
        """What a reply was billed; None where the server reports no tokens."""
        tokens = reply.tokens
        if tokens is None or reply.prompt_tokens is None or reply.completion_tokens is None:
            return None
        if self.price is None:
            return Amount(None, tokens)
        usd = self.price.usd(
            reply.prompt_tokens,
            reply.completion_tokens,
            cached_tokens=min(reply.cached_tokens, reply.prompt_tokens),
            service=billed_service(reply.service_tier, self.service),
        )
        return Amount(usd, tokens)

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
        self, reservation_id: str, completion_id: str, most: Amount, reserved_at: datetime
    ) -> dict[str, Any]:
        """A row of `presumed_spend`, with the time as the journal has it."""
        return {
            "reservation_id": reservation_id,
            "completion_id": completion_id,
            "run_id": self.run_id,
            "usd": most.usd,
            "tokens": most.tokens,
            "rehearsal": self.endpoint.rehearsal,
            "reserved_at": reserved_at.isoformat(),
        }


@dataclass(eq=False, slots=True)
class Reservation:
    """The money of one request that was sent.

    Attributes:
        reservation_id: under which the journal has it.
        request: what was sent.
        most: what it can cost at most.
        cost: what its reply was billed; None before the reply, or where the reply does not say.
    """

    reservation_id: str
    request: TeacherRequest
    most: Amount
    cost: Amount | None = None


class Account:
    """The money of requests that are sent one by one, in one round.

    Args:
        billing: who bills the requests, and at which price.
        budget: the caps of the round.
        journal: where each reservation is noted before its request is sent.
    """

    def __init__(self, billing: Billing, budget: Budget, journal: CompletionJournal) -> None:
        self.billing = billing
        self.budget = budget
        self.journal = journal
        self._name = uuid.uuid4().hex[:16]
        self._numbers = itertools.count()

    def reserve(self, request: TeacherRequest, most: Amount) -> Reservation:
        """Set aside what a request may cost. Ask the budget first, and send the request after it.

        Raises:
            TeacherError: the disk takes no note of it; nothing is reserved, and nothing may be
                sent.
        """
        reservation = Reservation(f"{self._name}-{next(self._numbers)}", request, most)
        row = self.billing.presumed(
            reservation.reservation_id, request.completion_id, most, datetime.now(UTC)
        )
        try:
            self.journal.reserve(row)
        except OSError as error:
            raise unwritable(error) from error
        self.budget.reserve(most)
        return reservation

    def settle(
        self, reservation: Reservation, reply: TeacherReply, requested_at: datetime
    ) -> dict[str, Any]:
        """The row of `completions` for a reply; its cost is spent. Append the row to the journal.

        Where the reply does not say what it took, the reservation is presumed: the row names no
        reservation, so the one in the journal stays.
        """
        request = reservation.request
        reservation.cost = cost = self.billing.cost(reply)
        completion = self.billing.completion(request, reply, cost)
        completion["requested_at"] = requested_at.isoformat()
        if cost is None:
            self.budget.presume(reservation.most)
        else:
            self.budget.settle(reservation.most, cost)
            completion["reservation_id"] = reservation.reservation_id
        return completion

    def settle_failure(self, reservation: Reservation, error: Exception) -> bool:
        """Presume or release what a request without a reply was to cost; whether it is presumed.

        Raises:
            TeacherError: the disk takes no note of the release. The next run presumes it then.
        """
        if may_be_billed(error):
            self.budget.presume(reservation.most)
            return True
        self.budget.release(reservation.most)
        try:
            self.journal.release(reservation.reservation_id)
        except OSError as full:
            raise unwritable(full) from full
        return False


class BatchAccount:
    """The money of requests that are about to be submitted in batches.

    On disk, the row of a batch in `batches` holds the reservation of all its requests.

    Args:
        billing: who bills the requests, and at which price.
        budget: the caps of the round.
    """

    def __init__(self, billing: Billing, budget: Budget) -> None:
        self._billing = billing
        self._budget = budget
        self.requests: list[TeacherRequest] = []
        self._reserved: list[Amount] = []

    def reserve(self, request: TeacherRequest) -> str | None:
        """Set aside what a request may cost; None, or the message of the cap that has no room."""
        most = self._billing.most(size_of(request))
        if cap := self._budget.refusal(most):
            return cap.reached(most)
        self._budget.reserve(most)
        self.requests.append(request)
        self._reserved.append(most)
        return None

    def reserved(self, start: int, end: int) -> Amount:
        """What these of its requests may cost together."""
        amounts = self._reserved[start:end]
        dollars = [amount.usd for amount in amounts]
        return Amount(
            None if None in dollars else sum(usd for usd in dollars if usd is not None),
            sum(amount.tokens for amount in amounts),
        )


@dataclass
class BatchSettlement:
    """What the lines of a batch came to, against the reservation of the whole batch.

    Each request has one outcome: its reply, if a line brought one, or else its last error. So no
    more is counted for a batch than was reserved for it.

    Attributes:
        billing: who bills the batch.
        requests: those of the batch, by completion id.
        completions: rows of `completions` by completion id, without what only the batch knows
            (its id and its times).
        presumed: the most of requests that may have been billed and have no stated cost, by
            completion id.
    """

    billing: Billing
    requests: Mapping[str, TeacherRequest]
    completions: dict[str, dict[str, Any]] = field(default_factory=dict)
    presumed: dict[str, Amount] = field(default_factory=dict)
    _explained: set[str] = field(default_factory=set)

    def settle(self, request: TeacherRequest, reply: TeacherReply) -> None:
        """A line brought a reply. Without stated tokens, the request's most is presumed."""
        key = request.completion_id
        cost = self.billing.cost(reply)
        self.completions[key] = self.billing.completion(request, reply, cost)
        self._explain(request, presumed=cost is None)

    def settle_failure(self, request: TeacherRequest, error: Exception) -> None:
        """A line brought no reply: the request's most is presumed or released."""
        if request.completion_id not in self.completions:
            self._explain(request, presumed=may_be_billed(error))

    def presume_unexplained(self) -> int:
        """Presume all requests of which no line told anything; how many.

        For a batch with answers that can't be read, or that are missing: they may be anyone's.
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
            known: completions that the store has already. A second one was paid for all the same,
                so its cost is presumed.
            batch_key: of the batch, for the names of its reservations.
            reserved_at: when the batch was submitted.
        """
        presumed = dict(self.presumed)
        for key in known:
            reply = self.completions[key]
            used = (reply["prompt_tokens"] or 0) + (reply["completion_tokens"] or 0)
            presumed.setdefault(key, Amount(reply["usd"], used))
        return (
            [row for key, row in self.completions.items() if key not in known],
            [
                self.billing.presumed(f"batch-{batch_key}-{key}", key, most, reserved_at)
                for key, most in presumed.items()
            ],
        )

    def _explain(self, request: TeacherRequest, *, presumed: bool) -> None:
        key = request.completion_id
        self._explained.add(key)
        self.presumed.pop(key, None)
        if presumed:
            self.presumed[key] = self.billing.most(size_of(request))
