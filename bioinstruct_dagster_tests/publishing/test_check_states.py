"""What the last results of blocking checks refuse."""

import pytest

from bioinstruct_dagster.publishing.check_states import CheckState, check_refusals


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"passed": False, "said": "Row 7 is twice there."}, "failed. Row 7 is twice there."),
        ({"passed": False, "judged": False, "said": "No set."}, "has not judged. No set."),
        ({"passed": True, "present": False}, "ran before the asset was last materialized"),
        ({"passed": None}, "has no result. Materialize key:rows again"),
    ],
)
def test_each_state_but_a_present_pass_refuses(state, said):
    sound = CheckState("rows", "sound", passed=True)
    (refusal,) = check_refusals([CheckState("rows", "a_check", **state), sound])
    assert refusal.startswith("The blocking check a_check of rows ")
    assert said in refusal


def test_an_instance_without_any_result_is_named_once():
    states = [CheckState("rows", f"check_{n}", passed=None) for n in range(9)]
    (refusal,) = check_refusals(states)
    assert "no result of any of the 9 blocking checks" in refusal
    assert "DAGSTER_HOME" in refusal


def test_a_pass_after_the_last_materialization_allows():
    assert check_refusals([CheckState("rows", "sound", passed=True)]) == []
    assert check_refusals([]) == []


def test_a_check_that_does_not_apply_allows_unless_it_is_older():
    state = {"passed": False, "judged": False, "applies": False}
    assert check_refusals([CheckState("rows", "completions", **state)]) == []
    older = CheckState("rows", "completions", **state, present=False)
    assert "ran before" in check_refusals([older])[0]
