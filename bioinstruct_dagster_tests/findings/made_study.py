"""A study of made answers, scored by the project's own statistics: no test.

Each adapter has for each task a chance of a right answer, and for the test split a mean loss. The
rows of the store are what `eval_scores` would hold of such answers.
"""

import zlib
from datetime import UTC, datetime

import numpy as np

from bioinstruct_dagster.evaluation.metrics.measured import Measured, measured_mean
from bioinstruct_dagster.evaluation.statistics.averages import PairedTask, category_gain
from bioinstruct_dagster.evaluation.statistics.comparisons import compare
from bioinstruct_dagster.evaluation.statistics.estimates import estimate
from bioinstruct_dagster_tests.dataset.test_older_results import NEW, OLD, adapter, placed

__all__ = ["NEW", "OLD", "Study"]
NOW = datetime.now(UTC)
STUDY_FILE = """
base_models:
  tiny: {source: rehearsal, pretraining_steps: 3}
recipes:
  all: {categories: [information_extraction, question_answering, generation, other],
        rows: [all, 100, 200], seed: [1, 2]}
  information_extraction: {categories: [information_extraction], seed: [1, 2]}
  question_answering: {categories: [question_answering], seed: [1, 2]}
  generation: {categories: [generation], seed: [1, 2]}
  information_extraction+generation: {categories: [information_extraction, generation]}
defaults: {lora_rank: 4, lora_alpha: 8, lora_dropout: 0.05, target_modules: all-linear,
           learning_rate: 3.0e-4, epochs: 1, rows_per_update: 4, warmup: 0.03,
           max_length: 512}
"""


class Study:
    """A store that is filled experiment by experiment."""

    def __init__(self, store, items=150, source="files", *, rehearsal=False):
        self.store, self.items, self.source, self.rehearsal = store, items, source, rehearsal
        self.tables = {"eval_scores": [], "eval_predictions": [], "eval_items": [],
                       "lora_adapter": [], "hf_dataset": placed(NEW)}  # fmt: skip

    def add(self, recipe, chances, loss=None, *, rows=100, base_model="tiny", dataset=NEW):
        """Add the scores of an experiment.

        Args:
            recipe: of the experiment.
            chances: by (category, task) the chances of a right answer, of base and of adapter.
            loss: by category the mean losses of base and adapter on the test split.
            rows: that it was trained on.
            base_model: of the experiment.
            dataset: the fingerprint of the data set.
        """
        name = {"base_model": base_model, "recipe": recipe}
        self.tables["lora_adapter"].append(
            adapter(dataset, f"{base_model} {recipe}", recipe)
            | {"train_rows": rows, "base_model": base_model, "rehearsal": self.rehearsal}
        )
        pairs = {}
        for (category, task), (of_base, of_adapter) in chances.items():
            pair = [
                measured_mean("accuracy", self._right(task, who, chance), right_or_wrong=True)
                for who, chance in (("base", of_base), (f"{base_model}|{recipe}", of_adapter))
            ]
            self._scores(name, task, category, pair, dataset)
            self._predictions(name, task, pair[1])
            clusters = dict.fromkeys(pair[0].item_ids, "")
            pairs.setdefault(category, []).append(PairedTask(task, *pair, clusters))
        for category, tasks in pairs.items():
            if len(tasks) > 1:
                self._average(name, category, tasks, dataset)
        for category, (of_base, of_adapter) in (loss or {}).items():
            pair = [self._losses(who, value) for who, value in
                    (("base", of_base), (f"{base_model}|{recipe}", of_adapter))]  # fmt: skip
            self._scores(name, "held_out", category, pair, dataset)
            if category == "all":
                self._predictions(name, "held_out", pair[1])
        return self

    def save(self):
        """Write all rows into the store, and return it."""
        self.store.replace(self.tables)
        return self.store

    def _right(self, task, who, chance):
        # The difficulty of an item is the same for all, so that pairs of answers go together.
        difficulty = np.random.default_rng(zlib.crc32(task.encode())).random(self.items)
        own = np.random.default_rng(zlib.crc32(f"{task} {who}".encode())).random(self.items)
        right = 0.85 * difficulty + 0.15 * own < chance
        return {f"{task}-{place:04d}": float(each) for place, each in enumerate(right)}

    def _losses(self, who, mean):
        of_items = np.random.default_rng(5).gamma(4, 0.25, self.items)
        tokens = np.random.default_rng(6).integers(5, 60, self.items).astype(float)
        own = np.random.default_rng(zlib.crc32(who.encode())).normal(0, 0.05, self.items)
        sums = np.stack([tokens * (mean * of_items + own + 0.2), tokens], axis=1)
        ids = tuple(f"row-{place:04d}" for place in range(self.items))
        for item, (nats, count) in zip(ids, sums, strict=True):
            self.tables["eval_items"].append(
                {"key": f"{who} {item} {mean}", "task": "held_out", "item_id": item,
                 "subject": who, "measure": "reference", "order": 0, "permutation": [],
                 "log_likelihoods": [-nats], "option_tokens": [int(count)], "answer": "",
                 "answer_tokens": 0, "ended": True, "tokens_lost": 0, "asked": True,
                 "precision": "float32 on cpu", "made_at": NOW}
            )  # fmt: skip
        bounds = (0.0, float("inf"))
        return Measured("loss", ids, sums, "ratio", bounds=bounds, higher_is_better=False)

    def _scores(self, name, task, category, pair, dataset):
        base, trained = pair
        clusters = dict.fromkeys(base.item_ids, "")
        for subject, found in (
            ("base", estimate(base, clusters, 1)),
            ("adapter", estimate(trained, clusters, 1)),
            ("difference", compare(base, trained, clusters, 1)),
        ):
            self._row(name, task, base.metric, category, subject, found, dataset)

    def _average(self, name, category, tasks, dataset):
        gain = category_gain(tasks, 1)
        for metric, subject, found in (
            ("main_metrics", "base", gain.base),
            ("main_metrics", "adapter", gain.adapter),
            ("main_metrics", "difference", gain.difference),
            ("relative_gain", "difference", gain.gain),
        ):
            if found is not None:
                self._row(name, "average", metric, category, subject, found, dataset, main=False)

    def _row(self, name, task, metric, category, subject, found, dataset, *, main=True):
        adapter_sha256 = " ".join(name.values())
        self.tables["eval_scores"].append(
            name
            | {"task": task, "task_version": "1", "metric": metric, "category": category}
            | {"subject": subject, "items": "all", **found.columns(), "main": main}
            | {"prompt_version": "alpaca/1", "dataset_fingerprint": dataset}
            | {"items_fingerprint": f"items of {task}", "base_fingerprint": "base"}
            | {"items_source": "own" if task == "held_out" else self.source}
            | {"adapter_sha256": None if subject == "base" else adapter_sha256}
            | {"scored_from": "x", "rehearsal": self.rehearsal, "scored_at": NOW}
        )

    def _predictions(self, name, task, measured):
        self.tables["eval_predictions"] += [
            name
            | {"task": task, "subject": "adapter", "item_id": item, "prediction": "A"}
            | {"metric": measured.metric, "value": value, "metrics": "{}", "ended": True}
            | {"tokens_lost": 0, "contaminated": False, "rehearsal": self.rehearsal}
            for item, value in measured.item_values().items()
        ]
