"""The lines of a training run: their pace and words, and the figures that are stored."""

import re
from types import SimpleNamespace

import pytest

from bioinstruct_dagster.training.progress import SECONDS_BETWEEN_LINES, TrainingProgress
from bioinstruct_dagster.training.throughput import SpeedLimit, memory_in_use

LIMIT = SpeedLimit("the measured matmul speed", 1e9)


class Kept:
    """A sink that keeps all metrics in memory."""

    def __init__(self):
        self.metrics, self.closed = [], 0

    def write(self, update, metrics):
        self.metrics.append((update, dict(metrics)))

    def close(self):
        self.closed += 1


class Run:
    """A run whose clock the test moves."""

    def __init__(self, **options):
        self.now, self.lines, self.spoken = 0.0, [], []
        self.sink = Kept()
        self.progress = TrainingProgress(
            "base|all", self.log, sinks=[self.sink], clock=lambda: self.now, **options
        )

    def log(self, line):
        self.lines.append(line)
        self.spoken.append(self.now)

    def updates(self, numbers, of=100, seconds=1.0, tokens=990, padding=10):
        for number in numbers:
            self.now += seconds
            self.progress.update(
                number, of, 2.5, learning_rate=3e-4, tokens=tokens, padding=padding
            )


def test_a_line_comes_at_most_every_ten_seconds():
    run = Run()
    run.updates(range(1, 101), seconds=0.7)
    assert len(run.lines) == 6  # in 70 seconds, after every 15th update
    gaps = [b - a for a, b in zip([0.0, *run.spoken], run.spoken, strict=False)]
    assert min(gaps) >= SECONDS_BETWEEN_LINES


def test_a_line_says_step_loss_speed_utilisation_padding_memory_and_time_left():
    run = Run(flops_per_token=2e5, limit=LIMIT)
    run.updates(range(1, 21))
    assert re.fullmatch(
        r"base\|all: update 20 of 100, loss 2\.500, rate 0\.0003, 990 useful tokens/s, "
        r"20% of the measured matmul speed, padding 1\.0%, memory [\d,.]+ [GM]iB, 1 min 20 s left",
        run.lines[-1],
    )


def test_without_a_limit_no_utilisation_is_claimed():
    run = Run(flops_per_token=2e5)
    run.updates(range(1, 11))
    assert "%" not in run.lines[0].replace("padding 1.0%", "")
    assert run.progress.facts()["flop_utilisation"] is None


def test_the_speed_of_a_line_is_that_since_the_last_line():
    run = Run()
    run.updates(range(1, 11))
    run.updates(range(11, 21), tokens=1990)
    assert "990 useful tokens/s" in run.lines[0]
    assert "1,990 useful tokens/s" in run.lines[1]
    assert run.progress.facts()["useful_tokens_per_second"] == pytest.approx(1490)


def test_the_facts_are_those_of_the_whole_run_and_of_one_speed():
    run = Run(flops_per_token=2e5, limit=LIMIT)
    run.updates(range(91, 101))  # goes on from a checkpoint
    facts = run.progress.facts(SimpleNamespace(tokens=99_000, padding_tokens=1_000, seconds=200.0))
    assert (facts["useful_tokens"], facts["seconds"]) == (99_000, 200.0)
    assert facts["useful_tokens_per_second"] == 495
    assert facts["flop_utilisation"] == pytest.approx(0.099)
    assert facts["padding_share"] == 0.01


def test_memory_is_told_above_the_process_after_its_imports():
    before = memory_in_use() // 2
    run = Run(memory_before=before)
    run.updates(range(1, 11))
    assert re.search(r", memory [\d,.]+ [GM]iB above the imports, ", run.lines[0])
    facts = run.progress.facts()
    assert facts["peak_above_imports_bytes"] == facts["peak_memory_bytes"] - before


def test_a_resumed_run_counts_its_own_updates_alone():
    run = Run()
    run.updates(range(91, 101), seconds=10.0)
    assert "update 91 of 100" in run.lines[0]
    assert "1 min 30 s left" in run.lines[0]


def test_a_short_run_has_one_line_at_its_end():
    run = Run()
    run.updates([1, 2, 3], of=3, seconds=0.1)
    assert not run.lines
    run.progress.close()
    run.progress.close()
    assert len(run.lines) == 1
    assert "update 3 of 3" in run.lines[0]
    assert run.lines[0].endswith(" 0 s left")
    assert run.sink.closed == 1


def test_a_run_that_just_spoke_adds_nothing_at_its_end():
    run = Run()
    run.updates(range(1, 11), of=10)
    run.progress.close()
    assert len(run.lines) == 1


def test_a_run_without_updates_says_nothing():
    run = Run()
    run.progress.close()
    assert not run.lines
    assert run.progress.facts()["useful_tokens"] == 0


def test_a_validation_is_named_by_the_next_line_alone():
    run = Run()
    run.updates(range(1, 6))
    run.progress.validation(5, 2.25)
    assert not run.lines
    run.updates(range(6, 31))
    assert "; validation loss after update 5: 2.250" in run.lines[0]
    assert "validation" not in run.lines[1]


def test_a_validation_at_the_end_is_not_lost():
    run = Run()
    run.updates(range(1, 11), of=10)
    run.progress.validation(10, 1.75)
    run.progress.close()
    assert run.lines[-1] == "base|all: training ended; validation loss after update 10: 1.750"


def test_sinks_get_each_update_and_each_validation():
    run = Run(flops_per_token=2e5, limit=LIMIT)
    run.updates([1, 2])
    run.progress.validation(2, 2.0)
    (first, metrics), _, last = run.sink.metrics
    assert first == 1
    assert metrics["train/loss"] == 2.5
    assert metrics["train/learning_rate"] == 3e-4
    assert metrics["train/padding_share"] == 0.01
    assert metrics["train/useful_tokens_per_second"] == 990
    assert metrics["train/flop_utilisation"] == pytest.approx(0.198)
    assert last == (2, {"validation/loss": 2.0})


def test_the_facts_of_the_run_are_json():
    import json

    run = Run(flops_per_token=2e5, limit=LIMIT)
    run.updates(range(1, 5))
    facts = json.loads(json.dumps(run.progress.facts()))
    assert facts["useful_tokens"] == 3960
    assert facts["padding_share"] == 0.01
    assert facts["seconds"] == 4.0
    assert facts["flop_utilisation"] == pytest.approx(0.198)
    assert facts["speed_limit"]["flops_per_second"] == 1e9
    assert facts["peak_memory_bytes"] > 2**20
    assert facts["hardware"]["processors"] >= 1
    assert {"python", "torch", "peft"} <= facts["libraries"].keys()


def test_silent_progress_says_nothing(capfd):
    progress = TrainingProgress.silent()
    progress.update(1, 1, 1.0, learning_rate=0.1, tokens=1, padding=0)
    progress.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("left", "words"), [(0.5, "1 s"), (59.5, "1 min 0 s"), (3_661, "1 h 1 min"), (90, "1 min 30 s")]
)
def test_the_time_left_is_told_in_two_units_at_most(left, words):
    run = Run()
    run.updates([1], of=2, seconds=left)
    run.progress.close()
    assert run.lines[0].endswith(f", {words} left")
