"""What the next requests will be, what they will probably cost, and a few real replies.

Belongs here: the prompts and the estimate, which cost nothing; asking for a few replies, which are
stored as all others, so that the next run reuses them. Does not: the words on the screen
(preview_text), or the command (generation.__main__).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.generation.controls.file import read_controls
from bioinstruct_dagster.generation.goal import GoalFeed, RowGates, goal_feed
from bioinstruct_dagster.generation.series.series import Series
from bioinstruct_dagster.seeds.tasks import SeedTask, read_seed_tasks
from bioinstruct_dagster.settings import MAX_ROWS, Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.money.estimates import Estimate, estimate
from bioinstruct_dagster.teacher.money.experience import experience
from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.output_limits import OutputLimits
from bioinstruct_dagster.teacher.probe import stored_dialect
from bioinstruct_dagster.teacher.requests import ReplyFormat, TeacherRequest
from bioinstruct_dagster.teacher.session import open_endpoint
from bioinstruct_dagster.teacher.terms import terms_of

# Of a feed that uses all stored replies and then offers new requests without end.
_NO_GOAL = MAX_ROWS


class ExplainingGates(RowGates, Protocol):
    """The gates of curation, which also say why a row was rejected."""

    def rejection(self, row_id: str) -> tuple[str, str] | None:
        """The gate that rejected the row, and the reason; None if the row was kept."""


MakeGates = Callable[[Sequence[SeedTask]], ExplainingGates]


@dataclass(frozen=True)
class PromptPreview:
    """A request that would be sent next.

    Attributes:
        request: as it would be sent.
        prompt_tokens: its expected tokens.
        completion_tokens: the expected tokens of its reply.
        usd: its expected dollars; None if the model has no price.
    """

    request: TeacherRequest
    prompt_tokens: int
    completion_tokens: int
    usd: float | None


@dataclass(frozen=True)
class Preview:
    """The next requests and what they will take.

    Attributes:
        prompts: the next requests.
        of_prompts: the estimate of these requests.
        of_run: the estimate of the next run up to its goal; None if it sends nothing.
        goal: kept rows that the next run aims at.
        kept: rows that the gates keep of the stored replies.
        assumed_format: whether no server was probed yet, so that the form of replies is a guess.
    """

    prompts: Sequence[PromptPreview]
    of_prompts: Estimate
    of_run: Estimate | None
    goal: int
    kept: int
    assumed_format: bool


def preview(settings: Settings, store: Store, make_gates: MakeGates, count: int) -> Preview:
    """The next requests, without sending any. It needs neither a key nor a network.

    Args:
        settings: name the teacher, the seeds, the controls and the goal.
        store: with the replies so far.
        make_gates: makes the gates of curation for these seeds.
        count: how many requests to show.

    Raises:
        StatedError: an input file has a fault.
    """
    if settings.imports.source:
        raise StatedError(
            "BIOINSTRUCT_IMPORT is set, so the next run imports rows and sends no request. Unset "
            "it to preview requests."
        )
    reply_format, assumed = _reply_format(settings, store)
    seeds = read_seed_tasks(settings.seeds.file)
    series = series_of(settings, seeds, reply_format)
    to_goal = goal_feed_of(settings, store, series, make_gates(seeds), goal=None)
    expected, kept, goal = to_goal.expected_requests, to_goal.kept, to_goal.goal
    to_goal.finish()
    requests = asyncio.run(
        _next_requests(goal_feed_of(settings, store, series, make_gates(seeds)), count)
    )
    return Preview(
        [_priced(settings, store, request) for request in requests],
        _estimated(settings, store, requests[0], len(requests)),
        _estimated(settings, store, requests[0], expected) if expected else None,
        goal,
        kept,
        assumed,
    )


async def _next_requests(feed: GoalFeed, count: int) -> list[TeacherRequest]:
    """The next requests of the feed. It runs in a loop, because the feed checks rows in one."""
    requests: list[TeacherRequest] = []
    while len(requests) < count and (request := feed.take()):
        requests.append(request)
    if not requests:
        raise StatedError(
            f"No request would be sent. {feed.stopped or 'The seeds or the settings allow none.'}"
        )
    feed.finish()
    return requests


def goal_feed_of(
    settings: Settings,
    store: Store,
    series: Series,
    gates: RowGates,
    goal: int | None = _NO_GOAL,
) -> GoalFeed:
    """The requests up to a goal; None for that of the settings, by the number of requests too."""
    if not store.path.exists():
        store.replace({})  # a new store: there is no earlier reply
    controls = read_controls(settings.generation.controls) if settings.generation.controls else None
    return goal_feed(
        series,
        store,
        gates,
        goal=goal or settings.generation.instructions,
        limit=None if goal else settings.generation.requests,
        controls=controls,
        concurrency=settings.teacher.concurrency,
    )


def series_of(
    settings: Settings,
    seeds: Sequence[SeedTask],
    reply_format: ReplyFormat,
    limits: OutputLimits | None = None,
) -> Series:
    """The series whose requests the next run sends; the settings give what is not given here."""
    controls = read_controls(settings.generation.controls) if settings.generation.controls else None
    return Series(
        seeds,
        settings.teacher.name,
        settings.teacher.model,
        settings.runs.seed,
        settings.generation.tasks_per_request,
        reply_format,
        controls.sha256 if controls else None,
        limits or terms_of(settings).output_limits,
    )


def _reply_format(settings: Settings, store: Store) -> tuple[ReplyFormat, bool]:
    """The form of the replies, and whether it is a guess because no server was probed."""
    if settings.teacher.reply_format != "auto":
        return settings.teacher.reply_format, False
    if settings.teacher.name == "rehearsal":
        return "json_schema", False
    try:
        with open_endpoint(settings) as endpoint:
            known = stored_dialect(settings, endpoint, store)
    except StatedError:  # no key is set: the prompts can be shown all the same
        known = None
    return (known["reply_format"], False) if known else ("json_schema", True)


def _priced(settings: Settings, store: Store, request: TeacherRequest) -> PromptPreview:
    one = _estimated(settings, store, request, 1)
    return PromptPreview(request, one.prompt_tokens, one.completion_tokens, one.usd)


def _estimated(settings: Settings, store: Store, request: TeacherRequest, count: int) -> Estimate:
    forecast, latency, replies, reasoning = experience(store, request)
    return estimate(
        request,
        count,
        forecast,
        price=price_of(request.model),
        service=settings.teacher.service,
        concurrency=settings.teacher.concurrency,
        latency=latency,
        requests_per_minute=settings.teacher.requests_per_minute,
        tokens_per_minute=settings.teacher.tokens_per_minute,
        from_replies=replies,
        reasoning_tokens=reasoning,
    )
