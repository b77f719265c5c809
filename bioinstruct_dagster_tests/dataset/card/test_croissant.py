"""croissant.json: mlcroissant accepts it and reads the rows; nothing in it is unmeasured."""

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bioinstruct_dagster.dataset import build
from bioinstruct_dagster.dataset.build import CROISSANT_FILE, build_dataset
from bioinstruct_dagster.dataset.card import Card
from bioinstruct_dagster.dataset.card.croissant import CONFORMS_TO, croissant
from bioinstruct_dagster.dataset.card.facts import GateCounts, Requests, StoredFacts

CARD = Card(
    teacher="openai: gpt-x",
    template="t/1",
    seeds_fingerprint="abc",
    funnel=[{"stage": "raw_instructions", "outcome": "kept", "rows": 70}],
    gates={"privacy": "version 1"},
    other_language=0,
    licence="cc-by-4.0",
    stored=StoredFacts(
        requests=[
            Requests(
                "generation", "openai: gpt-x", False, 9, 10, 20, 0.1, 0,
                datetime(2026, 1, day, tzinfo=UTC), datetime(2026, 1, day + 1, tzinfo=UTC),
            )
            for day in (3, 8)
        ],
        privacy=GateCounts({"action": "reject"}, 70, {"mrn": 1}, 1),
        contamination=GateCounts({"items": {"medqa": 0}, "missing": ["medqa"]}, 70),
    ),
)  # fmt: skip


def validated(folder):
    """The description as mlcroissant reads it; an error of validation fails the test."""
    import mlcroissant

    logging.getLogger("absl").setLevel(logging.ERROR)
    found = mlcroissant.Dataset(jsonld=folder / CROISSANT_FILE)
    assert not found.metadata.ctx.issues.errors
    return found


def test_mlcroissant_validates_it_and_reads_the_rows(built_dataset):
    described = validated(built_dataset.path)
    assert described.metadata.conforms_to == list(CONFORMS_TO)
    for split, rows in built_dataset.sizes.items():
        found = list(described.records(split))
        assert len(found) == rows
        expected = [row for row in built_dataset.rows if row["split"] == split]
        assert [one[f"{split}/output"].decode() for one in found] == [r["output"] for r in expected]
    assert "rehearsal" in described.metadata.keywords


def test_a_split_of_several_files_is_read_file_by_file(
    tmp_path, dataset_rows, hugging_face, monkeypatch
):
    monkeypatch.setattr(build, "ROWS_PER_SHARD", 20)
    built = build_dataset(dataset_rows, tmp_path / "set", CARD)
    described = validated(built.path)
    names = [one.name for one in described.metadata.record_sets if one.name.startswith("train")]
    assert names == [f"train_{n}" for n in range(len(names))]
    assert len(names) > 1
    assert sum(len(list(described.records(name))) for name in names) == built.sizes["train"]


def test_the_responsible_use_is_counted(tmp_path, dataset_rows, hugging_face):
    rows = [row | {"rehearsal": False, "labelled_by": "teacher:gpt-x"} for row in dataset_rows]
    found = validated(build_dataset(rows, tmp_path / "set", CARD).path).metadata
    assert found.license == ["https://spdx.org/licenses/CC-BY-4.0"]
    assert found.data_collection_type == ["Web API"]
    days = [day.day for day in found.data_collection_timeframe]
    assert days == [3, 9]  # the first reply, and the last
    assert found.data_collection_raw_data == "70 raw rows."
    assert found.machine_annotation_tools == ["teacher:gpt-x: 60 rows"]
    assert any("medqa" in said for said in found.data_limitations)
    assert "70 raw rows" in found.personal_sensitive_information[0]
    assert found.in_language == ["en"]
    for unknown in (
        "data_social_impact",
        "annotator_demographics",
        "data_release_maintenance_plan",
    ):
        assert not getattr(found, unknown)


@pytest.mark.parametrize("action", ["off", None])
def test_an_unchecked_set_claims_no_check(dataset_rows, action):
    gate = GateCounts({"action": action} if action else {})
    card = replace(CARD, stored=StoredFacts(privacy=gate))
    found = croissant(card, dataset_rows, {}, "f" * 64, None)
    said = found.get("rai:personalSensitiveInformation")
    assert said == (["The rows were not checked for identifiers of persons."] if action else None)
    assert "rai:dataCollectionTimeFrame" not in found


def test_an_import_names_no_use_and_no_language(dataset_rows):
    rows = [row | {"source": "import:a.csv", "rehearsal": False} for row in dataset_rows]
    found = croissant(replace(CARD, licence=""), rows, {}, "f" * 64, None)
    for name in ("rai:dataUseCases", "inLanguage", "license"):
        assert name not in found
    assert found["rai:dataCollectionType"] == ["Secondary data analysis"]
    assert json.dumps(found)
