"""Curation as a user runs it: an import with every kind of trouble, through the real graph."""

import json

import pytest

from bioinstruct_dagster.figures import INLINE_CHARACTERS
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.gate_order import DROPPING_GATES
from bioinstruct_dagster_tests.curation.imports import (
    LABELLED,
    SOUND,
    Imported,
    checked,
    checks,
    shown,
    why_it_failed,
)

MRN = "4839201"
NEAR = ("Name the vitamin whose lack causes scurvy in grown adults.", "", "Ascorbic acid.")
TOO_SHORT = ("Name drug.", "", "Aspirin.")
REFUSED = (
    "Compare beta blockers with calcium antagonists in angina.",
    "",
    "I'm sorry, but as an AI language model I cannot help with that.",
)
LINKED = ("Summarize the trial on asthma.", "https://example.org/asthma/12", "Asthma improved.")
MARKED = ("Say how gout is treated in its first days.", "N/A", "With colchicine or naproxen.")
REPEATED = ("Say what a low ferritin means.", "Say what a low ferritin means.", "Lack of iron.")
ODD_BMI = (
    "Calculate the body-mass index of the patient.",
    "Weight 70 kg, height 1.75 m.",
    "The BMI is 31.0 kg/m2.",
)
NAMED = (
    "Shorten the ward note for the family doctor.",
    f"Patient: Harold Finch, MRN: {MRN}, has asthma. Phone 937-555-0142.",
    f"Harold Finch (MRN: {MRN}) has asthma.",
)
CUT_OFF = (
    f"Write discharge advice for the patient with gout and MRN: {MRN}.",
    "",
    f"Take colchicine for a week. Your MRN: {MRN} is on the form, and",
)
LEAKED = (
    "What do nurses at the harbour clinic of Ostrava measure before every dialysis?",
    "",
    "Weight, blood pressure and temperature of the patient.",
)
TROUBLED = [*SOUND, NEAR, TOO_SHORT, REFUSED, LINKED, MARKED, REPEATED, ODD_BMI, NAMED]


@pytest.fixture
def project(settings, tmp_path):
    return Imported(settings, tmp_path)


@pytest.fixture
def evaluation(tmp_path):
    """A folder of evaluation files with one item, which is one of the rows."""
    file = tmp_path / "eval" / "medqa" / "items.jsonl"
    file.parent.mkdir(parents=True)
    item = {"question": LEAKED[0], "options": {"A": "Weight", "B": "Height"}, "answer": "Weight"}
    file.write_text(json.dumps(item) + "\n", "utf-8")
    return tmp_path / "eval"


def test_each_kind_of_trouble_ends_where_the_documentation_says(project):
    result = project.run(TROUBLED)
    assert result.success
    assert project.dropped() == {
        NEAR[0]: "novelty: repeats_kept_row",
        TOO_SHORT[0]: "quality: instruction_too_short",
        REFUSED[0]: "quality: refusal",
        LINKED[0]: "quality: ungrounded_input",
        NAMED[0]: "privacy: name",
    }
    kept = project.store.rows("from deduplicated_instructions order by ordinal")
    marked, repeated, odd = kept[-3:]
    assert [row["instruction"] for row in kept[:-3]] == [row[0] for row in SOUND]
    assert (marked["input"], marked["repaired"]) == ("", ["input"])
    assert (repeated["input"], repeated["repaired"]) == ("", ["input"])
    assert odd["flags"] == ["quality: wrong_arithmetic"]
    assert all(row["repaired"] == row["flags"] == [] for row in kept[:-3])
    assert project.values("select input from raw_instructions where input = 'N/A'") == ["N/A"]


def test_the_asset_s_page_counts_what_the_store_holds(project):
    result = project.run(TROUBLED, checked=True)
    found = shown(result)
    assert (found["repaired"], found["flagged"]) == (2, 1)
    assert found["kept_share"] == pytest.approx(9 / 14)
    assert found["dagster/row_count"] == 9
    assert found["rejected_by_reason"]["quality: refusal"] == 1
    assert sum(found["rejected_by_reason"].values()) == 5
    assert found["funnel"].startswith("![Funnel](data:image/svg+xml;base64,")
    assert len(found["funnel"]) < INLINE_CHARACTERS
    # Novelty looks only at rows that the others let pass.
    assert checked(result) == {"quality": 14, "privacy": 14, "contamination": 14, "novelty": 10}
    steps = project.store.rows("select stage, outcome, rows from funnel")
    assert {"stage": "deduplicated_instructions", "outcome": "kept", "rows": 9} in steps
    rejected = {row["outcome"]: row["rows"] for row in steps if "rejected" in row["stage"]}
    assert rejected == found["rejected_by_reason"]
    warned = {name for name, passed in checks(result).items() if not passed}
    assert warned == {"evaluation_sets_are_at_hand"}


