"""The probe: a tiny request finds the dialect of a server, and the store remembers the dialect.

OpenAI has structured output by JSON schema. Compatible servers have structured output, or only JSON
mode, or neither. Some refuse parameters or have other names for them. A probe is paid for like any
other request: it counts towards the caps, and its reply is stored. Belongs here: which form of the
probe is sent next, and the row of the dialect. Does not: the requests of the probe, or checking the
form of a reply (probe_request).
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bioinstruct_dagster.settings import Service, Settings
from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.journal import CompletionJournal, fold
from bioinstruct_dagster.teacher.asking_lock import asking_alone
from bioinstruct_dagster.teacher.errors import (
    LostReplyError,
    StatusError,
    TeacherError,
    UnreachedServerError,
    fatal_advice,
)
from bioinstruct_dagster.teacher.flow.pacing import limits_of
from bioinstruct_dagster.teacher.flow.retries import Attempts
from bioinstruct_dagster.teacher.money.budget import BudgetError
from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.money.settling import Account, Billing
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.probe_request import SOUND_OUTCOMES, outcome_of, probe_request
from bioinstruct_dagster.teacher.requests import REPLY_FORMATS, ReplyFormat
from bioinstruct_dagster.teacher.terms import Terms, budget_of
from bioinstruct_dagster.teacher.wire.client import TeacherClient
from bioinstruct_dagster.teacher.wire.dialect import Dialect
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.reply_body import TeacherReply

OPTIONAL_PARAMETERS = ("seed", "temperature")
_UNPROCESSABLE_STATUSES = (400, 422)
_UNREACHED_ATTEMPTS = 3  # then an error tells the user, who may have to start the server
_SET_BY_USER = "set: "  # begins the evidence of a probe if the user set the format
_NO_LIMIT = 10**12  # per minute; a server without a limit may state the largest integer

KNOWN_DIALECT = """
    select *
    from teacher_dialects
    where teacher = $teacher and endpoint = $endpoint and model = $model and api = $api
      and ($forced or not starts_with(evidence, $set))
    order by probed_at desc
    limit 1
