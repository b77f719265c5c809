"""The specification of a study, and which experiments can share a base model."""

from dataclasses import replace

from bioinstruct_dagster.training.study.spec import StudySpec, base_group


def with_recipe(spec, **changes):
    return replace(spec, recipe=spec.recipe.model_copy(update=changes))


def with_base(spec, **changes):
    return replace(spec, base=spec.base.model_copy(update=changes))


def test_a_study_survives_the_way_to_its_process(training_spec):
    other = with_recipe(training_spec, target_modules=("q_proj", "v_proj"))
    study = StudySpec((training_spec, other), retrain=True, workers=3, ranks=2)
    assert StudySpec.from_json(study.to_json()) == study


def test_experiments_share_a_base_model_whatever_their_recipe(training_spec):
    for other in (
        with_recipe(training_spec, lora_rank=9, rows=100, max_length=64),
        replace(training_spec, experiment="other|all", seed=3),
        with_base(training_spec, training={"epochs": 2}, licence="MIT"),
    ):
        assert base_group(other) == base_group(training_spec)


def test_another_way_to_load_is_another_base_model(training_spec):
    for other in (
        with_recipe(training_spec, quantization="nf4"),
        with_base(training_spec, dtype="bfloat16"),
        with_base(training_spec, source="owner/name"),
        with_base(training_spec, revision="abc"),
        with_base(training_spec, prompt="chat"),
        with_base(training_spec, context=64),
    ):
        assert base_group(other) != base_group(training_spec)
