"""The probe: a tiny request finds the dialect of a server, and the store remembers the dialect.

OpenAI has structured output by JSON schema. Compatible servers have structured output, or only JSON
mode, or neither. Some refuse parameters or system messages, or ignore the limit of output tokens. A
probe is paid for like any other request: it counts towards the caps, and its replies are stored.
Belongs here: when a server is probed, the row of its dialect, and what the log says about it. Does
not: the requests of the probe (probe_request), or which one is sent next (probing).
"""

import asyncio
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bioinstruct_dagster.settings import Service, Settings
from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.journal import CompletionJournal, fold
from bioinstruct_dagster.teacher.asking_lock import asking_alone
from bioinstruct_dagster.teacher.errors import sentence
from bioinstruct_dagster.teacher.flow.pacing import limits_of
from bioinstruct_dagster.teacher.flow.stall_watch import StallWatch
from bioinstruct_dagster.teacher.money.budget import BudgetError
from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.money.settling import Account, Billing
from bioinstruct_dagster.teacher.probing.output_limit import heeded_limit
from bioinstruct_dagster.teacher.probing.patience import Patience
from bioinstruct_dagster.teacher.probing.refused_parts import EFFORT, LIMIT
from bioinstruct_dagster.teacher.probing.search import FormSearch
from bioinstruct_dagster.teacher.probing.sender import ProbeSender
from bioinstruct_dagster.teacher.requests import REPLY_FORMATS
from bioinstruct_dagster.teacher.terms import Terms, budget_of
from bioinstruct_dagster.teacher.wire.client import TeacherClient
from bioinstruct_dagster.teacher.wire.dialect import TOKEN_LIMIT_NAMES, Dialect
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint

_SET_BY_USER = "set: "  # begins the evidence of a probe if the user set the format
_NO_LIMIT = 10**12  # per minute; a server without a limit may state the largest integer
# A server that ignores the output limit is probed again, because its next version may heed it.
_IGNORED_FOR = timedelta(days=1)

# A row without `output_limit` is of an earlier version, whose probe was another request.
KNOWN_DIALECT = """
    select *
    from teacher_dialects
    where teacher = $teacher and endpoint = $endpoint and model = $model and api = $api
      and ($forced or not starts_with(evidence, $set))
      and (output_limit in ('heeded', 'unproven')
           or output_limit = 'ignored' and probed_at > $ignored_since)
      and reasoning_effort is not distinct from $reasoning_effort
    order by probed_at desc
    limit 1
"""

