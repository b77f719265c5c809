"""A few real replies before the whole set is paid for, as the gates would judge their rows.

The replies are stored as all others, so that the next run reuses them. Belongs here: sending a few
requests, and what their replies hold. Does not: the prompts and the estimate (generation.preview),
or the words on the screen (preview_text).
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.generation.goal import GoalFeed
from bioinstruct_dagster.generation.preview import (
    ExplainingGates,
    MakeGates,
    goal_feed_of,
    series_of,
)
from bioinstruct_dagster.generation.raw_rows import reading_of, rows_of
from bioinstruct_dagster.progress import Progress
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.feeds import Tally
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.rounds import pursue
from bioinstruct_dagster.teacher.session import open_session


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


def asked_replies(
    settings: Settings,
    store: Store,
    make_gates: MakeGates,
    count: int,
    *,
    log: Callable[[str], None],
    progress: Progress,
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
        progress: is told of each reply.

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
        series = series_of(settings, seeds, session.reply_format, session.terms.output_limits)
        feed, tally = pursue(
            session,
            lambda: FewRequests(goal_feed_of(settings, store, series, gates), count, progress),
            purpose="generation",
        )
    return [_judged(request, completion, gates) for request, completion in feed.replies], tally


class FewRequests:
    """A feed that offers the first requests of another one, and keeps their replies."""

    def __init__(self, feed: GoalFeed, most: int, progress: Progress) -> None:
        self._feed = feed
        self._left = most
        self._progress = progress
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
        self._progress.come_to(len(self.replies))
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
