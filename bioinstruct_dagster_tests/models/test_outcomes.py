"""The account of a step names what was made, what failed, and how a cancelled step goes on."""

import pytest

from bioinstruct_dagster.models.outcomes import ExperimentOutcomes, ExperimentsFailedError

A, B, C, D = (("tiny", name) for name in "abcd")


def test_failures_are_named_with_their_reasons():
    outcomes = ExperimentOutcomes("trained", made=[A], passed_over={B: "few"}, failed={C: "why"})
    with pytest.raises(ExperimentsFailedError) as error:
        outcomes.refuse_failures()
    assert str(error.value) == (
        "1 of 3 experiments could not be trained (materialized: 1, passed over: 1):\n- tiny|c: why"
    )


def test_a_cancelled_step_says_what_is_kept_and_what_goes_on_where():
    outcomes = ExperimentOutcomes("trained", made=[A])
    assert outcomes.cancelled([A, B, C, D], {B: 13, A: 9}) == (
        "Cancelled. 1 adapter is trained and kept. tiny|b goes on from its last checkpoint (update "
        "13) when it is materialized again. 2 experiments have to be trained from the beginning."
    )


def test_a_cancelled_step_that_had_ended_all_experiments_says_no_more():
    outcomes = ExperimentOutcomes("scored", made=[A, B], failed={C: "why"})
    assert outcomes.cancelled([A, B, C], {}) == "Cancelled. 2 adapters are scored and kept."
