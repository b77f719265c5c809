"""Scores over the experiments that differ only in their seed: mean, spread, and one interval.

Belongs here: which experiments form a family, and the rows of `eval_scores_over_seeds`. Does not:
the interval (evaluation.statistics.over_seeds), or the scores of one experiment
(evaluation.scored).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from bioinstruct_dagster.evaluation.metrics.measured import Measured
from bioinstruct_dagster.evaluation.metrics.tasks import measured_of
from bioinstruct_dagster.evaluation.planning import BasePlan
from bioinstruct_dagster.evaluation.scoring import ALL_CATEGORIES, scored_from
from bioinstruct_dagster.evaluation.selection import ChosenTask
from bioinstruct_dagster.evaluation.statistics.over_seeds import over_seeds
from bioinstruct_dagster.evaluation.tasks.item_results import BASE
from bioinstruct_dagster.evaluation.tasks.keys import OWN_TASK, task_version
from bioinstruct_dagster.models.experiments import Experiment, ExperimentMatrix
from bioinstruct_dagster.store.database import Store

FEWEST_SEEDS = 2
_BEFORE = """
    select distinct scored_from from eval_scores_over_seeds
    where base_model = $base_model and recipe = $recipe
"""


def family_of(matrix: ExperimentMatrix, one: Experiment) -> list[Experiment]:
    """The experiments that differ from this one in nothing but the seed, this one among them."""
    base_model, recipe = one
    own = matrix.recipe(base_model, recipe).model_dump(exclude={"seed"})
    return [
        (base_model, name)
        for name in matrix.recipes
        if matrix.recipe(base_model, name).model_dump(exclude={"seed"}) == own
    ]


def score_over_seeds(store: Store, plan: BasePlan, name: str, dataset: str) -> bool:
    """Store the scores of a family, unless they are there.

    Args:
        store: with the results of all its adapters.
        plan: of the family's adapters alone. All of their questions are answered.
        name: of the family: the first experiment's recipe.
        dataset: the fingerprint of the data set that the adapters were trained on.

    Returns:
        Whether scores were computed.
    """
    part = {"base_model": plan.adapters[0].experiment[0], "recipe": name}
    contents = [one.content for one in plan.adapters]
    recipes = [one.experiment[1] for one in plan.adapters]
    keys = [key for subject in (BASE, *contents) for key in plan.keys(subject)]
    made_of = [
        scored_from(keys, chosen, (), ["over seeds", recipes, dataset])
        for chosen in plan.chosen.tasks
    ]
    if {row["scored_from"] for row in store.rows(_BEFORE, part)} == set(made_of):
        return False
    rows = [
        part
        | {
            "task": chosen.task.name,
            "task_version": task_version(chosen.task),
            "category": ALL_CATEGORIES if chosen.task.name == OWN_TASK else chosen.task.category,
            "recipes": recipes,
            "items_fingerprint": chosen.fingerprint,
            "dataset_fingerprint": dataset,
            "scored_from": scored,
            "rehearsal": chosen.source == "fixture"
            or any(one.row["rehearsal"] for one in plan.adapters),
            "scored_at": datetime.now(UTC),
        }
        | row
        for chosen, scored in zip(plan.chosen.tasks, made_of, strict=True)
        for row in _rows(store, plan, chosen, contents)
    ]
    store.replace({"eval_scores_over_seeds": rows}, part=part)
    return True


def _rows(
    store: Store, plan: BasePlan, chosen: ChosenTask, contents: Sequence[str]
) -> Iterator[dict[str, Any]]:
    measured: list[dict[str, Measured]] = []
    for subject in (BASE, *contents):
        results = plan.results(store, subject, chosen)
        found = measured_of(chosen.task, chosen.items, results)
        measured.append({one.metric: one for one in found})
    clusters = {item.id: item.cluster for item in chosen.items}
    for metric in measured[0]:
        if not all(metric in one for one in measured):
            continue
        shared = set.intersection(*(set(one[metric].item_ids) for one in measured))
        base, *adapters = [one[metric].for_items(shared) for one in measured]
        if not shared:
            continue
        for subject, of_base in (("adapter", None), ("difference", base)):
            found_over = over_seeds(adapters, clusters, of_base)
            estimate = found_over.estimate
            yield {
                "metric": metric,
                "subject": subject,
                "score": estimate.score,
                "spread": found_over.spread,
                "ci_low": estimate.ci_low,
                "ci_high": estimate.ci_high,
                "method": estimate.method,
                "seeds": found_over.seeds,
                "n": estimate.n,
            }
