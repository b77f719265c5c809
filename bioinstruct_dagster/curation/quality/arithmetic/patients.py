"""Reads a patient's weight and height, and recomputes the body-mass index.

Belongs here: the weight and height of a row. Does not: units (quantities), or doses by weight
(doses). A row with two different weights or heights is not recomputed.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.arithmetic.quantities import (
    MOST_READ,
    QUALITY_PACKAGE,
    ComputedFigure,
    agree,
    decimals_of,
    number,
    quantities,
    units,
)
from bioinstruct_dagster.curation.word_lists import word_list
from bioinstruct_dagster.signs import WordTest

INCH = 0.0254  # meters
SAME_VALUE_TOLERANCE = 0.02  # relative difference of one value that is stated in two units
LIKELY_WEIGHTS, LIKELY_HEIGHTS = (2.0, 350.0), (0.4, 2.5)

FEET = re.compile(
    r"(?<![\d.])(\d)\s?(?:'|’|′|ft\.?|feet|foot)\s{0,2}(?:,|and)?\s{0,2}"
    r"(?:(\d{1,2}(?:\.\d)?)\s?(?:\"|”|″|''|’’|in\b|inch(?:es)?)?)?",
    re.IGNORECASE,
)
INCHES = re.compile(r"(?<![\d.'’′])(\d{2}(?:\.\d)?)\s?(?:inches|in\b|\")", re.IGNORECASE)
BMI = re.compile(r"\b(?:BMI|body[ -]mass index)\b", re.IGNORECASE)
BMI_WORDS = WordTest(parts=("bmi", "mass"))
BMI_STATED = re.compile(
    r"\b(?:BMI|body[ -]mass index)\b[^\d.;\n]{0,60}?(\d{2}(?:\.\d{1,3})?)(?![\d/%])", re.IGNORECASE
)
BMI_ALONE = re.compile(r"\D{0,12}(\d{2}\.\d{1,3})(?:\s?kg/m(?:²|\^?2))?\.?", re.IGNORECASE)


def bmi_figures(row: RowTexts, tolerance: float) -> Iterator[ComputedFigure]:
    """A stated body-mass index that differs from the one of weight and height."""
    if not any(map(BMI_WORDS.may_hold, row)):
        return  # the expression below is slower
    given = f"{row.instruction} {row.input}"[:MOST_READ]
    if BMI.search(given) is None and BMI.search(row.output) is None:
        return
    weight, height = weight_in(given), _height_in(given)
    if weight is None or height is None:
        return
    found = BMI_STATED.search(row.output[:MOST_READ])
    if found is None and BMI.search(row.instruction):
        found = BMI_ALONE.fullmatch(row.output.strip())
    # If a written sum leads to the figure, the module sums recomputes it.
    if found is None or re.match(r"\s?(?:kg|cm|m\b|[÷/x×(])(?!/m)", row.output[found.end() :]):
        return
    stated = number(found.group(1))
    computed = weight / height**2
    if not agree(stated, computed, decimals_of(found.group(1)), tolerance):
        yield ComputedFigure("body-mass index", found.group(0), stated, computed)


def weight_in(text: str) -> float | None:
    """The weight that a text states, in kilograms; None if it states none or several."""
    weight_units = word_list(QUALITY_PACKAGE, "units.yaml", "weight_units")
    found = [
        one.value * units()[one.unit][1] / 1000
        for one in quantities(text)
        if one.unit in weight_units
    ]
    return _single_value(found, LIKELY_WEIGHTS)


def _height_in(text: str) -> float | None:
    """The height that a text states, in meters; None if it states none or several."""
    height_units = word_list(QUALITY_PACKAGE, "units.yaml", "height_units")
    metric = [
        one.value * units()[one.unit][1] / 100
        for one in quantities(text)
        if one.unit in height_units
    ]
    feet = [
        (12 * int(found.group(1)) + float(found.group(2) or 0)) * INCH
        for found in FEET.finditer(text)
    ]
    inches = [] if feet else [float(found.group(1)) * INCH for found in INCHES.finditer(text)]
    return _single_value(metric + feet + inches, LIKELY_HEIGHTS)


def _single_value(values: list[float], likely: tuple[float, float]) -> float | None:
    """The value that all values agree on, if it is likely; otherwise None."""
    if not values or max(values) > min(values) * (1 + SAME_VALUE_TOLERANCE):
        return None
    return values[0] if likely[0] <= values[0] <= likely[1] else None
