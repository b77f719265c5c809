"""Feeds: the requests that a round sends; and the tally: what the round took.

Belongs here: what every feed offers, and the feed over a plain list. Does not: the feed that works
towards a goal (generation.goal).
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bioinstruct_dagster.teacher.requests import TeacherRequest


class ListFeed:
    """Offers a fixed list of requests.

    Args:
        requests: all that are wanted.
        replies: what the store holds of them, second draws included.
        is_useless: whether a request is sent once more after such a reply; never, without it.
    """

    def __init__(
        self,
        requests: Sequence[TeacherRequest],
        replies: Sequence[Mapping[str, Any]],
        is_useless: Callable[[Mapping[str, Any]], bool] | None = None,
    ) -> None:
        wanted = {request.completion_id: request for request in requests}
        stored = {reply["completion_id"]: reply for reply in replies}
        self.reused = sum(completion_id in stored for completion_id in wanted)
        self._left = deque(r for key, r in wanted.items() if key not in stored)
        for key, request in wanted.items():
            again = request.again()
            useless = is_useless and key in stored and is_useless(stored[key])
            if useless and again.completion_id not in stored:
                self._left.append(again)  # a kill came between the two draws
        self._worth_again = is_useless
        self.expected_requests = len(self._left)
        self.stopped: str | None = None
        self._requests = requests
        self.busy = False
        self.resume: Mapping[str, Any] = {}

    @property
    def example(self) -> TeacherRequest:
        """A request of the usual size."""
        return self._requests[0]

    def start(self, wake: Callable[[], None]) -> None:
        """Nothing to prepare."""

    def take(self) -> TeacherRequest | None:
        """The next request."""
        return self._left.popleft() if self._left else None

    def stored(self, request: TeacherRequest, completion: Mapping[str, Any]) -> None:
        """Ask once more where the reply is of no use."""
        if self._worth_again and request.draw == 0 and self._worth_again(completion):
            self._left.append(request.again())

    def failed(self, request: TeacherRequest) -> None:
        """Left for the next run."""

    def wants(self, request: TeacherRequest) -> bool:  # noqa: ARG002
        """All that was offered."""
        return True

    def progress(self) -> str:
        """What is left."""
        return f"{len(self._left)} requests to go"

    def finish(self) -> None:
        """Nothing to do."""


class Feed(Protocol):
    """The requests that a round sends, one after another."""

    stopped: str | None
    reused: int

    @property
    def example(self) -> TeacherRequest:
        """A request of the usual size."""

    @property
    def expected_requests(self) -> int:
        """Requests that are probably still to be sent."""

    def start(self, wake: Callable[[], None]) -> None:
        """The loop begins; `wake` tells it that `take` may have something new."""

    def take(self) -> TeacherRequest | None:
        """The next request; None where there is none, or none now."""

    def stored(self, request: TeacherRequest, completion: Mapping[str, Any]) -> None:
        """The request's reply is on disk."""

    def failed(self, request: TeacherRequest) -> None:
        """The request is given up in this round."""

    def wants(self, request: TeacherRequest) -> bool:
        """Whether a request that was offered is still worth its price."""

    @property
    def resume(self) -> Mapping[str, Any]:
        """Run configuration with which a later run goes on towards the same goal."""

    @property
    def busy(self) -> bool:
        """Whether `take` may have something new although no reply is awaited."""

    def progress(self) -> str:
        """Where things stand, for the log."""

    def finish(self) -> None:
        """The round is over."""


@dataclass
class Tally:
    """What a round took: requests, tokens and dollars, and why it stopped."""

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
    errors: list[str] = field(default_factory=list)
