"""The rings: wide as their rows, coloured so that neighbours differ."""

import pytest

from bioinstruct_dagster.dataset.figures.sunburst import sunburst
from bioinstruct_dagster.dataset.imperatives.diversity import VerbDiversity, VerbShare


def wedges(figure):
    """The wedges of the inner and of the outer ring."""
    [axes] = figure.axes
    inner = [one for one in axes.patches if one.r < 0.75]
    return inner, [one for one in axes.patches if one.r > 0.75]


@pytest.mark.parametrize("count", [1, 6, 7, 13, 20])
def test_the_rings_close_and_neighbours_differ(count):
    top = [VerbShare(f"verb{n}", 5, {"dose": 3, "drug": 1}) for n in range(count)]
    read = 10 * count
    figure = sunburst(VerbDiversity(read, read, 5 * count, count, 2 * count, top, "test"))
    inner, outer = wedges(figure)
    assert len(inner) == count
    assert len(outer) == 2 * count
    for ring in (inner, outer):
        assert sum(one.theta2 - one.theta1 for one in ring) == pytest.approx(360)
    colours = [one.get_facecolor() for one in inner]
    if count > 1:
        assert all(one != colours[place - 1] for place, one in enumerate(colours))
    assert outer[0].theta2 - outer[0].theta1 == pytest.approx(270 / count)


def test_the_share_is_in_the_middle_and_a_verb_without_objects_is_left_out():
    top = [VerbShare("list", 6, {"drug": 5}), VerbShare("decide", 3, {})]
    figure = sunburst(VerbDiversity(10, 10, 9, 2, 1, top, "test"))
    assert len(wedges(figure)[0]) == 1
    assert "50.0 %\nof 10 rows" in {one.get_text() for one in figure.axes[0].texts}
