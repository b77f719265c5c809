"""The quality gate on the held-out half of the published rows, which were labelled by reading."""

import hashlib
import json
from pathlib import Path

import pytest

from bioinstruct_dagster.curation.gates import GateResult, RowTexts
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster_tests.curation.quality.shipped_rules import shipped_gate

PUBLISHED_ROWS = PROJECT_ROOT.parent / "shared" / "data" / "bioinstruct" / "sample.jsonl"
LABELS = Path(__file__).parents[1] / "published_labels.jsonl"
HALF = "held_out"
UNGROUNDED_RULES = {"ungrounded_input", "results_not_given"}
FAULTS = ("fabricated", "wrong", "off_domain", "list_merged", "repeats")

pytestmark = pytest.mark.skipif(
    not PUBLISHED_ROWS.exists() or not LABELS.exists(),
    reason="the published rows are not part of the project",
)


def digest(row) -> str:
    text = "\x1f".join((row["instruction"], row["input"], row["output"]))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.fixture(scope="module")
def checked() -> list[tuple[dict, GateResult]]:
    """The labels and the gate's findings of each labelled row of the half."""
    rows = {
        digest(row): row for row in map(json.loads, PUBLISHED_ROWS.read_text("utf-8").splitlines())
    }
    labelled = [json.loads(line) for line in LABELS.read_text("utf-8").splitlines()]
    held_out = [one for one in labelled if one["half"] == HALF]
    assert len(held_out) > 100
    tasks = [
        RowTexts(*(rows[one["hash"]][name] for name in ("instruction", "input", "output")))
        for one in held_out
    ]
    results = shipped_gate().check(tasks)
    return [(one, result) for one, result in zip(held_out, results, strict=True)]


def is_taken_for_ungrounded(result: GateResult) -> bool:
    return any(finding.rule in UNGROUNDED_RULES for finding in result.findings)


def test_every_junk_marker_is_repaired_and_nothing_else(checked):
    marked = [labels["input"] == "junk_marker" for labels, _ in checked]
    assert any(marked)
    assert [result.repairs.get("input") == "" for _, result in checked] == marked


def test_recall_and_precision_on_ungrounded_rows_are_80_percent(checked):
    caught = [labels for labels, result in checked if is_taken_for_ungrounded(result)]
    right = sum(labels["input"] == "ungrounded" for labels in caught)
    ungrounded = sum(labels["input"] == "ungrounded" for labels, _ in checked)
    assert ungrounded > 20
    assert right >= 0.8 * ungrounded
    assert right >= 0.8 * len(caught)


def test_at_most_one_sound_row_in_fifty_is_rejected(checked):
    sound = [
        result
        for labels, result in checked
        if labels["input"] != "ungrounded" and not any(labels[fault] for fault in FAULTS)
    ]
    assert len(sound) > 50
    assert sum(result.rejected for result in sound) <= 0.02 * len(sound)
