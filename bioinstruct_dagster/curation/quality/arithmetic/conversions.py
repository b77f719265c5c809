"""Written figures: numbers with units, written sums, and conversions between units.

Belongs here: reading figures out of prose, and recomputing sums ("25 x 40 = 1,000") and conversions
("180 mg/dL = 10 mmol/L"). Does not: what figures mean for a patient (dosing). Only what can be read
in one way is recomputed; anything else is passed over.
"""

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import isclose, log
from typing import NamedTuple

MOST_READ = 6_000  # characters of a text that are searched for figures
LEAST = 1e-9

# The digit comes before the look behind it: such an expression is found faster.
NUMBER = r"(?:\d(?<![\w.,]\d)(?:\d{0,2}(?:,\d{3})+|\d{0,8})(?:\.\d{1,6})?(?!\d))"


def _units(dimension: str, factor: float, names: str) -> dict[str, tuple[str, float]]:
    return dict.fromkeys(names.split("|"), (dimension, factor))


# Unit as written, in small letters: (dimension, factor to the dimension's base).
UNITS: dict[str, tuple[str, float]] = {
    **_units("mass", 1e-6, "mcg|µg|μg|ug|microgram|micrograms"),
    **_units("mass", 1e-3, "mg|milligram|milligrams"),
    **_units("mass", 1.0, "g|gram|grams"),
    **_units("mass", 1e3, "kg|kgs|kilogram|kilograms"),
    **_units("mass", 453.592, "lb|lbs|pound|pounds"),
    **_units("volume", 1.0, "ml|milliliter|milliliters|millilitre|millilitres"),
    **_units("volume", 1e3, "l|liter|liters|litre|litres"),
    **_units("length", 0.1, "mm|millimeter|millimeters|millimetres"),
    **_units("length", 1.0, "cm|centimeter|centimeters|centimetre|centimetres"),
    **_units("length", 2.54, "inch|inches"),
    **_units("length", 100.0, "m|meter|meters|metre|metres"),
    **_units("concentration", 1.0, "mg/l"),
    **_units("concentration", 10.0, "mg/dl"),
    **_units("concentration", 1e3, "g/l"),
    **_units("concentration", 1e4, "g/dl"),
    **_units("molar", 1.0, "µmol/l|μmol/l|umol/l"),
    **_units("molar", 1e3, "mmol/l"),
    **_units("pressure", 1.0, "mmhg"),
    **_units("pressure", 7.50062, "kpa"),
    **_units("celsius", 1.0, "°c|celsius"),
    **_units("fahrenheit", 1.0, "°f|fahrenheit"),
}
# µmol/L of one mg/L, by what is measured.
MOLAR = {
    "glucose": 1000 / 180.16,
    "blood sugar": 1000 / 180.16,
    "cholesterol": 1000 / 386.65,
    "hdl": 1000 / 386.65,
    "ldl": 1000 / 386.65,
    "triglyceride": 1000 / 885.4,
    "creatinine": 8.84,
    "bilirubin": 1.71,
    "calcium": 1000 / 40.08,
    "uric acid": 1000 / 168.11,
}
_UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
QUANTITY = re.compile(
    rf"({NUMBER})[ -]?(?:degrees )?(?:(°) ?)?({_UNIT})(?![\w²]|/[a-z]|\^)", re.IGNORECASE
)
LINKS = re.compile(
    r"\s{0,2}(?:(?:=|≈|~|is (?:equal|equivalent) to|equals|is (?:about|approximately)"
    r"|(?:which )?(?:converts|converted) to|corresponds to|or (?:about|approximately))\s{0,2}"
    r"(?:about |approximately |~|≈)?|\((?:about |approximately |~|≈|= ?|or )?)$",
    re.IGNORECASE,
)
PER = re.compile(r"\s{0,2}(?:/|per\b|daily|a day|each|every|twice|once|x\b|×)", re.IGNORECASE)

SUM_TOKEN = re.compile(
    rf"(?P<number>{NUMBER})(?P<square>²|\^2(?!\d))?"
    r"|(?P<op>\s[-–−+]\s|[×*÷+−]|·|(?<=[\d\s)a-z%])[xX](?=[\s\d(])"
    r"|/(?=\s?[\d(])|(?<=\s)/(?=\s))"
    r"|(?P<left>\()|(?P<right>\))|(?P<equals>=|≈)|(?P<about>about|approximately|roughly|~)"
    r"|(?P<unit>[^\W\d_⁰-⁹][\w/²³µμ°]{0,24}|%)|(?P<other>[^\s])"
)
# A sum may be right although its unit is not the one that its operands make.
FACTORS = (1.0, 100.0, 1e3, 1e6, 60.0, 24.0, 7.0, 1440.0, 3600.0)
MOST_UNIT_WORDS = 3
PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2}
OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
SPELLED = {"×": "*", "x": "*", "X": "*", "*": "*", "·": "*", "÷": "/", "/": "/", "+": "+"}


