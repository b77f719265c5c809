"""The stored replies of a series: which reply answers which request number.

A request is rebuilt with the controls that are stored with its reply. So its completion is found
again although the pool lacks other values now. It is found under any limits of output, too.

Belongs here: rebuilding requests and matching replies. Does not: how many requests are needed
(look_ahead), or which number is next (goal).
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.generation.controls.steering import ControlSteering
from bioinstruct_dagster.generation.raw_rows import reading_of
from bioinstruct_dagster.generation.series.series import Series
from bioinstruct_dagster.teacher.output_limits import (
    covers_limits,
    is_cut,
    is_reply_to,
    with_own_key,
)
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
        self._ids = {reply["completion_id"] for reply in replies}
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

    def new_request(self, number: int) -> TeacherRequest:
        """The request of this number that is sent now, because no stored reply can be used."""
        return self.with_new_key(self.request(number))

    def with_new_key(self, request: TeacherRequest) -> TeacherRequest:
        """The request, with a key that no stored reply has. A reply that was cut may have it."""
        return with_own_key(request) if request.completion_id in self._ids else request

    def first_reply(
        self, number: int, *, even_cut: bool = False
    ) -> tuple[TeacherRequest, StoredReply] | None:
        """The request of this number and its stored reply; None if no stored reply can be used.

        A reply that its limit cut before the first task can't be used if the present limits differ
        from its own: the request is sent again.

        Args:
            number: place in the series.
            even_cut: whether a cut reply is used all the same, because nothing more is sent.
        """
        fitting = [
            (request, reply)
            for reply in self._replies.get(number, ())
            if not reply["draw"] and (request := self._asked_by(number, reply))
        ]
        return _usable(fitting) or (fitting[0] if fitting and even_cut else None)

    def retry_reply(self, request: TeacherRequest, *, even_cut: bool = False) -> StoredReply | None:
        """The stored reply to a request that was sent once more; None if none can be used."""
        fitting = [
            (request, reply)
            for reply in self._replies.get(request.request_number or 0, ())
            if reply["draw"] == request.draw and is_reply_to(request, reply)
        ]
        found = _usable(fitting) or (fitting[0] if fitting and even_cut else None)
        return found[1] if found else None

    def is_current(self, number: int) -> bool:
        """Whether the stored replies of this number fit the present seeds and controls.

        Only seeds that the request shows count: another seed does not change the request.
        """
        known = [reply for reply in self._replies.get(number, ()) if not reply["draw"]]
        return all(
            reply["controls_sha256"] == self._series.controls_sha256
            and self._asked_by(number, reply) is not None
            for reply in known
        )

    def _asked_by(self, number: int, reply: StoredReply) -> TeacherRequest | None:
        """The request of this number, with the reply's controls, if the reply answers it."""
        request = self.request(number, _controls(reply))
        return request if is_reply_to(request, reply) else None


def _usable(
    fitting: Sequence[tuple[TeacherRequest, StoredReply]],
) -> tuple[TeacherRequest, StoredReply] | None:
    """The first reply with tasks or without a cut, or else one that a new reply would resemble."""
    covering = [(request, reply) for request, reply in fitting if covers_limits(reply, request)]
    if len(fitting) == 1 and covering:
        return covering[0]
    for request, reply in fitting:
        if not is_cut(reply) or reading_of(reply).tasks:
            return request, reply
    return covering[0] if covering else None


def _controls(reply: StoredReply) -> RequestedControls:
    controls = reply["controls"]
    return tuple(json.loads(controls)) if controls else ()
