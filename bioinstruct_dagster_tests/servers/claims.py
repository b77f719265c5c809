"""What must hold after a run, whatever the server.

Belongs here: assertions on a store and on results. Does not: making runs (runs).
"""

import dagster as dg

from bioinstruct_dagster_tests.servers.running import RunningServer
from bioinstruct_dagster_tests.servers.runs import OUTCOMES, Project, shown, why_it_failed


def the_end_is_clean(result: dg.ExecuteInProcessResult) -> None:
    """The run succeeded, or says what a small model's replies lack: a task, an end, a kept row."""
    if not result.success:
        why = why_it_failed(result)
        ends = ("readable task", "BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK", "There are no kept rows")
        assert any(end in why for end in ends)


def replies_are_stored(project: Project, server: RunningServer) -> None:
    """Every reply is in the store with its text, usage, model and address."""
    replies = project.rows("select * from completions")
    assert {reply["purpose"] for reply in replies} >= {"probe", "generation"}
    for reply in replies:
        assert reply["endpoint"] == server.url
        assert reply["model_asked"] == server.model
        assert reply["model_answered"]
        assert reply["prompt_tokens"] > 0
        assert reply["completion_tokens"] > 0
        assert reply["content"]
        assert not reply["rehearsal"]
        assert reply["completed_at"] > reply["requested_at"]
    [spent] = project.rows("select sum(tokens) as tokens from spend")
    counted = sum(reply["prompt_tokens"] + reply["completion_tokens"] for reply in replies)
    assert spent["tokens"] == counted
    assert not project.rows("select * from presumed_spend")


def outcomes_are_named(project: Project) -> None:
    """Every reply of generation that the set uses has an outcome, and the counts agree."""
    outcomes = project.rows("select * from completion_outcomes")
    assert outcomes
    assert {outcome["outcome"] for outcome in outcomes} <= OUTCOMES
    [raw] = project.rows("select count(*) as rows from raw_instructions")
    assert sum(outcome["tasks"] for outcome in outcomes) == raw["rows"] > 0


def every_row_has_verdicts(project: Project) -> None:
    """Each raw row is either kept or rejected, with a gate and a rule."""
    [counts] = project.rows(
        "select (select count(*) from raw_instructions) as raw, "
        "(select count(*) from deduplicated_instructions) as kept, "
        "(select count(*) from rejected_instructions) as rejected"
    )
    assert counts["raw"] == counts["kept"] + counts["rejected"]
    assert not project.rows("select row_id from raw_instructions anti join verdicts using (row_id)")
    assert all(row["reason"] for row in project.rows("select * from rejected_instructions"))


def kept_rows_have_labels(project: Project) -> None:
    """Each kept row has a category, and the teacher was asked for it."""
    kept = project.rows("select row_id from deduplicated_instructions")
    labelled = project.rows("select row_id, category, labelled_by from categorized_instructions")
    assert {row["row_id"] for row in labelled} == {row["row_id"] for row in kept}
    assert all(row["category"] and row["labelled_by"] for row in labelled)
    asked = project.rows("select 1 from completions where purpose = 'categorization'")
    assert bool(asked) == bool(kept)


def a_second_run_sends_nothing(project: Project, first: dg.ExecuteInProcessResult) -> None:
    """A run with the same settings pays for nothing and makes the same rows."""
    stored = project.rows("select completion_id from completions order by 1")
    second = project.run()
    assert project.rows("select completion_id from completions order by 1") == stored
    assert second.success == first.success
    the_end_is_clean(second)
    if not first.success:
        return
    assert shown(second)["replies paid for"] == 0
    assert shown(second)["fingerprint"] == shown(first)["fingerprint"]


def the_cap_holds(project: Project, cap: int) -> None:
    """Settled, presumed and reserved tokens together stay below the cap."""
    [spent] = project.rows("select sum(tokens) as tokens from spend")
    assert 0 < spent["tokens"] <= cap
