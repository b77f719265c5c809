"""The lines of a loss curve are drawn to scale, with the first and the last value in words."""

from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.figures.curves import loss_curve
from bioinstruct_dagster.figures.sheet import SEEN
from bioinstruct_dagster_tests.figures.drawings import drawing, numbers, paths, texts

ROOM = 10_000


def lines_of(markdown):
    """The points of each line: training, then validation if there is one."""
    *lines, _ = paths(markdown)
    found = []
    for line in lines:
        x, y, *steps = numbers(line["d"])
        points = [(x, y)]
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + dx, y + dy
            points.append((x, y))
        found.append(points)
    return found


LOSSES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300)


@given(LOSSES, LOSSES)
def test_a_curve_runs_left_to_right_in_sight(losses, validation):
    figure = loss_curve(losses, list(enumerate(validation, 1)), 300)(ROOM)
    height = float(drawing(figure).attrib["height"])
    for points in lines_of(figure):
        assert all(0 <= x <= SEEN and 0 <= y <= height for x, y in points)
        assert [x for x, _ in points] == sorted(x for x, _ in points)


def test_both_lines_fall_to_scale_and_share_the_axis_of_updates():
    figure = loss_curve([4.0, 3.0, 2.0], [(11, 3.0), (21, 2.5)], 21)(ROOM)
    training, validation = lines_of(figure)
    (left, top), (centre, middle), (right, bottom) = training
    assert centre - left == right - centre
    assert middle - top == bottom - middle  # SVG's y grows downwards
    assert [x for x, _ in validation] == [centre, right]
    assert validation[0][1] == middle < validation[1][1] < bottom


def test_with_less_room_a_curve_keeps_its_first_and_its_last_loss():
    losses = [9.0, *[5.0] * 998, 1.0]
    whole, short = (loss_curve(losses, [], 1_000)(room) for room in (ROOM, 640))
    assert 0 < len(short) <= 640 < len(whole)
    assert lines_of(whole)[0][0] == lines_of(short)[0][0]
    assert lines_of(whole)[0][-1] == lines_of(short)[0][-1]


def test_the_axes_have_names_units_and_values_and_the_legend_the_ends_of_both_lines():
    figure = loss_curve([4.0, 1.25, 2.5], [(10, 3.0), (20, 2.76)], 20)(ROOM)
    assert texts(figure) == [
        "Loss (nats per response token)",
        "training 4.00 to 2.50",
        "validation (dashed) 3.00 to 2.76",
        "4.00",
        "1.25",
        "update 1 to 20",
    ]
    assert len([path for path in paths(figure) if "stroke-dasharray" in path]) == 1


def test_a_run_without_validation_has_no_second_line_and_legend():
    figure = loss_curve([4.0], [], 1)(ROOM)
    assert len(lines_of(figure)) == 1
    assert not [text for text in texts(figure) if "validation" in text]


def test_without_losses_there_is_no_curve():
    assert loss_curve([], [], 0)(ROOM) == ""
