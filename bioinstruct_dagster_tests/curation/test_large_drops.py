"""A gate that rejects more than half of a set warns: rule, examples and the setting that helps."""

import pytest

from bioinstruct_dagster.curation import checks
from bioinstruct_dagster.curation.large_drops import ALL_GATES, EXAMPLES, large_drops
from bioinstruct_dagster.curation.verdicts import WITHHELD_TEXT
from bioinstruct_dagster_tests.curation.imports import Imported, shown

TASK = "Answer the question of the patient about gout."


def asked(count):
    return [
        (TASK, f"Does gout hurt in joint number {n}?", f"Yes, in joint {n}.") for n in range(count)
    ]


def different(count):
    return [
        (
            f"Explain sign{n} of disease{n} to nurse{n} and doctor{n}.",
            "",
            "It is a sign of illness.",
        )
        for n in range(count)
    ]


def unanswered(count):
    return [(f"Explain cause{n} of illness{n} in organ{n} now.", "", "") for n in range(count)]


@pytest.fixture
def project(settings, tmp_path):
    return Imported(settings, tmp_path)


def test_a_set_of_one_instruction_under_the_rule_rouge_warns(project):
    result = project.run(asked(24), checked=True, novelty="rouge")
    assert project.kept() == [TASK]
    (drop,) = large_drops(project.store)
    assert (drop.gate, drop.checked, drop.rejected) == ("novelty", 24, 23)
    assert drop.rules == {"repeats_kept_row": 23}
    assert "BIOINSTRUCT_NOVELTY=exact" in str(drop)
    assert len(drop.examples) == EXAMPLES
    assert drop.examples[0]["repeats"] == f"{TASK} / Does gout hurt in joint number 0?"
    assert drop.examples[0]["input"] == "Does gout hurt in joint number 1?"
    page = shown(result)["rejected more than half"]
    assert "BIOINSTRUCT_NOVELTY=exact" in page
    assert page.count("repeats_kept_row") == EXAMPLES + 1
    (check,) = [c for c in result.get_asset_check_evaluations() if "keep_half" in c.check_name]
    assert not check.passed
    assert check.severity.name == "WARN"
    assert "BIOINSTRUCT_NOVELTY=exact" in check.description
    (record,) = project.instance.get_run_records()
    logs = [log.user_message for log in project.instance.all_logs(record.dagster_run.run_id)]
    assert any("rejected 23 of 24 rows" in (message or "") for message in logs)


def test_the_same_set_is_kept_by_default(project):
    result = project.run(asked(24), checked=True, novelty="auto")
    assert len(project.kept()) == 24
    assert large_drops(project.store) == []
    assert "rejected more than half" not in shown(result)
    assert checks.gates_keep_half_of_the_rows(store=project.store).passed


def test_fewer_than_twenty_rows_or_half_of_them_do_not_warn(project):
    project.run(unanswered(19))
    assert large_drops(project.store) == []
    project.run([*unanswered(10), *different(10)])
    assert large_drops(project.store) == []
    project.run([*unanswered(11), *different(10)])
    (drop,) = large_drops(project.store)
    assert (drop.gate, drop.rejected, drop.checked) == ("quality", 11, 21)
    assert drop.rules == {"empty_output": 11}
    assert "BIOINSTRUCT_QUALITY_RULES" in drop.advice


def test_novelty_is_measured_on_the_rows_that_reach_it(project):
    rows = [*unanswered(20), *asked(21)]
    project.run(rows)
    (drop,) = large_drops(project.store)
    assert (drop.gate, drop.checked, drop.rejected) == ("novelty", 21, 20)


def test_all_gates_together_warn_where_no_single_one_does(project):
    rows = [*unanswered(12), *different(14), *[different(1)[0]] * 10]
    project.run(rows)
    (drop,) = large_drops(project.store)
    assert (drop.gate, drop.checked, drop.rejected) == (ALL_GATES, 36, 22)
    assert drop.rules == {"quality: empty_output": 12, "novelty: repeats_kept_row": 10}
    assert "BIOINSTRUCT_QUALITY_RULES" in str(drop)
    assert "BIOINSTRUCT_NOVELTY" in str(drop)


def test_no_example_shows_a_text_with_an_identifier(project):
    number = "4839201"
    rows = [
        (f"Shorten note{n} of ward{n} for doctor{n} today.", f"MRN: {number}{n}, has gout.", "")
        for n in range(21)
    ]
    result = project.run(rows)
    drops = {drop.gate: drop for drop in large_drops(project.store)}
    assert set(drops) == {"quality", "privacy"}
    assert "BIOINSTRUCT_PRIVACY" in drops["privacy"].advice
    for drop in drops.values():
        assert {example["input"] for example in drop.examples} == {WITHHELD_TEXT}
    assert number not in shown(result)["rejected more than half"]
    (record,) = project.instance.get_run_records()
    assert number not in str(project.instance.all_logs(record.dagster_run.run_id))


def test_an_example_with_a_doubtful_detail_alone_is_shown(project):
    rows = [
        (f"Shorten note{n} of ward{n} for doctor{n}.", f"Man {n} lives in Wolverhampton.", "")
        for n in range(21)
    ]
    project.run(rows)
    (drop,) = large_drops(project.store)
    assert drop.gate == "quality"
    assert drop.examples[0]["input"] == "Man 0 lives in Wolverhampton."
    found = project.store.rows("select distinct rule from verdicts where gate = 'privacy'")
    assert found == [{"rule": "possible_identifier"}]
