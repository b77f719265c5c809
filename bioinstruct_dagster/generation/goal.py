"""Generating until enough rows are kept: which request is next, and when to stop.

As replies arrive, the gates of `deduplicated_instructions` check their rows in the order of request
numbers. The data set uses the requests up to the first one that reaches the goal, so it does not
depend on which reply arrives first. Replies to later requests stay in the store and are used when
the goal grows.

Belongs here: the feed of requests towards a goal. Does not: how many are needed (look_ahead),
sending them (teacher.flow.sending), or the gates (curation).
"""

import asyncio
import json
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from bioinstruct_dagster.generation.controls.file import Controls
from bioinstruct_dagster.generation.controls.steering import ControlSteering
from bioinstruct_dagster.generation.look_ahead import LookAhead
from bioinstruct_dagster.generation.raw_rows import RequestReplies, unread_reason
from bioinstruct_dagster.generation.series.replay import SeriesReplay
from bioinstruct_dagster.generation.series.series import Series
from bioinstruct_dagster.seeds.tasks import SeedTask
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.output_limits import CUT_COLUMNS, advice_if_most
from bioinstruct_dagster.teacher.reading.answer_text import ANSWER_COLUMNS
from bioinstruct_dagster.teacher.requests import TeacherRequest

_REPLIES_PER_CHECK = 100  # stored replies checked at once


