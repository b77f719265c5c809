"""Experiments as Dagster partitions with the dimensions `base_model` and `recipe`.

A partition key is `rehearsal-llama|all`. Belongs here: the partitions. Does not: the experiment
file (models.experiments).
"""

import dagster as dg

from bioinstruct_dagster.models.experiments import ExperimentMatrix


def experiment_partitions(matrix: ExperimentMatrix) -> dg.MultiPartitionsDefinition:
    """One partition for each base model and recipe.

    The partitions are fixed when Dagster loads the code location. Reload it after you edit the
    experiment file.
    """
    return dg.MultiPartitionsDefinition(
        {
            "base_model": dg.StaticPartitionsDefinition(list(matrix.base_models)),
            "recipe": dg.StaticPartitionsDefinition(list(matrix.recipes)),
        }
    )


def experiment_of(context: dg.AssetExecutionContext) -> tuple[str, str]:
    """The base model and the recipe of the partition that the step materializes.

    Raises:
        TypeError: the asset is not partitioned by `experiment_partitions`.
    """
    key = context.partition_key
    if not isinstance(key, dg.MultiPartitionKey):
        raise TypeError(f"{key!r} is not the key of an experiment partition.")
    return key.keys_by_dimension["base_model"], key.keys_by_dimension["recipe"]
