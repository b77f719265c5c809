"""The embedded classifier: its accuracy on held-out examples, and its calibration."""

import json
import random
from collections import Counter

import pytest

from bioinstruct_dagster.curation.category import classifier as module
from bioinstruct_dagster.curation.category.classifier import (
    EXAMPLES_FILE,
    CategoryClassifier,
    ExampleFileError,
    classifier_version,
    handwritten_examples,
    labelled_examples,
)
from bioinstruct_dagster.curation.novelty.rule import THRESHOLD, rouge_l_f1_of_texts
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
    "Given a farmer's cough and night sweats, name the likeliest illness.": "question_answering",
    "Rank these wards from the busiest to the quietest.": "other",
}


@pytest.fixture(scope="module")
def examples(one_blas_thread):
    seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
    return labelled_examples([(seed.instruction, seed.category) for seed in seeds])


@pytest.fixture(scope="module")
def classifier(examples):
    return CategoryClassifier.train(examples)


def test_held_out_accuracy_is_far_above_the_majority_share(classifier, examples):
    counts = Counter(category for _, category in examples)
    assert set(counts) == set(CATEGORIES)
    assert classifier.examples == classifier.calibration.rows == len(examples)
    majority = max(counts.values()) / len(examples)
    assert classifier.cross_validated_accuracy > majority + 0.4


def test_every_category_is_recognised_more_often_than_not(classifier):
    assert set(classifier.calibration.by_category) == set(CATEGORIES)
    assert min(classifier.calibration.by_category.values()) > 0.5


def test_shuffled_labels_give_chance_accuracy_and_confidence(examples):
    texts, labels = zip(*random.Random(1).sample(examples, 300), strict=True)
    shuffled = random.Random(0).sample(labels, len(labels))
    classifier = CategoryClassifier.train(list(zip(texts, shuffled, strict=True)))
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
    texts = list(NEW_INSTRUCTIONS)
    assert one.calibration == other.calibration
    assert one.version == other.version
    assert one.predict(texts) == other.predict(texts)


def test_plain_instructions_get_the_right_category(classifier):
    predicted = classifier.predict(list(NEW_INSTRUCTIONS))
    assert [one.category for one in predicted] == list(NEW_INSTRUCTIONS.values())
    for one in predicted:
        assert 0.25 < one.confidence < 1
        assert one.second in set(CATEGORIES) - {one.category}


def test_a_text_unlike_any_example_has_low_confidence(classifier):
    ((category, confidence, _),) = classifier.predict(["血圧 δόση"])
    assert category in CATEGORIES
    assert confidence < module.REVIEW_CONFIDENCE


def test_nothing_is_predicted_of_nothing(classifier):
    assert classifier.predict([]) == []


def test_the_version_depends_on_the_examples_alone():
    examples = [("List the doses.", "information_extraction"), ("Rank them.", "other")]
    version = classifier_version(examples)
    assert classifier_version(list(examples)) == version
    assert classifier_version([*examples, ("Explain it.", "generation")]) != version
    assert classifier_version([(examples[0][0], "generation"), examples[1]]) != version


def test_seeds_precede_handwritten_and_recorded_examples():
    recorded = recorded_labels(read_recordings())
    text, category = next(iter(recorded.items()))
    contrary = next(name for name in CATEGORIES if name != category)
    examples = labelled_examples([(f"  {text.upper()} ", contrary), ("A seed alone", "other")])
    assert examples[:2] == [(text, contrary), ("a seed alone", "other")]
    own = handwritten_examples(EXAMPLES_FILE)
    assert examples[2] == (own[0][0].lower(), own[0][1])
    assert len(examples) == len(dict(examples)) == len(recorded) + len(own) + 1


def test_shipped_examples_are_many_per_category_and_distinct():
    own = handwritten_examples(EXAMPLES_FILE)
    counts = Counter(category for _, category in own)
    assert len(own) >= 600
    assert min(counts[name] for name in CATEGORIES) >= 100
    texts = [text for text, _ in own]
    assert len({text.lower() for text in texts}) == len(texts)
    scores = rouge_l_f1_of_texts(texts, texts)
    close = sum(score > THRESHOLD for row, line in enumerate(scores) for score in line[row + 1 :])
    assert close <= len(texts) / 50


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "write an object"),
        ("[]", "write an object"),
        ('{"instruction": "List them."}', "category"),
        ('{"instruction": " ", "category": "other"}', "field instruction"),
        ('{"instruction": 5, "category": "other"}', "field instruction"),
        ('{"instruction": "List them.", "category": "listing"}', "'listing' is none of"),
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
