"""The stored replies of a series: which reply answers which request number.

A request is rebuilt with the controls that are stored with its reply. So its completion is found
again although the pool lacks other values now.

Belongs here: rebuilding requests and matching replies. Does not: how many requests are needed
(look_ahead), or which number is next (goal).
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
        replies: the store's completions of the series, rows of `goal.STORED_COMPLETIONS`.
        steering: the controls of new requests; None for prompts without controls.
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
            for known in self._replies.values():  # replies with controls before replies without
                known.sort(key=lambda reply: not reply["controls"])

    def numbers(self) -> Iterator[int]:
        """The numbers that have a stored reply, in ascending order."""
        return iter(sorted(self._replies))

    def request(self, number: int, controls: RequestedControls | None = None) -> TeacherRequest:
        """The request of this number.

        Args:
            number: place in the series.
            controls: the requested values. If they are None, or the controls file no longer has
                them, the steering draws new ones.
        """
        if not self._steering or controls == ():
            return self._series.request(number)
        if controls is None or not self._steering.has_values(controls):
            controls = self._steering.draw(number)
        return self._series.request(number, controls, self._steering.controls.lines(controls))

    def first_reply(self, number: int) -> tuple[TeacherRequest, StoredReply] | None:
        """The request of this number and its stored reply; None if no stored reply fits."""
        for reply in self._replies.get(number, ()):
            if not reply["draw"]:
                request = self.request(number, _controls(reply))
                if request.completion_id == reply["completion_id"]:
                    return request, reply
        return None

    def retry_reply(self, request: TeacherRequest) -> StoredReply | None:
        """The stored reply to a request that was sent once more; None if there is none."""
        for reply in self._replies.get(request.request_number or 0, ()):
            if reply["completion_id"] == request.completion_id:
                return reply
        return None

    def is_current(self, number: int) -> bool:
        """Whether the stored replies of this number fit the present seeds and controls.

        Only seeds that the request shows count: another seed does not change the request.
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
