"""Labelling over the real rehearsal teacher: its labels first, the embedded classifier's after."""

from collections import Counter

import pytest

from bioinstruct_dagster.curation.labelling import EMBEDDED, Labelling, label_rows, stored_labels
from bioinstruct_dagster.generation.replies import read_reply
from bioinstruct_dagster.generation.teacher import open_teacher
from bioinstruct_dagster.rehearsal.recordings import (
    normalized,
    read_recordings,
    recorded_labels,
)
from bioinstruct_dagster.seeds.tasks import CATEGORIES, read_seed_tasks

pytestmark = pytest.mark.usefixtures("one_blas_thread")

UNKNOWN = [
    "Extract every beta blocker named in the ward round entry below.",
    "Explain to a worried parent how a febrile seizure is managed at home.",
    "Which cranial nerve is tested by the corneal reflex, afferent limb?",
]


@pytest.fixture
def seeded_store(store, settings):
    """The store with the seed tasks in it, which the classifier learns from."""
    seeds = read_seed_tasks(settings.seeds)
    store.replace({"seed_tasks": [seed.to_row(n) for n, seed in enumerate(seeds)]})
    return store


@pytest.fixture
def label(seeded_store, settings):
    """Label instructions as the asset does; `log` of the result holds what was logged."""

    def run(instructions) -> Labelling:
        rows = [
            {
                "row_id": f"row-{n}",
                "ordinal": n,
                "instruction": text,
                "input": "kept as it is",
                "rehearsal": False,
            }
            for n, text in enumerate(instructions)
        ]
        with open_teacher(settings) as endpoint:
            return label_rows(
                rows,
                endpoint,
                seeded_store,
                teacher=settings.teacher,
                model=settings.model,
                concurrency=4,
                log=lambda _: None,
            )

    return run


def known_instructions(count):
    """Recorded instructions that the teacher has a label for."""
    texts = [
        task["instruction"]
        for recording in read_recordings()
        for task in read_reply(recording.content, "stop", None).tasks
    ]
    return list(dict.fromkeys(texts))[:count]


def test_the_teacher_labels_what_it_knows_and_the_classifier_the_rest(label, seeded_store):
    known = known_instructions(27)
    mixed = [UNKNOWN[0], *known[:20], UNKNOWN[1], *known[20:], UNKNOWN[2]]
    result = label(mixed)

    assert [row["instruction"] for row in result.rows] == mixed
    assert {row["input"] for row in result.rows} == {"kept as it is"}
    recorded = recorded_labels(read_recordings())
    categorizations = {
        row["completion_id"]
        for row in seeded_store.rows(
            "select completion_id from completions where purpose = 'categorization'"
        )
    }
    for row in result.rows:
        if row["instruction"] in UNKNOWN:
            assert row["labelled_by"] == EMBEDDED
            assert row["category"] in CATEGORIES
            assert 0.25 <= row["confidence"] <= 1
            assert row["label_completion_id"] is None
            assert not row["rehearsal"]
        else:
            assert row["labelled_by"] == "teacher:rehearsal-teacher"
            assert row["category"] == recorded[normalized(row["instruction"])]
            assert row["confidence"] is None
            assert row["rehearsal"]  # for its label, whatever its text
            assert row["label_completion_id"] in categorizations
    assert (result.by_teacher, result.by_classifier) == (27, 3)
    assert result.cross_validated_accuracy > 0.7
    assert result.tally.asked == 2  # 30 instructions in batches of 20


def test_the_classifier_is_left_alone_where_the_teacher_labels_everything(label):
    result = label(known_instructions(5))
    assert result.cross_validated_accuracy is None
    assert Counter(row["labelled_by"] for row in result.rows) == {"teacher:rehearsal-teacher": 5}


@pytest.mark.parametrize(
    "instructions",
    [
        pytest.param(known_instructions(25), id="all known to the teacher"),
        pytest.param([*known_instructions(25), *UNKNOWN], id="some known"),
    ],
)
def test_a_second_labelling_asks_for_nothing_and_says_the_same(label, instructions):
    first, second = label(instructions), label(instructions)
    assert first.tally.asked > 0
    assert second.tally.asked == 0
    assert second.rows == first.rows


def test_a_grown_set_asks_only_about_the_new_instructions(label, seeded_store):
    texts = known_instructions(24)
    label(texts[:20])
    grown = label(texts)
    assert grown.tally.asked == 1
    (prompt,) = [
        row["prompt"]
        for row in seeded_store.rows(
            "select messages::varchar as prompt from completions order by completed_at desc limit 1"
        )
    ]
    assert "number" in prompt
    assert sum(text in prompt for text in texts[:20]) == 0


def test_rows_of_one_instruction_share_its_label_and_are_asked_about_once(label, seeded_store):
    (text,) = known_instructions(1)
    result = label([text, text])
    assert result.by_teacher == 2
    assert result.rows[0]["category"] == result.rows[1]["category"]
    (count,) = seeded_store.rows("select count(*) as n from category_labels")
    assert count == {"n": 1}


def test_the_label_of_another_model_is_not_used(label, seeded_store, settings):
    (text,) = known_instructions(1)
    label([text])
    assert stored_labels([text], seeded_store, teacher=settings.teacher, model=settings.model)
    assert not stored_labels([text], seeded_store, teacher=settings.teacher, model="another")
    assert not stored_labels([text], seeded_store, teacher="openai", model=settings.model)
