"""Generating until enough rows are kept: which requests are still to be sent, and when to stop.

As replies come in, the gates of `deduplicated_instructions` check their rows in canonical order.
The data set uses the requests up to the first one that reaches the goal, so it does not depend on
which reply came first. Replies beyond that one are stored, and used when the goal grows. Belongs
here: the feed of requests towards a goal. Does not: how many are needed (look_ahead), sending them
(teacher.flow.sending), or the gates (curation).
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
from bioinstruct_dagster.generation.raw_rows import RequestReplies
from bioinstruct_dagster.generation.series.replay import SeriesReplay
from bioinstruct_dagster.generation.series.series import Series
from bioinstruct_dagster.seeds.tasks import SeedTask
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.requests import TeacherRequest

_PORTION = 100  # stored replies checked at once


class RowGates(Protocol):
    """The gates of curation over rows in canonical order."""

    def extend(self, raw: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Check the next rows; whether each is kept."""


GateMaker = Callable[[Sequence[SeedTask]], RowGates]


class GoalFeed:
    """Offers the requests of a series until enough rows would be kept.

    Args:
        series: the requests by number.
        gate: checks rows; nothing else may use it meanwhile.
        goal: rows to be kept.
        stored: the store's completions of this series, rows of `STORED`.
        limit: requests that may be used at most, one asked once more counted once; None for no
            limit. What is in the present set already stays in it.
        reach: how far the present set goes; what is answered up to there stays in it.
        steering: controls, or None for a prompt without.
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
        self._answers: dict[int, RequestReplies] = {}  # resolved: answered, or given up
        self._again: list[TeacherRequest] = []
        self._offered: dict[int, RequestReplies] = {}
        self._next = 0  # the next number to be offered
        self._checked = 0  # numbers below it are checked
        self._kept_of: dict[int, int] = {}
        self._checking: asyncio.Task[None] | None = None
        self._bench = ThreadPoolExecutor(1, "gate")
        self._at_gate: tuple[list[int], Future[list[bool]]] | None = None
        self._failure: Exception | None = None
        self._wake: Callable[[], None] = lambda: None
        self._ahead = LookAhead(goal, series.tasks_per_request)
        self.kept = 0
        self.end: int | None = None  # the number with which the goal, or the floor, was reached
        self.reused = 0
        self.stopped: str | None = None
        self._use_stored()

    @property
    def expected_requests(self) -> int:
        """Requests that are probably still to be asked."""
        if self.end is not None:
            return 0
        last = self._next + self._ahead.requests_needed(self.kept)
        if self._limit is not None:
            last = max(self._next, min(last, self._limit))
        have = sum(
            self._next <= number < last and self._replay.first(number) is not None
            for number in self._replay.numbers()
        )
        return last - self._next - have + len(self._again)

    @property
    def example(self) -> TeacherRequest:
        """A request of the usual size."""
        return self._replay.request(self._next)

    @property
    def resume(self) -> Mapping[str, Any]:
        """Run configuration with which a later run works towards the same goal."""
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
        """The loop begins."""
        self._wake = wake

    def take(self) -> TeacherRequest | None:
        """The next request; None where none is needed now."""
        if self._failure:
            raise self._failure
        while self.end is None:
            if self._again:
                return self._again.pop(0)
            if self._is_beyond_limit(self._next) or not self._room():
                return None
            number = self._next
            self._next += 1
            if not self._use(number):
                request = self._replay.request(number)
                self._note_asked(number, request.controls)
                self._offered[number] = RequestReplies()
                return request
            self._check_later()
        return None

    def stored(self, request: TeacherRequest, completion: Mapping[str, Any]) -> None:
        """The request's reply is on disk."""
        number = request.request_number
        if number is None:
            raise ValueError("A request of a series has a number.")
        if self._offered[number].take(completion):
            self._resolve(number, self._offered.pop(number))
        else:
            self._again.append(request.again())

    def failed(self, request: TeacherRequest) -> None:
        """The request is given up in this round: its number brings no rows."""
        number = request.request_number
        if number is not None and number in self._offered:
            self._resolve(number, self._offered.pop(number))

    def wants(self, request: TeacherRequest) -> bool:  # noqa: ARG002
        """Any, until the goal is reached."""
        return self.end is None

    def finish(self) -> None:
        """The round is over: check what came beyond a gap, and take in what else is stored.

        What the present set holds stays in it. Where the goal was not reached, all that was paid
        for is used.
        """
        self._bench.shutdown()
        if self._at_gate and not self._at_gate[1].cancelled():
            numbers, verdicts = self._at_gate
            self._count(numbers, verdicts.result())  # the loop ended while the gates worked
        for number in range(self._next):
            self._answers.setdefault(number, self._offered.pop(number, RequestReplies()))
        for number in self._replay.numbers():
            if number not in self._answers:
                self._use(number, ask_again=False)
        self._check(sorted(n for n in self._answers if self._checked <= n <= self._last))
        self.kept = sum(kept for number, kept in self._kept_of.items() if number <= self._last)

    def progress(self) -> str:
        """Where things stand."""
        return f"{self.kept} of {self.goal} rows kept by {self._checked} requests"

    def completion_ids(self) -> list[str]:
        """The completions that the set rests on, in order."""
        return [
            completion_id
            for number in sorted(self._answers)
            if number <= self._last
            for completion_id in self._answers[number].completion_ids
        ]

    def beyond(self) -> int:
        """Completions that are stored and not needed yet."""
        used = set(self.completion_ids())
        have = sum(len(answer.completion_ids) for answer in self._answers.values())
        return have - len(used)

    @property
    def _last(self) -> float:
        """The last number that belongs to the set."""
        if self.end is not None:
            return max(self.end, self._reach)
        return math.inf if self._limit is None else max(self._limit - 1, self._reach)

    def _is_beyond_limit(self, number: int) -> bool:
        return self._limit is not None and number >= self._limit

    def _use_stored(self) -> None:
        """Check what the store holds, as far as it goes without a gap."""
        while self.end is None and not self._again and not self._is_beyond_limit(self._next):
            if not self._use(self._next):
                break
            self._next += 1
            if (self._next - self._checked) >= _PORTION:
                self._check(self._unchecked())
        self._check(self._unchecked())

    def _use(self, number: int, *, ask_again: bool = True) -> bool:
        """Whether the store answers this number; its rows are taken then."""
        found = self._replay.first(number)
        if not found:
            return False
        request, reply = found
        answer = RequestReplies()
        self.reused += 1
        self._note_asked(number, request.controls)
        if not answer.take(reply):
            again = request.again()
            second = self._replay.second(again)
            if second:
                answer.take(second)
                self.reused += 1
            elif ask_again:
                self._offered[number] = answer
                self._again.append(again)
                return True
        self._answers[number] = answer
        return True

    def _note_asked(self, number: int, controls: Sequence[Mapping[str, str]]) -> None:
        if self._steering and self.end is None:
            self._steering.asked(number, controls)

    def _resolve(self, number: int, answer: RequestReplies) -> None:
        self._answers[number] = answer
        self._check_later()

    def _room(self) -> bool:
        """Whether one more request may be under way without risking to overshoot the goal."""
        return self._ahead.has_room(self.kept, self._next - self._checked)

    def _unchecked(self) -> list[int]:
        numbers = []
        number = self._checked
        while number in self._answers:
            numbers.append(number)
            number += 1
        return numbers

    def _check_later(self) -> None:
        """Check in a thread what has come in, so that no reply waits for it."""
        if self._checking is None and self.end is None and self._checked in self._answers:
            self._checking = asyncio.get_running_loop().create_task(self._check_in_thread())

    async def _check_in_thread(self) -> None:
        try:
            while self.end is None and (numbers := self._unchecked()):
                verdicts = self._bench.submit(self._gate.extend, self._rows_of(numbers))
                self._at_gate = (numbers, verdicts)
                checked = await asyncio.wrap_future(verdicts)
                self._at_gate = None
                self._count(numbers, checked)
                self._wake()
        except Exception as error:  # noqa: BLE001  # raised by `take`, where the loop sees it
            self._failure = error
        finally:
            self._checking = None
            self._wake()

    def _check(self, numbers: list[int]) -> None:
        self._count(numbers, self._gate.extend(self._rows_of(numbers)))

    def _rows_of(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        return [row for number in numbers for row in self._answers[number].rows]

    def _count(self, numbers: Sequence[int], verdicts: Sequence[bool]) -> None:
        verdict = iter(verdicts)
        for number in numbers:
            kept = [row for row in self._answers[number].rows if next(verdict)]
            self._kept_of[number] = len(kept)
            self._checked = number + 1
            if self.end is not None:
                continue
            self.kept += len(kept)
            if self._answers[number].completion_ids:
                self._ahead.learn(len(kept), of_today=self._replay.of_today(number))
            if self._steering:
                self._steering.checked(number, [(row, _asked(row)) for row in kept])
            if self.kept >= self.goal:
                self.end = number
            elif why := self._ahead.too_low(self.kept):
                self.end = number
                self.stopped = why


# How far the present set goes, and how many rows of it are kept.
PRESENT = """
    select
        coalesce(max(request_number), -1) as reach,
        (select count(*) from deduplicated_instructions) as kept
    from completions
    join completion_outcomes using (completion_id)
    where purpose = 'generation' and teacher = $teacher and model_asked = $model
      and run_seed = $run_seed
"""

STORED = """
    select
        completion_id, request_number, draw, content, finish_reason, refusal, reply_format,
        controls, controls_sha256, rehearsal
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
    """The feed of a series over what the store holds.

    Args:
        series: the requests by number.
        store: which replies there are.
        gate: a fresh one, that knows the seeds.
        goal: rows to be kept.
        grow_by: where there is a set already, the goal is so many rows more than it keeps.
        limit: requests that may be used at most.
        controls: what may be asked of tasks.
        concurrency: requests in flight.
    """
    key = {"teacher": series.teacher, "model": series.model, "run_seed": series.run_seed}
    present = store.rows(PRESENT, key)[0]
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
        stored=store.rows(STORED, key),
        limit=limit,
        reach=present["reach"],
        steering=steering,
    )


def _asked(row: Mapping[str, Any]) -> Mapping[str, str] | None:
    return json.loads(row["controls"]) if row.get("controls") else None
