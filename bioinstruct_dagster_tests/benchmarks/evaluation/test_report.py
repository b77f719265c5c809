"""The tables of the evaluation benchmark: ratios of the same round, equality, and reasons."""

import pytest

from benchmarks.evaluation.measures import Figure, compare
from benchmarks.evaluation.report import against_harness, render


def figure(tool, round_, cpu, **values):
    more = {"items": 100, "whole_cpu": cpu + 5, "peak_bytes": 1 << 30}
    speed = {"cpu": cpu, "items_per_cpu_second": 100 / cpu}
    return Figure("embedded", tool, "letters", round_, speed | more | values)


EQUAL = {"difference": 2e-6, "compared": 400, "other_tokens": 0}
FIGURES = [
    figure("ours", 0, 1.0, **EQUAL),
    figure("lm_eval", 0, 3.0),
    figure("ours", 1, 4.0, **EQUAL | {"difference": 3e-6}),  # a slow minute of the machine
    figure("lm_eval", 1, 10.0),
]


def row_of(table, title):
    (line,) = [line for line in table.splitlines() if f"| {title} |" in line]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_ratio_compares_tools_of_the_same_round():
    assert against_harness(FIGURES, "letters", "cpu") == pytest.approx(2.75)
    assert against_harness(FIGURES, "texts", "cpu") is None


def test_the_table_shows_medians_the_ratio_and_the_greatest_difference():
    table = render(FIGURES, "a machine.")
    cells = row_of(table, "bioinstruct_dagster")
    assert cells[:5] == [
        "MedMCQA, letters, 100", "bioinstruct_dagster", "2", "62.5 (25.0-100.0)", "2.75 x"
    ]  # fmt: skip
    assert cells[7] == "3.0e-06 of 400 options: equal"
    assert row_of(table, "lm-evaluation-harness")[4] == "-"
    assert "a machine." in table


def test_values_that_differ_are_called_so():
    differing = figure("ours", 0, 1.0, difference=2e-4, compared=390, other_tokens=10)
    cells = row_of(render([differing, FIGURES[1]], ""), "bioinstruct_dagster")
    assert cells[7] == "2.0e-04 of 390 options: NOT EQUAL; 10 options are tokenised otherwise"


def test_a_run_that_failed_gives_its_reason():
    failed = Figure("eight", "ours", "texts", error="status 1: out of luck")
    assert "not measured: status 1: out of luck" in render([failed], "")


def test_eight_runs_are_compared_as_whole():
    figures = [
        Figure("eight", tool, "texts", values={"items": 9, "whole_cpu": cpu, "start_cpu": 4} | more)
        for tool, cpu, more in (("ours", 10.0, EQUAL), ("lm_eval", 65.0, {}))
    ]
    cells = row_of(render(figures, ""), "bioinstruct_dagster, one run")
    assert cells[2:5] == ["10.0", "4.0", "6.50 x"]


def test_only_options_of_the_same_tokens_are_compared():
    tokens = [[[1, 2], [3]], [[1, 2], [4]]]
    ours = {"values": {"a": [-1.0, -2.0]}, "tokens": {"a": tokens}}
    theirs = {"values": {"a": [-1.5, -9.0]}, "tokens": {"a": [tokens[0], [[1], [2, 4]]]}}
    assert compare(ours, theirs) == {"difference": 0.5, "compared": 1, "other_tokens": 1}
    nan = {"values": {"a": [float("nan"), 0.0]}, "tokens": {"a": tokens}}
    assert compare(ours, nan)["difference"] == float("inf")
