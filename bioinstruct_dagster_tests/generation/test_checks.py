"""The checks of `raw_instructions`: of imported rows, they say that they judged nothing."""

import dagster as dg
import pytest

from bioinstruct_dagster.generation.checks import (
    every_row_has_its_completion,
    most_replies_can_be_read,
    the_last_round_reached_its_goal,
)
from bioinstruct_dagster_tests.test_report import completion

CHECKS = (every_row_has_its_completion, most_replies_can_be_read, the_last_round_reached_its_goal)


def raw_row(number, source, completion_id=None):
    return {
        "row_id": f"row-{number}",
        "ordinal": number,
        "position": 0,
        "completion_id": completion_id,
        "source": source,
        "instruction": "Name a vitamin.",
        "input": "",
        "output": "Vitamin C.",
        "rehearsal": False,
    }


@pytest.mark.parametrize("check", CHECKS)
def test_imported_rows_are_not_judged_and_do_not_block(store, check):
    store.replace({"raw_instructions": [raw_row(0, "import:set.csv@0123456789ab")]})
    result = check(store=store)
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.WARN
    assert result.description.startswith("Not judged: All rows were imported")


@pytest.mark.parametrize("check", CHECKS)
def test_without_rows_nothing_is_judged(store, check):
    store.replace({})
    assert check(store=store).description.startswith("Not judged: The store holds no generated row")


@pytest.mark.parametrize(("known", "orphans"), [("completion-1", 0), ("lost", 1)])
def test_a_generated_row_without_its_completion_is_an_error(store, known, orphans):
    rows = [raw_row(0, "completion", known), raw_row(1, "import:set.csv@0123456789ab")]
    replies = [completion(1, rehearsal=False, usd=0.1)]
    store.replace({"raw_instructions": rows, "completions": replies})
    result = every_row_has_its_completion(store=store)
    assert result.passed is not bool(orphans)
    assert result.severity == dg.AssetCheckSeverity.ERROR
    assert {name: result.metadata[name].value for name in ("orphans", "imported_rows")} == {
        "orphans": orphans,
        "imported_rows": 1,
    }
