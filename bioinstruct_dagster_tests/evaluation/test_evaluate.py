"""A complete evaluation: base model and adapter on the same held-out rows."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bioinstruct_dagster.dataset.build import build_dataset
from bioinstruct_dagster.dataset.card import Card
from bioinstruct_dagster.dataset.splits import split_of
from bioinstruct_dagster.evaluation.engine import predict as predict_module
from bioinstruct_dagster.evaluation.engine.predict import predict
from bioinstruct_dagster.evaluation.evaluate import EvaluationError, EvaluationSpec, evaluate
from bioinstruct_dagster.models.adapter_proof import AdapterFaultError

ANSWER_TOKENS = 8


@pytest.fixture(scope="module")
def spec(training_spec, adapter) -> EvaluationSpec:
    return EvaluationSpec(
        base=training_spec.base,
        adapter_path=adapter["adapter_path"],
        dataset_path=training_spec.dataset_path,
        dataset_fingerprint=training_spec.dataset_fingerprint,
        models_dir=training_spec.models_dir,
        seed=1,
    )


@pytest.fixture(scope="module")
def result(spec):
    """The evaluation's result, as the process would write it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predict_module, "ANSWER_TOKENS", ANSWER_TOKENS)
        return json.loads(json.dumps(evaluate(spec, lambda _: None)))


@pytest.fixture(scope="module")
def held_out_rows(dataset_rows):
    return [row for row in dataset_rows if split_of(row["instruction"]) == "test"]


def items_of(result, subject):
    return [item for item in result["predictions"] if item["subject"] == subject]


def test_base_and_adapter_are_predicted_on_the_test_split_alone(result, held_out_rows):
    expected = [row["row_id"] for row in held_out_rows]
    assert [item["row_id"] for item in items_of(result, "base")] == expected
    assert [item["row_id"] for item in items_of(result, "adapter")] == expected
    assert len(result["predictions"]) == 2 * len(expected)


def test_each_metric_is_scored_overall_and_by_category(result, held_out_rows):
    categories = sorted({row["category"] for row in held_out_rows})
    keys = [(s["metric"], s["category"], s["subject"]) for s in result["scores"]]
    assert sorted(keys) == sorted(
        (metric, category, subject)
        for metric in ("loss", "rouge_l")
        for category in ("all", *categories)
        for subject in ("base", "adapter", "difference")
    )
    for score in result["scores"]:
        members = [row for row in held_out_rows if score["category"] in ("all", row["category"])]
        assert score["n"] == len(members)
        assert score["ci_low"] <= score["score"] + 1e-12
        assert score["score"] <= score["ci_high"] + 1e-12


def test_scores_follow_from_the_predictions(result):
    scores = {(s["metric"], s["category"], s["subject"]): s["score"] for s in result["scores"]}
    for subject in ("base", "adapter"):
        items = items_of(result, subject)
        loss = sum(i["nll"] for i in items) / sum(i["output_tokens"] for i in items)
        rouge = sum(i["rouge_l"] for i in items) / len(items)
        assert scores["loss", "all", subject] == pytest.approx(loss)
        assert scores["rouge_l", "all", subject] == pytest.approx(rouge)


def test_the_base_is_scored_with_the_adapter_off(result, tiny_base, held_out_rows, monkeypatch):
    monkeypatch.setattr(predict_module, "ANSWER_TOKENS", ANSWER_TOKENS)
    alone = predict(tiny_base.model, tiny_base, held_out_rows, "base", lambda _: None)
    base, adapted = items_of(result, "base"), items_of(result, "adapter")
    for ours, theirs in zip(alone, base, strict=True):
        assert theirs["nll"] == pytest.approx(ours["nll"], rel=1e-5)
        assert theirs["prediction"] == ours["prediction"]
    for one, other in zip(base, adapted, strict=True):
        assert not math.isclose(one["nll"], other["nll"], rel_tol=1e-5)
    assert result["base_fingerprint"] == tiny_base.fingerprint


def test_a_specification_survives_the_way_to_its_process(spec, training_spec):
    assert EvaluationSpec.from_json(spec.to_json()) == spec
    known = replace(spec, recipe=training_spec.recipe, adapter_sha256="f" * 64)
    assert EvaluationSpec.from_json(known.to_json()) == known


def test_the_proof_is_a_part_of_the_result(result, adapter):
    assert result["proof"]["adapter_sha256"] == adapter["adapter_sha256"]
    assert result["proof"]["change"] > result["proof"]["noise"]


def test_an_adapter_that_does_not_act_is_not_scored(spec, adapter, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(spec.adapter_path, tmp_path / "adapter"))
    weights = folder / "adapter_model.safetensors"
    tensors = load_file(weights)
    save_file({n: t * 0 if "lora_B" in n else t for n, t in tensors.items()}, weights)
    with pytest.raises(AdapterFaultError, match="zero weights"):
        evaluate(replace(spec, adapter_path=str(folder)), lambda _: None)


def test_an_adapter_that_is_not_the_stores_is_not_scored(spec, adapter):
    known = replace(spec, adapter_sha256=adapter["adapter_sha256"])
    with pytest.raises(AdapterFaultError, match=r"changed weights.*the store says"):
        evaluate(replace(known, adapter_sha256="f" * 64), lambda _: None)


def test_an_adapter_of_another_recipe_is_not_scored(spec, training_spec):
    recipe = training_spec.recipe.model_copy(update={"learning_rate": 1e-5})
    with pytest.raises(AdapterFaultError, match="other recipe"):
        evaluate(replace(spec, recipe=recipe), lambda _: None)


def test_a_data_set_without_test_rows_is_refused(spec, dataset_rows, tmp_path):
    rows = [row for row in dataset_rows if split_of(row["instruction"]) != "test"]
    card = Card(teacher="rehearsal", template="test/1", seeds_fingerprint="none")
    built = build_dataset(rows, tmp_path / "untested_set", card)
    without_test_rows = replace(
        spec, dataset_path=str(built.path), dataset_fingerprint=built.fingerprint
    )
    with pytest.raises(EvaluationError, match=r"test split of .*untested_set is empty"):
        evaluate(without_test_rows, lambda _: None)


def test_an_adapter_that_is_gone_is_refused_by_its_path(spec, tmp_path):
    with pytest.raises(EvaluationError) as raised:
        evaluate(replace(spec, adapter_path=str(tmp_path / "gone")), lambda _: None)
    assert str(tmp_path / "gone") in str(raised.value)


def test_an_adapter_without_weights_is_refused_by_its_path(spec, tmp_path):
    folder = shutil.copytree(spec.adapter_path, tmp_path / "adapter")
    (Path(folder) / "adapter_model.safetensors").unlink()
    with pytest.raises(EvaluationError) as raised:
        evaluate(replace(spec, adapter_path=str(folder)), lambda _: None)
    assert str(folder) in str(raised.value)


def test_an_adapter_is_scored_with_the_prompt_of_its_training_alone(spec):
    other = spec.base.model_copy(update={"prompt": "data/prompts/alpaca_lora.yaml"})
    with pytest.raises(EvaluationError, match=r"prompt alpaca/1, but .* prompt is alpaca_lora/"):
        evaluate(replace(spec, base=other), lambda _: None)
