"""Curation as a user runs it: an import with every kind of faulty row, through the real graph."""

import json
import sys

import pytest

from bioinstruct_dagster.figures.sheet import INLINE_CHARACTERS
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
NEAR_ROW = ("Name the vitamin whose lack causes scurvy in grown adults.", "", "Ascorbic acid.")
WORDLESS_ROW = ("???", "", "Aspirin.")
REFUSED_ROW = (
    "Compare beta blockers with calcium antagonists in angina.",
    "",
    "I must decline to answer this.",
)
LINK_ROW = ("Summarize the trial on asthma.", "https://example.org/asthma/12", "Asthma improved.")
MARKER_ROW = ("Say how gout is treated in its first days.", "N/A", "With colchicine or naproxen.")
REPEATED_ROW = ("Say what a low ferritin means.", "Say what a low ferritin means.", "Lack of iron.")
WRONG_BMI_ROW = (
    "Calculate the body-mass index of the patient.",
    "Weight 70 kg, height 1.75 m.",
    "The BMI is 31.0 kg/m2.",
)
PERSON_ROW = (
    "Shorten the ward note for the family doctor.",
    f"Patient: Harold Finch, MRN: {MRN}, has asthma. Phone 937-555-0142.",
    f"Harold Finch (MRN: {MRN}) has asthma.",
)
TRUNCATED_ROW = (
    f"Write discharge advice for the patient with gout and MRN: {MRN}.",
    "",
    f"Take colchicine for a week. Your MRN: {MRN} is on the form, and",
)
CONTAMINATED_ROW = (
    "What do nurses at the harbour clinic of Ostrava measure before every dialysis?",
    "",
    "Weight, blood pressure and temperature of the patient.",
)
FAULTY_ROWS = [
    *SOUND,
    NEAR_ROW,
    WORDLESS_ROW,
    REFUSED_ROW,
    LINK_ROW,
    MARKER_ROW,
    REPEATED_ROW,
    WRONG_BMI_ROW,
    PERSON_ROW,
]


@pytest.fixture
def project(settings, tmp_path):
    return Imported(settings, tmp_path)


@pytest.fixture
def evaluation(tmp_path):
    """A folder of evaluation files with one item, which is one of the rows."""
    file = tmp_path / "eval" / "medqa" / "items.jsonl"
    file.parent.mkdir(parents=True)
    item = {
        "question": CONTAMINATED_ROW[0],
        "options": {"A": "Weight", "B": "Height"},
        "answer": "Weight",
    }
    file.write_text(json.dumps(item) + "\n", "utf-8")
    return tmp_path / "eval"


def test_each_faulty_row_ends_where_the_docs_say(project):
    result = project.run(FAULTY_ROWS)
    assert result.success
    assert project.dropped() == {
        NEAR_ROW[0]: "novelty: repeats_kept_row",
        WORDLESS_ROW[0]: "quality: instruction_too_short",
        REFUSED_ROW[0]: "quality: cannot_do",
        LINK_ROW[0]: "quality: ungrounded_input",
        PERSON_ROW[0]: "privacy: name",
    }
    kept = project.store.rows("from deduplicated_instructions order by ordinal")
    marked, repeated, odd = kept[-3:]
    assert [row["instruction"] for row in kept[:-3]] == [row[0] for row in SOUND]
    assert (marked["input"], marked["repaired"]) == ("", ["input"])
    assert (repeated["input"], repeated["repaired"]) == ("", ["input"])
    assert odd["flags"] == ["quality: wrong_arithmetic"]
    assert all(row["repaired"] == row["flags"] == [] for row in kept[:-3])
    assert project.values("select input from raw_instructions where input = 'N/A'") == ["N/A"]


def reasons(found):
    """The rows of the table on the page, by gate and reason."""
    lines = (line.strip("| ").split(" | ") for line in found["rejected by reason"].splitlines()[2:])
    return {f"{gate}: {reason.replace(' ', '_')}": int(rows) for gate, reason, rows in lines}


