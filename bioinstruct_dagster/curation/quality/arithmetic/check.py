"""The arithmetic rule: figures of an output that are not what the row's figures come to.

Belongs here: which computations the rule makes, and the shares in brackets. Does not: figures of a
patient (patients), doses (doses), written sums (sums) or conversions (conversions).
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
    """A figure of the output that is not what the row's figures come to."""
    finds = [FIGURE_FINDERS[name] for name in rule.checks]

    def look(task: RowTexts) -> RuleMatch | None:
        if DIGIT.search(task.output) is None:
            return None
        for find in finds:
            for figure in find(task, rule.tolerance):
                evidence = {
                    "check": figure.check,
                    "saw": excerpt(figure.saw),
                    "stated": figure.stated,
                    "computed": float(f"{figure.computed:.6g}"),
                }
                return RuleMatch(evidence, score=round(figure.stated / figure.computed, 4))
        return None

    return look


def share_figures(task: RowTexts, tolerance: float) -> Iterator[ComputedFigure]:
    """A percentage in brackets that the two numbers before it do not make."""
    for found in PERCENTAGE_OF.finditer(task.output, 0, MOST_READ):
        part, whole, stated = (number(found.group(place)) for place in (1, 2, 3))
        if not 0 < part <= whole:
            continue
        computed = 100 * part / whole
        if not agree(stated, computed, decimals_of(found.group(3)), tolerance):
            yield ComputedFigure("percentage", found.group(0), stated, computed)


def _conversion_figures(task: RowTexts, tolerance: float) -> Iterator[ComputedFigure]:
    return conversion_figures(task.instruction, task.input, task.output, tolerance)


def _sum_figures(task: RowTexts, tolerance: float) -> Iterator[ComputedFigure]:
    return sum_figures(task.output, tolerance)


FIGURE_FINDERS: dict[str, FigureFinder] = {
    "doses": dose_figures,
    "bmi": bmi_figures,
    "percentages": share_figures,
    "conversions": _conversion_figures,
    "sums": _sum_figures,
}
