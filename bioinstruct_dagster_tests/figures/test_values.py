"""Numbers as a person reads them."""

import pytest

from bioinstruct_dagster.figures.values import (
    change,
    dollars,
    interval,
    number_of,
    percent,
    percent_number,
    signed,
    significant,
)


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (percent(0.8684), "86.8\N{NO-BREAK SPACE}%"),
        (dollars(0.04432), "$0.044"),
        (dollars(0.0000123), "$0.000012"),
        (dollars(1234.5), "$1,234.50"),
        (dollars(0.0), "$0.00"),
        (significant(6.6666), "6.67"),
        (significant(1234.5), "1,234"),
        (significant(0.0), "0"),
        (f"{6.67}{interval(6.51, 6.88, 2)}", "6.67 [6.51, 6.88]"),
        (interval(None, 1.0), ""),
        (interval(-0.0001, 0.5, 2), " [0.00, 0.50]"),
        (signed(0.0123), "+0.012"),
        (signed(-0.5, 1), "−0.5"),
        (signed(-0.0001, 2), "0.00"),
        (change(23), "+23"),
        (change(-1200), "−1,200"),
        (change(0), "no change"),
        (number_of(1, "reply"), "1 reply"),
        (number_of(1200, "row"), "1,200 rows"),
        (number_of(2, "reply"), "2 replies"),
        (number_of(2, "key"), "2 keys"),
    ],
)
def test_a_number_is_formatted(shown, text):
    assert shown == text


def test_a_number_of_percent_has_one_digit():
    assert percent_number(2 / 3) == 66.7
