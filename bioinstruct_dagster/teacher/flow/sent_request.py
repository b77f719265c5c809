"""A request on its way: from its first attempt to its reply or its last failure.

Belongs here: what the sender remembers of a request. Does not: sending it (sending), or the request
itself (teacher.requests).
"""

from dataclasses import dataclass, field

from bioinstruct_dagster.teacher.flow.retries import Attempts
from bioinstruct_dagster.teacher.money.budget import Amount
from bioinstruct_dagster.teacher.money.settling import Reservation
from bioinstruct_dagster.teacher.money.tokens import RequestSize
from bioinstruct_dagster.teacher.requests import TeacherRequest


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
        sent_at: when its last attempt left, by the monotonic clock.
    """

    request: TeacherRequest
    size: RequestSize
    max_cost: Amount
    attempts: Attempts = field(default_factory=Attempts)
    reservation: Reservation = field(init=False)
    expected_tokens: float = 0.0
    is_trial: bool = False
    sent_at: float = 0.0
