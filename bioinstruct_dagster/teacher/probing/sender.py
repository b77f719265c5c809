"""Sending the requests of a probe: one after another, paid for like any other request.

Belongs here: room in the caps, money, and waiting for a server that is busy or down. Does not: the
choice of the next request (search, output_limit).
"""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.teacher.errors import (
    LostReplyError,
    StatusError,
    TeacherError,
    UnreachedServerError,
    label_of,
)
from bioinstruct_dagster.teacher.flow.retries import LONGEST_SECONDS, Attempts
from bioinstruct_dagster.teacher.money.budget import BudgetError
from bioinstruct_dagster.teacher.money.settling import Account
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.probing.patience import Patience, StalledProbeError
from bioinstruct_dagster.teacher.probing.refused_parts import refused_parts
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.wire.client import TeacherClient
from bioinstruct_dagster.teacher.wire.dialect import Dialect
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.reply import TeacherReply

_UNREACHED_ATTEMPTS = 3  # then an error tells the user, who may have to start the server
# Some servers answer a parameter that they don't know with 500. So few attempts are made.
_SERVER_ERRORS = (500, 501)
_SERVER_ERROR_ATTEMPTS = 3
_UNPROCESSABLE_STATUSES = (400, 422)
_SLACK_TOKENS = 32  # servers count the tokens around a reply in their own ways
_BYTES_PER_TOKEN = 8  # no text of a model has so many on average, so this counts too few tokens


@dataclass
class ProbeSender:
    """Sends the requests of one probe, and keeps what came of each.

    Attributes:
        settings: name the teacher and its model.
        endpoint: the server.
        account: reserves and settles the money of each request.
        client: the open connection to the server.
        patience: the time that all requests together may take.
        evidence: the outcome of each request so far, in short.
        draws: the numbers of the requests.
    """

    settings: Settings
    endpoint: Endpoint
    account: Account
    client: TeacherClient
    patience: Patience
    evidence: list[str] = field(default_factory=list)
    draws: "itertools.count[int]" = field(default_factory=itertools.count)

    def note(self, dialect: Dialect, outcome: str) -> None:
        """Keep the outcome of a request."""
        self.evidence.append(f"{form_of(dialect)}: {outcome}")

    async def send(self, request: TeacherRequest, dialect: Dialect) -> TeacherReply:
        """Send a request once.

        Raises:
            StatusError, LostReplyError, UnreachedServerError: no reply came.
            StalledProbeError: the time of the probe is over.
            BudgetError: the caps leave no room for the request.
        """
        billing, budget = self.account.billing, self.account.budget
        max_cost = billing.max_cost(size_of(request))
        if budget.failure:
            raise BudgetError(budget.failure)
        if cap := budget.cap_without_room(max_cost):
            raise BudgetError(
                f"{cap.setting} leaves no room to probe the server: "
                f"{cap.formatted(cap.remaining())} left, and the probe may take "
                f"{cap.formatted(max_cost.in_unit(cap.unit))}. Raise {cap.setting}."
            )
        reservation = self.account.reserve(request, max_cost)
        requested_at = datetime.now(UTC)
        try:
            reply = await self.patience.reply(
                self.client.complete(request, dialect, billing.service)
            )
        except Exception as error:  # noqa: BLE001  # raised again once its money is settled
            self.account.settle_failure(reservation, error)
            raise self._without_key(error) from None
        completion = self.account.settle(reservation, reply, requested_at)
        await self.account.store(reservation, completion)
        if budget.failure and passes_limit(reply, request):
            budget.failure = None  # the probe finds out whether the server heeds another limit
        return reply

    async def send_patiently(
        self, request: TeacherRequest, dialect: Dialect, *, lost_once: bool = False
    ) -> TeacherReply:
        """Send a request, again after a wait while the server is busy or down.

        Args:
            request: the request.
            dialect: its form.
            lost_once: whether the request is not sent again after its reply was lost.

        Raises:
            StatusError: the server refuses the request.
            LostReplyError: `lost_once`, and no reply came.
            TeacherError: the server does not answer.
            BudgetError: the caps leave no room for the request.
        """
        attempts = Attempts()
        while True:
            try:
                return await self.send(request, dialect)
            except StatusError as error:
                if self._is_refusal(error, request, dialect, attempts):
                    raise
                self.note(dialect, label_of(error))
                failure: Exception = error
            except StalledProbeError:
                if lost_once:
                    raise LostReplyError("the probe stopped waiting for it") from None
                raise
            except (LostReplyError, UnreachedServerError) as error:
                is_settled = lost_once and isinstance(error, LostReplyError)
                if is_settled or isinstance(error, TeacherError):
                    raise  # of the latter kind: no request can reach the server
                self.note(dialect, label_of(error))
                failure = error
            delay = _delay_after(failure, attempts)
            if delay is None:
                raise self.patience.given_up(failure)
            await self.patience.pause(failure, delay)

    @asynccontextmanager
    async def at(self, endpoint: Endpoint) -> AsyncIterator["ProbeSender"]:
        """A sender for another address. It pays from the same budget into the same journal."""
        billing = replace(self.account.billing, endpoint=endpoint)
        async with TeacherClient(endpoint, connections=1, service=billing.service) as client:
            account = Account(billing, self.account.budget, self.account.journal)
            yield replace(self, endpoint=endpoint, account=account, client=client)

    def refused_parts(
        self,
        error: StatusError,
        request: TeacherRequest,
        dialect: Dialect,
        *,
        certain: bool = False,
    ) -> list[str]:
        """The parts of a request that a server refuses by name."""
        body = dialect.body(request, self.account.billing.service)
        return refused_parts(error, body, certain=certain)

    def _is_refusal(
        self, error: StatusError, request: TeacherRequest, dialect: Dialect, attempts: Attempts
    ) -> bool:
        """Whether the server refuses the request, in place of being busy or down."""
        if not error.is_transient:
            return True
        if error.status in _UNPROCESSABLE_STATUSES:
            return not error.rate_limited  # Bedrock states a rate limit with 400
        if error.status not in _SERVER_ERRORS:
            return False
        named = self.refused_parts(error, request, dialect)
        return bool(named) or attempts.failures >= _SERVER_ERROR_ATTEMPTS - 1

    def _without_key(self, error: Exception) -> Exception:
        """The error without the key, because its texts are shown and stored."""
        if not isinstance(error, StatusError):
            return error
        hide = self.endpoint.redacted
        return replace(
            error,
            code=hide(error.code) if error.code else None,
            param=hide(error.param) if error.param else None,
        )


