"""The tables of the training benchmark: medians, ratios of the same round, and reasons."""

import pytest

from benchmarks.sessions import ratio
from benchmarks.training.measures import Figure, turns
from benchmarks.training.report import render


def figure(mode, round_, speed, **values):
    defaults = {"useful": 1.0, "updates": 5, "loss": 8.0, "peak_bytes": 1 << 30}
    return Figure("made", mode, round_, {"per_cpu_second": speed} | defaults | values)


FIGURES = [
    figure("ours", 0, 500.0),
    figure("bare", 0, 500.0),
    figure("trl_defaults", 0, 125.0, useful=0.4),
    figure("ours", 1, 90.0),  # a slow minute of the machine
    figure("bare", 1, 100.0),
    figure("trl_defaults", 1, 30.0, useful=0.5),
    figure("ours", 2, 465.0),
    figure("bare", 2, 500.0),
]


def test_a_ratio_compares_modes_of_the_same_round():
    assert ratio(FIGURES, "ours", "bare", "per_cpu_second") == pytest.approx(0.93)
    assert ratio(FIGURES, "ours", "trl_defaults", "per_cpu_second") == pytest.approx(3.5)
    assert ratio(FIGURES, "ours", "hf_grouped", "per_cpu_second") is None


def row_of(table, title):
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {title} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_shows_medians_and_both_ratios():
    table = render(FIGURES, "a machine.")
    cells = row_of(table, "bioinstruct_dagster")
    assert cells[1:5] == ["3", "465 (90-500)", "0.93", "3.50 x"]
    assert row_of(table, "TRL, defaults")[5] == "45.0%"
    assert "a machine." in table


def test_a_mode_that_could_not_run_gives_its_reason():
    failed = Figure("made", "hf_grouped", 0, error="status 1: out of luck")
    cells = row_of(render([*FIGURES, failed], ""), "HF Trainer, group_by_length")
    assert cells[1] == "not measured: status 1: out of luck"
    assert len(cells) == len(row_of(render(FIGURES, ""), "bioinstruct_dagster"))


def test_processes_are_compared_with_the_last_row():
    usage = {"wall": 10.0, "peak_bytes": 1 << 30}
    figures = [
        Figure("study", "one_run", 0, {"cpu": 60.0} | usage),
        Figure("study", "eight_runs", 0, {"cpu": 100.0} | usage),
    ]
    table = render(figures, "")
    assert row_of(table, "eight experiments in one run")[1:] == [
        "10.0",
        "60.0",
        "1.00 GiB",
        "0.60 x",
    ]
    assert row_of(table, "eight runs")[-1] == "1.00 x"


def test_modes_that_run_together_stay_together_and_take_turns():
    modes = ["a", "b", "c", "d", "e"]
    assert turns(modes, 0, 2) == modes
    assert turns(modes, 1, 2) == ["c", "d", "e", "a", "b"]
    assert turns(modes, 2, 2) == ["e", "a", "b", "c", "d"]
    assert turns(modes, 1, 1) == ["b", "c", "d", "e", "a"]
    assert turns([], 1, 2) == []
