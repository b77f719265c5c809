"""Reads and recomputes conversions between units, such as "180 mg/dL = 10 mmol/L".

Belongs here: a quantity that is stated in two units. Does not: the units and substances
(words/units.yaml), written sums (sums), or a patient's figures (patients). A text that can be read
in several ways is not recomputed.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from math import isclose
from types import MappingProxyType

from bioinstruct_dagster.curation.quality.arithmetic.quantities import (
    LEAST_VALUE,
    MOST_READ,
    QUALITY_PACKAGE,
    ComputedFigure,
    Quantity,
    agree,
    quantities,
    units,
)
from bioinstruct_dagster.curation.word_lists import alternatives, word_list, word_values
from bioinstruct_dagster.sign_clauses import folded_text
from bioinstruct_dagster.signs import SignSearch, WordTest

DEGREES_IN_OTHER_SCALE = {
    "celsius": 1.8,
    "fahrenheit": 1 / 1.8,
}  # of the other scale, for a difference of one
CONVERSION_LINK = re.compile(
    r"\s{0,2}(?:(?:=|≈|~|is (?:equal|equivalent) to|equals|is (?:about|approximately)"
    r"|(?:which )?(?:converts|converted) to|corresponds to|or (?:about|approximately))\s{0,2}"
    r"(?:about |approximately |~|≈)?|\((?:about |approximately |~|≈|= ?|or )?)$",
    re.IGNORECASE,
)
LINK_MARKS = ("=", "≈", "~")
# Parts of words: each link has one of them, or a mark, or is a bracket.
LINK_WORDS = WordTest(parts=("equal", "equiv", "convert", "correspond", "about", "approx"))
BRACKET = re.compile(r"\((?:about |approximately |~|≈|= ?|or )?\d")
RATE_ENDING = re.compile(
    r"\s{0,2}(?:/|per\b|daily|a day|each|every|twice|once|x\b|×)", re.IGNORECASE
)


@cache
def molar_factors() -> Mapping[str, float]:
    """For each substance, the micromoles per liter of one milligram per liter."""
    masses = word_values(QUALITY_PACKAGE, "units.yaml", "molar_masses")
    return MappingProxyType(
        {
            **{name: 1000 / mass for name, mass in masses.items()},
            **word_values(QUALITY_PACKAGE, "units.yaml", "molar_factors"),
        }
    )


@cache
def _conversion_request() -> SignSearch:
    beginnings = alternatives(word_list(QUALITY_PACKAGE, "doses.yaml", "converts"))
    return SignSearch((rf"/\b(?:{beginnings})/",))


def analyte_of(text: str) -> str | None:
    """The measured substance, if the text names exactly one that is known."""
    lowered = text.lower()
    named = {round(factor, 6): name for name, factor in molar_factors().items() if name in lowered}
    return next(iter(named.values())) if len(named) == 1 else None


def convert(value: float, unit: str, into: str, analyte: str | None) -> float | None:
    """A value in another unit; None if the units cannot be converted."""
    (kind, factor), (other, into_factor) = units()[unit], units()[into]
    if kind == other:
        return value * factor / into_factor
    if (kind, other) == ("celsius", "fahrenheit"):
        return value * 9 / 5 + 32
    if (kind, other) == ("fahrenheit", "celsius"):
        return (value - 32) * 5 / 9
    if analyte and (kind, other) == ("concentration", "molar"):
        return value * factor * molar_factors()[analyte] / into_factor
    if analyte and (kind, other) == ("molar", "concentration"):
        return value * factor / molar_factors()[analyte] / into_factor
    return None


def conversion_figures(
    instruction: str, task_input: str, output: str, tolerance: float
) -> Iterator[ComputedFigure]:
    """The wrong conversions in the output."""
    asked = _conversion_request().search(instruction) is not None
    found = quantities(output) if asked or _may_hold_link(output) else []
    if not found:
        return
    texts = f"{instruction} {task_input} {output[:MOST_READ]}"
    linked = False
    for one, other in pairwise(found):
        between = output[one.end : other.start]
        if CONVERSION_LINK.fullmatch(between) is None or not _stands_alone(
            output, one, other, between
        ):
            continue
        linked = True
        excerpt = output[one.start : other.end]
        yield from _wrong_conversion(one, other, analyte_of(texts), excerpt, tolerance)
    if linked or len(found) != 1 or not asked:
        return
    given = quantities(task_input) or quantities(instruction)
    if len(given) == 1:
        excerpt = output[: found[0].end]
        yield from _wrong_conversion(given[0], found[0], analyte_of(texts), excerpt, tolerance)


def _may_hold_link(text: str) -> bool:
    """Whether a text may hold `CONVERSION_LINK` between two figures: a fast test."""
    return (
        any(mark in text for mark in LINK_MARKS)
        or LINK_WORDS.may_hold(text)
        or ("(" in text and BRACKET.search(folded_text(text)) is not None)
    )


def _stands_alone(text: str, one: Quantity, other: Quantity, between: str) -> bool:
    before = text[max(0, one.start - 3) : one.start].rstrip()
    after = text[other.end : other.end + 12]
    if before[-1:] in {"×", "x", "*", "÷", "/", "+", "−", "-", "–", "<", ">", "≤", "≥", "±"}:
        return False
    if "(" in between and (
        RATE_ENDING.match(after) or not after.lstrip().startswith((")", ",", ";"))
    ):
        return False
    return RATE_ENDING.match(after) is None


def _is_weight_and_dose(one: Quantity, other: Quantity) -> bool:
    """Whether one of two masses is a patient's weight and the other a dose."""
    factors = sorted(units()[each.unit][1] for each in (one, other))
    masses = {units()[each.unit][0] for each in (one, other)} == {"mass"}
    return masses and factors[0] < 1 and factors[1] > 1


def _wrong_conversion(
    one: Quantity, other: Quantity, analyte: str | None, excerpt: str, tolerance: float
) -> Iterator[ComputedFigure]:
    if one.unit == other.unit or _is_weight_and_dose(one, other):
        return
    computed = convert(one.value, one.unit, other.unit, analyte)
    if computed is None or abs(computed) < LEAST_VALUE:
        return
    # A rounded value is only as exact as its digits.
    rounded = 0.51 * 10.0**-one.decimals / max(abs(one.value), LEAST_VALUE)
    if agree(other.value, computed, other.decimals, max(tolerance, min(rounded, 0.2))):
        return
    difference = DEGREES_IN_OTHER_SCALE.get(units()[one.unit][0])
    if difference and isclose(one.value * difference, other.value, rel_tol=0.1):
        return  # a difference in temperature, not a temperature
    yield ComputedFigure("conversion", excerpt, other.value, computed)
