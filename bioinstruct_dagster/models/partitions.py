"""Experiments as partitions by `base_model` and `recipe`; a key is `rehearsal-llama|all`."""

import dagster as dg

from bioinstruct_dagster.models.experiments import ExperimentMatrix


def experiment_partitions(matrix: ExperimentMatrix) -> dg.MultiPartitionsDefinition:
    """One partition for each base model and recipe.

    Fixed when the code location loads, as Dagster's static partitions are: reload after editing the
    file.
    """
    return dg.MultiPartitionsDefinition(
        {
            "base_model": dg.StaticPartitionsDefinition(list(matrix.base_models)),
            "recipe": dg.StaticPartitionsDefinition(list(matrix.recipes)),
        }
    )


def experiment_of(context: dg.AssetExecutionContext) -> tuple[str, str]:
    """(base model, recipe) of the partition that is being materialized.

    Raises:
        TypeError: the asset is not partitioned by `experiment_partitions`.
    """
    key = context.partition_key
    if not isinstance(key, dg.MultiPartitionKey):
        raise TypeError(f"{key!r} is not the key of an experiment partition")
    return key.keys_by_dimension["base_model"], key.keys_by_dimension["recipe"]
