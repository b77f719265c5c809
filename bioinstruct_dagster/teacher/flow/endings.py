"""The end of a round before its goal, and what the log says on the way there.

A round ends if no request can succeed, if the server refuses one request after the other or keeps
failing, if it asks for a long wait, or if nothing goes on. Some ends are errors, which
`Endings.error` keeps until no request is in flight. The others are told in `Tally.stopped`.
Belongs here: when and with which message a round ends, and counting failed requests. Does not: when
a request may leave (holds), or the money (money.settling).
"""

from collections.abc import Callable
from datetime import UTC, datetime

from bioinstruct_dagster.teacher.errors import (
    LONGEST_WAIT_SECONDS,
    StatusError,
    TeacherError,
    fatal_advice,
    long_wait_message,
    refused_message,
    stalled_message,
)
from bioinstruct_dagster.teacher.feeds import Refusal, Tally
from bioinstruct_dagster.teacher.flow.failure_log import FailureLog
from bioinstruct_dagster.teacher.flow.holds import Holds
from bioinstruct_dagster.teacher.flow.sent_request import SentRequest
from bioinstruct_dagster.teacher.flow.stall_watch import StallWatch

SECONDS_PER_MINUTE = 60.0
_MAX_KEPT_ERRORS = 5


class Endings:
    """Decides whether a round goes on, and counts its failures.

    Args:
        tally: of the round.
        holds: what holds requests back.
        failures: the log of failures.
        stall: notices that nothing goes on.
        address: of the server, without credentials.
        api: in use, `chat` or `responses`.
    """

    def __init__(
        self,
        tally: Tally,
        holds: Holds,
        failures: FailureLog,
        stall: StallWatch,
        *,
        address: str,
        api: str,
    ) -> None:
        self._tally = tally
        self._holds = holds
        self._failures = failures
        self._address = address
        self._api = api
        self._model = ""
        self._stall = stall
        self._is_failing = False  # since the last progress
        self._is_refused = False  # the round ended because of refusals in a row
        self.error: Exception | None = None

    @property
    def ended(self) -> bool:
        """Whether no more requests may be sent."""
        return bool(self.error or self._tally.stopped)

    def fail(self, error: Exception) -> None:
        """End the round with an error, which is raised once no request is in flight."""
        self.error = self.error or error

    def stop(self, why: str) -> None:
        """End the round before its goal, without an error."""
        self._tally.stopped = self._tally.stopped or why

    def failed(self, sent: SentRequest, error: Exception, asked: float | None) -> None:
        """Take in a failed attempt.

        Args:
            sent: the request.
            error: of the attempt.
            asked: the wait in seconds that the server asks of all requests.
        """
        shown = self._failures.note(error)
        self._is_failing = True
        self._model = sent.request.model
        if isinstance(error, StatusError):
            if error.is_billing:
                self.fail(self._access_error(error))
            elif (asked or 0.0) > min(LONGEST_WAIT_SECONDS, self._stall.seconds):
                self.stop(long_wait_message(error))
        if self._holds.breaker.given_up:
            self.fail(
                TeacherError(
                    f"The teacher at {self._address} keeps failing: {shown}. {self._tally.asked} "
                    "completions of this round are stored. Run again when the server works; "
                    "stored completions are not paid for again."
                )
            )

    def given_up(self, sent: SentRequest, error: Exception) -> None:
        """Take in that a request is not sent again in this round."""
        self._tally.failed += 1
        self._failures.note_given_up(error)
        if len(self._tally.errors) < _MAX_KEPT_ERRORS and self._failures.latest:
            self._tally.errors.append(self._failures.latest)
        if not isinstance(error, StatusError) or error.server_fault:
            return
        if not error.rate_limited:
            self._tally.refusals.append(Refusal(sent.request, error, datetime.now(UTC)))
            self.progressed()
        self._holds.streak.refused(sent.request.completion_id, error)

    def check_refusals(self, *, is_last: bool = False) -> None:
        """End the round if the server refuses one request after the other.

        Requests in flight are waited for: a refusal may come at once, and a reply takes longer.

        Args:
            is_last: no request is left, so one refusal of the key ends a round without a reply.
        """
        streak = self._holds.streak
        if self._holds.in_flight or self.ended or streak.last is None:
            return
        if streak.ended or (is_last and streak.is_access_refused and not streak.works):
            self._is_refused = True
            self._end_refused(streak.last)

    def progressed(self) -> None:
        """Take in a reply, or that the server decided about a request."""
        self._is_failing = False
        self._stall.progressed()

    def replied(self, sent: SentRequest) -> None:
        """Take in a reply."""
        self._model = sent.request.model
        self.progressed()

    def wait_on_purpose(self) -> None:
        """Take in that the round waits on purpose. That is no stall, unless requests fail."""
        if not self._is_failing:
            self._stall.hold()

    def check_stall(self, waits_for: Callable[[], str]) -> bool:
        """Say what the round waits for, if that is due; True if the round ends for it."""
        self._failures.write_if_due()
        latest = self._failures.latest
        if self._stall.ended:
            minutes = self._stall.seconds / SECONDS_PER_MINUTE
            self.stop(stalled_message(minutes, waits_for(), latest, self._tally.asked))
            return True
        if self._stall.is_report_due():
            said = f" The latest error: {latest.rstrip('.')}." if latest else ""
            self._failures.log(
                f"No request was answered for {self._stall.idle_seconds:,.0f} s: {waits_for()}."
                f"{said} Without an answer, the round ends in {self._stall.seconds_left:,.0f} s "
                "(BIOINSTRUCT_STALL_MINUTES)."
            )
        return False

    def seconds_until_line(self) -> float:
        """Seconds until a line of the log or the end of the round is due."""
        failures = self._failures.seconds_until_due()
        stall = self._stall.seconds_until_due()
        return stall if failures is None else min(failures, stall)

    def conclude(self) -> None:
        """Write the failed requests to the log, and to the reason why the round stopped."""
        if failed := self._failures.summary():
            self._failures.log(f"{failed} The next run sends them again.")
            if self._tally.stopped and not self._is_refused:
                self._tally.stopped += f" {failed}"

    def _end_refused(self, error: StatusError) -> None:
        streak = self._holds.streak
        if streak.is_access_refused:
            self.fail(self._access_error(error))
            return
        self.stop(
            refused_message(
                error,
                streak.in_a_row,
                self._model,
                address=self._address,
                api=self._api,
                stored=self._tally.asked,
            )
        )

    def _access_error(self, error: StatusError) -> TeacherError:
        return TeacherError(fatal_advice(error, self._model, address=self._address, api=self._api))
