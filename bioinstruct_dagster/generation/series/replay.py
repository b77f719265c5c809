"""What the store holds of a series: which reply answers which request number.

A request is rebuilt with the controls that its stored reply was asked for, so that what was paid
for is found again whatever the pool lacked then. Belongs here: rebuilding and matching. Does not:
how many requests are needed (goal).
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.generation.controls.steering import ControlSteering
from bioinstruct_dagster.generation.series.series import Series
from bioinstruct_dagster.teacher.requests import TeacherRequest

StoredReply = Mapping[str, Any]
RequestedControls = Sequence[Mapping[str, str]]


class SeriesReplay:
    """The stored replies of a series by number.

    Args:
        series: the requests by number.
        replies: the store's completions of it, rows of `goal.STORED`.
        steering: controls, or None for prompts without.
    """

    def __init__(
        self,
        series: Series,
        replies: Sequence[StoredReply],
        steering: ControlSteering | None = None,
    ) -> None:
        self._series = series
        self._steering = steering
        self._replies: dict[int, list[StoredReply]] = defaultdict(list)
        for reply in replies:
            self._replies[reply["request_number"]].append(reply)
        if steering:
            for known in self._replies.values():  # before one that was asked without controls
                known.sort(key=lambda reply: not reply["controls"])

    def numbers(self) -> Iterator[int]:
        """Numbers with any reply, in order."""
        return iter(sorted(self._replies))

    def request(self, number: int, controls: RequestedControls | None = None) -> TeacherRequest:
        """The request of this number: with these controls where they are known, else drawn."""
        if not self._steering or controls == ():
            return self._series.request(number)
        if controls is None or not self._steering.knows(controls):
            controls = self._steering.draw(number)
        return self._series.request(number, controls, self._steering.controls.lines(controls))

    def first(self, number: int) -> tuple[TeacherRequest, StoredReply] | None:
        """The request of this number with its stored reply, where it has one."""
        for reply in self._replies.get(number, ()):
            if not reply["draw"]:
                request = self.request(number, _controls(reply))
                if request.completion_id == reply["completion_id"]:
                    return request, reply
        return None

    def second(self, request: TeacherRequest) -> StoredReply | None:
        """The reply to a request that was asked once more."""
        for reply in self._replies.get(request.request_number or 0, ()):
            if reply["completion_id"] == request.completion_id:
                return reply
        return None

    def of_today(self, number: int) -> bool:
        """Whether all that is stored of this number was asked with today's seeds and controls.

        As far as a prompt shows it: a seed that it would not have shown leaves no trace.
        """
        known = [reply for reply in self._replies.get(number, ()) if not reply["draw"]]
        return all(
            reply["controls_sha256"] == self._series.controls_sha256
            and self.request(number, _controls(reply)).completion_id == reply["completion_id"]
            for reply in known
        )


def _controls(reply: StoredReply) -> RequestedControls:
    controls = reply["controls"]
    return tuple(json.loads(controls)) if controls else ()