def test_a_second_materialization_checks_nothing_and_changes_nothing(project):
    first = project.run(TROUBLED)
    before = project.store.rows("from verdicts order by all")
    again = project.run()
    assert checked(again) == dict.fromkeys(DROPPING_GATES, 0)
    assert shown(again)["fingerprint"] == shown(first)["fingerprint"]
    assert project.store.rows("from verdicts order by all") == before
    assert project.store.rows("from superseded_verdicts") == []


def test_a_row_that_another_gate_drops_does_not_stand_in_the_way(project):
    refused = (SOUND[0][0], "", REFUSED[2])
    project.run([refused, SOUND[0]])
    assert project.values("select output from deduplicated_instructions") == [SOUND[0][2]]


def test_an_import_of_refused_rows_alone_keeps_none_and_says_so(project):
    result = project.run([TOO_SHORT, REFUSED])
    assert result.success
    assert (shown(result)["dagster/row_count"], shown(result)["kept_share"]) == (0, 0)
    after = project.run(assets=["categorized_instructions"])
    assert "key:deduplicated_instructions" in why_it_failed(after, "categorized_instructions")
    assert "rejected_instructions" in why_it_failed(after, "categorized_instructions")


# Privacy.


def everywhere(project):
    """What the store's tables and Dagster's events hold, as text; raw_instructions left out."""
    tables = project.values("select table_name from duckdb_tables() where not internal")
    texts = {
        name: str(project.store.rows(f"from {name}"))
        for name in tables
        if name != "raw_instructions"
    }
    records = project.instance.get_run_records()
    for record in records:
        logs = project.instance.all_logs(record.dagster_run.run_id)
        texts[f"events of {record.dagster_run.run_id}"] = str(logs)
    assert {"verdicts", "deduplicated_instructions", "categorized_instructions"} <= set(texts)
    return texts


def test_redaction_leaves_the_identifier_in_the_raw_row_alone(project):
    # The page of raw_instructions shows its first five rows, so the private ones come later.
    result = project.run(
        [*SOUND, NAMED, CUT_OFF, MARKED],
        LABELLED,
        privacy="redact",
    )
    assert result.success
    [row] = project.store.rows(
        "from deduplicated_instructions where instruction = $i", {"i": NAMED[0]}
    )
    assert row["input"] == "Patient: <NAME>, MRN: <MRN>, has asthma. Phone <PHONE>."
    assert row["output"] == "<NAME> (MRN: <MRN>) has asthma."
    assert row["repaired"] == ["input", "output"]
    assert project.dropped()[CUT_OFF[0]] == "quality: truncated_output"
    raw = str(project.store.rows("from raw_instructions"))
    for secret in (MRN, "Finch", "555-0142"):
        assert secret in raw
        assert [name for name, text in everywhere(project).items() if secret in text] == []


def test_a_marker_beside_a_redaction_stays_emptied(project):
    row = (f"Say what gout does to MRN: {MRN}.", "N/A", f"It hurts the patient with MRN: {MRN}.")
    project.run([row], privacy="redact")
    [kept] = project.store.rows("from deduplicated_instructions")
    assert kept["instruction"] == "Say what gout does to MRN: <MRN>."
    assert (kept["input"], kept["repaired"]) == ("", ["input", "instruction", "output"])


def test_another_way_with_identifiers_checks_privacy_alone_and_novelty_from_there(project):
    rows = [*SOUND, NAMED, MARKED]
    project.run(rows)
    flagged = project.run(privacy="flag")
    assert checked(flagged) == {"quality": 0, "privacy": 8, "contamination": 0, "novelty": 2}
    [row] = project.store.rows(
        "from deduplicated_instructions where instruction = $i", {"i": NAMED[0]}
    )
    assert row["flags"] == ["privacy: mrn", "privacy: name", "privacy: phone"]
    assert MRN in row["input"]
    off = project.run(privacy="off")
    assert checked(off)["novelty"] == 0
    assert set(project.values("select rule from verdicts where gate = 'privacy'")) == {"off"}


# Contamination.


