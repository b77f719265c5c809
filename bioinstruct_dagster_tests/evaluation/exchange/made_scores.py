"""Rows of `eval_scores` that are made, not computed: for the tests of the shared formats.

`every_eval_ever.schema.json` is the schema of version 0.3.0 of github.com/evaleval/every_eval_ever
(commit 9bce413, MIT; its licence is beside it). Belongs here: what those tests share. Does not:
what they assert.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.evaluation.exchange.shared_scores import shared_scores

SCHEMA = json.loads(Path(__file__).with_name("every_eval_ever.schema.json").read_text("utf-8"))
SCORED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CATALOGUE = read_tasks()
SCORES = {"base": (0.4, 0.3, 0.5), "adapter": (0.61234, 0.5, 0.7), "difference": (0.2, 0.05, 0.4)}


def rows_of(task="medqa", metric="accuracy", source="hub", *, items="all", **changes):
    """The rows of the three subjects of one metric."""
    category = "all" if task == "held_out" else "question_answering"
    return [
        {
            "base_model": "m", "recipe": "all", "task": task, "task_version": "t1",
            "metric": metric, "category": category, "subject": subject, "items": items,
            "score": score, "ci_low": low, "ci_high": high, "method": "bootstrap", "n": 100,
            "clusters": 90, "p_value": 0.01, "p_holm": 0.03, "test": "McNemar", "detectable": 0.1,
            "main": metric in {"accuracy", "loss"}, "prompt_version": "alpaca/1",
            "dataset_fingerprint": "d" * 64, "items_fingerprint": "i" * 64,
            "items_source": source, "base_fingerprint": "b" * 64,
            "adapter_sha256": "a" * 64 if subject == "adapter" else None, "scored_from": "s",
            "rehearsal": source == "fixture", "scored_at": SCORED_AT,
        } | changes
        for subject, (score, low, high) in SCORES.items()
    ]  # fmt: skip


def made_scores(*groups):
    """The shared scores of groups of rows."""
    return list(shared_scores([row for rows in groups for row in rows], CATALOGUE.tasks))
