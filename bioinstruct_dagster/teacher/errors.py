"""The errors of a request to a teacher, and the messages of the errors that end a round.

Each message says which replies are kept and how to go on. No message holds a key, or a server's
text about a key. Belongs here: what an error means for later requests. Does not: whether the failed
request may have been billed (money.settling), or the message of a reached cap (money.budget).
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from bioinstruct_dagster.errors import StatedError


class TeacherError(StatedError):
    """The teacher can't be used with these settings. The message says what to change."""


LONGEST_WAIT_SECONDS = 120.0
TOO_MANY_REQUESTS = 429
NOT_FOUND = 404
NO_CREDIT = 402  # of some compatible servers; OpenAI answers 429 with a code

# Wrong key, no credit, no access, no such model.
FATAL_STATUSES = frozenset({401, NO_CREDIT, 403, NOT_FOUND})
FATAL_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_TRANSIENT_STATUSES = frozenset({408, 409, TOO_MANY_REQUESTS})
_SERVER_ERROR = 500

# OpenAI's 429 begins so if a request is larger than the limit. Waiting does not help.
_TOO_LARGE_PREFIX = "Request too large"


@dataclass
class StatusError(Exception):
    """The server answered with an error status.

    Attributes:
        status: the HTTP status.
        message: the server's message.
        code: the server's code of the error.
        param: the parameter that the server objects to.
        headers: of the answer, by lower-case name.
        text: the beginning of the whole body, for the probe. It is never shown.
    """

    status: int
    message: str
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = field(default="", kw_only=True)

    def __str__(self) -> str:
        """The status, the code and the server's message."""
        return f"HTTP {self.status} {self.code or ''}: {self.message}".replace(" :", ":")

    @property
    def fatal(self) -> bool:
        """Whether no request of the run can succeed."""
        return self.status in FATAL_STATUSES or self.code in FATAL_CODES

    @property
    def rate_limited(self) -> bool:
        """Whether a rate limit is the cause, so that the request may succeed after a wait."""
        return self.status == TOO_MANY_REQUESTS and not self.fatal and not self._too_large

    @property
    def asks_for_long_wait(self) -> bool:
        """Whether the server asks for a wait that is too long for this run."""
        return (self.retry_after or 0.0) > LONGEST_WAIT_SECONDS

    @property
    def server_fault(self) -> bool:
        """Whether the server, and not the request, is the cause."""
        return self.status >= _SERVER_ERROR

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed later."""
        if self.fatal or self._too_large:
            return False
        wish = self.headers.get("x-should-retry")
        if wish in {"true", "false"}:
            return wish == "true"
        if self.asks_for_long_wait:
            return False
        return self.status in _TRANSIENT_STATUSES or self.server_fault

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait: `retry-after-ms`, or `retry-after` as seconds or as a date."""
        for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
            with suppress(KeyError, ValueError):
                return max(0.0, float(self.headers[name]) * unit)
        with suppress(KeyError, ValueError, TypeError, OverflowError):
            date = parsedate_to_datetime(self.headers["retry-after"])
            return max(0.0, date.timestamp() - time.time())
        return None

    @property
    def _too_large(self) -> bool:
        return self.status == TOO_MANY_REQUESTS and self.message.startswith(_TOO_LARGE_PREFIX)


class LostReplyError(Exception):
    """The request was sent, and no complete reply came. It may have been billed."""


class UnreachedServerError(Exception):
    """The request never reached the server."""


def unwritable_error(error: OSError) -> TeacherError:
    """The error that the disk takes no more replies."""
    return TeacherError(
        f"Replies can't be written to disk ({error}), so no more requests were sent. Free some "
        "space, then run again: stored replies are not paid for again."
    )


def long_wait_message(error: StatusError) -> str:
    """The message that the server asks for a wait that is too long for this run."""
    return (
        f"The teacher asks to wait for {error.retry_after or 0.0:,.0f} seconds (HTTP "
        f"{error.status}), as servers do when a limit per day is used up. All replies so far are "
        "stored. Run again after that time: stored replies are not paid for again."
    )


def unsendable_key_error() -> TeacherError:
    """The error that no HTTP header can hold the key."""
    return TeacherError(
        "OPENAI_API_KEY holds a character that no HTTP header can hold (a line break, a space, or "
        "a character that is not ASCII). Copy the key again, without any other characters."
    )


def fatal_advice(error: StatusError, model: str) -> str:
    """The message that no request can succeed, with what to do."""
    # Without the server's message, because OpenAI's 401 repeats part of the key.
    if error.code in FATAL_CODES or error.status == NO_CREDIT:
        return (
            f"The teacher refuses further requests: {error.code or f'HTTP {error.status}'}. "
            "Add credit or raise the limit, then run again. All replies so far are stored."
        )
    if error.status == NOT_FOUND:
        return f"The teacher has no model {model!r} at this address. Set BIOINSTRUCT_TEACHER_MODEL."
    return (
        f"The teacher rejects the key (HTTP {error.status}). "
        f"Check OPENAI_API_KEY and that it may use {model!r}. All replies so far are stored."
    )
