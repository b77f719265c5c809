"""A store with a data set, adapters and scores that are made, not computed: for sensors' tests."""

import json
from datetime import UTC, datetime

from bioinstruct_dagster.models.experiments.names import experiment_columns

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def data_set(store, fingerprint, rows=40):
    """Put a data set of this fingerprint into the store."""
    placed = [
        {
            "row_id": f"row-{number}",
            "split": "train",
            "category": "question_answering",
            "dataset_fingerprint": fingerprint,
            "rehearsal": True,
        }
        for number in range(rows)
    ]
    store.replace({"hf_dataset": placed})


def adapter(store, experiment, fingerprint, *, speed=100.0, rows=20, tokens=2_000, device="cpu"):
    """Put an adapter into the store that was trained on this data set."""
    row = {
        **experiment_columns(experiment),
        "adapter_sha256": f"weights of {experiment[1]} on {fingerprint}",
        "adapter_path": "adapters/made",
        "base_fingerprint": "base",
        "dataset_fingerprint": fingerprint,
        "recipe_sha256": "recipe",
        "prompt_version": "alpaca/1",
        "train_rows": rows,
        "rows_left_out": 0,
        "rows_shortened": 0,
        "train_tokens": tokens,
        "steps": 5,
        "first_loss": 6.0,
        "last_loss": 5.0,
        "losses": [6.0, 5.0],
        "validation_losses": [],
        "kept_update": 5,
        "proof": "{}",
        "run_facts": json.dumps({"useful_tokens_per_second": speed, "ranks": 1}),
        "train_seconds": tokens / speed,
        "device": device,
        "rehearsal": True,
        "trained_at": NOW,
    }
    store.replace({"lora_adapter": [row]}, part=experiment_columns(experiment))


def score(store, experiment, fingerprint):
    """Put a score of the experiment's adapter into the store."""
    row = {
        **experiment_columns(experiment),
        "task": "held_out",
        "task_version": "1",
        "metric": "loss",
        "category": "all",
        "subject": "adapter",
        "items": "all",
        "score": 5.0,
        "ci_low": 4.0,
        "ci_high": 6.0,
        "method": "bootstrap",
        "n": 10,
        "clusters": 10,
        "main": True,
        "prompt_version": "alpaca/1",
        "dataset_fingerprint": fingerprint,
        "items_fingerprint": "items",
        "items_source": "own",
        "base_fingerprint": "base",
        "adapter_sha256": f"weights of {experiment[1]} on {fingerprint}",
        "scored_from": "made",
        "rehearsal": True,
        "scored_at": NOW,
    }
    store.replace({"eval_scores": [row]}, part=experiment_columns(experiment))