"""


def with_dialect(
    terms: Terms,
    settings: Settings,
    endpoint: Endpoint,
    store: Store,
    log: Callable[[str], None],
) -> Terms:
    """The terms with the server's dialect and rate limits. A server that is not known is probed.

    The dialect of the rehearsal teacher is known without a probe.

    Raises:
        TeacherError: the server accepts no form of the probe.
        BudgetError: the caps leave no room for the probe.
    """
    forced = None if settings.teacher.reply_format == "auto" else settings.teacher.reply_format
    if settings.teacher.name == "rehearsal":
        return replace(
            terms, dialect=Dialect(api=settings.teacher.api, reply_format=forced or "json_schema")
        )
    known = _stored_dialect(settings, endpoint, store)
    known = known or _probed_dialect(terms, settings, endpoint, store, log=log)
    dialect = Dialect(
        api=settings.teacher.api,
        reply_format=forced or known["reply_format"],
        token_limit_name=known["token_limit_name"],
        left_out=frozenset(known["left_out"]),
    )
    limits = (known["requests_per_minute"], known["tokens_per_minute"])
    return replace(terms, dialect=dialect, known_limits=limits)


def _stored_dialect(settings: Settings, endpoint: Endpoint, store: Store) -> dict[str, Any] | None:
    if not store.path.exists():
        return None
    rows = store.rows(
        KNOWN_DIALECT,
        {
            "teacher": settings.teacher.name,
            "endpoint": endpoint.address,
            "model": settings.teacher.model,
            "api": settings.teacher.api,
            "forced": settings.teacher.reply_format != "auto",
            "set": _SET_BY_USER,
        },
    )
    return rows[0] if rows else None


def _probed_dialect(
    terms: Terms,
    settings: Settings,
    endpoint: Endpoint,
    store: Store,
    *,
    log: Callable[[str], None],
) -> dict[str, Any]:
    # Under the asking lock, because a cap holds only while one process spends under it.
    with asking_alone(store):
        known = _stored_dialect(settings, endpoint, store)
        if known:  # another run has probed the server while this run waited
            return known
        fold(store)
        try:
            found = asyncio.run(_Probe(terms, settings, endpoint, store).run())
        finally:
            fold(store)
        with store.write() as connection:
            insert(connection, "teacher_dialects", [found])
    log(
        f"Probed {endpoint.address}: {found['model']} answers as {found['reply_format']} "
        f"({found['evidence']})"
    )
    return found


class _Probe:
    """Sends one request in one form after another, until the reply has the requested form."""

    def __init__(self, terms: Terms, settings: Settings, endpoint: Endpoint, store: Store) -> None:
        # A probe is always sent online, at the online price, even if other requests go by batch.
        service: Service = "online" if terms.service == "batch" else terms.service
        self._billing = Billing(endpoint, price_of(settings.teacher.model), service, terms.run_id)
        self._settings = settings
        self._endpoint = endpoint
        self._store = store
        self._forced = settings.teacher.reply_format != "auto"
        self._budget = budget_of(terms, store, settings.teacher.model)
        self._dialect = Dialect(
            api=settings.teacher.api,
            reply_format=REPLY_FORMATS[0]
            if settings.teacher.reply_format == "auto"
            else settings.teacher.reply_format,
        )
        self._evidence: list[str] = []

    async def run(self) -> dict[str, Any]:
        """A row of `teacher_dialects`."""
        attempts = Attempts()
        async with (
            CompletionJournal(self._store) as journal,
            TeacherClient(self._endpoint, connections=1, service=self._billing.service) as client,
        ):
            account = Account(self._billing, self._budget, journal)
            while True:
                try:
                    reply = await self._send(client, account)
                except (StatusError, LostReplyError, UnreachedServerError) as error:
                    await self._adapt_to(error, attempts)
                    continue
                outcome = outcome_of(reply, self._dialect.reply_format)
                self._evidence.append(outcome)
                next_format = _next_format(self._dialect.reply_format)
                if outcome in SOUND_OUTCOMES or self._forced or next_format is None:
                    return self._row(reply)
                self._dialect = replace(self._dialect, reply_format=next_format)

    async def _send(self, client: TeacherClient, account: Account) -> TeacherReply:
        request = probe_request(self._settings, self._endpoint, self._dialect.reply_format)
        max_cost = self._billing.max_cost(size_of(request))
        if self._budget.failure:
            raise BudgetError(self._budget.failure)
        if cap := self._budget.cap_without_room(max_cost):
            raise BudgetError(
                f"{cap.setting} leaves no room to probe the server: "
                f"{cap.formatted(cap.remaining())} left, and the probe may take "
                f"{cap.formatted(max_cost.in_unit(cap.unit))}. Raise {cap.setting}."
            )
        reservation = account.reserve(request, max_cost)
        requested_at = datetime.now(UTC)
        try:
            reply = await client.complete(request, self._dialect, self._billing.service)
        except Exception as error:  # noqa: BLE001  # raised again once its money is settled
            account.settle_failure(reservation, error)
            raise self._without_key(error) from None
        await account.journal.append(account.settle(reservation, reply, requested_at))
        return reply

    def _without_key(self, error: Exception) -> Exception:
        """The error without the key, because its texts are shown and stored."""
        if not isinstance(error, StatusError):
            return error
        hide = self._endpoint.redacted
        return replace(
            error,
            code=hide(error.code) if error.code else None,
            param=hide(error.param) if error.param else None,
        )

    async def _adapt_to(self, error: Exception, attempts: Attempts) -> None:
        """Wait, or change the form of the request; raise an error if neither can help."""
        if isinstance(error, TeacherError):
            raise error
        if isinstance(error, StatusError):
            self._evidence.append(f"refused {error.param or error.status}")
            if not error.is_transient or error.status in _UNPROCESSABLE_STATUSES:
                self._dialect = _adapted_dialect(
                    self._dialect, error, self._settings.teacher.model, forced=self._forced
                )
                return
        else:
            self._evidence.append(type(error).__name__)
        delay = attempts.delay_after(error)
        unreached = isinstance(error, UnreachedServerError)
        if delay is None or (unreached and attempts.failures >= _UNREACHED_ATTEMPTS):
            raise TeacherError(
                f"The teacher at {self._endpoint.address} answers no probe "
                f"({self._endpoint.redacted(str(error))}). Check OPENAI_BASE_URL and that the "
                "server runs. If you know which format the server takes, set "
                "BIOINSTRUCT_REPLY_FORMAT."
            ) from None
        await asyncio.sleep(delay)

    def _row(self, reply: TeacherReply) -> dict[str, Any]:
        requests_per_minute, tokens_per_minute = limits_of(reply.headers)
        return {
            "teacher": self._settings.teacher.name,
            "endpoint": self._endpoint.address,
            "model": self._settings.teacher.model,
            "api": self._dialect.api,
            "reply_format": self._dialect.reply_format,
            "token_limit_name": self._dialect.token_limit_name,
            "left_out": sorted(self._dialect.left_out),
            "evidence": (_SET_BY_USER if self._forced else "") + ", ".join(self._evidence),
            "requests_per_minute": _storable_limit(requests_per_minute),
            "tokens_per_minute": _storable_limit(tokens_per_minute),
            "probed_at": datetime.now(UTC),
        }


def _storable_limit(limit: float | None) -> int | None:
    """A limit per minute in the form of the store."""
    return math.ceil(limit) if limit is not None and limit < _NO_LIMIT else None


def _adapted_dialect(dialect: Dialect, error: StatusError, model: str, *, forced: bool) -> Dialect:
    """The dialect without the parameter or the format that the server refused."""
    if error.fatal:
        raise TeacherError(fatal_advice(error, model))
    said = f"{error.param or ''} {error.message}"
    if error.status not in _UNPROCESSABLE_STATUSES:
        raise TeacherError(f"The teacher refuses a probe: {error}")
    if "max_completion_tokens" in said and dialect.token_limit_name != "max_tokens":  # noqa: S105
        return replace(dialect, token_limit_name="max_tokens")  # noqa: S106
    for name in OPTIONAL_PARAMETERS:
        if name in said and name not in dialect.left_out:
            return replace(dialect, left_out=dialect.left_out | {name})
    if "service_tier" in said:
        raise TeacherError(
            f"The teacher has no flex processing: {error}. Set BIOINSTRUCT_SERVICE=online."
        )
    next_format = _next_format(dialect.reply_format)
    if next_format and not forced and any(word in said for word in ("format", "schema")):
        return replace(dialect, reply_format=next_format)
    raise TeacherError(
        f"The teacher refuses a probe in the format {dialect.reply_format}: {error}. "
        "If the server takes no other format, set BIOINSTRUCT_REPLY_FORMAT=text."
    )


def _next_format(reply_format: ReplyFormat) -> ReplyFormat | None:
    place = REPLY_FORMATS.index(reply_format) + 1
    return REPLY_FORMATS[place] if place < len(REPLY_FORMATS) else None
