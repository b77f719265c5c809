"""The embedded classifier: its accuracy on held-out examples, and its calibration."""

import random
from collections import Counter

import pytest

from bioinstruct_dagster.curation.category import classifier as module
from bioinstruct_dagster.curation.category.classifier import (
    CategoryClassifier,
    classifier_version,
)
from bioinstruct_dagster.curation.category.examples import LabelledExample, labelled_examples
from bioinstruct_dagster.curation.category.inputs import input_kind
from bioinstruct_dagster.seeds.tasks import CATEGORIES, read_seed_tasks
from bioinstruct_dagster.settings import INPUTS

pytestmark = pytest.mark.usefixtures("one_blas_thread")

CASE = "A 44-year-old woman has had night sweats and a swollen knee for three weeks."
NEW_TASKS = {
    ("Extract all drug names and doses from the prescription.", "Ramipril 5 mg daily."): (
        "information_extraction"
    ),
    ("Write a short letter that explains the diagnosis to the patient.", CASE): "generation",
    ("Summarize the discharge note in two sentences.", CASE): "generation",
    ("What is the first-line treatment of an opioid overdose?", ""): "question_answering",
    ("Given a pathology report, identify the tumour grade.", "Grade 3."): "information_extraction",
    # The line: the case to be judged stands in the input, so a diagnosis is extraction.
    ("Given a farmer's cough and night sweats, name the likeliest illness.", CASE): (
        "information_extraction"
    ),
    ("Identify the side effects of the named medicine.", "Prednisolone"): "question_answering",
    ("Recommend the next diagnostic test for the patient.", CASE): "question_answering",
    ("Give the ICD-10 code of the diagnosis.", "Acute appendicitis"): "information_extraction",
    ("Calculate the body mass index.", "70 kg, 1.75 m"): "question_answering",
    ("Write a quiz question about the spleen.", ""): "generation",
    ("Convert the dose from milligrams to grams.", "750 mg"): "other",
    ("Rank these wards from the busiest to the quietest.", "A: 9, B: 4, C: 7"): "other",
}


def tasks_of(texts):
    """What the classifier is asked about (instruction, input) pairs."""
    return [(instruction, input_kind(given)) for instruction, given in texts]


@pytest.fixture(scope="module")
def examples(one_blas_thread):
    seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
    return labelled_examples([(seed.instruction, seed.category, seed.input) for seed in seeds])


@pytest.fixture(scope="module")
def classifier(examples):
    return CategoryClassifier.train(examples)


def test_held_out_accuracy_is_far_above_the_majority_share(classifier, examples):
    counts = Counter(one.category for one in examples)
    assert set(counts) == set(CATEGORIES)
    assert classifier.examples == classifier.calibration.rows == len(examples)
    majority = max(counts.values()) / len(examples)
    assert classifier.cross_validated_accuracy > majority + 0.4


def test_every_category_is_recognised_more_often_than_not(classifier):
    assert set(classifier.calibration.by_category) == set(CATEGORIES)
    assert min(classifier.calibration.by_category.values()) > 0.5


def test_shuffled_labels_give_chance_accuracy_and_confidence(examples):
    some = random.Random(1).sample(examples, 300)
    shuffled = random.Random(0).sample([one.category for one in some], len(some))
    classifier = CategoryClassifier.train(
        [one._replace(category=label) for one, label in zip(some, shuffled, strict=True)]
    )
    assert classifier.cross_validated_accuracy < 0.5
    assert max(one.confidence for one in classifier.calibration.bins) < 0.8


def test_confidence_matches_accuracy_on_unseen_rows(classifier):
    assert classifier.calibration.expected_calibration_error < 0.03
    crowded = [one for one in classifier.calibration.bins if one.rows >= 100]
    assert len(crowded) >= 3
    for one in crowded:
        assert one.accuracy == pytest.approx(one.confidence, abs=0.1)


def test_training_twice_gives_the_same_classifier(examples):
    some = random.Random(2).sample(examples, 300)
    one, other = (CategoryClassifier.train(some) for _ in range(2))
    assert one.calibration == other.calibration
    assert one.version == other.version
    tasks = tasks_of(NEW_TASKS)
    assert one.predict(tasks) == other.predict(tasks)


def test_plain_instructions_get_the_right_category(classifier):
    predicted = classifier.predict(tasks_of(NEW_TASKS))
    assert [one.category for one in predicted] == list(NEW_TASKS.values())
    for one in predicted:
        assert 0.25 < one.confidence < 1
        assert one.second in set(CATEGORIES) - {one.category}


def test_a_text_unlike_any_example_has_low_confidence(classifier):
    ((category, confidence, _),) = classifier.predict(tasks_of([("血圧 δόση", "")]))
    assert category in CATEGORIES
    assert confidence < module.REVIEW_CONFIDENCE


def test_nothing_is_predicted_of_nothing(classifier):
    assert classifier.predict([]) == []


def test_the_version_depends_on_the_examples_alone():
    first, second = (
        LabelledExample("List the doses.", "information_extraction"),
        LabelledExample("Rank.", "other"),
    )
    version = classifier_version([first, second])
    assert classifier_version((first, second)) == version
    assert (
        classifier_version([first, second, LabelledExample("Explain it.", "generation")]) != version
    )
    assert classifier_version([first._replace(category="generation"), second]) != version
    assert classifier_version([first._replace(kind=("input=none",)), second]) != version


def test_the_input_decides_what_an_instruction_alone_leaves_open(classifier):
    instruction = "Identify the side effects of the medicine."
    fact, finding = classifier.predict(
        tasks_of([(instruction, "Prednisolone"), (instruction, f"{CASE} {CASE} {CASE}")])
    )
    assert fact.category == "question_answering"
    assert (finding.category, finding.confidence) != (fact.category, fact.confidence)
