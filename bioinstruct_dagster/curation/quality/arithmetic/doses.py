"""Recomputes doses from the figures of a row: totals per day or week, and doses by weight.

Belongs here: the total of a prescription, and patterns whose parts depend on each other. Does not:
plain words (words/doses.yaml), or a patient's weight (patients). A dose is recomputed only if the
row can be read in one way, such as with one regimen for each drug.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.arithmetic.patients import weight_in
from bioinstruct_dagster.curation.quality.arithmetic.quantities import (
    MOST_READ,
    NUMBER,
    QUALITY_PACKAGE,
    ComputedFigure,
    agree,
    decimals_of,
    number,
    units,
)
from bioinstruct_dagster.curation.word_lists import alternatives, word_list, word_values
from bioinstruct_dagster.signs import SignSearch

DOSE_LISTS = "doses.yaml"

DOSE_PER_KG = re.compile(
    rf"({NUMBER})\s?(?:mg|milligrams)\s?(?:/|per )\s?(?:kg|kilogram)", re.IGNORECASE
)

MILLIGRAMS = re.compile(
    rf"({NUMBER})\s?(?:mg|milligrams)\b(?!\s?(?:/|per )\s?(?:kg|kilogram|m|d?l))", re.IGNORECASE
)

DIVIDED_DOSES = re.compile(
    r"\b(?:(\d)|two|three|four)\s(?:equal(?:ly)?\s)?(?:divided\s)?doses\b", re.IGNORECASE
)


@dataclass(frozen=True)
class DosePatterns:
    """The patterns and numbers from the word lists.

    Attributes:
        computes: matches a request for a calculation.
        regimen: matches a dose and how often it is taken; its groups are drug, dose, unit, drug,
            times, hours.
        uncertain: matches phrases with which a regimen has no certain total.
        total: matches a dose per day or week; its groups are dose, unit, drug, period.
        times: the number of doses a day, by phrase.
        days: the number of days of a period, by its name.
    """

    computes: SignSearch
    regimen: re.Pattern[str]
    uncertain: re.Pattern[str]
    total: re.Pattern[str]
    times: Mapping[str, float]
    days: Mapping[str, float]


@cache
def dose_patterns() -> DosePatterns:
    """The patterns; each process makes them once, when a row needs them."""
    times, days = (
        word_values(QUALITY_PACKAGE, DOSE_LISTS, name) for name in ("times_a_day", "days")
    )
    dose_units, open_phrases, open_beginnings, computes = (
        alternatives(word_list(QUALITY_PACKAGE, DOSE_LISTS, name))
        for name in ("dose_units", "uncertain", "uncertain_beginnings", "computes")
    )
    # The words are looked up in small letters. With `ai`, no other letters stand for them, such as
    # the long s that would otherwise match "s".
    return DosePatterns(
        computes=SignSearch((rf"/\b(?:{computes})/",)),
        regimen=re.compile(
            rf"(?:\b([A-Z][a-z]{{4,20}}),?\s)?({NUMBER})\s?({dose_units})\b"
            r"(?:\s?of\s([A-Za-z]{5,20}))?[^.;\n\d]{0,40}?"
            rf"\b(?:((?ai:{alternatives(times)}|[1-6] times))"
            r"(?:\s(?:a|per|each|every)\s?day|\sdaily)|every\s(\d{1,2})\shours)",
            re.IGNORECASE,
        ),
        uncertain=re.compile(
            rf"\b(?:{open_phrases})\b|\b(?:{open_beginnings})|/kg|\d\s?[-–]\s?\d+\s?mg",
            re.IGNORECASE,
        ),
        total=re.compile(
            rf"({NUMBER})\s?({dose_units})\b(?:\s?of\s([A-Za-z]{{5,20}}))?"
            rf"(?:\s(?:in total|total))?\s?(?:/|per |a |in a |each |every |in one )"
            rf"((?ai:{alternatives(days)}))\b",
            re.IGNORECASE,
        ),
        times=times,
        days=days,
    )


@dataclass(frozen=True)
class _Regimen:
    drug: str
    milligrams: float
    per_day: float


def dose_figures(row: RowTexts, tolerance: float) -> Iterator[ComputedFigure]:
    """The totals per day or week, and the doses by weight, that differ from the prescription."""
    computes = dose_patterns().computes
    if computes.search(row.instruction) is None and computes.search(row.input) is None:
        return
    given = f"{row.instruction}\n{row.input}"[:MOST_READ]
    # Few outputs state a total, so the prescription is read after it.
    totals = list(dose_patterns().total.finditer(row.output, 0, MOST_READ))
    if totals and dose_patterns().uncertain.search(given) is None:
        yield from _total_figures(given, totals, tolerance)
    yield from _weight_figures(given, row.output[:MOST_READ], tolerance)


def _total_figures(
    given: str, totals: Sequence[re.Match[str]], tolerance: float
) -> Iterator[ComputedFigure]:
    patterns = dose_patterns()
    regimens = [_regimen(found, patterns.times) for found in patterns.regimen.finditer(given)]
    for found in totals:
        drug = (found.group(3) or "").lower()
        named = [one for one in regimens if drug and drug == one.drug]
        if not drug and len(regimens) == 1 and len(totals) == 1:
            named = regimens
        if len(named) != 1:
            continue
        stated = number(found.group(1)) * _milligrams(found.group(2))
        computed = named[0].milligrams * named[0].per_day * patterns.days[found.group(4).lower()]
        decimals = decimals_of(found.group(1))
        if not agree(stated, computed, decimals, tolerance):
            yield ComputedFigure("total dose in mg", found.group(0), stated, computed)


def _regimen(found: re.Match[str], times: Mapping[str, float]) -> _Regimen:
    drug = (found.group(4) or found.group(1) or "").lower()
    if found.group(6):
        per_day = 24 / max(int(found.group(6)), 1)
    else:
        spelled = found.group(5).lower()
        per_day = times[spelled] if spelled in times else float(spelled[0])
    return _Regimen(drug, number(found.group(2)) * _milligrams(found.group(3)), per_day)


def _milligrams(unit: str) -> float:
    known = units().get(unit.lower())
    return known[1] * 1000 if known else 1.0  # units of insulin are not converted


def _weight_figures(given: str, output: str, tolerance: float) -> Iterator[ComputedFigure]:
    rates = {number(found.group(1)) for found in DOSE_PER_KG.finditer(given)}
    if len(rates) != 1 or DOSE_PER_KG.search(output) or re.search(r"\bmax", given):
        return
    weight = weight_in(DOSE_PER_KG.sub(" ", given))
    if weight is None:
        return
    stated = list(MILLIGRAMS.finditer(output))
    known = {number(found.group(1)) for found in MILLIGRAMS.finditer(given)}
    if len({number(found.group(1)) for found in stated}) != 1 or known:
        return
    computed = rates.pop() * weight
    value = number(stated[0].group(1))
    # The figure may be the daily dose or one of several doses a day.
    shares = [computed * times for times in (1, 2, 3, 4, 1 / 2, 1 / 3, 1 / 4)]
    divided = DIVIDED_DOSES.search(given) is not None or re.search(
        r"every|times|daily|/day|per day", given
    )
    if any(agree(value, one, 0, tolerance) for one in (shares if divided else shares[:1])):
        return
    yield ComputedFigure("dose by weight in mg", stated[0].group(0), value, computed)
