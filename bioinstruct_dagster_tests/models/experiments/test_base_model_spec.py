"""A base model of the file: only one word means the embedded model."""

from bioinstruct_dagster.models.experiments import REHEARSAL, BaseModelSpec


def test_only_the_word_rehearsal_is_the_embedded_model():
    assert BaseModelSpec(source=REHEARSAL).rehearsal
    assert not BaseModelSpec(source="owner/rehearsal").rehearsal


def test_a_base_model_needs_a_source_only():
    spec = BaseModelSpec(source="owner/name")
    assert (spec.revision, spec.prompt, spec.dtype, spec.context) == (None, "alpaca", "auto", None)
    assert (spec.licence, spec.hyperparameters, spec.training) == (None, {}, {})
