"""The patience of a probe: how long all its requests together may take, and what is said meanwhile.

Belongs here: waiting under one clock, the lines about it, and the message of a probe that no wait
helps. Does not: which failure is waited for (sender), or the clock itself (flow.stall_watch).
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bioinstruct_dagster.teacher.errors import (
    StatusError,
    TeacherError,
    UnreachedServerError,
    described,
    sentence,
)
from bioinstruct_dagster.teacher.flow.stall_watch import StallWatch
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint

_T = TypeVar("_T")

_LOG_SECONDS = 10.0  # between two lines about a server that does not answer
_SECONDS_PER_MINUTE = 60.0
_REPLY = "a reply"
_CANCEL_SECONDS = 5.0  # for a request to close its connection


class StalledProbeError(TeacherError):
    """The probe took as long as it may. A request in flight was cancelled, and may be billed."""


@dataclass
class Patience:
    """The one clock of a probe. It starts when it is made.

    Attributes:
        endpoint: the server.
        log: takes lines for the user.
        stall: measures the time of the probe.
    """

    endpoint: Endpoint
    log: Callable[[str], None]
    stall: StallWatch = field(default_factory=StallWatch)
    _latest: Exception | None = None
    _logged: float = float("-inf")

    async def reply(self, request: Coroutine[Any, Any, _T]) -> _T:
        """What a request brings.

        Raises:
            StalledProbeError: the time is over. The request is cancelled.
        """
        reply = await self._wait(request, _REPLY)
        self._latest = None
        return reply

    async def pause(self, failure: Exception, seconds: float) -> None:
        """Wait before a request is sent again.

        Raises:
            StalledProbeError: the time is over, or the wait would take longer than the rest.
        """
        self._latest = failure
        if seconds > self.stall.seconds_left:
            raise self._stalled(f"the server is to be asked again only in {seconds:,.0f} s")
        self._log_failure(failure, seconds)
        await self._wait(asyncio.sleep(seconds), "the next attempt")

    def given_up(self, failure: Exception) -> TeacherError:
        """The error of a probe that was sent again as often as is of use."""
        self._latest = failure
        return TeacherError(self._said())

    async def _wait(self, waiting: Coroutine[Any, Any, _T], thing: str) -> _T:
        task = asyncio.ensure_future(waiting)
        try:
            while not task.done():
                if self.stall.ended:
                    raise self._stalled(f"it waited for {thing}")
                if self.stall.is_report_due():
                    self._report(thing)
                await asyncio.wait({task}, timeout=self.stall.seconds_until_due())
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=_CANCEL_SECONDS)

    def _report(self, thing: str) -> None:
        said = ""
        if self._latest:
            latest = self.endpoint.redacted(described(self._latest)).rstrip(".")
            said = f" The latest error: {latest}."
        self.log(
            f"The probe of {self.endpoint.address} waits for {thing}, "
            f"{self.stall.idle_seconds:,.0f} s after its start.{said} It ends in "
            f"{self.stall.seconds_left:,.0f} s at the latest (BIOINSTRUCT_STALL_MINUTES)."
        )

    def _log_failure(self, failure: Exception, seconds: float) -> None:
        now = time.monotonic()
        if now - self._logged < _LOG_SECONDS:
            return
        self._logged = now
        self.log(
            f"The probe of {self.endpoint.address} got no answer "
            f"({self.endpoint.redacted(described(failure))}). It is sent again in "
            f"{seconds:,.1f} seconds."
        )

    def _stalled(self, why: str) -> StalledProbeError:
        minutes = self.stall.seconds / _SECONDS_PER_MINUTE
        return StalledProbeError(
            f"The probe can't end within {minutes:,.3g} minutes (BIOINSTRUCT_STALL_MINUTES): "
            f"{why}. {self._said()} If the server only needs more time, raise "
            "BIOINSTRUCT_STALL_MINUTES."
        )

    def _said(self) -> str:
        """What the server did, and what to do."""
        error, address = self._latest, self.endpoint.address
        if error is None:
            return (
                f"The server at {address} took a request and sent no complete reply. Check that "
                "OPENAI_BASE_URL is the address of the API and that the model is loaded, or run "
                "again later."
            )
        words = sentence(self.endpoint.redacted(described(error)))
        if isinstance(error, StatusError):
            if error.rate_limited:
                return (
                    f"The teacher at {address} limits the rate, and it refused the last "
                    f"request. The server says: {words} Run again later. Other programs with the "
                    "same key, and a limit per day, count towards such a limit."
                )
            return (
                f"The teacher at {address} does not work now. The server says: {words} Run again "
                "when the server works."
            )
        start = f"The teacher at {address} answers no probe: {words}"
        if isinstance(error, UnreachedServerError):
            if "Check " in words:  # the words say what to do, as those about a proxy
                return start
            return f"{start} Check OPENAI_BASE_URL and that the server runs."
        return f"{start} Check OPENAI_BASE_URL and the server's log, or run again later."
