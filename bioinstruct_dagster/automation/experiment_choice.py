"""Which experiments the sensors train or score when the data set has a new version.

Belongs here: the choice from the store and the settings. Does not: when a run starts
(experiment_sensors), or how long it will take (run_estimates).
"""

from typing import NamedTuple

from bioinstruct_dagster.models.experiments import Experiment, ExperimentMatrix
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

ADAPTERS = """
    select base_model, recipe, dataset_fingerprint, adapter_sha256 from lora_adapter
    order by base_model, recipe
"""
# Adapters of the present data set without any score of these weights. A score that was computed on
# an adapter's earlier weights does not count.
UNSCORED = """
    select base_model, recipe, adapter_sha256, device
    from lora_adapter as adapter
    where dataset_fingerprint = $fingerprint
      and not exists (
        select 1 from eval_scores as score
        where score.base_model = adapter.base_model and score.recipe = adapter.recipe
          and score.adapter_sha256 = adapter.adapter_sha256
          and score.dataset_fingerprint = adapter.dataset_fingerprint
      )
    order by base_model, recipe
"""


def experiments_to_train(
    store: Store, matrix: ExperimentMatrix, settings: Settings, fingerprint: str
) -> list[Experiment]:
    """The chosen experiments without an adapter of this data set, in the order of the matrix.

    Experiments that have an adapter and were taken out of the experiment file are left out.

    Args:
        store: with the adapters.
        matrix: the experiments.
        settings: `runs.train_on_release` names the chosen experiments.
        fingerprint: of the present data set.

    Raises:
        UnknownExperimentError: a name or pattern stands for no experiment.
    """
    trained_on = {
        (row["base_model"], row["recipe"]): row["dataset_fingerprint"]
        for row in store.rows(ADAPTERS)
    }
    chosen = set(trained_on) if settings.runs.retrains_adapters else set()
    if settings.runs.release_experiments:
        chosen |= set(matrix.names_of(settings.runs.release_experiments))
    return [
        one for one in matrix.experiments() if one in chosen and trained_on.get(one) != fingerprint
    ]


class UnscoredAdapter(NamedTuple):
    """An adapter of the present data set without a score.

    Attributes:
        experiment: its base model and recipe.
        weights: the hash of its weights.
        on_gpu: whether it was trained on a GPU.
    """

    experiment: Experiment
    weights: str
    on_gpu: bool


def adapters_to_score(
    store: Store, matrix: ExperimentMatrix, fingerprint: str
) -> list[UnscoredAdapter]:
    """The adapters of this data set that have no score.

    Args:
        store: with adapters and scores.
        matrix: the experiments.
        fingerprint: of the present data set.
    """
    known = set(matrix.experiments())
    rows = store.rows(UNSCORED, {"fingerprint": fingerprint})
    found = [
        UnscoredAdapter(
            (row["base_model"], row["recipe"]), row["adapter_sha256"], row["device"] != "cpu"
        )
        for row in rows
    ]
    return [adapter for adapter in found if adapter.experiment in known]
