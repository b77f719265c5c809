"""Human scores: the file's fields, and errors that name file, line and field."""

import json

import pytest

from bioinstruct_dagster.evaluation.judge.human_scores import (
    HumanScoresError,
    fingerprint_of,
    read_human_scores,
)

LINE = {
    "id": "7",
    "dialogue": "Doctor: Any pain? Patient: In the left knee.",
    "reference": "Left knee pain.",
    "summary": "Knee pain.",
    "factual_precision": 1.0,
    "factual_recall": 0.5,
    "factual_f1": 0.6667,
    "hallucination_rate": 0.0,
    "omission_rate": 0.5,
}


@pytest.fixture
def file_of(tmp_path):
    def write(*lines):
        path = tmp_path / "scores.jsonl"
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        path.write_text(text, "utf-8")
        return path

    return write


def test_a_line_is_a_score(file_of):
    (score,) = read_human_scores(file_of(LINE, ""))
    assert score.text.source == LINE["dialogue"]
    assert score.text.answer == "Knee pain."
    assert score.share("factual_recall") == 0.5
    assert score.share("omission_rate") == 0.5
    assert score.writer == ""


def test_other_names_and_missing_shares_are_read(file_of):
    line = {
        "source": "s",
        "reference": "r",
        "answer": "",
        "factual_precision": 0,
        "factual_f1": 0,
        "model": "llama-2-7b",
    }
    (score,) = read_human_scores(file_of(line))
    assert score.text.shown() == {"source": "s", "reference": "r", "answer": ""}
    assert (score.share("factual_recall"), score.share("factual_f1")) == (None, 0.0)
    assert score.writer == "llama-2-7b"


def test_a_share_that_is_marked_as_missing_is_missing(file_of):
    (score,) = read_human_scores(file_of({**LINE, "omission_rate": -1.0}))
    assert score.share("omission_rate") is None


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{not json", "line 2: is no JSON"),
        ("[1]", "line 2: is no object"),
        ({**LINE, "reference": " "}, "line 2: field reference: is empty"),
        ({**LINE, "summary": 3}, "line 2: field summary: is not text"),
        ({k: v for k, v in LINE.items() if k != "dialogue"}, "has no field source or dialogue"),
        ({k: v for k, v in LINE.items() if k != "factual_f1"}, "has no field factual_f1"),
        ({**LINE, "factual_f1": 1.2}, "field factual_f1: is 1.2, not a number from 0 to 1"),
        ({**LINE, "omission_rate": "half"}, "field omission_rate: is 'half'"),
        ('{"dialogue": "a", "dialogue": "b"}', "the key 'dialogue' is given twice"),
    ],
)
def test_a_fault_names_file_line_and_field(file_of, line, fault):
    path = file_of(LINE, line)
    with pytest.raises(HumanScoresError) as caught:
        read_human_scores(path)
    assert fault in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_or_empty_file_names_the_setting(tmp_path, file_of):
    with pytest.raises(HumanScoresError, match="BIOINSTRUCT_JUDGE_HUMAN_SCORES"):
        read_human_scores(tmp_path / "none.jsonl")
    with pytest.raises(HumanScoresError, match="holds no human score"):
        read_human_scores(file_of("", ""))


def test_the_fingerprint_is_that_of_the_content(file_of):
    first = fingerprint_of(read_human_scores(file_of(LINE)))
    assert first == fingerprint_of(read_human_scores(file_of("", {**LINE, "id": "8"})))
    assert first != fingerprint_of(read_human_scores(file_of({**LINE, "factual_recall": 0.25})))