@dataclass(frozen=True, slots=True)
class ComputedFigure:
    """A figure of the output, and what it should be."""

    check: str
    saw: str
    stated: float
    computed: float


class Quantity(NamedTuple):
    """A number with its unit, and where it stands."""

    value: float
    unit: str
    start: int
    end: int
    decimals: int


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int
    value: float = 0.0


def number(text: str) -> float:
    """A number as written, thousands set apart by commas."""
    return float(text.replace(",", ""))


def decimals_of(text: str) -> int:
    """Digits after the point."""
    return len(text.partition(".")[2])


def agree(stated: float, computed: float, decimals: int, tolerance: float) -> bool:
    """Whether a stated figure is the computed one, as far as it was rounded."""
    return abs(stated - computed) <= max(tolerance * abs(computed), 0.51 * 10.0**-decimals)


def quantities(text: str) -> list[Quantity]:
    """All numbers with a known unit, in their order."""
    return [
        Quantity(
            number(found.group(1)),
            ((found.group(2) or "") + found.group(3)).lower(),
            found.start(),
            found.end(),
            decimals_of(found.group(1)),
        )
        for found in QUANTITY.finditer(text, 0, MOST_READ)
    ]


def analyte_of(text: str) -> str | None:
    """What is measured, where just one known substance is named."""
    low = text.lower()
    named = {round(factor, 6): name for name, factor in MOLAR.items() if name in low}
    return next(iter(named.values())) if len(named) == 1 else None


def convert(value: float, unit: str, into: str, analyte: str | None) -> float | None:
    """A value in another unit; None where nothing leads from one to the other."""
    (kind, factor), (other, into_factor) = UNITS[unit], UNITS[into]
    if kind == other:
        return value * factor / into_factor
    if (kind, other) == ("celsius", "fahrenheit"):
        return value * 9 / 5 + 32
    if (kind, other) == ("fahrenheit", "celsius"):
        return (value - 32) * 5 / 9
    if analyte and (kind, other) == ("concentration", "molar"):
        return value * factor * MOLAR[analyte] / into_factor
    if analyte and (kind, other) == ("molar", "concentration"):
        return value * factor / MOLAR[analyte] / into_factor
    return None


def conversion_figures(
    instruction: str, task_input: str, output: str, tolerance: float
) -> Iterator[ComputedFigure]:
    """Conversions in the output that are wrong."""
    found = quantities(output)
    analyte = analyte_of(f"{instruction} {task_input} {output[:MOST_READ]}")
    linked = False
    for one, other in pairwise(found):
        between = output[one.end : other.start]
        if LINKS.fullmatch(between) is None or not _stands_alone(output, one, other, between):
            continue
        linked = True
        yield from _wrong(one, other, analyte, output[one.start : other.end], tolerance)
    given = quantities(task_input) or quantities(instruction)
    asked = re.search(r"\b(?:convert|express|change|translate)\w*\b", instruction, re.IGNORECASE)
    if asked and not linked and len(given) == 1 and len(found) == 1:
        yield from _wrong(given[0], found[0], analyte, output[: found[0].end], tolerance)


def _stands_alone(text: str, one: Quantity, other: Quantity, between: str) -> bool:
    before = text[max(0, one.start - 3) : one.start].rstrip()
    after = text[other.end : other.end + 12]
    if before[-1:] in {"×", "x", "*", "÷", "/", "+", "−", "-", "–", "<", ">", "≤", "≥", "±"}:
        return False
    if "(" in between and (PER.match(after) or not after.lstrip().startswith((")", ",", ";"))):
        return False
    return PER.match(after) is None


def _is_weight_and_dose(one: Quantity, other: Quantity) -> bool:
    """Whether one of two masses is a patient's and the other one a drug's."""
    factors = sorted(UNITS[each.unit][1] for each in (one, other))
    masses = {UNITS[each.unit][0] for each in (one, other)} == {"mass"}
    return masses and factors[0] < 1 and factors[1] > 1


