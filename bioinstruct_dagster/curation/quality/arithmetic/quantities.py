"""Reads numbers with units from prose, and compares figures.

Belongs here: numbers, units, quantities, and the type of a wrong figure. Does not: the lists of
units (words/units.yaml), or the computations (sums, conversions, doses, patients).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from bioinstruct_dagster.curation.word_lists import alternatives, word_values

QUALITY_PACKAGE = "bioinstruct_dagster.curation.quality"  # the package of the word lists
DIMENSIONS = (
    "mass", "volume", "length", "concentration", "molar", "pressure", "celsius", "fahrenheit",
)  # fmt: skip
MOST_READ = 6_000  # characters of a text that are searched for figures
LEAST_VALUE = 1e-9  # a smaller value counts as zero

# The first digit precedes its lookbehind, because Python searches for that order faster.
NUMBER = r"(?:\d(?<![\w.,]\d)(?:\d{0,2}(?:,\d{3})+|\d{0,8})(?:\.\d{1,6})?(?!\d))"


@dataclass(frozen=True, slots=True)
class ComputedFigure:
    """A figure that the output states, and the value computed from the row."""

    check: str
    excerpt: str
    stated: float
    computed: float


class Quantity(NamedTuple):
    """A number with its unit, and its place in the text."""

    value: float
    unit: str
    start: int
    end: int
    decimals: int


@cache
def units() -> Mapping[str, tuple[str, float]]:
    """The dimension of each unit, and its factor to the base unit; names in small letters."""
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
    """The value of a written number, which may have commas between thousands."""
    return float(text.replace(",", ""))


def decimals_of(text: str) -> int:
    """The number of digits after the decimal point."""
    return len(text.partition(".")[2])


def agree(stated: float, computed: float, decimals: int, tolerance: float) -> bool:
    """Whether a stated figure equals the computed one, within rounding or tolerance."""
    return abs(stated - computed) <= max(tolerance * abs(computed), 0.51 * 10.0**-decimals)


def quantities(text: str) -> list[Quantity]:
    """All numbers with a known unit, in the order of the text."""
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
