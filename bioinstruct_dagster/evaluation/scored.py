"""The scores of one experiment, computed from stored results and put into the store.

Belongs here: which scores are still right, and the rows of the tables `eval_scores`,
`eval_predictions` and `eval_class_counts`. Does not: computing the scores of a task
(evaluation.scoring), or asking a model (evaluation.evaluate).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from bioinstruct_dagster.curation.contamination.limits import OverlapLimits, read_limits
from bioinstruct_dagster.dataset.build import read_split
from bioinstruct_dagster.dataset.version import DatasetVersion
from bioinstruct_dagster.eval_sets.scoring import TextScoring
from bioinstruct_dagster.evaluation.contaminated import Repetition, repetitions, trained_rows
from bioinstruct_dagster.evaluation.held_out import SPLIT
from bioinstruct_dagster.evaluation.metrics.bertscore import bertscores_of
from bioinstruct_dagster.evaluation.metrics.texts import answer_of
from bioinstruct_dagster.evaluation.planning import BasePlan, StoredAdapter
from bioinstruct_dagster.evaluation.questions import TaskQuestions
from bioinstruct_dagster.evaluation.scoring import (
    SubjectResults,
    TaskResults,
    class_count_rows,
    code_sha256,
    correct_over_tasks,
    prediction_rows,
    score_task,
    scored_from,
)
from bioinstruct_dagster.evaluation.selection import ChosenTask
from bioinstruct_dagster.evaluation.spec import EvaluationError
from bioinstruct_dagster.evaluation.summaries.averages import AVERAGE, average_rows, averaged_tasks
from bioinstruct_dagster.evaluation.tasks.item_results import BASE, ItemResult
from bioinstruct_dagster.evaluation.tasks.keys import OWN_TASK, task_version
from bioinstruct_dagster.models.experiments.names import experiment_columns, partition_key
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store, condition_of, insert
from bioinstruct_dagster.store.fingerprints import sha256_of, sha256_of_file

# The tables that tell more of a score, and their rows of a task.
_DETAILS = {"eval_predictions": prediction_rows, "eval_class_counts": class_count_rows}
SCORE_ORDER = "task, metric, category, items, subject"


@dataclass(frozen=True)
class SetRows:
    """The rows of a version of the data set; each split is read when it is first needed."""

    dataset: DatasetVersion

    @cached_property
    def train(self) -> list[dict[str, Any]]:
        """The rows that adapters learn from."""
        return read_split(self.dataset.path, "train", self.dataset.fingerprint)

    @cached_property
    def test(self) -> list[dict[str, Any]]:
        """The rows of the task `held_out`."""
        return read_split(self.dataset.path, SPLIT, self.dataset.fingerprint)

    @cached_property
    def test_categories(self) -> dict[str, set[str]]:
        """The names of the test split's rows by category."""
        found: dict[str, set[str]] = {}
        for row in self.test:
            found.setdefault(row["category"], set()).add(row["row_id"])
        return dict(sorted(found.items()))


@dataclass(frozen=True)
class ScoredExperiment:
    """What an experiment's scores are, and how they came to be.

    Attributes:
        scores: the rows of `eval_scores`.
        repeated: by task, the items that training rows repeat.
        computed: the names of the tasks whose scores were computed now; the others were right.
        class_counts: the rows of `eval_class_counts`.
    """

    scores: list[dict[str, Any]]
    repeated: Mapping[str, Sequence[Repetition]]
    computed: tuple[str, ...]
    class_counts: list[dict[str, Any]]


