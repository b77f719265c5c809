"""Numbers and dates in one written form, whether they were spoken or written.

"seven pounds", "January tenth two thousand nine" and "01/10/09" become "7 pounds" and "january 10
2009". Belongs here: reading numbers. Does not: whether a number is supported (support).
"""

import re
from functools import cache

from bioinstruct_dagster.evaluation.metrics.composite.lists import numbers_in, stems_in
from bioinstruct_dagster.evaluation.metrics.composite.stems import stem

_CENTURY_TURN = 30  # a year of two digits up to this one is of this century
_NUMERIC_DATE = re.compile(r"(?<![\d/])(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})(?![\d/])")
_MONTH_YEAR = re.compile(r"(?<![\d/])(\d{1,2})/(\d{4})(?![\d/])")
_SHORT_YEAR = re.compile(r"(?<!\w)'(\d{2})(?!\d)")
_MIXED_FRACTION = re.compile(r"(?<![\d/])(?:(\d{1,3})[ -]+(?:and )?)?([1-9])/([2-9])(?![\d/])")
_RANGE = re.compile(r"(?<=\d) ?[-\u2013] ?(?=\d)")
_RATIO = re.compile(r"(?<=\d) ?/ ?(?=\d)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# A run of digits is tried at its first digit only: a long one would take quadratic time.
_ORDINAL = re.compile(r"(?<!\d)(\d+)(?:st|nd|rd|th)\b")
_DECADE = re.compile(r"(?<!\d)(\d+)'?s\b")
_GLUED_UNIT = re.compile(r"(\d)(mg|mcg|ml|cm|mm|kg|g|lb|lbs|yo|y|x|pk)\b")
_SCALES = {"hundred": 100, "thousand": 1000}
_CENTURIES = frozenset({18, 19, 20})
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def written_numbers(text: str) -> str:
    """The text in small letters with numeric dates, fractions and ranges in one form."""
    text = _NUMERIC_DATE.sub(_date, text)
    text = _MONTH_YEAR.sub(lambda m: _month_name(m[1], m[2]) or m[0], text)
    text = _SHORT_YEAR.sub(lambda m: full_year(m[1]), text)
    text = _MIXED_FRACTION.sub(lambda m: f"{int(m[1] or 0) + int(m[2]) / int(m[3]):.3g}", text)
    text = _RATIO.sub(" over ", _RANGE.sub(" to ", _THOUSANDS.sub("", text)))
    text = _GLUED_UNIT.sub(r"\1 \2", text)
    return _DECADE.sub(r"\1", _ORDINAL.sub(r"\1", text))


def full_year(digits: str) -> str:
    """The year of two digits with its century."""
    return f"{20 if int(digits) <= _CENTURY_TURN else 19}{int(digits):02d}"


def spoken_numbers(words: list[str]) -> list[str]:
    """The words with spoken numbers as digits, and short names of months before one as whole names.

    A lone "one" stays: it is mostly no number.
    """
    made: list[str] = []
    place = 0
    while place < len(words):
        value, used = _spoken(words, place)
        if not used or (used == 1 and words[place] == "one"):
            made.append(words[place])
            place += 1
        else:
            made.append(value)
            place += used
        if words[place : place + 3] == ["and", "a", "half"] and NUMBER.fullmatch(made[-1]):
            made[-1] = f"{float(made[-1]) + 0.5:g}"
            place += 3
        elif made[-1] == "one" and words[place : place + 3] == ["and", "a", "half"]:
            made[-1], place = "1.5", place + 3
        elif made[-1] == "half" and place < len(words):
            made[-1] = "0.5"
            place += words[place] in {"a", "an"}
    for at, following in enumerate(made[1:]):
        if made[at] in months() and NUMBER.fullmatch(following):
            made[at] = _month_names()[months()[made[at]]]
    return made


def same_number(left: str, right: str) -> bool:
    """Whether two numbers are equal. A year equals its last two digits."""
    a, b = float(left), float(right)
    if a == b:
        return True
    year, short = max(a, b), min(a, b)
    return 1900 <= year < 2100 and 10 <= short < 100 and year % 100 == short  # noqa: PLR2004


@cache
def months() -> dict[str, int]:
    """The number of each month by its name and short names."""
    return {name: int(number) for name, number in numbers_in("numbers", "months").items()}


@cache
def dates() -> frozenset[str]:
    """The stems of the months and days of the week that have one meaning."""
    return stems_in("numbers", "weekdays") | {stem(name) for name in _month_names().values()}


@cache
def _units() -> dict[str, int]:
    return {word: int(n) for word, n in numbers_in("numbers", "units_spoken").items()}


@cache
def _tens() -> dict[str, int]:
    return {word: int(n) for word, n in numbers_in("numbers", "tens_spoken").items()}


@cache
def _ordinals() -> dict[str, int]:
    return {word: int(n) for word, n in numbers_in("numbers", "ordinals_spoken").items()}


@cache
def _month_names() -> dict[int, str]:
    names: dict[int, str] = {5: "may"}
    for name, number in months().items():
        names.setdefault(number, name)
    return names


def _month_name(month: str, rest: str) -> str:
    name = _month_names().get(int(month), "")
    return f" {name} {rest} " if name else ""


def _date(match: re.Match[str]) -> str:
    month, day, year = int(match[1]), int(match[2]), match[3]
    if not (1 <= month <= 12 and 1 <= day <= 31):  # noqa: PLR2004
        return match[0]
    year = year if len(year) == 4 else full_year(year)  # noqa: PLR2004
    return f" {_month_names()[month]} {day} {year} "


def _spoken(words: list[str], start: int) -> tuple[str, int]:
    """The number that begins here, and how many words it takes; 0 words if none begins."""
    value, used = _below_hundred(words, start)
    if not used:
        return "", 0
    at = start + used
    following = words[at] if at < len(words) else ""
    if following in _SCALES:
        total, end = _scaled(words, at, value)
        return str(total), end - start
    if following == "point":
        digits = _digits(words, at + 1)
        return (f"{value}.{digits}", used + 1 + len(digits)) if digits else (str(value), used)
    if following == "oh":
        digits = _digits(words, at + 1)[:1]
        return (f"{value}0{digits}", used + 2) if digits else (str(value), used)
    # "nineteen ninety two" and "twenty twelve" are years, "one twenty two" is 122.
    rest, more = _below_hundred(words, at)
    year = value in _CENTURIES and rest >= 10  # noqa: PLR2004
    if year or (1 <= value < 10 and rest >= 20):  # noqa: PLR2004
        return str(value * 100 + rest), used + more
    return str(value), used


def _scaled(words: list[str], at: int, value: int) -> tuple[int, int]:
    """A number with "hundred" or "thousand" here, and the place after its last word."""
    scale = words[at]
    total, at = value * _SCALES[scale], at + 1
    joined = at + (at < len(words) and words[at] == "and")
    rest, more = _below_hundred(words, joined)
    if not more:
        return total, at
    at = joined + more
    # "three thousand two hundred": only a thousand has hundreds after it, so this ends.
    if scale == "thousand" and words[at : at + 1] == ["hundred"] and rest < 10:  # noqa: PLR2004
        hundreds, end = _scaled(words, at, rest)
        return total + hundreds, end
    return total + rest, at


def _digits(words: list[str], at: int) -> str:
    """The digits that are said one by one from here, such as "five two" after a point."""
    found = ""
    while at < len(words) and 0 <= _units().get(words[at], -1) <= 9:  # noqa: PLR2004
        found, at = f"{found}{_units()[words[at]]}", at + 1
    return found


def _below_hundred(words: list[str], at: int) -> tuple[int, int]:
    word = words[at] if at < len(words) else ""
    if word in _tens():
        following = words[at + 1] if at + 1 < len(words) else ""
        unit = _units().get(following, _ordinals().get(following, 0))
        return (_tens()[word] + unit, 2) if 1 <= unit <= 9 else (_tens()[word], 1)  # noqa: PLR2004
    if word in _units():
        return _units()[word], 1
    if word in _ordinals():
        return _ordinals()[word], 1
    return 0, 0
