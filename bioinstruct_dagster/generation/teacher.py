"""The teacher: requests in, completions out, each one durable before anything else happens to it.

`ask` skips what the store already holds, keeps a bounded number of requests in flight with no
barrier between them, journals every reply, and goes on when single requests fail. Belongs here: the
client, retries, what stops a run. Does not: what the prompts say, or how replies are read.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.generation.prices import price_of
from bioinstruct_dagster.generation.requests import TeacherRequest
from bioinstruct_dagster.generation.retries import FATAL_CODES, is_fatal, send_with_retries
from bioinstruct_dagster.rehearsal import FINGERPRINT
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.journal import KNOWN_COMPLETIONS, CompletionJournal, fold

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

TIMEOUT_SECONDS = 300.0
_KEPT_ERRORS = 5


class TeacherError(StatedError):
    """The teacher can't be used as set; the message says what to change. Never holds a key."""


@dataclass(frozen=True)
class Endpoint:
    """Where to send requests and with what key."""

    base_url: str | None
    api_key: str = field(repr=False)
    rehearsal: bool


@dataclass
class Tally:
    """What came of a round of requests."""

    reused: int = 0
    asked: int = 0
    failed: int = 0
    errors: list[str] = field(default_factory=list)


@contextmanager
def open_teacher(settings: Settings) -> Iterator[Endpoint]:
    """The teacher that the settings name; the rehearsal teacher is started and stopped here.

    Raises:
        TeacherError: the teacher is `openai` and no key is set.
    """
    if settings.teacher == "rehearsal":
        from bioinstruct_dagster.rehearsal import server

        with server.serving() as base_url:
            yield Endpoint(base_url, "rehearsal", rehearsal=True)
        return
    yield openai_endpoint(settings)


def openai_endpoint(settings: Settings) -> Endpoint:
    """The configured OpenAI-compatible endpoint.

    Raises:
        TeacherError: no key is set.
    """
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""
    if not key:
        raise TeacherError(
            "BIOINSTRUCT_TEACHER is 'openai' but OPENAI_API_KEY is not set. Export it, or put it "
            "in .env (for a local server that asks for no key, any word will do)."
        )
    url = str(settings.openai_base_url) if settings.openai_base_url else None
    return Endpoint(url, key, rehearsal=False)


def ask(
    requests: Sequence[TeacherRequest],
    endpoint: Endpoint,
    store: Store,
    *,
    concurrency: int,
    log: Callable[[str], None],
) -> Tally:
    """Get every request answered and stored, asking only for what the store lacks.

    A request that fails is counted and left for the next run. The journal is folded into the store
    even when the round is broken off, so nothing that was paid for waits for luck.

    Raises:
        TeacherError: no request can succeed as things are (wrong key, no quota, unknown model), or
            all failed.
    """
    fold(store)
    wanted = {request.completion_id: request for request in requests}
    tally = Tally()
    for completion_id in known_completions(store, list(wanted)):
        del wanted[completion_id]
        tally.reused += 1
    log(f"{tally.reused} stored completions reused, {len(wanted)} to ask of the teacher")
    try:
        asyncio.run(
            _ask_all(
                list(wanted.values()),
                endpoint,
                store,
                concurrency=concurrency,
                tally=tally,
                log=log,
            )
        )
    finally:
        fold(store)
        if requests:
            _record_round(store, requests[0], endpoint, tally)
    if tally.failed and not tally.asked and not tally.reused:
        raise TeacherError(
            f"All {tally.failed} requests to the teacher failed. First error: {tally.errors[0]}"
        )
    return tally


def _record_round(store: Store, example: TeacherRequest, endpoint: Endpoint, tally: Tally) -> None:
    round_ = {
        "finished_at": datetime.now(UTC),
        "purpose": example.purpose,
        "teacher": example.teacher,
        "model": example.model,
        "reused": tally.reused,
        "asked": tally.asked,
        "failed": tally.failed,
        "rehearsal": endpoint.rehearsal,
    }
    with store.write() as connection:
        insert(connection, "teacher_rounds", [round_])


def known_completions(store: Store, completion_ids: Sequence[str]) -> set[str]:
    """Which of the completions the store holds."""
    if not store.path.exists():
        return set()
    return {
        row["completion_id"]
        for row in store.rows(KNOWN_COMPLETIONS, {"candidates": completion_ids})
    }


