"""Which items a report may show, and five of each task.

An item is shown if everyone may pass it on: a fixture of this project, an item of a set whose task
file says `redistributable: true`, or a row of the data set's own test split that the privacy gate
found clean. Rows of an imported set are shown only if the user has chosen a licence for the data
set, because nobody else knows whether they may be passed on.

Belongs here: the choice of items. Does not: what is shown of an item (study_report.examples).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bioinstruct_dagster.dataset.sources import imported_source
from bioinstruct_dagster.eval_sets.catalogue import FIXTURES
from bioinstruct_dagster.eval_sets.items import EvaluationItem, items_of
from bioinstruct_dagster.eval_sets.task import EvaluationTask
from bioinstruct_dagster.evaluation.held_out import HELD_OUT, held_out_items
from bioinstruct_dagster.evaluation.tasks.keys import OWN_TASK
from bioinstruct_dagster.models.experiments.names import Experiment, experiment_columns
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of

MOST_EXAMPLES = 5
SCORED_TASKS = """
    select task, any_value(items_source) as items_source,
        any_value(items_fingerprint) as items_fingerprint
    from eval_scores
    where base_model = $base_model and recipe = $recipe and subject = 'adapter' and main
        and items = 'all' and task <> 'average'
        and (task <> 'held_out' or category = 'all')
    group by task
"""
PREDICTIONS = """
    select task, item_id, subject, prediction, chosen, metric, value
    from eval_predictions
    where base_model = $base_model and recipe = $recipe
"""
# The test split, and whether the privacy gate has checked a row and found nothing. A row that
# reviewers reject is not clean either, until the data set is made without it.
TEST_ROWS = """
    with of_privacy as (
        select row_id, bool_and(verdict = 'keep' and rule <> 'off') as clean
        from verdicts
        where gate = 'privacy'
        group by row_id
    )
    select row_id, labelled.instruction, labelled.input, labelled.output, raw.source,
        coalesce(of_privacy.clean, false) and not coalesce(review.excluded, false) as clean
    from hf_dataset as placed
    join categorized_instructions as labelled using (row_id)
    join raw_instructions as raw using (row_id)
    left join of_privacy using (row_id)
    left join review_results as review using (row_id)
    where placed.split = 'test'
    order by labelled.ordinal
"""


@dataclass(frozen=True)
class ChosenExamples:
    """The items of one task that are shown, or why none is.

    Attributes:
        task: of the catalogue, or the test split.
        items: in the order of their draw.
        told: where they come from; or why none is shown.
    """

    task: EvaluationTask
    items: Sequence[EvaluationItem]
    told: str


def predictions_of(store: Store, experiment: Experiment) -> list[dict[str, Any]]:
    """What base model and adapter of an experiment answered."""
    return store.rows(PREDICTIONS, experiment_columns(experiment))


def chosen_examples(
    store: Store,
    settings: Settings,
    tasks: Mapping[str, EvaluationTask],
    experiment: Experiment,
    predictions: Sequence[Mapping[str, Any]],
) -> list[ChosenExamples]:
    """The items of each task that an experiment is scored on.

    Args:
        store: with the scores.
        settings: the folders of tasks and items, and the licence of the data set.
        tasks: the catalogue by name.
        experiment: base model and recipe.
        predictions: its rows, from `predictions_of`.
    """
    asked: dict[str, set[str]] = {}
    for row in predictions:
        asked.setdefault(row["task"], set()).add(row["item_id"])
    known = {OWN_TASK: HELD_OUT, **tasks}
    scored = {row["task"]: row for row in store.rows(SCORED_TASKS, experiment_columns(experiment))}
    return [
        _chosen(store, settings, task, scored[name], asked.get(name, set()))
        for name, task in known.items()
        if name in scored
    ]


def _chosen(
    store: Store, settings: Settings, task: EvaluationTask, scored: Mapping[str, Any], ids: set[str]
) -> ChosenExamples:
    source = scored["items_source"]
    withheld = set[str]()
    if task.name == OWN_TASK:
        rows = store.rows(TEST_ROWS)
        found: Sequence[EvaluationItem] = held_out_items(rows)
        withheld = _withheld(rows, settings)
        told = "Rows of the data set's own test split."
    elif source == "fixture":
        fixtures = settings.eval_sets.tasks / FIXTURES
        found = items_of(task, Path("/nowhere"), fixtures=fixtures).items
        told = "Fixture items: small items of this project, which say nothing about medicine."
    elif not task.source.redistributable:
        return ChosenExamples(
            task,
            (),
            f"not shown, because the items may not be passed on ({task.source.licence}).",
        )
    else:
        found = items_of(task, settings.eval_sets.folder).items
        told = f"Licence of the items: {task.source.licence}."
    same = [item for item in found if item.id in ids]
    if not same or sha256_of([asdict(item) for item in same]) != scored["items_fingerprint"]:
        return ChosenExamples(
            task, (), "not shown, because the items at hand are not those that were scored."
        )
    shown = [item for item in same if item.id not in withheld]
    if not shown:
        return ChosenExamples(task, (), f"not shown. {_why_withheld(settings)}")
    left = len(same) - len(shown)
    if left:
        told += f" {left:,} of {len(same):,} rows are withheld. {_why_withheld(settings)}"
    return ChosenExamples(task, sorted(shown, key=_draw)[:MOST_EXAMPLES], told)


def _withheld(rows: Sequence[Mapping[str, Any]], settings: Settings) -> set[str]:
    """The rows of the test split that are not shown."""
    licensed = bool(settings.publishing.dataset_licence)
    return {
        row["row_id"]
        for row in rows
        if not row["clean"] or (imported_source(row["source"]) and not licensed)
    }


def _why_withheld(settings: Settings) -> str:
    why = (
        "Rows in which the privacy gate found something, that it did not check, or that reviewers "
        "reject are not shown."
    )
    if settings.publishing.dataset_licence:
        return why
    return (
        f"{why} Imported rows are shown only if BIOINSTRUCT_DATASET_LICENCE names the licence "
        "under which you pass the data set on."
    )


def _draw(item: EvaluationItem) -> str:
    """A place by hash, so that no example is chosen for its answers."""
    return hashlib.sha256(f"example\n{item.task}\n{item.id}".encode()).hexdigest()
