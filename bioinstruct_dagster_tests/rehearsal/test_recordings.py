"""The recorded completions: the strict reader, and the number and faults of those in git."""

import json

import pytest
from rouge_score.rouge_scorer import RougeScorer

from bioinstruct_dagster.generation.replies.reading import read_reply
from bioinstruct_dagster.rehearsal.recordings import (
    RECORDINGS,
    RecordingsError,
    normalized,
    read_recordings,
    recorded_labels,
)
from bioinstruct_dagster.seeds.tasks import CATEGORIES, read_seed_tasks
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster_tests.curation.quality.shipped_rules import first_reject, repaired_input

MOST_ALIKE = 0.7  # above it the novelty gate rejects
RECORD = {
    "id": "r-1",
    "content": json.dumps({"tasks": [{"instruction": "Name it.", "input": "", "output": "It."}]}),
    "finish_reason": "stop",
    "refusal": None,
    "categories": ["other"],
    "faults": [],
}


def readings(fault: str | None = None):
    """(recording, reading) of the shipped recordings, or of those with a fault."""
    return [
        (recording, read_reply(recording.content, recording.finish_reason, recording.refusal))
        for recording in read_recordings()
        if fault is None or fault in recording.faults
    ]


def test_there_are_at_least_120_with_unique_ids():
    ids = [recording.id for recording in read_recordings()]
    assert len(ids) == len(set(ids)) >= 120


def test_each_reply_that_can_be_read_holds_four_or_five_tasks():
    held = [len(reading.tasks) for _, reading in readings() if reading.outcome == "parsed"]
    assert set(held) == {4, 5}
    assert len(held) >= 120


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("truncated", "truncated"),
        ("broken_json", "malformed"),
        ("refusal", "refused"),
        ("fenced", "parsed"),
    ],
)
def test_a_faulty_reply_is_read_as_its_fault_says(fault, outcome):
    assert {reading.outcome for _, reading in readings(fault)} == {outcome}


def test_a_reply_without_a_fault_of_form_can_be_read():
    unreadable = {"truncated", "broken_json", "refusal"}
    found = {r.id: reading.outcome for r, reading in readings() if not unreadable & set(r.faults)}
    assert set(found.values()) == {"parsed"}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("image", "unseen_attachment"),
        ("url_input", "ungrounded_input"),
        ("too_short", "instruction_too_short"),
        ("empty_output", "empty_output"),
    ],
)
def test_a_fault_is_one_that_the_quality_rules_reject(fault, reason):
    # Not in every recording: the rules that reject an image are several.
    faults = [
        first_reject(task["instruction"], repaired_input(task["input"]), task["output"])
        for _, reading in readings(fault)
        for task in reading.tasks
    ]
    assert reason in {fault.rule for fault in faults if fault}


def test_inputs_that_only_say_none_are_among_the_faults():
    found = readings("no_input_marker")
    assert found
    for recording, reading in found:
        inputs = [task["input"] for task in reading.tasks]
        assert [text for text in inputs if text and not repaired_input(text)], recording.id


def test_a_task_outside_the_domain_is_among_the_faults():
    assert readings("off_domain")


def test_the_faults_include_near_duplicates_of_seeds_and_replies():
    scorer = RougeScorer(["rougeL"])

    def alike(one: str, other: str) -> bool:
        return scorer.score(one, other)["rougeL"].fmeasure > MOST_ALIKE

    seeds = [seed.instruction for seed in read_seed_tasks(INPUTS / "seed_tasks.jsonl")]
    faulty = readings("near_duplicate")
    texts = [task["instruction"] for _, reading in faulty for task in reading.tasks]
    of_seeds = {text for text in texts if any(alike(text, seed) for seed in seeds)}
    assert of_seeds
    others = {
        task["instruction"]
        for recording, reading in readings()
        if "near_duplicate" not in recording.faults
        for task in reading.tasks
    }
    rest = [text for text in texts if text not in of_seeds]
    assert any(alike(text, other) for text in rest for other in others)


def test_every_task_that_can_be_read_has_one_recorded_label():
    labels = recorded_labels(read_recordings())
    assert set(labels.values()) == set(CATEGORIES)
    for recording, reading in readings():
        for task, position in zip(reading.tasks, reading.positions, strict=True):
            assert labels[normalized(task["instruction"])] == recording.categories[position]


def test_a_broken_task_has_no_label_and_its_neighbours_keep_theirs():
    for fault in ("truncated", "broken_json"):
        for recording, _ in readings(fault):
            labels = dict(recording.labels())
            whole = [task for task, _ in recording.tasks() if task is not None]
            assert len(labels) == len(whole) == len(recording.categories) - 1
            assert all(task["instruction"] in labels for task in whole)


def test_labels_are_found_whatever_the_case_and_blanks():
    assert normalized("  Name\n the DRUG ") == normalized("name the drug")
    assert normalized("name the drug") != normalized("name the drugs")


def test_records_are_read_in_order_and_blank_lines_skipped(tmp_path):
    path = tmp_path / "recordings.jsonl"
    lines = [json.dumps({**RECORD, "id": name, "content": "\u2028"}) for name in ("b", "a")]
    path.write_text("\n\n".join(lines) + "\n", "utf-8")
    assert [recording.id for recording in read_recordings(path)] == ["b", "a"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", ":2: not a recorded completion"),
        ("[]", ":2: not a recorded completion"),
        *(
            (json.dumps({k: v for k, v in RECORD.items() if k != name}), f":2: .*{name}")
            for name in RECORD
        ),
        (json.dumps({**RECORD, "categories": ["qa"]}), ":2: unknown category qa"),
    ],
)
def test_a_malformed_record_is_named_by_its_line(tmp_path, line, complaint):
    path = tmp_path / "recordings.jsonl"
    path.write_text(json.dumps(RECORD) + "\n" + line + "\n", "utf-8")
    with pytest.raises(RecordingsError, match=f"{path}{complaint}"):
        read_recordings(path)


def test_a_file_without_recordings_is_refused(tmp_path):
    path = tmp_path / "recordings.jsonl"
    path.write_text("\n", "utf-8")
    with pytest.raises(RecordingsError, match="holds no recorded completion"):
        read_recordings(path)


def test_the_shipped_file_is_the_default():
    assert read_recordings() == read_recordings(RECORDINGS)
