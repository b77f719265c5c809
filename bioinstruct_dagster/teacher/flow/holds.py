"""Holds: everything that holds requests back, asked and told in one place.

The pace, the pause after rate limits, the circuit breaker and the streak of refusals each decide on
their own when the next request may leave. Belongs here: combining them. Does not: the rule of each
one (pacing, rate_limit_pause, circuit_breaker, refusal_streak), or the end of a round (endings).
"""

import time

from bioinstruct_dagster.teacher.errors import NoCompletionError, StatusError
from bioinstruct_dagster.teacher.flow.circuit_breaker import CircuitBreaker
from bioinstruct_dagster.teacher.flow.pacing import Pacer
from bioinstruct_dagster.teacher.flow.rate_limit_pause import RateLimitPause
from bioinstruct_dagster.teacher.flow.refusal_streak import RefusalStreak
from bioinstruct_dagster.teacher.flow.sent_request import SentRequest
from bioinstruct_dagster.teacher.wire.reply_body import TeacherReply


class Holds:
    """Decides when the next request may leave.

    Args:
        pacer: the pace of requests to a server that works.
        breaker: holds requests back while the server keeps failing.
        streak: fewer requests may be in flight while refusals run in a row.
    """

    def __init__(self, pacer: Pacer, breaker: CircuitBreaker, streak: RefusalStreak) -> None:
        self.pacer = pacer
        self.breaker = breaker
        self.streak = streak
        self.pause = RateLimitPause()
        self.in_flight = 0

    def wait(self) -> float | None:
        """Seconds until the next request may leave; None if a reply must come first."""
        if not self.streak.has_room(self.in_flight):
            return None
        waits = (self.breaker.wait(), self.pause.wait(), self.pacer.wait())
        return None if None in waits else max(w for w in waits if w is not None)

    def sent(self, sent: SentRequest) -> None:
        """Count a request that leaves."""
        self.in_flight += 1
        sent.sent_at = time.monotonic()
        self.pacer.sent(sent.expected_tokens)
        self.pause.sent(sent.sent_at)
        sent.is_trial = self.breaker.sent()

    def ended(self) -> None:
        """Count a request that is no longer in flight. Its reply is stored, or it has failed."""
        self.in_flight -= 1

    def replied(self, sent: SentRequest, reply: TeacherReply, seconds: float) -> None:
        """Take in a reply that came after so many seconds."""
        self.pacer.learn(reply.headers)
        self.pacer.replied(sent.expected_tokens, reply.tokens, seconds)
        self.pause.replied()
        self.breaker.succeeded()
        if reply.body is None:
            self.streak.accepted()
        else:  # such as a sign-in page: another request would bring the same page
            self.streak.refused(sent.request.completion_id, NoCompletionError(reply.body))

    def failed(self, sent: SentRequest, error: Exception) -> float | None:
        """Take in a failure; return the wait in seconds that the server asks of all requests."""
        status_error = error if isinstance(error, StatusError) else None
        if status_error:
            self.pacer.learn(status_error.headers)
        limited = bool(status_error and status_error.rate_limited)
        server_fault = not status_error or status_error.server_fault
        asked = status_error.retry_after if status_error and (limited or server_fault) else None
        self.pacer.refused(
            sent.expected_tokens,
            overloaded=limited or server_fault,
            limited=limited,
            retry_after=asked,
        )
        self.pause.failed(sent.sent_at, limited=limited, asked=asked)
        if server_fault:
            self.breaker.failed(is_trial=sent.is_trial)
        else:
            self.breaker.succeeded()
        return asked

    def abandoned(self, sent: SentRequest) -> None:
        """Take in that the round no longer waits for a request in flight."""
        self.pacer.refused(sent.expected_tokens, overloaded=False, limited=False)

    def reason(self) -> str | None:
        """What holds the next request back; None if nothing does."""
        if self.pause.open:
            return "the server refuses requests by its rate limit"
        if self.breaker.open:
            return "the server keeps failing, and single requests test it"
        if self.in_flight:
            return f"{self.in_flight} requests in flight have no reply"
        return self.pacer.reason()
