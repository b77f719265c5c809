"""Numbers as a person reads them: shares, dollars, changes, and values with intervals.

Belongs here: how many digits are shown, with the unit. Does not: computing a number.
"""

import math

MINUS, NO_BREAK_SPACE = "−", "\N{NO-BREAK SPACE}"


def percent(share: float) -> str:
    """A share such as 0.868 as "86.8 %", with a space that no line is broken at."""
    return f"{share:.1%}".replace("%", f"{NO_BREAK_SPACE}%")


def percent_number(share: float) -> float:
    """A share as a number of percent with one digit, for metadata that Dagster plots."""
    return round(share * 100, 1)


def dollars(usd: float) -> str:
    """US dollars with two significant digits below a dollar, such as "$0.044" or "$12.50"."""
    return f"${usd:,.2f}" if usd >= 1 or not usd else f"${significant(usd, 2)}"


def significant(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, and never in powers of ten."""
    if not value or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def signed(value: float, digits: int = 3) -> str:
    """A difference with its sign, such as "+0.012" or "−0.5"; without one if it rounds to zero."""
    shown = f"{value:+,.{digits}f}"
    if not float(shown.replace(",", "")):
        return shown[1:]
    return shown.replace("-", MINUS)


def change(number: int) -> str:
    """A change of a whole number, such as "+23", "−1,200" or "no change"."""
    return f"{number:+,}".replace("-", MINUS) if number else "no change"


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """An interval such as " [6.51, 6.88]", with a space before it; empty if it is not known."""
    if low is None or high is None:
        return ""
    ends = (f"{0.0 if not round(end, digits) else end:,.{digits}f}" for end in (low, high))
    return f" [{', '.join(ends)}]".replace("-", MINUS)


def number_of(number: int, thing: str, things: str = "") -> str:
    """A number of things, such as "1 row", "1,200 rows" or "4 categories".

    Args:
        number: how many.
        thing: one of them.
        things: several of them; with the usual ending if it is empty.
    """
    if number == 1:
        return f"1 {thing}"
    if things:
        return f"{number:,} {things}"
    if thing.endswith("y") and thing[-2] not in "aeiou":
        return f"{number:,} {thing[:-1]}ies"
    return f"{number:,} {thing}s"
