"""Why an adapter may not be published.

Belongs here: the adapter's own reasons. Does not: those of checks (check_states), or those of the
data set (dataset_refusals).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioinstruct_dagster.dataset.older_results import made_results
from bioinstruct_dagster.dataset.written_files import changed_since_written, missing_since_written
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.adapters import (
    CONFIG_FILE,
    intact_result,
    missing_file,
    stored_folder,
    weights_changed,
)
from bioinstruct_dagster.models.experiments import BaseModelSpec, ExperimentMatrix
from bioinstruct_dagster.models.experiments.names import partition_key
from bioinstruct_dagster.publishing.broken_documents import TRAINED_ANEW, gone
from bioinstruct_dagster.publishing.check_states import CheckState, check_refusals
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

_ADAPTER = """
    select adapter_path, adapter_sha256, rehearsal, dataset_fingerprint
    from lora_adapter
    where base_model = $base_model and recipe = $recipe
"""
_REHEARSED_SCORES = """
    select distinct task
    from eval_scores
    where base_model = $base_model and recipe = $recipe and rehearsal
    order by task
"""
_OF_EXPERIMENT = ("lora_adapter", "eval_scores")


@dataclass(frozen=True)
class PublishedAdapter:
    """An adapter that is to be published.

    Attributes:
        base_model: name in the experiment file.
        recipe: likewise.
        base: the base model.
        folder: of the adapter.
        sha256: of its weights, as the store names it.
        rehearsal: whether the store marks it.
    """

    base_model: str
    recipe: str
    base: BaseModelSpec
    folder: Path
    sha256: str
    rehearsal: bool

    @property
    def experiment(self) -> str:
        """The name of the experiment."""
        return partition_key((self.base_model, self.recipe))


def adapter_named(
    experiment: str, store: Store, settings: Settings, matrix: ExperimentMatrix
) -> PublishedAdapter:
    """The adapter of an experiment that the store names.

    Args:
        experiment: its name, `base_model|recipe`.
        store: with the adapters.
        settings: with the data folder.
        matrix: the experiments.

    Raises:
        StatedError: there is no such experiment, or it has no adapter in the data folder.
    """
    if not experiment.strip():
        raise StatedError(
            "experiment: write the name of one experiment, such as smollm2-135m|all. The page of "
            "the asset lora_adapter lists all names."
        )
    found = matrix.names_of([experiment])
    if len(found) != 1:
        raise StatedError(
            f"experiment: {experiment!r} matches {len(found)} experiments. Publish them one by one."
        )
    base_model, recipe = found[0]
    rows = store.rows(_ADAPTER, {"base_model": base_model, "recipe": recipe})
    if not rows:
        raise StatedError(
            f"The store holds no adapter of {experiment}. Materialize key:lora_adapter for this "
            "partition first."
        )
    return PublishedAdapter(
        base_model=base_model,
        recipe=recipe,
        base=matrix.base_models[base_model],
        folder=stored_folder(rows[0]["adapter_path"], settings.store.data_dir),
        sha256=rows[0]["adapter_sha256"],
        rehearsal=bool(rows[0]["rehearsal"]),
    )


def adapter_refusals(
    adapter: PublishedAdapter, store: Store, checks: Sequence[CheckState] = ()
) -> list[str]:
    """Why an adapter may not be published: a sentence for each reason; empty if it may.

    Args:
        adapter: to publish.
        store: with its scores.
        checks: what the blocking checks say up to adapters and scores.
    """
    result = None if missing_file(adapter.folder) else intact_result(adapter.folder)
    return [
        *_rehearsal(adapter, store, result or {}),
        *_licence(adapter),
        *_changed_files(adapter, result),
        *(
            gone(adapter.folder, name, TRAINED_ANEW)
            for name in missing_since_written(adapter.folder)
            if name != CONFIG_FILE  # named before
        ),
        *_older(adapter, store),
        *check_refusals(checks),
    ]


def _rehearsal(adapter: PublishedAdapter, store: Store, result: Mapping[str, Any]) -> Iterator[str]:
    if adapter.rehearsal or result.get("rehearsal") or adapter.base.rehearsal:
        parts = result.get("rehearsal_parts") or ["the store marks it"]
        yield (
            f"The adapter {adapter.experiment} is marked rehearsal, because {' and '.join(parts)}. "
            "It can't be published. Train a real base model on rows of a real teacher."
        )
        return
    names = {"base_model": adapter.base_model, "recipe": adapter.recipe}
    if tasks := [row["task"] for row in store.rows(_REHEARSED_SCORES, names)]:
        yield (
            f"Scores of {adapter.experiment} are marked rehearsal, because their items are "
            f"fixtures: {', '.join(tasks)}. They stand on its card, so it can't be published. Get "
            "the items of these tasks, or leave the tasks out of BIOINSTRUCT_EVALUATE_TASKS. Then "
            "materialize key:eval_scores for this partition again."
        )


def _older(adapter: PublishedAdapter, store: Store) -> Iterator[str]:
    """A sentence for each reason why results are older, with the results that it is about."""
    assets: dict[str, list[str]] = {}
    for one in made_results(store):
        if one.experiment == adapter.experiment and one.asset in _OF_EXPERIMENT and one.why_older:
            assets.setdefault(one.why_older, []).append(one.asset)
    for why, names in assets.items():
        yield (
            f"{' and '.join(names)}, {adapter.experiment}: {why}. Only results on the present data "
            "set can be published. Run: dagster asset materialize -m bioinstruct_dagster --select "
            f"'key:lora_adapter,key:eval_scores' --partition '{adapter.experiment}'"
        )


def _licence(adapter: PublishedAdapter) -> Iterator[str]:
    if not adapter.base.licence:
        yield (
            f"The licence of the base model {adapter.base_model} is not known. Read it on the base "
            "model's page, write it as `licence` of the base model in the experiment file "
            "(BIOINSTRUCT_EXPERIMENTS), and materialize key:lora_adapter for this partition again."
        )


def _changed_files(adapter: PublishedAdapter, result: Mapping[str, Any] | None) -> Iterator[str]:
    again = "Materialize key:lora_adapter for this partition again."
    if missing := missing_file(adapter.folder):
        yield f"{adapter.folder / missing} is missing. {again}"
    elif weights_changed(adapter.folder, adapter.sha256):
        yield (f"The weights in {adapter.folder} have another sha256 than the store names. {again}")
    elif CONFIG_FILE in (changed_since_written(adapter.folder) or ()):
        yield (
            f"{adapter.folder / CONFIG_FILE} was changed after training, so this is not the "
            "adapter whose scores stand on the card. Put the file back, or remove the folder. "
            f"{again}"
        )
    elif result is None:
        yield f"The result file in {adapter.folder} is missing or has changed. {again}"