class RowGates(Protocol):
    """The gates of curation; they check rows in the order of request numbers."""

    def extend(self, raw: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Check the next rows; True for each row that is kept."""


GateMaker = Callable[[Sequence[SeedTask]], RowGates]


class GoalFeed:
    """Offers the requests of a series until enough rows would be kept.

    Args:
        series: the requests by number.
        gate: checks rows; nothing else may use it at the same time.
        goal: number of rows to keep.
        stored: the store's completions of this series, rows of `STORED_COMPLETIONS`.
        limit: the most requests to use; None for no limit. A retry does not count. Requests of the
            present set stay in it, even beyond the limit.
        reach: the last request number of the present set; -1 if there is no set. Answered requests
            up to this number stay in the set.
        steering: the controls of new requests; None for prompts without controls.
    """

    def __init__(
        self,
        series: Series,
        gate: RowGates,
        *,
        goal: int,
        stored: Sequence[Mapping[str, Any]] = (),
        limit: int | None = None,
        reach: int = -1,
        steering: ControlSteering | None = None,
    ) -> None:
        self._series = series
        self._gate = gate
        self.goal = goal
        self._limit = limit
        self._reach = reach
        self._steering = steering
        self._replay = SeriesReplay(series, stored, steering)
        self._replies: dict[int, RequestReplies] = {}  # of requests that are answered or failed
        self._retries: list[TeacherRequest] = []
        self._unanswered: dict[int, RequestReplies] = {}
        self._next = 0  # the next number to offer
        self._checked = 0  # all numbers below this one are checked
        self._kept_by_number: dict[int, int] = {}
        self._checking: asyncio.Task[None] | None = None
        self._gate_thread = ThreadPoolExecutor(1, "gate")
        self._running_check: tuple[list[int], Future[list[bool]]] | None = None
        self._failure: Exception | None = None
        self._failed: set[int] = set()  # numbers that this round gave up
        self._wake: Callable[[], None] = lambda: None
        self._look_ahead = LookAhead(goal, series.tasks_per_request)
        self.kept = 0
        self.end: int | None = None  # the number at which the goal or a too low yield was reached
        self.reused = 0
        # Why no more requests are offered. Too many failed requests end only the round: which rows
        # belong to the set depends on stored replies alone.
        self.stopped: str | None = None
        self._use_stored_replies()

    @property
    def expected_requests(self) -> int:
        """How many requests will probably still be sent."""
        if self.end is not None:
            return 0
        last = self._next + self._look_ahead.requests_needed(self.kept)
        if self._limit is not None:
            last = max(self._next, min(last, self._limit))
        have = sum(
            self._next <= number < last and self._replay.first_reply(number) is not None
            for number in self._replay.numbers()
        )
        return last - self._next - have + len(self._retries)

    @property
    def example(self) -> TeacherRequest:
        """A request of the usual size."""
        return self._replay.request(self._next)

    @property
    def resume(self) -> Mapping[str, Any]:
        """The run configuration with which a later run continues towards this goal."""
        return {
            "instructions": self.goal,
            "requests": self._limit,
            "seed": self._series.run_seed,
        }

    @property
    def busy(self) -> bool:
        """Whether rows are being checked."""
        return self._checking is not None

    def start(self, wake: Callable[[], None]) -> None:
        """Remember `wake`, which tells the sending loop that `take` may have a new request."""
        self._wake = wake

    def take(self) -> TeacherRequest | None:
        """The next request; None if none is needed now."""
        if self._failure:
            raise self._failure
        while self.end is None and not self.stopped:
            if self._retries:
                return self._retries.pop(0)
            if self._is_beyond_limit(self._next) or not self._has_room():
                return None
            number = self._next
            self._next += 1
            if not self._use_stored_reply(number):
                request = self._replay.new_request(number)
                self._note_controls(number, request.controls)
                self._unanswered[number] = RequestReplies()
                return request
            self._start_checking()
        return None

    def stored(self, request: TeacherRequest, completion: Mapping[str, Any]) -> None:
        """Process a reply that is in the store."""
        number = request.request_number
        if number is None:
            raise ValueError("The request has no number, so it is not a request of this series.")
        if self._unanswered[number].take(completion):
            self._resolve(number, self._unanswered.pop(number))
        else:
            self._retries.append(self._replay.with_new_key(request.again()))

    def failed(self, request: TeacherRequest) -> None:
        """Give the request up for this round: its number brings no rows."""
        number = request.request_number
        if number is not None and number in self._unanswered:
            self._failed.add(number)
            self._resolve(number, self._unanswered.pop(number))

    def wants(self, request: TeacherRequest) -> bool:  # noqa: ARG002
        """True for every request until the goal is reached, or too many requests fail."""
        return self.end is None and not self.stopped

    def finish(self) -> None:
        """End the round: check the replies after a gap, and use all other stored replies.

        Requests of the present set stay in it. If the goal was not reached, the set uses all
        replies that were paid for.
        """
        self._gate_thread.shutdown()
        if self._running_check and not self._running_check[1].cancelled():
            numbers, verdicts = self._running_check
            self._count(numbers, verdicts.result())  # the loop ended while the gates checked rows
        for number in range(self._next):
            self._replies.setdefault(number, self._unanswered.pop(number, RequestReplies()))
        for number in self._replay.numbers():
            if number not in self._replies:
                self._use_stored_reply(number, retry=False)
        self._check(sorted(n for n in self._replies if self._checked <= n <= self._last_number))
        self.kept = sum(
            kept for number, kept in self._kept_by_number.items() if number <= self._last_number
        )

    def progress(self) -> str:
        """The rows kept so far, for the log."""
        return f"{self.kept} of {self.goal} rows kept by {self._checked} requests"

    def completion_ids(self) -> list[str]:
        """The completions that the set uses, in order."""
        return [
            completion_id
            for number in sorted(self._replies)
            if number <= self._last_number
            for completion_id in self._replies[number].completion_ids
        ]

    def cut_advice(self) -> str | None:
        """What to do if the limit of output cut most replies; None if it did not."""
        return advice_if_most(answer.cut for answer in self._replies.values())

    def unused_completions(self) -> int:
        """The number of stored completions that the set does not use yet."""
        used = set(self.completion_ids())
        have = sum(len(answer.completion_ids) for answer in self._replies.values())
        return have - len(used)

    @property
    def _last_number(self) -> float:
        """The last number that belongs to the set."""
        if self.end is not None:
            return max(self.end, self._reach)
        return math.inf if self._limit is None else max(self._limit - 1, self._reach)

    def _is_beyond_limit(self, number: int) -> bool:
        return self._limit is not None and number >= self._limit

    def _use_stored_replies(self) -> None:
        """Check the stored replies up to the first number without a reply."""
        while self.end is None and not self._retries and not self._is_beyond_limit(self._next):
            if not self._use_stored_reply(self._next):
                break
            self._next += 1
            if (self._next - self._checked) >= _REPLIES_PER_CHECK:
                self._check(self._unchecked())
        self._check(self._unchecked())

    def _use_stored_reply(self, number: int, *, retry: bool = True) -> bool:
        """Use the stored reply to this number; False if there is none."""
        found = self._replay.first_reply(number, even_cut=not retry)
        if not found:
            return False
        request, reply = found
        answer = RequestReplies()
        self.reused += 1
        self._note_controls(number, request.controls)
        if not answer.take(reply):
            again = request.again()
            second = self._replay.retry_reply(again, even_cut=not retry)
            if second:
                answer.take(second)
                self.reused += 1
            elif retry:
                self._unanswered[number] = answer
                self._retries.append(self._replay.with_new_key(again))
                return True
        self._replies[number] = answer
        return True

    def _note_controls(self, number: int, controls: Sequence[Mapping[str, str]]) -> None:
        if self._steering and self.end is None:
            self._steering.note_requested(number, controls)

    def _resolve(self, number: int, answer: RequestReplies) -> None:
        self._replies[number] = answer
        self._start_checking()

    def _has_room(self) -> bool:
        """Whether one more request may be sent without the risk of exceeding the goal."""
        return self._look_ahead.has_room(self.kept, self._next - self._checked)

    def _unchecked(self) -> list[int]:
        numbers = []
        number = self._checked
        while number in self._replies:
            numbers.append(number)
            number += 1
        return numbers

    def _start_checking(self) -> None:
        """Check the new replies in a thread, so that the loop goes on processing replies."""
        if self._checking is None and self.end is None and self._checked in self._replies:
            self._checking = asyncio.get_running_loop().create_task(self._check_in_thread())

    async def _check_in_thread(self) -> None:
        try:
            while self.end is None and (numbers := self._unchecked()):
                verdicts = self._gate_thread.submit(self._gate.extend, self._rows_of(numbers))
                self._running_check = (numbers, verdicts)
                checked = await asyncio.wrap_future(verdicts)
                self._running_check = None
                self._count(numbers, checked)
                self._wake()
        except Exception as error:  # noqa: BLE001  # `take` raises it in the sending loop
            self._failure = error
        finally:
            self._checking = None
            self._wake()

    def _check(self, numbers: list[int]) -> None:
        self._count(numbers, self._gate.extend(self._rows_of(numbers)))

    def _rows_of(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        return [row for number in numbers for row in self._replies[number].rows]

    def _count(self, numbers: Sequence[int], verdicts: Sequence[bool]) -> None:
        verdict = iter(verdicts)
        for number in numbers:
            kept = [row for row in self._replies[number].rows if next(verdict)]
            self._kept_by_number[number] = len(kept)
            self._checked = number + 1
            if self.end is not None:
                continue
            self.kept += len(kept)
            if self._replies[number].completion_ids:
                self._look_ahead.learn(
                    len(kept),
                    is_current=self._replay.is_current(number),
                    cut=self._replies[number].cut,
                )
            elif number in self._failed:
                self._look_ahead.learn_failed()
            if self._steering:
                self._steering.note_kept(number, [(row, _controls_of(row)) for row in kept])
            if self.kept >= self.goal:
                self.end = number
            elif why := self._look_ahead.low_yield_reason(self.kept):
                self.end = number
                self.stopped = unread_reason(self._replies.values()) or why
            else:
                self.stopped = self.stopped or self._look_ahead.failure_reason(self.kept)


# The last request number of the present set, and how many of its rows are kept.
PRESENT_SET = """
    select
        coalesce(max(request_number), -1) as reach,
        (select count(*) from deduplicated_instructions) as kept
    from completions
    join completion_outcomes using (completion_id)
    where purpose = 'generation' and teacher = $teacher and model_asked = $model
      and run_seed = $run_seed
"""

STORED_COMPLETIONS = f"""
    select
        completion_id, request_number, draw, refusal, reply_format, controls, controls_sha256,
        rehearsal, {CUT_COLUMNS}, {ANSWER_COLUMNS}
    from completions
    where purpose = 'generation' and teacher = $teacher and model_asked = $model
      and run_seed = $run_seed
    order by request_number, draw, completed_at desc
"""


def goal_feed(
    series: Series,
    store: Store,
    gate: RowGates,
    *,
    goal: int,
    grow_by: int = 0,
    limit: int | None = None,
    controls: Controls | None = None,
    concurrency: int = 16,
) -> GoalFeed:
    """The feed of a series, with the replies that the store has.

    Args:
        series: the requests by number.
        store: where the replies are.
        gate: new gates, which know the seeds and have checked no row.
        goal: number of rows to keep.
        grow_by: if there is a set already, the goal is this many rows more than the set keeps.
        limit: the most requests to use.
        controls: the values that a prompt can request; None for prompts without controls.
        concurrency: requests in flight.
    """
    key = {"teacher": series.teacher, "model": series.model, "run_seed": series.run_seed}
    present = store.rows(PRESENT_SET, key)[0]
    if grow_by and present["reach"] >= 0:
        goal = present["kept"] + grow_by
    steering = (
        ControlSteering(controls, series.run_seed, series.tasks_per_request, concurrency)
        if controls
        else None
    )
    return GoalFeed(
        series,
        gate,
        goal=goal,
        stored=store.rows(STORED_COMPLETIONS, key),
        limit=limit,
        reach=present["reach"],
        steering=steering,
    )


def _controls_of(row: Mapping[str, Any]) -> Mapping[str, str] | None:
    return json.loads(row["controls"]) if row.get("controls") else None