def test_the_asset_s_page_counts_what_the_store_holds(project):
    result = project.run(FAULTY_ROWS, checked=True)
    found = shown(result)
    assert (found["repaired"], found["flagged"]) == (2, 1)
    assert found["kept (%)"] == 64.3
    assert found["dagster/row_count"] == 9
    assert reasons(found)["quality: cannot_do"] == 1
    assert sum(reasons(found).values()) == 5
    assert next(iter(found)) == "summary"
    assert found["summary"].startswith("9 kept rows: 64.3\N{NO-BREAK SPACE}% of 14 raw rows.")
    assert "<data:image/svg+xml," in found["summary"]
    assert len(found["summary"]) < INLINE_CHARACTERS
    # The novelty filter checks only rows that pass the other gates.
    assert checked(result) == {"quality": 14, "privacy": 14, "contamination": 14, "novelty": 10}
    steps = project.store.rows("select stage, outcome, rows from funnel")
    assert {"stage": "deduplicated_instructions", "outcome": "kept", "rows": 9} in steps
    rejected = {row["outcome"]: row["rows"] for row in steps if "rejected" in row["stage"]}
    assert rejected == reasons(found)
    warned = {name for name, passed in checks(result).items() if not passed}
    assert warned == {"evaluation_sets_are_at_hand"}


def test_the_asset_s_page_says_how_many_rows_english_rules_did_not_judge(project):
    rows = [*SOUND, ("HIV的传播途径有哪些？", "", "性接触、血液和母婴传播。")]
    assert shown(project.run(rows))["not judged by English rules"] == "1 by their script"
    assert shown(project.run(SOUND))["not judged by English rules"] == "none"


def test_a_second_materialization_changes_nothing(project):
    first = project.run(FAULTY_ROWS)
    before = project.store.rows("from verdicts order by all")
    again = project.run()
    assert checked(again) == dict.fromkeys(DROPPING_GATES, 0)
    assert shown(again)["fingerprint"] == shown(first)["fingerprint"]
    assert project.store.rows("from verdicts order by all") == before
    assert project.store.rows("from superseded_verdicts") == []


def test_a_row_dropped_by_a_gate_blocks_no_other_row(project):
    refused = (SOUND[0][0], "", REFUSED_ROW[2])
    project.run([refused, SOUND[0]])
    assert project.values("select output from deduplicated_instructions") == [SOUND[0][2]]


def test_an_import_of_refused_rows_keeps_none(project):
    result = project.run([WORDLESS_ROW, REFUSED_ROW])
    assert result.success
    assert (shown(result)["dagster/row_count"], shown(result)["kept (%)"]) == (0, 0)
    after = project.run(assets=["categorized_instructions"])
    assert "key:deduplicated_instructions" in why_it_failed(after, "categorized_instructions")
    assert "rejected_instructions" in why_it_failed(after, "categorized_instructions")


# Privacy.


def everywhere(project):
    """The store's tables without raw_instructions, and Dagster's events, as text."""
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


def test_after_redaction_only_the_raw_row_has_the_identifier(project):
    # The page of raw_instructions shows its first five rows, so the private ones come later.
    result = project.run(
        [*SOUND, PERSON_ROW, TRUNCATED_ROW, MARKER_ROW],
        LABELLED,
        privacy="redact",
    )
    assert result.success
    [row] = project.store.rows(
        "from deduplicated_instructions where instruction = $i", {"i": PERSON_ROW[0]}
    )
    assert row["input"] == "Patient: <NAME>, MRN: <MRN>, has asthma. Phone <PHONE>."
    assert row["output"] == "<NAME> (MRN: <MRN>) has asthma."
    assert row["repaired"] == ["input", "output"]
    assert project.dropped()[TRUNCATED_ROW[0]] == "quality: truncated_output"
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


def test_another_privacy_action_rechecks_privacy_and_novelty(project):
    rows = [*SOUND, PERSON_ROW, MARKER_ROW]
    project.run(rows)
    flagged = project.run(privacy="flag")
    assert checked(flagged) == {"quality": 0, "privacy": 8, "contamination": 0, "novelty": 2}
    [row] = project.store.rows(
        "from deduplicated_instructions where instruction = $i", {"i": PERSON_ROW[0]}
    )
    assert row["flags"] == ["privacy: mrn", "privacy: name", "privacy: phone"]
    assert MRN in row["input"]
    off = project.run(privacy="off")
    assert checked(off)["novelty"] == 0
    assert set(project.values("select rule from verdicts where gate = 'privacy'")) == {"off"}


# Contamination.


