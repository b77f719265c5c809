"""Feeds offer the requests that a round sends; the tally counts what the round takes.

Belongs here: the methods of every feed, and the feed over a list. Does not: the feed that works
towards a goal (generation.goal).
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bioinstruct_dagster.teacher.errors import StatusError
from bioinstruct_dagster.teacher.requests import TeacherRequest


class ListFeed:
    """Offers a fixed list of requests.

    Args:
        requests: all requests whose replies the caller needs.
        replies: the stored replies to these requests and to their second draws.
        is_useless: whether a reply is useless, so that its request is sent once more. Without it,
            no request is sent twice.
        stop_reason: why no more requests are worth their price after a new reply, or None.
    """

    def __init__(
        self,
        requests: Sequence[TeacherRequest],
        replies: Sequence[Mapping[str, Any]],
        is_useless: Callable[[Mapping[str, Any]], bool] | None = None,
        stop_reason: Callable[[Mapping[str, Any]], str | None] | None = None,
    ) -> None:
        wanted = {request.completion_id: request for request in requests}
        stored = {reply["completion_id"]: reply for reply in replies}
        self.reused = sum(completion_id in stored for completion_id in wanted)
        self._left = deque(r for key, r in wanted.items() if key not in stored)
        for key, request in wanted.items():
            again = request.again()
            useless = is_useless and key in stored and is_useless(stored[key])
            if useless and again.completion_id not in stored:
                self._left.append(again)  # the run was killed between the two draws
        self._is_useless = is_useless
        self._stop_reason = stop_reason
        self.stopped: str | None = None
        self._requests = requests
        self.busy = False
        self.resume: Mapping[str, Any] = {}

    @property
    def expected_requests(self) -> int:
        """The number of requests that are left."""
        return len(self._left)

    @property
    def example(self) -> TeacherRequest:
        """A request of the usual size."""
        return self._requests[0]

    def start(self, wake: Callable[[], None]) -> None:
        """Do nothing: a list needs no preparation."""

    def take(self) -> TeacherRequest | None:
        """The next request, or None after the last one."""
        return self._left.popleft() if self._left and not self.stopped else None

    def stored(self, request: TeacherRequest, completion: Mapping[str, Any]) -> None:
        """Offer the second draw of a request whose reply is useless, or nothing more."""
        if self._stop_reason and not self.stopped:
            self.stopped = self._stop_reason(completion)
        if self._is_useless and request.draw == 0 and self._is_useless(completion):
            self._left.append(request.again())

    def failed(self, request: TeacherRequest) -> None:
        """Do nothing: the next run offers the request again."""

    def wants(self, request: TeacherRequest) -> bool:  # noqa: ARG002
        """Whether the feed has not stopped, because every request of the list is needed."""
        return not self.stopped

    def progress(self) -> str:
        """The number of requests that are left, for the log."""
        return f"{len(self._left)} requests to go"

    def finish(self) -> None:
        """Do nothing: a list keeps no results."""


class Feed(Protocol):
    """Offers the requests of a round, one after another.

    Attributes:
        stopped: why the feed offers no more requests before its goal; None while it does.
        reused: stored replies that the feed uses in place of new ones.
    """

    stopped: str | None
    reused: int

    @property
    def example(self) -> TeacherRequest:
        """A request of the usual size."""

    @property
    def expected_requests(self) -> int:
        """The number of requests that will probably be sent."""

    def start(self, wake: Callable[[], None]) -> None:
        """Begin. The feed calls `wake` when `take` may return a new request."""

    def take(self) -> TeacherRequest | None:
        """The next request; None if there is none now."""

    def stored(self, request: TeacherRequest, completion: Mapping[str, Any]) -> None:
        """Take in the reply to a request. It is on disk already."""

    def failed(self, request: TeacherRequest) -> None:
        """Take in that the round gives the request up."""

    def wants(self, request: TeacherRequest) -> bool:
        """Whether a request that was offered and not sent yet is still needed."""

    @property
    def resume(self) -> Mapping[str, Any]:
        """The run configuration with which a later run works towards the same goal."""

    @property
    def busy(self) -> bool:
        """Whether `take` may return a new request although no request is in flight."""

    def progress(self) -> str:
        """The progress so far, for the log."""

    def finish(self) -> None:
        """End the round."""


@dataclass(frozen=True)
class Refusal:
    """A request that the server refused, and that is not sent again in the round.

    Attributes:
        request: the request.
        error: the server's answer.
        refused_at: the time of the answer.
    """

    request: TeacherRequest
    error: StatusError
    refused_at: datetime


@dataclass
class Tally:
    """What a round took: requests, tokens and dollars, and why it stopped.

    Attributes:
        reused: stored replies that were used in place of new ones.
        asked: new replies that were stored.
        failed: requests that were given up; the next run sends them again.
        pending: requests in batches that have not ended.
        rate_limited: refusals by a rate limit (429).
        retried: attempts after a failure.
        presumed: attempts that may have been billed, without a stated cost.
        usd: dollars of the new replies; None if a price is unknown.
        tokens: tokens of the new replies.
        stopped: why the round ended before its goal; None if it did not.
        over_limit: that the server billed replies above their limit; None if it did not.
        errors: the first errors of failed requests.
        refusals: the failed requests that the server refused.
    """

    reused: int = 0
    asked: int = 0
    failed: int = 0
    pending: int = 0
    rate_limited: int = 0
    retried: int = 0
    presumed: int = 0
    usd: float | None = 0.0
    tokens: int = 0
    stopped: str | None = None
    over_limit: str | None = None
    errors: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
