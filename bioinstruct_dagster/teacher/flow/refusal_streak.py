"""Refusals in a row: they show whether a server refuses one request or all.

One refused request is counted, and the other requests go on. If different requests are refused
alike, and none is accepted in between, the round ends. While refusals run in a row, fewer requests
may be in flight, so that the limit holds. Belongs here: counting refusals, and when they end a
round. Does not: the kinds of refusals (teacher.refusals), or failures of the server
(circuit_breaker).
"""

from collections import Counter
from collections.abc import Collection

from bioinstruct_dagster.teacher.errors import StatusError

ALIKE_LIMIT = 20  # different requests, refused alike in a row
ANY_LIMIT = 40  # different requests, refused in a row for whatever reason
# Nothing was accepted in this round, and the key, the model or the address is refused.
ACCESS_LIMIT = 3
# The key is refused after the server accepted requests. One prompt does not explain that, but one
# of several servers behind an address may have another list of keys.
LOST_KEY_LIMIT = 6


class RefusalStreak:
    """Counts the refusals of different requests since a request was accepted.

    Args:
        known: ids of requests that earlier rounds asked, and that the server refused. Their
            refusals do not count, because a later round asks them one after the other.
        works: whether the server accepted requests of this kind before the round.
    """

    def __init__(self, *, known: Collection[str] = (), works: bool = False) -> None:
        self._known = known
        self._works = works
        self._alike: Counter[tuple[int, str]] = Counter()
        self.last: StatusError | None = None
        self.concerns_all = True

    @property
    def in_a_row(self) -> int:
        """Different requests refused since one was accepted."""
        return self._alike.total()

    @property
    def works(self) -> bool:
        """Whether the server accepted a request, in this round or before."""
        return self._works

    @property
    def ended(self) -> bool:
        """Whether the round must end, once no request is in flight."""
        return self._room < 1

    @property
    def is_access_refused(self) -> bool:
        """Whether the server refuses the key, the model or the address, and not the requests."""
        if self.last is None or not self.concerns_all:
            return False
        return not self._works or self.last.kind == "key"

    def has_room(self, in_flight: int) -> bool:
        """Whether one more request may leave: all that are in flight may be refused too."""
        return not self.in_a_row or in_flight < self._room

    def accepted(self) -> None:
        """Count a reply: the server works, and accepts requests of this kind."""
        self._works = True
        self._alike.clear()
        self.last, self.concerns_all = None, True

    def refused(self, completion_id: str, error: StatusError) -> None:
        """Count the refusal of a request."""
        if completion_id in self._known:
            return
        self._alike[error.likeness] += 1
        self.last = error
        self.concerns_all = self.concerns_all and error.concerns_all

    @property
    def _room(self) -> int:
        """How many more refusals of the likeness of the last one the round endures."""
        if self.last is None:
            return ANY_LIMIT
        limit = ALIKE_LIMIT
        if self.is_access_refused:
            limit = LOST_KEY_LIMIT if self._works else ACCESS_LIMIT
        return min(limit - self._alike[self.last.likeness], ANY_LIMIT - self.in_a_row)