def test_a_row_that_repeats_an_evaluation_item_is_dropped_or_flagged(project, evaluation):
    result = project.run([*SOUND, LEAKED], checked=True, eval_dir=evaluation)
    assert project.dropped() == {LEAKED[0]: "contamination: whole_item"}
    assert checks(result)["kept_rows_are_no_evaluation_items"]
    flagged = project.run(checked=True, eval_dir=evaluation, contamination="flag")
    assert checked(flagged) == {"quality": 0, "privacy": 0, "contamination": 7, "novelty": 1}
    assert project.dropped() == {}
    *_, row = project.store.rows("from deduplicated_instructions order by ordinal")
    assert "contamination: whole_item" in row["flags"]
    assert len(row["flags"]) == len(set(row["flags"]))
    assert flagged.success
    assert not checks(flagged)["kept_rows_are_no_evaluation_items"]  # warns


def test_new_evaluation_items_check_contamination_alone(project, evaluation):
    project.run([*SOUND, LEAKED])
    assert LEAKED[0] in project.kept()
    result = project.run(eval_dir=evaluation)
    assert checked(result) == {"quality": 0, "privacy": 0, "contamination": 7, "novelty": 0}
    assert LEAKED[0] not in project.kept()


# Rules and files that change, and files that are broken.


def test_a_rule_switched_off_checks_quality_alone(project):
    project.run(TROUBLED)
    result = project.run(quality_rules=project.rules(refusal="off"))
    counts = checked(result)
    assert (counts["quality"], counts["privacy"], counts["contamination"]) == (14, 0, 0)
    assert REFUSED[0] in project.kept()
    assert "refusal" not in project.values("select rule from verdicts")
    assert "refusal" in project.values("select rule from superseded_verdicts")
    back = project.run()
    assert checked(back)["quality"] == 14
    assert project.dropped()[REFUSED[0]] == "quality: refusal"


def test_another_file_takes_the_place_of_the_first_and_the_first_comes_back(project):
    project.run(TROUBLED)
    before = (project.kept(), project.dropped())
    result = project.run([SOUND[1], LINKED])
    assert checked(result)["quality"] == 0  # rows are known by their text
    assert (project.kept(), list(project.dropped())) == ([SOUND[1][0]], [LINKED[0]])
    back = project.run(TROUBLED, checked=True)
    assert (project.kept(), project.dropped()) == before
    assert checked(back)["quality"] == 0
    assert all(passed for name, passed in checks(back).items() if "evaluation" not in name)


def test_rows_in_another_order_are_checked_in_that_order(project):
    # Neither the kept row's place nor what is kept before it changes; only the dropped one moves.
    project.run([TOO_SHORT, SOUND[0], NEAR])
    assert project.kept() == [SOUND[0][0]]
    project.run([NEAR, SOUND[0], TOO_SHORT])
    assert project.kept() == [NEAR[0]]
    assert project.dropped()[SOUND[0][0]] == "novelty: repeats_kept_row"


def test_equal_rows_of_an_import_are_rows_of_their_own(project):
    result = project.run([SOUND[0], SOUND[0], REFUSED, REFUSED], checked=True)
    assert (len(project.kept()), shown(result)["rejected_by_reason"]) == (
        1,
        {"quality: refusal": 2, "novelty: repeats_kept_row": 1},
    )
    assert checks(result)["every_raw_row_is_accounted_for"]


def test_labels_of_rows_that_are_no_longer_kept_are_verdicts_no_more(project):
    project.run(SOUND, LABELLED)
    project.run([*SOUND[:2], REFUSED], LABELLED)
    labelled = project.values("select distinct row_id from verdicts where gate = 'category'")
    assert sorted(labelled) == sorted(project.values("select row_id from categorized_instructions"))
    assert "category" in project.values("select gate from gate_versions")


def test_a_broken_rules_file_stops_the_step_with_its_place(project, tmp_path):
    rules = project.rules(refusal="delete")
    result = project.run([SOUND[0]], quality_rules=rules)
    message = why_it_failed(result, "deduplicated_instructions")
    assert str(rules) in message
    assert "refusal" in message
    assert "action" in message
    assert project.kept() == []


def test_a_broken_evaluation_file_stops_the_step_with_its_place(project, evaluation):
    file = evaluation / "medqa" / "items.jsonl"
    with file.open("a", encoding="utf-8") as out:
        out.write('{"question": "Cut')
    result = project.run([SOUND[0]], eval_dir=evaluation)
    message = why_it_failed(result, "deduplicated_instructions")
    assert str(file) in message
    assert "line 2" in message
    assert "medqa" in message


def test_without_raw_rows_it_says_what_to_do_first(project):
    Store(project.settings.store.path).replace({})
    result = project.run(assets=["deduplicated_instructions"])
    assert "key:raw_instructions" in why_it_failed(result, "deduplicated_instructions")
