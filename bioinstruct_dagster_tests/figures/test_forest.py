"""Forest plots: intervals to scale, around zero, and the furthest first if not all fit."""

from bioinstruct_dagster.figures.forest import ForestRow, PlottedScore, differences, forest, shares
from bioinstruct_dagster.figures.sheet import SEEN
from bioinstruct_dagster_tests.figures.drawings import SVG, drawing, numbers, paths, texts

ROOM = 10_000
ROWS = {
    "better": PlottedScore(0.2, 0.1, 0.3),
    "tied": PlottedScore(0.0, -0.1, 0.1),
    "worse": PlottedScore(-0.1, -0.2, -0.05),
    "unknown": PlottedScore(0.05, None, None),
}


def test_each_difference_stands_in_words_beside_its_interval():
    figure = differences("Adapter minus base", ROWS)(ROOM)
    assert texts(figure)[:5] == [
        "Adapter minus base",
        "better +0.20 [0.10, 0.30]",
        "tied 0.00 [−0.10, 0.10]",
        "worse −0.10 [−0.20, −0.05]",
        "unknown +0.05",
    ]
    zero, lines, dots = paths(figure)
    middle = numbers(zero["d"])[0]
    ends = [(line[0], line[2]) for line in _triples(numbers(lines["d"]))]
    assert ends[0][0] > middle
    assert ends[1][0] < middle < ends[1][1]
    assert abs((ends[1][0] + ends[1][1]) / 2 - middle) <= 1
    assert ends[2][1] < middle
    assert ends[3][0] == ends[3][1] > middle
    assert max(end for _, end in ends) < SEEN
    assert [dot[0] > middle for dot in _triples(numbers(dots["d"]))] == [True, False, False, True]


def _triples(values):
    return [values[i : i + 3] for i in range(0, len(values), 3)]


def test_with_less_room_those_furthest_from_zero_are_drawn():
    shown = texts(differences("Difference", ROWS)(640))
    assert shown[0] == "Difference (2 of 4 tasks)"
    assert [text.partition(" ")[0] for text in shown[1:3]] == ["better", "worse"]


def test_the_whole_plot_has_a_mark_for_each_subject_of_each_task():
    rows = [
        ForestRow(
            f"task {i}",
            {
                "base": PlottedScore(0.4, 0.3, 0.5),
                "adapter": PlottedScore(0.5, 0.4, 0.6),
                "difference": PlottedScore(0.1, 0.0, 0.2),
            },
        )
        for i in range(14)
    ]
    figure = forest("Scores", rows)
    marks = list(drawing(figure).iter(f"{SVG}circle"))
    assert len(marks) == 3 * 14
    # Open and full marks can be told apart without colour.
    assert [mark.attrib["fill"] == "white" for mark in marks[:3]] == [True, False, False]
    assert {f"task {i}" for i in range(14)} <= set(texts(figure))


def test_shares_lie_between_0_and_100_percent_and_the_first_ones_are_drawn():
    rows = {
        "defects": PlottedScore(0.0, 0.0, 0.1),
        "precision": PlottedScore(0.5, 0.25, 0.75),
        "all": PlottedScore(1.0, None, None),
    }
    figure = shares("Shares", rows)(ROOM)
    assert texts(figure) == [
        "Shares", "defects 0.0\N{NO-BREAK SPACE}%", "precision 50.0\N{NO-BREAK SPACE}%",
        "all 100.0\N{NO-BREAK SPACE}%", "0", "100\N{NO-BREAK SPACE}%",
    ]  # fmt: skip
    axes, lines, dots = paths(figure)
    left = numbers(axes["d"])[0]
    places = [dot[0] for dot in _triples(numbers(dots["d"]))]
    assert places[0] == left
    assert abs(places[1] - (left + places[2]) / 2) <= 1
    assert max(places) < SEEN
    assert _triples(numbers(lines["d"]))[1][0] < places[1] < _triples(numbers(lines["d"]))[1][2]
    assert texts(shares("Shares", rows)(610))[1].startswith("defects")
    assert shares("Shares", rows)(50) == ""
