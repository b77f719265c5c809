"""The check of the arithmetic rule: figures of an output that differ from the computed ones.

Belongs here: the list of computations, and percentages in brackets. Does not: figures of a patient
(patients), doses (doses), written sums (sums) or conversions (conversions).
"""

import re
from collections.abc import Callable, Iterator

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.arithmetic.conversions import conversion_figures
from bioinstruct_dagster.curation.quality.arithmetic.doses import dose_figures
from bioinstruct_dagster.curation.quality.arithmetic.patients import bmi_figures
from bioinstruct_dagster.curation.quality.arithmetic.quantities import (
    MOST_READ,
    NUMBER,
    ComputedFigure,
    agree,
    decimals_of,
    number,
)
from bioinstruct_dagster.curation.quality.arithmetic.sums import sum_figures
from bioinstruct_dagster.curation.quality.rules import ArithmeticRule
from bioinstruct_dagster.curation.quality.wording import RowCheck, RuleMatch, excerpt

DIGIT = re.compile(r"\d")

PERCENTAGE_OF = re.compile(
    rf"({NUMBER})\s(?:out of|of(?: the| all)?)\s({NUMBER})\s(?:[a-z]{{3,20}}\s){{0,2}}"
    rf"\(({NUMBER})\s?(?:%|percent)\)",
    re.IGNORECASE,
)

FigureFinder = Callable[[RowTexts, float], Iterator[ComputedFigure]]


def arithmetic_check(rule: ArithmeticRule) -> RowCheck:
    """A check for a figure of the output that differs from the one computed from the row."""
    finders = [FIGURE_FINDERS[name] for name in rule.checks]

    def check(row: RowTexts) -> RuleMatch | None:
        if DIGIT.search(row.output) is None:
            return None
        for find_figures in finders:
            for figure in find_figures(row, rule.tolerance):
                evidence = {
                    "check": figure.check,
                    "saw": excerpt(figure.excerpt),
                    "stated": figure.stated,
                    "computed": float(f"{figure.computed:.6g}"),
                }
                return RuleMatch(evidence, score=round(figure.stated / figure.computed, 4))
        return None

    return check


def percentage_figures(row: RowTexts, tolerance: float) -> Iterator[ComputedFigure]:
    """Percentages in brackets that differ from the share of the two numbers before them."""
    if "(" not in row.output or " of" not in row.output:
        return
    for found in PERCENTAGE_OF.finditer(row.output, 0, MOST_READ):
        part, whole, stated = (number(found.group(place)) for place in (1, 2, 3))
        if not 0 < part <= whole:
            continue
        computed = 100 * part / whole
        if not agree(stated, computed, decimals_of(found.group(3)), tolerance):
            yield ComputedFigure("percentage", found.group(0), stated, computed)


def _conversion_figures(row: RowTexts, tolerance: float) -> Iterator[ComputedFigure]:
    return conversion_figures(row.instruction, row.input, row.output, tolerance)


def _sum_figures(row: RowTexts, tolerance: float) -> Iterator[ComputedFigure]:
    return sum_figures(row.output, tolerance)


FIGURE_FINDERS: dict[str, FigureFinder] = {
    "doses": dose_figures,
    "bmi": bmi_figures,
    "percentages": percentage_figures,
    "conversions": _conversion_figures,
    "sums": _sum_figures,
}
