"""What the next requests will be, what they will probably cost, and a few real replies.

Belongs here: the prompts and the estimate, which cost nothing; asking for a few replies, which are
stored as all others, so that the next run reuses them. Does not: the words on the screen
(preview_text), or the command (generation.__main__).
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.generation.controls.file import read_controls
from bioinstruct_dagster.generation.goal import GoalFeed, RowGates, goal_feed
from bioinstruct_dagster.generation.raw_rows import reading_of, rows_of
from bioinstruct_dagster.generation.series.series import Series
from bioinstruct_dagster.seeds.tasks import SeedTask, read_seed_tasks
from bioinstruct_dagster.settings import MAX_ROWS, Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.feeds import Tally
from bioinstruct_dagster.teacher.money.estimates import Estimate, estimate
from bioinstruct_dagster.teacher.money.experience import experience
from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.output_limits import OutputLimits
from bioinstruct_dagster.teacher.probe import stored_dialect
from bioinstruct_dagster.teacher.requests import ReplyFormat, TeacherRequest
from bioinstruct_dagster.teacher.rounds import pursue
from bioinstruct_dagster.teacher.session import open_endpoint, open_session
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


@dataclass(frozen=True)
class JudgedRow:
    """A row of a reply, and what the gates decide."""

    row: Mapping[str, Any]
    rejection: tuple[str, str] | None


@dataclass(frozen=True)
class JudgedReply:
    """A reply as the next run would read it.

    Attributes:
        request: that it answers.
        completion: as it is stored.
        outcome: how the reply could be read, and details.
        rows: its rows.
    """

    request: TeacherRequest
    completion: Mapping[str, Any]
    outcome: str
    rows: Sequence[JudgedRow]


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
    series = _series(settings, seeds, reply_format)
    to_goal = _feed(settings, store, series, make_gates(seeds), goal=None)
    expected, kept, goal = to_goal.expected_requests, to_goal.kept, to_goal.goal
    to_goal.finish()
    requests = asyncio.run(_next_requests(_feed(settings, store, series, make_gates(seeds)), count))
    return Preview(
        [_priced(settings, store, request) for request in requests],
        _estimated(settings, store, requests[0], len(requests)),
        _estimated(settings, store, requests[0], expected) if expected else None,
        goal,
        kept,
        assumed,
    )


def asked_replies(
    settings: Settings,
    store: Store,
    make_gates: MakeGates,
    count: int,
    log: Callable[[str], None],
) -> tuple[list[JudgedReply], Tally]:
    """Send the next requests, at most so many, and check the rows of their replies.

    The replies are stored as those of a run, so that the next run reuses them. The caps of the
    settings hold. Requests go online, even if the setting BIOINSTRUCT_SERVICE is `batch`, because a
    batch would bring its replies within a day.

    Args:
        settings: name the teacher and the caps.
        store: receives the replies.
        make_gates: makes the gates of curation for these seeds.
        count: the most requests that are sent and paid. A server that is not known yet is probed
            first, which takes a few tiny requests more.
        log: takes lines for the user.

    Raises:
        TeacherError: no request can succeed.
        BudgetError: a cap can't be held.
        StoreBusyError: a run is sending requests for this store.
    """
    if settings.teacher.service == "batch":
        settings = settings.changed(service="online")
    seeds = read_seed_tasks(settings.seeds.file)
    gates = make_gates(seeds)
    run_id = f"preview-{uuid.uuid4()}"
    with open_session(settings, store, log, run_id=run_id) as session:
        series = _series(settings, seeds, session.reply_format, session.terms.output_limits)
        feed, tally = pursue(
            session,
            lambda: FewRequests(_feed(settings, store, series, gates), count),
            purpose="generation",
        )
    return [_judged(request, completion, gates) for request, completion in feed.replies], tally


class FewRequests:
    """A feed that offers the first requests of another one, and keeps their replies."""

    def __init__(self, feed: GoalFeed, most: int) -> None:
        self._feed = feed
        self._left = most
        self.replies: list[tuple[TeacherRequest, Mapping[str, Any]]] = []
        self.stopped = feed.stopped
        self.reused = feed.reused
        self.resume: Mapping[str, Any] = {}

    @property
    def example(self) -> TeacherRequest:
        """A request of the usual size."""
        return self._feed.example

    @property
    def expected_requests(self) -> int:
        """The number of requests that are left."""
        return self._left

    @property
    def busy(self) -> bool:
        """Whether rows are being checked."""
        return self._feed.busy

    def start(self, wake: Callable[[], None]) -> None:
        """Begin."""
        self._feed.start(wake)

    def take(self) -> TeacherRequest | None:
        """The next request; None after the last one."""
        request = self._feed.take() if self._left else None
        self._left -= request is not None
        return request

    def stored(self, request: TeacherRequest, completion: Mapping[str, Any]) -> None:
        """Keep the reply."""
        self.replies.append((request, completion))
        self._feed.stored(request, completion)

    def failed(self, request: TeacherRequest) -> None:
        """Take in that the round gives the request up."""
        self._feed.failed(request)

    def wants(self, request: TeacherRequest) -> bool:
        """Whether the request is still needed."""
        return self._feed.wants(request)

    def progress(self) -> str:
        """The number of requests that are left, for the log."""
        return f"{self._left} requests to go"

    def finish(self) -> None:
        """Check the rows of all replies."""
        self._feed.finish()


def _judged(
    request: TeacherRequest, completion: Mapping[str, Any], gates: ExplainingGates
) -> JudgedReply:
    reading = reading_of(completion)
    rows = [JudgedRow(row, gates.rejection(row["row_id"])) for row in rows_of(completion, reading)]
    outcome = f"{reading.outcome}: {reading.detail}".rstrip(": ")
    return JudgedReply(request, completion, outcome, rows)


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


def _feed(
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


def _series(
    settings: Settings,
    seeds: Sequence[SeedTask],
    reply_format: ReplyFormat,
    limits: OutputLimits | None = None,
) -> Series:
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
