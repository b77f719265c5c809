"""The four figures of agreement, set against scipy and against cases with a known answer."""

import numpy as np
import pytest
from scipy import stats

from bioinstruct_dagster.evaluation.judge.agreement import (
    agreement_of,
    auroc,
    cluster_indices,
    fitted_out_of_fold,
    length_of,
    over_clusters,
    partial_correlation,
    spearman,
)


def agreement(x, human, clusters, lengths=None):
    """The agreement of a score that is as sure of errors as it is low."""
    human = np.asarray(human)
    return agreement_of(
        x,
        np.negative(x),
        human=human,
        has_error=human < 0,
        lengths=np.zeros((len(human), 2)) if lengths is None else lengths,
        clusters=clusters,
        seed=1,
        resamples=200,
    )


@pytest.fixture
def drawn():
    rng = np.random.default_rng(5)
    clusters = [f"dialogue {row // 4}" for row in range(120)]
    ease = np.repeat(rng.normal(size=30), 4)
    human = np.round(ease + rng.normal(size=120), 1)  # rounded, so that there are ties
    return clusters, ease, human, rng


def test_spearman_and_auroc_equal_scipys_with_ties(drawn):
    _, ease, human, _ = drawn
    assert spearman(ease, human) == pytest.approx(stats.spearmanr(ease, human)[0], abs=1e-12)
    positive = human > 0
    u = stats.mannwhitneyu(ease[positive], ease[~positive]).statistic
    assert auroc(ease, positive) == pytest.approx(u / (positive.sum() * (~positive).sum()))


def test_the_partial_correlation_equals_the_closed_form_for_one_given_value(drawn):
    _, ease, human, rng = drawn
    given = ease + rng.normal(size=120)
    xy, xz, yz = spearman(ease, human), spearman(ease, given), spearman(human, given)
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    found = partial_correlation(ease, human, given[:, None])
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_score_that_is_a_length_has_no_partial_correlation(drawn):
    _, ease, human, rng = drawn
    lengths = np.column_stack([ease, rng.normal(size=120)])
    assert partial_correlation(ease, human, lengths) == 0.0


def test_within_a_dialogue_its_ease_does_not_count(drawn):
    clusters, ease, human, _ = drawn
    assert spearman(ease, human) > 0.5
    assert agreement(ease, human, clusters).within.value == 0.0
    assert agreement(human, human, clusters).within.value == pytest.approx(1.0)


def test_a_dialogue_whose_human_scores_are_equal_does_not_count():
    assert agreement([1, 2, 5, 6], [1, 2, 3, 3], ["a", "a", "b", "b"]).within.value == 1.0
    assert agreement([1, 2], [3, 3], ["a", "a"]).within.value == 0.0


def test_a_constant_score_says_nothing():
    assert spearman([0.1] * 7, range(7)) == 0.0
    assert auroc([1, 1, 1], [True, False, False]) == 0.5
    assert auroc([1, 2], [False, False]) == 0.5


def test_the_interval_over_dialogues_is_wider_than_one_over_summaries(drawn):
    clusters, _, human, _ = drawn

    def mean(rows):
        return float(human[rows].mean())

    together = over_clusters(mean, cluster_indices(clusters), seed=3)
    apart = over_clusters(mean, cluster_indices(range(120)), seed=3)
    assert together[0] < human.mean() < together[1]
    assert together[1] - together[0] > 1.2 * (apart[1] - apart[0])
    assert together == over_clusters(mean, cluster_indices(clusters), seed=3)


def test_predictions_do_not_see_their_own_dialogue():
    # The last dialogue lies far off the line of the others.
    x = np.array([[1.0], [2.0], [3.0], [4.0]])
    found = fitted_out_of_fold(x, [1.0, 2.0, 3.0, 100.0], ["a", "b", "c", "d"])
    assert found[3] == pytest.approx(4.0)
    assert found[0] != pytest.approx(1.0)


def test_all_figures_together(drawn):
    clusters, ease, human, rng = drawn
    lengths = rng.normal(size=(120, 2))
    found = agreement(human, human, clusters, lengths)
    assert (found.n, found.clusters) == (120, 30)
    for figure in (found.spearman, found.partial, found.within, found.auroc):
        assert figure.value == pytest.approx(1.0)
        assert figure.low == pytest.approx(1.0)
    assert str(found.spearman) == "1.00 [1.00, 1.00]"
    noisy = agreement(ease, human, clusters, lengths)
    assert noisy.spearman.low < noisy.spearman.value < noisy.spearman.high


def test_unequal_or_missing_rows_are_refused():
    rest = {"has_error": [True], "lengths": [[1, 2]], "clusters": ["a"], "seed": 0}
    with pytest.raises(ValueError, match="as many"):
        agreement_of([1.0, 2.0], [1.0], human=[1.0], **rest)
    with pytest.raises(ValueError, match="at least one"):
        agreement_of([], [], human=[], **(rest | {"lengths": [], "clusters": [], "has_error": []}))


def test_length_counts_words():
    assert length_of("  No fever,\nno chills. ") == 4
