"""The embedded classifier: how good it is by its own account, and that the account is honest."""

import random
from collections import Counter

import pytest

from bioinstruct_dagster.curation.classifier import (
    CategoryClassifier,
    labelled_examples,
    main_clause,
)
from bioinstruct_dagster.rehearsal.recordings import read_recordings, recorded_labels
from bioinstruct_dagster.seeds.tasks import CATEGORIES, read_seed_tasks
from bioinstruct_dagster.settings import INPUTS

pytestmark = pytest.mark.usefixtures("one_blas_thread")

NEW_INSTRUCTIONS = {
    "Extract all drug names and doses from the prescription.": "information_extraction",
    "Write a short letter that explains the diagnosis to the patient.": "generation",
    "Summarize the discharge note in two sentences.": "generation",
    "What is the first-line treatment of an opioid overdose?": "question_answering",
    "Given a pathology report, identify the tumour grade.": "information_extraction",
}


@pytest.fixture(scope="module")
def examples(one_blas_thread):
    seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
    return labelled_examples([(seed.instruction, seed.category) for seed in seeds])


@pytest.fixture(scope="module")
def classifier(examples):
    return CategoryClassifier.train(examples)


def test_accuracy_on_unseen_folds_is_far_above_the_majority_share(classifier, examples):
    counts = Counter(category for _, category in examples)
    assert set(counts) == set(CATEGORIES)
    assert classifier.examples == len(examples)
    majority = max(counts.values()) / len(examples)
    assert classifier.cross_validated_accuracy > majority + 0.4


def test_on_shuffled_labels_the_accuracy_is_that_of_guessing(examples):
    texts, labels = zip(*examples[:300], strict=True)
    shuffled = random.Random(0).sample(labels, len(labels))
    classifier = CategoryClassifier.train(list(zip(texts, shuffled, strict=True)))
    assert classifier.cross_validated_accuracy < 0.45


def test_training_twice_gives_the_same_classifier(examples):
    one, other = (CategoryClassifier.train(examples[:200]) for _ in range(2))
    texts = list(NEW_INSTRUCTIONS)
    assert one.cross_validated_accuracy == other.cross_validated_accuracy
    assert one.predict(texts) == other.predict(texts)


def test_plain_instructions_get_their_category_with_its_probability(classifier):
    predicted = classifier.predict(list(NEW_INSTRUCTIONS))
    assert [category for category, _ in predicted] == list(NEW_INSTRUCTIONS.values())
    for _, confidence in predicted:
        assert 0.25 < confidence < 1


def test_a_text_unlike_any_example_is_labelled_with_little_confidence(classifier):
    ((category, confidence),) = classifier.predict(["血圧 δόση"])
    assert category in CATEGORIES
    assert confidence < 0.5


def test_seeds_go_before_recorded_labels_and_each_instruction_counts_once():
    recorded = recorded_labels(read_recordings())
    text, category = next(iter(recorded.items()))
    contrary = next(name for name in CATEGORIES if name != category)
    examples = labelled_examples([(f"  {text.upper()} ", contrary), ("A seed alone", "other")])
    assert examples[:2] == [(text, contrary), ("a seed alone", "other")]
    assert len(examples) == len(dict(examples)) == len(recorded) + 1


@pytest.mark.parametrize(
    ("instruction", "clause"),
    [
        ("Given a note, extract the doses.", "extract the doses."),
        ("Based on the  report,\nstage the tumour, please.", "stage the tumour, please."),
        ("Extract the doses, given a note.", "extract the doses, given a note."),
        ("Forward the letter, then file it.", "forward the letter, then file it."),
        ("Given a note extract the doses.", "given a note extract the doses."),
    ],
)
def test_what_is_given_is_not_the_main_clause(instruction, clause):
    assert main_clause(instruction) == clause