def test_a_contaminated_row_is_dropped_or_flagged(project, evaluation):
    result = project.run([*SOUND, CONTAMINATED_ROW], checked=True, eval_dir=evaluation)
    assert project.dropped() == {CONTAMINATED_ROW[0]: "contamination: whole_item"}
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
    project.run([*SOUND, CONTAMINATED_ROW])
    assert CONTAMINATED_ROW[0] in project.kept()
    result = project.run(eval_dir=evaluation)
    assert checked(result) == {"quality": 0, "privacy": 0, "contamination": 7, "novelty": 0}
    assert CONTAMINATED_ROW[0] not in project.kept()


# Rules and files that change, and files that are broken.


def test_a_rule_switched_off_checks_quality_alone(project):
    project.run(FAULTY_ROWS)
    result = project.run(quality_rules=project.rules(cannot_do="off"))
    counts = checked(result)
    assert (counts["quality"], counts["privacy"], counts["contamination"]) == (14, 0, 0)
    assert REFUSED_ROW[0] in project.kept()
    assert "cannot_do" not in project.values("select rule from verdicts")
    assert "cannot_do" in project.values("select rule from superseded_verdicts")
    back = project.run()
    assert checked(back)["quality"] == 14
    assert project.dropped()[REFUSED_ROW[0]] == "quality: cannot_do"


def test_another_rules_file_changes_the_kept_rows_and_back(project):
    project.run(FAULTY_ROWS)
    before = (project.kept(), project.dropped())
    result = project.run([SOUND[1], LINK_ROW])
    assert checked(result)["quality"] == 0  # rows are known by their text
    assert (project.kept(), list(project.dropped())) == ([SOUND[1][0]], [LINK_ROW[0]])
    back = project.run(FAULTY_ROWS, checked=True)
    assert (project.kept(), project.dropped()) == before
    assert checked(back)["quality"] == 0
    assert all(passed for name, passed in checks(back).items() if "evaluation" not in name)


def test_rows_in_another_order_are_checked_in_that_order(project):
    # The kept row and the rows kept before it do not change; only the dropped row does.
    project.run([WORDLESS_ROW, SOUND[0], NEAR_ROW])
    assert project.kept() == [SOUND[0][0]]
    project.run([NEAR_ROW, SOUND[0], WORDLESS_ROW])
    assert project.kept() == [NEAR_ROW[0]]
    assert project.dropped()[SOUND[0][0]] == "novelty: repeats_kept_row"


def test_equal_rows_of_an_import_are_rows_of_their_own(project):
    result = project.run([SOUND[0], SOUND[0], REFUSED_ROW, REFUSED_ROW], checked=True)
    assert (len(project.kept()), reasons(shown(result))) == (
        1,
        {"quality: cannot_do": 2, "novelty: repeats_kept_row": 1},
    )
    assert checks(result)["every_raw_row_is_accounted_for"]


def test_labels_of_dropped_rows_are_superseded_verdicts(project):
    project.run(SOUND, LABELLED)
    project.run([*SOUND[:2], REFUSED_ROW], LABELLED)
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


@pytest.mark.parametrize(
    ("module", "setting", "value"),
    [("ray", "ray_address", "local"), ("sentence_transformers", "meaning_model", "model")],
)
def test_a_missing_extra_is_stated_even_for_few_rows(project, monkeypatch, module, setting, value):
    monkeypatch.setitem(sys.modules, module, None)
    result = project.run(SOUND, **{setting: value})
    assert not result.success
    assert f"BIOINSTRUCT_{setting.upper()} is set, but" in why_it_failed(
        result, "deduplicated_instructions"
    )


def test_short_questions_of_an_imported_set_are_kept_in_any_script(project):
    questions = ["What is Gout?", "Gout", "Причины анемии?", "النقرس؟", "통풍이란?", "哮喘"]
    rows = [(question, "", f"Answer {n} on the disease.") for n, question in enumerate(questions)]
    project.run([*rows, ("…", "", "An answer on gout.")], novelty="exact")
    kept = project.store.rows("select instruction from deduplicated_instructions order by ordinal")
    assert [row["instruction"] for row in kept] == questions
    (rejected,) = project.store.rows("select instruction, reason from rejected_instructions")
    assert rejected == {"instruction": "…", "reason": "instruction_too_short"}
