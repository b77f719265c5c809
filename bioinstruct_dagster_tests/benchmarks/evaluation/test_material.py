"""The material of the evaluation benchmark, and our runner on it."""

import json
from pathlib import Path
from statistics import median

import torch

from benchmarks.evaluation import ours
from benchmarks.evaluation.material import Item, has_items, material, write_set
from benchmarks.evaluation.material import _fitting as fitting
from benchmarks.evaluation.material import _made as made
from bioinstruct_dagster.models import base_models


def test_made_items_have_the_lengths_of_real_ones():
    questions = [len(item.input.split()) for item in made("texts", 400)]
    assert 9 <= median(questions) <= 13  # 11 in MedMCQA
    passages = [len(item.input.split()) for item in made("pubmedqa", 200)]
    assert 190 <= median(passages) <= 240  # passage and question of PubMedQA: 203 and 13
    assert list(made("letters", 5)) == list(made("letters", 5))
    assert all(item.options == ("A", "B", "C", "D") for item in made("letters", 5))


def test_a_folder_without_items_is_none(tmp_path):
    assert not has_items(None)
    assert not has_items(tmp_path)


def test_both_tools_read_the_same_prompts(training_spec, tiny_base, tmp_path):
    models = Path(training_spec.models_dir)
    checked = base_models.check(training_spec.base, models, lambda _: None)
    item = Item("{{x}}", "Answer.", "Is {{this}} a template? {instruction}", ("yes", "no"))
    write_set(tmp_path, "pubmedqa", [item], checked)
    (line,) = (tmp_path / "pubmedqa.jsonl").read_text("utf-8").splitlines()
    task = json.loads((tmp_path / "pubmedqa.yaml").read_text("utf-8"))
    read = json.loads(line)
    assert read["prompt"] == tiny_base.prompt.prompt_of(item.instruction, item.input)
    assert task["doc_to_text"] == "prompt"  # a column, and not a template
    assert task["target_delimiter"] == ""


def test_an_item_that_is_too_long_is_shortened(training_spec, tiny_base):
    models = Path(training_spec.models_dir)
    checked = base_models.check(training_spec.base, models, lambda _: None)
    long = Item("long", "Answer.", "one two three four " * 800, ("yes", "no"))
    short = Item("short", "Answer.", "one", ("yes", "no"))
    first, second = fitting(checked, [long, short])
    prompt = tiny_base.prompt.prompt_of(first.instruction, first.input)
    assert len(tiny_base.tokenizer(prompt)["input_ids"]) < checked.context
    assert "[...]" in first.input
    assert second == short


def test_our_runner_gives_the_log_likelihoods_of_the_model(training_spec, tiny_base, tmp_path):
    models = Path(training_spec.models_dir)
    counts = {"letters": 3, "texts": 3}
    written = material(tmp_path / "items", training_spec.base, models, None, counts)
    result = tmp_path / "result.json"
    ours.main(
        {
            "spec": training_spec.base.model_dump(mode="json"),
            "models": str(models),
            "adapters": {},
            "tasks": str(written.tasks),
            "sets": list(counts),
            "threads": 1,
            "result": str(result),
        }
    )
    sets = json.loads(result.read_text("utf-8"))["sets"]
    for name in counts:
        for item_id, values in sets[name]["values"]["base"].items():
            for value, (prompt, option) in zip(values, sets[name]["tokens"][item_id], strict=True):
                ids = torch.tensor([[*prompt, *option]])
                with torch.inference_mode():
                    scores = tiny_base.model(input_ids=ids).logits[0].log_softmax(-1)
                places = range(len(prompt) - 1, len(prompt) + len(option) - 1)
                expected = sum(
                    float(scores[at, token]) for at, token in zip(places, option, strict=True)
                )
                assert abs(value - expected) < 1e-4
