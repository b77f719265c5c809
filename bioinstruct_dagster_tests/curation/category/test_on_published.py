"""The embedded classifier on published BioInstruct rows, whose categories were checked by reading.

The labels are keyed by the rows' hash; the texts are no part of the project, and without them these
tests are skipped. The classifier was tuned on one half of the labels only.
"""

import hashlib
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from bioinstruct_dagster.curation.category.calibration import measure_calibration
from bioinstruct_dagster.curation.category.classifier import (
    REVIEW_CONFIDENCE,
    trained_classifier,
)
from bioinstruct_dagster.curation.category.examples import (
    EXAMPLES_FILE,
    handwritten_examples,
    labelled_examples,
)
from bioinstruct_dagster.curation.category.inputs import input_kind
from bioinstruct_dagster.curation.novelty.rule import THRESHOLD, rouge_l_f1_of_texts
from bioinstruct_dagster.seeds.tasks import CATEGORIES, read_seed_tasks
from bioinstruct_dagster.settings import INPUTS, PROJECT_ROOT

PUBLISHED_ROWS = PROJECT_ROOT.parent / "shared" / "data" / "bioinstruct" / "sample.jsonl"
LABELS = Path(__file__).parents[1] / "published_labels.jsonl"
# Tran et al., JAMIA 2024, by GPT-4 with a prompt and definitions that are not published.
PUBLISHED_SHARES = {
    "information_extraction": 0.338,
    "generation": 0.335,
    "question_answering": 0.228,
    "other": 0.100,
}

pytestmark = [
    pytest.mark.usefixtures("one_blas_thread"),
    pytest.mark.skipif(
        not (PUBLISHED_ROWS.exists() and LABELS.exists()),
        reason="the published rows are not at hand",
    ),
]


@pytest.fixture(scope="module")
def rows():
    """The published rows by the hash of their texts."""
    with PUBLISHED_ROWS.open(encoding="utf-8") as file:
        read = [json.loads(line) for line in file]
    return {
        hashlib.sha256(
            "\x1f".join((row["instruction"], row["input"], row["output"])).encode()
        ).hexdigest()[:16]: row
        for row in read
    }


@pytest.fixture(scope="module")
def classifier(one_blas_thread):
    seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
    return trained_classifier(
        tuple(labelled_examples([(s.instruction, s.category, s.input) for s in seeds]))
    )


@pytest.fixture
def checked(rows, classifier):
    """(category by reading, prediction) of each labelled row of a half."""

    def of(half):
        with LABELS.open(encoding="utf-8") as file:
            labels = [label for label in map(json.loads, file) if label["half"] == half]
        predicted = classifier.predict(tasks_of([rows[label["hash"]] for label in labels]))
        return [(label["category"], one) for label, one in zip(labels, predicted, strict=True)]

    return of


def tasks_of(rows):
    """What the classifier is asked about these rows."""
    return [(row["instruction"], input_kind(row["input"])) for row in rows]


def say(what):
    """Write a line of the report, which `pytest -rP` shows."""
    sys.stdout.write(f"{what}\n")


def report(pairs, record_property):
    found = measure_calibration(
        [truth for truth, _ in pairs],
        [one.category for _, one in pairs],
        [one.confidence for _, one in pairs],
    )
    record_property("accuracy", found.accuracy)
    record_property("expected_calibration_error", found.expected_calibration_error)
    say(f"{found.rows} rows, agreement {found.accuracy:.3f}, by category {found.by_category}")
    say(f"expected calibration error {found.expected_calibration_error:.3f}")
    for line in found.table():
        say(line)
    say(Counter((truth, one.category) for truth, one in pairs if truth != one.category))
    return found


@pytest.mark.parametrize("half", ["tune", "held_out"])
def test_six_of_seven_categories_agree_with_a_reader(checked, half, record_property):
    found = report(checked(half), record_property)
    assert found.accuracy >= 0.85
    assert found.expected_calibration_error <= 0.05


@pytest.mark.parametrize("half", ["tune", "held_out"])
def test_rows_without_review_are_right_more_often(checked, half):
    pairs = checked(half)
    sure = [truth == one.category for truth, one in pairs if one.confidence >= REVIEW_CONFIDENCE]
    unsure = [truth == one.category for truth, one in pairs if one.confidence < REVIEW_CONFIDENCE]
    say(f"{len(unsure)} of {len(pairs)} for review; of the others {sum(sure)} are right")
    assert sum(sure) / len(sure) >= 0.9
    assert sum(sure) / len(sure) > sum(unsure) / max(len(unsure), 1)


def test_our_shares_are_near_the_published_ones(rows, classifier, record_property):
    predicted = classifier.predict(tasks_of(rows.values()))
    counts = Counter(one.category for one in predicted)
    for name in CATEGORIES:
        share = counts[name] / len(predicted)
        record_property(f"share_{name}", share)
        say(f"{name}: {share:.3f}; published {PUBLISHED_SHARES[name]:.3f}")
    review = sum(one.confidence < REVIEW_CONFIDENCE for one in predicted) / len(predicted)
    say(f"for review: {review:.3f}")
    shares = {name: counts[name] / len(predicted) for name in CATEGORIES}
    for name in set(CATEGORIES) - {"other"}:
        assert shares[name] == pytest.approx(PUBLISHED_SHARES[name], abs=0.08)
    # By the definitions here, a reader finds far fewer rows of `other` than GPT-4 did.
    with LABELS.open(encoding="utf-8") as file:
        read = Counter(json.loads(line)["category"] for line in file)
    assert shares["other"] == pytest.approx(read["other"] / read.total(), abs=0.01)
    assert review < 0.2


def test_no_example_of_the_classifier_is_a_published_row(rows):
    own = [one.instruction for one in handwritten_examples(EXAMPLES_FILE)]
    published = [row["instruction"] for row in rows.values()]
    nearest = rouge_l_f1_of_texts(own, published).max(axis=1)
    assert [text for text, score in zip(own, nearest, strict=True) if score > THRESHOLD] == []
