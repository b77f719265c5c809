"""When a failed request is sent again, and after how long.

The SDK retries every 429, even the one that says that the quota is spent. So its own retries are
off, and these take their place, with the same delays and the same respect for the server's wishes.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from openai import APIStatusError

T = TypeVar("T")

MAX_RETRIES = 5
FIRST_SECONDS = 0.5  # these three as in the SDK's _constants
LONGEST_SECONDS = 8.0
LONGEST_ASKED_SECONDS = 120.0
JITTER = 0.25
FATAL_STATUS = frozenset({401, 403, 404})  # wrong key, no access, no such model: none can succeed
FATAL_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_PASSING_STATUS = frozenset({408, 409, 429})
_SERVER_ERROR = 500


async def send_with_retries(send: Callable[[], Awaitable[T]]) -> T:
    """The result of `send`, tried up to six times; its last error where none succeeds."""
    from openai import APIConnectionError, APIStatusError

    for attempt in range(MAX_RETRIES):
        try:
            return await send()
        except APIStatusError as error:
            if not passes(error):
                raise
            delay = _asked_delay(error) or _backoff(attempt)
        except APIConnectionError:
            delay = _backoff(attempt)
        await asyncio.sleep(delay)
    return await send()


def is_fatal(error: "APIStatusError") -> bool:
    """Whether no request of this run can succeed."""
    return error.status_code in FATAL_STATUS or error.code in FATAL_CODES


def passes(error: "APIStatusError") -> bool:
    """Whether the same request may succeed later."""
    if is_fatal(error):
        return False
    wish = error.response.headers.get("x-should-retry")
    if wish in {"true", "false"}:
        return wish == "true"
    if (_asked_delay(error) or 0.0) > LONGEST_ASKED_SECONDS:
        return False  # the next run's affair: pestering the server meanwhile helps nobody
    return error.status_code in _PASSING_STATUS or error.status_code >= _SERVER_ERROR


def _backoff(attempt: int) -> float:
    delay = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0**attempt)
    return delay * (1 - JITTER * random.random())  # noqa: S311


def _asked_delay(error: "APIStatusError") -> float | None:
    """Seconds that the server asks for: `retry-after-ms`, or `retry-after` as seconds or a date."""
    headers = error.response.headers
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        with suppress(KeyError, ValueError):
            return max(0.0, float(headers[name]) * unit)
    with suppress(KeyError, ValueError):
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    return None
