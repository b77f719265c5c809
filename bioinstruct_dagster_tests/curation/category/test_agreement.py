"""The sample of instructions to label twice, and the agreement of their labels."""

import pytest

from bioinstruct_dagster.curation.category.agreement import (
    LEAST_SAMPLE,
    cohens_kappa,
    draw_sample,
    measure_agreement,
)

TEXTS = [f"Instruction number {n}." for n in range(2_000)]


def test_five_percent_and_at_least_twenty_are_sampled():
    assert 70 <= len(draw_sample(TEXTS)) <= 130
    assert len(draw_sample(TEXTS[:60])) == LEAST_SAMPLE
    assert sorted(draw_sample(TEXTS[:7])) == sorted(TEXTS[:7])
    assert draw_sample([]) == []


def test_the_sample_depends_neither_on_order_nor_on_chance():
    assert draw_sample(TEXTS) == draw_sample(TEXTS[::-1])


def test_a_growing_set_keeps_what_was_labelled_twice():
    asked = set(draw_sample(TEXTS[:60]))
    for size in (100, 500, 2_000):
        grown = draw_sample(TEXTS[:size], asked)
        assert asked <= set(grown)
        asked = set(grown)
    # The sample exceeds its share only by the instructions added while the set was small.
    assert set(draw_sample(TEXTS)) <= asked
    assert len(asked) <= len(draw_sample(TEXTS)) + LEAST_SAMPLE


def test_a_removed_instruction_is_not_sampled():
    assert "Gone." not in draw_sample(TEXTS[:60], ["Gone."])


def test_the_second_pass_has_another_order_than_the_rows():
    drawn = draw_sample(TEXTS[:20])
    assert drawn != TEXTS[:20]
    assert sorted(drawn) == sorted(TEXTS[:20])


LABEL_PAIRS = [("a", "a")] * 20 + [("a", "b")] * 5 + [("b", "a")] * 10 + [("b", "b")] * 15


def test_kappa_is_cohens():
    # Cohen's textbook case: 0.7 observed, 0.5 expected by chance.
    assert cohens_kappa(LABEL_PAIRS) == pytest.approx(0.4)
    # Two annotators that agree as chance would, and two that never agree.
    assert cohens_kappa([("a", "a"), ("a", "b")]) == pytest.approx(0)
    assert cohens_kappa([("a", "b"), ("b", "a")]) == pytest.approx(-1)
    assert cohens_kappa([("a", "b")] * 3) == pytest.approx(0)


def test_kappa_of_one_category_or_no_pairs_is_undefined():
    assert cohens_kappa([("a", "a")] * 5) is None
    assert cohens_kappa([]) is None


def test_agreement_compares_double_labels_and_names_differences():
    first = {"one": "other", "two": "generation", "three": "other"}
    second = {"one": "other", "two": "other", "four": "other"}
    found = measure_agreement(["one", "two", "three", "four"], first, second, rehearsal=True)
    assert (found.sampled, found.compared, found.agreed, found.share) == (4, 2, 1, 0.5)
    assert found.other_labels == {"two": "other"}
    assert found.rehearsal


def test_without_second_labels_there_is_no_share():
    found = measure_agreement(["one"], {"one": "other"}, {}, rehearsal=False)
    assert (found.compared, found.share, found.kappa) == (0, None, None)
