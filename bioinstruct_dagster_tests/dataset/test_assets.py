"""The data set of an import, through the real graph: its splits stay when the set grows."""

import json

from bioinstruct_dagster_tests.curation.imports import Imported, found_faults

ASSETS = ("deduplicated_instructions", "categorized_instructions", "hf_dataset")
TASK = "Answer this question of a patient truthfully."
SPLITS = "select row_id, split from hf_dataset"


def questions(count, task=TASK):
    return [
        (task, f"Does gout hurt in joint number {n}?", f"Yes, gout hurts in joint number {n}.")
        for n in range(count)
    ]


def built(project, rows):
    """Build the data set of an import; returns the split of each row."""
    result = project.run(rows, ASSETS, checked=True, novelty="auto")
    assert result.success
    failed = {c.check_name for c in found_faults(result)}
    assert failed == {"evaluation_sets_are_at_hand"}
    return {row["row_id"]: row["split"] for row in project.store.rows(SPLITS)}


def card_of(project):
    return (project.settings.store.data_dir / "hf_dataset" / "README.md").read_text("utf-8")


def test_a_set_of_one_instruction_keeps_its_rows_and_their_splits(settings, tmp_path, hugging_face):
    project = Imported(settings, tmp_path)
    before = built(project, questions(60))
    assert len(before) == 60
    assert set(before.values()) == {"train", "validation", "test"}
    assert project.values("select split_by from dataset_split_rule") == ["instruction_and_input"]
    others = [
        (f"Explain cause{n} of illness{n} in organ{n}.", "", f"Illness {n} has one cause.")
        for n in range(700)
    ]
    grown = built(project, [*questions(60), *others])
    assert len(grown) == 760
    assert {row_id: grown[row_id] for row_id in before} == before


def test_a_renamed_file_gives_the_same_data_set_without_its_folder(
    settings, tmp_path, hugging_face
):
    project = Imported(settings, tmp_path)
    rows = questions(40)
    built(project, rows)
    (before,) = project.values("select distinct dataset_fingerprint from hf_dataset")
    moved = tmp_path / "elsewhere" / "other name.jsonl"
    moved.parent.mkdir()
    names = ("instruction", "input", "output")
    moved.write_text("\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in rows))
    assert project.run(
        assets=("raw_instructions", *ASSETS), import_=str(moved), novelty="auto"
    ).success
    assert project.values("select distinct dataset_fingerprint from hf_dataset") == [before]
    card = card_of(project)
    assert "other name.jsonl" in card
    assert str(tmp_path) not in card
    assert "method of BioInstruct" not in card