@dataclass
class Scorer:
    """Scores the experiments of a step one after the other.

    Attributes:
        store: with the results of single items.
        settings: the run seed, and the rules of the contamination gate.
        rows: of the data set that the adapters were trained on.
    """

    store: Store
    settings: Settings
    rows: SetRows
    _of_base: dict[tuple[int, str], SubjectResults] = field(default_factory=dict)

    @cached_property
    def _limits(self) -> OverlapLimits:
        return read_limits(self.settings.curation.contamination_rules)

    def score(self, plan: BasePlan, adapter: StoredAdapter) -> ScoredExperiment:
        """Compute the scores that are not right any more, and store all of the experiment's.

        Args:
            plan: of the adapter's base model. All of its questions are answered.
            adapter: the adapter.

        Raises:
            EvaluationError: the store lacks a result.
        """
        experiment = experiment_columns(adapter.experiment)
        seed = self.settings.runs.seed
        tasks = [TaskQuestions(one.task, one.items) for one in plan.chosen.tasks]
        learned = trained_rows(self.store, experiment, self.rows.train, adapter.recipe, seed)
        repeated = repetitions(self.store, tasks, learned, self._limits)
        part = condition_of(experiment)
        before = self.store.rows(f"select * from eval_scores {part} order by rowid", experiment)
        scores: list[dict[str, Any]] = []
        details: dict[str, list[dict[str, Any]]] = {name: [] for name in _DETAILS}
        computed: dict[str, TaskResults] = {}
        for chosen in plan.chosen.tasks:
            name = chosen.task.name
            contaminated = {hit.item_id for hit in repeated.get(name, ())}
            common = self._provenance(plan, adapter, chosen)
            keys = [plan.keys_of_task(one, name) for one in (BASE, adapter.content)]
            texts = isinstance(chosen.task.scoring, TextScoring)
            more = [common, seed, self._bertscore_sha256 if texts else ""]
            made_of = scored_from([*keys[0], *keys[1]], chosen, contaminated, more)
            kept = [row for row in before if row["task"] == name and row["scored_from"] == made_of]
            if kept:
                scores += kept
                continue
            results = self._results(plan, adapter, chosen, contaminated)
            computed[name] = results
            marks = experiment | {"rehearsal": common["rehearsal"]}
            for table, rows_of in _DETAILS.items():
                details[table] += [row | marks for row in rows_of(results)]
            common |= {"scored_from": made_of, "scored_at": datetime.now(UTC)}
            scores += _rows(adapter, common, score_task(results, seed))
        averages = self._averages(plan, adapter, scores, before, computed)
        scores = correct_over_tasks(scores) + averages
        self._write(experiment, scores, details, computed, [one.task.name for one in tasks])
        counts = self.store.rows(
            f"select * from eval_class_counts {part} order by task, metric, class, subject",
            experiment,
        )
        return ScoredExperiment(scores, repeated, tuple(computed), counts)

    def _averages(
        self,
        plan: BasePlan,
        adapter: StoredAdapter,
        scores: Sequence[Mapping[str, Any]],
        before: Sequence[dict[str, Any]],
        computed: Mapping[str, TaskResults],
    ) -> list[dict[str, Any]]:
        """The averages over the tasks of each category, as the paper states its gains."""
        made_of = {row["task"]: row["scored_from"] for row in scores}
        found: list[dict[str, Any]] = []
        for category, members in averaged_tasks(plan.chosen.tasks).items():
            scored = sha256_of([code_sha256(), [made_of.get(one.task.name) for one in members]])
            kept = [row for row in before if (row["task"], row["scored_from"]) == (AVERAGE, scored)]
            if kept:
                found += kept
                continue
            common = self._provenance(plan, adapter, members[0]) | {
                "items_fingerprint": sha256_of([one.fingerprint for one in members]),
                "items_source": "+".join(dict.fromkeys(one.source for one in members)),
                "task_version": sha256_of([task_version(one.task) for one in members])[:16],
                "rehearsal": any(
                    row["rehearsal"]
                    for row in scores
                    if row["task"] in {one.task.name for one in members}
                ),
                "scored_from": scored,
                "scored_at": datetime.now(UTC),
            }
            results = [
                computed.get(one.task.name) or self._results(plan, adapter, one, set())
                for one in members
            ]
            rows = average_rows(category, results, self.settings.runs.seed)
            found += _rows(adapter, common, rows)
        return found

    def _provenance(
        self, plan: BasePlan, adapter: StoredAdapter, chosen: ChosenTask
    ) -> dict[str, Any]:
        return {
            "prompt_version": plan.conditions.prompt_version,
            "dataset_fingerprint": self.rows.dataset.fingerprint,
            "items_fingerprint": chosen.fingerprint,
            "items_source": chosen.source,
            "base_fingerprint": plan.conditions.base_fingerprint,
            "rehearsal": adapter.row["rehearsal"] or chosen.source == "fixture",
        }

    def _results(
        self,
        plan: BasePlan,
        adapter: StoredAdapter,
        chosen: ChosenTask,
        contaminated: set[str],
    ) -> TaskResults:
        name = chosen.task.name
        base = (id(plan), name)
        if base not in self._of_base:
            self._of_base[base] = self._of_subject(plan, BASE, chosen, adapter)
        return TaskResults(
            chosen,
            self._of_base[base],
            self._of_subject(plan, adapter.content, chosen, adapter),
            frozenset(contaminated),
            self.rows.test_categories if name == OWN_TASK else {},
        )

    def _of_subject(
        self, plan: BasePlan, subject: str, chosen: ChosenTask, adapter: StoredAdapter
    ) -> SubjectResults:
        """A subject's results of a task. The adapter is that whose scores need them."""
        found = plan.results(self.store, subject, chosen)
        if any(item.id not in found for item in chosen.items):
            raise EvaluationError(
                f"{partition_key(adapter.experiment)}: the store lacks results of the task "
                f"{chosen.task.name}, because another process removed them. Run the step again."
            )
        return SubjectResults(chosen, found, self._bertscores(chosen, found))

    def _bertscores(
        self, chosen: ChosenTask, results: Mapping[str, Sequence[ItemResult]]
    ) -> dict[str, float] | None:
        """BERTScores of the answers by item, if a model for them is given and texts are asked."""
        model = self.settings.evaluation.bertscore_model
        if model is None or not isinstance(chosen.task.scoring, TextScoring):
            return None
        pairs = {
            item.id: (answer.answer, item.answers[0])
            for item in chosen.items
            if item.answers and (answer := answer_of(results[item.id]))
        }
        return bertscores_of(model, pairs)

    @cached_property
    def _bertscore_sha256(self) -> str:
        """The hash of the model for BERTScores; empty without one."""
        model = self.settings.evaluation.bertscore_model
        if model is None:
            return ""
        files = sorted(path for path in model.glob("*") if path.is_file())
        return sha256_of([[path.name, sha256_of_file(path)] for path in files])

    def _write(
        self,
        experiment: Mapping[str, str],
        scores: Sequence[Mapping[str, Any]],
        details: Mapping[str, Sequence[Mapping[str, Any]]],
        computed: Collection[str],
        tasks: Sequence[str],
    ) -> None:
        """Replace the scores, and the details of tasks that are computed or not scored any more."""
        part = condition_of(experiment)
        with self.store.write() as connection:
            connection.execute(f"delete from eval_scores {part}", experiment)
            insert(connection, "eval_scores", scores)
            right = [name for name in tasks if name not in computed]
            for table, rows in details.items():
                connection.execute(
                    f"delete from {table} {part} and not list_contains($right, task)",
                    {**experiment, "right": right},
                )
                insert(connection, table, rows)


def _rows(
    adapter: StoredAdapter, common: dict[str, Any], rows: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Rows of `eval_scores` with what they have in common; a base model's names no adapter."""
    sha256 = adapter.row["adapter_sha256"]
    return [
        experiment_columns(adapter.experiment)
        | common
        | row
        | {"adapter_sha256": None if row["subject"] == "base" else sha256}
        for row in rows
    ]
