"""Numbers with units: reading them out of prose, and when two figures are the same.

Belongs here: numbers, units and quantities, and the figure that a computation doubts. Does not: the
units themselves (words/units.yaml), or what is computed (sums, conversions, patients).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from bioinstruct_dagster.curation.word_lists import alternatives, word_values

QUALITY_PACKAGE = "bioinstruct_dagster.curation.quality"  # whose word lists are read
DIMENSIONS = (
    "mass", "volume", "length", "concentration", "molar", "pressure", "celsius", "fahrenheit",
)  # fmt: skip
MOST_READ = 6_000  # characters of a text that are searched for figures

LEAST_VALUE = 1e-9

# The digit comes before the look behind it: such an expression is found faster.
NUMBER = r"(?:\d(?<![\w.,]\d)(?:\d{0,2}(?:,\d{3})+|\d{0,8})(?:\.\d{1,6})?(?!\d))"


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


@cache
def units() -> Mapping[str, tuple[str, float]]:
    """The dimension of each unit, in small letters, and its factor to the dimension's base."""
    return MappingProxyType(
        {
            unit: (dimension, factor)
            for dimension in DIMENSIONS
            for unit, factor in word_values(QUALITY_PACKAGE, "units.yaml", dimension).items()
        }
    )


@cache
def _quantity_pattern() -> re.Pattern[str]:
    return re.compile(
        rf"({NUMBER})[ -]?(?:degrees )?(?:° ?)?({alternatives(units())})(?![\w²]|/[a-z]|\^)",
        re.IGNORECASE,
    )


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
            found.group(2).lower(),
            found.start(),
            found.end(),
            decimals_of(found.group(1)),
        )
        for found in _quantity_pattern().finditer(text, 0, MOST_READ)
    ]
