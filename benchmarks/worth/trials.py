"""One trial: a data set with a refresh of half its rows, and what `data_worth` says of it.

Belongs here: making the refresh, training and scoring as the asset does. Does not: the arms and the
verdict (bioinstruct_dagster.findings.worth), or the report (benchmarks.worth.report).
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from bioinstruct_dagster.dataset.build import build_dataset
from bioinstruct_dagster.dataset.card import Card
from bioinstruct_dagster.dataset.version import DatasetVersion
from bioinstruct_dagster.evaluation.cache.stored import take
from bioinstruct_dagster.evaluation.evaluate import evaluate_base
from bioinstruct_dagster.evaluation.questions import write_questions
from bioinstruct_dagster.findings.worth.refresh import Refresh
from bioinstruct_dagster.findings.worth.trial import (
    WITHOUT,
    planned_trial,
    scoring_plan,
    smallest_experiment,
    worth_rows,
)
from bioinstruct_dagster.generation.replies.reading import read_reply
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.training.study.trainer import StudyTrainer

Kind = Literal["shuffled", "sound"]
KINDS: tuple[Kind, ...] = ("sound", "shuffled")
EXPERIMENTS = Path(__file__).parent / "experiments.yaml"
_TEXTS = ("instruction", "input", "output")


@dataclass(frozen=True)
class TrialFigures:
    """What a trial found.

    Attributes:
        trial: its number, which draws the refresh.
        kind: shuffled | sound.
        verdict: better | tied | worse.
        reason: what the verdict rests on.
        fit_before: of outputs from before the refresh.
        fit_added: of outputs of the refresh.
        difference: in held-out loss, with the refresh minus without, in nats per token.
        ci_low: of the difference.
        ci_high: of the difference.
        n: held-out rows from before the refresh.
        seeds: pairs of adapters.
        train_rows: that an adapter with the refresh learned from.
        train_rows_added: how many of them are of the refresh.
    """

    trial: int
    kind: str
    verdict: str
    reason: str
    fit_before: float
    fit_added: float
    difference: float
    ci_low: float
    ci_high: float
    n: int
    seeds: int
    train_rows: float
    train_rows_added: float


class Trials:
    """Runs trials with the embedded model.

    Args:
        scratch: the folder of all of them.
        seeds: pairs of adapters in each.
        rows: a JSONL file of rows; None for the shipped recordings.
    """

    def __init__(self, scratch: Path, seeds: int, rows: Path | None) -> None:
        self._scratch = scratch
        self._seeds = seeds
        self._rows = rows_of(rows) if rows else recorded_rows()

    def run(self, number: int) -> list[TrialFigures]:
        """Both kinds of a refresh. They share the adapters that learn nothing of it."""
        shared: dict[str, Any] = {}
        return [self._run(number, kind, shared) for kind in KINDS]

    def _run(self, number: int, kind: Kind, shared: dict[str, Any]) -> TrialFigures:
        """Make the refresh, train both arms under each seed, and compare them."""
        rows, refresh = refreshed(self._rows, number, kind)
        # Adapters are found by the data set's fingerprint, so those of one trial serve no other.
        settings = Settings.of(data_dir=self._scratch / f"{kind}-{number}")
        matrix = read_experiments(EXPERIMENTS)
        data_dir = settings.store.data_dir
        data_dir.mkdir(parents=True, exist_ok=True)
        models = data_dir / "models"
        if not models.exists():  # the base model is made once for all trials
            (self._scratch / "models").mkdir(exist_ok=True)
            models.symlink_to(self._scratch / "models")
        card = Card(teacher="rehearsal", template="benchmark", seeds_fingerprint="none")
        built = build_dataset(rows, data_dir / "hf_dataset", card)
        dataset = DatasetVersion(built.path, built.fingerprint, rehearsal=True)
        experiment = smallest_experiment(matrix, built.sizes["train"])
        trial = planned_trial(matrix, experiment, refresh, dataset, settings, self._seeds)
        trainer = StudyTrainer(_silent)
        results = dict(shared)
        for (arm, _), spec in trial.specs.items():
            if spec.experiment not in results:
                results[spec.experiment] = trainer.outcome(spec)["result"]
            if arm == WITHOUT:
                shared[spec.experiment] = results[spec.experiment]
        # One store for both kinds: the adapters that they share are scored once.
        store = Store(self._scratch / f"trial-{number}.duckdb")
        with store.write():
            pass  # a reader expects the tables
        plan = scoring_plan(trial, results, matrix, settings)
        plan.look_up(store)
        questions = settings.store.data_dir / "questions"
        write_questions(plan.questions, questions)

        def keep(message: dict[str, Any]) -> None:
            if message["kind"] == "items":
                take(store, Path(message["path"]))

        evaluate_base(plan.spec(questions, settings), _silent, keep)
        row = worth_rows(trial, plan, results, store, settings)[0]
        return TrialFigures(
            number,
            kind,
            row["verdict"],
            row["reason"],
            row["fit_before"],
            row["fit_added"],
            row["difference"],
            row["ci_low"],
            row["ci_high"],
            row["n"],
            row["seeds"],
            row["train_rows_with"],
            row["train_rows_added"],
        )


def refreshed(
    rows: Sequence[Mapping[str, Any]], number: int, kind: Kind
) -> tuple[list[dict[str, Any]], Refresh]:
    """A random half of the rows as the refresh; its outputs change places if they are shuffled."""
    drawn = random.Random(number)  # noqa: S311  # a draw that can be repeated
    names = [row["row_id"] for row in rows]
    added = frozenset(drawn.sample(names, len(names) // 2))
    changed = [dict(row) for row in rows]
    if kind == "shuffled":
        members = [row for row in changed if row["row_id"] in added]
        outputs = [row["output"] for row in members]
        drawn.shuffle(outputs)
        for row, output in zip(members, outputs, strict=True):
            row["output"] = output
    refresh = Refresh(f"half {number}", datetime.now(UTC), added, frozenset(names) - added)
    return changed, refresh


def recorded_rows() -> list[dict[str, Any]]:
    """The tasks of the shipped recordings, as rows of a data set."""
    tasks = [
        (task, category)
        for recording in read_recordings()
        for task, category in zip(
            read_reply(recording.content, recording.finish_reason, recording.refusal).tasks,
            recording.categories,
            strict=False,
        )
    ]
    return [_row(number, task, category) for number, (task, category) in enumerate(tasks)]


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file. The recipe takes all categories, so one name stands for all."""
    lines = path.read_text("utf-8").splitlines()
    return [_row(number, json.loads(line), "other") for number, line in enumerate(lines)]


def _row(number: int, texts: Mapping[str, str], category: str) -> dict[str, Any]:
    return {
        "row_id": f"row-{number:05d}",
        **{name: texts[name] for name in _TEXTS},
        "category": category,
        "labelled_by": "benchmark",
        "source": "completion",
        "completion_id": f"completion-{number}",
        "rehearsal": True,
    }


def _silent(_: str) -> None:
    """Say nothing."""
