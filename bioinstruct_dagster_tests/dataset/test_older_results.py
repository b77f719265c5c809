"""Adapters and scores of an older data set are found, with the reason."""

from datetime import UTC, datetime

import pytest

from bioinstruct_dagster.dataset.older_results import (
    OLDER_RESULT_CHECKS,
    made_results,
    older_experiments,
)
from bioinstruct_dagster.definitions import build_defs

NEW, OLD = "a" * 64, "b" * 64
NOW = datetime.now(UTC)


def placed(fingerprint):
    row = {"row_id": "1", "split": "test", "category": "other", "rehearsal": False}
    return [row | {"dataset_fingerprint": fingerprint}]


def adapter(fingerprint, sha256="s", recipe="all"):
    texts = ("adapter_path", "base_fingerprint", "recipe_sha256", "prompt_version", "device")
    numbers = (
        "train_rows", "rows_left_out", "rows_shortened", "train_tokens", "steps", "kept_update",
        "first_loss", "last_loss", "train_seconds",
    )  # fmt: skip
    return (
        dict.fromkeys(texts, "x")
        | dict.fromkeys(numbers, 1)
        | {"base_model": "llama", "recipe": recipe, "adapter_sha256": sha256, "losses": [1.0]}
        | {"validation_losses": [], "proof": "{}", "run_facts": "{}", "rehearsal": False}
        | {"dataset_fingerprint": fingerprint, "trained_at": NOW}
    )


def score(fingerprint, subject="adapter", sha256="s"):
    texts = (
        "task_version", "method", "prompt_version", "items_fingerprint", "base_fingerprint",
        "scored_from",
    )  # fmt: skip
    return (
        dict.fromkeys(texts, "x")
        | {"base_model": "llama", "recipe": "all", "task": "medqa", "metric": "accuracy"}
        | {"category": "answering", "subject": subject, "items": "all", "score": 0.5, "n": 9}
        | {"clusters": 9, "main": True, "items_source": "files", "rehearsal": False}
        | {"dataset_fingerprint": fingerprint, "scored_at": NOW}
        | {"adapter_sha256": None if subject == "base" else sha256}
    )


def test_results_on_the_present_data_set_are_not_older(store):
    scores = [score(NEW), score(NEW, "base")]
    store.replace(
        {"hf_dataset": placed(NEW), "lora_adapter": [adapter(NEW)], "eval_scores": scores}
    )
    found = made_results(store)
    assert [(one.asset, one.experiment, one.why_older) for one in found] == [
        ("eval_scores", "llama|all", None),
        ("lora_adapter", "llama|all", None),
    ]


@pytest.mark.parametrize("subject", ["base", "adapter"])
def test_scores_and_adapters_of_another_fingerprint_are_older(store, subject):
    store.replace(
        {
            "hf_dataset": placed(NEW),
            "lora_adapter": [adapter(OLD), adapter(NEW, recipe="other")],
            "eval_scores": [score(OLD, subject)],
        }
    )
    words = "of an older data set (bbbbbbbbbbbb; the present one is aaaaaaaaaaaa)"
    assert older_experiments(made_results(store), "lora_adapter") == {"llama|all": words}
    assert older_experiments(made_results(store), "eval_scores") == {"llama|all": words}


def test_scores_of_an_adapter_that_was_trained_again_are_older(store):
    store.replace(
        {
            "hf_dataset": placed(NEW),
            "lora_adapter": [adapter(NEW, sha256="new")],
            "eval_scores": [score(NEW, sha256="old"), score(NEW, "base")],
        }
    )
    assert older_experiments(made_results(store), "eval_scores") == {
        "llama|all": "of an adapter that was trained again since then"
    }
    assert older_experiments(made_results(store), "lora_adapter") == {}


def test_a_family_of_seeds_of_older_data_is_older(store):
    row = {name: score(OLD)[name] for name in (
        "base_model", "recipe", "task", "task_version", "metric", "category", "score", "method",
        "n", "items_fingerprint", "dataset_fingerprint", "scored_from", "rehearsal", "scored_at",
    )}  # fmt: skip
    row |= {"subject": "adapter", "recipes": ["all", "all-s2"], "spread": 0.1, "seeds": 2}
    store.replace({"hf_dataset": placed(NEW), "eval_scores_over_seeds": [row]})
    assert "llama|all" in older_experiments(made_results(store), "eval_scores")


def test_without_a_data_set_nothing_is_of_the_present_one(store):
    store.replace({"lora_adapter": [adapter(NEW)]})
    older = older_experiments(made_results(store), "lora_adapter")
    assert older == {"llama|all": "the store holds no data set now"}


def test_the_checks_that_get_a_new_result_exist(settings):
    keys = {
        (key.asset_key.path[0], key.name)
        for one in build_defs(settings).asset_checks
        for key in one.check_keys
    }
    assert set(OLDER_RESULT_CHECKS.items()) <= keys
