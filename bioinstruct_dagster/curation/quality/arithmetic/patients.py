"""Figures that the row itself allows to recompute: totals of doses, body-mass indices, shares.

Belongs here: what figures of a patient or a prescription come to. Does not: reading numbers and
units, written sums and conversions (conversions). A figure is doubted only where the row can be
read in one way: one weight, one height, one regimen of a drug; anything else is passed over.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.arithmetic.conversions import (
    MOST_READ,
    NUMBER,
    UNITS,
    ComputedFigure,
    agree,
    conversion_figures,
    decimals_of,
    number,
    quantities,
    sum_figures,
)
from bioinstruct_dagster.curation.quality.rules import ArithmeticRule
from bioinstruct_dagster.curation.quality.wording import RowCheck, RuleMatch, shown

INCH, POUND = 0.0254, 0.453592
SAME = 0.02  # a weight given twice, in two units, is one weight
LIKELY_WEIGHTS, LIKELY_HEIGHTS = (2.0, 350.0), (0.4, 2.5)
DAYS = {"day": 1, "week": 7, "month": 30}

DIGIT = re.compile(r"\d")
COMPUTES = re.compile(
    r"\b(?:calculat|comput|total|cumulative|convert|how (?:much|many)|work out|add up|sum)\w*",
    re.IGNORECASE,
)
FEET = re.compile(
    r"(?<![\d.])(\d)\s?(?:'|’|′|ft\.?|feet|foot)\s{0,2}(?:,|and)?\s{0,2}"
    r"(?:(\d{1,2}(?:\.\d)?)\s?(?:\"|”|″|''|’’|in\b|inch(?:es)?)?)?",
    re.IGNORECASE,
)
INCHES = re.compile(r"(?<![\d.'’′])(\d{2}(?:\.\d)?)\s?(?:inches|in\b|\")", re.IGNORECASE)
BMI = re.compile(r"\b(?:BMI|body[ -]mass index)\b", re.IGNORECASE)
BMI_STATED = re.compile(
    r"\b(?:BMI|body[ -]mass index)\b[^\d.;\n]{0,60}?(\d{2}(?:\.\d{1,3})?)(?![\d/%])", re.IGNORECASE
)
BARE = re.compile(r"\D{0,12}(\d{2}\.\d{1,3})(?:\s?kg/m(?:²|\^?2))?\.?", re.IGNORECASE)
SHARE = re.compile(
    rf"({NUMBER})\s(?:out of|of(?: the| all)?)\s({NUMBER})\s(?:[a-z]{{3,20}}\s){{0,2}}"
    rf"\(({NUMBER})\s?(?:%|percent)\)",
    re.IGNORECASE,
)
TIMES = {"once": 1, "one time": 1, "twice": 2, "two times": 2, "three times": 3, "thrice": 3,
         "four times": 4, "five times": 5, "six times": 6}  # fmt: skip
REGIMEN = re.compile(
    rf"(?:\b([A-Z][a-z]{{4,20}}),?\s)?({NUMBER})\s?(mg|mcg|µg|g|milligrams|micrograms|units)\b"
    r"(?:\s?of\s([A-Za-z]{5,20}))?[^.;\n\d]{0,40}?"
    r"\b(?:(once|twice|thrice|(?:one|two|three|four|five|six|[1-6]) times)"
    r"(?:\s(?:a|per|each|every)\s?day|\sdaily)|every\s(\d{1,2})\shours)",
    re.IGNORECASE,
)
UNCERTAIN = re.compile(
    r"\bas needed\b|\bprn\b|\bif needed\b|\bup to\b|\bmax|\bnot (?:to )?exceed|\btaper|\bthen\b"
    r"|\bdivided\b|/kg|\bper kg\b|\balternate|\bevery other\b|\bincrease|\bloading\b"
    r"|\d\s?[-–]\s?\d+\s?mg",
    re.IGNORECASE,
)
TOTAL = re.compile(
    rf"({NUMBER})\s?(mg|mcg|µg|g|milligrams|micrograms|units)\b(?:\s?of\s([A-Za-z]{{5,20}}))?"
    r"(?:\s(?:in total|total))?\s?(?:/|per |a |in a |each |every |in one )(day|week)\b",
    re.IGNORECASE,
)
PER_KG = re.compile(
    rf"({NUMBER})\s?(?:mg|milligrams)\s?(?:/|per )\s?(?:kg|kilogram)", re.IGNORECASE
)
MILLIGRAMS = re.compile(
    rf"({NUMBER})\s?(?:mg|milligrams)\b(?!\s?(?:/|per )\s?(?:kg|kilogram|m|d?l))", re.IGNORECASE
)
DIVIDED = re.compile(
    r"\b(?:(\d)|two|three|four)\s(?:equal(?:ly)?\s)?(?:divided\s)?doses\b", re.IGNORECASE
)

FindFigures = Callable[[RowTexts, float], Iterator[ComputedFigure]]


def arithmetic_check(rule: ArithmeticRule) -> RowCheck:
    """A figure of the output that is not what the row's figures come to."""
    finds = [FINDS[name] for name in rule.checks]

    def look(task: RowTexts) -> RuleMatch | None:
        if DIGIT.search(task.output) is None:
            return None
        for find in finds:
            for figure in find(task, rule.tolerance):
                evidence = {
                    "check": figure.check,
                    "saw": shown(figure.saw),
                    "stated": figure.stated,
                    "computed": float(f"{figure.computed:.6g}"),
                }
                return RuleMatch(evidence, score=round(figure.stated / figure.computed, 4))
        return None

    return look


