"""The specification of an adapter: its key, its folder, its JSON for the model process."""

from dataclasses import replace
from pathlib import Path

import pytest

from bioinstruct_dagster.dataset.version import DatasetVersion
from bioinstruct_dagster.models.experiments import BaseModelSpec, Recipe, read_experiments
from bioinstruct_dagster.training.rows import RowEncoder, TrainingError, read_rows
from bioinstruct_dagster.training.spec import TrainingSpec, training_spec

# Computed with version 2 of the trainer. A test holds them, because an
# adapter whose key changes is not found again and would be trained anew.
KNOWN_KEY = "5f6399082a281c43925e4c8c5d9c17bcaff6d7203838296fd684767f2e593225"
KNOWN_FOLDER = "adapters/rehearsal-llama__all/5f6399082a28"


def with_recipe(spec, **changes):
    return replace(spec, recipe=spec.recipe.model_copy(update=changes))


@pytest.fixture
def known_spec():
    """A specification that depends on no file of the project."""
    return TrainingSpec(
        experiment="rehearsal-llama|all",
        base=BaseModelSpec(source="rehearsal"),
        recipe=Recipe(
            categories=("information_extraction", "question_answering", "generation", "other"),
            lora_rank=16,
            lora_alpha=32,
            lora_dropout=0.1,
            target_modules=("q_proj", "v_proj"),
            learning_rate=3e-4,
            epochs=2,
            rows_per_update=32,
            warmup=0.03,
            max_length=512,
        ),
        dataset_path="data_set",
        dataset_fingerprint="a" * 64,
        dataset_rehearsal=True,
        seed=42,
        models_dir="models",
        adapters_dir="adapters",
    )


def test_adapters_of_earlier_versions_are_found(known_spec):
    assert known_spec.key("base fingerprint") == KNOWN_KEY
    assert known_spec.folder("base fingerprint") == Path(KNOWN_FOLDER)


def test_a_specification_survives_the_way_to_its_process(training_spec):
    spec = with_recipe(training_spec, target_modules=("q_proj", "v_proj"))
    assert TrainingSpec.from_json(spec.to_json()) == spec
    named = replace(spec, row_ids=("row-01", "row-02"))
    assert TrainingSpec.from_json(named.to_json()) == named


def test_the_key_depends_on_what_determines_the_adapter_alone(training_spec):
    key = training_spec.key("base")
    moved = replace(training_spec, models_dir="m", adapters_dir="a", dataset_path="d")
    assert moved.key("base") == replace(moved, experiment="renamed|all").key("base") == key
    different = [
        training_spec.key("another base"),
        replace(training_spec, seed=1).key("base"),
        replace(training_spec, dataset_fingerprint="another").key("base"),
        replace(training_spec, row_ids=("row-01", "row-02")).key("base"),
        replace(training_spec, row_ids=("row-01",)).key("base"),
        *(
            with_recipe(training_spec, **change).key("base")
            for change in (
                {"lora_rank": 2}, {"lora_dropout": 0.2}, {"learning_rate": 1e-5}, {"epochs": 9.0},
                {"rows_per_update": 2}, {"warmup": 0.5}, {"max_length": 99},
                {"categories": ("other",)},
                {"target_modules": ("q_proj",)},
            )
        ),
    ]  # fmt: skip
    assert len({key, *different}) == len(different) + 1


def test_overrides_of_a_set_are_deviations_and_change_no_key(settings, tmp_path):
    text = (
        "base_models: {tiny: {source: rehearsal, training: {epochs: 2}}}\n"
        "recipes: {all: {warmup: 0.5}}\n"
        "defaults: {hyperparameters: study, lora_alpha: 8, lora_dropout: 0.0, max_length: 64}\n"
        "hyperparameters:\n  study:\n    source: A study.\n    values: {epochs: 3, warmup: 0.1,"
        " lora_rank: 4, learning_rate: 1e-3, rows_per_update: 4, target_modules: [q_proj]}\n"
    )
    (tmp_path / "e.yaml").write_text(text, "utf-8")
    matrix = read_experiments(tmp_path / "e.yaml")
    dataset = DatasetVersion(Path("data_set"), "b" * 64, rehearsal=False)
    spec = training_spec(matrix, "tiny", "all", dataset, settings)
    assert spec.hyperparameters == (
        "the set study. A study. Deviations: "
        "epochs is 2.0 (base model tiny, instead of 3 of set study). "
        "warmup is 0.5 (recipe, instead of 0.1 of set study)."
    )
    assert spec.origins["lora_rank"] == "set study"
    assert spec.origins["lora_alpha"] == "defaults"
    assert TrainingSpec.from_json(spec.to_json()) == spec
    assert replace(spec, origins={}, hyperparameters="").key("base") == spec.key("base")


def test_a_specification_joins_matrix_data_set_and_settings(settings, experiments):
    matrix = read_experiments(experiments)
    dataset = DatasetVersion(Path("data_set"), "b" * 64, rehearsal=False)
    spec = training_spec(matrix, "rehearsal-llama", "information_extraction", dataset, settings)
    assert spec.experiment == "rehearsal-llama|information_extraction"
    assert spec.recipe.categories == ("information_extraction",)
    assert spec.recipe.learning_rate == 4.0e-3  # the base model's own, over the default
    assert (spec.dataset_path, spec.dataset_fingerprint) == ("data_set", "b" * 64)
    assert spec.seed == settings.runs.seed
    assert spec.adapters_dir == str(settings.store.data_dir / "adapters")
    assert spec.rehearsal  # the base model is, even where the data set is not


def test_rows_that_a_specification_names_replace_those_of_its_recipe(training_spec, tiny_base):
    rows = read_rows(training_spec)
    names = tuple(row["row_id"] for row in rows.train[5:9])
    encoder = RowEncoder(tiny_base, rows)
    found = encoder.rows_of(replace(training_spec, row_ids=names[::-1]))
    assert tuple(one.row_id for one in found.train) == names  # in the order of the data set
    with pytest.raises(TrainingError, match="lacks 1 of the 5 rows to learn from"):
        encoder.rows_of(replace(training_spec, row_ids=(*names, "gone")))
