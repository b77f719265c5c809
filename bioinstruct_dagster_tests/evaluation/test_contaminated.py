"""Items that training rows repeat: every one of them, by the gate's own rules."""

import pytest

from bioinstruct_dagster.curation.contamination.limits import OverlapLimits
from bioinstruct_dagster.eval_sets.items import EvaluationItem
from bioinstruct_dagster.evaluation import contaminated as module
from bioinstruct_dagster.evaluation.contaminated import repetitions, trained_rows
from bioinstruct_dagster.evaluation.held_out import HELD_OUT
from bioinstruct_dagster.evaluation.questions import TaskQuestions
from bioinstruct_dagster.models.experiments import Recipe

LIMITS = OverlapLimits()
QUESTION = "Which enzyme does the drug block in the liver of a patient with a rare storage disease?"
OTHER = "What is the first sign of a vitamin deficiency in a child that lives far from the sea?"
ROW = {
    "row_id": "r1", "instruction": f"Answer this. {QUESTION}", "input": "", "output": "None.",
    "source": "completion", "category": "other",
}  # fmt: skip


@pytest.fixture(autouse=True)
def made_store(store):
    """The store, with its tables."""
    store.replace({})


def tasks(*items):
    return [TaskQuestions(HELD_OUT, items)]


def item(name, question, **more):
    return EvaluationItem("held_out", name, question, ("x",), **more)


def test_a_repeated_item_is_named_with_row_and_rule(store):
    found = repetitions(store, tasks(item("1", QUESTION), item("2", OTHER)), [ROW], LIMITS)
    [hit] = found["held_out"]
    assert (hit.item_id, hit.row_id, hit.rule) == ("1", "r1", "whole_item")


def test_each_item_that_shares_a_repeated_passage_is_named(store):
    # The gate names one of them, because one is enough to reject a row.
    items = [item(str(n), f"{OTHER} {n}", context=(QUESTION,)) for n in range(3)]
    found = repetitions(store, tasks(*items), [ROW], LIMITS)
    assert {hit.item_id for hit in found["held_out"]} == {"0", "1", "2"}


def test_clean_rows_and_empty_sets_have_no_hits(store):
    clean = ROW | {"instruction": "Name the capital of a country."}
    assert repetitions(store, tasks(item("1", QUESTION)), [clean], LIMITS) == {"held_out": []}
    assert repetitions(store, tasks(item("1", QUESTION)), [], LIMITS) == {"held_out": []}
    assert repetitions(store, tasks(), [ROW], LIMITS) == {"held_out": []}


def test_the_same_comparison_is_made_once(store, monkeypatch):
    questions = tasks(item("1", QUESTION))
    first = repetitions(store, questions, [ROW], LIMITS)
    monkeypatch.setattr(module, "_compared", lambda *_: pytest.fail("compared again"))
    assert repetitions(store, questions, [ROW], LIMITS) == first


@pytest.mark.parametrize(
    "changed",
    [
        {"rows": [ROW | {"row_id": "r2"}]},
        {"questions": tasks(item("1", QUESTION + "?"))},
        {"limits": OverlapLimits(boilerplate={"texts": 9})},
    ],
    ids=["rows", "items", "rules"],
)
def test_another_comparison_is_made(store, monkeypatch, changed):
    values = {"questions": tasks(item("1", QUESTION)), "rows": [ROW], "limits": LIMITS}
    repetitions(store, *values.values())
    monkeypatch.setattr(module, "_compared", lambda *_: {"held_out": []})
    assert repetitions(store, *(values | changed).values()) == {"held_out": []}


def test_an_adapter_learned_from_the_rows_of_its_recipe_that_fitted(store):
    recipe = Recipe(
        categories=("other",), lora_rank=1, lora_alpha=1, lora_dropout=0,
        target_modules="all-linear",
        learning_rate=1e-4, epochs=1, rows_per_update=1, warmup=0, max_length=64,
    )  # fmt: skip
    experiment = {"base_model": "base", "recipe": "other"}
    rows = [ROW | {"row_id": name} for name in "abc"]
    rows.append(ROW | {"row_id": "d", "category": "generation"})
    store.replace(
        {
            "rows_left_out": [
                experiment | {"row_id": name, "tokens": 9, "tokens_lost": 9, "action": action,
                              "rehearsal": False}
                for name, action in (("a", "left_out"), ("b", "input_shortened"))
            ]
        }
    )  # fmt: skip
    found = trained_rows(store, experiment, rows, recipe, 42)
    assert [row["row_id"] for row in found] == ["b", "c"]
    larger = replace_rows(recipe, 1)
    assert len(trained_rows(store, experiment, rows[1:3], larger, 42)) == 1


def replace_rows(recipe, rows):
    return recipe.model_copy(update={"rows": rows})