@dataclass(frozen=True)
class _Regimen:
    drug: str
    milligrams: float
    per_day: float


def bmi_figures(task: RowTexts, tolerance: float) -> Iterator[ComputedFigure]:
    """A body-mass index that weight and height do not make."""
    given = f"{task.instruction} {task.input}"[:MOST_READ]
    if BMI.search(given) is None and BMI.search(task.output) is None:
        return
    weight = _one_of(_weights(given), LIKELY_WEIGHTS)
    height = _one_of(_heights(given), LIKELY_HEIGHTS)
    if weight is None or height is None:
        return
    found = BMI_STATED.search(task.output[:MOST_READ])
    if found is None and BMI.search(task.instruction):
        found = BARE.fullmatch(task.output.strip())
    # A sum that leads up to the figure is recomputed as a sum.
    if found is None or re.match(r"\s?(?:kg|cm|m\b|[÷/x×(])(?!/m)", task.output[found.end() :]):
        return
    stated = number(found.group(1))
    computed = weight / height**2
    if not agree(stated, computed, decimals_of(found.group(1)), tolerance):
        yield ComputedFigure("body-mass index", found.group(0), stated, computed)


def _weights(text: str) -> list[float]:
    grams = {"kg", "lb"}
    return [
        one.value * UNITS[one.unit][1] / 1000
        for one in quantities(text)
        if UNITS[one.unit][0] == "mass" and one.unit[:2] in grams | {"po", "ki"}
    ]


def _heights(text: str) -> list[float]:
    metric = [
        one.value * UNITS[one.unit][1] / 100
        for one in quantities(text)
        if one.unit in {"cm", "m", "centimeters", "meters", "metres", "meter"}
    ]
    feet = [
        (12 * int(found.group(1)) + float(found.group(2) or 0)) * INCH
        for found in FEET.finditer(text)
    ]
    inches = [] if feet else [float(found.group(1)) * INCH for found in INCHES.finditer(text)]
    return metric + feet + inches


def _one_of(values: list[float], likely: tuple[float, float]) -> float | None:
    """The one value that all of them are, where it is a likely one."""
    if not values or max(values) > min(values) * (1 + SAME):
        return None
    return values[0] if likely[0] <= values[0] <= likely[1] else None


