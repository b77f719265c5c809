"""When a row was judged, as the page, a person or a spreadsheet writes it.

A spreadsheet that opens a CSV file may show a time in the form of its country, and save it so.
Belongs here: every form that has one meaning. Does not: the other fields (judgements).
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

_ISO_DAY = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_NUMBERS = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
_NAMED = re.compile(r"(\d{1,2})[-. ]+([a-z]{3})[a-z]*[-., ]+(\d{4}|\d{2})", re.IGNORECASE)
_CLOCK = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?(?:\s*([ap])\.?m\.?)?", re.IGNORECASE
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?")
# Day 0 of the serial numbers of Excel and LibreOffice (ECMA-376, part 1, 18.17.4.1, for days after
# February 1900).
_DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
_CENTURY = 2000
_HALF_DAY = 12  # hours
_EXAMPLE = "2026-11-30 14:05"


class TimeFaultError(ValueError):
    """A text is no time, or may be several. The message says what to write."""


def judged_time(text: str) -> datetime | None:
    """The time that a text names; None if it is empty. Without a time zone, it is UTC.

    Raises:
        TimeFaultError: it is no time, or it is one day in one country and another day in another.
    """
    text = " ".join(text.split())
    if not text:
        return None
    if time_of := _iso(text):
        return time_of
    if _SERIAL.fullmatch(text):
        seconds = round(float(text.replace(",", ".")) * timedelta(days=1).total_seconds())
        return _DAY_ZERO + timedelta(seconds=seconds)
    for pattern in (_ISO_DAY, _NUMBERS, _NAMED):
        if found := pattern.match(text):
            days = sorted(set(_days(found)))
            clock = _clock(text[found.end() :].lstrip(" ,T"))
            if clock is None or not days:
                break
            if len(days) > 1:
                raise TimeFaultError(_ambiguous(text, days))
            return datetime.combine(days[0], clock, UTC)
    raise TimeFaultError(f"{text[:40]!r} is no time; write it as {_EXAMPLE}, or leave it empty")


def _iso(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _days(found: re.Match[str]) -> Iterator[date]:
    """Each day that the text may mean."""
    if found.re is _ISO_DAY:
        yield from _day(found[1], found[3], found[4])
    elif found.re is _NAMED:
        if found[2].lower() in _MONTHS:
            yield from _day(found[3], str(_MONTHS.index(found[2].lower()) + 1), found[1])
    else:
        first, second, year = found[1], found[3], found[4]
        day_first = list(_day(year, second, first))
        yield from day_first
        # No country writes the month first with points.
        if found[2] != "." or not day_first:
            yield from _day(year, first, second)


def _day(year: str, month: str, day: str) -> Iterator[date]:
    whole = int(year) if len(year) > len("26") else _CENTURY + int(year)
    try:
        yield date(whole, int(month), int(day))
    except ValueError:
        return


def _clock(text: str) -> time | None:
    """The time of day; midnight if there is none, None if it is no time."""
    if not text:
        return time()
    found = _CLOCK.fullmatch(text)
    if not found:
        return None
    hour = int(found[1])
    if found[4]:
        if not 1 <= hour <= _HALF_DAY:
            return None
        hour = hour % _HALF_DAY + (_HALF_DAY if found[4].lower() == "p" else 0)
    try:
        return time(hour, int(found[2]), int(found[3] or 0))
    except ValueError:
        return None


def _ambiguous(text: str, days: list[date]) -> str:
    meant = " or ".join(f"{day.day} {day:%B} {day.year}" for day in days)
    written = " or ".join(day.isoformat() for day in days)
    return f"{text[:40]!r} may be {meant}; write the day as {written}, or leave the field empty"
