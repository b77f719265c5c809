"""What the results of blocking checks refuse."""

import pytest

from bioinstruct_dagster.publishing.check_states import CheckState, check_refusals


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"said": "Row 7 is twice there."}, "failed. Row 7 is twice there."),
        ({}, "failed. Its page says what to do."),
        ({"judged": False, "said": "No set."}, "has not judged. No set."),
        ({"judged": False}, "has not judged. Its page says what it needs."),
        ({"stopped": "no Parquet file"}, "could not judge (no Parquet file). Put that right"),
    ],
)
def test_each_result_but_a_pass_refuses(state, said):
    sound = CheckState("rows", "sound", passed=True)
    (refusal,) = check_refusals([CheckState("rows", "a_check", passed=False, **state), sound])
    assert refusal.startswith("The blocking check a_check of rows ")
    assert said in refusal


def test_a_check_that_does_not_apply_allows():
    state = CheckState("rows", "completions", passed=False, judged=False, applies=False)
    assert check_refusals([state]) == []
    assert check_refusals([]) == []