STORED_PROBES = "select count(*)::bigint as n from completions where purpose = 'probe'"


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
        BudgetError: the caps leave no room for the probe, or the server ignores the output limit,
            so that no cap can be held.
    """
    forced = None if settings.teacher.reply_format == "auto" else settings.teacher.reply_format
    if settings.teacher.name == "rehearsal":
        return replace(
            terms, dialect=Dialect(api=settings.teacher.api, reply_format=forced or "json_schema")
        )
    known = stored_dialect(settings, endpoint, store)
    known = known or _probed_dialect(terms, settings, endpoint, store, log=log)
    dialect = Dialect(
        api=settings.teacher.api,
        reply_format=forced or known["reply_format"],
        token_limit_name=known["token_limit_name"],
        left_out=frozenset(known["left_out"]),
        folds_system=bool(known["folds_system"]),
    )
    if known["output_limit"] == "ignored":
        _say_that_no_limit_holds(terms, endpoint, known, log)
    limits = (known["requests_per_minute"], known["tokens_per_minute"])
    return replace(terms, dialect=dialect, known_limits=limits)


def stored_dialect(settings: Settings, endpoint: Endpoint, store: Store) -> dict[str, Any] | None:
    """The row of `teacher_dialects` of this server, model and settings; None before a probe."""
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
            "ignored_since": datetime.now(UTC) - _IGNORED_FOR,
            "reasoning_effort": settings.teacher.reasoning_effort or None,
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
        known = stored_dialect(settings, endpoint, store)
        if known:  # another run has probed the server while this run waited
            return known
        fold(store)
        try:
            found, search = asyncio.run(_probe(terms, settings, endpoint, store, log))
        finally:
            fold(store)
        with store.write() as connection:
            insert(connection, "teacher_dialects", [found])
    log(
        f"Probed {endpoint.address}: {found['model']} answers as {found['reply_format']} "
        f"({found['evidence']})"
    )
    for line in _notes(found, search):
        log(line)
    return found


async def _probe(
    terms: Terms,
    settings: Settings,
    endpoint: Endpoint,
    store: Store,
    log: Callable[[str], None],
) -> tuple[dict[str, Any], FormSearch]:
    """Probe the server.

    Returns:
        A row of `teacher_dialects`, and the search that found it.
    """
    # A probe is always sent online, at the online price, even if other requests go by batch.
    service: Service = "online" if terms.service == "batch" else terms.service
    billing = Billing(endpoint, price_of(settings.teacher.model), service, terms.run_id)
    wanted = settings.teacher.reply_format
    first = Dialect(
        api=settings.teacher.api, reply_format=REPLY_FORMATS[0] if wanted == "auto" else wanted
    )
    # Each reply is a completion of its own, also that of a later probe of the same server.
    draws = itertools.count(store.rows(STORED_PROBES)[0]["n"] if store.path.exists() else 0)
    budget = budget_of(terms, store, settings.teacher.model)
    async with (
        CompletionJournal(store) as journal,
        TeacherClient(endpoint, connections=1, service=service) as client,
    ):
        account = Account(billing, budget, journal)
        patience = Patience(endpoint, log, StallWatch(terms.stall_seconds))
        sender = ProbeSender(settings, endpoint, account, client, patience, draws=draws)
        search = FormSearch(sender, first, forced=wanted != "auto")
        reply = await search.run()
        output_limit = await heeded_limit(search)
    dialect = search.dialect
    requests_per_minute, tokens_per_minute = limits_of(reply.headers)
    found = {
        "teacher": settings.teacher.name,
        "endpoint": endpoint.address,
        "model": settings.teacher.model,
        "api": dialect.api,
        "reply_format": dialect.reply_format,
        "token_limit_name": dialect.token_limit_name,
        "left_out": sorted(dialect.left_out),
        "evidence": ("" if wanted == "auto" else _SET_BY_USER) + "; ".join(sender.evidence),
        "requests_per_minute": _storable_limit(requests_per_minute),
        "tokens_per_minute": _storable_limit(tokens_per_minute),
        "probed_at": datetime.now(UTC),
        "folds_system": dialect.folds_system,
        "output_limit": output_limit,
        "reasoning_effort": settings.teacher.reasoning_effort or None,
    }
    return found, search


def _storable_limit(limit: float | None) -> int | None:
    """A limit per minute in the form of the store."""
    return math.ceil(limit) if limit is not None and limit < _NO_LIMIT else None


def _notes(found: Mapping[str, Any], search: FormSearch) -> Iterator[str]:
    """What a user should know about the dialect that was found."""
    left_out = set(found["left_out"])
    if found["folds_system"]:
        yield (
            "The server takes no system message. The system prompt of each request is sent at the "
            "top of the user's message."
        )
    if EFFORT in left_out:
        said = search.said.get(EFFORT, "")
        words = sentence(f" The server says: {said}") if said else ""
        yield (
            f"WARNING: the server refuses the reasoning effort {found['reasoning_effort']!r}."
            f"{words} Requests are sent without it. Change or unset BIOINSTRUCT_REASONING_EFFORT."
        )
    if others := sorted(left_out - {EFFORT, TOKEN_LIMIT_NAMES[0]}):
        yield f"The server refuses {', '.join(others)}. Requests are sent without."
    if search.reasoning_tokens:
        yield (
            f"WARNING: the model needed {search.reasoning_tokens:,} output tokens for a tiny task, "
            "most of them for reasoning. Set BIOINSTRUCT_REASONING_TOKENS to at least this number, "
            "or BIOINSTRUCT_REASONING_EFFORT to a lower effort. Otherwise replies may be cut off, "
            "or empty."
        )


def _done_with_limit(known: Mapping[str, Any]) -> str:
    """What a server does with the limit of output tokens if none holds."""
    if TOKEN_LIMIT_NAMES[0] in known["left_out"]:
        return "refuses the limit of output tokens under every name"
    if re.search(rf"refused [^;]*{LIMIT}|: refused \(", known["evidence"]):
        return "ignores the limit of output tokens under one name and refuses it under the other"
    return "ignores the limit of output tokens under every name"


def _say_that_no_limit_holds(
    terms: Terms, endpoint: Endpoint, known: Mapping[str, Any], log: Callable[[str], None]
) -> None:
    """Warn that replies may be of any length.

    Raises:
        BudgetError: a cap is set, and it can't be held.
    """
    said = (
        f"{endpoint.address} {_done_with_limit(known)}, so a reply may be of any length and price "
        f"({known['evidence']})."
    )
    caps = {
        "BIOINSTRUCT_MAX_USD": terms.max_usd,
        "BIOINSTRUCT_MAX_TOKENS": terms.max_tokens,
        "BIOINSTRUCT_RUN_MAX_USD": terms.run_max_usd,
        "BIOINSTRUCT_RUN_MAX_TOKENS": terms.run_max_tokens,
    }
    names = [name for name, cap in caps.items() if cap is not None and cap != math.inf]
    if names:
        raise BudgetError(
            f"{' and '.join(names)} can't be held: {said} Nothing more was sent. Limit the output "
            f"tokens at the server, or unset {' and '.join(names)}."
        )
    log(f"WARNING: {said} No cap of tokens or dollars could be held. Watch the spending.")