def _wrong(
    one: Quantity, other: Quantity, analyte: str | None, saw: str, tolerance: float
) -> Iterator[ComputedFigure]:
    if one.unit == other.unit or _is_weight_and_dose(one, other):
        return
    computed = convert(one.value, one.unit, other.unit, analyte)
    if computed is None or abs(computed) < LEAST:
        return
    # Of a rounded value only as much is known as its digits say.
    rounded = 0.51 * 10.0**-one.decimals / max(abs(one.value), LEAST)
    if agree(other.value, computed, other.decimals, max(tolerance, min(rounded, 0.2))):
        return
    difference = {"°c": 1.8, "celsius": 1.8, "°f": 1 / 1.8, "fahrenheit": 1 / 1.8}.get(one.unit)
    if difference and isclose(one.value * difference, other.value, rel_tol=0.1):
        return  # a rise by so many degrees
    yield ComputedFigure("conversion", saw, other.value, computed)


def sum_figures(text: str, tolerance: float) -> Iterator[ComputedFigure]:
    """Written sums that are wrong."""
    if "=" not in text and "≈" not in text:
        return
    tokens = [_token(found) for found in SUM_TOKEN.finditer(text, 0, MOST_READ)]
    for place, token in enumerate(tokens):
        if token.kind != "equals":
            continue
        operands = _operands_before(tokens, place)
        result = _result_after(tokens, place)
        if operands is None or result is None:
            continue
        stated, unit = result
        computed = _evaluate(operands)
        if computed is None or computed <= LEAST:
            continue
        decimals = decimals_of(stated.text)
        units = {one.text.lower() for one in operands if one.kind == "unit"}
        strict = unit in units and "%" not in units
        factors = (1.0,) if strict else FACTORS
        candidates = [one for factor in factors for one in (computed * factor, computed / factor)]
        if not any(agree(stated.value, one, decimals, tolerance) for one in candidates):
            nearest = min(candidates, key=lambda one: abs(log(max(stated.value, LEAST) / one)))
            saw = text[operands[0].start : stated.end]
            yield ComputedFigure("sum", saw, stated.value, nearest)


def _token(found: re.Match[str]) -> _Token:
    kind = found.lastgroup or "other"
    if found.group("number"):
        value = number(found.group("number"))
        value = value**2 if found.group("square") else value
        return _Token("number", found.group("number"), found.start(), found.end(), value)
    return _Token(kind, found.group(0).strip(), found.start(), found.end())


def _operands_before(tokens: list[_Token], place: int) -> list[_Token] | None:
    """The tokens of the sum that ends before a place; None where there is none."""
    start, depth, operators, units = place, 0, 0, 0
    wants_operand = True
    for index in range(place - 1, -1, -1):
        token = tokens[index]
        if wants_operand:
            if token.kind == "unit" and units < MOST_UNIT_WORDS:
                units += 1
                continue
            if token.kind == "right":
                depth += 1
                continue
            if token.kind != "number":
                break
            wants_operand, units = False, 0
            start = index if depth == 0 else start
        elif token.kind == "op":
            wants_operand = True
            operators += 1
        elif token.kind == "left" and depth:
            depth -= 1
            start = index if depth == 0 else start
        else:
            break
    found = tokens[start:place]
    if not operators or not any(token.kind == "op" for token in found):
        return None
    before = tokens[start - 1] if start else None
    # A range, a list or a longer formula leads up to it.
    if before is not None and (
        before.kind in {"op", "left"} or before.text in {"^", "-", "–", ","}
    ):
        return None if before.kind != "left" else found
    return found


def _result_after(tokens: list[_Token], place: int) -> tuple[_Token, str] | None:
    rest = tokens[place + 1 : place + 6]
    while rest and rest[0].kind in {"about", "equals"}:
        rest = rest[1:]
    if not rest or rest[0].kind != "number":
        return None
    after = rest[1:]
    unit = after[0].text.lower() if after and after[0].kind == "unit" else ""
    following = after[1:] if unit else after
    if following and (following[0].kind == "op" or following[0].text in {"^", "-", "–", ":"}):
        return None
    return rest[0], unit


def _evaluate(tokens: list[_Token]) -> float | None:
    """The value of a sum; None where it is none."""
    values: list[float] = []
    pending: list[str] = []
    try:
        for token in tokens:
            if token.kind == "number":
                values.append(token.value)
            elif token.kind == "left":
                pending.append("(")
            elif token.kind == "right":
                _apply(values, pending, 1)
                pending.pop()
            elif token.kind == "op":
                sign = SPELLED.get(token.text, "-")
                _apply(values, pending, PRECEDENCE[sign])
                pending.append(sign)
        _apply(values, pending, 1)
    except (IndexError, ZeroDivisionError, OverflowError):
        return None
    return values[0] if len(values) == 1 and not pending else None


def _apply(values: list[float], pending: list[str], precedence: int) -> None:
    """Work off the pending operators that bind at least as closely."""
    while pending and PRECEDENCE.get(pending[-1], 0) >= precedence:
        sign, right, left = pending.pop(), values.pop(), values.pop()
        values.append(OPERATIONS[sign](left, right))
