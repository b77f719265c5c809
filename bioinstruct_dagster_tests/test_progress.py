"""Progress of long steps: the pace and the words of lines, and a bar in a terminal."""

import os
import pty
import subprocess
import sys

import pytest

from bioinstruct_dagster.curation.novelty.rule import NamedInstruction, check_in_process
from bioinstruct_dagster.curation.privacy.gate import PrivacyGate
from bioinstruct_dagster.curation.verdicts import check_outdated_rows
from bioinstruct_dagster.generation.raw_rows import imported_rows
from bioinstruct_dagster.progress import Progress, duration, progress_to, step_progress


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.2, "1 s"), (59.1, "1 min 0 s"), (86, "1 min 26 s"), (3_725, "1 h 2 min")],
)
def test_a_duration_has_two_units_at_most(seconds, words):
    assert duration(seconds) == words


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """A clock that stands at 0."""
    return Clock()


def come_to(progress, clock, *points):
    for seconds, *done in points:
        clock.now = seconds
        progress.come_to(*done)


def test_a_line_in_ten_seconds_with_rate_and_time_left(clock):
    lines = []
    progress = Progress("quality", 2_000, "rows", "checked", lines.append, clock=clock)
    come_to(progress, clock, (1, 100), (9.9, 400), (10, 500), (19, 900), (20, 1_000), (40, 2_000))
    assert lines == [
        "quality: 500 of 2,000 rows checked, 50 rows/s, 30 s left",
        "quality: 1,000 of 2,000 rows checked, 50 rows/s, 20 s left",
        "quality: 2,000 of 2,000 rows checked in 40 s",
    ]


def test_a_short_step_says_nothing(clock):
    lines = []
    come_to(Progress("quality", 20, "rows", "checked", lines.append, clock=clock), clock, (9, 20))
    assert lines == []


def test_the_time_left_follows_the_work_and_is_no_guess_at_the_start(clock):
    lines = []
    progress = Progress("answers", 10, "items", "scored", lines.append, work=1_000, clock=clock)
    come_to(progress, clock, (10, 0, 5), (20, 2, 500))
    assert lines == [
        "answers: 0 of 10 items scored",
        "answers: 2 of 10 items scored, 0.1 items/s, 20 s left",
    ]


def test_a_loop_deep_inside_reports_to_the_log_around_it(clock, monkeypatch):
    monkeypatch.setattr("time.monotonic", clock)
    lines = []
    step_progress("novelty", 5, "rows", "compared").come_to(1)  # nobody listens, nothing happens
    with progress_to(lines.append):
        progress = Progress("novelty", 5, "rows", "compared", lines.append, clock=clock)
        inner = step_progress("novelty", 5, "rows", "compared")
        assert inner._log == lines.append
        come_to(progress, clock, (12, 3))
    assert step_progress("novelty", 5, "rows", "compared")._log != lines.append
    assert lines == ["novelty: 3 of 5 rows compared, 0.25 rows/s, 8 s left"]


def test_a_command_shows_a_bar_in_a_terminal_and_lines_elsewhere():
    """In a real pseudo-terminal, as a person would see it."""
    source = (
        "from bioinstruct_dagster.progress import command_progress\n"
        "with command_progress('preview', 3, 'replies', 'received') as progress:\n"
        "    print(type(progress).__name__)\n"
        "    for done in range(1, 4):\n"
        "        progress.come_to(done)\n"
    )
    piped = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )
    assert piped.stdout == "Progress\n"
    assert piped.stderr == ""
    ours, theirs = pty.openpty()
    seen = subprocess.run(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=theirs, text=True, check=True
    )
    shown = os.read(ours, 10_000).decode()
    os.close(theirs)
    os.close(ours)
    assert seen.stdout == "ProgressBar\n"
    assert "preview" in shown
    assert "3/3" in shown


def test_the_gates_say_how_far_they_are(store, monkeypatch):
    """With a line at each look at the clock, as if ten seconds lay between two looks."""
    monkeypatch.setattr("bioinstruct_dagster.progress.SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr("bioinstruct_dagster.curation.verdicts.ROWS_PER_CHECK", 2)
    records = [{"instruction": f"Name drug {n}.", "input": "", "output": "It."} for n in range(5)]
    store.replace({"raw_instructions": imported_rows(records, "file")})
    lines = []
    with progress_to(lines.append):
        assert check_outdated_rows(store, PrivacyGate("reject", None)) == 5
    assert [line.split(" rows")[0] for line in lines] == [
        "privacy: 2 of 5",
        "privacy: 4 of 5",
        "privacy: 5 of 5",
    ]


def test_novelty_says_how_far_it_is(monkeypatch):
    monkeypatch.setattr("bioinstruct_dagster.progress.SECONDS_BETWEEN_LINES", 0.0)
    lines = []
    rows = [NamedInstruction(str(n), f"Name drug number {n}.", "", "") for n in range(5)]
    with progress_to(lines.append):
        check_in_process([], rows)
    assert lines[-1].startswith("novelty: 5 of 5 rows compared in ")
