"""The specification of an evaluation on its way to the model process."""

from bioinstruct_dagster.evaluation.spec import AdapterSpec, BaseSpec, EvaluationSpec
from bioinstruct_dagster.evaluation.tasks.keys import Conditions


def test_a_specification_survives_the_way_to_its_process(training_spec):
    adapters = (
        AdapterSpec("rehearsal-llama|all", "/a", "c" * 64, training_spec.recipe, "f" * 64),
        AdapterSpec("rehearsal-llama|by-hand", "/b", "d" * 64),
    )
    base = BaseSpec(
        base=training_spec.base,
        quantization="nf4",
        conditions=Conditions("base", "nf4", "alpaca/1", "auto", 512, 42),
        models_dir="/models",
        questions_path="/questions",
        results_dir="/parts",
        adapters=adapters,
        rows=7,
    )
    spec = EvaluationSpec((base, base))
    assert EvaluationSpec.from_json(spec.to_json()) == spec
