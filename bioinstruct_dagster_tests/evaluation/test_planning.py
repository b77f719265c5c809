"""The plan of a run: groups of adapters, and what the store lacks."""

from dataclasses import replace
from pathlib import Path

import pytest

from bioinstruct_dagster.evaluation.cache import stored
from bioinstruct_dagster.evaluation.cache.parts import write_part
from bioinstruct_dagster.evaluation.planning import BasePlan, StoredAdapter, by_base
from bioinstruct_dagster.evaluation.selection import ChosenTasks
from bioinstruct_dagster.evaluation.tasks.item_results import BASE, ItemResult
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster_tests.conftest import TINY_EXPERIMENTS
from bioinstruct_dagster_tests.evaluation.made_results import chosen_task

ROW = {
    "base_fingerprint": "base", "prompt_version": "alpaca/1", "adapter_sha256": "f" * 64,
    "rehearsal": True, "dataset_fingerprint": "d",
}  # fmt: skip


@pytest.fixture
def adapter(tmp_path):
    file = tmp_path / "experiments.yaml"
    file.write_text(TINY_EXPERIMENTS, "utf-8")
    matrix = read_experiments(file)
    return StoredAdapter(
        ("rehearsal-llama", "all"),
        matrix.base_models["rehearsal-llama"],
        matrix.recipe("rehearsal-llama", "all"),
        Path("/adapter"),
        "content-1",
        ROW,
    )


@pytest.fixture
def plan(adapter, store, settings):
    store.replace({})
    chosen = ChosenTasks((chosen_task("medqa", 2), chosen_task("phee", 3)), {})
    return BasePlan.of([adapter, replace(adapter, content="content-2")], chosen, settings)


def add(store, tmp_path, keys, precision="float32 on cpu"):
    """Put results with these keys into the store."""
    rows = [ItemResult(key, "medqa", "1", BASE, "answer", precision=precision) for key in keys]
    write_part(rows, tmp_path / "part")
    stored.take(store, tmp_path / "part")


def lacking(plan, store):
    plan.look_up(store)
    return {one.content for one in plan.lacking()}


def test_an_empty_store_lacks_everything(plan, store):
    assert lacking(plan, store) == {"content-1", "content-2"}
    questions = 2 * 4 + 3  # two orders, a prior and an answer of each medqa item
    assert plan.counts() == (0, 3 * questions)
    assert plan.questions.precision == ""


def test_only_adapters_whose_results_are_missing_are_lacking(plan, store, tmp_path):
    add(store, tmp_path, [*plan.keys(BASE), *plan.keys("content-1")])
    assert lacking(plan, store) == {"content-2"}
    assert plan.questions.missing == {"base": [], "content-1": [], "content-2": list(range(11))}
    add(store, tmp_path, plan.keys("content-2")[:-1])
    assert lacking(plan, store) == {"content-2"}
    assert plan.questions.missing["content-2"] == [10]
    add(store, tmp_path, plan.keys("content-2"))
    assert lacking(plan, store) == set()


def test_a_missing_result_of_the_base_model_keeps_all_adapters_waiting(plan, store, tmp_path):
    add(store, tmp_path, [k for one in ("content-1", "content-2") for k in plan.keys(one)])
    assert lacking(plan, store) == {"content-1", "content-2"}


def test_results_in_another_precision_than_most_are_missing(plan, store, tmp_path):
    add(store, tmp_path, [*plan.keys(BASE), *plan.keys("content-1")])
    add(store, tmp_path, plan.keys("content-2"), "bfloat16 on cuda")
    assert lacking(plan, store) == {"content-2"}
    assert plan.questions.precision == "float32 on cpu"


def test_results_come_back_by_item(plan, store, tmp_path):
    add(store, tmp_path, plan.keys(BASE))
    found = plan.results(store, BASE, plan.chosen.tasks[1])
    assert sum(map(len, found.values())) == 3
    assert plan.results(store, "content-1", plan.chosen.tasks[1]) == {}


def test_adapters_share_a_base_model_only_if_its_results_are_the_same(adapter):
    def other(**row):
        return replace(adapter, row=ROW | row)

    nf4 = replace(adapter, recipe=adapter.recipe.model_copy(update={"quantization": "nf4"}))
    licence = replace(adapter, base=adapter.base.model_copy(update={"licence": "another"}))
    short = replace(adapter, base=adapter.base.model_copy(update={"context": 64}))
    apart = [adapter, other(base_fingerprint="b"), other(prompt_version="p"), nf4, short]
    assert len(by_base(apart)) == 5
    assert [len(group) for group in by_base([*apart, licence, replace(adapter, content="c")])] == [
        3, 1, 1, 1, 1,
    ]  # fmt: skip


def test_the_specification_names_the_adapters_that_wait(plan, store, tmp_path, settings):
    add(store, tmp_path, [*plan.keys(BASE), *plan.keys("content-1")])
    plan.look_up(store)
    spec = plan.spec(tmp_path / "questions", settings.changed(evaluation_rows=3))
    assert [one.content for one in spec.adapters] == ["content-2"]
    assert spec.adapters[0].experiment == "rehearsal-llama|all"
    assert spec.rows == 3
    assert spec.conditions == plan.conditions
