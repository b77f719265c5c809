"""The two forms of a check's result: a green check has compared something."""

import dagster as dg

from bioinstruct_dagster.store.check_results import (
    did_apply,
    judged,
    not_judged,
    was_judged,
)


def test_what_was_not_judged_warns_and_says_why():
    result = not_judged("There are no rows.", {"rows": 0})
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.WARN  # so it never blocks
    assert result.description == "Not judged: There are no rows."
    assert {name: value.value for name, value in result.metadata.items()} == {
        "rows": 0,
        "judged": False,
    }


def test_a_fault_is_a_warning_or_an_error():
    assert judged(False).severity == dg.AssetCheckSeverity.WARN
    assert judged(False, warns=False).severity == dg.AssetCheckSeverity.ERROR
    assert judged(True, {"rows": 3}).metadata["judged"].value


def test_stored_results_say_whether_they_judged_and_whether_they_applied():
    stored = [
        judged(True).metadata,
        not_judged("There is no file.").metadata,
        not_judged("All rows were imported.", applies=False).metadata,
        {},  # of an earlier version
    ]
    assert [was_judged(one) for one in stored] == [True, False, False, True]
    assert [did_apply(one) for one in stored] == [True, True, False, True]
