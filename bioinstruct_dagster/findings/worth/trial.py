"""The trial of a refresh: which adapters are trained, what they are scored on, and the result.

Belongs here: the plan, without Dagster, and the rows of the table `data_worth`. Does not: which
rows an arm has (findings.worth.arms), the verdict (findings.worth.verdict), or running the model
process (findings.worth.assets).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bioinstruct_dagster.dataset.build import read_split
from bioinstruct_dagster.dataset.version import DatasetVersion
from bioinstruct_dagster.evaluation.held_out import HELD_OUT, held_out_items
from bioinstruct_dagster.evaluation.metrics.measured import Measured
from bioinstruct_dagster.evaluation.metrics.texts import loss_metrics
from bioinstruct_dagster.evaluation.planning import BasePlan, StoredAdapter
from bioinstruct_dagster.evaluation.selection import ChosenTask, ChosenTasks
from bioinstruct_dagster.evaluation.tasks.keys import adapter_content
from bioinstruct_dagster.evaluation.tasks.samples import sample
from bioinstruct_dagster.findings.worth.arms import Arms, Row, arms_of
from bioinstruct_dagster.findings.worth.fit import FitComparison, compared_fits
from bioinstruct_dagster.findings.worth.refresh import Refresh
from bioinstruct_dagster.findings.worth.verdict import LossComparison, compared_losses, verdict_of
from bioinstruct_dagster.models.experiments import Experiment, ExperimentMatrix, Recipe
from bioinstruct_dagster.models.experiments.names import partition_key
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.training.spec import TrainingSpec, training_spec

FOLDER = "worth"  # in the data folder: the adapters of trials, apart from those of experiments
MOST_HELD_OUT = 1_000  # held-out rows of each kind; more would not change a verdict
# The adapters of a trial are not validated, so the rows of both splits are held out.
HELD_OUT_SPLITS = ("test", "validation")
WITHOUT, WITH = "without", "with"
BEFORE, ADDED = "before", "added"  # which held-out rows a comparison is on
# Both arms have to make the same updates, so none of them may end early, and a part of the
# validation rows is of the refresh itself.
_NO_VALIDATION = {"validations_per_epoch": 0, "patience": None}


@dataclass(frozen=True)
class Trial:
    """What is trained and scored for one refresh.

    Attributes:
        experiment: the base model and the recipe in the experiment file.
        refresh: that is tested.
        dataset: the present version, of which all rows are.
        rows: its train split.
        arms: by seed.
        specs: by (arm, seed), the adapter.
    """

    experiment: Experiment
    refresh: Refresh
    dataset: DatasetVersion
    rows: Sequence[Row]
    arms: Mapping[int, Arms]
    specs: Mapping[tuple[str, int], TrainingSpec]

    def names(self) -> dict[str, Experiment]:
        """The adapters by the names under which the model process reports them."""
        return {one.experiment: named_pair(one) for one in self.specs.values()}


def named_pair(spec: TrainingSpec) -> Experiment:
    """The name of an adapter as base model and recipe."""
    base_model, _, recipe = spec.experiment.partition("|")
    return base_model, recipe


def smallest_experiment(matrix: ExperimentMatrix, reached: int) -> Experiment:
    """The first base model with its smallest recipe of all categories.

    Args:
        matrix: the experiments.
        reached: the number of rows to learn from. A recipe that asks for more is passed over.
    """
    base_model = next(iter(matrix.base_models))
    recipes = [(name, matrix.recipe(base_model, name)) for name in matrix.recipes]
    most = max(len(recipe.categories) for _, recipe in recipes)

    def size(found: tuple[str, Recipe]) -> tuple[bool, int, int]:
        rows = found[1].rows or reached
        return rows > reached, rows, found[1].seed

    whole = [one for one in recipes if len(one[1].categories) == most]
    return base_model, min(whole, key=size)[0]


def planned_trial(  # noqa: PLR0917  # all that determines the adapters
    matrix: ExperimentMatrix,
    experiment: Experiment,
    refresh: Refresh,
    dataset: DatasetVersion,
    settings: Settings,
    seeds: int,
) -> Trial:
    """The adapters of a trial: two for each seed, which begin with the same weights.

    Args:
        matrix: the experiments.
        experiment: base model and recipe. Its seed, validation and early stopping do not count.
        refresh: that is tested.
        dataset: the present version.
        settings: the run seed and the folders.
        seeds: how many.

    Raises:
        TooFewRowsError: the refresh, or the data set before it, has too few rows.
        DatasetError: the folder does not hold this version.
    """
    rows = read_split(dataset.path, "train", dataset.fingerprint)
    common = training_spec(matrix, *experiment, dataset, settings)
    arms: dict[int, Arms] = {}
    specs: dict[tuple[str, int], TrainingSpec] = {}
    for seed in range(1, seeds + 1):
        recipe = common.recipe.model_copy(update={"seed": seed, **_NO_VALIDATION})
        found = arms_of(rows, refresh.before, refresh.added, recipe, settings.runs.seed)
        arms[seed] = found
        for arm, row_ids in ((WITHOUT, found.without), (WITH, found.with_added)):
            name = partition_key((experiment[0], f"{experiment[1]}-{arm}-s{seed}"))
            specs[arm, seed] = replace(
                common,
                experiment=name,
                recipe=recipe.model_copy(update={"rows": None}),
                adapters_dir=str(settings.store.data_dir / FOLDER),
                row_ids=tuple(sorted(row_ids)),
            )
    return Trial(experiment, refresh, dataset, rows, arms, specs)


def scoring_plan(
    trial: Trial, results: Mapping[str, Mapping[str, Any]], matrix: ExperimentMatrix,
    settings: Settings,
) -> BasePlan:  # fmt: skip
    """What the adapters of a trial are asked: the loss of held-out rows, and no answers.

    Args:
        trial: the trial.
        results: of training, by the adapter's name.
        matrix: the experiments.
        settings: the run seed, and how much is computed at once.
    """
    rows = [
        row
        for split in HELD_OUT_SPLITS
        for row in read_split(trial.dataset.path, split, trial.dataset.fingerprint)
    ]
    seed = settings.runs.seed
    items = [
        item
        for names in (trial.refresh.before, trial.refresh.added)
        for item in sample(
            held_out_items([row for row in rows if row["row_id"] in names]), MOST_HELD_OUT, seed
        )
    ]
    fingerprint = sha256_of(
        [[item.id, item.question, item.context, item.answers] for item in items]
    )
    chosen = ChosenTask(HELD_OUT, tuple(items), "own", len(items), fingerprint)
    base = matrix.base_models[trial.experiment[0]]
    adapters = []
    for spec in trial.specs.values():
        result = results[spec.experiment]
        folder = Path(result["adapter_path"])
        adapters.append(
            StoredAdapter(
                named_pair(spec), base, spec.recipe, folder, adapter_content(folder), result
            )
        )
    silent = settings.changed(evaluation_answers=0)
    return BasePlan.of(adapters, ChosenTasks((chosen,), {}), silent)


def worth_rows(
    trial: Trial,
    plan: BasePlan,
    results: Mapping[str, Mapping[str, Any]],
    store: Store,
    settings: Settings,
) -> list[dict[str, Any]]:
    """The rows of the table `data_worth`, one for each kind of held-out rows.

    The verdict rests on rows that were there before the refresh: if its outputs are wrong, so are
    those of its own held-out rows.

    Args:
        trial: the trial.
        plan: of its adapters. All questions are answered.
        results: of training, by the adapter's name.
        store: with the results of items.
        settings: the run seed, which draws the rows whose outputs are read.
    """
    chosen = plan.chosen.tasks[0]
    losses: dict[str, Measured] = {}
    for adapter in plan.adapters:
        of_items = plan.results(store, adapter.content, chosen)
        [losses[partition_key(adapter.experiment)]] = loss_metrics(chosen.items, of_items)
    arms = {
        arm: [losses[trial.specs[arm, seed].experiment] for seed in trial.arms]
        for arm in (WITHOUT, WITH)
    }
    fits = _fits(trial, settings)
    common = _common(trial, plan, results)
    rows = []
    for kind, names in ((BEFORE, trial.refresh.before), (ADDED, trial.refresh.added)):
        compared = compared_losses(arms[WITHOUT], arms[WITH], names)
        if compared is None:
            continue
        estimate = compared.found.estimate
        rows.append(
            common
            | {
                "items": kind,
                **_judged(compared, fits if kind == BEFORE else None),
                "loss_without": compared.loss_without,
                "loss_with": compared.loss_with,
                "difference": estimate.score,
                "ci_low": estimate.ci_low,
                "ci_high": estimate.ci_high,
                "method": estimate.method,
                "n": estimate.n,
                "spread": compared.found.spread,
                "p_value": compared.found.p_value,
                "detectable": compared.detectable,
                "by_seed": list(compared.by_seed),
            }
        )
    return rows


def _fits(trial: Trial, settings: Settings) -> FitComparison:
    """How well the outputs of the refresh fit their prompts, beside those of the rows before it."""
    before, added = (
        [row for row in trial.rows if row["row_id"] in names]
        for names in (trial.refresh.before, trial.refresh.added)
    )
    return compared_fits(before, added, settings.runs.seed)


def _judged(compared: LossComparison, fits: FitComparison | None) -> dict[str, Any]:
    """The verdict and the fit; nothing for rows on which there is no verdict."""
    if fits is None:
        return {}
    verdict, reason = verdict_of(compared, fits)
    return {
        "verdict": verdict,
        "reason": reason,
        "fit_before": fits.before,
        "fit_added": fits.added,
        "fit_ci_low": fits.ci_low,
        "fit_ci_high": fits.ci_high,
        "fit_rows": fits.rows,
    }


def _common(
    trial: Trial, plan: BasePlan, results: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    def mean(arm: str, name: str) -> float:
        found = [float(results[trial.specs[arm, seed].experiment][name]) for seed in trial.arms]
        return sum(found) / len(found)

    first = plan.adapters[0].row
    return {
        "base_model": trial.experiment[0],
        "recipe": trial.experiment[1],
        "refresh": trial.refresh.name,
        "refreshed_at": trial.refresh.at,
        "rows_before": len(trial.refresh.before),
        "rows_added": len(trial.refresh.added),
        "train_rows_without": mean(WITHOUT, "train_rows"),
        "train_rows_with": mean(WITH, "train_rows"),
        "train_rows_added": sum(arm.added for arm in trial.arms.values()) / len(trial.arms),
        "train_tokens_without": mean(WITHOUT, "train_tokens"),
        "train_tokens_with": mean(WITH, "train_tokens"),
        "seeds": len(trial.arms),
        "prompt_version": first["prompt_version"],
        "dataset_fingerprint": trial.dataset.fingerprint,
        "base_fingerprint": first["base_fingerprint"],
        "items_fingerprint": plan.chosen.tasks[0].fingerprint,
        "adapters": [results[one.experiment]["adapter_sha256"] for one in trial.specs.values()],
        "rehearsal": any(result["rehearsal"] for result in results.values()),
        "made_at": datetime.now(UTC),
    }
