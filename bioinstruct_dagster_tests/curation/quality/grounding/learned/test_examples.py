"""The labelled rows: what ships, and faults of the file."""

from collections import Counter

import pytest

from bioinstruct_dagster.curation.quality.grounding.learned import examples as module
from bioinstruct_dagster.curation.quality.grounding.learned.examples import (
    GroundingExamplesError,
    grounding_examples,
)


def test_many_writers_labelled_as_many_ungrounded_rows_as_sound_ones():
    counts = Counter((one.writer, one.want) for one in grounding_examples())
    for writer in map(str, range(1, 9)):
        assert counts[writer, "drop"] > 90
        assert counts[writer, "keep"] > 90
    assert counts["plain", "keep"] > 200


def test_a_task_that_is_labelled_takes_its_label():
    """Two files hold the task; an unclear one teaches nothing."""
    held = {(one.instruction, one.input) for one in grounding_examples()}
    unclear = "Summarize the literature on mindfulness for patients with chronic pain."
    assert not any(instruction == unclear for instruction, _ in held)
    assert len(held) > 2_500


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("no JSON", "write an object with the text fields"),
        ('{"writer": "1", "want": "drop"}', "write an object with the text fields"),
        (
            '{"writer": "1", "want": "maybe", "instruction": "", "input": "", "output": ""}',
            "'maybe' is none of drop, keep, unclear",
        ),
        (
            '{"writer": "1", "want": "drop", "instruction": 1, "input": "", "output": ""}',
            "must be a text",
        ),
    ],
)
def test_a_malformed_line_is_named(monkeypatch, tmp_path, line, message):
    path = tmp_path / "grounding_examples.jsonl"
    path.write_text(f"\n{line}\n", "utf-8")
    monkeypatch.setattr(module, "EXAMPLES", path)
    with pytest.raises(GroundingExamplesError, match=message) as error:
        grounding_examples.__wrapped__()
    assert f"{path}:2" in str(error.value)
