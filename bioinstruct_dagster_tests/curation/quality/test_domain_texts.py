"""The shipped texts that the rule off_domain learns from, and faults of their files."""

import json

import pytest

from bioinstruct_dagster.curation.quality import domain_texts as module
from bioinstruct_dagster.curation.quality.domain import field_words
from bioinstruct_dagster.curation.quality.domain_texts import (
    GENERAL_EXAMPLES,
    DomainTextsError,
    domain_texts,
)
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS


@pytest.fixture
def changed(monkeypatch, tmp_path):
    """Reads the texts with a general file of this content."""

    def read(content: bytes):
        path = tmp_path / "general_examples.jsonl"
        path.write_bytes(content)
        monkeypatch.setattr(module, "GENERAL_EXAMPLES", path)
        return domain_texts.__wrapped__()

    return read


def test_general_examples_are_many_different_rows():
    texts = domain_texts().general
    assert len(set(texts)) == len(texts) > 500
    assert len(set().union(*map(field_words, texts))) > 3_000
    for line in GENERAL_EXAMPLES.read_text("utf-8").splitlines():
        assert list(json.loads(line)) == ["instruction", "input", "output"]


def test_seeds_and_faulty_recordings_are_left_out():
    texts = domain_texts()
    whole = "\n".join(texts.domain)
    assert not any(
        seed.instruction in whole for seed in read_seed_tasks(INPUTS / "seed_tasks.jsonl")
    )
    faulty, sound = (
        {
            task["instruction"]
            for recording in read_recordings()
            if bool(recording.faults) is faults
            for task, _ in recording.tasks()
            if task
        }
        for faults in (True, False)
    )
    assert faulty - sound
    assert all(text in whole for text in sound)
    assert not any(text in whole for text in faulty - sound)


def test_another_row_changes_the_hash(changed):
    one = b'{"instruction": "Sing.", "input": "", "output": "La."}\n'
    other = one.replace(b"La", b"Do")
    assert changed(one).general == ("Sing.\n\nLa.",)
    assert changed(one).sha256 == changed(one + b"\n").sha256 != changed(other).sha256


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"instruction": "Sing."}\n', "general_examples.jsonl:1: write an object"),
        (b'\n{"instruction": 1, "input": "", "output": ""}', "general_examples.jsonl:2: "),
        (b"[]\n", "text fields instruction, input, output"),
        (b"no JSON", "general_examples.jsonl:1: "),
        (b"\n", "holds no row"),
        (b"\xff", "can't be read"),
    ],
)
def test_a_fault_is_named_with_file_line_and_fields(changed, content, says):
    with pytest.raises(DomainTextsError, match=says):
        changed(content)


def test_a_missing_file_is_named_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "GENERAL_EXAMPLES", tmp_path / "gone.jsonl")
    with pytest.raises(DomainTextsError, match="restore the shipped file"):
        domain_texts.__wrapped__()
