"""The times in the headers of a reply: how long the server asks to wait, and when a limit is full.

Servers write such a time as seconds, as a duration (`6m0s`), as a date, or as seconds or
milliseconds since 1970. A date is compared with the server's own clock, which the reply's `date`
states, because the two clocks may differ. Belongs here: reading these headers. Does not: whether a
request is sent again (flow.retries), or the pace (flow.pacing).
"""

import math
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# No limit takes longer to reset; a longer time is an error.
_LONGEST_SECONDS = 31 * 86400.0
_FIRST_EPOCH_SECOND = 1e9  # in 2001; a smaller number is a duration
_FIRST_EPOCH_MILLISECOND = 1e12
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: of `retry-after-ms` or `retry-after`; None if neither can be read."""
    with suppress(KeyError, ValueError):
        milliseconds = float(headers["retry-after-ms"])
        if (seconds := _plausible(milliseconds / 1e3)) is not None:
            return seconds
    return seconds_until(headers.get("retry-after"), headers)


def reset_of(headers: Mapping[str, str], kind: str | None = None) -> float | None:
    """Seconds until a limit is full again; None if the headers do not say it.

    Args:
        headers: of the reply, by lower-case name.
        kind: of the limit, `requests` or `tokens`; None for the header without a kind.
    """
    name = f"x-ratelimit-reset-{kind}" if kind else "x-ratelimit-reset"
    return seconds_until(headers.get(name), headers)


def seconds_until(text: str | None, headers: Mapping[str, str]) -> float | None:
    """Seconds until a time in any of the forms; 0 if it is past, None if it can't be read."""
    text = (text or "").strip()
    with suppress(ValueError):
        number = float(text)
        if not math.isfinite(number):
            return None
        if number >= _FIRST_EPOCH_MILLISECOND:
            number = number / 1e3 - _server_time(headers)
        elif number >= _FIRST_EPOCH_SECOND:
            number -= _server_time(headers)
        return _plausible(number)
    if (seconds := duration(text)) is not None:
        return seconds
    moment = _date(text)
    return None if moment is None else _plausible(moment - _server_time(headers))


def duration(text: str | None) -> float | None:
    """Seconds of a header such as `6m0s`, `8.64s` or `12ms`; None if it is no duration."""
    match = _DURATION.fullmatch(text.strip()) if text else None
    if not match or not match.group(0):
        return None
    try:
        days, hours, minutes, seconds, milliseconds = (float(part or 0) for part in match.groups())
    except ValueError:  # two points in a number
        return None
    return _plausible(days * 86400 + hours * 3600 + minutes * 60 + seconds + milliseconds / 1e3)


def _plausible(seconds: float) -> float | None:
    if not math.isfinite(seconds) or seconds > _LONGEST_SECONDS:
        return None
    return max(0.0, seconds)


def _server_time(headers: Mapping[str, str]) -> float:
    """The server's clock in seconds since 1970; ours if the server does not state its time."""
    stated = _date(headers.get("date", ""))
    return time.time() if stated is None else stated


def _date(text: str) -> float | None:
    """Seconds since 1970 of an HTTP date or an ISO date."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        with suppress(ValueError, TypeError, OverflowError, IndexError):
            moment = read(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            return moment.timestamp()
    return None