def _delay_after(failure: Exception, attempts: Attempts) -> float | None:
    """Seconds until the next attempt, or None if the request is given up."""
    delay = attempts.delay_after(failure)
    if isinstance(failure, UnreachedServerError) and attempts.failures >= _UNREACHED_ATTEMPTS:
        return None
    if delay is None and isinstance(failure, StatusError) and failure.rate_limited:
        return LONGEST_SECONDS  # only time helps, and the time of a probe has an end
    return delay


def form_of(dialect: Dialect) -> str:
    """A dialect in a few words, such as `json_schema without seed`."""
    words: list[str] = [dialect.reply_format]
    if dialect.left_out:
        words.append(f"without {', '.join(sorted(dialect.left_out))}")
    if dialect.token_limit_name != Dialect().token_limit_name:
        words.append(f"with {dialect.token_limit_name}")
    if dialect.folds_system:
        words.append("in one message")
    return " ".join(words)


def output_tokens(reply: TeacherReply) -> int:
    """The output tokens of a reply: as the server states them, and no fewer than its text takes."""
    # Without blanks, because one token may stand for many of them.
    words = "".join(f"{reply.content} {reply.reasoning or ''}".split())
    least = len(words.encode("utf-8", "surrogatepass")) // _BYTES_PER_TOKEN
    return max(reply.completion_tokens or 0, least)


def passes_limit(reply: TeacherReply, request: TeacherRequest) -> bool:
    """Whether a reply has more output tokens than its request allows."""
    limit: int = request.parameters["max_completion_tokens"]
    return output_tokens(reply) > limit + _SLACK_TOKENS
