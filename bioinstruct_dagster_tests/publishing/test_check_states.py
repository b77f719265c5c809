"""What the last results of blocking checks refuse."""

import pytest

from bioinstruct_dagster.publishing.check_states import CHECKS_COMMAND, CheckState, check_refusals


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"passed": False, "said": "Row 7 is twice there."}, "failed. Row 7 is twice there."),
        ({"passed": False, "judged": False, "said": "No set."}, "has not judged. No set."),
        ({"passed": True, "present": False}, "ran before the asset was last materialized"),
        ({"passed": None}, "has no result. Run the checks: "),
    ],
)
def test_each_state_but_a_present_pass_refuses(state, said):
    sound = CheckState("rows", "sound", passed=True)
    (refusal,) = check_refusals([CheckState("rows", "a_check", **state), sound])
    assert "a_check of rows" in refusal
    assert said in refusal


@pytest.mark.parametrize("state", [{"passed": None}, {"passed": True, "present": False}])
def test_one_reason_is_one_sentence_with_its_checks_and_one_command(state):
    states = [CheckState("rows", f"check_{n}", **state) for n in range(3)]
    states += [CheckState("scores", "other", **state), CheckState("rows", "sound", passed=True)]
    (refusal,) = check_refusals(states)
    assert "4 blocking checks (check_0, check_1, check_2 of rows; other of scores)" in refusal
    assert refusal.count(CHECKS_COMMAND) == 1


def test_a_fault_of_an_older_result_keeps_its_own_advice():
    states = [
        CheckState("rows", "old", passed=True, present=False),
        CheckState("rows", "bad", passed=False, present=False, said="Row 7 is twice there."),
    ]
    failed, older = check_refusals(states)
    assert failed.endswith("bad of rows failed. Row 7 is twice there.")
    assert "(old of rows) ran before" in older


def test_an_instance_without_any_result_is_named_once():
    states = [CheckState("rows", f"check_{n}", passed=None) for n in range(9)]
    (refusal,) = check_refusals(states)
    assert "no result of any of the 9 blocking checks" in refusal
    assert "DAGSTER_HOME" in refusal
    assert CHECKS_COMMAND in refusal


def test_a_pass_after_the_last_materialization_allows():
    assert check_refusals([CheckState("rows", "sound", passed=True)]) == []
    assert check_refusals([]) == []


def test_a_check_that_does_not_apply_allows_unless_it_is_older():
    state = {"passed": False, "judged": False, "applies": False}
    assert check_refusals([CheckState("rows", "completions", **state)]) == []
    older = CheckState("rows", "completions", **state, present=False)
    assert "ran before" in check_refusals([older])[0]