def dose_figures(task: RowTexts, tolerance: float) -> Iterator[ComputedFigure]:
    """A total per day or week, or a dose by weight, that the prescription does not make."""
    if COMPUTES.search(task.instruction) is None and COMPUTES.search(task.input) is None:
        return
    given = f"{task.instruction}\n{task.input}"[:MOST_READ]
    if UNCERTAIN.search(given) is None:
        yield from _totals(given, task.output[:MOST_READ], tolerance)
    yield from _by_weight(given, task.output[:MOST_READ], tolerance)


def _totals(given: str, output: str, tolerance: float) -> Iterator[ComputedFigure]:
    regimens = [_regimen(found) for found in REGIMEN.finditer(given)]
    for found in TOTAL.finditer(output):
        drug = (found.group(3) or "").lower()
        named = [one for one in regimens if drug and drug == one.drug]
        if not drug and len(regimens) == 1 and len(TOTAL.findall(output)) == 1:
            named = regimens
        if len(named) != 1:
            continue
        stated = number(found.group(1)) * _milligrams(found.group(2))
        computed = named[0].milligrams * named[0].per_day * DAYS[found.group(4).lower()]
        decimals = decimals_of(found.group(1))
        if not agree(stated, computed, decimals, tolerance):
            yield ComputedFigure("total dose in mg", found.group(0), stated, computed)


def _regimen(found: re.Match[str]) -> _Regimen:
    drug = (found.group(4) or found.group(1) or "").lower()
    if found.group(6):
        per_day = 24 / max(int(found.group(6)), 1)
    else:
        spelled = found.group(5).lower()
        per_day = float(TIMES[spelled]) if spelled in TIMES else float(spelled[0])
    return _Regimen(drug, number(found.group(2)) * _milligrams(found.group(3)), per_day)


def _milligrams(unit: str) -> float:
    known = UNITS.get(unit.lower())
    return known[1] * 1000 if known else 1.0  # units of insulin stay what they are


def _by_weight(given: str, output: str, tolerance: float) -> Iterator[ComputedFigure]:
    rates = {number(found.group(1)) for found in PER_KG.finditer(given)}
    weight = _one_of(_weights(PER_KG.sub(" ", given)), LIKELY_WEIGHTS)
    if len(rates) != 1 or weight is None or PER_KG.search(output) or re.search(r"\bmax", given):
        return
    stated = list(MILLIGRAMS.finditer(output))
    known = {number(found.group(1)) for found in MILLIGRAMS.finditer(given)}
    if len({number(found.group(1)) for found in stated}) != 1 or known:
        return
    computed = rates.pop() * weight
    value = number(stated[0].group(1))
    # The daily dose or one of several: any share of it that a day is divided into.
    shares = [computed * times for times in (1, 2, 3, 4, 1 / 2, 1 / 3, 1 / 4)]
    divided = DIVIDED.search(given) is not None or re.search(
        r"every|times|daily|/day|per day", given
    )
    if any(agree(value, one, 0, tolerance) for one in (shares if divided else shares[:1])):
        return
    yield ComputedFigure("dose by weight in mg", stated[0].group(0), value, computed)


def share_figures(task: RowTexts, tolerance: float) -> Iterator[ComputedFigure]:
    """A percentage in brackets that the two numbers before it do not make."""
    for found in SHARE.finditer(task.output, 0, MOST_READ):
        part, whole, stated = (number(found.group(place)) for place in (1, 2, 3))
        if not 0 < part <= whole:
            continue
        computed = 100 * part / whole
        if not agree(stated, computed, decimals_of(found.group(3)), tolerance):
            yield ComputedFigure("percentage", found.group(0), stated, computed)


def _conversions(task: RowTexts, tolerance: float) -> Iterator[ComputedFigure]:
    return conversion_figures(task.instruction, task.input, task.output, tolerance)


def _sums(task: RowTexts, tolerance: float) -> Iterator[ComputedFigure]:
    return sum_figures(task.output, tolerance)


FINDS: dict[str, FindFigures] = {
    "doses": dose_figures,
    "bmi": bmi_figures,
    "percentages": share_figures,
    "conversions": _conversions,
    "sums": _sums,
}
