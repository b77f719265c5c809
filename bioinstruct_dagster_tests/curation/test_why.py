"""The command `python -m bioinstruct_dagster.curation why` explains the verdicts on a row."""

import os
import subprocess
import sys

import pytest

from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster_tests.curation.imports import SOUND, Imported

PLANTED_KEY = "sk-planted-5f0c1d7e9ab34c218d6e"
WORDLESS_ROW = ("???", "N/A", "Aspirin.")
NEAR_ROW = ("Name the vitamin whose lack causes scurvy in grown adults.", "", "Ascorbic acid.")
PRIVATE_ROW = ("Say how gout is treated.", "", "The patient with MRN: 4839201 takes colchicine.")


@pytest.fixture
def project(settings, tmp_path):
    return Imported(settings, tmp_path)


def why(project, *arguments, **environment):
    """The command, as a user types it."""
    return subprocess.run(
        [sys.executable, "-m", "bioinstruct_dagster.curation", *arguments],
        cwd=PROJECT_ROOT,
        env={
            **os.environ,
            "BIOINSTRUCT_DATA_DIR": str(project.settings.store.data_dir),
            "OPENAI_API_KEY": PLANTED_KEY,
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def findings(told):
    """The lines of the findings."""
    _, lines, _ = told.stdout.split("\n\n")
    return lines.splitlines()


def conclusion(told):
    """The last line."""
    return told.stdout.splitlines()[-1]


def test_a_line_per_finding_in_the_order_of_the_gates(project):
    project.run([SOUND[0], WORDLESS_ROW, NEAR_ROW, PRIVATE_ROW])
    kept, short, near, private = project.values(
        "select row_id from raw_instructions order by ordinal"
    )
    told = why(project, "why", kept)
    assert (told.returncode, told.stderr) == (0, "")
    assert [line.split()[:3] for line in findings(told)] == [
        ["quality", "keep", "sound"],
        ["privacy", "keep", "no_identifier"],
        ["contamination", "keep", "clean"],
        ["novelty", "keep", "novel"],
    ]
    first, second, *_ = findings(why(project, "why", short))
    assert first.split() == ["quality", "repair", "no_input_marker", '{"saw":"N/A"}']
    assert second.split()[:3] == ["quality", "reject", "instruction_too_short"]
    assert '"words":0' in second
    *_, last = findings(why(project, "why", near))
    assert last.split()[:3] == ["novelty", "reject", "repeats_kept_row"]
    assert float(last.split()[3]) > 0.7
    assert f'"nearest_id":"{kept}"' in last
    told = why(project, "why", private)
    assert "reject  mrn" in told.stdout
    assert "4839201" not in told.stdout


def test_the_row_is_shown_and_a_conclusion_says_what_decided_and_what_to_do(project):
    project.run([SOUND[0], WORDLESS_ROW, NEAR_ROW, PRIVATE_ROW])
    kept, short, near, private = project.values(
        "select row_id from raw_instructions order by ordinal"
    )
    told = why(project, "why", kept)
    assert told.stdout.startswith(f"row {kept}, ordinal 0 in raw_instructions (import:")
    assert f"  instruction: {SOUND[0][0]}\n" in told.stdout
    assert conclusion(told) == (
        "Kept: no gate rejected the row. It is not in the data set yet. Materialize key:hf_dataset."
    )
    told = conclusion(why(project, "why", short))
    assert told.startswith("Rejected by the gate quality, rule instruction_too_short")
    assert "data/quality_rules.yaml" in told
    assert "materialize key:deduplicated_instructions again" in told
    told = conclusion(why(project, "why", near))
    assert told.startswith("Rejected by the gate novelty, rule repeats_kept_row")
    assert "BIOINSTRUCT_NOVELTY" in told
    told = why(project, "why", private)
    assert "[mrn] takes colchicine.\n" in told.stdout
    assert conclusion(told).startswith("Rejected by the gate privacy, rule mrn")
    assert "BIOINSTRUCT_PRIVACY=redact" in conclusion(told)


def test_the_id_of_a_review_names_the_row_too(project):
    project.run([SOUND[0]])
    [row_id] = project.values("select row_id from raw_instructions")
    told = why(project, "why", row_id)
    assert why(project, "why", f" row-{row_id.upper()}-637be53b ").stdout == told.stdout


def test_all_rules_that_reject_are_named_and_a_number_stays_hidden_in_each_text(project):
    note = "Carlos Mendes, MRN: 88213774, phone (937) 555-0142, has gout."
    project.run([("Summarise the handover note.", note, "Mendes (88213774) has gout.")])
    [row_id] = project.values("select row_id from raw_instructions")
    told = why(project, "why", row_id)
    first = conclusion(told).split(", which is")[0]
    assert first.startswith("Rejected by the gate privacy, rules ")
    assert {"mrn", "phone"} <= set(first.split("rules ")[1].split(", "))
    assert "88213774" not in told.stdout


def test_a_row_that_no_gate_has_looked_at_says_what_to_do(project):
    project.run([SOUND[0]], assets=[])
    [row_id] = project.values("select row_id from raw_instructions")
    told = why(project, "why", row_id)
    assert told.returncode == 0
    assert conclusion(told).endswith("Materialize key:deduplicated_instructions.")
    assert SOUND[0][0] not in told.stdout  # it may hold an identifier


def test_errors_say_the_reason_and_show_no_secret(project):
    no_store = why(project, "why", "0" * 24)
    assert no_store.returncode == 1
    assert "There is no store at" in no_store.stderr
    project.run([SOUND[0]], assets=[])
    unknown = why(project, "why", "'; drop table verdicts; --")
    assert unknown.returncode == 1
    assert "in raw_instructions" in unknown.stderr
    wrong = why(project, "why", "x", BIOINSTRUCT_PRIVACY="shred", OPENAI_BASE_URL=PLANTED_KEY)
    assert wrong.returncode == 1
    assert "BIOINSTRUCT_PRIVACY" in wrong.stderr
    usage = why(project, "why")
    assert usage.returncode == 2
    for told in (no_store, unknown, wrong, usage):
        assert told.stdout == ""
        assert "Traceback" not in told.stderr
        assert PLANTED_KEY not in told.stderr
