"""Learning weights: the shipped ones fit the shipped examples and code, and are the same anew."""

from bioinstruct_dagster.curation.quality.grounding.learned.examples import (
    GroundingExample,
    grounding_examples,
)
from bioinstruct_dagster.curation.quality.grounding.learned.training import learn, made_of, write
from bioinstruct_dagster.curation.quality.grounding_weights import LearnedWeights, shipped_weights

ANEW = "python -m bioinstruct_dagster.curation.quality.grounding.learned"


def test_shipped_weights_are_those_of_the_shipped_examples_and_code():
    assert shipped_weights().made_of == made_of(grounding_examples()), f"run {ANEW}"


def test_learning_twice_gives_the_same_weights_and_the_file_keeps_them(tmp_path):
    few = [one for one in grounding_examples() if one.writer in {"1", "plain"}]
    first = learn(few)
    assert learn(few) == first
    write(first, tmp_path / "weights.json")
    assert LearnedWeights.read(tmp_path / "weights.json") == first


def test_a_sign_of_ungrounded_rows_alone_gets_a_positive_weight():
    rows = [
        GroundingExample("a", want, "Read it.", text, "")
        for want, text in [("drop", "a report"), ("keep", "a fever")] * 3
    ]
    words = learn(rows).asked["input word"]
    assert words["report"] > 0 > words["fever"]


def test_another_example_changes_the_hash():
    rows = list(grounding_examples())
    assert made_of(rows) != made_of(rows[1:])
