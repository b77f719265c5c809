"""The examples of the embedded classifier: where they come from, and what is wrong in a file."""

import json
from collections import Counter

import pytest

from bioinstruct_dagster.curation.category.examples import (
    EXAMPLES_FILE,
    ExampleFileError,
    LabelledExample,
    handwritten_examples,
    labelled_examples,
)
from bioinstruct_dagster.curation.category.inputs import input_kind
from bioinstruct_dagster.curation.novelty.rule import THRESHOLD, rouge_l_f1_of_texts
from bioinstruct_dagster.rehearsal.recordings import (
    normalized,
    read_recordings,
    recorded_labels,
)
from bioinstruct_dagster.seeds.tasks import CATEGORIES


@pytest.fixture(scope="module")
def likeness():
    """ROUGE-L of each handwritten example and each other."""
    texts = [one.instruction for one in handwritten_examples(EXAMPLES_FILE)]
    return rouge_l_f1_of_texts(texts, texts)


def test_seeds_precede_handwritten_and_recorded_examples():
    recorded = recorded_labels(read_recordings())
    text, category = next(iter(recorded.items()))
    contrary = next(name for name in CATEGORIES if name != category)
    examples = labelled_examples(
        [(f"  {text.upper()} ", contrary, "7 mg"), ("A seed alone", "other", "")]
    )
    assert examples[:2] == [
        LabelledExample(text, contrary, input_kind("7 mg")),
        LabelledExample("a seed alone", "other", ("input=none",)),
    ]
    own = handwritten_examples(EXAMPLES_FILE)
    assert examples[2] == own[0]._replace(instruction=own[0].instruction.lower())
    distinct = {one.instruction for one in examples}
    assert len(examples) == len(distinct) == len(recorded) + len(own) + 1


def test_recorded_tasks_tell_what_their_input_looks_like():
    known = {one.instruction: one.kind for one in labelled_examples([])}
    tasks = [task for recording in read_recordings() for task, _ in recording.labelled_tasks()]
    assert known[normalized(tasks[0]["instruction"])] == input_kind(tasks[0]["input"])


def test_an_example_without_an_input_says_nothing_about_inputs(tmp_path):
    path = tmp_path / "examples.jsonl"
    lines = [{"category": "other"}, {"category": "other", "input": ""}]
    path.write_text(
        "".join(json.dumps({"instruction": "Rank.", **line}) + "\n" for line in lines), "utf-8"
    )
    assert [one.kind for one in handwritten_examples(path)] == [(), ("input=none",)]


def test_shipped_examples_are_many_per_category_and_distinct(likeness):
    own = handwritten_examples(EXAMPLES_FILE)
    counts = Counter(one.category for one in own)
    assert len(own) >= 1900
    assert min(counts[name] for name in CATEGORIES) >= 180
    texts = [one.instruction for one in own]
    assert len({text.lower() for text in texts}) == len(texts)
    close = sum(score > THRESHOLD for row, line in enumerate(likeness) for score in line[row + 1 :])
    assert close <= len(texts) / 50


def test_examples_that_nearly_repeat_each_other_have_one_category(likeness):
    own = handwritten_examples(EXAMPLES_FILE)
    contrary = [
        (one.instruction, other.instruction)
        for row, one in enumerate(own)
        for other, score in zip(own[row + 1 :], likeness[row][row + 1 :], strict=True)
        if score > 0.8 and one.category != other.category
    ]
    assert contrary == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "write an object"),
        ("[]", "write an object"),
        ('{"instruction": "List them."}', "category"),
        ('{"instruction": " ", "category": "other"}', "field instruction"),
        ('{"instruction": 5, "category": "other"}', "field instruction"),
        ('{"instruction": "List them.", "category": "listing"}', "'listing' is none of"),
        ('{"instruction": "List.", "category": "other", "input": 7}', "field input"),
    ],
)
def test_a_bad_line_of_the_examples_is_named(tmp_path, line, fault):
    path = tmp_path / "examples.jsonl"
    good = json.dumps({"instruction": "Rank them.", "category": "other"})
    path.write_text(f"{good}\n\n{line}\n", "utf-8")
    with pytest.raises(ExampleFileError, match=fault) as raised:
        handwritten_examples(path)
    assert f"{path}:3" in str(raised.value)


def test_a_missing_file_of_examples_is_named(tmp_path):
    with pytest.raises(ExampleFileError, match=r"none\.jsonl"):
        handwritten_examples(tmp_path / "none.jsonl")
