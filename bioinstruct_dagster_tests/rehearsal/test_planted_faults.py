"""The gates reject every recorded task with a planted fault, and no other task that ships."""

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.novelty.rule import NamedInstruction, NoveltyFilter
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster_tests.curation.quality.shipped_rules import first_reject, shipped_gate
from bioinstruct_dagster_tests.rehearsal.shipped_texts import shipped_tasks, task

# The tasks with a fault, by the name of the fault in the recording.
PLANTED = {
    "image": ("048.1", "068.1", "080.1", "092.4", "103.3"),
    "url_input": ("070.1", "079.1", "093.1", "099.1", "113.5"),
    "ungrounded": ("090.1", "101.1", "102.4", "104.1", "114.2"),
    "off_domain": (
        *("026.3", "039.5", "054.1", "069.1", "072.4"),
        *("076.4", "083.3", "111.1", "117.1", "119.4"),
    ),
    "too_short": ("038.2", "043.1", "060.4", "061.4", "120.1"),
    "empty_output": ("089.1", "096.1", "106.1", "134.5", "135.3"),
}
NAMES = {name: fault for fault, names in PLANTED.items() for name in names}


def test_every_recording_with_such_a_fault_is_listed():
    listed = {(name.split(".")[0], fault) for name, fault in NAMES.items()}
    assert listed == {
        (recording.id.removeprefix("recording-"), fault)
        for recording in read_recordings()
        for fault in recording.faults
        if fault in PLANTED
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_planted_fault_is_rejected(name):
    one = task(name)
    assert first_reject(one.instruction, one.input, one.output), one.text


def test_no_sound_task_is_rejected():
    sound = [one for one in shipped_tasks() if one.name not in NAMES]
    rows = [RowTexts(one.instruction, one.input, one.output) for one in sound]
    lost = [
        (one.name, finding.rule)
        for one, result in zip(sound, shipped_gate().check(rows), strict=True)
        for finding in result.findings
        if finding.verdict == "reject"
    ]
    assert lost == []


def test_only_replies_with_a_planted_repeat_lose_sound_tasks_to_the_novelty_filter():
    seeds = [NamedInstruction(s.name, s.instruction) for s in shipped_tasks() if s.is_seed]
    recorded = [NamedInstruction(s.name, s.instruction) for s in shipped_tasks() if not s.is_seed]
    repeats = {one.id for one in NoveltyFilter(seeds).check(recorded) if not one.novel}
    planted = {
        recording.id.removeprefix("recording-")
        for recording in read_recordings()
        if {"near_duplicate", "exact_duplicate"} & set(recording.faults)
    }
    assert {name.split(".")[0] for name in repeats - NAMES.keys()} == planted
