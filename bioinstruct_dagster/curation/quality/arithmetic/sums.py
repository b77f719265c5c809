"""Reads and recomputes written sums, such as "25 x 40 = 1,000".

Belongs here: the operands and the result around an equals sign. Does not: conversions between units
(conversions). A sum that can be read in several ways is not recomputed.
"""

import operator
import re
from collections.abc import Callable, Iterator
from functools import cache
from math import log
from typing import NamedTuple

from bioinstruct_dagster.curation.quality.arithmetic.quantities import (
    LEAST_VALUE,
    MOST_READ,
    NUMBER,
    QUALITY_PACKAGE,
    ComputedFigure,
    agree,
    decimals_of,
    number,
)
from bioinstruct_dagster.curation.word_lists import word_values

SUM_TOKEN = re.compile(
    rf"(?P<number>{NUMBER})(?P<square>²|\^2(?!\d))?"
    r"|(?P<op>\s[-–−+]\s|[×*÷+−]|·|(?<=[\d\s)a-z%])[xX](?=[\s\d(])"
    r"|/(?=\s?[\d(])|(?<=\s)/(?=\s))"
    r"|(?P<left>\()|(?P<right>\))|(?P<equals>=|≈)|(?P<about>about|approximately|roughly|~)"
    r"|(?P<unit>[^\W\d_⁰-⁹][\w/²³µμ°]{0,24}|%)|(?P<other>[^\s])"
)

MOST_UNIT_WORDS = 3

PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2}

OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}

OPERATOR_OF_SIGN = {"×": "*", "x": "*", "X": "*", "*": "*", "·": "*", "÷": "/", "/": "/", "+": "+"}


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int
    value: float = 0.0


@cache
def _factors() -> tuple[float, ...]:
    """Factors between the unit of a result and the unit of its operands."""
    return (1.0, *word_values(QUALITY_PACKAGE, "doses.yaml", "sum_factors").values())


def sum_figures(text: str, tolerance: float) -> Iterator[ComputedFigure]:
    """The wrong sums in a text."""
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
        if computed is None or computed <= LEAST_VALUE:
            continue
        decimals = decimals_of(stated.text)
        units = {one.text.lower() for one in operands if one.kind == "unit"}
        strict = unit in units and "%" not in units
        factors = (1.0,) if strict else _factors()
        candidates = [one for factor in factors for one in (computed * factor, computed / factor)]
        if not any(agree(stated.value, one, decimals, tolerance) for one in candidates):
            nearest = min(
                candidates, key=lambda one: abs(log(max(stated.value, LEAST_VALUE) / one))
            )
            excerpt = text[operands[0].start : stated.end]
            yield ComputedFigure("sum", excerpt, stated.value, nearest)


def _token(found: re.Match[str]) -> _Token:
    kind = found.lastgroup or "other"
    if found.group("number"):
        value = number(found.group("number"))
        value = value**2 if found.group("square") else value
        return _Token("number", found.group("number"), found.start(), found.end(), value)
    return _Token(kind, found.group(0).strip(), found.start(), found.end())


def _operands_before(tokens: list[_Token], place: int) -> list[_Token] | None:
    """The tokens of the sum that ends before a place; None if there is no sum."""
    start, depth, operators, units = place, 0, 0, 0
    expects_operand = True
    for index in range(place - 1, -1, -1):
        token = tokens[index]
        if expects_operand:
            if token.kind == "unit" and units < MOST_UNIT_WORDS:
                units += 1
                continue
            if token.kind == "right":
                depth += 1
                continue
            if token.kind != "number":
                break
            expects_operand, units = False, 0
            start = index if depth == 0 else start
        elif token.kind == "op":
            expects_operand = True
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
    # A range, a list or a longer formula ends here.
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
    """The value of a sum; None if the tokens are not a valid sum."""
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
                sign = OPERATOR_OF_SIGN.get(token.text, "-")
                _apply(values, pending, PRECEDENCE[sign])
                pending.append(sign)
        _apply(values, pending, 1)
    except (IndexError, ZeroDivisionError, OverflowError):
        return None
    return values[0] if len(values) == 1 and not pending else None


def _apply(values: list[float], pending: list[str], precedence: int) -> None:
    """Apply the pending operators of the same or a higher precedence."""
    while pending and PRECEDENCE.get(pending[-1], 0) >= precedence:
        sign, right, left = pending.pop(), values.pop(), values.pop()
        values.append(OPERATIONS[sign](left, right))
