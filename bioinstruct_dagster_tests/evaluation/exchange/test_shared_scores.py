"""Which scores are given to others: those of whole tasks, whose meaning others know."""

from bioinstruct_dagster.evaluation.exchange.shared_scores import METRICS, shared_scores
from bioinstruct_dagster_tests.evaluation.exchange.made_scores import (
    CATALOGUE,
    made_scores,
    rows_of,
)


def test_the_three_subjects_stand_together():
    (one,) = made_scores(rows_of())
    assert (one.base["score"], one.adapter["score"], one.difference["score"]) == (0.4, 0.61234, 0.2)
    assert one.main
    assert one.hub.id == "GBaker/MedQA-USMLE-4-options"
    assert one.without_repeated is None


def test_scores_without_repeated_items_stand_beside_those_of_all():
    clean = rows_of(items="without_contaminated", n=80)
    (one,) = made_scores(rows_of(), clean)
    assert one.without_repeated["n"] == 80


def test_what_others_can_not_read_is_left_out():
    for rows in (
        rows_of(metric="position_excess_A"),
        rows_of(task="average", metric="accuracy"),
        rows_of(task="removed_task"),
        rows_of(task="held_out", metric="loss", category="generation"),
        rows_of()[:1],  # the base model alone
    ):
        assert not list(shared_scores(rows, CATALOGUE.tasks))


def test_items_from_files_are_no_hub_items():
    (one,) = made_scores(rows_of(source="files"))
    assert one.hub is None


def test_a_metric_that_counts_faults_is_better_if_lower():
    for name, meaning in METRICS.items():
        faulty = any(word in name for word in ("invalid", "empty", "cut", "loss"))
        assert meaning.lower_is_better is faulty, name
