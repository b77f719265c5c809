"""The optimization: an adapter is trained on packed rows, in a fixed order, from any checkpoint.

The recipe alone says which rows an update learns from, and the loss is the mean over all their
response tokens. How an update is computed, in how many passes and on how many ranks, changes an
adapter by rounding alone, apart from the random numbers of dropout.
"""

from bioinstruct_dagster.training.loop.training_run import (
    Optimized,
    TrainingDivergedError,
    optimize,
)

__all__ = ["Optimized", "TrainingDivergedError", "optimize"]