async def _ask_all(
    requests: Sequence[TeacherRequest],
    endpoint: Endpoint,
    store: Store,
    *,
    concurrency: int,
    tally: Tally,
    log: Callable[[str], None],
) -> None:
    if not requests:
        return
    from openai import AsyncOpenAI, DefaultAioHttpClient

    queue = iter(requests)
    report_every = max(25, len(requests) // 10)
    async with (
        CompletionJournal(store) as journal,
        DefaultAioHttpClient() as http_client,
        AsyncOpenAI(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url,
            max_retries=0,  # see retries
            timeout=TIMEOUT_SECONDS,
            http_client=http_client,
        ) as client,
    ):

        async def work() -> None:
            for request in queue:  # one shared iterator: a slow request holds back no other
                try:
                    completion = await _complete(client, request, rehearsal=endpoint.rehearsal)
                except TeacherError:
                    raise
                # Whatever fails one request must not stop the others; it is counted and shown.
                except Exception as error:  # noqa: BLE001
                    tally.failed += 1
                    if len(tally.errors) < _KEPT_ERRORS:
                        tally.errors.append(_describe(error, endpoint.api_key))
                    continue
                await journal.append(completion)
                tally.asked += 1
                if tally.asked % report_every == 0:
                    log(
                        f"{tally.asked} of {len(requests)} completions stored, "
                        f"{tally.failed} failed"
                    )

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(concurrency, len(requests))):
                    group.create_task(work())
        except* TeacherError as stopped:
            raise _first(stopped) from None


async def _complete(
    client: "AsyncOpenAI", request: TeacherRequest, *, rehearsal: bool
) -> dict[str, Any]:
    from openai import APIStatusError

    requested_at = datetime.now(UTC)
    create: Any = client.chat.completions.with_raw_response.create
    try:
        raw = await send_with_retries(
            lambda: create(
                model=request.model, messages=list(request.messages), **request.parameters
            )
        )
    except APIStatusError as error:
        if is_fatal(error):
            raise TeacherError(_fatal_advice(error, request.model)) from None
        raise
    reply = raw.parse()
    choice = reply.choices[0]
    usage = reply.usage
    price = price_of(request.model)
    return {
        "completion_id": request.completion_id,
        "purpose": request.purpose,
        "teacher": request.teacher,
        # A rehearsal teacher that was reached as if it were a real one is still a rehearsal.
        "rehearsal": rehearsal or reply.system_fingerprint == FINGERPRINT,
        "model_asked": request.model,
        "model_answered": reply.model,
        "parameters": dict(request.parameters),
        "messages": [dict(message) for message in request.messages],
        "template_id": request.template_id,
        "template_sha256": request.template_sha256,
        "run_seed": request.run_seed,
        "request_number": request.request_number,
        "seed_ids": list(request.seed_ids),
        "content": choice.message.content or "",
        "refusal": getattr(choice.message, "refusal", None),
        "finish_reason": choice.finish_reason,
        "request_id": raw.headers.get("x-request-id"),
        "system_fingerprint": reply.system_fingerprint,
        "prompt_tokens": usage.prompt_tokens if usage else None,
        "completion_tokens": usage.completion_tokens if usage else None,
        "usd": price.usd(usage.prompt_tokens, usage.completion_tokens) if price and usage else None,
        "requested_at": requested_at.isoformat(),
        "completed_at": datetime.now(UTC).isoformat(),
    }


def _fatal_advice(error: "APIStatusError", model: str) -> str:
    # The server's message is left out: OpenAI's 401 repeats part of the key.
    if error.code in FATAL_CODES:
        return (
            f"The teacher refuses further requests: {error.code}. "
            "Add credit or raise the limit, then run again."
        )
    if error.status_code == 404:  # noqa: PLR2004
        return (
            f"The teacher has no model {model!r} at {error.request.url}. "
            "Set BIOINSTRUCT_TEACHER_MODEL."
        )
    return (
        f"The teacher rejects the key (HTTP {error.status_code}). "
        f"Check OPENAI_API_KEY and that it may use {model!r}. Completions stored so far are kept."
    )


def _describe(error: Exception, key: str) -> str:
    return f"{type(error).__name__}: {error}".replace(key, "[key]")[:300]


def _first(group: BaseExceptionGroup[TeacherError]) -> TeacherError:
    error: TeacherError | BaseExceptionGroup[TeacherError] = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
