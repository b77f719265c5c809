"""Jobs: one makes the data set and another runs experiments, so no data set run uses a GPU.

Belongs here: which assets a job materializes. Does not: when a job runs (schedules, sensors).
"""

import dagster as dg

DATA_SET_SELECTION = dg.AssetSelection.assets("hf_dataset").upstream()
TRAINING_SELECTION = dg.AssetSelection.groups("training", "evaluation")

data_set_job = dg.define_asset_job(
    "data_set",
    selection=DATA_SET_SELECTION,
    description="Materialize all assets from the seed tasks to the Hugging Face data set.",
)

# For a machine with idle cores: each step runs in its own process.
data_set_multiprocess_job = dg.define_asset_job(
    "data_set_multiprocess",
    selection=DATA_SET_SELECTION,
    executor_def=dg.multiprocess_executor,
    description=(
        "Materialize all assets from the seed tasks to the Hugging Face data set, with each step "
        "in its own process."
    ),
)

# This job has the partitions of its assets. A backfill runs the whole experiment matrix.
experiment_job = dg.define_asset_job(
    "experiment",
    selection=TRAINING_SELECTION,
    description=(
        "Train the LoRA adapter of one base model and recipe, and score it. "
        "A backfill over all partitions runs the whole experiment matrix."
    ),
)
