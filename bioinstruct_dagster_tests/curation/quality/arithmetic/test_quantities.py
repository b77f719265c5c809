"""Reading numbers with units from prose."""

import pytest

from bioinstruct_dagster.curation.quality.arithmetic.quantities import (
    DIMENSIONS,
    QUALITY_PACKAGE,
    agree,
    quantities,
    units,
)
from bioinstruct_dagster.curation.word_lists import word_list, word_values


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("He took 1,250 mg, then 0.5 g.", [(1250.0, "mg", 0), (0.5, "g", 1)]),
        ("a 70-kg man of 5 Pounds", [(70.0, "kg", 0), (5.0, "pounds", 0)]),
        ("glucose 126 mg/dL", [(126.0, "mg/dl", 0)]),
        ("37 °C or 98.6 degrees Fahrenheit", [(37.0, "°c", 0), (98.6, "fahrenheit", 1)]),
        ("36.6 °Celsius", [(36.6, "celsius", 1)]),
        ("10 mg/kg, 25 kg/m², 3 m^2, version 1.2.3 g, 5 grapes", []),
    ],
)
def test_numbers_are_read_with_their_units(text, found):
    assert [(one.value, one.unit, one.decimals) for one in quantities(text)] == found


def test_a_unit_belongs_to_one_dimension():
    listed = [
        unit for each in DIMENSIONS for unit in word_values(QUALITY_PACKAGE, "units.yaml", each)
    ]
    assert sorted(listed) == sorted(units())


def test_weights_and_heights_are_known_units():
    for name, dimension in (("weight_units", "mass"), ("height_units", "length")):
        for unit in word_list(QUALITY_PACKAGE, "units.yaml", name):
            assert units()[unit][0] == dimension


def test_a_figure_agrees_as_far_as_it_was_rounded():
    assert agree(7.0, 6.994, decimals=1, tolerance=0)
    assert not agree(7.00, 6.994, decimals=2, tolerance=0)
    assert agree(7.00, 6.994, decimals=2, tolerance=0.01)
