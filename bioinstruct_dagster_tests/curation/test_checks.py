"""Each check on curated rows passes on a sound store and fails on its fault."""

import json
import os
import shutil

import dagster as dg
import pytest

from bioinstruct_dagster.curation import checks
from bioinstruct_dagster.eval_sets.catalogue import EVALUATION_TASKS
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.gate_order import DROPPING_GATES
from bioinstruct_dagster_tests.curation.imports import LABELLED, SOUND, Imported

REFUSED = ("Compare beta blockers in angina.", "", "I'm sorry, but as an AI I cannot do that.")
PUBLIC = "What do nurses at the harbour clinic of Ostrava measure before every dialysis?"
COPY = """
    insert into deduplicated_instructions by name
    select 'copy' as row_id, 99 as ordinal, {text} as instruction, input, output, repaired, flags,
        rehearsal
    from deduplicated_instructions where ordinal = 0
"""
ONE = "(select row_id from raw_instructions where ordinal = {place})"

STORE_CHECKS = {
    "every_raw_row_is_accounted_for": "deduplicated_instructions",
    "kept_rows_differ": "deduplicated_instructions",
    "gates_keep_half_of_the_rows": "deduplicated_instructions",
    "deduplicated_instructions_schema": "deduplicated_instructions",
    "categorized_instructions_schema": "categorized_instructions",
    "every_row_has_a_category": "categorized_instructions",
}
# A statement that makes a fault, the check that must fail, and its metadata.
FAULTS = [
    (
        f"delete from deduplicated_instructions where row_id = {ONE.format(place=0)}",
        "every_raw_row_is_accounted_for",
        {"lost": 1},
    ),
    (
        f"delete from verdicts where row_id = {ONE.format(place=len(SOUND))}",
        "every_raw_row_is_accounted_for",
        {"lost": 1, "not_looked_at": 4},
    ),
    (
        f"update verdicts set verdict = 'reject' where row_id = {ONE.format(place=1)}",
        "every_raw_row_is_accounted_for",
        {"kept_and_rejected": 1},
    ),
    *(
        (
            f"delete from verdicts where gate = '{gate}' and row_id = {ONE.format(place=1)}",
            "every_raw_row_is_accounted_for",
            {"lost": 0, "kept_and_rejected": 0, "not_looked_at": 1},
        )
        for gate in DROPPING_GATES
    ),
    (COPY.format(text="instruction"), "kept_rows_differ", {"highest_rouge_l_f1": 1.0}),
    (COPY.format(text="instruction || ' Please.'"), "kept_rows_differ", {"compared": 7}),
    (
        "insert into deduplicated_instructions from deduplicated_instructions limit 1",
        "deduplicated_instructions_schema",
        {},
    ),
    (
        "alter table deduplicated_instructions drop column flags",
        "deduplicated_instructions_schema",
        {},
    ),
    (
        "insert into categorized_instructions from categorized_instructions limit 1",
        "categorized_instructions_schema",
        {},
    ),
    (
        f"delete from categorized_instructions where row_id = {ONE.format(place=1)}",
        "every_row_has_a_category",
        {"kept": 6, "labelled": 5},
    ),
    (
        "update categorized_instructions set category = 'poetry' where ordinal = 1",
        "every_row_has_a_category",
        {"kept": 6, "labelled": 6},
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A project whose rows are curated and labelled, made once."""
    folder = tmp_path_factory.mktemp("sound")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("BIOINSTRUCT_", "OPENAI_"))]:
            patch.delenv(name)
        project = Imported(Settings.of(data_dir=folder / "data"), folder)
        assert project.run([*SOUND, REFUSED], LABELLED).success
    return project


@pytest.fixture
def spoil(sound, tmp_path):
    """A copy of that project's store, with statements executed on it."""

    def make(*statements):
        store = Store(tmp_path / "spoilt.duckdb", timeout=10)
        shutil.copy(sound.settings.store.path, store.path)
        with store.write() as connection:
            for statement in statements:
                connection.execute(statement)
        return store

    return make


def result_of(name, **resources):
    return getattr(checks, name)(**resources)


def was_judged(result):
    """Whether a check compared something. If not, it warns and says why."""
    judged = result.metadata["judged"].value
    if not judged:
        assert not result.passed
        assert result.severity == dg.AssetCheckSeverity.WARN
        assert result.description.startswith("Not judged: ")
    return judged


@pytest.mark.parametrize("name", STORE_CHECKS)
def test_a_sound_store_passes(sound, name):
    result = result_of(name, store=sound.store)
    if name == "gates_keep_half_of_the_rows":
        assert not was_judged(result)
        assert "There are 7 raw rows, and the check needs 20." in result.description
    else:
        assert result.passed
        assert was_judged(result)


@pytest.mark.parametrize(("statement", "name", "expected"), FAULTS)
def test_each_check_fails_on_its_fault(spoil, statement, name, expected):
    result = result_of(name, store=spoil(statement))
    assert not result.passed
    assert expected.items() <= {key: value.value for key, value in result.metadata.items()}.items()


@pytest.mark.parametrize("name", STORE_CHECKS)
def test_a_store_without_any_kept_row_passes(spoil, name):
    store = spoil(
        "delete from raw_instructions where ordinal < 6",
        "delete from deduplicated_instructions",
        "delete from categorized_instructions",
    )
    result = result_of(name, store=store)
    if name in {"gates_keep_half_of_the_rows", "kept_rows_differ"}:
        assert not was_judged(result)
    else:
        assert result.passed


def test_what_stops_a_run_blocks_and_what_warns_does_not():
    definitions = dg.load_asset_checks_from_modules([checks])
    blocking = {spec.name: spec.blocking for one in definitions for spec in one.check_specs}
    assert {name for name, stops in blocking.items() if not stops} == {
        "category_shares_are_within_bounds",
        "evaluation_sets_are_at_hand",
        "gates_keep_half_of_the_rows",
        "kept_rows_are_what_was_asked_for",
    }
    assert set(STORE_CHECKS) < set(blocking)


def test_rows_kept_by_the_rule_exact_differ_in_instruction_or_input(settings, tmp_path):
    project = Imported(settings, tmp_path)
    rows = [("Answer the question of the patient.", f"Does gout {n} hurt?", "Yes.") for n in "abc"]
    assert project.run(rows, novelty="exact").success
    found = checks.kept_rows_differ(store=project.store)
    assert found.passed
    assert found.metadata["compared"].value == 3
    copy = COPY.format(text="upper(instruction)")
    with project.store.write() as connection:
        connection.execute(copy)
    found = checks.kept_rows_differ(store=project.store)
    assert not found.passed
    assert found.metadata["repeats"].value == 1
    assert project.run(rows, novelty="off").success
    found = checks.kept_rows_differ(store=project.store)
    assert not was_judged(found)
    assert "BIOINSTRUCT_NOVELTY" in found.description
    assert found.metadata["rule"].value == "off"


def test_kept_rows_of_another_script_are_compared_by_their_own_measure(settings, tmp_path):
    project = Imported(settings, tmp_path)
    rows = [(text, "", "多喝水。") for text in ("HIV的传播途径有哪些？", "HIV的早期症状是什么？")]
    assert project.run(rows).success
    assert len(project.kept()) == 2
    assert checks.kept_rows_differ(store=project.store).passed


@pytest.fixture
def evaluation(tmp_path):
    """A folder of evaluation files with one item."""
    file = tmp_path / "eval" / "medqa" / "items.jsonl"
    file.parent.mkdir(parents=True)
    item = {"question": PUBLIC, "options": {"A": "Weight", "B": "Height"}, "answer": "Weight"}
    file.write_text(json.dumps(item), "utf-8")
    return tmp_path / "eval"


@pytest.mark.parametrize(("action", "severity"), [("reject", "ERROR"), ("flag", "WARN")])
def test_a_contaminated_kept_row_fails_the_check(sound, spoil, evaluation, action, severity):
    changed = {"eval_dir": evaluation, "contamination": action}
    settings = sound.settings.changed(**changed)
    name = "kept_rows_are_no_evaluation_items"
    good = result_of(name, store=sound.store, settings=settings)
    assert good.passed
    assert (good.metadata["rows"].value, good.metadata["items"].value) == (6, 1)
    assert was_judged(good)
    assert good.description.startswith("6 kept rows were compared with 1 items. None repeats an")
    assert "Not judged for sets without files: " in good.description
    assert "medmcqa, pubmedqa" in good.description
    assert ": medqa" not in good.description
    store = spoil(COPY.format(text=f"'{PUBLIC}'"))
    bad = result_of(name, store=store, settings=settings)
    assert not bad.passed
    assert bad.severity.name == severity
    assert bad.metadata["rows_that_repeat_one"].value == {"medqa": 1}
    assert "medqa: 1" in bad.description
    assert "BIOINSTRUCT_CONTAMINATION=reject" in bad.description


def test_without_any_evaluation_set_no_row_is_judged_and_none_blocks(sound, spoil, tmp_path):
    settings = sound.settings.changed(eval_dir=tmp_path / "nothing", contamination="reject")
    store = spoil(COPY.format(text=f"'{PUBLIC}'"))
    result = result_of("kept_rows_are_no_evaluation_items", store=store, settings=settings)
    assert not was_judged(result)
    assert str(tmp_path / "nothing") in result.description


def test_missing_evaluation_sets_are_a_warning_in_a_rehearsal_too(spoil, settings, tmp_path):
    store = spoil("update deduplicated_instructions set rehearsal = true")
    settings = settings.changed(eval_dir=tmp_path / "nothing")
    result = result_of("evaluation_sets_are_at_hand", store=store, settings=settings)
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.WARN
    assert "Whether one of the 6 kept rows repeats their items is not known" in result.description


@pytest.mark.parametrize("replayed", [0, 60, 120])
def test_shares_are_judged_on_rows_that_were_written_to_controls(store, settings, replayed):
    rows = [
        {"row_id": f"{n}", "ordinal": n, "position": 0, "source": "completion", "controls": "{}"}
        | {"instruction": f"Name drug {n}.", "input": "", "output": "x", "rehearsal": n < replayed}
        for n in range(120)
    ]
    kept = [
        {name: row[name] for name in ("row_id", "ordinal", "instruction", "input", "output")}
        | {"repaired": [], "flags": [], "rehearsal": row["rehearsal"]}
        for row in rows
    ]
    store.replace({"raw_instructions": rows, "deduplicated_instructions": kept})
    result = result_of("kept_rows_are_what_was_asked_for", store=store, settings=settings)
    assert not was_judged(result)  # nothing was asked for, or too few rows are left
    assert result.metadata["rows_of_a_rehearsal"].value == replayed
    assert (f"and {replayed} more of a rehearsal" in result.description) == bool(replayed)


def test_without_controls_no_share_is_judged(store, settings):
    store.replace({})
    settings = settings.changed(controls=None)
    result = result_of("kept_rows_are_what_was_asked_for", store=store, settings=settings)
    assert not was_judged(result)
    assert "BIOINSTRUCT_CONTROLS" in result.description


def test_evaluation_sets_that_are_missing_are_named(sound, evaluation, tmp_path):
    settings = sound.settings.changed(eval_dir=evaluation)
    result = result_of("evaluation_sets_are_at_hand", store=sound.store, settings=settings)
    assert not result.passed
    assert result.severity.name == "WARN"
    assert "medqa" not in result.metadata["sets_not_at_hand"].value
    assert "pubmedqa" in result.metadata["sets_not_at_hand"].value
    assert result.metadata["items_by_set"].value["medqa"] == 1
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    shutil.copy(EVALUATION_TASKS / "medqa.yaml", tasks)
    settings = settings.changed(evaluation_tasks=tasks)
    assert result_of("evaluation_sets_are_at_hand", store=sound.store, settings=settings).passed


PERSON = "Maria Keller, born 12 March 1961, MRN 4471193, was seen for gout."


@pytest.mark.parametrize(("action", "severity"), [("reject", "ERROR"), ("flag", "WARN")])
def test_a_kept_row_with_an_identifier_fails_the_check(sound, spoil, action, severity):
    settings = sound.settings.changed(privacy=action)
    name = "kept_rows_hold_no_identifiers"
    good = result_of(name, store=sound.store, settings=settings)
    assert good.passed
    assert good.description.startswith("6 of 6 kept rows were scanned again. None holds")
    bad = result_of(name, store=spoil(COPY.format(text=f"'{PERSON}'")), settings=settings)
    assert not bad.passed
    assert bad.severity.name == severity
    assert bad.metadata["rows with identifiers"].value == 1
    assert "Don't publish the set." in bad.description
    assert "Keller" not in bad.description


def test_without_the_privacy_gate_no_row_is_judged(sound):
    settings = sound.settings.changed(privacy="off")
    result = result_of("kept_rows_hold_no_identifiers", store=sound.store, settings=settings)
    assert not was_judged(result)


@pytest.mark.parametrize(("others", "passed"), [(7, True), (5, False)])
def test_a_rare_category_is_a_warning(store, others, passed):
    counts = {"information_extraction": 50, "question_answering": 40, "generation": 30}
    names = [name for name, n in (counts | {"other": others}).items() for _ in range(n)]
    row = {"instruction": "i", "input": "", "output": "o", "labelled_by": "x"}
    marks = {"needs_review": False, "rehearsal": False}
    store.replace(
        {
            "categorized_instructions": [
                row | marks | {"row_id": str(i), "ordinal": i, "category": name}
                for i, name in enumerate(names)
            ]
        }
    )
    result = result_of("category_shares_are_within_bounds", store=store)
    assert was_judged(result)
    assert result.passed is passed
    assert result.severity == dg.AssetCheckSeverity.WARN
    assert ("other: 4.0\N{NO-BREAK SPACE}%. Add seed tasks" in result.description) is not passed


def test_too_few_labelled_rows_are_not_judged(sound):
    assert not was_judged(result_of("category_shares_are_within_bounds", store=sound.store))
